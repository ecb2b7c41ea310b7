package diagtest

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/runfile/runfile/manifest/diag"
)

// inside are words of the program and its libraries, which say nothing to somebody who writes a runfile.
var inside = regexp.MustCompile(`\b(u?int(8|16|32|64)?|float(32|64)|uintptr|interface|nil)\b|\[\]string|map\[|\*?schema\.|0xc0|` +
	`%!|<nil>|github\.com|gopkg|/runfile/|strconv|pflag|(?:^|[ "(])(?:json|yaml|toml): |libyaml|unmarshal|validator|Key: '|` +
	`ParseInt|ParseAddr|netip|regexp:|error parsing|template:|syscall|goroutine|panic|invalid reference format|` +
	`\b[a-z]+\.[A-Z][A-Za-z]+\(|EOF\b`)

// Words demands that diagnostics speak to people; see Problems.
func Words(t testing.TB, l diag.List, sources diag.Sources) {
	t.Helper()
	for _, p := range Problems(l, sources) {
		t.Error(p)
	}
}

// Problems lists words of the program or its libraries that the sources do not hold themselves, places outside of the
// sources, and summaries that are no line.
func Problems(l diag.List, sources diag.Sources) []string {
	var out []string
	var written strings.Builder
	for _, text := range sources {
		written.Write(text)
	}
	for _, d := range l {
		if d.Summary == "" || strings.Contains(d.Summary, "\n") {
			out = append(out, fmt.Sprintf("%s: the summary is no line: %q", d.Subject, d.Summary))
		}
		texts := append([]string{d.Summary, d.Label}, d.Help...)
		places := []diag.Range{d.Subject}
		for _, r := range d.Related {
			texts = append(texts, r.Text)
			places = append(places, r.Range)
		}
		for _, text := range texts {
			for _, word := range inside.FindAllString(text, -1) {
				if !strings.Contains(written.String(), strings.TrimRight(word, ": ")) { // the colon may be an advice of ours
					out = append(out, fmt.Sprintf("%s[%s]: %q is no word for people: %s", d.Subject, d.Code, word, text))
				}
			}
		}
		for _, r := range places {
			if why := misplaced(r, sources); why != "" {
				out = append(out, fmt.Sprintf("[%s] %s: %s: %+v", d.Code, d.Summary, why, r))
			}
		}
	}
	return out
}

// misplaced says why a range cannot be shown, "" if it can. A range without a line is about a file as a whole.
func misplaced(r diag.Range, sources diag.Sources) string {
	if r.Start.Line == 0 {
		if r.Start.Column != 0 || r.End != (diag.Pos{}) {
			return "half a place"
		}
		return ""
	}
	if r.File == "" || r.Start.Column < 1 || r.End.Line < r.Start.Line || r.End.Line == r.Start.Line && r.End.Column < r.Start.Column {
		return "a bad place"
	}
	src, known := sources[r.File]
	if !known {
		return ""
	}
	lines := strings.Split(string(src), "\n")
	if r.End.Line > len(lines) || r.Start.Column > utf8.RuneCountInString(lines[r.Start.Line-1])+1 ||
		r.End.Column > utf8.RuneCountInString(lines[r.End.Line-1])+1 {
		return "behind the end of its file or line"
	}
	return ""
}
