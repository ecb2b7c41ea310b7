package diag

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/*.golden")

// golden compares output with testdata/NAME.golden.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func at(file string, line, from, to int) Range {
	return Range{File: file, Start: Pos{line, from}, End: Pos{line, to}}
}

func sample() (List, Sources) {
	src := Sources{
		"ci/api.yaml": []byte("containers:\n  api:\n    image: api\n    memroy: 512m\n" + strings.Repeat("#\n", 7) +
			"    link: [db]\n  db:\n    volumes-from: [web]\n"),
		"odd.toml": []byte("\tkey = \t\"日本\" # tab\r\ncombining = 'e\u0301x'\nevil = \"\x1b[31m\u202e\"\nx = 1\n\"\"\"\nmore\n\"\"\""),
		"one.json": []byte("{" + strings.Repeat("\"aä\": 1, ", 60) + "\"here\": 2" + strings.Repeat(", \"b\": 1", 60) + "}"),
	}
	var l List
	l.Errorf("dependency-cycle", at("ci/api.yaml", 12, 12, 14), "these containers wait for each other").
		WithLabel("%q starts after %q", "api", "db").
		Also(at("ci/api.yaml", 14, 20, 23), "%q starts after %q", "db", "web").
		WithHelp("drop one of the two").WithHelp("or run this:\nrunfile up --one")
	l.Errorf("unknown-option", at("ci/api.yaml", 4, 5, 11), "container %q has no option %q", "api", "memroy").
		WithHelp("did you mean %q?", "memory")
	l.Warnf("wide", at("odd.toml", 1, 8, 12), "wide characters")
	l.Warnf("combined", at("odd.toml", 2, 17, 18), "combining characters").WithLabel("the x")
	l.Errorf("escape", at("odd.toml", 3, 9, 14), "controls \x1b[2J\u202e and\nlines")
	l.Errorf("empty-range", at("odd.toml", 4, 3, 3), "an empty range")
	l.Errorf("long-range", Range{File: "odd.toml", Start: Pos{5, 1}, End: Pos{7, 4}}, "several lines")
	l.Errorf("past-end", at("odd.toml", 99, 1, 2), "a line that is not there").WithLabel("label")
	l.Errorf("long-line", at("one.json", 1, 542, 548), "a long line")
	l.Errorf("no-line", Range{File: "none.yaml"}, "a file as a whole").Also(Range{}, "a note")
	l.Errorf("no-place", Range{}, "nowhere in particular").WithHelp("100%% of it")
	return l, src
}

func TestWriteText(t *testing.T) {
	l, src := sample()
	var plain, color bytes.Buffer
	if err := WriteText(&plain, l, src, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "text", plain.String())
	for _, r := range plain.String() {
		if r < 0x20 && r != '\n' && r != '\t' || r == 0x202e {
			t.Errorf("%U reached the terminal", r)
		}
	}
	if err := WriteText(&color, l, src, TextOptions{Color: true}); err != nil {
		t.Fatal(err)
	}
	golden(t, "color", color.String())
	if got := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(color.String(), ""); got != plain.String() {
		t.Errorf("colour changes the text:\n%s", got)
	}
}

func TestWriteTextTarget(t *testing.T) {
	l, src := sample()
	var out bytes.Buffer
	if err := WriteText(&out, l[:2], src, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	want := `error[unknown-option]: container "api" has no option "memroy"
  --> ci/api.yaml:4:5
   |
 4 |     memroy: 512m
   |     ^^^^^^
   = help: did you mean "memory"?

error[dependency-cycle]: these containers wait for each other
  --> ci/api.yaml:12:12
   |
12 |     link: [db]
   |            ^^ "api" starts after "db"
  --> ci/api.yaml:14:20
   |
14 |     volumes-from: [web]
   |                    ^^^ "db" starts after "web"
   = help: drop one of the two
   = help: or run this:
           runfile up --one

2 errors in ci/api.yaml; nothing was started
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
}

func TestWriteTextLimit(t *testing.T) {
	var l List
	for i := range 30 {
		l.Warnf("w", at("a", i+1, 1, 2), "warning %d", i)
		if i >= 8 {
			l.Errorf("e", at("b", i, 1, 2), "error %d", i)
		}
	}
	tests := []struct {
		limit, errors, warnings int
		last                    string
	}{
		{0, 20, 0, "... and 32 more\n\n22 errors and 30 warnings in 2 files; nothing was started\n"},
		{25, 22, 3, "... and 27 more\n\n22 errors and 30 warnings in 2 files; nothing was started\n"},
		{-1, 22, 30, "22 errors and 30 warnings in 2 files; nothing was started\n"},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		if err := WriteText(&out, l, nil, TextOptions{Max: tt.limit}); err != nil {
			t.Fatal(err)
		}
		if e, w := strings.Count(out.String(), "error[e]"), strings.Count(out.String(), "warning[w]"); e != tt.errors || w != tt.warnings {
			t.Errorf("limit %d: %d errors, %d warnings", tt.limit, e, w)
		}
		if !strings.HasSuffix(out.String(), tt.last) {
			t.Errorf("limit %d ends with %q", tt.limit, out.String()[max(0, out.Len()-100):])
		}
	}
	var out bytes.Buffer
	if err := WriteText(&out, l[:1], nil, TextOptions{}); err != nil || !strings.HasSuffix(out.String(), "\n1 warning in a\n") {
		t.Errorf("%v %q", err, out.String())
	}
	out.Reset()
	if err := WriteText(&out, nil, nil, TextOptions{}); err != nil || out.Len() > 0 {
		t.Errorf("an empty list printed %q", out.String())
	}
}

func TestMachineWriters(t *testing.T) {
	l, _ := sample()
	var js, gh bytes.Buffer
	if err := WriteJSON(&js, l); err != nil {
		t.Fatal(err)
	}
	golden(t, "json", js.String())
	l.Errorf("odd-file", at("a,b:c.yaml", 1, 2, 3), "50%% off")
	if err := WriteGitHub(&gh, l); err != nil {
		t.Fatal(err)
	}
	golden(t, "github", gh.String())
}

func TestWritersReportErrors(t *testing.T) {
	l, src := sample()
	for name, write := range map[string]func() error{
		"text":   func() error { return WriteText(full{}, l, src, TextOptions{}) },
		"json":   func() error { return WriteJSON(full{}, l) },
		"github": func() error { return WriteGitHub(full{}, l) },
	} {
		if write() == nil {
			t.Errorf("%s hides a write error", name)
		}
	}
}

// full is a writer without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestNearest(t *testing.T) {
	names := []string{"env", "memory", "memory-swap", "cpu-shares", "cap-add", "cap-drop", "ip", "tty", "health-cmd"}
	tests := []struct{ word, want string }{
		{"memroy", "memory"},         // a transposition is one change
		{"memry", "memory"},          // one letter missing
		{"emv", "env"},               // one change in a short word
		{"emx", ""},                  // two are too many
		{"cpu_shares", "cpu-shares"}, // other separator
		{"cap-ad", "cap-add"},        // nearest wins over an equally allowed one
		{"MEMORY", "memory"},         // case never counts
		{"health-comand", "health-cmd"},
		{"helthcommand", ""},
		{"x", ""}, // never all letters
		{"iq", "ip"},
		{"", ""},
		{strings.Repeat("memory", 10000), ""},
	}
	for _, tt := range tests {
		got, ok := Nearest(tt.word, names)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("Nearest(%.20q) = %q, %v, want %q", tt.word, got, ok, tt.want)
		}
	}
	if got, _ := Nearest("cap-xxd", []string{"cap-axd", "cap-xad"}); got != "cap-axd" {
		t.Errorf("a tie goes to %q, want the first", got)
	}
}

func TestRegister(t *testing.T) {
	t.Cleanup(func() { delete(registry.infos, "test-code") })
	Register(Info{Code: "test-code", Meaning: "m", Cure: "c", Example: "e"})
	if i, ok := Lookup("test-code"); !ok || i.Example != "e" {
		t.Errorf("Lookup = %v, %v", i, ok)
	}
	if _, ok := Lookup("no-such-code"); ok {
		t.Error("found a code that is not registered")
	}
	if l := Codes(); len(l) != 1 || l[0].Code != "test-code" {
		t.Errorf("Codes = %v", l)
	}
	for name, bad := range map[string]Info{
		"twice":            {Code: "test-code", Meaning: "m", Cure: "c", Example: "e"},
		"no kebab-case":    {Code: "Test", Meaning: "m", Cure: "c", Example: "e"},
		"no cure":          {Code: "a", Meaning: "m", Example: "e"},
		"no example":       {Code: "b", Meaning: "m", Cure: "c"},
		"reason + example": {Code: "c", Meaning: "m", Cure: "c", Example: "e", NoExample: "n"},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: accepted", name)
				}
			}()
			Register(bad)
		}()
	}
}

func FuzzWriteText(f *testing.F) {
	f.Add([]byte("a: \x1b[1m\n\tb"), 2, 1, 3, "sum\x1bmary")
	f.Fuzz(func(t *testing.T, src []byte, line, from, to int, text string) {
		var l List
		l.Errorf("x", Range{File: "f", Start: Pos{line, from}, End: Pos{line, to}}, "%s", text)
		var out bytes.Buffer
		if err := WriteText(&out, l, Sources{"f": src}, TextOptions{}); err != nil {
			t.Fatal(err)
		}
		if i := bytes.IndexFunc(out.Bytes(), func(r rune) bool { return r < 0x20 && r != '\n' && r != '\t' }); i >= 0 {
			t.Errorf("control character %q in %q", out.Bytes()[i], out.String())
		}
	})
}

// TestWriteTextNarrow: in a terminal no line of a source is broken, and what it is about can be seen.
func TestWriteTextNarrow(t *testing.T) {
	l, src := sample()
	line := "\t" + strings.Repeat("日", 200) + " here " + strings.Repeat("\tx", 200)
	src["wide"] = []byte(line)
	l.Errorf("wide-line", at("wide", 1, 203, 207), "a long line of wide letters")
	for _, width := range []int{1, 40, 80, 1000} {
		var out bytes.Buffer
		if err := WriteText(&out, l, src, TextOptions{Width: width}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(out.String(), "\n")
		for i, text := range lines {
			if !strings.HasPrefix(text, " 1 | ") {
				continue
			}
			cells := 0
			for _, r := range text {
				_, n := cell(r)
				if cells += n; r == '\t' {
					cells += tabCells - 1
				}
			}
			if most := max(width, 25); cells > most {
				t.Errorf("width %d: %d cells in %q", width, cells, text)
			}
			if strings.Contains(text, "x\tx") && !strings.Contains(text, "here") || !strings.Contains(lines[i+1], "^") {
				t.Errorf("width %d: %q\n%q", width, text, lines[i+1])
			}
		}
	}
}
