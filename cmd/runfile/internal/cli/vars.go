package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/format"
	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
)

func (a *app) varsVerb() *cobra.Command {
	var text string
	var secrets bool
	cmd := &cobra.Command{
		Use: "vars [OPTIONS]", Short: "List the variables of the runfile, their values and where these come from", GroupID: "file", Args: noArgs,
		Long: "Lists the variables that the runfile and the files it includes declare, and the names they use without a declaration.\n" +
			"A value comes from the first of --var, --vars-file, the environment, vars-file and default that has one; an include\n" +
			"with `vars` goes before them all. Secret values are printed as " + masked + " unless --show-secrets is given. --format takes\n" +
			"table, json, yaml or a Go template with {{.Name}} {{.Value}} {{.Set}} {{.Source}} {{.Declared}} {{.At}} {{.Rules}}\n" +
			"{{.Required}} {{.Secret}} {{.Enum}} {{.Pattern}} {{.Help}} {{.Uses}}. Exit status 2 if a variable lacks a value that it\n" +
			"needs, or has one that is not allowed.",
		RunE: func(*cobra.Command, []string) error { return a.listVars(text, secrets) },
	}
	cmd.Flags().StringVar(&text, "format", "", "table, json, yaml or a Go template")
	cmd.Flags().BoolVar(&secrets, "show-secrets", false, "print secrets as they are")
	return cmd
}

// varRow is a row of vars.
type varRow struct {
	Name     string
	Value    string
	Set      bool
	Source   string // --var, --vars-file, environment, vars-file, default, include or ""
	Declared bool
	At       string // file:line:column of the declaration, or of the first use of what is not declared
	Rules    string // required, enum and pattern in words
	Required bool
	Secret   bool
	Enum     []string
	Pattern  string
	Help     string
	Uses     []string // file:line:column
}

const varColumns = "{{.Name}}\t{{if .Set}}{{.Value}}{{else}}-{{end}}\t{{.Source}}\t{{.Rules}}\t{{.At}}\t{{.Help}}"

func varHeaders() format.Headers {
	return format.Headers{
		"Set": "1", "Name": "NAME", "Value": "VALUE", "Source": "SOURCE", "Rules": "RULES", "At": "DECLARED", "Help": "HELP",
		"Declared": "DECLARED", "Required": "REQUIRED", "Secret": "SECRET", "Enum": "ENUM", "Pattern": "PATTERN", "Uses": "USES",
	}
}

func (a *app) listVars(text string, secrets bool) error {
	doc, diags, err := a.document()
	if err != nil {
		return err
	}
	rows := []varRow{}
	for _, v := range doc.Variables {
		row := newVarRow(v)
		if !secrets && v.Set && v.Value != "" && isSecret(v, doc.Secrets) {
			row.Value = masked
		}
		rows = append(rows, row)
	}
	if len(doc.Files) > 0 && (len(rows) > 0 || !diags.HasErrors()) {
		if err := format.List(a.stdout, text, varColumns, varHeaders(), rows); err != nil {
			return err
		}
	}
	return a.report(diags, doc.Sources, exitUsage)
}

// isSecret reports whether a variable's value is not printed: it is declared secret, its name says so, or it holds the
// value of one that is.
func isSecret(v manifest.Variable, values []string) bool {
	for _, secret := range values {
		if strings.Contains(v.Value, secret) {
			return true
		}
	}
	return v.Secret || secretName(v.Name)
}

func newVarRow(v manifest.Variable) varRow {
	row := varRow{
		Name: v.Name, Value: v.Value, Set: v.Set, Source: string(v.Source), Declared: v.Declared, At: placeText(v.At),
		Required: v.Required, Secret: v.Secret, Enum: append([]string{}, v.Enum...), Pattern: v.Pattern, Help: v.Help,
		Uses: []string{},
	}
	var rules []string
	for _, r := range []struct {
		holds bool
		text  string
	}{
		{v.Required, "required"},
		{v.Secret, "secret"},
		{len(v.Enum) > 0, "one of " + strings.Join(v.Enum, ", ")},
		{v.Pattern != "", "matches " + v.Pattern},
		{!v.Declared, "not declared"},
	} {
		if r.holds {
			rules = append(rules, r.text)
		}
	}
	row.Rules = strings.Join(rules, "; ")
	for _, u := range v.Uses {
		row.Uses = append(row.Uses, placeText(u))
	}
	return row
}

func placeText(r diag.Range) string {
	return fmt.Sprintf("%s:%d:%d", r.File, r.Start.Line, r.Start.Column)
}
