package tidy_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema/tidy"
)

// corpus are all runfiles of the source tree: fixtures, examples, and those in the scripts of conformance.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if slices.Contains([]string{".git", "bin", "build"}, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		ext := filepath.Ext(path)
		if !slices.Contains([]string{".yaml", ".yml", ".toml", ".json", ".txtar"}, ext) {
			return nil
		}
		text, err := os.ReadFile(path)
		path = filepath.ToSlash(path)
		if ext != ".txtar" {
			out[path] = text
		} else {
			for _, f := range txtar.Parse(text).Files {
				if slices.Contains([]string{".yaml", ".yml", ".toml"}, filepath.Ext(f.Name)) {
					out[path+"/"+f.Name] = f.Data
				}
			}
		}
		return err
	})
	if err != nil || len(out) < 150 {
		t.Fatal(len(out), err)
	}
	return out
}

// commentsOf finds the comments of a text by the places of its values: what is left of a line outside of them, from a #
// on, is a comment. It shares nothing with the package's own readers.
func commentsOf(file string, src []byte) []string {
	text := strings.ReplaceAll(strings.TrimPrefix(string(src), "\ufeff"), "\r\n", "\n")
	root := parse(file, []byte(text))
	lines := strings.Split(text, "\n")
	masked := make([][]rune, len(lines))
	for i, l := range lines {
		masked[i] = []rune(l)
	}
	mask := func(at diag.Range) {
		for l := at.Start.Line; l <= at.End.Line; l++ {
			from, to := 1, len(masked[l-1])+1
			if l == at.Start.Line {
				from = at.Start.Column
			}
			if l == at.End.Line {
				to = at.End.Column
			}
			// A header of a block scalar may have a comment; the tree has only its first line's start.
			if l == at.Start.Line && l != at.End.Line && strings.ContainsRune("|>", masked[l-1][from-1]) {
				continue
			}
			for c := from; c < to; c++ {
				masked[l-1][c-1] = 'x'
			}
		}
	}
	var walk func(n *manifest.Node)
	walk = func(n *manifest.Node) {
		if n.Kind == manifest.Scalar {
			mask(n.Range)
		}
		for _, it := range n.Items {
			walk(it)
		}
		for _, e := range n.Entries {
			mask(e.KeyRange)
			walk(e.Value)
		}
	}
	walk(root)
	var out []string
	for i, l := range masked {
		if at := slices.Index(l, '#'); at >= 0 && (at == 0 || l[at-1] != '&') {
			out = append(out, strings.TrimRight(string([]rune(lines[i])[at:]), " \t"))
		}
	}
	return out
}

func parse(file string, text []byte) *manifest.Node {
	read := manifest.ParseYAML
	if manifest.IsTOML(file, text) {
		read = manifest.ParseTOML
	}
	root, diags := read(file, text)
	if diags.HasErrors() || root.Kind != manifest.Map {
		return nil
	}
	return root
}

// tb is a test or a property's.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
}

// check demands everything that must hold for the normal form of a valid text, and returns it.
func check(t tb, file string, src []byte, o tidy.Options) []byte {
	t.Helper()
	out, diags := tidy.Format(file, src, o)
	if diags.HasErrors() {
		t.Fatalf("%s: %v\n%s\n%q", file, diags, src, src)
	}
	again, diags := tidy.Format(file, out, o)
	if diags.HasErrors() || string(again) != string(out) {
		t.Fatalf("%s: not stable: %v\nfirst:\n%s\nsecond:\n%s\nof:\n%s", file, diags, out, again, src)
	}
	// A sorted map takes the comments of its entries along.
	before, after := commentsOf(file, src), commentsOf(file, out)
	if o.Sort || strings.ContainsAny(string(src), "[{?") {
		slices.Sort(before)
		slices.Sort(after)
	}
	if !slices.Equal(before, after) {
		t.Fatalf("%s: comments\n%q\nbecame\n%q\nin\n%s\nof:\n%s", file, before, after, out, src)
	}
	text := strings.TrimPrefix(string(out), "\ufeff")
	if !utf8.ValidString(text) || strings.HasPrefix(text, "\n") || text != "" && !strings.HasSuffix(text, "\n") {
		t.Fatalf("%s: %q", file, text)
	}
	return out
}

func TestCorpus(t *testing.T) {
	for path, src := range corpus(t) {
		valid := parse(path, src) != nil
		for _, o := range []tidy.Options{{}, {Sort: true}} {
			if valid {
				check(t, path, src, o)
				continue
			}
			out, diags := tidy.Format(path, src, o)
			if string(out) != string(src) || !diags.HasErrors() {
				t.Errorf("%s has mistakes, and became\n%s\nwith %v", path, out, diags)
			}
		}
	}
}

func FuzzFormat(f *testing.F) {
	for path, src := range corpus(f) {
		f.Add(string(src), filepath.Ext(path) == ".toml", true)
	}
	f.Fuzz(func(t *testing.T, text string, isTOML, sort bool) {
		file := "runfile.yaml"
		if isTOML {
			file = "runfile.toml"
		}
		if root := parse(file, []byte(text)); root == nil {
			return
		}
		check(t, file, []byte(text), tidy.Options{Sort: sort})
	})
}
