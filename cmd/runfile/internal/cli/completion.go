package cli

import (
	"strings"

	"github.com/spf13/cobra"
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
