package cli

import (
	"github.com/spf13/cobra"

	"github.com/runfile/runfile/executor/project"
)

func (a *app) restartVerb() *cobra.Command {
	var timeout int64
	cmd := &cobra.Command{
		Use: "restart [OPTIONS] [NAME...]", Short: "Stop containers and start them again", GroupID: "containers",
		ValidArgsFunction: a.completeContainers,
	}
	cmd.Flags().Int64VarP(&timeout, "time", "t", 0, "seconds to wait before killing; -1 waits for ever (default: the container's stop-timeout)")
	cmd.RunE = func(cmd *cobra.Command, refs []string) error {
		return a.stopping(cmd, refs, &timeout, (*project.Client).Restart)
	}
	return cmd
}
