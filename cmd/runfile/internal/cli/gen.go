package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/schema/gen"
)

func (a *app) genVerb() *cobra.Command {
	return &cobra.Command{
		Use: "gen [DIR]", Short: "Write the generated files of the source tree", Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return generate(dir)
		},
	}
}

// generate writes what the option table and the error registry determine. A test in schema/gen fails if the committed
// files differ.
func generate(dir string) error {
	text, err := gen.JSONSchema()
	if err != nil {
		return err
	}
	files := map[string][]byte{
		"runfile.schema.json": text, "docs/options.md": gen.OptionsMarkdown(), "docs/errors.md": gen.ErrorsMarkdown(),
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}
