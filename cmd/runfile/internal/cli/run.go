package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/format"
	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/project"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

func (a *app) runVerb() *cobra.Command {
	return &cobra.Command{
		Use: "run [OPTIONS] IMAGE [COMMAND] [ARG...]", Short: "docker run, option for option; --print writes the runfile", GroupID: "run",
		DisableFlagParsing: true, // the flags are the option table's
		ValidArgsFunction:  a.completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			if before := cmd.Root().Flags(); before.Changed("file") {
				return a.docker(cmd.Context(), args, a.g.files)
			}
			return a.docker(cmd.Context(), args, nil)
		},
	}
}

// docker is the verb run; files are the runfiles named before the verb.
func (a *app) docker(ctx context.Context, args, files []string) error {
	dir, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find the working directory: %w", err)
	}
	c, flags, diags := schema.FromFlags(args, dir)
	if flags.Help {
		schema.RunUsage(a.stdout)
		return nil
	}
	flags.Files = append(files, flags.Files...)
	src := diag.Sources{schema.CommandLine: []byte(schema.CommandLineText(args))}
	a.g.strict, a.g.progress = a.g.strict || flags.Strict, firstNonEmpty(flags.Progress, a.g.progress)
	if err := a.report(diags, src, exitUsage); err != nil {
		return asOurs(err).next("see what it takes: runfile run --help")
	}
	p, err := a.runProject(c, flags, dir)
	if err != nil {
		return err
	}
	if err := a.report(schema.Check(p), src, exitUsage); err != nil {
		return err
	}
	if flags.Print {
		return schema.WriteManifest(a.stdout, p, firstNonEmpty(flags.Format, "yaml"))
	}
	return a.runPlanned(ctx, p, c, flags, src)
}

// runPlanned runs the one container of a project that is free of mistakes.
func (a *app) runPlanned(ctx context.Context, p *schema.Project, c *schema.Container, flags schema.RunFlags, src diag.Sources) error {
	if err := a.remap(p, src); err != nil {
		return err
	}
	keys, err := detachKeys(c.Stdio.DetachKeys.Value)
	if err != nil {
		return err
	}
	if err := a.terminalFor(c, src); err != nil {
		return err
	}
	if err := needRoot("run"); err != nil {
		return err
	}
	if !c.Metadata.Name.Set {
		c.Key = "run-" + state.NewID()[:8] // unique in the project, whatever was run before
	}
	client, err := a.connect(ctx, p.Name)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := freeName(ctx, client, c, p.Name); err != nil {
		return err
	}
	plan, err := a.planFor(ctx, client, p, src, planner.Options{Names: []string{c.Key}, KeepOthers: true}, exitUsage)
	if err != nil {
		return err
	}
	withoutCheck(plan, c.Key)
	r := &dockerRun{a: a, client: client, plan: plan, c: c, flags: flags, keys: keys, src: src}
	if c.Lifecycle.Detach.Value {
		return r.background(ctx)
	}
	return r.foreground(ctx)
}

// withoutCheck drops the wait for a container's health check: docker run has done its part when the container runs, and
// whether it is healthy is for ps and inspect.
func withoutCheck(plan *planner.Plan, key string) {
	plan.Steps = slices.DeleteFunc(plan.Steps, func(s planner.Step) bool {
		return s.Kind == planner.Await && s.Object == key && s.Condition == string(value.Healthy)
	})
}

// runProject is the project of the one container: with networks and volumes as the runfiles given with --file declare
// them, if there are any.
func (a *app) runProject(c *schema.Container, flags schema.RunFlags, dir string) (*schema.Project, error) {
	name := firstNonEmpty(flags.Project, a.g.projectName)
	var like *schema.Project
	if len(flags.Files) > 0 {
		a.g.files = flags.Files
		declared, _, err := a.load()
		if err != nil {
			return nil, err
		}
		like, name = declared, firstNonEmpty(name, declared.Name)
	}
	return schema.NewProject(firstNonEmpty(name, defaultProject), dir, c, like), nil
}

func detachKeys(text string) ([]byte, error) {
	if text == "" {
		text = value.DefaultDetachKeys
	}
	if _, err := value.DetachKeysSyntax().Parse(text); err != nil {
		return nil, usagef("--detach-keys: %v", err)
	}
	return value.DetachBytes(text), nil
}

// freeName refuses a name that a container has: unlike up, run never replaces one.
func freeName(ctx context.Context, client *project.Client, c *schema.Container, projectName string) error {
	records, err := client.Records(ctx)
	if err != nil {
		return err
	}
	for _, r := range records {
		if r.Key == c.Key || r.Name == c.Key {
			return (&failure{code: exitOurs, err: fmt.Errorf("the name %q is in use by container %s of project %q", c.Key, format.ShortID(r.ID), projectName)}).
				next("remove that one (runfile rm -f %s) or choose another name", c.Key)
		}
	}
	return nil
}

// dockerRun is one container being run.
type dockerRun struct {
	a      *app
	client *project.Client
	plan   *planner.Plan
	c      *schema.Container
	flags  schema.RunFlags
	keys   []byte // detach keys
	src    diag.Sources

	id      string
	died    bool   // its process ran and has ended
	failure string // why it did not
	origin  string // and where on the command line that comes from, if it is known
	pulling bool
}

// observe keeps what the events say about the container, and prints what docker would: pulls and warnings.
func (r *dockerRun) observe(ev executor.Event) {
	switch ev.Type {
	case executor.EventCreate:
		r.id = ev.ID
	case executor.EventDie:
		r.died = true
	case executor.EventFail:
		r.failure, r.origin = ev.Detail, ev.Origin
	case executor.EventWarning:
		fmt.Fprintf(r.a.stderr, "runfile: warning: %s\n", terminal.Clean(ev.Detail))
	case executor.EventProgress:
		if !r.pulling && !r.flags.Quiet {
			fmt.Fprintf(r.a.stderr, "pulling %s\n", terminal.Clean(ev.Object))
		}
		r.pulling = true
	default: // docker does not show the others
	}
}

