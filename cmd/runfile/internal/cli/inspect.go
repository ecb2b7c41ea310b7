package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/format"
)

func (a *app) inspectVerb() *cobra.Command {
	var text string
	cmd := &cobra.Command{
		Use: "inspect [OPTIONS] NAME...", Short: "Print everything about containers, in docker's field names", GroupID: "containers",
		Args: someArgs("the name of a container"), ValidArgsFunction: a.completeContainers,
		RunE: func(_ *cobra.Command, refs []string) error { return a.inspect(refs, text) },
	}
	cmd.Flags().StringVarP(&text, "format", "f", "", "json, yaml or a Go template, for each container")
	return cmd
}

func (a *app) inspect(refs []string, text string) error {
	if err := needRoot("inspect"); err != nil {
		return err
	}
	targets, err := a.targets(refs)
	if err != nil {
		if text == "" || text == "json" {
			fmt.Fprintln(a.stdout, "[]")
		}
		return err
	}
	list := make([]format.Inspect, len(targets))
	for i := range targets {
		list[i] = format.NewInspect(&targets[i].record)
	}
	if text == "" || text == "json" || text == "yaml" {
		return format.One(a.stdout, text, list)
	}
	for _, in := range list {
		if err := format.One(a.stdout, text, in); err != nil {
			return err
		}
	}
	return nil
}
