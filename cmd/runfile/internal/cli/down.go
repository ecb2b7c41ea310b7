package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/progress"
	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/project"
)

// downFlags are the options of down.
type downFlags struct {
	volumes bool
	timeout *int64
}

func (a *app) downVerb() *cobra.Command {
	var o downFlags
	var timeout int64
	cmd := &cobra.Command{
		Use: "down [OPTIONS]", Short: "Stop and remove everything of the project", GroupID: "run", Args: noArgs,
		Long: "Stops the containers in reverse order and removes them with their networks. Named volumes stay unless -v is given.",
	}
	cmd.Flags().BoolVarP(&o.volumes, "volumes", "v", false, "remove the named volumes, too")
	cmd.Flags().Int64VarP(&timeout, "time", "t", 0, "seconds to wait before killing; -1 waits for ever (default: each container's stop-timeout)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if cmd.Flags().Changed("time") {
			o.timeout = &timeout
		}
		return a.down(cmd.Context(), o)
	}
	return cmd
}

func (a *app) down(ctx context.Context, o downFlags) error {
	if err := needRoot("down"); err != nil {
		return err
	}
	name, err := a.project()
	if err != nil {
		return err
	}
	known, err := a.exists(name)
	if err != nil || !known {
		if err == nil && a.progressMode() != progress.Quiet {
			fmt.Fprintf(a.stderr, "nothing of project %s exists\n", name)
		}
		return err
	}
	client, err := a.connect(ctx, name)
	if err != nil {
		return err
	}
	defer client.Close()
	ui := progress.New(progress.Options{
		Out: a.stderr, Mode: a.downMode(), Colour: a.colour(a.stderr), UTF8: terminal.UTF8(a.getenv), Project: name,
	})
	defer ui.Close()
	return client.Down(ctx, project.DownRequest{Volumes: o.volumes, Timeout: o.timeout}, func(ev executor.Event) error {
		ui.Observe(ev)
		return nil
	})
}

// downMode is plain where up would draw a table: nothing is left to be shown in one.
func (a *app) downMode() progress.Mode {
	if mode := a.progressMode(); mode != progress.TTY {
		return mode
	}
	return progress.Plain
}

// exists reports whether anything of a project is on this host: containers, or a directory that a crash left behind.
func (a *app) exists(name string) (bool, error) {
	for _, dir := range []string{a.paths.Project(name), a.paths.ProjectRun(name)} {
		_, err := os.Stat(dir)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return false, err
		}
	}
	return false, nil
}
