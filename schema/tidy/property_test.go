package tidy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/tidy"
)

// writer makes a YAML or TOML text of random content in a random style, with comments wherever there may be one.
type writer struct {
	*rapid.T
	b        strings.Builder
	comments []string
	anchors  []string
	used     map[string]bool // names of anchors
}

func (w *writer) one(of int) bool         { return rapid.IntRange(1, of).Draw(w.T, "one") == 1 }
func (w *writer) n(from, to int) int      { return rapid.IntRange(from, to).Draw(w.T, "n") }
func (w *writer) pick(s ...string) string { return rapid.SampledFrom(s).Draw(w.T, "pick") }
func (w *writer) add(s string)            { w.b.WriteString(s) }

func (w *writer) comment() string {
	c := w.pick("# ", "#", "#!", "#   ") + fmt.Sprintf("c%d", len(w.comments)) + w.pick("", "", ": x", " - y", " [", " \"", " é", " # again")
	w.comments = append(w.comments, c)
	return c
}

// tail ends a line, perhaps with a comment.
func (w *writer) tail() {
	if w.one(4) {
		w.add(w.pick(" ", "  ", "\t") + w.comment())
	}
	w.add(w.pick("\n", "\n", "\n", " \n"))
}

// above puts blank lines and comments between lines.
func (w *writer) above(indent int) {
	for w.one(4) {
		if w.one(2) {
			w.add("\n")
			continue
		}
		w.add(strings.Repeat(" ", max(0, indent+w.n(-1, 1))) + w.comment() + "\n")
	}
}

var (
	plain = []string{
		"alpine", "postgres:17", "8080:80", "no", "1.10", "0755", "true", "~", "a b c", "-x", "http://h/p?q=1#f", "${VAR}", "x${A:-b}y",
		"a,b", "[x", ":0", "sh -c 'x'", "c:\\foo", "é", "./a:/b:ro", "<<", "null", "2026-01-01", "a{b}", "x]",
	}
	quoted = []string{
		`"a b"`, `'a b'`, `"8080:80"`, `"22:22"`, `"no"`, `"1.10"`, `""`, `''`, `"${X}"`, `'it''s'`, `"a\tb"`, `"x: y"`, `"#x"`, `'"'`, `"é"`,
		`"alpine"`, `"a:"`, `'\d'`, `"-a"`, `"?"`, `"~"`, `" a"`, `'a  b'`,
	}
	words = []string{"web", "db", "x-y", "a", "'q q'", `"k"`, "1", "no", "x.y/z"}
)

func (w *writer) key(taken map[string]bool) string {
	for {
		var k string
		if w.one(3) {
			k = w.pick(words...)
		} else {
			k = w.pick("containers", "networks", "volumes", "defaults", "templates", "policy", "vars", "image", "command", "env", "volume",
				"publish", "network", "memory", "restart", "label", "extends", "include", "timeout", "x-z", "depends-on", "subnet", "driver")
		}
		if plain := strings.Trim(k, `'"`); !taken[plain] {
			taken[plain] = true
			return k
		}
	}
}

func (w *writer) mapping(indent, depth int) {
	taken := map[string]bool{}
	for range w.n(1, 4) {
		w.above(indent)
		w.add(strings.Repeat(" ", indent))
		w.entry(indent, depth, taken)
	}
}

// entry writes a key and its value; the indentation is written.
func (w *writer) entry(indent, depth int, taken map[string]bool) {
	key := w.key(taken)
	if depth == 0 && w.one(30) {
		w.add("? " + key + "\n" + strings.Repeat(" ", indent) + ":")
	} else {
		w.add(key + w.pick("", "", " ") + ":")
	}
	w.value(indent, depth, true)
}

// value writes what stands behind a key or dash, up to the end of its last line.
func (w *writer) value(indent, depth int, inMap bool) {
	if w.one(12) {
		w.add(" " + w.anchor())
	}
	kind := w.n(0, 13)
	if depth > 3 && kind > 9 {
		kind = 0
	}
	switch {
	case kind == 0:
		w.tail() // nothing
	case kind <= 3:
		w.add(w.pick(" ", "  ") + w.pick(plain...))
		w.tail()
	case kind == 4:
		w.add(" " + w.pick(quoted...))
		w.tail()
	case kind == 5:
		w.lines(indent)
	case kind == 6:
		w.literal(indent)
	case kind == 7 && len(w.anchors) > 0:
		w.add(" *" + w.pick(w.anchors...) + " ")
		w.tail()
	case kind <= 9:
		w.add(" ")
		w.flow(indent+1, depth+1, w.one(2))
		w.tail()
	case kind <= 11:
		w.tail()
		w.mapping(indent+w.n(1, 4), depth+1)
	default:
		w.tail()
		from := 1
		if inMap {
			from = 0
		}
		w.list(indent+w.n(from, 4), depth+1)
	}
}

