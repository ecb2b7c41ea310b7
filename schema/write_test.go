package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
)

// samples are values in their text form for rows of which any combination parses; rules between options are not
// applied here.
var samples = map[string][]string{
	"image":              {"alpine", "oci:/x y:v1", "localhost:5000/a@sha256:0123456789012345678901234567890123456789012345678901234567890123"},
	"user":               {"1000:1000", ":5", "root"},
	"memory":             {"64m", "6291457", "1g"},
	"cpus":               {"1.5", "0.01", "2"},
	"cpuset-cpus":        {"0", "0-3,5"},
	"hostname":           {"web", "007", "1e3", "no", "true", "null", "~x", "-"},
	"name":               {"web", "007", "on"},
	"label":              {"a=b", "a", "a=${X}", "a=x: y # z", "a=\"q\" \\ 'r'", "k=\u00e9\u4e16", "a={b}", "a=[1]", "n=\nx"},
	"env":                {"A=b", "A=$${X}", "A=$x ${Y:-z}", "A=\t", "B=", "C=\x7f", "D=&x *y !z", "RUNFILE_TEST_UNSET"},
	"publish":            {"8080:80", "80", "[::1]:80:80/udp", "1.2.3.4:90:5.6.7.8:90"},
	"network":            {"bridge", "back", "name=back,alias=a,ip=10.0.0.5", "container:x"},
	"volume":             {"/a b:/c:ro", "data:/x", "/anon", "/y:/z:rshared,z"},
	"tmpfs":              {"/run", "/run:size=1m,mode=755"},
	"ulimit":             {"nofile=5:6", "core=-1"},
	"security-opt":       {"no-new-privileges", "seccomp=unconfined"},
	"restart":            {"no", "always", "on-failure:3"},
	"stop-signal":        {"9", "RTMIN+3"},
	"stop-timeout":       {"0", "-1", "30"},
	"health-cmd":         {"a || b", "true", "echo \"x\""},
	"entrypoint":         {"", "/bin/sh", "a b"},
	"add-host":           {"a:1.2.3.4", "b:::1", "c:host-gateway"},
	"sysctl":             {"net.x=1", "kernel.sem=1 2 3"},
	"log-opt":            {"max-size=10m", "tag={{.Name}}/${X}"},
	"device":             {"/dev/null", "/dev/a:/dev/b:r"},
	"health-timeout":     {"1m30s", "0"},
	"ip6":                {"fd00::1"},
	"mac-address":        {"02:42:ac:11:00:02"},
	"dns-search":         {".", "a.test"},
	"mount":              {"type=tmpfs,target=/x,tmpfs-size=1m,tmpfs-mode=700", "type=bind,source=/a,dst=/b,ro,bind-recursive=readonly", "type=volume,src=v1,dst=/c,volume-opt=a=b,\"volume-label=x=y,z\""},
	"gpus":               {"all", "2", "\"device=0,1\",driver=x", "\"capabilities=a,b\",count=3"},
	"cpu-quota":          {"-1", "5000"},
	"device-cgroup-rule": {"c 1:2 r", "a *:* rwm"},
	"retries":            {"3"},
	"artifacts":          {"/out/*:/r/", "/a:/b"},
	"annotation":         {"a=b", "c"},
}

// strip removes positions and what is derived from files, for comparing projects.
func strip(t fataler, p *Project) string {
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

type fataler interface{ Fatal(args ...any) }

func dropPositions(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range []string{"at", "dir", "files"} {
			delete(v, k)
		}
		delete(v, "Text") // of an image on disk: the path has become absolute
		for _, x := range v {
			dropPositions(x)
		}
	case []any:
		for _, x := range v {
			dropPositions(x)
		}
	}
}

