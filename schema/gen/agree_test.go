package gen_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/gen"
)

// compiled is the schema as an editor sees it.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := gen.JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("runfile.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("runfile.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// value turns a tree into what encoding/json would have made of it.
func toJSON(n *manifest.Node) any {
	switch n.Kind {
	case manifest.Null:
		return nil
	case manifest.List:
		out := []any{}
		for _, i := range n.Items {
			out = append(out, toJSON(i))
		}
		return out
	case manifest.Map:
		out := map[string]any{}
		for _, e := range n.Entries {
			out[e.Key] = toJSON(e.Value)
		}
		return out
	case manifest.Scalar:
	}
	switch n.Type {
	case manifest.Bool:
		return strings.EqualFold(n.Text, "true")
	case manifest.Int, manifest.Float:
		if _, err := strconv.ParseFloat(n.Text, 64); err == nil {
			return json.Number(n.Text)
		}
	case manifest.String:
	}
	return n.Text
}

// acrossCodes are mistakes between several keys, in other files, or of the host's. No schema sees them.
var acrossCodes = []diag.Code{
	schema.CodeNotYet, schema.CodeNoContainers, schema.CodeNoImage, schema.CodeBadFile, schema.CodeEnvFileLine, schema.CodeConflict,
	schema.CodeNetworkMode, schema.CodeNeeds, schema.CodeDuplicateName, schema.CodeDuplicateTarget, schema.CodeDuplicateEntry,
	schema.CodeDuplicatePort, schema.CodeDuplicateAddress, schema.CodeBadAddress, schema.CodeBadLogOption, schema.CodeSelfReference,
	schema.CodeWrongReference, schema.CodeBadCondition, schema.CodeTwoTerminals, schema.CodePlatform,
}

// TestAgreement demands that the schema refuses no file that Decode takes, and refuses every file with a mistake in one
// key or its value.
func TestAgreement(t *testing.T) {
	s := compiled(t)
	var files []string
	for _, dir := range []string{"errors", "good"} {
		found, err := filepath.Glob(filepath.Join("..", "testdata", dir, "*.*"))
		if err != nil || len(found) == 0 {
			t.Fatal(dir, err)
		}
		files = append(files, found...)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			agree(t, s, path)
		})
	}
}

func agree(t *testing.T, s *jsonschema.Schema, path string) {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	root, diags := parse(path, src)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	inFile := func(summary string) bool { return strings.Contains(summary, "the seccomp profile's") }
	if complaint := disagreement(s, path, root, inFile); complaint != "" {
		t.Error(complaint)
	}
}

// parse reads a file in the format that its name tells.
func parse(path string, src []byte) (*manifest.Node, diag.List) {
	if filepath.Ext(path) == ".toml" {
		return manifest.ParseTOML(path, src)
	}
	return manifest.ParseYAML(path, src)
}

// disagreement says how the schema and the decoder differ about a file on disk whose tree is root, "" if they agree. What
// is excused is no mistake for the schema.
func disagreement(s *jsonschema.Schema, path string, root *manifest.Node, excused func(summary string) bool) string {
	doc, diags := manifest.Load(manifest.Options{Files: []string{path}, Repeatable: schema.Repeatable})
	_, more := schema.Decode(doc)
	diags = append(diags, more...)
	refusal := s.Validate(toJSON(root))
	inOneKey := slices.IndexFunc(diags, func(d diag.Diagnostic) bool {
		return d.Severity == diag.Error && !slices.Contains(acrossCodes, d.Code) && !excused(d.Summary)
	})
	switch {
	case refusal != nil && !diags.HasErrors():
		return fmt.Sprintf("the schema refuses what the decoder takes: %v", refusal)
	case refusal == nil && inOneKey >= 0:
		return fmt.Sprintf("the schema takes what the decoder refuses: %v", diags[inOneKey])
	}
	return ""
}