func (w *writer) anchor() string {
	name := fmt.Sprintf("a%d", len(w.used))
	w.used[name] = true
	if w.one(2) {
		w.anchors = append(w.anchors, name)
	}
	return "&" + name
}

func (w *writer) lines(indent int) {
	pad := strings.Repeat(" ", indent+w.n(1, 3))
	switch w.n(0, 2) {
	case 0:
		w.add(" first words\n" + w.pick("", "\n") + pad + "and more")
	case 1:
		w.add(" \"first words\n" + w.pick("", "\n", "\n\n") + pad + "and \\\n" + pad + "more\"")
	default:
		w.add(" 'first words\n" + pad + "# no comment\n" + pad + "more'")
	}
	w.tail()
}

func (w *writer) literal(indent int) {
	sign, digit := w.pick("|", ">"), w.n(2, 4) // with 1 a comment below would be text
	pad := strings.Repeat(" ", indent+digit)
	if w.one(3) {
		sign += fmt.Sprint(digit)
		pad += w.pick("", " ", "  ")
	}
	w.add(" " + sign + w.pick("", "-", "+"))
	if w.one(5) {
		w.add(" " + w.comment())
	}
	w.add("\n" + w.pick("", "\n"))
	for i := range w.n(1, 3) {
		if i > 0 {
			w.add(w.pick("", "", "  ")) // the first line gives the indentation
		}
		w.add(pad + w.pick("text", "# text", "- x: y", "text # z", "${X} ", "é") + "\n" + w.pick("", "", "\n", "  \n"))
	}
}

func (w *writer) list(indent, depth int) {
	pad := strings.Repeat(" ", indent)
	for range w.n(1, 4) {
		w.above(indent)
		w.add(pad + "-")
		switch w.n(0, 4) {
		case 0:
			gap := w.n(1, 3)
			w.add(strings.Repeat(" ", gap))
			taken := map[string]bool{}
			w.entry(indent+1+gap, depth+1, taken)
			for w.one(2) {
				w.above(indent + 1 + gap)
				w.add(strings.Repeat(" ", indent+1+gap))
				w.entry(indent+1+gap, depth+1, taken)
			}
		case 1:
			w.add(" -")
			w.value(indent+2, depth+2, false)
		default:
			w.value(indent, depth+1, false)
		}
	}
}

// flow writes a collection in brackets; on several lines with comments between if open.
func (w *writer) flow(indent, depth int, open bool) {
	brackets := w.pick("[]", "{}")
	w.add(brackets[:1])
	taken := map[string]bool{}
	for i, n := 0, w.n(0, 4); i < n; i++ {
		w.space(indent, open)
		if brackets == "{}" {
			w.add(w.key(taken) + ": ")
		} else if w.one(8) {
			w.add(w.pick("p", `"p"`) + ": ")
		}
		switch {
		case depth < 4 && w.one(5):
			w.flow(indent, depth+1, open)
		case w.one(2):
			w.add(w.pick(quoted...))
		default:
			w.add(w.pick("alpine", "postgres:17", "8080:80", "no", "1.10", "a b", "-x", "~", "./a:/b:ro"))
		}
		w.space(indent, open)
		if i < n-1 || w.one(4) {
			w.add(",")
		}
	}
	w.space(indent, open)
	w.add(brackets[1:])
}

func (w *writer) space(indent int, open bool) {
	if !open || !w.one(3) {
		w.add(w.pick("", " "))
		return
	}
	if w.one(2) {
		w.add(" " + w.comment())
	}
	w.add("\n")
	w.above(indent)
	w.add(strings.Repeat(" ", indent))
}

// TestYAMLProperties: the normal form of any text is stable, says the same, and has the same comments.
func TestYAMLProperties(t *testing.T) {
	valid, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := &writer{T: t, used: map[string]bool{}}
		w.add(w.pick("", "", "\ufeff"))
		w.above(0)
		w.add(w.pick("", "", "", "---\n"))
		w.mapping(0, 0)
		w.above(0)
		w.add(w.pick("", "", "", "...\n"))
		properties(t, w, "runfile.yaml", &valid, &all)
	})
	t.Logf("%d of %d texts were valid", valid, all)
	if valid*2 < all {
		t.Error("the generator makes too many texts that are not valid")
	}
}