// reread writes p in a format and reads the result.
func reread(t fataler, dir string, p *Project, format string) (*Project, string, diag.List) {
	var b bytes.Buffer
	if err := WriteManifest(&b, p, format); err != nil {
		t.Fatal(err)
	}
	ext := format
	if format == "json" {
		ext = "yaml"
	}
	path := filepath.Join(dir, "runfile."+ext)
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	doc, diags := manifest.Load(manifest.Options{Files: []string{path}, Repeatable: Repeatable})
	again, more := Decode(doc)
	return again, b.String(), append(diags, more...)
}

// TestWriteManifest demands that what is written reads as an equal project, in all formats, whatever the values.
func TestWriteManifest(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		p := &Project{Name: "shop"}
		for i := range rapid.IntRange(1, 3).Draw(t, "containers") {
			p.Containers = append(p.Containers, drawContainer(t, fmt.Sprintf("c%d.x", i)))
		}
		p.addImplicit()
		for _, format := range []string{"yaml", "toml", "json"} {
			again, text, diags := reread(t, dir, p, format)
			diags = slices.DeleteFunc(diags, func(d diag.Diagnostic) bool { // rules between options
				return d.Severity == diag.Warning || isRuleCode(d.Code)
			})
			if len(diags) > 0 {
				t.Fatalf("%v\n%s", diags, text)
			}
			if got, want := strip(t, again), strip(t, p); got != want {
				t.Fatalf("%s differs\n%s\ngot  %s\nwant %s", format, text, got, want)
			}
		}
	})
}

func isRuleCode(c diag.Code) bool {
	return slices.ContainsFunc(ruleCodes, func(i diag.Info) bool { return i.Code == c })
}

func drawContainer(t *rapid.T, key string) *Container {
	c := &Container{Key: key}
	for i := range rows {
		r := &rows[i]
		if r.Name != "image" && !rapid.Bool().Draw(t, r.Name) || strings.HasSuffix(r.Name, "-file") || r.Kind == Object || r.OS == windows || r.Name == "help" {
			continue
		}
		texts := samples[r.Name]
		if texts == nil {
			texts = []string{r.Example}
		}
		if r.Name == "command" {
			c.Process.Command = Opt[[]string]{Value: rapid.SliceOfN(rapid.String(), 1, 4).Draw(t, "command"), Set: true}
			for _, a := range c.Process.Command.Value {
				if strings.ContainsRune(a, 0) || strings.ToValidUTF8(a, "") != a || hasControl(a) {
					c.Process.Command.Value = []string{"echo"}
				}
			}
			continue
		}
		count := 1
		if r.Kind == List || r.Kind == Map {
			count = rapid.IntRange(1, len(texts)).Draw(t, "entries")
		}
		for range count {
			text := rapid.SampledFrom(texts).Draw(t, r.Name+" value")
			if err := r.flag(c, text, diag.Range{}); err != nil {
				t.Fatal(r.Name, text, err)
			}
		}
	}
	d := &decoder{dir: os.TempDir(), env: func(string) (string, bool) { return "", false }}
	d.finish(c)
	return c
}

// hasControl finds characters that JSON and YAML have no common escape for.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r > 0xffff && !unicode.IsPrint(r) })
}

// TestWriteGood writes the fixture that uses every option and reads it again.
func TestWriteGood(t *testing.T) {
	t.Setenv("D", "x")
	for _, name := range []string{"all.yaml"} {
		p, l := load(t, filepath.Join("testdata/good", name))
		if l.HasErrors() {
			t.Fatal(l)
		}
		for _, format := range []string{"yaml", "toml", "json"} {
			again, text, l := reread(t, t.TempDir(), p, format)
			if l.HasErrors() {
				t.Fatalf("%v\n%s", l, text)
			}
			if got, want := strip(t, again), strip(t, p); got != want {
				t.Errorf("%s differs\n%s\ngot  %s\nwant %s", format, text, got, want)
			}
		}
	}
	if err := WriteManifest(&bytes.Buffer{}, &Project{}, "xml"); err == nil {
		t.Error("xml is taken for a format")
	}
}
