package diag

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Longest stretch of a source line that is printed, and how much of it stands before the subject, in code points. Files
// of generated JSON are one line of a megabyte.
const (
	maxSnippet  = 200
	maxLeadText = 100
)

// snippet returns a printable form of a line, the white space that leads to the range's start and the carets under the
// range. A range that goes on in later lines is marked to the end of this one.
func snippet(line string, r Range) (code, pad, carets string) {
	runes := []rune(line)
	start := min(max(r.Start.Column-1, 0), len(runes))
	end := len([]rune(strings.TrimRight(line, " \t")))
	if r.End.Line == r.Start.Line {
		end = min(r.End.Column-1, len(runes))
	}

	from, to := 0, len(runes)
	if len(runes) > maxSnippet {
		from = max(0, start-maxLeadText)
		to = min(len(runes), from+maxSnippet)
	}
	var c, p, m strings.Builder
	if from > 0 {
		c.WriteString("…")
		p.WriteByte(' ')
	}
	for i := from; i < to; i++ {
		text, cells := cell(runes[i])
		c.WriteString(text)
		switch {
		case i < start && runes[i] == '\t':
			p.WriteByte('\t') // as wide as in the line above, whatever the terminal's tab stops are
		case i < start:
			p.WriteString(strings.Repeat(" ", cells))
		case i < end:
			m.WriteString(strings.Repeat("^", cells))
		}
	}
	if to < len(runes) {
		c.WriteString("…")
	}
	if m.Len() == 0 {
		m.WriteByte('^')
	}
	return c.String(), p.String(), m.String()
}

// cell returns what is printed for a code point of a source and how many terminal cells it takes. Control characters
// become their Unicode pictures, and what could reorder or hide text becomes a replacement character.
func cell(r rune) (string, int) {
	switch {
	case r == '\t':
		return "\t", 1
	case r < 0x20:
		return string(0x2400 + r), 1
	case r == 0x7f:
		return "\u2421", 1
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
		return "\ufffd", 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return string(r), 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return string(r), 2
	default:
		return string(r), 1
	}
}

// visible makes a message printable in the same way; lines says whether line breaks are kept.
func visible(s string, lines bool) string {
	clean := true
	for _, r := range s {
		if r < 0x20 || r >= 0x7f {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if r == '\n' && lines {
			b.WriteByte('\n')
			continue
		}
		text, _ := cell(r)
		if r == '\t' {
			text = " "
		}
		b.WriteString(text)
	}
	return b.String()
}
