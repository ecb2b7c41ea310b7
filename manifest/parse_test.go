package manifest

import (
	"fmt"
	"strings"
	"testing"
)

// dump prints a tree with positions: start-end of every node and key.
func dump(n *Node) string {
	var b strings.Builder
	var walk func(n *Node, indent string)
	walk = func(n *Node, indent string) {
		at := fmt.Sprintf("%d:%d-%d:%d", n.Range.Start.Line, n.Range.Start.Column, n.Range.End.Line, n.Range.End.Column)
		switch n.Kind {
		case Scalar:
			fmt.Fprintf(&b, "%s %q %s\n", []string{"string", "int", "float", "bool"}[n.Type], n.Text, at)
		case Null:
			fmt.Fprintf(&b, "null %s\n", at)
		case List:
			fmt.Fprintf(&b, "list %s\n", at)
			for _, it := range n.Items {
				b.WriteString(indent + "- ")
				walk(it, indent+"  ")
			}
		case Map:
			fmt.Fprintf(&b, "map %s\n", at)
			for _, e := range n.Entries {
				k := e.KeyRange
				fmt.Fprintf(&b, "%s%s %d:%d-%d: ", indent, e.Key, k.Start.Line, k.Start.Column, k.End.Column)
				walk(e.Value, indent+"  ")
			}
		}
	}
	walk(n, "")
	return b.String()
}

