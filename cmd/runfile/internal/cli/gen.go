package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/manual"
	"github.com/runfile/runfile/schema/gen"
)

func (a *app) genVerb() *cobra.Command {
	return &cobra.Command{
		Use: "gen [DIR] | gen man DIR", Short: "Write the generated files of the source tree, or the manual pages", Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 && args[0] == "man" {
				return a.generateManual(cmd.Root(), args[1])
			}
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return generate(dir)
		},
	}
}

// generateManual writes the manual pages into a directory. They bear the date of SOURCE_DATE_EPOCH, as reproducible
// builds want it, or today's.
func (a *app) generateManual(root *cobra.Command, dir string) error {
	date := time.Now()
	if text := a.getenv("SOURCE_DATE_EPOCH"); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return usagef("SOURCE_DATE_EPOCH %q is no number of seconds", text)
		}
		date = time.Unix(seconds, 0)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", dir, err)
	}
	pages := manual.Pages(manual.Source{
		Root: root, Global: globalAnnotation, Date: date.UTC().Format(time.DateOnly), Version: versionText(),
	})
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
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
