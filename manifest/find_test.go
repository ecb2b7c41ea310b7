package manifest

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/runfile/runfile/manifest/diag"
)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"one/runfile.yml":        "image: alpine\n",
		"one/deep/er/x":          "",
		"two/runfile.yaml":       "image: alpine\n",
		"two/runfile.toml":       "image = 'alpine'\n",
		"other/api.runfile.yaml": "image: alpine\n",
		"My Shop_1/runfile.yaml": "image: '${project} ${runfile.dir}'\n",
	})
	doc, d := Load(Options{Dir: filepath.Join(dir, "one/deep/er")})
	if len(d) > 0 || doc.Dir != filepath.Join(dir, "one") || doc.Name != "one" {
		t.Errorf("from a child: %s, dir %s, name %s", texts(d), doc.Dir, doc.Name)
	}
	doc, d = Load(Options{Dir: filepath.Join(dir, "My Shop_1")})
	if want := "my-shop_1 " + Slashed(dir) + "/My Shop_1"; len(d) > 0 || doc.Root.Get("containers").Get("main").Get("image").Text != want {
		t.Errorf("%s\n%s", texts(d), plain(doc.Root))
	}
	tests := []struct {
		name string
		o    Options
		want []string // parts of the one diagnostic
	}{
		{"two formats", Options{Dir: filepath.Join(dir, "two")}, []string{"several-runfiles", "runfile.yaml and runfile.toml"}},
		{"none", Options{Dir: filepath.Join(dir, "other")}, []string{"no-runfile", "or its parents", "-f api.runfile.yaml"}},
		{"no directory", Options{Dir: filepath.Join(dir, "one/typo")}, []string{"no-runfile", "there is no directory", "-C"}},
		{"missing file", Options{Dir: dir, Files: []string{"x.yaml"}}, []string{"unreadable-file", "does not exist"}},
		{"directory", Options{Dir: dir, Files: []string{"one"}}, []string{"unreadable-file", "is a directory"}},
		{"empty standard input", Options{Files: []string{"-"}}, []string{"empty-file"}},
		{"undeclared --var", Options{Dir: filepath.Join(dir, "one"), Vars: map[string]string{"A": "b"}}, []string{"unknown-variable", `--var sets "A"`}},
		{"missing --vars-file", Options{Dir: filepath.Join(dir, "one"), VarsFiles: []string{"v.env"}}, []string{"unreadable-file", "v.env"}},
		{"bad project option", Options{Dir: filepath.Join(dir, "one"), ProjectName: "A b"}, []string{"bad-project-name", `"a-b"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc, d := Load(tt.o)
			if doc == nil || doc.Root == nil {
				t.Fatal("no document")
			}
			if len(d) != 1 {
				t.Fatalf("diagnostics:\n%s", texts(d))
			}
			all := texts(d) + strings.Join(d[0].Help, "\n")
			for _, w := range tt.want {
				if !strings.Contains(all, w) {
					t.Errorf("%q lacks %q", all, w)
				}
			}
		})
	}
}

func TestStandardInput(t *testing.T) {
	for _, text := range []string{
		"image: alpine # =\n", "{\"image\": \"alpine\"}", "# c\nimage = 'alpine'\n", "\xef\xbb\xbfimage: alpine\n", "image: alpine\r\n",
	} {
		doc, d := Load(Options{Files: []string{"-"}, Stdin: strings.NewReader(text), Dir: t.TempDir()})
		if len(d) > 0 || doc.Files[0] != "-" || doc.Root.Get("containers").Get("main").Get("image").Text != "alpine" {
			t.Errorf("%q: %s", text, texts(d))
		}
	}
	doc, d := Load(Options{Files: []string{"-"}, Stdin: strings.NewReader("[containers.a]\nimage = 'alpine'\n")})
	if len(d) > 0 || doc.Root.Get("containers").Get("a") == nil {
		t.Errorf("a header is not taken for TOML: %s", texts(d))
	}
}

func TestNodesKeepTheirPlace(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"runfile.yaml": "include: t.toml\ncontainers:\n  web:\n    extends: go\n    env: [B=2]\n",
		"t.toml":       "[templates.go]\nimage = \"golang\"\nenv = [\"A=1\"]\n",
	})
	doc, d := Load(Options{Dir: dir, Repeatable: repeatable})
	if len(d) > 0 {
		t.Fatal(texts(d))
	}
	web := doc.Root.Get("containers").Get("web")
	for what, got := range map[string]struct {
		at   diag.Range
		want string
	}{
		"image":     {web.Get("image").Range, "t.toml:2:9"},
		"image key": {web.Entry("image").KeyRange, "t.toml:2:1"},
		"A=1":       {web.Get("env").Items[0].Range, "t.toml:3:8"},
		"B=2":       {web.Get("env").Items[1].Range, "runfile.yaml:5:11"},
	} {
		if !strings.HasSuffix(got.at.String(), got.want) {
			t.Errorf("%s stands at %s, want %s", what, got.at, got.want)
		}
	}
	if len(doc.Sources) != 2 || len(doc.Files) != 2 || !strings.HasSuffix(doc.Files[0], "runfile.yaml") {
		t.Errorf("files %v, %d sources", doc.Files, len(doc.Sources))
	}
}

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"runfile.yaml": "vars: {A: {secret: true, default: s3}, B: b}\nimage: x${A}${B}\n"})
	doc, d := Load(Options{Dir: dir})
	if len(d) > 0 || !slices.Equal(doc.Secrets, []string{"s3"}) {
		t.Errorf("secrets %v %s", doc.Secrets, texts(d))
	}
}

// hostile is a file that would take other readers minutes or gigabytes, and the code it gives; "" = it loads.
type hostile struct {
	name, file, text string
	code             diag.Code
}

func hostileFiles() []hostile {
	fill := func(s string, n int) string { return strings.Repeat(s, n/len(s)) }
	const size = maxFileSize - 1000
	bomb := "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	for i := range 12 {
		p := "*a" + string(rune('a'+i-1))
		if i == 0 {
			p = "*a0"
		}
		bomb += "b" + string(rune('a'+i)) + ": &a" + string(rune('a'+i)) + " [" + strings.TrimSuffix(strings.Repeat(p+", ", 9), ", ") + "]\n"
	}
	doubling := "templates:\n  t0: {env: [A=1]}\n"
	for i := range 40 {
		doubling += "  t" + strconv.Itoa(i+1) + ": {extends: [t" + strconv.Itoa(i) + ", t" + strconv.Itoa(i) + "]}\n"
	}
	variables := "vars:\n  A0: " + fill("x", 1000) + "\n"
	for i := range 30 {
		variables += "  A" + strconv.Itoa(i+1) + ": ${A" + strconv.Itoa(i) + "}${A" + strconv.Itoa(i) + "}\n"
	}
	var manyKeys strings.Builder
	for i := range 60_000 {
		manyKeys.WriteString("k" + strconv.Itoa(i) + ": 1\n")
	}
	var manyTOMLKeys strings.Builder
	for i := range 60_000 {
		manyTOMLKeys.WriteString("k" + strconv.Itoa(i) + "=1\n")
	}
	return []hostile{
		{"alias bomb", "runfile.yaml", bomb, CodeLimit},
		{"deep flow", "runfile.yaml", "a: " + fill("[", size), CodeLimit},
		{"deep flow, closed", "runfile.yaml", "a: " + fill("[", 200) + fill("]", 200), CodeLimit},
		{"dashes", "runfile.yaml", fill("- ", size), CodeLimit},
		{"many items", "runfile.yaml", "a: [" + fill("a,", size) + "]", CodeLimit},
		{"many keys", "runfile.yaml", manyKeys.String(), CodeLimit},
		{"same key", "runfile.yaml", fill("a: b\n", size), CodeLimit},
		{"comments", "runfile.yaml", fill("#\n", size), CodeEmptyFile},
		{"blank lines", "runfile.yaml", fill("\n", size), CodeEmptyFile},
		{"too large", "runfile.yaml", "a: " + fill("x", maxFileSize), CodeLimit},
		{"long value", "runfile.yaml", "a: " + fill("x", maxScalar+1), CodeLimit},
		{"many long aliases", "runfile.yaml", "a: &a " + fill("x", 200_000) + "\nb: [" + fill("*a,", 3000) + "]", CodeLimit},
		{"long key", "runfile.yaml", fill("x", 2000) + ": 1", CodeSyntax}, // beyond what YAML takes for a key
		{"wide line", "runfile.yaml", "a: [" + fill("ä,", 300_000) + "]\nimage: [", CodeSyntax},
		{"open quote", "runfile.yaml", "a: \"" + fill("\\n", size), CodeSyntax},
		{"zero bytes", "runfile.yaml", fill("\x00", size), CodeNotText},
		{"latin 1", "runfile.yaml", "image: caf\xe9", CodeNotText},
		{"UTF-16", "runfile.yaml", "\xff\xfei\x00", CodeNotText},
		{"template doubling", "runfile.yaml", doubling + "containers: {a: {extends: t40}}\n", CodeLimit},
		{"extends many times", "runfile.yaml", "templates: {t: {env: [" + fill("a,", 2000) + "]}}\ncontainers: {a: {extends: [" + fill("t,", 300_000) + "]}}\n", CodeLimit},
		{"variable doubling", "runfile.yaml", variables + "image: x\n", CodeLimit},
		{"toml brackets", "runfile.toml", "a = " + fill("[", size), CodeLimit},
		{"toml inline tables", "runfile.toml", "a = " + fill("{a=", size), CodeLimit},
		{"toml dotted key", "runfile.toml", fill("a.", size) + "a = 1", CodeLimit},
		{"toml dotted header", "runfile.toml", "[" + fill("a.", size) + "a]", CodeLimit},
		{"toml depth by header and key", "runfile.toml", "[" + fill("a.", 80) + "a]\n" + fill("b.", 80) + "b=[[[[[[[[[[]]]]]]]]]]", CodeLimit},
		{"toml keys", "runfile.toml", manyTOMLKeys.String(), CodeLimit},
		{"toml items", "runfile.toml", "a = [" + fill("1,", size) + "]", CodeLimit},
		{"toml tables", "runfile.toml", fill("[[a]]\n", size), ""},
		{"toml comments", "runfile.toml", fill("#\n", size), CodeEmptyFile},
		{"toml long string", "runfile.toml", "a = '''" + fill("x\n", size), CodeSyntax},
	}
}

// TestHostile feeds what would take other readers minutes or gigabytes; each gives one error. The test binary's time
// limit is the measure.
func TestHostile(t *testing.T) {
	for _, tt := range hostileFiles() {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, tt.file), []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, d := Load(Options{Dir: dir, Repeatable: repeatable})
			if tt.code == "" && len(d) == 0 {
				return
			}
			if len(d) == 0 || d[len(d)-1].Code != tt.code && d[0].Code != tt.code {
				t.Fatalf("%d diagnostics, first: %.300s", len(d), texts(d))
			}
			if len(d) > maxFindings+10 {
				t.Errorf("%d diagnostics", len(d))
			}
		})
	}
}
