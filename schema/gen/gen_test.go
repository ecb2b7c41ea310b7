package gen_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	// Their codes belong to docs/errors.md as well.
	_ "github.com/runfile/runfile/planner"
	_ "github.com/runfile/runfile/planner/convert"
	_ "github.com/runfile/runfile/schema/tidy"

	"github.com/runfile/runfile/schema/gen"
)

var update = flag.Bool("update", false, "rewrite runfile.schema.json, docs/options.md and docs/errors.md")

func TestFilesAreFresh(t *testing.T) {
	schemaText, err := gen.JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{
		"runfile.schema.json": schemaText,
		"docs/options.md":     gen.OptionsMarkdown(),
		"docs/errors.md":      gen.ErrorsMarkdown(),
	} {
		path := filepath.Join("..", "..", name)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is stale; run: go test ./schema/gen -update", name)
		}
	}
}
