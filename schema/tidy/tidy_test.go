package tidy_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/tidy"
)

// TestNormalForm shows what fmt does, one thing at a time.
func TestNormalForm(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{
			"indentation", "containers:\n      web:\n         image:   nginx\n         command:\n         - a\n         -   b\n",
			"containers:\n  web:\n    image: nginx\n    command:\n      - a\n      - b\n",
		},
		{
			"quotes", "image: \"postgres:17\"\nname: 'web'\nuser: '1000'\nenv: [\"A=b\", 'x y', \"1.10\", \"no\", \"22:22\", 'it''s']\nhostname: '\"'\n",
			"image: postgres:17\nname: web\nuser: \"1000\"\nenv: [A=b, \"x y\", \"1.10\", \"no\", \"22:22\", \"it's\"]\nhostname: '\"'\n",
		},
		{"version of YAML", "# c\n%YAML 1.2\n---\nimage:   x\n", "# c\n%YAML 1.2\n---\nimage: x\n"},
		{"text stays text", "image: x\nrestart: no\nmemory: 0755\ncpus: 1.10\n", "image: x\nrestart: no\nmemory: 0755\ncpus: 1.10\n"},
		{
			"lists of one", "image: x\nname: &n y\npublish: 8080:80\nenv: A=${B}\nnetwork: *n\nvolume: a?b\ncommand: echo hi\nlabel: ~\nexpose: ''\n",
			"image: x\nname: &n y\npublish: [8080:80]\nenv: A=${B}\nnetwork: *n\nvolume: [\"a?b\"]\ncommand: echo hi\nlabel: ~\nexpose: \"\"\n",
		},
		{
			"lists of one in sections", "defaults: {env: A=1}\ninclude: a.yaml\nnetworks: {n: {internal: true}}\nvolumes: {v: {label: a=b}}\ntemplates:\n  t: {extends: u}\n",
			"defaults: {env: [A=1]}\ninclude: [a.yaml]\nnetworks: {n: {internal: true}}\nvolumes: {v: {label: [a=b]}}\ntemplates:\n  t: {extends: [u]}\n",
		},
		{
			"brackets", "image: x\ncommand: [ a,b , \"c\" ,]\nready: { tcp : 5432,interval: 1s }\npublish: [\n  1:1,\n  2:2\n]\n",
			"image: x\ncommand: [a, b, c]\nready: {tcp: 5432, interval: 1s}\npublish: [1:1, 2:2]\n",
		},
		{
			"comments in brackets", "image: x\npublish: [ # ports\n  1:1, # one\n  # above\n  2:2\n  # end\n] # behind\n",
			"image: x\npublish: # ports\n  - 1:1 # one\n  # above\n  - 2:2\n  # end\n  # behind\n",
		},
		{
			"long lists", "image: x\ncommand: [" + strings.Repeat("word, ", 20) + "end]\n",
			"image: x\ncommand:\n" + strings.Repeat("  - word\n", 20) + "  - end\n",
		},
		{
			"blank lines", "\n\n# top\n\n\n\nimage: x\n\n\nname: y\ncontainers:\n\n  web:\n\n\n    image: x\n\n\n",
			"# top\n\nimage: x\n\nname: y\ncontainers:\n  web:\n    image: x\n",
		},
		{
			"comments keep their place", "# file\nimage: x # the image\n   # above name\nname: y\ncontainers: # all\n    # first\n    web: # one\n      image: x\n      # last of web\n    # last\n# end\n",
			"# file\nimage: x # the image\n# above name\nname: y\ncontainers: # all\n  # first\n  web: # one\n    image: x\n    # last of web\n  # last\n# end\n",
		},
		{"columns of comments", "image: x      # one\nname: longer  # two\ntty: true # three\n", "image: x     # one\nname: longer # two\ntty: true # three\n"},
		{
			"block scalars", "command:\n   - |-\n        a # text\n          b\n\n        c\n   - >+\n     x\n\n   - |2\n      y\n",
			"command:\n  - |-\n    a # text\n      b\n\n    c\n  - >+\n    x\n\n  - |2\n     y\n",
		},
		{
			"anchors", "x-a: &a { image: x }\ncontainers:\n  web: {<<: *a, env: &e [A=1]}\n  b:\n    <<: *a\n    env: *e\n",
			"x-a: &a {image: x}\ncontainers:\n  web: {<<: *a, env: &e [A=1]}\n  b:\n    <<: *a\n    env: *e\n",
		},
		{"document marks", "# c\n--- # d\nimage: x\n...\n# e\n", "# c\n--- # d\nimage: x\n...\n# e\n"},
		{"explicit keys", "? image\n: x\n", "image: x\n"},
		{"JSON", `{"image":"x","command":["a"]}`, "{\n  \"image\": \"x\",\n  \"command\": [\n    \"a\"\n  ]\n}\n"},
		{"line ends and byte order mark", "\ufeffimage:  x\r\nname:  'z'\n", "\ufeffimage: x\r\nname: z\r\n"},
	}
	for _, tt := range tests {
		out, diags := tidy.Format("runfile.yaml", []byte(tt.src), tidy.Options{})
		if string(out) != tt.want || diags.HasErrors() {
			t.Errorf("%s: got\n%s\nwant\n%s\n%v", tt.name, out, tt.want, diags)
		}
	}
}

