package manifest

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/runfile/runfile/manifest/diag"
)

// source is one text with an index from byte offsets to lines and columns and back. Offsets past either end are moved
// to it.
type source struct {
	file   string
	text   []byte
	starts []int         // offset of each line
	marks  map[int][]int // per line that is not ASCII: offset of every markEvery-th code point in it; nil = not computed yet
}

// markEvery bounds the code points that are counted for one position: a generated file may be one line of a megabyte
// with a hundred thousand values.
const markEvery = 64

func newSource(file string, text []byte) *source {
	s := &source{file: file, text: text, starts: make([]int, 1, bytes.Count(text, []byte("\n"))+1), marks: map[int][]int{}}
	for i, c := range text {
		switch {
		case c == '\n':
			s.starts = append(s.starts, i+1)
		case c >= utf8.RuneSelf:
			s.marks[len(s.starts)-1] = nil
		}
	}
	return s
}

// line returns the bytes of a line, counted from 0, without its end.
func (s *source) line(n int) []byte {
	end := len(s.text)
	if n+1 < len(s.starts) {
		end = s.starts[n+1] - 1
	}
	return bytes.TrimSuffix(s.text[s.starts[n]:end], []byte("\r"))
}

// lineOf returns the number, from 0, of the line that holds an offset.
func (s *source) lineOf(offset int) int {
	n, found := slices.BinarySearch(s.starts, offset)
	if !found {
		n--
	}
	return n
}

// lineMarks returns the code point index of a line, nil for an ASCII line.
func (s *source) lineMarks(n int) []int {
	m, wide := s.marks[n]
	if !wide || m != nil {
		return m
	}
	count := 0
	for i := range string(s.line(n)) {
		if count%markEvery == 0 {
			m = append(m, i)
		}
		count++
	}
	s.marks[n] = m
	return m
}

// pos converts a byte offset.
func (s *source) pos(offset int) diag.Pos {
	offset = min(max(offset, 0), len(s.text))
	n := s.lineOf(offset)
	in := offset - s.starts[n]
	marks := s.lineMarks(n)
	if marks == nil {
		return diag.Pos{Line: n + 1, Column: in + 1}
	}
	k, found := slices.BinarySearch(marks, in)
	if !found {
		k--
	}
	from := s.starts[n] + marks[k]
	return diag.Pos{Line: n + 1, Column: k*markEvery + utf8.RuneCount(s.text[from:offset]) + 1}
}

// offset converts a position.
func (s *source) offset(p diag.Pos) int {
	n := p.Line - 1
	if n < 0 {
		return 0
	}
	if n >= len(s.starts) {
		return len(s.text)
	}
	at := p.Column - 1
	marks := s.lineMarks(n)
	if marks == nil {
		return min(s.starts[n]+at, len(s.text))
	}
	k := min(at/markEvery, len(marks)-1)
	i := s.starts[n] + marks[k]
	for range at - k*markEvery {
		_, size := utf8.DecodeRune(s.text[i:])
		i += size
	}
	return min(i, len(s.text))
}

// without is the source with other text of the same length between two offsets; lines stay lines.
func (s *source) without(from, to int, c byte) *source {
	text := bytes.Clone(s.text)
	for i := from; i < min(to, len(text)); i++ {
		if text[i] != '\n' && text[i] != '\r' {
			text[i] = c
		}
	}
	return newSource(s.file, text)
}

// span is the range between two offsets.
func (s *source) span(from, to int) diag.Range {
	return diag.Range{File: s.file, Start: s.pos(from), End: s.pos(max(from, to))}
}

// lineSpan is the range of a line's text, counted from 0, without indentation and comment.
func (s *source) lineSpan(n int) diag.Range {
	n = min(max(n, 0), len(s.starts)-1)
	line := s.line(n)
	from := len(line) - len(bytes.TrimLeft(line, " \t"))
	if i := bytes.Index(line, []byte(" #")); i > from {
		line = line[:i]
	}
	to := len(bytes.TrimRight(line, " \t"))
	return s.span(s.starts[n]+from, s.starts[n]+max(from, to))
}

// blank reports whether a line holds nothing or only a comment.
func (s *source) blank(n int) bool {
	line := bytes.TrimLeft(s.line(n), " \t")
	return len(line) == 0 || line[0] == '#'
}

// at returns the byte at an offset, 0 past the end.
func (s *source) at(offset int) byte {
	if offset < 0 || offset >= len(s.text) {
		return 0
	}
	return s.text[offset]
}

// skip returns the first offset from from on whose byte is not in set; comments count as part of the set.
func (s *source) skip(from int, set string) int {
	for from < len(s.text) {
		c := s.text[from]
		switch {
		case bytes.IndexByte([]byte(set), c) >= 0:
			from++
		case c == '#':
			if end := bytes.IndexByte(s.text[from:], '\n'); end >= 0 {
				from += end
			} else {
				from = len(s.text)
			}
		default:
			return from
		}
	}
	return from
}

// checkText reports what no manifest may contain, whatever its format: bytes that are no text. The libraries behind
// would report them late, without a place or not at all.
func (s *source) checkText() (d diag.List) {
	if bytes.HasPrefix(s.text, []byte("\xfe\xff")) || bytes.HasPrefix(s.text, []byte("\xff\xfe")) {
		d.Errorf(CodeNotText, diag.Range{File: s.file}, "this file is UTF-16; a runfile is UTF-8").
			WithHelp("save the file as UTF-8 without a byte order mark")
		return d
	}
	for i := 0; i < len(s.text); {
		r, size := rune(s.text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(s.text[i:])
		}
		at := s.span
		switch {
		case r == 0:
			d.Errorf(CodeNotText, at(i, i+1), "this file is binary: it contains a zero byte")
			return d
		case r == utf8.RuneError && size == 1:
			d.Errorf(CodeNotText, at(i, i+1), "this is not valid UTF-8").WithHelp("save the file as UTF-8")
			return d
		case r == '\r' && s.at(i+1) != '\n':
			d.Errorf(CodeNotText, at(i, i+1), "a carriage return stands here without a line feed").
				WithHelp("save the file with LF or CRLF line ends")
			return d
		case r == 0xa0 && s.separates(i):
			d.Errorf(CodeNotText, at(i, i+size), noBreakSummary).WithHelp("type an ordinary space")
			return d
		case forbidden(r):
			d.Errorf(CodeNotText, at(i, i+size), "the invisible character %U may not stand in a runfile", r).
				WithHelp("remove it, or write it as an escape in a double-quoted text")
			return d
		}
		i += size
	}
	return d
}

const noBreakSummary = "this blank is a no-break space, which separates nothing"

// separates reports whether a blank at an offset indents a line or follows a key's colon or an item's dash.
func (s *source) separates(offset int) bool {
	before := s.text[s.starts[s.lineOf(offset)]:offset]
	return len(bytes.Trim(before, " -")) == 0 || before[len(before)-1] == ':'
}

// forbidden reports control characters, the separators that one format takes for line ends and the other does not, and
// what nobody sees although it makes a word another one or turns the text around.
func forbidden(r rune) bool {
	switch r {
	case '\t', '\n', '\r':
		return false
	case 0x200b, 0x2028, 0x2029, 0x2060, 0xfeff, 0xfffe, 0xffff:
		return true
	}
	return r < 0x20 || r >= 0x7f && r <= 0x9f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}
