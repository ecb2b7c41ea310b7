package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/project"
)

// execFlags are the options of exec.
type execFlags struct {
	interactive, tty, privileged bool
	env                          []string
	user, workdir, keys          string
}

func (a *app) execVerb() *cobra.Command {
	var o execFlags
	cmd := &cobra.Command{
		Use: "exec [OPTIONS] NAME [COMMAND [ARG...]]", Short: "Run a command in a running container; a shell without one", GroupID: "containers",
		Args: someArgs("the name of a container"), ValidArgsFunction: a.completeContainer,
		RunE: func(cmd *cobra.Command, args []string) error {
			command := args[1:]
			if len(command) == 0 {
				command = []string{"sh"}
			}
			return a.exec(cmd.Context(), o, args[0], command)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false) // what follows the name belongs to the command
	f.BoolVarP(&o.interactive, "interactive", "i", false, "send our standard input")
	f.BoolVarP(&o.tty, "tty", "t", false, "give the command a terminal")
	f.StringArrayVarP(&o.env, "env", "e", nil, "set a variable, NAME=VALUE; NAME alone takes ours")
	f.StringVarP(&o.user, "user", "u", "", "user[:group], names or numbers (default: the container's)")
	f.StringVarP(&o.workdir, "workdir", "w", "", "working directory (default: the container's)")
	f.BoolVar(&o.privileged, "privileged", false, "give the command all capabilities")
	f.StringVar(&o.keys, "detach-keys", "", "keys that detach (default ctrl-p,ctrl-q)")
	return cmd
}

func (a *app) exec(ctx context.Context, o execFlags, ref string, command []string) error {
	keys, err := detachKeys(o.keys)
	if err != nil {
		return err
	}
	if o.tty && o.interactive && !terminal.Is(a.stdin) {
		return (&failure{code: exitOurs, err: errors.New("standard input is not a terminal, and -i -t needs one")}).
			next("drop -t to pass input on")
	}
	if err := needRoot("exec"); err != nil {
		return err
	}
	t, err := a.one(ref)
	if err != nil {
		return err
	}
	if t.record.State != executor.Running {
		return notRunning(t, "run a command in")
	}
	client, err := a.connect(ctx, t.project)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	req := project.ExecRequest{
		Container: t.record.ID, Args: command, Env: inherit(o.env), User: o.user, Workdir: o.workdir, TTY: o.tty,
		Stdin: o.interactive, Privileged: o.privileged,
	}
	streams := project.Streams{Stdout: guarded(a.stdout, o.tty), Stderr: guarded(a.stderr, o.tty), DetachKeys: keys}
	if o.interactive {
		streams.Stdin = a.stdin
	}
	if o.tty {
		req.Columns, req.Rows = a.size()
		streams.Resize = terminal.Resizes(ctx, a.stdin)
	}
	if o.tty && o.interactive {
		var stop func()
		ctx, stop = signal.NotifyContext(ctx, interrupts()...) // or the terminal would stay raw
		defer stop()
		restore, err := terminal.Raw(a.stdin)
		if err != nil {
			return err
		}
		defer restore()
	}
	code, err := client.Exec(ctx, req, streams)
	flush(streams.Stdout)
	flush(streams.Stderr)
	switch {
	case errors.Is(err, project.ErrDetached):
		return nil
	case errors.Is(err, context.Canceled):
		return exit(exitInterrupted)
	}
	return firstError(err, exit(code))
}

// inherit gives variables without a value ours; those that we do not have are left out, as docker does.
func inherit(env []string) []string {
	var out []string
	for _, e := range env {
		if strings.Contains(e, "=") {
			out = append(out, e)
		} else if value, ok := os.LookupEnv(e); ok {
			out = append(out, e+"="+value)
		}
	}
	return out
}