func TestNormalFormOfTOML(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"white space", "  image='x'\n[ containers . \"web\" ]   # c\n\timage = 'x'\n", "image = \"x\"\n[containers.web] # c\nimage = \"x\"\n"},
		{
			"arrays", "image = \"x\"\ncommand = [ 'a','b', ]\npublish=[\n '1:1', # one\n # two\n '2:2'\n]\n",
			"image = \"x\"\ncommand = [\"a\", \"b\"]\npublish = [\n  \"1:1\", # one\n  # two\n  \"2:2\",\n]\n",
		},
		{
			"lists of one", "image = 'x'\npublish = '1:1'\nenv.A = '1'\n[containers.web]\nvolume = 'a:/b' # v\n",
			"image = \"x\"\npublish = [\"1:1\"]\nenv.A = \"1\"\n[containers.web]\nvolume = [\"a:/b\"] # v\n",
		},
		{"inline tables", "ready = {tcp=1 , interval='1s'}\nx-a = {}\n", "ready = { tcp = 1, interval = \"1s\" }\nx-a = {}\n"},
		{"texts", "command = '''\n a  \n'b'''\nname = 'c:\\d'\nhostname = '\"'\n", "command = '''\n a  \n'b'''\nname = 'c:\\d'\nhostname = '\"'\n"},
		{"comments in a table in a line", "ready = {exec=[ # c\n'a']}\n", "ready = {exec=[ # c\n'a']}\n"},
	}
	for _, tt := range tests {
		out, diags := tidy.Format("runfile.toml", []byte(tt.src), tidy.Options{})
		if string(out) != tt.want || diags.HasErrors() {
			t.Errorf("%s: got\n%s\nwant\n%s\n%v", tt.name, out, tt.want, diags)
		}
	}
}

// TestSort: keys are sorted between blank lines and comment lines, with the comments behind them.
func TestSort(t *testing.T) {
	src := "containers:\n  web:\n    tty: true # t\n    image: x\n    env: A=1\n\n    # about memory and the rest\n    rm: true\n    cpus: 1\n\n" +
		"    interactive: true\n    init: true\n\n    x-b: 1\n    nonsense: 2\n    timeout: 1s\n    x-a: 2\n    privileged: true\nversion: 1\n"
	want := "version: 1\ncontainers:\n  web:\n    image: x\n    env: [A=1]\n    tty: true # t\n\n    # about memory and the rest\n    rm: true\n    cpus: 1\n\n" +
		"    init: true\n    interactive: true\n\n    privileged: true\n    timeout: 1s\n    nonsense: 2\n    x-b: 1\n    x-a: 2\n"
	out, diags := tidy.Format("runfile.yaml", []byte(src), tidy.Options{Sort: true})
	if string(out) != want || diags.HasErrors() {
		t.Errorf("got\n%s\nwant\n%s\n%v", out, want, diags)
	}
	anchors := "containers: {a: &a {image: x}, b: *a}\nversion: 1\n" // the anchor may not move
	if out, _ := tidy.Format("runfile.yaml", []byte(anchors), tidy.Options{Sort: true}); string(out) != anchors {
		t.Errorf("got\n%s", out)
	}
}

// TestMistakes: what cannot be read is not touched, and said with its place.
func TestMistakes(t *testing.T) {
	for file, tests := range map[string]map[string]string{
		"runfile.yaml": {
			"image: [x\n": "syntax", "a: 1\n---\nb: 2\n": "several-documents", "a: !x 1\n": "unknown-tag", "- a\n": "wrong-shape",
			"a: 1\na: 2\n": "duplicate-key", "a: \x00\n": "not-text", "a: &a [*a]\n": "alias-cycle", "text": "wrong-shape",
		},
		"runfile.toml": {"a = \n": "syntax", "a = 1\na = 2\n": "duplicate-key", "[a\n": "syntax"},
	} {
		for src, code := range tests {
			out, diags := tidy.Format(file, []byte(src), tidy.Options{})
			if string(out) != src || len(diags) == 0 || string(diags[0].Code) != code || diags[0].Subject.Start.Line == 0 {
				t.Errorf("%q became %q with %v", src, out, diags)
			}
		}
	}
}

