package manifest

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestLineEnds(t *testing.T) {
	yaml, d := ParseYAML("f", []byte("a: |\r\n  x\r\n  y\r\nb: z\r\n"))
	if len(d) > 0 {
		t.Fatal(texts(d))
	}
	toml, d := ParseTOML("f", []byte("a = \"\"\"\r\nx\r\ny\r\n\"\"\"\r\nb = 'z'\r\n"))
	if len(d) > 0 {
		t.Fatal(texts(d))
	}
	if want := `{"a":10"x\ny\n","b":10"z"}`; shape(yaml) != want || shape(toml) != want {
		t.Errorf("YAML %s, TOML %s, want %s", shape(yaml), shape(toml), want)
	}
	if got := yaml.Get("b").Range; got.Start.Line != 4 || got.End.Column != 5 {
		t.Errorf("b stands at %v-%v", got.Start, got.End)
	}
}

// TestSourcePositions goes through every code point of lines that are longer than the index's step.
func TestSourcePositions(t *testing.T) {
	s := newSource("f", []byte(strings.Repeat("aä日😀", 50)+"\r\n"+strings.Repeat("x", 200)+"\n\né"))
	line, column := 1, 1
	for i, r := range string(s.text) {
		p := s.pos(i)
		if p.Line != line || p.Column != column {
			t.Fatalf("offset %d is %v, want %d:%d", i, p, line, column)
		}
		if got := s.offset(p); got != i {
			t.Fatalf("%v is offset %d, want %d", p, got, i)
		}
		if column++; r == '\n' {
			line, column = line+1, 1
		}
	}
}

func TestDotenv(t *testing.T) {
	s := newSource("f", []byte("# c\n\n A = b c # d\nexport B='x # $y \\n'\nC=\"a\\nb \\\"q\\\" \\$z\\w\" # c\r\nD=\nE=\"1\n2\"\nA=last#1\nF=${A}\n"))
	values, d := readDotenv(s)
	if len(d) > 0 {
		t.Fatal(texts(d))
	}
	want := map[string]string{
		"A": "last#1", "B": `x # $y \n`, "C": "a\nb \"q\" $z\\w", "D": "", "E": "1\n2", "F": "${A}",
	}
	got := map[string]string{}
	for k, v := range values {
		got[k] = v.text
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	_, d = readDotenv(newSource("f", []byte("A='x' y\n1=2\n = 3\nB=\"\n")))
	var lines []int
	for _, x := range d {
		if x.Code != CodeBadVarsFile {
			t.Errorf("code %s", x.Code)
		}
		lines = append(lines, x.Subject.Start.Line)
	}
	if !slices.Equal(lines, []int{1, 2, 3, 4}) {
		t.Errorf("errors in lines %v", lines)
	}
}
