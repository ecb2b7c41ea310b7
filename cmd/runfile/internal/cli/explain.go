package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema"
)

func (a *app) explainVerb() *cobra.Command {
	var form string
	cmd := &cobra.Command{
		Use: "explain [OPTIONS] [CODE|KEY]", Short: "Explain an error code or a key of the runfile", GroupID: "about",
		Example: "  runfile explain unknown-option\n  runfile explain cpu-shares",
		ValidArgsFunction: func(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			return names(explainable(), toComplete, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("runfile explain takes one code or key, got %d", len(args))
			}
			if err := oneOf("format", form, []string{"text", "json"}); err != nil {
				return err
			}
			word := strings.TrimLeft(strings.Join(args, ""), "-")
			switch {
			case form == "json":
				return a.explainJSON(word)
			case word == "":
				return a.explainAll()
			}
			return a.explain(word)
		},
	}
	cmd.Flags().StringVar(&form, "format", "text", "text, or json: everything about the key or code, or about all of them")
	_ = cmd.RegisterFlagCompletionFunc("format", words("text", "json"))
	return cmd
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
	return a.notExplainable(word)
}

func (a *app) notExplainable(word string) error {
	f := usagef("there is neither a key nor an error code %q", word)
	if near, ok := diag.Nearest(word, explainable()); ok {
		f.next("did you mean: runfile explain %s", near)
	}
	return f.next("see all of them: runfile explain")
}

// explained is what programs read of a key or code.
type explained struct {
	Options []explainedOption `json:"options,omitempty"`
	Codes   []explainedCode   `json:"codes,omitempty"`
}

type explainedOption struct {
	Name    string `json:"name"`
	Short   string `json:"short,omitempty"`
	Arg     string `json:"arg,omitempty"`
	Group   string `json:"group"`
	Kind    string `json:"kind"`
	Help    string `json:"help"`
	Doc     string `json:"doc,omitempty"`
	Syntax  string `json:"syntax,omitempty"`
	Default string `json:"default,omitempty"`
	Example string `json:"example"`
	OS      string `json:"os,omitempty"`     // linux or windows; absent = both
	Own     bool   `json:"own,omitempty"`    // runfile's key, not docker's
	NoFlag  bool   `json:"noFlag,omitempty"` // a key of manifests only
	NotYet  string `json:"notYet,omitempty"` // why it is refused
}

type explainedCode struct {
	Code    string `json:"code"`
	Meaning string `json:"meaning"`
	Example string `json:"example,omitempty"`
	Cure    string `json:"cure,omitempty"`
}

// explainJSON prints one key or code, or with "" all of them.
func (a *app) explainJSON(word string) error {
	var out explained
	for _, o := range schema.Options() {
		if word == "" || word == o.Name {
			out.Options = append(out.Options, explainedOption{
				o.Name, o.Short, o.Arg, string(o.Group), o.Kind.String(), o.Help, o.Doc, o.Syntax, o.Default, o.Example,
				o.OS, o.Own, o.NoFlag, o.NotYet,
			})
		}
	}
	for _, info := range diag.Codes() {
		if word == "" || word == string(info.Code) {
			out.Codes = append(out.Codes, explainedCode{string(info.Code), info.Meaning, info.Example, info.Cure})
		}
	}
	if out.Options == nil && out.Codes == nil {
		return a.notExplainable(word)
	}
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
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
	line("Not yet", o.NotYet)
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
