package manifest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/manifest/diag/diagtest"
)

// seed adds all fixtures of a format.
func seed(f *testing.F, pattern string) {
	f.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "errors", pattern))
	if err != nil || len(names) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
}

// checkParsed holds for any input: a tree or an error, places inside the file, and no word of a library.
func checkParsed(t *testing.T, src []byte, n *Node, d diag.List) {
	t.Helper()
	if n == nil && !d.HasErrors() {
		t.Fatal("neither a tree nor an error")
	}
	diagtest.Words(t, d, diag.Sources{"f": bytes.TrimPrefix(src, byteOrderMark)})
	if n != nil {
		checkTree(t, n, bytes.Count(src, []byte("\n"))+1)
	}
}

// checkTree holds for any tree: places inside the file and in order, unique keys, limited depth.
func checkTree(t *testing.T, n *Node, lines int) {
	t.Helper()
	var walk func(n *Node, depth int)
	walk = func(n *Node, depth int) {
		if depth > maxDepth+1 {
			t.Fatal("deeper than the limit")
		}
		if n.Range.Start.Line < 1 || n.Range.End.Line > lines || !before(n.Range.Start, n.Range.End) {
			t.Errorf("bad range %v-%v", n.Range.Start, n.Range.End)
		}
		seen := map[string]bool{}
		for _, e := range n.Entries {
			if seen[e.Key] {
				t.Errorf("key %q stands twice in the tree", e.Key)
			}
			seen[e.Key] = true
			walk(e.Value, depth+1)
		}
		for _, it := range n.Items {
			walk(it, depth+1)
		}
	}
	walk(n, 1)
}

func FuzzParseYAML(f *testing.F) {
	seed(f, "*.yaml")
	seed(f, "*.json")
	f.Fuzz(func(t *testing.T, src []byte) {
		n, d := ParseYAML("f", src)
		checkParsed(t, src, n, d)
	})
}

func FuzzParseTOML(f *testing.F) {
	seed(f, "*.toml")
	f.Fuzz(func(t *testing.T, src []byte) {
		n, d := ParseTOML("f", src)
		checkParsed(t, src, n, d)
	})
}

// FuzzExpand: text without ${ stays; text with it gives a result or an error whose place is inside the value.
func FuzzExpand(f *testing.F) {
	for _, s := range []string{
		"$x", "${A}", "$${A}", "${A:-x}", "${A:-${B:-${C}}}", "${", "${A", "${A:?m}", "${env.A-x}", "${project}",
		"${runfile.dir}", "${A:+${B}}", "}{${A}$", "${A:-$${}}", "ä${B+日}${C", "${matrix.x}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		src := []byte("'" + strings.ReplaceAll(text, "'", "''") + "'")
		n, d := ParseYAML("f", src)
		if len(d) > 0 || n == nil || n.Kind != Scalar {
			return
		}
		l := newLoader(Options{})
		l.cli = &cliValues{}
		l.project = projectName{text: "p", known: true}
		l.sources["f"] = newSource("f", src)
		s := newScope(nil)
		s.decls["A"] = &declaration{name: "A", fallback: &Node{Kind: Scalar, Text: "value"}}
		s.decls["B"] = &declaration{name: "B", fallback: &Node{Kind: Scalar}}
		out, ok := l.expandText(n, &file{dir: "/d"}, s)
		if ok == l.diags.HasErrors() {
			t.Fatalf("ok = %v with %s", ok, texts(l.diags))
		}
		if !strings.Contains(n.Text, "${") && out != n.Text {
			t.Errorf("%q became %q", n.Text, out)
		}
		for _, x := range l.diags {
			if !before(n.Range.Start, x.Subject.Start) || !before(x.Subject.End, n.Range.End) {
				t.Errorf("%v-%v lies outside the value", x.Subject.Start, x.Subject.End)
			}
		}
	})
}
