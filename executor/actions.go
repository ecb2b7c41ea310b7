package executor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/executor/supervise"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// startTimeout is how long a container may take to become ready or healthy.
const startTimeout = time.Minute

// perform does one step.
func (r *run) perform(ctx context.Context, n *node) error {
	switch n.Kind {
	case planner.Pull:
		return r.pull(ctx, n)
	case planner.Network:
		return r.network(ctx, n)
	case planner.Volume:
		return r.volume(ctx, n)
	case planner.Remove:
		return r.remove(ctx, n)
	case planner.Create:
		return r.create(ctx, n)
	case planner.Start:
		return r.start(ctx, n)
	case planner.Await:
		return r.await(ctx, n)
	case planner.Keep:
		return r.keep(n)
	}
	return fmt.Errorf("the plan has a step of unknown kind %q", n.Kind)
}

func (r *run) pull(ctx context.Context, n *node) error {
	c, err := r.imageUser(n.Object)
	if err != nil {
		return err
	}
	r.emit(Event{Type: EventPullStart, Object: n.Object, Origin: n.Origin})
	_, err = r.m.cfg.Engine.Pull(ctx, c, func(p engine.Progress) {
		r.emit(Event{Type: EventProgress, Object: n.Object, Progress: &p})
	})
	if err != nil {
		return about(err, n.Object, "pull %s", n.Object)
	}
	r.emit(Event{Type: EventStepDone, Object: n.Object, Detail: n.ID})
	return nil
}

