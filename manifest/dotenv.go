package manifest

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/runfile/runfile/manifest/diag"
)

// dotValue is one value of a dotenv file and where it stands.
type dotValue struct {
	text string
	at   diag.Range
}

var dotenvName = regexp.MustCompile(`^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*`)

// readDotenv parses NAME=value lines. Unquoted values end before ` #` and lose white space at both ends; single quotes
// keep everything literally; double quotes know \n \r \t \" \\ \$; quoted values may span lines. Nothing is
// interpolated, so that a password may hold a dollar sign. Later lines win.
func readDotenv(s *source) (map[string]dotValue, diag.List) {
	values := map[string]dotValue{}
	d := s.checkText()
	if d.HasErrors() {
		return values, d
	}
	for at := 0; at < len(s.text); {
		n := s.lineOf(at)
		line := s.line(n)
		next := len(s.text)
		if n+1 < len(s.starts) {
			next = s.starts[n+1]
		}
		indent := len(line) - len(bytes.TrimLeft(line, " \t"))
		body := line[indent:]
		if len(body) == 0 || body[0] == '#' {
			at = next
			continue
		}
		m := dotenvName.FindSubmatch(body)
		if m == nil {
			d.Errorf(CodeBadVarsFile, s.lineSpan(n), "this line is not NAME=value").
				WithHelp("start a comment with #")
			at = next
			continue
		}
		from := s.starts[n] + indent + len(m[0])
		text, end, ok := dotenvValue(s, from)
		if !ok {
			d.Errorf(CodeBadVarsFile, s.span(from, end), "this quote is not closed, or something follows it").
				WithHelp("end the value with the same quote")
		}
		values[string(m[1])] = dotValue{text: text, at: s.span(from, end)}
		at = len(s.text)
		if k := s.lineOf(end); k+1 < len(s.starts) {
			at = s.starts[k+1]
		}
	}
	return values, d
}

// dotenvValue reads the value at an offset and returns the offset behind it.
func dotenvValue(s *source, from int) (text string, end int, ok bool) {
	quote := s.at(from)
	if quote != '"' && quote != '\'' {
		line := s.text[from : s.starts[s.lineOf(from)]+len(s.line(s.lineOf(from)))]
		if i := bytes.Index(line, []byte(" #")); i >= 0 {
			line = line[:i]
		}
		line = bytes.TrimRight(line, " \t")
		return string(line), from + len(line), true
	}
	var b strings.Builder
	for i := from + 1; i < len(s.text); i++ {
		c := s.text[i]
		switch {
		case c == quote:
			lineEnd := s.starts[s.lineOf(i)] + len(s.line(s.lineOf(i)))
			rest := bytes.TrimLeft(s.text[i+1:lineEnd], " \t")
			return b.String(), i + 1, len(rest) == 0 || rest[0] == '#'
		case c == '\\' && quote == '"':
			i++
			b.WriteString(dotenvEscape(s.at(i)))
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), from + 1, false
}

func dotenvEscape(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 'r':
		return "\r"
	case 't':
		return "\t"
	case '"', '\\', '$':
		return string(c)
	default:
		return "\\" + string(c)
	}
}