// explain turns a run in which the process never started, or was ended by us, into an error.
func (r *dockerRun) explain(result *executor.Result) error {
	reason := r.failure
	for _, out := range result.Outcomes {
		if reason == "" && out.State == "failed" {
			reason = out.Reason
		}
	}
	if result.ExitCode == 0 || r.died && result.Reason != "timeout" {
		return exit(result.ExitCode)
	}
	kept := ""
	if !r.c.Lifecycle.Remove.Value && r.id != "" {
		kept = fmt.Sprintf("the container is kept: runfile inspect %s, runfile rm %s", r.c.Key, r.c.Key)
	}
	if at := r.place(); !at.IsZero() {
		var l diag.List
		if d := l.Errorf(schema.CodeStartFailed, at, "%s", headline(reason)); kept != "" {
			d.WithHelp("%s", kept)
		}
		return r.a.report(l, r.src, result.ExitCode)
	}
	f := &failure{code: result.ExitCode, err: errors.New(firstNonEmpty(reason, "the container could not be started"))}
	if kept != "" {
		f.next("%s", kept)
	}
	return f
}

// place is the option on the command line that the failure comes from; the zero range if it is not known.
func (r *dockerRun) place() diag.Range {
	for _, o := range schema.Options() {
		for _, v := range schema.Values(r.c, o.Name) {
			if r.origin != "" && v.At.String() == r.origin {
				return v.At
			}
		}
	}
	return diag.Range{}
}

// headline is the first line of a text.
func headline(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	return first
}

// background is run -d: it prints the id and leaves.
func (r *dockerRun) background(ctx context.Context) error {
	printed := false
	result, err := r.client.Up(ctx, project.UpRequest{Plan: r.plan, Output: []string{}}, func(ev executor.Event) error {
		r.observe(ev)
		if r.id == "" || printed {
			return nil
		}
		printed = true
		_, err := fmt.Fprintln(r.a.stdout, r.id)
		return err
	})
	if err != nil {
		return err
	}
	return r.explain(result)
}

// streams are those that the container's declaration attaches: docker's -a, or output, and input with -i.
func (r *dockerRun) streams() (stdin, stdout, stderr bool) {
	attach := r.c.Stdio.Attach.Values()
	on := func(name string) bool { return len(attach) == 0 || slices.Contains(attach, name) }
	return readsStdin(r.c), on("stdout"), on("stderr")
}

// foreground runs the container with our streams and returns its exit status. The run holds a lease on the
// supervisor: it ends with us, unless we leave it by the detach keys or by a signal with --sig-proxy=false.
func (r *dockerRun) foreground(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := newSession(r.a, r.client, r.c.Key, r.c.Key)
	s.proxy, s.keys, s.tty = r.c.Stdio.SigProxy.Or(true), r.keys, r.c.Stdio.TTY.Value
	s.stdin, s.stdout, s.stderr = r.streams()
	if name := r.c.Lifecycle.Restart.Value.Name; name != "" && name != "no" {
		s.again = make(chan struct{}, 1)
	}
	s.watchSignals(ctx)
	defer s.close()

	up := make(chan upEnd, 1)
	planned := make(chan struct{})
	go func() {
		result, err := r.client.Up(ctx, project.UpRequest{
			Plan: r.plan, Foreground: true, Output: []string{}, WaitAttach: []string{r.c.Key},
		}, func(ev executor.Event) error {
			r.observe(ev)
			s.observe(ev, planned)
			return nil
		})
		up <- upEnd{result, err}
	}()
	select {
	case <-planned:
		go s.copy(ctx)
	case end := <-up: // refused
		return firstError(end.err, errors.New("the supervisor ended the run before it began"))
	}
	return r.await(ctx, cancel, s, up)
}

// upEnd is how the run ended.
type upEnd struct {
	result *executor.Result
	err    error
}

// attachGrace is how long a run has to end by itself when its container could not be attached to: mostly because it
// could not be started, and then the run says why.
const attachGrace = 5 * time.Second

// await returns when the run has ended or we have left it.
func (r *dockerRun) await(ctx context.Context, cancel context.CancelFunc, s *session, up <-chan upEnd) error {
	copied := s.ended
	var late <-chan time.Time
	for {
		select {
		case status := <-s.left:
			s.close()
			if err := r.client.LeaveRun(ctx); err != nil {
				return fmt.Errorf("leave the container running: %w", err)
			}
			return exit(status)
		case <-copied:
			copied = nil
			var refused *engine.Error
			switch {
			case s.err == nil || errors.Is(s.err, project.ErrDetached):
			case errors.As(s.err, &refused):
				late = time.After(attachGrace)
			default:
				_ = r.client.StopRun(ctx, false) // nobody reads the output any more; Up returns when it has ended
			}
		case <-late:
			_ = r.client.StopRun(ctx, false) // there will be no process to attach to
		case end := <-up:
			if !r.died {
				cancel() // no process will ever end the streams
			}
			s.drain()
			s.close()
			if end.err == nil {
				end.err = r.explain(end.result)
			}
			if r.died {
				return firstError(s.err, end.err)
			}
			return end.err
		}
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// flusher is a filter that may hold back the beginning of a sequence.
type flusher interface{ Flush() error }

func flush(w io.Writer) {
	if f, ok := w.(flusher); ok {
		_ = f.Flush()
	}
}
