package gen_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"pgregory.net/rapid"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/schema"
)

// pool are values of each option as trees: those of the fixtures, good and bad, its example, and what it completes.
func pool(t *testing.T) map[string][]any {
	t.Helper()
	out := map[string][]any{}
	for _, o := range schema.Options() {
		root, _ := manifest.ParseYAML("example", []byte(o.Line()))
		for _, e := range root.Entries {
			out[o.Name] = append(out[o.Name], writable(toJSON(e.Value)))
		}
		for _, w := range o.Words {
			out[o.Name] = append(out[o.Name], w)
		}
	}
	files, err := filepath.Glob(filepath.Join("..", "testdata", "*", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		root, diags := manifest.ParseYAML(path, text)
		if diags.HasErrors() {
			continue
		}
		maps := []*manifest.Node{root}
		if all := root.Get("containers"); all != nil {
			for _, e := range all.Entries {
				maps = append(maps, e.Value)
			}
		}
		for _, m := range maps {
			for _, e := range m.Entries {
				if out[e.Key] != nil {
					out[e.Key] = append(out[e.Key], writable(toJSON(e.Value)))
				}
			}
		}
	}
	return out
}

// writable turns numbers that only YAML knows, such as 0027, into text.
func writable(v any) any {
	switch v := v.(type) {
	case json.Number:
		if !json.Valid([]byte(v)) {
			return string(v)
		}
	case []any:
		for i := range v {
			v[i] = writable(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = writable(v[key])
		}
	}
	return v
}

// drawValue is a value of the pool, whole, spoilt or in another shape.
func drawValue(t *rapid.T, values map[string][]any, names []string, name string) any {
	how := rapid.IntRange(0, 9).Draw(t, "how")
	if how == 0 {
		name = rapid.SampledFrom(names).Draw(t, "other")
	}
	v := rapid.SampledFrom(values[name]).Draw(t, "value")
	switch text, isText := v.(string); {
	case how == 1:
		return []any{v}
	case how == 2:
		return map[string]any{"a": v}
	case how < 7 && isText:
		at := rapid.IntRange(0, len(text)).Draw(t, "at")
		to := min(at+rapid.IntRange(0, 1).Draw(t, "without"), len(text))
		with := rapid.SampledFrom(strings.Split(" ,:,/,=,-,+,.,0,9,a,Z,k,*,,,x86,\t,é", ",")).Draw(t, "with")
		return strings.ToValidUTF8(text[:at]+with+text[to:], "")
	}
	return v
}

// beyondWords are the mistakes inside one value that a schema cannot see: it would have to compute, to compare two numbers
// or to split a command. It takes nothing for a value because a variable may be empty.
var beyondWords = regexp.MustCompile(`soft limit|runs backwards|host bits set|less than the |less than 1ms|nine digits|more bytes than|` +
	`"[0-9]" is not a name|path of Windows|a word of compose|begins with an empty text|needs a shell|quotes or brackets|` +
	`not a regular expression|an entry is empty|there is no command|this is the text ""`)

// TestAgreementOnRandomDocuments demands of documents in both formats what TestAgreement demands of the fixtures.
func TestAgreementOnRandomDocuments(t *testing.T) {
	s := compiled(t)
	values := pool(t)
	var names []string
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		c := map[string]any{"image": "alpine"}
		for range rapid.IntRange(1, 3).Draw(t, "options") {
			name := rapid.SampledFrom(names).Draw(t, "option")
			c[name] = drawValue(t, values, names, name)
		}
		doc := map[string]any{"containers": map[string]any{"a": c, "db": map[string]any{"image": "alpine"}}}
		if rapid.Bool().Draw(t, "single") {
			doc = c
		}
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string][]byte{"runfile.yaml": text, "runfile.toml": asTOML(doc)} {
			if text == nil {
				continue
			}
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			root, diags := parse(path, text)
			if diags.HasErrors() {
				continue
			}
			if complaint := disagreement(s, path, root, beyondWords.MatchString); complaint != "" {
				t.Fatalf("%s\n%s", complaint, text)
			}
		}
	})
}

// asTOML writes a document as TOML, nil if it has a null, which TOML does not know.
func asTOML(doc map[string]any) []byte {
	plain, ok := withoutNumbers(doc)
	if !ok {
		return nil
	}
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(plain); err != nil {
		return nil // such as a list with maps and texts
	}
	return b.Bytes()
}

// withoutNumbers turns json.Number into Go's numbers; ok is false for a null.
func withoutNumbers(v any) (out any, ok bool) {
	switch v := v.(type) {
	case nil:
		return nil, false
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, true
		}
		f, err := v.Float64()
		return f, err == nil
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			if list[i], ok = withoutNumbers(item); !ok {
				return nil, false
			}
		}
		return list, true
	case map[string]any:
		m := map[string]any{}
		for k, item := range v {
			if m[k], ok = withoutNumbers(item); !ok {
				return nil, false
			}
		}
		return m, true
	}
	return v, true
}
