package cli

import (
	"bytes"
	"io"
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
				return bashCompletion(root, a.stdout)
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

// bashCompletion writes cobra's script, which needs functions of the package bash-completion, with stand-ins for them.
func bashCompletion(root *cobra.Command, w io.Writer) error {
	var b bytes.Buffer
	if err := root.GenBashCompletionV2(&b, true); err != nil {
		return err
	}
	script := strings.NewReplacer(
		`_get_comp_words_by_ref "$@" cur prev words cword`, `__runfile_words "$@"`, "_filedir", "__runfile_files",
	).Replace(b.String())
	_, err := io.WriteString(w, script+bashStandIns)
	return err
}

// bashStandIns do what is needed where bash-completion is not loaded: words are joined again that bash has split at = and
// :, which is where no blank stands between them.
const bashStandIns = `
__runfile_words()
{
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref "$@" cur prev words cword
        return
    fi
    local i word rest=${COMP_LINE:0:COMP_POINT}
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i == 0)) || [[ $rest == [[:space:]]* ]]; then
            words+=("")
        fi
        rest=${rest#"${rest%%[![:space:]]*}"}
        if ((i == COMP_CWORD)); then
            word=$rest # up to the cursor
        fi
        words[${#words[@]}-1]+=$word
        rest=${rest#"$word"}
    done
    cword=$((${#words[@]} - 1))
    cur=${words[cword]}
    prev=
    if ((cword > 0)); then
        prev=${words[cword-1]}
    fi
}

__runfile_files()
{
    if declare -F _filedir >/dev/null; then
        _filedir "$@"
        return
    fi
    local name kind=-f
    if [[ ${1-} == -d ]]; then
        kind=-d
    fi
    compopt -o filenames 2>/dev/null
    while IFS= read -r name; do
        COMPREPLY+=("$name")
    done < <(compgen "$kind" -- "$cur")
}
`
