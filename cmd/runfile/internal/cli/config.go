package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/schema"
)

func (a *app) configVerb() *cobra.Command {
	var form string
	var secrets bool
	cmd := &cobra.Command{
		Use: "config [OPTIONS]", Short: "Print the runfile as runfile understands it", GroupID: "file", Args: noArgs,
		Long: "Prints the manifest with includes, templates and variables resolved. Values that look like secrets, by the name of\n" +
			"their variable or because the variable is declared secret, are printed as " + masked + " unless --show-secrets is given.",
		RunE: func(*cobra.Command, []string) error { return a.config(form, secrets) },
	}
	cmd.Flags().StringVar(&form, "format", "yaml", "yaml, json or toml")
	cmd.Flags().BoolVar(&secrets, "show-secrets", false, "print secrets as they are")
	return cmd
}

// masked stands for a secret.
const masked = "<secret>"

func (a *app) config(form string, secrets bool) error {
	if err := oneOf("format", form, []string{"yaml", "json", "toml"}); err != nil {
		return err
	}
	p, doc, err := a.load()
	if err != nil {
		return err
	}
	if secrets {
		return schema.WriteManifest(a.stdout, p, form)
	}
	found, err := writeMasked(a.stdout, p, form, doc.Secrets)
	if found {
		fmt.Fprintf(a.stderr, "runfile: secrets are printed as %s; --show-secrets prints them\n", masked)
	}
	return err
}
