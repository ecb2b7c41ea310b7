package manifest

import (
	"bytes"
	"errors"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/runfile/runfile/manifest/diag"
)

// tomlProblem translates a complaint of one of the two libraries; see yamlProblem.
type tomlProblem struct {
	library, summary, help string
}

const tomlQuoteHelp = `put text in quotes: "like this"`

var tomlProblems = []tomlProblem{
	{"expected '=' after key", "a key without `=`", "write `name = value`, or `[name]` for a section"},
	{"invalid character at start of key", "a key may not start with this character", `keys with characters other than letters, digits, - and _ need quotes: "a.b" = 1`},
	{"reached end of input", "a key is missing here", "write `name = value`"},
	{"expected value", "a value is missing here", tomlQuoteHelp},
	{"at start of value", "a value may not start with this character", tomlQuoteHelp},
	{"expected keyword", "this is neither a number nor true or false", tomlQuoteHelp},
	{"expected newline", "something follows the value here", "end the line after a value; " + tomlQuoteHelp},
	{"to close table name", "the header of a section is not closed here", `write [name] or [a.b]; names with other characters need quotes: [containers."a b"]`},
	{"to close array table name", "the header of a section is not closed here", "write [[name]]"},
	{"array is incomplete", "a list in brackets is not closed here", "end it with `]`, and put commas between the items"},
	{"after array value", "a comma is missing in this list", "put commas between the items, and text in quotes"},
	{"inline table is incomplete", "a map in braces is not closed here", "end it with `}`, and put commas between the entries"},
	{"after inline table key-value", "a comma is missing in this map", "put commas between the entries"},
	{"unexpected comma", "one comma too many", "remove it"},
	{"cannot have new lines", "this quote is not closed on its line", `end the text with the same quote, or use """ for text of several lines`},
	{"unterminated", "this quote is never closed", "end the text with the same quote"},
	{"not terminated", "this quote is never closed", "end the text with the same quote"},
	{"too many quotes", "too many quotes end this text", "three quotes end it"},
	{"invalid escape", "this escape is not known in double quotes", `use single quotes, in which a backslash is just a backslash: 'c:\dir'`},
	{"need a character after", "this escape is not complete", `use single quotes, in which a backslash is just a backslash: 'c:\dir'`},
	{"unicode", "this escape is no character", "write the character itself"},
	{"UTF-8", "this escape is no character", "write the character itself"},
	{"digit", "this is not a number", tomlQuoteHelp},
	{"leading zeroes", "a number may not start with 0", `put it in quotes to keep it as it stands: "0755"`},
	{"out of range", "this number is too large", "put it in quotes to keep it as it stands"},
	{"underscores", "this is not a number", tomlQuoteHelp},
	{"nvalid integer", "this is not a number", tomlQuoteHelp},
	{"nvalid float", "this is not a number", tomlQuoteHelp},
	{"float", "this is not a number", tomlQuoteHelp},
	{"number", "this is not a number", tomlQuoteHelp},
	{"atetime", "this is not a date or time", tomlQuoteHelp},
	{"already", "this key stands here twice", "keep one of the two"},
}

// explainToml adds the diagnostic for a library's complaint.
func explainToml(d *diag.List, at diag.Range, library string) {
	p := tomlProblem{summary: "this cannot be read as TOML", help: tomlQuoteHelp}
	for _, known := range tomlProblems {
		if strings.Contains(library, known.library) {
			p = known
			break
		}
	}
	code := CodeSyntax
	if p.library == "already" {
		code = CodeDuplicateKey
	}
	d.Errorf(code, at, "%s", p.summary).WithHelp("%s", p.help)
}

// tomlSyntax turns an error of the positions library into diagnostics: one for it, and those for the mistakes behind it
// as long as each is understood and its line stands for itself.
func tomlSyntax(s *source, p *unstable.Parser, err error) (d diag.List) {
	for range maxMends {
		found, understood := tomlMistake(s, p, err)
		d = append(d, found...)
		line := found[0].Subject.Start.Line - 1
		if !understood || len(s.text) > maxMended || !s.complete(line) {
			break
		}
		s = s.without(s.starts[line], s.starts[line]+len(s.line(line)), ' ')
		p.Reset(s.text)
		for p.NextExpression() { // only the form counts
		}
		if err = p.Error(); err == nil {
			break
		}
	}
	return d
}

// complete reports whether nothing that begins on a line ends on another, nor the other way round.
func (s *source) complete(line int) bool {
	text := s.code(line)
	if len(text) > maxGuessLine || bytes.Contains(text, []byte(`"""`)) || bytes.Contains(text, []byte("'''")) || openQuote(text) >= 0 {
		return false
	}
	brackets := 0
	for i, c := range text {
		switch {
		case inQuotes(text, i):
		case c == '[' || c == '{':
			brackets++
		case c == ']' || c == '}':
			if brackets--; brackets < 0 {
				return false
			}
		}
	}
	return brackets == 0
}

// tomlMistake turns an error of the positions library into one diagnostic, and says whether it is known what was meant.
func tomlMistake(s *source, p *unstable.Parser, err error) (d diag.List, understood bool) {
	var e *unstable.ParserError
	if !errors.As(err, &e) {
		explainToml(&d, s.lineSpan(0), err.Error())
		return d, false
	}
	at := len(s.text)
	if len(e.Highlight) > 0 {
		at = int(p.Range(e.Highlight).Offset)
	}
	if s.lineOf(at) > 0 && at == len(s.text) {
		at-- // the end of the text: show the last line rather than the empty one behind it
	}
	line := s.lineOf(at)
	if g := s.guess(tomlGuesses, line, at-s.starts[line]); g != nil {
		d.Errorf(CodeSyntax, g.at, "%s", g.summary).WithHelp("%s", g.help)
		return d, !wholeFile(s, line)
	}
	explainToml(&d, tomlWord(s, at), e.Message)
	return d, false
}

// wholeFile reports whether what is wrong at a line is wrong with the file.
func wholeFile(s *source, line int) bool {
	return mergeConflict(s, line, 0) != nil || yamlText(s, line, 0) != nil
}

// tomlWord is the range of the word at an offset.
func tomlWord(s *source, at int) diag.Range {
	end := at
	for end < len(s.text) && bytes.IndexByte([]byte(" \t\r\n,]}#=\"'"), s.text[end]) < 0 {
		end++
	}
	if end == at && s.at(at) != '\n' && s.at(at) != '\r' {
		end++
	}
	return s.span(at, end)
}

// tomlInvalid turns an error of the checking library into a diagnostic.
func tomlInvalid(s *source, err error) (d diag.List) {
	var e toml.ParseError
	if !errors.As(err, &e) {
		explainToml(&d, diag.Range{File: s.file}, err.Error())
		return d
	}
	start := min(max(e.Position.Start, 0), len(s.text))
	explainToml(&d, s.span(start, start+max(e.Position.Len, 1)), e.Message)
	return d
}
