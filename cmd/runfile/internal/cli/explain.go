package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema"
)

func (a *app) explainVerb() *cobra.Command {
	return &cobra.Command{
		Use: "explain [CODE|KEY]", Short: "Explain an error code or a key of the runfile", GroupID: "about",
		Example: "  runfile explain unknown-option\n  runfile explain cpu-shares",
		ValidArgsFunction: func(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			return names(explainable(), toComplete, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			switch len(args) {
			case 0:
				return a.explainAll()
			case 1:
				return a.explain(strings.TrimLeft(args[0], "-"))
			}
			return usagef("runfile explain takes one code or key, got %d", len(args))
		},
	}
}

func explainable() []string {
	var out []string
	for _, o := range schema.Options() {
		out = append(out, o.Name)
	}
	for _, info := range diag.Codes() {
		out = append(out, string(info.Code))
	}
	return out
}

func (a *app) explain(word string) error {
	known := false
	if o, ok := schema.Lookup(word); ok {
		known = true
		a.explainOption(o)
	}
	if info, ok := diag.Lookup(diag.Code(word)); ok {
		known = true
		a.explainCode(info)
	}
	if known {
		return nil
	}
	f := usagef("there is neither a key nor an error code %q", word)
	if near, ok := diag.Nearest(word, explainable()); ok {
		f.next("did you mean: runfile explain %s", near)
	}
	return f.next("see all of them: runfile explain")
}

func (a *app) explainOption(o *schema.Option) {
	flag := "--" + o.Name
	if o.Short != "" {
		flag = "-" + o.Short + ", " + flag
	}
	switch {
	case o.NoFlag || o.Own && o.Arg == "" && o.Kind == schema.Object:
		flag = "a key of runfiles only"
	case o.Arg != "":
		flag += " " + strings.TrimPrefix(o.Arg, "=")
	}
	fmt.Fprintf(a.stdout, "%s  (%s; %s)\n\n%s\n", o.Name, o.Kind, flag, o.Help)
	line := func(title, text string) {
		if text != "" {
			fmt.Fprintf(a.stdout, "%-9s %s\n", title+":", text)
		}
	}
	fmt.Fprintln(a.stdout)
	line("Group", string(o.Group))
	line("Syntax", o.Syntax)
	line("Default", o.Default)
	line("Example", o.Name+": "+o.Example)
	line("Platform", o.OS)
	if o.Doc != "" {
		fmt.Fprintf(a.stdout, "\n%s\n", strings.TrimSpace(o.Doc))
	}
}

func (a *app) explainCode(info diag.Info) {
	fmt.Fprintf(a.stdout, "%s\n\n%s\n", info.Code, info.Meaning)
	if info.Example != "" {
		fmt.Fprintf(a.stdout, "\nThe smallest runfile with it:\n\n  %s\n", strings.ReplaceAll(strings.TrimSpace(info.Example), "\n", "\n  "))
	}
	if info.Cure != "" {
		fmt.Fprintf(a.stdout, "\n%s\n", info.Cure)
	}
}

// explainAll lists what can be explained.
func (a *app) explainAll() error {
	fmt.Fprintln(a.stdout, "Keys of a container:")
	for _, o := range schema.Options() {
		first, _, _ := strings.Cut(o.Help, "\n")
		fmt.Fprintf(a.stdout, "  %-22s %s\n", o.Name, first)
	}
	fmt.Fprintln(a.stdout, "\nError codes:")
	for _, info := range diag.Codes() {
		first, _, _ := strings.Cut(info.Meaning, "\n")
		fmt.Fprintf(a.stdout, "  %-22s %s\n", info.Code, first)
	}
	return nil
}
