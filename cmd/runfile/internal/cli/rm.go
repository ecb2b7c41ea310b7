package cli

import (
	"github.com/spf13/cobra"

	"github.com/runfile/runfile/executor/project"
)

func (a *app) rmVerb() *cobra.Command {
	var force, volumes bool
	cmd := &cobra.Command{
		Use: "rm [OPTIONS] NAME...", Short: "Remove containers", GroupID: "containers",
		Long: "Removes containers that do not run, or any with --force. Named volumes stay; with -v the anonymous ones go.",
		Args: someArgs("the name of a container"), ValidArgsFunction: a.completeContainers,
	}
	cmd.Flags().BoolVarP(&force, "force", "f", false, "kill what runs")
	cmd.Flags().BoolVarP(&volumes, "volumes", "v", false, "remove the anonymous volumes, too")
	cmd.RunE = func(cmd *cobra.Command, refs []string) error {
		if err := needRoot("rm"); err != nil {
			return err
		}
		return a.each(cmd.Context(), refs, func(c *project.Client, id string) error {
			return c.Remove(cmd.Context(), project.RemoveRequest{Containers: []string{id}, Force: force, Volumes: volumes})
		})
	}
	return cmd
}
