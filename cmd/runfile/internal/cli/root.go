package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/runfile/runfile/manifest/diag"
)

// groups are the headings of the help, in order.
var groups = []cobra.Group{
	{ID: "file", Title: "The runfile"},
	{ID: "run", Title: "Run"},
	{ID: "containers", Title: "Containers"},
	{ID: "images", Title: "Images"},
	{ID: "about", Title: "About"},
}

func (a *app) rootCommand() *cobra.Command {
	cobra.EnableCommandSorting = false // verbs() has the order in which people meet them
	root := &cobra.Command{
		Use:                        "runfile [OPTIONS] COMMAND",
		Short:                      "docker run, written down: validate, plan and run the containers of a runfile",
		Args:                       cobra.ArbitraryArgs,
		SilenceErrors:              true,
		SilenceUsage:               true,
		TraverseChildren:           true, // flags before the verb are ours, also for run, which parses its own
		DisableFlagsInUseLine:      true,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
		SuggestionsMinimumDistance: 1,
	}
	version := root.Flags().Bool("version", false, "print the version")
	root.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case *version:
			return a.printVersion("")
		case len(args) == 0:
			return cmd.Help()
		}
		return unknownVerb(cmd, args[0])
	}
	for i := range groups {
		root.AddGroup(&groups[i])
	}
	root.SetHelpCommand(&cobra.Command{Use: "help [COMMAND]", Short: "Explain a command", GroupID: "about", RunE: helpVerb})
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%s", flagProblem(err)).next("see what it takes: %s --help", cmd.CommandPath())
	})
	root.SetUsageFunc(func(cmd *cobra.Command) error { return printUsage(cmd.OutOrStderr(), cmd) })
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		fmt.Fprintf(cmd.OutOrStdout(), "%s\n\n", firstNonEmpty(cmd.Long, cmd.Short))
		_ = printUsage(cmd.OutOrStdout(), cmd)
	})
	completions := a.flagCompletions()
	for _, verb := range a.verbs() {
		verb.DisableFlagsInUseLine = true
		if !verb.DisableFlagParsing {
			a.addGlobals(verb)
			completeFlags(verb, completions)
		}
		verb.RunE = a.checked(verb.RunE)
		root.AddCommand(verb)
	}
	a.addGlobals(root)
	completeFlags(root, completions)
	return root
}

// verbs makes the commands; each stands in the file of its name.
func (a *app) verbs() []*cobra.Command {
	return []*cobra.Command{
		a.validateVerb(), a.planVerb(), a.configVerb(), a.varsVerb(), a.fmtVerb(), a.convertVerb(), a.explainVerb(), a.schemaVerb(),
		a.upVerb(), a.downVerb(), a.runVerb(),
		a.psVerb(), a.logsVerb(), a.execVerb(), a.attachVerb(), a.stopVerb(), a.startVerb(), a.restartVerb(),
		a.killVerb(), a.waitVerb(), a.rmVerb(), a.inspectVerb(), a.portVerb(), a.eventsVerb(),
		a.pullVerb(), a.imagesVerb(),
		a.doctorVerb(), a.completionVerb(), a.versionVerb(),
		a.superviseVerb(), a.genVerb(),
	}
}

// checked runs a verb after the global flags have been looked at.
func (a *app) checked(run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := a.checkGlobals(); err != nil {
			return err
		}
		return run(cmd, args)
	}
}

// dockerOnly are docker's commands that have nothing near to them here; the nearest word would be a wrong guess.
var dockerOnly = []string{
	"build", "commit", "compose", "container", "context", "cp", "diff", "export", "history", "image", "login", "logout",
	"network", "pause", "prune", "push", "rename", "rmi", "save", "search", "stats", "system", "tag", "unpause", "update",
	"volume",
}

// unknownVerb suggests the nearest command, and says so where the word is docker's or compose's for one of ours.
func unknownVerb(root *cobra.Command, word string) error {
	f := usagef("there is no command %q", word)
	foreign := map[string]string{
		"load": "pull --tag NAME docker-archive:FILE", "import": "pull --tag NAME docker-archive:FILE", "create": "run -d", "ls": "ps", "list": "ps", "top": "exec NAME ps", "delete": "rm", "remove": "rm",
		"check": "validate", "lint": "validate", "test": "up", "apply": "up", "log": "logs", "info": "doctor",
	}
	if ours := foreign[word]; ours != "" {
		return f.next("did you mean: runfile %s", ours)
	}
	if slices.Contains(dockerOnly, word) {
		return f.next("docker has it, runfile does not").next("see all commands: runfile --help")
	}
	var names []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	if near, ok := diag.Nearest(word, names); ok {
		f.next("did you mean: runfile %s", near)
	}
	return f.next("see all commands: runfile --help")
}

func helpVerb(cmd *cobra.Command, args []string) error {
	found, rest, err := cmd.Root().Find(args)
	if err != nil || found == nil || len(rest) > 0 {
		return unknownVerb(cmd.Root(), args[0])
	}
	found.InitDefaultHelpFlag()
	return found.Help()
}

// flagProblem says what is wrong with a flag without the words of the library and of Go's number parser.
func flagProblem(err error) string {
	text := err.Error()
	before, why, ok := strings.Cut(text, ": strconv.")
	if !ok {
		return text
	}
	what := "a whole number"
	if strings.Contains(why, "ParseBool") {
		what = "true or false"
	}
	return strings.Replace(before, "invalid argument", "wrong value", 1) + ": it needs " + what
}

func firstNonEmpty(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}

// printUsage prints how a command is called, what it takes, and what stands below it.
func printUsage(w io.Writer, cmd *cobra.Command) error {
	fmt.Fprintf(w, "Usage:  %s\n", cmd.UseLine())
	if cmd.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	}
	for _, g := range cmd.Groups() {
		fmt.Fprintf(w, "\n%s:\n", g.Title)
		for _, c := range cmd.Commands() {
			if c.GroupID == g.ID && c.IsAvailableCommand() {
				fmt.Fprintf(w, "  %-11s %s\n", c.Name(), c.Short)
			}
		}
	}
	own, global := pflag.NewFlagSet("", pflag.ContinueOnError), pflag.NewFlagSet("", pflag.ContinueOnError)
	own.SortFlags, global.SortFlags = false, false
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if _, ok := f.Annotations[globalAnnotation]; ok {
			global.AddFlag(f)
		} else {
			own.AddFlag(f)
		}
	})
	if own.HasAvailableFlags() {
		fmt.Fprintf(w, "\nOptions:\n%s", own.FlagUsages())
	}
	if global.HasAvailableFlags() {
		fmt.Fprintf(w, "\nOptions of every command:\n%s", global.FlagUsages())
	}
	if cmd.HasSubCommands() {
		fmt.Fprintf(w, "\nMore about a command: runfile COMMAND --help\n")
	}
	return nil
}