// TestSameProject: a runfile means the same before and after, with everything that belongs to it.
func TestSameProject(t *testing.T) {
	compared := 0
	for path, src := range corpus(t) {
		if parse(path, src) == nil || strings.Contains(path, ".txtar") {
			continue
		}
		before, errors := project(t, path, src)
		for _, o := range []tidy.Options{{}, {Sort: true}} {
			out, _ := tidy.Format(path, src, o)
			after, more := project(t, path, out)
			if errors != more || !reflect.DeepEqual(before, after) {
				t.Errorf("%s means something else: %s\n%s\n%s", path, out, errors, more)
			}
		}
		if errors == "" {
			compared++
		}
	}
	if compared < 15 {
		t.Errorf("only %d files without mistakes were compared", compared)
	}
}

// project loads a text in the place of a file, and returns it without positions, and the codes of what is wrong with it.
func project(t *testing.T, path string, text []byte) (*schema.Project, string) {
	t.Helper()
	doc, diags := manifest.Load(manifest.Options{
		Files: []string{"-"}, Stdin: bytes.NewReader(text), Dir: filepath.Dir(path), Repeatable: schema.Repeatable, ProjectName: "p",
	})
	p, more := schema.Decode(doc)
	codes := map[diag.Code]int{}
	for _, d := range append(diags, more...) {
		codes[d.Code]++
	}
	withoutPlaces(reflect.ValueOf(p))
	if len(codes) == 0 {
		return p, ""
	}
	return p, fmt.Sprint(codes)
}

// withoutPlaces clears every diag.Range below a value.
func withoutPlaces(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			withoutPlaces(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			withoutPlaces(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[diag.Range]() {
			if v.CanSet() {
				v.SetZero()
			}
			return
		}
		for i := range v.NumField() {
			withoutPlaces(v.Field(i))
		}
	default:
	}
}

// TestLargeFile: time is about proportional to the size, whatever the shape.
func TestLargeFile(t *testing.T) {
	many := strings.Builder{}
	many.WriteString("containers:\n")
	for i := range 4000 {
		fmt.Fprintf(&many, "  c%d: # comment\n    image: 'x'\n    publish: [ 1:1, 2:2 ]\n    # y\n    env: {A: \"b\"}\n", i)
	}
	nested := strings.Repeat("[", 60) + strings.Repeat("a, ", 3_000) + "b" + strings.Repeat("]", 60)
	for name, src := range map[string]string{
		"many containers": many.String(), "one line": "x-a: [" + strings.Repeat("\"aaa bbb\", ", 50_000) + "x]\n",
		"deep": "x-a: " + nested + "\n", "comments": strings.Repeat("# c\n\n", 150_000) + "image: x\n",
		"text": "command: |\n" + strings.Repeat("  line\n\n", 30_000),
	} {
		start := time.Now()
		_, diags := tidy.Format("runfile.yaml", []byte(src), tidy.Options{Sort: true})
		if took := time.Since(start); took > 20*time.Second || diags.HasErrors() {
			t.Errorf("%s: %v for %d bytes, %v", name, took, len(src), diags)
		} else {
			t.Logf("%s: %v for %d bytes", name, took.Round(time.Millisecond), len(src))
		}
	}
}

// TestWrittenIsNormal: what runfile writes itself has the normal form.
func TestWrittenIsNormal(t *testing.T) {
	for path, src := range corpus(t) {
		if parse(path, src) == nil || strings.Contains(path, ".txtar") {
			continue
		}
		p, codes := project(t, path, src)
		if codes != "" {
			continue
		}
		for _, form := range []string{"yaml", "toml"} {
			var b strings.Builder
			if err := schema.WriteManifest(&b, p, form); err != nil {
				t.Fatal(err)
			}
			out, diags := tidy.Format("runfile."+form, []byte(b.String()), tidy.Options{})
			if string(out) != b.String() || diags.HasErrors() {
				t.Errorf("%s: written as\n%s\nand tidied as\n%s\n%v", path, b.String(), out, diags)
			}
		}
	}
}
