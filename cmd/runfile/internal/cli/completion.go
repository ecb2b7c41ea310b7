package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/executor/project"
	"github.com/runfile/runfile/schema"
)

func (a *app) completionVerb() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: "Print the completion script of a shell", GroupID: "about",
		Example: "  source <(runfile completion bash)\n  runfile completion fish > ~/.config/fish/completions/runfile.fish",
		Args:    someArgs("the name of a shell"), ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.stdout)
			case "fish":
				return root.GenFishCompletion(a.stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.stdout)
			}
			return usagef("there is no completion for %q", args[0]).next("shells: %s", strings.Join(shells, ", "))
		},
	}
}

// words completes a flag with fixed words.
func words(list ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		return names(list, toComplete, nil)
	}
}

// completeKeys completes with the containers of the runfile.
func (a *app) completeKeys(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	return names(a.keys(), toComplete, args)
}

// keys are the containers that the runfile declares, as far as it can be read.
func (a *app) keys() []string {
	doc, _, err := a.document()
	if err != nil {
		return nil
	}
	containers := doc.Root.Get("containers")
	if containers == nil {
		return nil
	}
	var out []string
	for _, e := range containers.Entries {
		out = append(out, e.Key)
	}
	return out
}

// completeContainers completes with the containers that exist, and with those of the runfile if none can be seen.
func (a *app) completeContainers(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if name, err := a.project(); err == nil {
		if records, err := project.Records(a.paths, name); err == nil && len(records) > 0 {
			var out []string
			for _, r := range records {
				out = append(out, r.Name)
			}
			slices.Sort(out)
			return names(out, toComplete, args)
		}
	}
	return names(a.keys(), toComplete, args)
}

// completeRun completes the flags of run from the option table, and the words that their values may have.
func completeRun(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if flag, value, ok := strings.Cut(toComplete, "="); ok && strings.HasPrefix(flag, "--") {
		o, known := schema.Lookup(strings.TrimPrefix(flag, "--"))
		if !known {
			return nil, cobra.ShellCompDirectiveDefault
		}
		list, directive := names(o.Words, value, nil)
		for i := range list {
			list[i] = flag + "=" + list[i]
		}
		return list, directive
	}
	if len(args) > 0 && strings.HasPrefix(args[len(args)-1], "--") {
		if o, ok := schema.Lookup(strings.TrimPrefix(args[len(args)-1], "--")); ok && len(o.Words) > 0 {
			return names(o.Words, toComplete, nil)
		}
	}
	if !strings.HasPrefix(toComplete, "-") {
		return nil, cobra.ShellCompDirectiveDefault // files, for env-file and the like
	}
	var flags []string
	for _, o := range schema.Options() {
		if !o.NoFlag {
			flags = append(flags, "--"+o.Name)
		}
	}
	return names(flags, toComplete, nil)
}