// TestExamplesMatchSchema demands that the example of each option is valid, alone in a file.
func TestExamplesMatchSchema(t *testing.T) {
	s := compiled(t)
	for _, o := range schema.Options() {
		text := "image: alpine\n" + o.Line() + "\n"
		if o.Name == "image" {
			text = o.Line() + "\n"
		}
		root, diags := manifest.ParseYAML("runfile.yaml", []byte(text))
		if diags.HasErrors() {
			t.Errorf("%s: %v", text, diags)
			continue
		}
		if err := s.Validate(toJSON(root)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestExampleFilesMatchSchema: an editor has nothing against the runfiles that people copy.
func TestExampleFilesMatchSchema(t *testing.T) {
	s := compiled(t)
	found, err := filepath.Glob(filepath.Join("..", "..", "examples", "*", "runfile.yaml"))
	if err != nil || len(found) < 6 {
		t.Fatal(found, err)
	}
	for _, path := range found {
		twin := filepath.Join(filepath.Dir(path), "toml", "runfile.toml")
		for name, parse := range map[string]func(string, []byte) (*manifest.Node, diag.List){path: manifest.ParseYAML, twin: manifest.ParseTOML} {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			root, diags := parse(name, text)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if err := s.Validate(toJSON(root)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestSchemaDescribesKeys: an editor has words and an example for every key of a file, of a container, of the sections, of
// vars and of include, and words for every key of a value that is a map.
func TestSchemaDescribesKeys(t *testing.T) {
	text, err := gen.JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	var root struct{ Definitions map[string]map[string]any }
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	count := 0
	var walk func(path string, tree any)
	walk = func(path string, tree any) {
		m, _ := tree.(map[string]any)
		if list, ok := tree.([]any); ok {
			for _, item := range list {
				walk(path, item)
			}
		}
		for name, p := range m {
			keys, _ := p.(map[string]any)
			if name != "properties" {
				walk(path, p)
				continue
			}
			for key, p := range keys {
				p, _ := p.(map[string]any)
				target, isRef := p["$ref"].(string)
				if isRef {
					p = root.Definitions[strings.TrimPrefix(target, "#/definitions/")]
				}
				for _, word := range []string{"description", "markdownDescription", "examples"} {
					if p[word] == nil && (word == "description" || !strings.HasPrefix(path, "option-")) {
						t.Errorf("%s.%s has no %s", path, key, word)
					}
				}
				count++
				if !isRef {
					walk(path+"."+key, p)
				}
			}
		}
	}
	for name, d := range root.Definitions {
		walk(name, d)
	}
	if count < 350 {
		t.Errorf("only %d keys", count)
	}
}

// TestLongPatternsHaveWords: nobody wants to read an expression of two thousand letters in an editor.
func TestLongPatternsHaveWords(t *testing.T) {
	text, err := gen.JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	var root any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	found := 0
	var walk func(path string, tree any)
	walk = func(path string, tree any) {
		switch tree := tree.(type) {
		case []any:
			for _, item := range tree {
				walk(path, item)
			}
		case map[string]any:
			p, _ := tree["pattern"].(string)
			words, _ := tree["patternErrorMessage"].(string)
			if len(p) > 100 {
				found++
				if len(words) < len("write x") {
					t.Errorf("%s: the pattern of %d bytes has no words", path, len(p))
				}
			}
			for key, v := range tree {
				if key != "not" {
					walk(path+"."+key, v)
				}
			}
		}
	}
	walk("", root)
	if found < 20 {
		t.Errorf("only %d long patterns", found)
	}
}

// TestVariablesMatchSchema demands that a variable may stand for any value.
func TestVariablesMatchSchema(t *testing.T) {
	s := compiled(t)
	for _, o := range schema.Options() {
		if o.Kind == schema.Object {
			continue
		}
		root := map[string]any{"image": "alpine", o.Name: "${X}"}
		if err := s.Validate(root); err != nil {
			t.Errorf("%s: %v", o.Name, err)
		}
	}
}
