package cli

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/format"
	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
)

func (a *app) doctorVerb() *cobra.Command {
	var text string
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check whether this host can run containers, and say what to mend", GroupID: "about", Args: noArgs,
		Long: "Looks at the kernel, the cgroups, the file systems, the network and the OCI runtimes. Changes nothing. Exit status 1 if\n" +
			"something that containers need is missing.",
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context(), text) },
	}
	cmd.Flags().StringVar(&text, "format", "", "json, yaml or a Go template")
	return cmd
}

func (a *app) doctor(ctx context.Context, text string) error {
	info, err := hostInfo(ctx, a.paths)
	if err != nil {
		return err
	}
	bad := 0
	for _, c := range info.Checks {
		if c.State == "fail" {
			bad++
		}
	}
	if text != "" {
		if err := format.One(a.stdout, text, info); err != nil {
			return err
		}
		return exit(min(bad, 1))
	}
	styles := map[string]terminal.Style{"ok": terminal.Green, "warn": terminal.Yellow, "fail": terminal.Red}
	tw := tabwriter.NewWriter(a.stdout, 0, 1, 2, ' ', tabwriter.StripEscape)
	for _, c := range info.Checks {
		state := fmt.Sprintf("%-4s", c.State)
		fmt.Fprintf(tw, "%s\t%s\t%s", terminal.Paint(a.colour(a.stdout), styles[c.State], state), c.Name, c.Detail)
		if c.Fix != "" {
			fmt.Fprintf(tw, "   fix: %s", c.Fix)
		}
		fmt.Fprintln(tw)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	return exit(min(bad, 1))
}
