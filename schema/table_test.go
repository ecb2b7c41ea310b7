package schema

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/manifest/diag/diagtest"
)

// load reads a runfile as the commands do.
func load(t testing.TB, path string) (*Project, diag.List) {
	t.Helper()
	p, _, diags := loadAll(path)
	return p, diags
}

func loadAll(path string) (*Project, diag.Sources, diag.List) {
	doc, diags := manifest.Load(manifest.Options{
		Files: []string{path}, Repeatable: Repeatable,
		LookupEnv: func(name string) (string, bool) { return "/home/me", name == "HOME" },
	})
	if diags.HasErrors() && doc.Root.Get("containers") == nil {
		return nil, doc.Sources, diags
	}
	p, more := Decode(doc)
	return p, doc.Sources, append(diags, more...)
}

// loadFixture is load for diagtest.
func loadFixture(path string) (diag.List, diag.Sources) {
	_, sources, diags := loadAll(path)
	return diags, sources
}

// loadText reads a runfile from text.
func loadText(t testing.TB, name, text string) (*Project, diag.List) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return load(t, path)
}

var helpLine = regexp.MustCompile(`^  (?:-(\w), |    )--([a-z0-9-]+)(=\S+)?(?: (\S+))?\s{2,}(.*)$`)

// referenceHelp parses docker run's help text.
func referenceHelp(t *testing.T) []usageLine {
	t.Helper()
	src, err := os.ReadFile("testdata/docker-run-help.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []usageLine
	_, options, _ := strings.Cut(string(src), "Options:\n")
	for line := range strings.SplitSeq(strings.TrimRight(options, "\n"), "\n") {
		m := helpLine.FindStringSubmatch(line)
		if m == nil {
			out[len(out)-1].help += "\n" + strings.TrimSpace(line)
			continue
		}
		out = append(out, usageLine{name: m[2], short: m[1], arg: m[3] + m[4], help: m[5]})
	}
	return out
}

// full is the help as docker prints it, with the default behind the first line.
func (l usageLine) full() string {
	if l.def == "" {
		return l.help
	}
	first, rest, more := strings.Cut(l.help, "\n")
	first += " (default " + l.def + ")"
	if more {
		return first + "\n" + rest
	}
	return first
}

// TestReference demands that every option of docker run's reference is a row under the same name, letter, argument word
// and sentence, and in the same order.
func TestReference(t *testing.T) {
	ours := map[string]usageLine{}
	for _, r := range rows {
		ours[r.Name] = usageLine{r.Name, r.Short, r.Arg, r.Help, r.Default, r.Own}
	}
	reference := referenceHelp(t)
	if len(reference) != 94 {
		t.Fatalf("the reference has %d options, want 94", len(reference))
	}
	for i, want := range reference {
		got, ok := ours[want.name]
		if !ok {
			t.Errorf("%s of the reference has no row", want.name)
			continue
		}
		if got.short != want.short || got.arg != want.arg || got.full() != want.help {
			t.Errorf("%s\n got %q %q %q\nwant %q %q %q", want.name, got.short, got.arg, got.full(), want.short, want.arg, want.help)
		}
		if referenceOrder[i] != want.name {
			t.Errorf("place %d is %s, want %s", i, referenceOrder[i], want.name)
		}
	}
}

func TestTableInvariants(t *testing.T) {
	names, shorts := map[string]bool{}, map[string]string{}
	form := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for _, r := range rows {
		for _, n := range append([]string{r.Name}, r.Aliases...) {
			if names[n] || !form.MatchString(n) {
				t.Errorf("name %q is taken or not kebab-case", n)
			}
			names[n] = true
		}
		if r.Short != "" {
			if len(r.Short) != 1 || shorts[r.Short] != "" {
				t.Errorf("%s: -%s is taken by %s", r.Name, r.Short, shorts[r.Short])
			}
			shorts[r.Short] = r.Name
		}
		switch {
		case r.Group == "" || r.Help == "" || r.Example == "" || r.Schema == nil:
			t.Errorf("%s: group, help, example and schema are needed", r.Name)
		case (r.Kind == Switch) != (r.Arg == ""):
			t.Errorf("%s: a switch has no argument word, anything else has one", r.Name)
		case (r.Ref == "") != (r.refs == nil):
			t.Errorf("%s: a reference kind and its function belong together", r.Name)
		case r.Syntax == "":
			t.Errorf("%s: the syntax is missing", r.Name)
		}
	}
	for from, to := range foreign {
		if to != "" && rowByName[to] == nil {
			t.Errorf("foreign key %s leads to %s, which does not exist", from, to)
		}
		if rowByName[from] != nil {
			t.Errorf("foreign key %s is one of ours", from)
		}
	}
}

// exampleOf is a container with nothing but the example of an option, on line 4.
func exampleOf(t *testing.T, r row[Container]) *Container {
	t.Helper()
	text := "networks: {backend: {}}\ncontainers:\n  x:\n    " + r.Line() + "\n"
	if r.Name != "image" {
		text += "    image: alpine\n"
	}
	doc, d1 := manifest.ParseYAML("runfile.yaml", []byte(text))
	if d1.HasErrors() {
		t.Fatal(d1)
	}
	d := &decoder{who: "container", dir: t.TempDir(), env: lookupEnv}
	c := &Container{Key: "x"}
	if r.OS == windows {
		c.Image.Platform = Opt[string]{Value: "windows/amd64", Set: true}
	}
	d.options(c, doc.Get("containers").Get("x"))
	if d.diags.HasErrors() {
		t.Fatal(d.diags)
	}
	return c
}

// TestEveryFieldHasARow catches fields that no option fills, which is what a forgotten row leaves behind.
func TestEveryFieldHasARow(t *testing.T) {
	filled := map[string]bool{}
	for _, r := range rows {
		eachField(reflect.ValueOf(exampleOf(t, r)).Elem(), func(name string, field reflect.Value) {
			filled[name] = filled[name] || !field.IsZero()
		})
	}
	if len(filled) < len(rows) {
		t.Errorf("%d fields for %d rows", len(filled), len(rows))
	}
	for name, ok := range filled {
		if !ok && name != "Namespaces.Remap" { // policy.userns-remap
			t.Errorf("field Container.%s: no row of the table fills it", name)
		}
	}
}

// eachField visits the fields that hold the values of options: those of type Opt and Items in the groups of a container.
func eachField(container reflect.Value, visit func(name string, field reflect.Value)) {
	for group, v := range container.Fields() {
		if v.Kind() != reflect.Struct {
			continue
		}
		for f, field := range v.Fields() {
			if kind, _, _ := strings.Cut(f.Type.Name(), "["); kind == "Opt" || kind == "Items" {
				visit(group.Name+"."+f.Name, field)
			}
		}
	}
}

// TestExampleHasEffect catches options that are parsed and then dropped: each example must parse in a manifest and be
// found again in the container, in its canonical text and in a written manifest.
func TestExampleHasEffect(t *testing.T) {
	for _, r := range rows {
		t.Run(r.Name, func(t *testing.T) {
			c := exampleOf(t, r)
			values := Values(c, r.Name)
			if len(values) == 0 || values[0].At.Start.Line != 4 {
				t.Fatalf("values are %+v", values)
			}
			if got := Canonical(c)[r.Name]; (got == "") != (r.NoDiff || r.isDefault(values[0].Text)) {
				t.Errorf("canonical text is %q", got)
			}
			if !slices.ContainsFunc(containerTree(c), func(m member) bool { return m.key == r.Name }) {
				t.Errorf("not written")
			}
			if (len(r.refs0(c)) == 0) == (r.Ref != "") && r.Ref != "network" && r.Ref != "pid" && r.Ref != "ipc" {
				t.Errorf("reference kind %q, references %v", r.Ref, r.refs0(c))
			}
		})
	}
}

func (r row[C]) refs0(c *C) []Value {
	if r.refs == nil {
		return nil
	}
	return r.refs(c)
}

func TestFixtures(t *testing.T) {
	for _, dir := range []string{"testdata/errors", "testdata/good"} {
		diagtest.Run(t, dir, loadFixture)
	}
}

func TestCodeExamples(t *testing.T) {
	diagtest.Examples(t, loadFixture)
}

func TestReferences(t *testing.T) {
	p, l := loadText(t, "runfile.yaml", `containers:
  web:
    image: alpine
    link: ["db:x", cache]
    volumes-from: data:ro
    network: container:db
    pid: container:db
    ipc: container:cache
    depends-on: {db: {condition: created}}
`)
	for _, d := range l {
		if d.Code != CodeNetworkMode { // link with container:
			t.Error(d)
		}
	}
	var got []string
	for _, r := range References(p.Containers[0]) {
		got = append(got, r.Kind+" "+r.Target)
	}
	want := []string{"ipc cache", "link db", "link cache", "network db", "pid db", "volumes-from data", "depends-on db"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// yamlOnly are fixtures about what only YAML can say.
var yamlOnly = []string{"item_ends_with_colon", "typed_commas_in_list", "typed_nothing", "value_missing"}

// TestTextsAreParagraphs: what is added to docker's sentences has no line breaks of its own; pages and terminals wrap it.
func TestTextsAreParagraphs(t *testing.T) {
	all := Options()
	for _, s := range Sections() {
		all = append(all, s.Options...)
	}
	for _, o := range all {
		if strings.Contains(strings.ReplaceAll(o.Doc, "\n\n", ""), "\n") {
			t.Errorf("%s: a line break in %q", o.Name, o.Doc)
		}
	}
}

// TestFixturesHaveTwins demands that the same mistakes are found in both formats.
func TestFixturesHaveTwins(t *testing.T) {
	codes := func(path string) []string {
		_, l := load(t, path)
		var out []string
		for _, d := range l {
			out = append(out, d.Severity.String()+" "+string(d.Code))
		}
		slices.Sort(out)
		return out
	}
	for _, path := range diagtest.Fixtures(t, "testdata/errors") {
		base, ext := strings.TrimSuffix(path, filepath.Ext(path)), filepath.Ext(path)
		if slices.Contains(yamlOnly, filepath.Base(base)) {
			continue
		}
		other := base + map[string]string{".yaml": ".toml", ".toml": ".yaml"}[ext]
		if a, b := codes(path), codes(other); !slices.Equal(a, b) {
			t.Errorf("%s gives\n%q, its twin\n%q", path, a, b)
		}
	}
}
