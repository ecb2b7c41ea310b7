package gen_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/gen"
	"github.com/runfile/runfile/schema/value"
)

// TestTopics: every key has one topic, with an example that is valid and says the same in YAML and TOML.
func TestTopics(t *testing.T) {
	s := compiled(t)
	seen := map[string]bool{}
	for _, topic := range gen.Topics() {
		if seen[topic.Name] || topic.Name == "" || topic.Heading == "" || topic.Kind == "" || topic.Summary() == "" {
			t.Errorf("%q: twice, or without heading, kind or summary: %+v", topic.Name, topic)
		}
		seen[topic.Name] = true
		fromYAML, d1 := manifest.ParseYAML("runfile.yaml", []byte(topic.YAML))
		fromTOML, d2 := manifest.ParseTOML("runfile.toml", []byte(topic.TOML))
		if d1.HasErrors() || d2.HasErrors() || !sameTree(fromYAML, fromTOML) {
			t.Errorf("%s: %v %v\n%s\n%s", topic.Name, d1, d2, topic.YAML, topic.TOML)
		}
		text := strings.ReplaceAll(topic.YAML, "NAME", "name") + "\n"
		if !strings.Contains(text, "containers:") && topic.Name != "image" {
			text += "image: alpine\n"
		}
		root, diags := manifest.ParseYAML("runfile.yaml", []byte(text))
		if diags.HasErrors() {
			t.Errorf("%s: %v\n%s", topic.Name, diags, text)
			continue
		}
		if err := s.Validate(toJSON(root)); err != nil {
			t.Errorf("%s: %v\n%s", topic.Name, err, text)
		}
	}
	for _, o := range schema.Options() {
		if !seen[o.Name] {
			t.Errorf("the option %s is no topic", o.Name)
		}
	}
	for _, k := range []string{"version", "policy", "networks.subnet", "volumes.opt", "secrets.env", "vars.enum", "extends"} {
		if !seen[k] {
			t.Errorf("%s is no topic", k)
		}
	}
}

// sameTree compares what two trees say; numbers with a point are text in TOML, which keeps 1.10 as it is.
func sameTree(a, b *manifest.Node) bool {
	if a.Kind != b.Kind || a.Text != b.Text || len(a.Items) != len(b.Items) || len(a.Entries) != len(b.Entries) {
		return false
	}
	for i := range a.Items {
		if !sameTree(a.Items[i], b.Items[i]) {
			return false
		}
	}
	for _, e := range a.Entries {
		if other := b.Get(e.Key); other == nil || !sameTree(e.Value, other) {
			return false
		}
	}
	return true
}

// TestFlagExamples: what a topic shows as a flag of runfile run is one, and means the example.
func TestFlagExamples(t *testing.T) {
	flags := 0
	for _, topic := range gen.Topics() {
		if topic.Flag == "" || topic.Option.Kind == schema.Object {
			continue
		}
		flags++
		args, err := value.SplitCommand(topic.Flag)
		if err != nil {
			t.Fatal(topic.Flag, err)
		}
		c, parsed, diags := schema.FromFlags(append(args, "alpine"), "/")
		name := topic.Option.Name
		diags = slices.DeleteFunc(diags, func(d diag.Diagnostic) bool { return strings.Contains(d.Summary, "cannot read") })
		if diags.HasErrors() || len(schema.Values(c, name)) == 0 && topic.Option.Kind != schema.Switch && !parsed.Help {
			t.Errorf("%s: %v %v", topic.Flag, diags, schema.Values(c, name))
		}
	}
	if flags < 90 {
		t.Errorf("only %d flags", flags)
	}
}

// TestNeeds: an option that says what it needs is refused, or warned of, without it, and not with it.
func TestNeeds(t *testing.T) {
	checked := 0
	for _, o := range schema.Options() {
		if o.Needs == "" {
			continue
		}
		checked++
		other, ok := schema.Lookup(o.Needs)
		if !ok {
			t.Errorf("%s needs %q, which is no option", o.Name, o.Needs)
			continue
		}
		mentions := func(text string) bool {
			p := decoded(t, "image: alpine\n"+text)
			return slices.ContainsFunc(schema.Check(p), func(d diag.Diagnostic) bool {
				return strings.Contains(d.Summary, o.Name) && strings.Contains(d.Summary+strings.Join(d.Help, " "), o.Needs)
			})
		}
		line := o.Line() + "\n"
		if !mentions(line) || mentions(line+other.Line()+"\n") {
			t.Errorf("%s needs %s: without it %v, with it %v", o.Name, o.Needs, mentions(line), mentions(line+other.Line()+"\n"))
		}
	}
	if checked == 0 {
		t.Error("no option needs another")
	}
}

// decoded is the project of a text that has no mistakes of its own.
func decoded(t *testing.T, text string) *schema.Project {
	t.Helper()
	path := filepath.Join(t.TempDir(), "runfile.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	doc, diags := manifest.Load(manifest.Options{Files: []string{path}, Repeatable: schema.Repeatable})
	p, more := schema.Decode(doc)
	if diags = append(diags, more...); diags.HasErrors() && !slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == schema.CodeNeeds }) {
		t.Fatal(text, diags)
	}
	return p
}