func properties(t *rapid.T, w *writer, file string, valid, all *int) {
	text := w.b.String()
	if w.one(4) {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if w.one(6) {
		text = strings.TrimRight(text, "\r\n")
	}
	*all++
	if parse(file, []byte(strings.TrimPrefix(text, "\ufeff"))) == nil {
		return
	}
	*valid++
	for _, o := range []tidy.Options{{}, {Sort: true}} {
		out := string(check(t, file, []byte(text), o))
		got := commentsOf(file, []byte(out))
		slices.Sort(got)
		want := slices.Sorted(slices.Values(w.comments))
		if !slices.Equal(got, want) {
			t.Fatalf("comments\n%q\nbecame\n%q\nin\n%s\nof:\n%s", want, got, out, text)
		}
		if strings.HasPrefix(text, "\ufeff") != strings.HasPrefix(out, "\ufeff") {
			t.Fatalf("the byte order mark of %q", text)
		}
		if first, _, _ := strings.Cut(text, "\n"); strings.Count(out, "\n") != strings.Count(out, "\r\n") && strings.HasSuffix(first, "\r") {
			t.Fatalf("line ends: %q", out)
		}
	}
}

// TestTOMLProperties is the same for TOML.
func TestTOMLProperties(t *testing.T) {
	valid, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := &writer{T: t, used: map[string]bool{}}
		taken := map[string]bool{}
		w.pairs(taken)
		for i := range w.n(0, 4) {
			w.above(0)
			name := w.pick("containers", "templates", "networks", "x-a") + "." + w.pick("", `"`) + fmt.Sprintf("n%d", i)
			if strings.Contains(name, `"`) {
				name += `"`
			}
			header := "[" + w.pick("", " ") + name + "]"
			if w.one(5) {
				header = "[[x-list]]"
			}
			w.add(header)
			w.tail()
			w.pairs(map[string]bool{})
		}
		w.above(0)
		properties(t, w, "runfile.toml", &valid, &all)
	})
	t.Logf("%d of %d texts were valid", valid, all)
	if valid*2 < all {
		t.Error("the generator makes too many texts that are not valid")
	}
}

func (w *writer) pairs(taken map[string]bool) {
	for range w.n(0, 4) {
		w.above(0)
		key := w.tomlKey(taken)
		w.add(w.pick("", " ") + key + w.pick("=", " = ", "  ="))
		w.tomlValue(0, true)
		w.tail()
	}
}

func (w *writer) tomlKey(taken map[string]bool) string {
	for {
		k := w.key(taken)
		if !strings.ContainsAny(k, "./ ") && !slices.Contains([]string{"containers", "templates", "networks", "x-a"}, k) {
			return k + w.pick("", "", ".sub", ` . "sub"`)
		}
	}
}

func (w *writer) tomlValue(depth int, open bool) {
	kind := w.n(0, 6)
	if depth > 2 && kind > 4 {
		kind = 0
	}
	switch kind {
	case 0, 1:
		w.add(w.pick(`"alpine"`, `'a b'`, `'c:\d'`, `"a\tb"`, `"#x"`, `''`, `""`, `'"'`, `"${X}"`, `'é'`))
	case 2:
		w.add(w.pick("1", "0x1F", "1_000", "true", "1.50", "1e3", "1979-05-27", "1979-05-27 07:32:00", "inf"))
	case 3:
		w.add(w.pick("\"\"\"\ntext # no\n  more\\\n  x \n\"\"\"", "'''\n# no\n'''", `"""one"""`, `""""quoted""""`))
	case 4:
		w.add(w.pick("1", `"x"`))
	case 5:
		w.add("[")
		for i, n := 0, w.n(0, 3); i < n; i++ {
			w.space(depth, open)
			w.tomlValue(depth+1, open)
			w.space(depth, open)
			if i < n-1 || w.one(3) {
				w.add(",")
			}
		}
		w.space(depth, open)
		w.add("]")
	default:
		w.add("{" + w.pick("", " "))
		taken := map[string]bool{}
		for i, n := 0, w.n(0, 3); i < n; i++ {
			w.add(w.tomlKey(taken) + " = ")
			w.tomlValue(depth+1, open)
			if i < n-1 {
				w.add(w.pick(",", " , "))
			}
		}
		w.add("}")
	}
}

// TestOrder: sorting gives the order of the table, in every map that has one.
func TestOrder(t *testing.T) {
	options := schema.Options()
	for _, o := range options {
		if o.Name == "image" || o.Name == "command" {
			continue
		}
		src := fmt.Sprintf("containers:\n  web:\n    %s: 1\n    command: x\n    image: alpine\n", o.Name)
		want := fmt.Sprintf("containers:\n  web:\n    image: alpine\n    command: x\n    %s: ", o.Name)
		out, diags := tidy.Format("runfile.yaml", []byte(src), tidy.Options{Sort: true})
		if diags.HasErrors() || !strings.HasPrefix(string(out), want) {
			t.Errorf("%v\n%s", diags, out)
		}
	}
}
