package diagtest

import (
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

// Words demands that diagnostics speak to people: no word of the program or its libraries that the sources do not hold
// themselves, and no place outside of them.
func Words(t testing.TB, l diag.List, sources diag.Sources) {
	t.Helper()
	var written strings.Builder
	for _, text := range sources {
		written.Write(text)
	}
	for _, d := range l {
		if d.Summary == "" || strings.Contains(d.Summary, "\n") {
			t.Errorf("%s: the summary is no line: %q", d.Subject, d.Summary)
		}
		texts := append([]string{d.Summary, d.Label}, d.Help...)
		place(t, d, d.Subject, sources)
		for _, r := range d.Related {
			texts = append(texts, r.Text)
			place(t, d, r.Range, sources)
		}
		for _, text := range texts {
			for _, word := range inside.FindAllString(text, -1) {
				if !strings.Contains(written.String(), word) {
					t.Errorf("%s[%s]: %q is no word for people: %s", d.Subject, d.Code, word, text)
				}
			}
		}
	}
}

// place demands that a range lies inside its source, if that is known.
func place(t testing.TB, d diag.Diagnostic, r diag.Range, sources diag.Sources) {
	t.Helper()
	src, known := sources[r.File]
	if r.Start.Line == 0 {
		if r.Start.Column != 0 || r.End != (diag.Pos{}) {
			t.Errorf("[%s] %s: half a place: %+v", d.Code, d.Summary, r)
		}
		return
	}
	if r.File == "" || r.Start.Column < 1 || r.End.Line < r.Start.Line || r.End.Line == r.Start.Line && r.End.Column < r.Start.Column {
		t.Errorf("[%s] %s: bad place %+v", d.Code, d.Summary, r)
		return
	}
	if !known {
		return
	}
	lines := strings.Split(string(src), "\n")
	if r.End.Line > len(lines) || r.Start.Column > utf8.RuneCountInString(lines[r.Start.Line-1])+1 ||
		r.End.Column > utf8.RuneCountInString(lines[r.End.Line-1])+1 {
		t.Errorf("[%s] %s: the place %+v is behind the end of its file or line", d.Code, d.Summary, r)
	}
}
