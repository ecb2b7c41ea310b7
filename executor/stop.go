package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/planner"
)

// Docker's stop sequence (spec/options-process.md stop-timeout): the stop signal, then its time, then SIGKILL, which is
// given these times to work.
const (
	sigkill            = 9
	sigterm            = 15
	defaultStopTimeout = 10 * time.Second
	// undelivered is how long a container has that the stop signal could not be sent to.
	undelivered = 2 * time.Second
	afterKill   = 10 * time.Second
	afterSecond = 2 * time.Second
)

// stop ends a container and every restart that is due, and returns when it does not run any more. Timeout in seconds
// replaces its own; -1 waits for ever. Manual says that a person wants it so, which outlives the supervisor. Once
// begun a stop goes on, whatever becomes of its caller.
func (c *container) stop(ctx context.Context, timeout *int64, manual bool) error {
	ctx = context.WithoutCancel(ctx)
	if !c.ceaseRestarts(manual) {
		return nil
	}
	var p engine.Process
	if err := c.await(ctx, func() bool { p = c.process; return p != nil || !c.active }); err != nil || p == nil {
		return err
	}
	return c.terminate(ctx, p, timeout, func() bool { return !c.active })
}

// terminate goes through the stop sequence with a process until ended, called with mu held, is true.
func (c *container) terminate(ctx context.Context, p engine.Process, timeout *int64, ended func() bool) error {
	rec := c.record()
	signal := sigterm
	if rec.Effective != nil && rec.Effective.StopSignal.Number != 0 {
		signal = rec.Effective.StopSignal.Number
	}
	grace := c.grace(timeout)
	if err := c.signal(ctx, p, signal, ""); err != nil && grace > undelivered {
		grace = undelivered
	}
	if c.over(ctx, grace, ended) {
		c.m.emit(Event{Type: EventStop, Container: c.key, ID: c.id})
		return nil
	}
	for _, wait := range []time.Duration{afterKill, afterSecond} {
		if c.m.ctx.Err() != nil { // the next supervisor goes on with it
			return errClosed
		}
		_ = c.signal(ctx, p, sigkill, c.whyKill(grace)) // what counts is whether it ends
		if c.over(ctx, wait, ended) {
			c.m.emit(Event{Type: EventStop, Container: c.key, ID: c.id})
			return nil
		}
	}
	return fmt.Errorf("container %q does not end, not even by SIGKILL", c.key)
}

// ceaseRestarts makes the next exit the last one. It reports whether there is anything to stop.
func (c *container) ceaseRestarts(manual bool) bool {
	if !c.isActive() {
		return false
	}
	active := false
	c.note(func(r *Record) []Event {
		if active = c.active; !active { // it ended just now
			return nil
		}
		r.ManuallyStopped = r.ManuallyStopped || manual
		if !c.halted {
			c.halted = true
			close(c.halt)
		}
		return nil
	})
	return active
}

// grace is the time between the stop signal and SIGKILL; negative = for ever.
func (c *container) grace(timeout *int64) time.Duration {
	seconds := c.spec.Lifecycle.StopTimeout
	switch {
	case timeout != nil:
		return time.Duration(*timeout) * time.Second
	case seconds.Set:
		return time.Duration(seconds.Value) * time.Second
	}
	return defaultStopTimeout
}

// whyKill explains a SIGKILL after a stop signal that did not help. PID 1 of a container is deaf to signals that it has
// no handler for, which surprises people.
func (c *container) whyKill(grace time.Duration) string {
	why := fmt.Sprintf(", still running after %v", grace)
	if !c.spec.Process.Init.Value {
		why += "; if it ignores the stop signal, `init: true` helps"
	}
	return why
}

func (c *container) signal(ctx context.Context, p engine.Process, signal int, why string) error {
	c.m.emit(Event{Type: EventKill, Container: c.key, ID: c.id, Detail: fmt.Sprintf("signal %d%s", signal, why)})
	err := p.Signal(ctx, signal)
	if errors.Is(err, engine.ErrProcessDone) {
		return nil
	}
	return err
}

