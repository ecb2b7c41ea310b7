package convert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/planner/convert/shell"
	"github.com/runfile/runfile/schema"
)

// samples are values for options whose example is not enough; any combination of them is drawn, and what docker would
// refuse is left out by the converter. svc is a service that every drawn project begins with.
var samples = map[string][]string{
	"image":        {"alpine", "localhost:5000/team/a:v1", "nginx@sha256:0123456789012345678901234567890123456789012345678901234567890123"},
	"env":          {"A=b", "A=$x ${Y:-z}", "B=", "C=a b'c\"d\\e", "D=$(id) `id` \t é世", "RUNFILE_TEST_UNSET", "HOME", "E=\nx"},
	"label":        {"a=b", "a", "a=${X}", "a=x: y # z", "a=$$", "k=~"},
	"env-file":     {"file.env"},
	"label-file":   {"file.env"},
	"name":         {"web", "on", "007"},
	"link":         {"svc:alias", "svc"},
	"volumes-from": {"svc", "svc:ro"},
	"network":      {"bridge", "back", "front", "name=back,alias=a", "container:svc", "host"},
	"pid":          {"host", "container:svc"},
	"publish":      {"8080:80", "80", "[::1]:81:80/udp", "9000-9002:9000-9002"},
	"volume":       {"/a b:/c:ro", "data:/x", "/anon", "/y:/z:rshared,z", ".:/here", "./sub:/sub"},
	"entrypoint":   {"", "/bin/sh", "a b"},
	"health-cmd":   {"a || b", "true", "echo \"x\""},
	"restart":      {"no", "always", "on-failure:3", "unless-stopped"},
	"stop-timeout": {"0", "-1", "30"},
	"cidfile":      {"./a.cid", "/tmp/b.cid"},
	"log-opt":      {"max-size=10m", "tag={{.Name}}/${X}"},
}

// drawLine draws a docker run line over the whole option table.
func drawLine(t *rapid.T, o []schema.Option) string {
	words := []string{"docker", "run"}
	for _, row := range o {
		if row.NoFlag || row.Own || rapid.IntRange(0, 3).Draw(t, row.Name) != 0 {
			continue
		}
		texts := samples[row.Name]
		if texts == nil {
			texts = []string{row.Example}
		}
		count := 1
		if row.Kind == schema.List || row.Kind == schema.Map {
			count = rapid.IntRange(1, len(texts)).Draw(t, "entries")
		}
		for range count {
			text := rapid.SampledFrom(texts).Draw(t, row.Name+" value")
			switch {
			case row.Kind == schema.Switch:
				words = append(words, "--"+row.Name)
			case row.Short != "" && rapid.Bool().Draw(t, "short"):
				words = append(words, "-"+row.Short, text)
			default:
				words = append(words, "--"+row.Name+"="+text)
			}
		}
	}
	words = append(words, rapid.SampledFrom(samples["image"]).Draw(t, "image"))
	words = append(words, rapid.SliceOfN(rapid.SampledFrom([]string{"sh", "-c", "a 'b'", "$x", "${y}", "", "--flag=1", "*", "a\\b"}), 0, 3).Draw(t, "args")...)
	for i, w := range words {
		words[i] = shell.Quote(w)
	}
	return strings.Join(words, " ")
}

// noMask hides nothing.
var noMask = schema.Mask{Secret: func(string) bool { return false }}

// TestRoundTrip: docker run lines become a runfile, that a script, that the same runfile again.
func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file.env"), []byte("X=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	options := schema.Options()
	rapid.Check(t, func(t *rapid.T) {
		lines := "docker run -d --name svc busybox\n"
		for range rapid.IntRange(1, 3).Draw(t, "lines") {
			lines += drawLine(t, options) + "\n"
		}
		first := DockerRun("in.sh", []byte(lines), dir)
		if first.Project == nil {
			t.Fatalf("%v\n%s", first.Diags, lines)
		}
		again := roundTrip(t, dir, lines, first)
		for _, c := range first.Project.Containers { // what the script says so that it works
			if !c.Metadata.Name.Set {
				c.Metadata.Name = schema.Opt[string]{Value: c.Key, Set: true}
			}
			if c.IsService() {
				c.Stdio.Attach = nil
			}
			c.Lifecycle.Detach = schema.Opt[bool]{Value: c.IsService(), Set: c.IsService()}
		}
		if got, want := strip(t, again.Project), strip(t, first.Project); got != want {
			t.Fatalf("%s\ndiffers\n%s", lines, firstDifference(want, got))
		}
	})
}

func roundTrip(t *rapid.T, dir, lines string, first *Result) *Result {
	for _, format := range []string{"toml", "json"} {
		if l := check(t, dir, first, format); len(l) > 0 {
			t.Fatalf("%s: %v\n%s", format, l, lines)
		}
	}
	p, l := read(t, dir, first, "yaml")
	if l.HasErrors() {
		t.Fatalf("%v\n%s", l, lines)
	}
	var script bytes.Buffer
	unsaid, err := Script(&script, p, noMask)
	if err != nil || script.Len() == 0 {
		t.Fatal(err, unsaid, lines)
	}
	again := DockerRun("out.sh", script.Bytes(), dir)
	if again.Project == nil || again.Lost {
		t.Fatalf("%s\nbecame\n%s\nwhich is not carried: %v", lines, &script, again.Diags)
	}
	return again
}

type fataler interface{ Fatal(args ...any) }

// read writes a result and reads it as runfile does.
func read(t fataler, dir string, r *Result, format string) (*schema.Project, diag.List) {
	var b bytes.Buffer
	if err := r.Write(&b, format); err != nil {
		t.Fatal(err)
	}
	return load(t, dir, b.Bytes())
}

// check returns the errors of a result in a format, apart from variables that need a value.
func check(t fataler, dir string, r *Result, format string) diag.List {
	_, l := read(t, dir, r, format)
	return slices.DeleteFunc(l, func(d diag.Diagnostic) bool {
		return d.Severity == diag.Warning || d.Code == manifest.CodeMissingVariable || d.Code == manifest.CodeUndefinedVariable ||
			d.Code == schema.CodeBadFile
	})
}

// strip is a project without positions and without what is derived from files.
func strip(t fataler, p *schema.Project) string {
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	dropPositions(tree)
	out, err := json.MarshalIndent(tree, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func dropPositions(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range []string{"at", "dir", "files", "Text"} {
			delete(v, k)
		}
		for _, x := range v {
			dropPositions(x)
		}
	case []any:
		for _, x := range v {
			dropPositions(x)
		}
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			from := max(0, i-6)
			return fmt.Sprintf("want %s\ngot  %s", strings.Join(w[from:min(len(w), i+6)], "\n     "), strings.Join(g[from:min(len(g), i+6)], "\n     "))
		}
	}
	return "in length"
}

// load reads a runfile.
func load(_ fataler, dir string, text []byte) (*schema.Project, diag.List) {
	doc, diags := manifest.Load(manifest.Options{Files: []string{"-"}, Stdin: bytes.NewReader(text), Dir: dir, Repeatable: schema.Repeatable})
	p, more := schema.Decode(doc)
	return p, slices.Concat(diags, more)
}
