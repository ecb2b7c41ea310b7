package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/progress"
	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/project"
	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
)

// upFlags are the options of up.
type upFlags struct {
	detach, remove, recreate, raw, dryRun bool
	parallel                              int
}

func (a *app) upVerb() *cobra.Command {
	var o upFlags
	cmd := &cobra.Command{
		Use: "up [OPTIONS] [NAME...]", Short: "Run the runfile: jobs to their end, with the services they need", GroupID: "run",
		Long: "Starts the containers in the order of their dependencies, as many at a time as possible. When all jobs have ended,\n" +
			"the services are stopped. With -d the services stay. Output of the containers goes to standard output, progress to\n" +
			"standard error. The exit status is 0 if all jobs succeeded, a failed job's own, or 1 if several failed.\n" +
			"The first interrupt stops everything in reverse order, the second kills, the third gives up waiting.",
		Example:           "  runfile up\n  runfile up --rm test\n  runfile up -d && runfile logs -f",
		ValidArgsFunction: a.completeKeys,
		RunE: func(cmd *cobra.Command, names []string) error {
			if o.dryRun {
				_, err := a.plan(names, "text", o.recreate)
				return err
			}
			return a.up(cmd.Context(), o, names)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&o.detach, "detach", "d", false, "return when services are ready and jobs have ended; services go on")
	f.BoolVar(&o.remove, "rm", false, "remove everything of the run at its end")
	f.IntVar(&o.parallel, "parallel", 0, "how many steps at a time (default: max-parallel of the policy, else 8)")
	f.BoolVar(&o.recreate, "force-recreate", false, "replace containers even if nothing changed")
	f.BoolVar(&o.raw, "raw", false, "pass the containers' control sequences on to the terminal")
	f.BoolVar(&o.dryRun, "dry-run", false, "show the plan instead, as runfile plan does")
	return cmd
}

func (a *app) up(ctx context.Context, o upFlags, names []string) error {
	if o.detach && o.remove {
		return usagef("-d leaves services running and --rm removes them; drop one of the two").
			next("later: runfile down")
	}
	if err := a.parallelism(&o); err != nil {
		return err
	}
	p, doc, err := a.load()
	if err != nil {
		return err
	}
	if done, err := a.helpAsked(p, doc, names); done || err != nil {
		return err
	}
	if err := a.remap(p, doc.Sources); err != nil {
		return err
	}
	if err := needRoot("up"); err != nil {
		return err
	}
	client, err := a.connect(ctx, p.Name)
	if err != nil {
		return err
	}
	defer client.Close()
	plan, err := a.planFor(ctx, client, p, doc.Sources, planner.Options{
		Names: names, Profiles: a.g.profiles, ForceRecreate: o.recreate,
	}, exitUsage)
	if err != nil {
		return err
	}
	if t := typist(startOrder(plan)); t != nil && !o.detach {
		if err := a.terminalFor(t, doc.Sources); err != nil {
			return err
		}
	}
	return newUpRun(a, o, client, plan).run(ctx)
}

// helpAsked prints the options of the containers that say help: true and would take part, as they apply after templates
// and variables. Then nothing is run, as with docker run --help.
func (a *app) helpAsked(p *schema.Project, doc *manifest.Document, names []string) (done bool, err error) {
	wants := func(c *schema.Container) bool { return c.Metadata.Help.Value }
	if !slices.ContainsFunc(p.Containers, wants) {
		return false, nil
	}
	plan, diags := planner.Make(p, planner.Options{Names: names, Profiles: a.g.profiles})
	if err := a.report(diags, doc.Sources, exitUsage); err != nil {
		return true, err
	}
	shown := *p
	shown.Containers = slices.DeleteFunc(slices.Clone(p.Containers), func(c *schema.Container) bool {
		return !wants(c) || !slices.Contains(plan.Selected, c.Key)
	})
	if len(shown.Containers) == 0 {
		return false, nil
	}
	_, err = writeMasked(a.stdout, &shown, "yaml", doc.Secrets)
	return true, err
}

// parallelism fills in RUNFILE_PARALLEL and refuses what is no number of steps.
func (a *app) parallelism(o *upFlags) error {
	if text := a.getenv("RUNFILE_PARALLEL"); text != "" && o.parallel == 0 {
		n, err := strconv.Atoi(text)
		if err != nil {
			return usagef("RUNFILE_PARALLEL %q is no number", text)
		}
		o.parallel = n
	}
	if o.parallel < 0 {
		return usagef("--parallel %d: at least one step at a time is needed", o.parallel)
	}
	return nil
}

// planFor plans against what the supervisor says exists, and reports what is wrong with exit status code.
func (a *app) planFor(ctx context.Context, client *project.Client, p *schema.Project, src diag.Sources, o planner.Options, code int) (*planner.Plan, error) {
	records, err := client.Records(ctx)
	if err != nil {
		return nil, err
	}
	o.Observed = observed(records)
	plan, diags := planner.Make(p, o)
	if err := a.report(diags, src, code); err != nil {
		return nil, err
	}
	return plan, a.askHost(plan, src)
}

// upRun is a run in progress: what it prints and how it is interrupted.
type upRun struct {
	a      *app
	o      upFlags
	client *project.Client
	plan   *planner.Plan
	order  []*schema.Container
	ui     *progress.UI
	out    *progress.Output
	typist *schema.Container // the container that reads our standard input, or nil
	failed error             // the first error of writing output
	left   atomic.Int32      // 1 + the exit status with which we leave while the run goes on; 0 = we stay
}

func newUpRun(a *app, o upFlags, client *project.Client, plan *planner.Plan) *upRun {
	u := &upRun{a: a, o: o, client: client, plan: plan, order: startOrder(plan)}
	var entries []progress.Entry
	var names []string
	for _, c := range u.order {
		entries = append(entries, progress.Entry{Key: c.Key, Service: c.IsService()})
		names = append(names, c.Key)
	}
	if !o.detach {
		u.typist = typist(u.order)
	}
	mode := a.progressMode()
	interactive := u.typist != nil && u.typist.Stdio.TTY.Value && terminal.Is(a.stdin)
	if interactive && mode == progress.TTY {
		mode = progress.Quiet // the container owns the terminal
	}
	u.ui = progress.New(progress.Options{
		Out: a.stderr, Mode: mode, Colour: a.colour(a.stderr), UTF8: terminal.UTF8(a.getenv), Project: plan.Project.Name,
		Entries: entries, Size: func() (int, int) { return terminal.Size(a.stderr) },
	})
	u.out = progress.NewOutput(progress.OutputOptions{
		Stdout: a.stdout, Stderr: a.stderr, Names: names, Prefix: len(names) > 1, Colour: a.colour(a.stdout),
		Filter: terminal.Is(a.stdout) && !o.raw && !interactive, CI: a.ciSystem() != "",
	})
	return u
}

// typist is the container that reads our standard input, or nil.
func typist(order []*schema.Container) *schema.Container {
	if i := slices.IndexFunc(order, readsStdin); i >= 0 {
		return order[i]
	}
	return nil
}

// readsStdin reports whether a container takes our standard input.
func readsStdin(c *schema.Container) bool {
	attach := c.Stdio.Attach.Values()
	return c.Stdio.Interactive.Value && !c.Lifecycle.Detach.Value && (len(attach) == 0 || slices.Contains(attach, "stdin"))
}

func (u *upRun) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := u.watchSignals(ctx, cancel)
	req := project.UpRequest{
		Plan: u.plan, Foreground: !u.o.detach, Remove: u.o.remove, Parallel: u.o.parallel,
	}
	if u.o.detach {
		req.Output = []string{} // nobody reads it
	}
	var restore func()
	if u.typist != nil {
		req.WaitAttach = []string{u.typist.Key}
	}
	result, err := u.client.Up(ctx, req, func(ev executor.Event) error {
		if ev.Type == executor.EventPlan && u.typist != nil && restore == nil {
			restore = u.a.typeInto(ctx, u.client, u.typist, func(err error) {
				if errors.Is(err, project.ErrDetached) {
					u.leave(ctx, 0, cancel)
					return
				}
				u.ui.Say("cannot send standard input to %s: %v", u.typist.Key, err)
				u.stopRun(ctx, true, cancel)
			})
		}
		return u.observe(ev)
	})
	if restore != nil {
		restore()
	}
	signal := stop()
	u.ui.Close()
	_ = u.out.Flush()
	if left := u.left.Load(); left > 0 {
		fmt.Fprintf(u.a.stderr, "the run goes on in the background\n  see it: runfile ps\n  end it: runfile down\n")
		return exit(int(left) - 1)
	}
	switch {
	case u.failed != nil:
		return u.failed
	case signal.given && err != nil:
		return u.interrupted(signal)
	case err != nil:
		return err
	}
	return u.conclude(result, signal)
}