var positionTests = []struct {
	name, yaml, toml, want string
}{
	{
		name: "plain and quoted", yaml: "image: alpine 3 # c\nname: 'it''s'\n\"k\": \"a\\\"b\" # c\n",
		want: `map 1:1-3:12
image 1:1-6: string "alpine 3" 1:8-1:16
name 2:1-5: string "it's" 2:7-2:14
k 3:1-4: string "a\"b" 3:6-3:12
`,
	},
	{
		name: "numbers keep their text", yaml: "a: 1.10\nb: 0755\nc: 1_000\nd: true\ne: 2020-01-02\nf: 22:22\ng: no\nh: ~\ni:\nj: ''\n",
		want: `map 1:1-10:6
a 1:1-2: float "1.10" 1:4-1:8
b 2:1-2: int "0755" 2:4-2:8
c 3:1-2: int "1_000" 3:4-3:9
d 4:1-2: bool "true" 4:4-4:8
e 5:1-2: string "2020-01-02" 5:4-5:14
f 6:1-2: string "22:22" 6:4-6:9
g 7:1-2: string "no" 7:4-7:6
h 8:1-2: null 8:4-8:5
i 9:1-2: null 9:1-9:2
j 10:1-2: string "" 10:4-10:6
`,
	},
	{
		name: "blocks", yaml: "a: |\n  x\n   y\n\n  z\nb: >-\n  one\n  two\n\nc: plain\n  goes on\nd: |\n",
		want: `map 1:1-12:5
a 1:1-2: string "x\n y\n\nz\n" 1:4-5:4
b 6:1-2: string "one two" 6:4-8:6
c 10:1-2: string "plain goes on" 10:4-11:10
d 12:1-2: string "" 12:4-12:5
`,
	},
	{
		name: "flow", yaml: "a: [x, 'y' , {k: v}, ] # c\nb: {\n  c: [],\n  d: {} }\ne: [f: g]\n",
		want: `map 1:1-5:10
a 1:1-2: list 1:4-1:23
  - string "x" 1:5-1:6
  - string "y" 1:8-1:11
  - map 1:14-1:20
    k 1:15-16: string "v" 1:18-1:19
b 2:1-2: map 2:4-4:10
  c 3:3-4: list 3:6-3:8
  d 4:3-4: map 4:6-4:8
e 5:1-2: list 5:4-5:10
  - map 5:5-5:9
    f 5:5-6: string "g" 5:8-5:9
`,
	},
	{
		name: "lists, aliases and merges", yaml: "x: &m\n  a: 1\n  b: 2\ny:\n  <<: *m\n  b: 3\nz:\n- *m\n- !!str 5\n- &n q\n- *n\n",
		want: `map 1:1-11:5
x 1:1-2: map 2:3-3:7
  a 2:3-4: int "1" 2:6-2:7
  b 3:3-4: int "2" 3:6-3:7
y 4:1-2: map 5:3-6:7
  a 2:3-4: int "1" 2:6-2:7
  b 6:3-4: int "3" 6:6-6:7
z 7:1-2: list 8:1-11:5
  - map 2:3-3:7
    a 2:3-4: int "1" 2:6-2:7
    b 3:3-4: int "2" 3:6-3:7
  - string "5" 9:9-9:10
  - string "q" 10:6-10:7
  - string "q" 10:6-10:7
`,
	},
	{
		name: "wide characters and JSON", yaml: "{\"ä日\": [\"ö\", 2], \"b\": null}",
		want: `map 1:1-1:28
ä日 1:2-6: list 1:8-1:16
  - string "ö" 1:9-1:12
  - int "2" 1:14-1:15
b 1:18-21: null 1:23-1:27
`,
	},
	{
		name: "toml values", toml: "a = 1.10\nb = 'x' # c\n\"c d\" = [1, [2, {e = 3}], # c\n 4,]\nf.g = 2020-01-02\nh = \"\"\"\nx\ny\"\"\"\n",
		want: `map 1:1-9:1
a 1:1-2: float "1.10" 1:5-1:9
b 2:1-2: string "x" 2:5-2:8
c d 3:1-6: list 3:9-4:5
  - int "1" 3:10-3:11
  - list 3:13-3:25
    - int "2" 3:14-3:15
    - map 3:17-3:24
      e 3:18-19: int "3" 3:22-3:23
  - int "4" 4:2-4:3
f 5:1-2: map 5:1-5:2
  g 5:3-4: string "2020-01-02" 5:7-5:17
h 6:1-2: string "x\ny" 6:5-8:5
`,
	},
	{
		name: "toml tables", toml: "[a.b]\nc = true\n[a]\nd = 1\n[[l]]\nx = 1\n[[l]]\n[l.m]\ny = 2\n[e]\n",
		want: `map 1:1-11:1
a 1:2-3: map 3:2-3:3
  b 1:4-5: map 1:4-1:5
    c 2:1-2: bool "true" 2:5-2:9
  d 4:1-2: int "1" 4:5-4:6
l 5:3-4: list 5:3-5:4
  - map 5:3-5:4
    x 6:1-2: int "1" 6:5-6:6
  - map 7:3-7:4
    m 8:4-5: map 8:4-8:5
      y 9:1-2: int "2" 9:5-9:6
e 10:2-3: map 10:2-10:3
`,
	},
}

func TestPositions(t *testing.T) {
	for _, tt := range positionTests {
		t.Run(tt.name, func(t *testing.T) {
			n, d := ParseYAML("f", []byte(tt.yaml))
			if tt.toml != "" {
				n, d = ParseTOML("f", []byte(tt.toml))
			}
			if len(d) > 0 {
				t.Fatalf("diagnostics: %v", d)
			}
			if got := dump(n); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

// TestTOMLLineEnds demands that CRLF between lines is one line feed, and that an escape is what it says.
func TestTOMLLineEnds(t *testing.T) {
	for text, want := range map[string]string{
		"a = \"x\\r\\ny\"\r\n":       "x\r\ny",
		"a = \"\"\"x\r\ny\"\"\"\r\n": "x\ny",
		"a = '''\r\nx\r\ny'''":       "x\ny",
		"a = \"\\u000d\\u000a\"\n":   "\r\n",
	} {
		n, d := ParseTOML("f.toml", []byte(text))
		if d.HasErrors() || n.Get("a").Text != want {
			t.Errorf("%q gives %q, %v", text, n.Get("a").Text, d)
		}
	}
}
