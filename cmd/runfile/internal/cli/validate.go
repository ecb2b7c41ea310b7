package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/progress"
	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
)

func (a *app) validateVerb() *cobra.Command {
	return &cobra.Command{
		Use: "validate", Short: "Say everything that is wrong with the runfile, or that nothing is", GroupID: "file",
		Long: "Reads the runfile, checks every option and how the containers depend on each other, and prints all mistakes\n" +
			"at once. Nothing is started and nothing is asked of the network. Exit status 2 if there is a mistake.",
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.validate() },
	}
}

func (a *app) validate() error {
	p, doc, err := a.read(true)
	if err != nil {
		return err
	}
	jobs, services := 0, 0
	for _, c := range p.Containers {
		if c.IsService() {
			services++
		} else {
			jobs++
		}
	}
	_, err = fmt.Fprintf(a.stdout, "%s %s: %s, %s, no mistakes\n",
		terminal.Paint(a.colour(a.stdout), terminal.Green, "ok"), strings.Join(doc.Files, ", "),
		progress.Plural(jobs, "job"), progress.Plural(services, "service"))
	return err
}

// noArgs refuses arguments in our words.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments, got %q", cmd.CommandPath(), args[0]).next("see what it takes: %s --help", cmd.CommandPath())
	}
	return nil
}

// someArgs refuses a command line without arguments; what names the missing one.
func someArgs(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("%s needs %s", cmd.CommandPath(), what).next("usage: %s", cmd.UseLine())
		}
		return nil
	}
}
