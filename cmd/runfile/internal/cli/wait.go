package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) waitVerb() *cobra.Command {
	return &cobra.Command{
		Use: "wait NAME...", Short: "Wait until containers have ended for good and print their exit codes", GroupID: "containers",
		Long: "Waits for the last exit of each container, past the restarts that its restart policy still owes it, and\n" +
			"prints the exit codes one a line in the order of the names.",
		Args: someArgs("the name of a container"), ValidArgsFunction: a.completeContainers,
		RunE: func(cmd *cobra.Command, refs []string) error {
			if err := needRoot("wait"); err != nil {
				return err
			}
			targets, err := a.targets(refs)
			if err != nil {
				return err
			}
			for _, t := range targets {
				if err := a.waitFor(cmd, t); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (a *app) waitFor(cmd *cobra.Command, t target) error {
	c, err := a.connect(cmd.Context(), t.project)
	if err != nil {
		return err
	}
	defer c.Close()
	answer, err := c.Wait(cmd.Context(), t.record.ID)
	if err != nil {
		return fmt.Errorf("wait for %s: %w", t.record.Name, err)
	}
	if answer.Error != "" {
		fmt.Fprintf(a.stderr, "runfile: %s: %s\n", t.record.Name, answer.Error)
	}
	_, err = fmt.Fprintln(a.stdout, answer.ExitCode)
	return err
}
