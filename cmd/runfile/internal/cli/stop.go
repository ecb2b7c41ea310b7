package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/executor/project"
)

func (a *app) stopVerb() *cobra.Command {
	var timeout int64
	cmd := &cobra.Command{
		Use: "stop [OPTIONS] [NAME...]", Short: "Stop containers; all of the project without a name", GroupID: "containers",
		Long: "Sends the stop signal, waits as long as stop-timeout says, then kills. A stopped container keeps its files and is\n" +
			"not restarted until someone starts it. With several containers, those that need others stop first.",
		ValidArgsFunction: a.completeContainers,
	}
	cmd.Flags().Int64VarP(&timeout, "time", "t", 0, "seconds to wait before killing; -1 waits for ever (default: the container's stop-timeout)")
	cmd.RunE = func(cmd *cobra.Command, refs []string) error {
		return a.stopping(cmd, refs, &timeout, (*project.Client).Stop)
	}
	return cmd
}

// stopping does stop or restart to all containers of a project in one request, so that the supervisor orders them.
func (a *app) stopping(cmd *cobra.Command, refs []string, timeout *int64, do func(*project.Client, context.Context, project.StopRequest) error) error {
	if err := needRoot(cmd.Name()); err != nil {
		return err
	}
	if !cmd.Flags().Changed("time") {
		timeout = nil
	} else if *timeout < -1 {
		return usagef("--time %d: write the seconds to wait, 0 to kill at once, or -1 to wait for ever", *timeout)
	}
	targets, err := a.targets(refs)
	if err != nil || len(targets) == 0 {
		return err
	}
	err = a.eachProject(cmd.Context(), targets, func(c *project.Client, _ string, ids []string) error {
		return do(c, cmd.Context(), project.StopRequest{Containers: ids, Timeout: timeout})
	})
	if err != nil {
		return err
	}
	return a.printNames(refs, targets)
}
