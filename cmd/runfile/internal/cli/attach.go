package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/project"
	"github.com/runfile/runfile/schema/value"
)

func (a *app) attachVerb() *cobra.Command {
	var noStdin, proxy bool
	var keys string
	cmd := &cobra.Command{
		Use: "attach [OPTIONS] NAME", Short: "Connect to the standard streams of a running container", GroupID: "containers",
		Long: "Copies the container's output from now on, and our input to it if it was made with --interactive. Ends with the\n" +
			"container and its exit code, or at the detach keys, which leave it running.",
		Args: someArgs("the name of a container"), ValidArgsFunction: a.completeContainer,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("runfile attach takes one container, got %d", len(args))
			}
			return a.attach(cmd.Context(), args[0], !noStdin, proxy, keys)
		},
	}
	cmd.Flags().BoolVar(&noStdin, "no-stdin", false, "do not send our standard input")
	cmd.Flags().StringVar(&keys, "detach-keys", "", "keys that detach (default the container's detach-keys, or ctrl-p,ctrl-q)")
	cmd.Flags().BoolVar(&proxy, "sig-proxy", true, "send the signals that runfile gets to the container")
	return cmd
}

func (a *app) attach(ctx context.Context, ref string, stdin, proxy bool, keys string) error {
	parsed, err := detachKeys(keys)
	if err != nil {
		return err
	}
	if err := needRoot("attach"); err != nil {
		return err
	}
	t, err := a.one(ref)
	if err != nil {
		return err
	}
	if t.record.State != executor.Running {
		return notRunning(t, "attach to")
	}
	client, err := a.connect(ctx, t.project)
	if err != nil {
		return err
	}
	defer client.Close()

	s := newSession(a, client, t.record.ID, t.record.Name)
	s.keys, s.stdout, s.stderr = parsed, true, true
	if spec := t.record.Spec; spec != nil {
		if own := spec.Stdio.DetachKeys.Value; keys == "" && own != "" {
			s.keys = value.DetachBytes(own)
		}
		s.tty = spec.Stdio.TTY.Value
		s.stdin = stdin && spec.Stdio.Interactive.Value
	}
	s.proxy = proxy && !s.tty // with a terminal, Ctrl-C travels as a character
	s.started.Store(true)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.watchSignals(ctx)
	defer s.close()
	s.takeTerminal()
	go s.copy(ctx)
	select {
	case status := <-s.left:
		return exit(status)
	case <-s.ended:
		if errors.Is(s.err, project.ErrDetached) {
			return nil
		}
		return firstError(s.err, exit(s.code))
	}
}

// notRunning is the error of a verb that needs a process.
func notRunning(t *target, verb string) error {
	return (&failure{code: exitNotFound, err: fmt.Errorf("cannot %s %s: it is not running (%s)", verb, t.record.Name, t.record.State)}).
		next("start it: runfile start %s", t.record.Name)
}
