package manifest

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/runfile/runfile/manifest/diag"
)

// yamlProblem translates one complaint of the library. Its words are about the inside of a parser; ours about the file.
type yamlProblem struct {
	library string // part of the library's text
	summary string
	help    string
	place   yamlPlace
	guesses []guesser // tried before the summary is given; may be nil
}

// yamlPlace says where a complaint belongs. The library gives at most a line, which for the parser's complaints is that
// of the enclosing section.
type yamlPlace uint8

const (
	atRead   yamlPlace = iota // the last line that had been read when the parser gave up
	atLine                    // the library's line
	atColon                   // the second `: ` of the library's line
	atQuote                   // the quote that opens on the library's line
	atEscape                  // the last backslash that had been read
	atTab                     // the tab on the last line that had been read
)

const quoteHelp = "quote the value: 'like this'"

const (
	tabSummary = "a tab may not indent here"
	tabHelp    = "indent with spaces"
)

var yamlProblems = []yamlProblem{
	{"mapping values are not allowed", "a second `: ` in one line", quoteHelp, atColon, []guesser{wrongSeparator, deeperThanAbove, secondColon}},
	{"did not find expected key", "this does not fit the section around it", "check the indentation, and quote a value that starts with [ { * & ! % @ or a quote", atRead, []guesser{dashesMissing, itemNotAligned, notAligned}},
	{"did not find expected '-' indicator", "this does not fit the list around it", "start each item with `- `, all at the same column", atRead, []guesser{notAligned}},
	{"did not find expected ',' or ']'", "a list in brackets is not closed here", "end it with `]`, and put commas between the items", atRead, []guesser{variableInBrackets, commaMissing, openBracket}},
	{"did not find expected ',' or '}'", "a map in braces is not closed here", "end it with `}`, and put commas between the entries", atRead, []guesser{variableInBrackets, commaMissing, openBracket}},
	{"did not find expected node content", "a value is missing here", quoteHelp, atRead, nil},
	{"did not find expected <document start>", "this does not belong to the section above", "check the indentation", atRead, []guesser{notAligned}},
	{"found character that cannot start any token", "a value may not start with this character", quoteHelp, atRead, []guesser{tabOnEmptyLine}},
	{"could not find expected ':'", "a key without `:`", "write `name: value`", atLine, []guesser{missingDash, wrongSeparator}},
	{"found unexpected end of stream", "this quote is never closed", "end the text with the same quote", atQuote, nil},
	{"found unexpected document indicator", "this quote is not closed before the document ends", "end the text with the same quote", atQuote, nil},
	{"found unknown escape character", "this escape is not known in double quotes", `use single quotes, in which a backslash is just a backslash: 'c:\dir'`, atEscape, nil},
	{"did not find expected hexdecimal number", "this escape needs hexadecimal digits", `use single quotes, in which a backslash is just a backslash: 'c:\dir'`, atEscape, nil},
	{"found invalid Unicode character escape code", "this escape is no character", "write the character itself", atEscape, nil},
	{"found a tab character", tabSummary, tabHelp, atTab, nil},
	{"block sequence entries are not allowed", "a list item may not start here", "start the list on a line of its own, or quote the value", atLine, nil},
	{"mapping keys are not allowed", "`?` may not start a value here", quoteHelp, atLine, nil},
	{"indentation indicator equal to 0", "the indentation of a block of text cannot be 0", "write `|` or `>` alone", atRead, nil},
	{"did not find expected comment or line break", "nothing may follow here on the same line", "start the text on the next line", atRead, nil},
	{"did not find expected alphabetic or numeric character", "a value may not start with * or &", quoteHelp, atRead, nil},
	{"exceeded max depth", tooDeep, "", atRead, nil},
	{"while scanning a directive", "a line may not start with %", quoteHelp, atRead, nil},
	{"directive", "a line may not start with %", quoteHelp, atRead, nil},
	{"found undefined tag handle", "this tag means nothing in a runfile", "remove it, or quote the value", atRead, nil},
	{"tag", "this tag means nothing in a runfile", "remove it, or quote the value", atRead, nil},
}

var (
	yamlLine      = regexp.MustCompile(`^yaml: line (\d+): `)
	unknownAnchor = regexp.MustCompile(`unknown anchor '(.*)' referenced`)
)

// yamlSyntax turns an error of the library into diagnostics: one for it, and those for the mistakes behind it as long as
// the lines before are understood.
func yamlSyntax(s *source, err error) (d diag.List) {
	for range maxMends {
		found, value := yamlMistake(s, err)
		d = append(d, found...)
		if value == (diag.Range{}) || len(s.text) > maxMended {
			break
		}
		s = s.without(s.offset(value.Start), s.offset(value.End), 'x')
		r := &yamlReader{src: s}
		if _, err = r.document(); err == nil {
			break
		}
	}
	return d
}

// A text with mistakes of form is read again without them to find those behind, but neither too often nor if it is long.
const (
	maxMends  = 20
	maxMended = 64 << 10 // bytes
)

