package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/executor/project"
)

func (a *app) startVerb() *cobra.Command {
	return &cobra.Command{
		Use: "start [NAME...]", Short: "Start stopped containers again, with their files as they were", GroupID: "containers",
		ValidArgsFunction: a.completeContainers,
		RunE: func(cmd *cobra.Command, refs []string) error {
			if err := needRoot("start"); err != nil {
				return err
			}
			targets, err := a.targets(refs)
			if err != nil || len(targets) == 0 {
				return err
			}
			err = a.eachProject(cmd.Context(), targets, func(c *project.Client, _ string, ids []string) error {
				return c.Start(cmd.Context(), project.StopRequest{Containers: ids})
			})
			if err != nil {
				return err
			}
			return a.printNames(refs, targets)
		},
	}
}

// printNames prints what was asked for, as docker does, or the names of what was meant.
func (a *app) printNames(refs []string, targets []target) error {
	if len(refs) == 0 {
		for _, t := range targets {
			refs = append(refs, t.record.Name)
		}
	}
	for _, name := range refs {
		if _, err := fmt.Fprintln(a.stdout, name); err != nil {
			return err
		}
	}
	return nil
}