func (u *upRun) observe(ev executor.Event) error {
	if ev.Type != executor.EventOutput {
		u.ui.Observe(ev)
		return nil
	}
	if u.o.detach {
		return nil
	}
	u.ui.Above(func() bool {
		ends, err := u.out.Write(ev.Container, ev.Stream, ev.Data)
		if err != nil && u.failed == nil {
			u.failed = err
		}
		return ends
	})
	return u.failed
}

// leave ends our part and lets the run go on: the detach keys, or a signal with sig-proxy: false.
func (u *upRun) leave(ctx context.Context, code int, giveUp context.CancelFunc) {
	if err := u.client.LeaveRun(ctx); err != nil {
		u.ui.Say("the run cannot be left: %v", err)
		return
	}
	u.left.Store(int32(code) + 1)
	giveUp()
}

// keepsSignals reports whether no container in the foreground takes our signals: all say sig-proxy: false.
func (u *upRun) keepsSignals() bool {
	found := false
	for _, c := range u.order {
		if c.IsService() {
			continue
		}
		if c.Stdio.SigProxy.Or(true) {
			return false
		}
		found = true
	}
	return found
}

// conclude prints the summary and returns the exit status.
func (u *upRun) conclude(result *executor.Result, signal caught) error {
	a := u.a
	mode := a.progressMode()
	if mode == progress.JSON {
		if err := progress.WriteResult(a.stderr, result); err != nil {
			return err
		}
	} else {
		progress.WriteSummary(a.stderr, result, progress.SummaryOptions{
			Colour: a.colour(a.stderr), UTF8: terminal.UTF8(a.getenv), Kept: !u.o.remove, CI: a.ciSystem(),
			Quiet: mode == progress.Quiet,
		})
	}
	if path := a.getenv("GITHUB_STEP_SUMMARY"); path != "" && a.ciSystem() == "github" {
		if err := appendSummary(path, u.plan.Project.Name, result); err != nil {
			fmt.Fprintf(a.stderr, "runfile: the job summary could not be written: %v\n", err)
		}
	}
	if signal.given {
		return exit(128 + signal.number)
	}
	return exit(result.ExitCode)
}

func appendSummary(path, name string, result *executor.Result) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(progress.WriteMarkdown(f, name, result), f.Close())
}

// interrupted ends a run that we no longer wait for: it says what goes on without us.
func (u *upRun) interrupted(signal caught) error {
	a := u.a
	if u.o.detach {
		fmt.Fprintf(a.stderr, "the run goes on in the background\n  see it: runfile ps\n  end it: runfile down\n")
		return exit(128 + signal.number)
	}
	records, err := a.records(u.plan.Project.Name)
	if err != nil {
		return err
	}
	for _, r := range records {
		if r.State == executor.Running || r.State == executor.Restarting {
			fmt.Fprintf(a.stderr, "still %s: %s (pid %d)\n", r.State, r.Name, r.Status.PID)
		}
	}
	fmt.Fprintf(a.stderr, "what remains is being stopped in the background\n  see it: runfile ps\n  clear it away: runfile down\n")
	return exit(128 + signal.number)
}
