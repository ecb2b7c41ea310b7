// Package diagtest holds the tests that every package with diagnostics runs: the example of each registered code gives
// that code, and fixture files give exactly the diagnostics that their comments announce, in words for people.
package diagtest

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/runfile/runfile/manifest/diag"
)

// Examples writes the example of every registered code into a directory of its own and demands that load reports that
// code and no other for it. Codes that only a later stage than load can report are skipped by not being linked into the
// test, or are named in skip; those of a command are the command line's to test.
func Examples(t *testing.T, load func(path string) (diag.List, diag.Sources), skip ...diag.Code) {
	t.Helper()
	for _, info := range diag.Codes() {
		if info.Example == "" || info.Command != "" || slices.Contains(skip, info.Code) {
			continue
		}
		t.Run(string(info.Code), func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "runfile.yaml")
			files := map[string]string{"runfile.yaml": info.Example}
			maps.Copy(files, info.Files)
			for name, text := range files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, sources := load(path)
			Words(t, got, sources)
			other := func(d diag.Diagnostic) bool { return d.Code != info.Code }
			if len(got) == 0 || slices.ContainsFunc(got, other) {
				t.Errorf("example of %s gives %s\n%s", info.Code, codes(got), info.Example)
			}
		})
	}
}

func codes(l diag.List) string {
	if len(l) == 0 {
		return "no diagnostic"
	}
	var out []string
	for _, d := range l {
		out = append(out, fmt.Sprintf("%s (%s)", d.Code, d.Summary))
	}
	return strings.Join(out, ", ")
}

var columns = flag.Bool("columns", false, "write the columns of all diagnostics into the comments of the fixtures")

// expectation is one announced diagnostic.
type expectation struct {
	file     string
	line     int
	column   int // 0 = not announced
	comment  int // the line of the file that announces it
	severity string
	code     diag.Code
	text     string
}

func (e expectation) String() string {
	return fmt.Sprintf("%s:%d:%d: %s %s: %s", e.file, e.line, e.column, e.severity, e.code, e.text)
}

// matches reports whether d is what was announced; the text may stand in any part of the diagnostic. Windows prints
// paths with backslashes.
func (e expectation) matches(d diag.Diagnostic) bool {
	parts := append([]string{d.Summary, d.Label}, d.Help...)
	for _, r := range d.Related {
		parts = append(parts, r.Text)
	}
	return filepath.Base(d.Subject.File) == filepath.Base(e.file) && d.Subject.Start.Line == e.line &&
		(e.column == 0 || e.column == d.Subject.Start.Column) &&
		strings.EqualFold(d.Severity.String(), e.severity) && d.Code == e.code &&
		strings.Contains(filepath.ToSlash(strings.Join(parts, "\n")), filepath.ToSlash(e.text))
}

var (
	marker = regexp.MustCompile(`# (ERROR|WARNING)(@\d+|[+-]\d+)?(:\d+)? ([a-z0-9-]+): ?`)
	parts  = regexp.MustCompile(`(?m)^# FILES (.+)$`)
)

// Run loads every *.yaml, *.yml, *.toml and *.json file directly in dir and compares the diagnostics with the comments
// of the file. A comment
//
//	# ERROR:COLUMN code: part of the text
//
// announces one diagnostic whose subject starts on that line in that column; WARNING likewise. ERROR+1 and ERROR-2 mean a
// line further down or up, ERROR@7 that line, ERROR@0 a diagnostic without a line, which has no column. Several comments
// may share a line. A line "# FILES parts/a.yaml parts/b.toml" says that the comments of those files count, too. A file
// without comments must load without diagnostics. In JSON the comments stand at the end of strings. Missing and additional
// diagnostics fail the test, and so does a word that is not for people; see Words. The flag -columns fills the columns in.
func Run(t *testing.T, dir string, load func(path string) (diag.List, diag.Sources)) {
	t.Helper()
	for _, path := range Fixtures(t, dir) {
		t.Run(filepath.Base(path), func(t *testing.T) { check(t, path, load) })
	}
}

// Fixtures lists the files that Run takes, in alphabetical order.
func Fixtures(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if !e.IsDir() && slices.Contains([]string{".yaml", ".yml", ".toml", ".json"}, filepath.Ext(e.Name())) {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s holds no fixtures", dir)
	}
	return out
}

func check(t *testing.T, path string, load func(path string) (diag.List, diag.Sources)) {
	t.Helper()
	files := []string{path}
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range parts.FindAllSubmatch(src, -1) {
		for _, p := range strings.Fields(string(m[1])) {
			files = append(files, filepath.Join(filepath.Dir(path), p))
		}
	}
	var want []expectation
	for _, f := range files {
		want = append(want, announced(t, f)...)
	}
	all, sources := load(path)
	Words(t, all, sources)
	got := slices.Clone(all)
	for _, w := range want {
		i := slices.IndexFunc(got, w.matches)
		switch {
		case i < 0:
			t.Errorf("missing: %s", w)
			continue
		case w.column == 0 && w.line > 0 && *columns:
			setColumn(t, w, got[i].Subject.Start.Column)
		case w.column == 0 && w.line > 0:
			t.Errorf("%s announces no column, which is %d; -columns writes it", w, got[i].Subject.Start.Column)
		}
		got = slices.Delete(got, i, i+1)
	}
	for _, d := range got {
		t.Errorf("additional: %s: %s[%s]: %s %q", d.Subject, d.Severity, d.Code, d.Summary, d.Help)
	}
}

// setColumn writes the column into the first comment of a line that announces the diagnostic without one.
func setColumn(t *testing.T, e expectation, column int) {
	t.Helper()
	src, err := os.ReadFile(e.file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(src), "\n")
	line := lines[e.comment-1]
	for _, m := range marker.FindAllStringSubmatchIndex(line, -1) {
		if m[6] < 0 && line[m[8]:m[9]] == string(e.code) && strings.HasPrefix(line[m[1]:], e.text) {
			at := m[8] - 1
			lines[e.comment-1] = fmt.Sprintf("%s:%d%s", line[:at], column, line[at:])
			break
		}
	}
	if err := os.WriteFile(e.file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// announced reads the comments of one file.
func announced(t *testing.T, path string) []expectation {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []expectation
	for i, line := range strings.Split(string(src), "\n") {
		found := marker.FindAllStringSubmatchIndex(line, -1)
		for k, m := range found {
			end := len(line)
			if k+1 < len(found) {
				end = found[k+1][0]
			}
			e := expectation{
				file: path, line: i + 1, comment: i + 1, severity: line[m[2]:m[3]],
				code: diag.Code(line[m[8]:m[9]]), text: strings.TrimSpace(line[m[1]:end]),
			}
			if filepath.Ext(path) == ".json" {
				e.text = strings.TrimRight(e.text, `",]}`) // JSON has no comments; they stand in strings
			}
			if m[4] >= 0 {
				e.line = moved(e.line, line[m[4]:m[5]])
			}
			if m[6] >= 0 {
				e.column, _ = strconv.Atoi(line[m[6]+1 : m[7]])
			}
			out = append(out, e)
		}
	}
	return out
}

// moved applies "@7", "+1" or "-2" to a line number.
func moved(line int, by string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(by, "@"))
	if err != nil {
		return line
	}
	if by[0] == '@' {
		return n
	}
	return line + n
}