// over waits until ended is true, at most for a time; negative = for ever.
func (c *container) over(ctx context.Context, limit time.Duration, ended func() bool) bool {
	if limit >= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	return c.await(ctx, ended) == nil
}

// kill sends a signal. SIGKILL and the stop signal end the restart policy, too, as docker has it; during back-off that
// is all they do.
func (c *container) kill(ctx context.Context, signal int) error {
	rec := c.record()
	stopSignal := sigterm
	if rec.Effective != nil && rec.Effective.StopSignal.Number != 0 {
		stopSignal = rec.Effective.StopSignal.Number
	}
	if signal == sigkill || signal == stopSignal {
		c.ceaseRestarts(true)
	}
	p, err := c.running()
	if err != nil {
		if rec.State == Restarting {
			return nil
		}
		return err
	}
	return c.signal(ctx, p, signal, "")
}

// Stop stops containers, all if refs is empty: those that need others first, each level at once.
func (m *Manager) Stop(ctx context.Context, refs []string, timeout *int64) error {
	cs, err := m.findAll(refs)
	if err != nil {
		return err
	}
	return stopAll(ctx, cs, timeout)
}

// stopAll stops in reverse order, in parallel within a level.
func stopAll(ctx context.Context, cs []*container, timeout *int64) error {
	return eachLevel(reversed(levels(cs)), func(c *container) error { return c.stop(ctx, timeout, true) })
}

func reversed(l [][]*container) [][]*container {
	slices.Reverse(l)
	return l
}

// eachLevel does something with all containers of a level at once, level after level, and goes on after errors.
func eachLevel(ls [][]*container, do func(*container) error) error {
	var mu sync.Mutex
	var errs []error
	for _, level := range ls {
		var wg sync.WaitGroup
		for _, c := range level {
			wg.Go(func() {
				if err := do(c); err != nil {
					mu.Lock()
					defer mu.Unlock()
					errs = append(errs, err)
				}
			})
		}
		wg.Wait()
	}
	return errors.Join(errs...)
}

// Start starts containers that do not run, all if refs is empty, in the order in which they need each other.
func (m *Manager) Start(ctx context.Context, refs []string) error {
	cs, err := m.findAll(refs)
	if err != nil {
		return err
	}
	return eachLevel(levels(cs), func(c *container) error {
		if err := c.lock(ctx); err != nil {
			return err
		}
		defer c.unlock()
		return c.start(ctx)
	})
}

// Restart stops containers and starts them again, also those that did not run. `rm` does not remove them in between.
func (m *Manager) Restart(ctx context.Context, refs []string, timeout *int64) error {
	cs, err := m.findAll(refs)
	if err != nil {
		return err
	}
	ls := levels(cs)
	slices.SortFunc(cs, func(a, b *container) int { return strings.Compare(a.id, b.id) }) // two callers must not lock crosswise
	for _, c := range cs {
		if err := c.lock(ctx); err != nil {
			return err
		}
		defer c.unlock()
	}
	if err := eachLevel(reversed(slices.Clone(ls)), func(c *container) error { return c.stop(ctx, timeout, true) }); err != nil {
		return err
	}
	err = eachLevel(ls, func(c *container) error { return c.start(ctx) })
	for _, c := range cs {
		c.restartJoiners(cs...)
	}
	return err
}

// restartJoiners restarts the running containers that share a PID or IPC namespace of c, which is another one since c
// has started anew: they would go on in the old one, alone. A network outlives restarts of its owner, so those who share
// it go on. Those in except are left out.
func (c *container) restartJoiners(except ...*container) {
	for _, other := range c.m.all() {
		joins := slices.ContainsFunc(processDonors(other.spec), func(ref string) bool { return other.record().Peers[ref] == c.id })
		if !joins || slices.Contains(except, other) {
			continue
		}
		c.m.tasks.Go(func() { other.follow(c) })
	}
}