// about wraps an error in what it is about, unless the error says so itself: engines name what they failed at, too, and
// nobody wants to read it twice.
func about(err error, subject, format string, args ...any) error {
	if strings.Contains(err.Error(), subject) {
		return err
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

func (r *run) network(ctx context.Context, n *node) error {
	i := slices.IndexFunc(r.plan.Project.Networks, func(d *schema.NetworkDef) bool { return d.Key == n.Object })
	def := &schema.NetworkDef{Key: n.Object, Implicit: true}
	if i >= 0 {
		def = r.plan.Project.Networks[i]
	}
	if err := r.m.remember(planner.Network, n.Object); err != nil {
		return err
	}
	if err := r.m.cfg.Engine.EnsureNetwork(ctx, def); err != nil {
		return about(err, fmt.Sprintf("network %q", n.Object), "network %q", n.Object)
	}
	r.emit(Event{Type: EventStepDone, Object: n.Object, Detail: n.ID})
	return nil
}

func (r *run) volume(ctx context.Context, n *node) error {
	i := slices.IndexFunc(r.plan.Project.Volumes, func(d *schema.VolumeDef) bool { return d.Key == n.Object })
	def := &schema.VolumeDef{Key: n.Object, Implicit: true}
	if i >= 0 {
		def = r.plan.Project.Volumes[i]
	}
	if !def.External.Value { // somebody else's volume is not ours to remove
		if err := r.m.remember(planner.Volume, n.Object); err != nil {
			return err
		}
	}
	if err := r.m.cfg.Engine.EnsureVolume(ctx, def); err != nil {
		return fmt.Errorf("volume %q: %w", n.Object, err)
	}
	r.emit(Event{Type: EventStepDone, Object: n.Object, Detail: n.ID})
	return nil
}

// remove stops and removes a container that is replaced or no longer wanted, with its anonymous volumes.
func (r *run) remove(ctx context.Context, n *node) error {
	c := n.container
	if c == nil {
		return nil // removed meanwhile
	}
	if err := c.lock(ctx); err != nil {
		return err
	}
	defer c.unlock()
	if err := c.stop(ctx, nil, true); err != nil {
		return err
	}
	dropCIDFile(c)
	return c.removeUnlessGone(ctx, true)
}

// dropCIDFile takes the file away that names a container which a plan removes, so that its successor can write it. Any
// other content is not ours. Docker leaves the file, but has nothing that replaces containers.
func dropCIDFile(c *container) {
	path := c.spec.Metadata.CIDFile.Value
	if content, err := os.ReadFile(path); path != "" && err == nil && string(content) == c.id {
		_ = os.Remove(path) // the successor will say so
	}
}

// create makes a container. If that fails nothing of it is left, as with docker.
func (r *run) create(ctx context.Context, n *node) error {
	n.container = nil // one of that key that exists is in the way, not ours
	spec := r.plan.Project.Container(n.Object)
	if spec == nil {
		return fmt.Errorf("the plan's project has no container %q", n.Object)
	}
	c := newContainer(r.m, Record{
		ID: state.NewID(), Key: spec.Key, Name: spec.Metadata.Name.Or(r.m.cfg.Project + "-" + spec.Key), Project: r.m.cfg.Project,
		Spec: spec, Config: schema.Canonical(spec), Peers: r.m.peersOf(spec), State: Created, CreatedAt: time.Now(),
	})
	if err := r.m.register(c); err != nil {
		return err
	}
	if err := r.prepare(ctx, c); err != nil {
		_ = os.RemoveAll(r.m.cfg.Paths.Container(r.m.cfg.Project, c.id)) // the first error counts
		r.m.unregister(c)
		c.mu.Lock()
		c.gone = true
		c.noteLocked()
		c.mu.Unlock()
		return err
	}
	n.container = c
	return nil
}

func (r *run) prepare(ctx context.Context, c *container) error {
	undo, err := writeCIDFile(c)
	if err != nil {
		return err
	}
	// On disk before it is made: a supervisor that finds a record without an effective configuration takes the rest away.
	if err := c.change(func(*Record) []Event { return nil }); err != nil {
		undo()
		return err
	}
	rec := c.record()
	effective, err := r.m.cfg.Engine.Create(ctx, engine.Container{
		ID: c.id, Name: c.name, Project: r.m.cfg.Project, Dir: r.plan.Project.ManifestDir(), Spec: c.spec, Peers: rec.Peers,
	})
	if err != nil {
		undo()
		return err
	}
	c.note(func(r *Record) []Event {
		r.Effective = effective
		return append([]Event{{Type: EventCreate}}, uncheckedHealth(c.spec, effective)...)
	})
	return nil
}

// writeCIDFile writes the id, 64 hex digits without a newline, into the file that cidfile names. The file must not
// exist; undo removes it.
func writeCIDFile(c *container) (undo func(), err error) {
	path := c.spec.Metadata.CIDFile
	if !path.Set {
		return func() {}, nil
	}
	fail := func(err error) error { return &engine.Error{Code: 125, Option: "cidfile", Err: err} }
	f, err := os.OpenFile(path.Value, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil, fail(fmt.Errorf("cidfile: %s exists; remove it or use another path", path.Value))
	}
	if err != nil {
		return nil, fail(fmt.Errorf("cidfile: %w", err))
	}
	undo = func() { _ = os.Remove(path.Value) } // another error is on its way already
	_, err = f.WriteString(c.id)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		undo()
		return nil, fail(fmt.Errorf("cidfile: %w", err))
	}
	return undo, nil
}

// start starts a container. One that could not be started is removed again if it has `rm`; else it stays, so that it
// can be looked at.
func (r *run) start(ctx context.Context, n *node) error {
	c := n.container
	if c == nil {
		return fmt.Errorf("%w: %q", ErrNoContainer, n.Object)
	}
	if slices.Contains(r.o.WaitAttach, c.key) || slices.Contains(r.o.WaitAttach, c.name) {
		select {
		case <-c.out.attached:
		case <-r.o.Left:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := c.lock(ctx); err != nil {
		return err
	}
	defer c.unlock()
	err := c.start(ctx)
	if err != nil && c.spec.Lifecycle.Remove.Value {
		if rerr := c.removeUnlessGone(ctx, true); rerr != nil {
			r.m.warn(c, "%v", rerr)
		}
	}
	return err
}

// keep has nothing to do; the container must be there.
func (r *run) keep(n *node) error {
	if n.container == nil {
		return fmt.Errorf("%w: %q", ErrNoContainer, n.Object)
	}
	return nil
}

// unmetError says that a container did not reach what was waited for.
type unmetError struct {
	code int // for the exit status of the run
	text string
}

// Error implements error.
func (e *unmetError) Error() string { return e.text }

// await waits until a container is healthy or ready, or has ended.
func (r *run) await(ctx context.Context, n *node) error {
	c := n.container
	if c == nil {
		return fmt.Errorf("%w: %q", ErrNoContainer, n.Object)
	}
	switch value.Condition(n.Condition) {
	case value.Completed, value.Exited:
		if err := c.await(ctx, func() bool { return c.settled }); err != nil {
			return err
		}
		if value.Condition(n.Condition) == value.Completed {
			return c.failure()
		}
		return nil
	case value.Healthy, value.Ready:
		return c.awaitUsable(ctx, value.Condition(n.Condition))
	case value.Started:
		return c.await(ctx, func() bool { return c.process != nil || c.settled })
	case value.Auto, value.Created:
		return nil
	}
	return fmt.Errorf("the plan waits for an unknown condition %q", n.Condition)
}

// failure is why a settled container counts as failed, nil if it has ended well. Where an option has ended it, that is the
// one at fault.
func (c *container) failure() error {
	rec := c.record()
	switch {
	case c.wasTimedOut():
		return &engine.Error{Code: 124, Option: "timeout", Err: errors.New(rec.Error)}
	case rec.Exit == nil:
		return nil
	case rec.Exit.Unknown:
		return &unmetError{rec.Exit.Code, "ended while no supervisor ran; its exit status is lost"}
	case rec.Exit.Code == 0 && rec.Error == "":
		return nil
	case rec.Error != "":
		return &unmetError{rec.Exit.Code, rec.Error}
	case rec.Exit.OOMKilled:
		return &engine.Error{Code: rec.Exit.Code, Option: "memory", Err: fmt.Errorf("exit %d, out of memory", rec.Exit.Code)}
	case rec.RestartCount > 0:
		return &unmetError{rec.Exit.Code, fmt.Sprintf("exit %d after %d restarts", rec.Exit.Code, rec.RestartCount)}
	}
	return &unmetError{rec.Exit.Code, fmt.Sprintf("exit %d", rec.Exit.Code)}
}

func (c *container) wasTimedOut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.timedOut
}

// awaitUsable waits until a container is healthy or ready. Unhealthy fails at once, and so does the container's end.
func (c *container) awaitUsable(ctx context.Context, want value.Condition) error {
	limit := c.usableLimit(want)
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var met, unhealthy, unchecked bool
	err := c.await(limited, func() bool {
		h := c.rec.Health
		if want == value.Ready {
			met = c.rec.Ready
		} else {
			met = h != nil && h.Status == supervise.Healthy
			unhealthy = h != nil && h.Status == supervise.Unhealthy && c.process != nil && !c.recovers()
			unchecked = h == nil && c.process != nil
		}
		return met || unhealthy || unchecked || !c.active
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return &unmetError{124, fmt.Sprintf("not %s within %s", want, limit)}
	case met:
		return nil
	case unhealthy:
		return &unmetError{1, "unhealthy: " + lastProbe(c.record().Health)}
	case unchecked:
		return &unmetError{125, "it has no health check to wait for"}
	}
	if err := c.failure(); err != nil {
		return err
	}
	return &unmetError{1, fmt.Sprintf("it has ended before it was %s", want)}
}

// usableLimit is how long to wait: a minute, or what the ready probe says, or, for a slow health check, until it can
// have failed.
func (c *container) usableLimit(want value.Condition) time.Duration {
	if want == value.Ready {
		if t := c.spec.Lifecycle.Ready.Value.Timeout; t > 0 {
			return t
		}
		return startTimeout
	}
	cfg, _ := supervise.HealthOf(c.record().Effective)
	once := cfg.StartPeriod + time.Duration(cfg.Retries+1)*(cfg.Interval+cfg.Timeout)
	if c.recovers() {
		once *= time.Duration(1 + c.spec.Lifecycle.Restart.Value.MaxRetries)
	}
	return max(startTimeout, once)
}

// lastProbe says in one line, and those that the check wrote, why a container is unhealthy.
func lastProbe(h *Health) string {
	if h == nil || len(h.Log) == 0 {
		return "no result"
	}
	last := h.Log[len(h.Log)-1]
	text := fmt.Sprintf("%d failures in a row, last ", h.FailingStreak)
	if h.FailingStreak == 1 {
		text = "one failure, "
	}
	output := strings.TrimSpace(last.Output)
	switch lines := strings.Count(output, "\n"); {
	case last.ExitCode < 0: // the check's output says why it has no exit code
		return text + output
	case output == "":
		return text + fmt.Sprintf("exit %d", last.ExitCode)
	case lines == 0:
		return text + fmt.Sprintf("exit %d: %s", last.ExitCode, output)
	}
	return text + fmt.Sprintf("exit %d:\n%s", last.ExitCode, output) // the first line is the headline
}