// yamlMistake turns an error of the library into one diagnostic, and returns the place of the value if that is all it is
// about.
func yamlMistake(s *source, err error) (d diag.List, value diag.Range) {
	text := err.Error()
	line := 0
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		line--
	}
	read := readUntilError(s.text)
	if m := unknownAnchor.FindStringSubmatch(text); m != nil {
		at := max(bytes.LastIndex(s.text[:read], []byte("*"+m[1])), 0)
		d.Errorf(CodeUnknownAnchor, s.span(at, at+1+len(m[1])), "there is no anchor &%s before this", m[1]).
			WithHelp("quote the value if it should start with *, or put &%s at the value that is meant", m[1])
		return d, s.span(at, at+1+len(m[1]))
	}
	p := yamlProblem{summary: "this cannot be read as YAML"}
	for _, known := range yamlProblems {
		if strings.Contains(text, known.library) {
			p = known
			break
		}
	}
	code := CodeSyntax
	if p.summary == tooDeep {
		code = CodeLimit
	}
	at := placeOf(s, p.place, line, read)
	if s.at(s.offset(at.Start)) == '\t' {
		p.summary, p.help = tabSummary, tabHelp
	} else if g := s.guess(slices.Concat(yamlGuesses, p.guesses), line, lastRead(s, read)); code == CodeSyntax && g != nil {
		at, p.summary, p.help, value = g.at, g.summary, g.help, g.value
	}
	out := d.Errorf(code, at, "%s", p.summary)
	if p.help != "" {
		out.WithHelp("%s", p.help)
	}
	return d, value
}

// lastRead is the last line with content, from 0, of what had been read.
func lastRead(s *source, read int) int {
	last := s.lineOf(max(read-1, 0))
	for last > 0 && s.blank(last) {
		last--
	}
	return last
}

// placeOf finds the range of a complaint. line is the library's, from 0; read is how far it had read.
func placeOf(s *source, p yamlPlace, line, read int) diag.Range {
	line = min(max(line, 0), len(s.starts)-1)
	last := lastRead(s, read)
	start := s.starts[line]
	text := s.line(line)
	switch p {
	case atLine:
		return s.lineSpan(line)
	case atColon:
		if i := bytes.Index(text, []byte(" #")); i >= 0 {
			text = text[:i]
		}
		text = append(bytes.Clone(bytes.TrimRight(text, " \t")), ' ') // the source itself must stay as it is
		if i := bytes.LastIndex(text, []byte(": ")); i > 0 {
			return s.span(start+i, start+i+1)
		}
		return s.lineSpan(line)
	case atQuote:
		for l := line; l >= 0; l-- { // a quote that stays open to the end of the file stands on an earlier line
			if i := openQuote(s.line(l)); i >= 0 {
				return s.span(s.starts[l]+i, s.starts[l]+len(s.line(l)))
			}
		}
		return s.lineSpan(line)
	case atEscape:
		if i := bytes.LastIndexByte(s.text[:read], '\\'); i >= 0 {
			return s.span(i, i+2)
		}
	case atTab:
		if i := bytes.LastIndexByte(s.text[:read], '\t'); i >= 0 {
			return s.span(i, i+1)
		}
	default: // atRead
	}
	if i := tabIndent(s.line(last)); i >= 0 {
		return s.span(s.starts[last]+i, s.starts[last]+i+1)
	}
	return s.lineSpan(last)
}

// tabIndent is the place of the first tab in the white space before a line's text, -1 if there is none.
func tabIndent(line []byte) int {
	i := bytes.IndexByte(line, '\t')
	if i >= 0 && len(bytes.TrimLeft(line[:i], " ")) > 0 {
		return -1
	}
	return i
}

// openQuote finds the quote that opens a value on a line and is not closed on it.
func openQuote(line []byte) int {
	for i := 0; i < len(line); i++ {
		c := line[i]
		if c != '"' && c != '\'' || i > 0 && bytes.IndexByte([]byte(" \t[{,:-"), line[i-1]) < 0 {
			continue
		}
		end := i + 1
		for end < len(line) && line[end] != c {
			if c == '"' && line[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(line) {
			return i
		}
		i = end
	}
	return -1
}

// readUntilError parses again, byte by byte, and returns how many bytes the parser had asked for when it gave up. It
// reads a token and a few bytes ahead, so this finds the line that the library does not tell.
func readUntilError(text []byte) (n int) {
	r := &countingReader{text: withoutVersion(text)}
	defer func() {
		if recover() != nil {
			n = r.n
		}
	}()
	dec := yaml.NewDecoder(r)
	for {
		var node yaml.Node
		if err := dec.Decode(&node); err != nil {
			return r.n
		}
	}
}

// countingReader gives out one byte at a time.
type countingReader struct {
	text []byte
	n    int
}

func (r *countingReader) Read(p []byte) (int, error) {
	if r.n >= len(r.text) {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	p[0] = r.text[r.n]
	r.n++
	return 1, nil
}
