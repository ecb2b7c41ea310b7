package cli

import (
	"github.com/moby/sys/signal"
	"github.com/spf13/cobra"

	"github.com/runfile/runfile/executor/project"
)

func (a *app) killVerb() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "kill [OPTIONS] NAME...", Short: "Send a signal to containers, SIGKILL by default", GroupID: "containers",
		Args: someArgs("the name of a container"), ValidArgsFunction: a.completeContainers,
	}
	cmd.Flags().StringVarP(&name, "signal", "s", "KILL", "signal to send, by name or number")
	cmd.RunE = func(cmd *cobra.Command, refs []string) error {
		number, err := signal.ParseSignal(name)
		if err != nil || number < 1 || number > 64 {
			return usagef("--signal %q is no signal; write a name such as TERM or SIGUSR1, or a number from 1 to 64", name)
		}
		if err := needRoot("kill"); err != nil {
			return err
		}
		return a.each(cmd.Context(), refs, func(c *project.Client, id string) error {
			return c.Kill(cmd.Context(), project.StopRequest{Containers: []string{id}, Signal: int(number)})
		})
	}
	return cmd
}
