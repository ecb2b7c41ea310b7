package cli

import (
	"github.com/spf13/cobra"

	"github.com/runfile/runfile/schema/gen"
)

func (a *app) schemaVerb() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of runfiles, for editors", GroupID: "file", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := gen.JSONSchema()
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(text)
			return err
		},
	}
}