// follow restarts a running container because its donor has restarted.
func (c *container) follow(donor *container) {
	if c.lock(c.m.ctx) != nil {
		return
	}
	defer c.unlock()
	if _, err := c.running(); err != nil {
		return
	}
	c.m.emit(Event{Type: EventRestart, Container: c.key, ID: c.id, Detail: fmt.Sprintf("%q has restarted, whose namespaces it shares", donor.key)})
	err := c.stop(c.m.ctx, nil, false)
	if err == nil {
		err = c.start(c.m.ctx)
	}
	if err != nil && c.m.ctx.Err() == nil {
		c.m.warn(c, "restart after %q: %v", donor.key, err)
	}
}

// Kill sends a signal to containers, all that run if refs is empty.
func (m *Manager) Kill(ctx context.Context, refs []string, signal int) error {
	cs, err := m.findAll(refs)
	if err != nil {
		return err
	}
	return eachLevel([][]*container{cs}, func(c *container) error {
		if len(refs) == 0 && !c.isActive() {
			return nil
		}
		return c.kill(ctx, signal)
	})
}

func (c *container) isActive() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.active
}

// Remove removes containers; with force also running ones, which are killed. Volumes takes their anonymous volumes, too.
func (m *Manager) Remove(ctx context.Context, refs []string, force, volumes bool) error {
	if len(refs) == 0 {
		return nil
	}
	cs, err := m.findAll(refs)
	if err != nil {
		return err
	}
	return eachLevel(reversed(levels(cs)), func(c *container) error {
		if err := c.lock(ctx); err != nil {
			return err
		}
		defer c.unlock()
		if c.isActive() {
			if !force {
				return &engine.Error{Code: 1, Err: fmt.Errorf("container %q is running; stop it first, or remove it with rm -f", c.key)} // 1 as docker
			}
			if err := c.killNow(ctx); err != nil {
				return err
			}
		}
		return c.removeUnlessGone(ctx, volumes)
	})
}

// killNow ends a container with SIGKILL and returns when it is over.
func (c *container) killNow(ctx context.Context) error {
	if !c.ceaseRestarts(true) {
		return nil
	}
	if p, err := c.running(); err == nil {
		_ = c.signal(ctx, p, sigkill, "") // stop does all that is left if that fails
	}
	if c.over(ctx, afterKill, func() bool { return !c.active }) {
		return nil
	}
	if c.m.ctx.Err() != nil {
		return errClosed
	}
	zero := int64(0)
	return c.stop(ctx, &zero, true)
}

// removeUnlessGone removes a container that `rm` may have removed already. The caller holds op.
func (c *container) removeUnlessGone(ctx context.Context, volumes bool) error {
	c.mu.Lock()
	gone := c.gone
	c.mu.Unlock()
	if gone {
		return nil
	}
	return c.remove(ctx, volumes)
}

// Down stops everything in reverse order, removes containers with their anonymous volumes, then networks, and with
// volumes the named volumes that runs of the project have made.
func (m *Manager) Down(ctx context.Context, volumes bool, timeout *int64) error {
	cs := m.all()
	errs := []error{eachLevel(reversed(levels(cs)), func(c *container) error {
		if err := c.lock(ctx); err != nil {
			return err
		}
		defer c.unlock()
		if err := c.stop(ctx, timeout, true); err != nil {
			return err
		}
		return c.removeUnlessGone(ctx, true)
	})}
	errs = append(errs, m.removeOrphans(ctx))
	m.mu.Lock()
	left := resources{Networks: slices.Clone(m.resources.Networks), Volumes: slices.Clone(m.resources.Volumes)}
	m.mu.Unlock()
	for _, key := range left.Networks {
		errs = append(errs, m.removeResource(ctx, planner.Network, key))
	}
	if volumes {
		for _, key := range left.Volumes {
			errs = append(errs, m.removeResource(ctx, planner.Volume, key))
		}
	}
	return errors.Join(errs...)
}

func (m *Manager) removeResource(ctx context.Context, kind planner.Kind, key string) error {
	if err := m.cfg.Engine.Remove(ctx, engine.Ref{Kind: string(kind), Name: key}); err != nil {
		return fmt.Errorf("remove %s %q: %w", kind, key, err)
	}
	m.emit(Event{Type: EventDestroy, Object: key, Detail: string(kind)})
	return m.forget(kind, key)
}
