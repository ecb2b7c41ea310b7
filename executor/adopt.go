package executor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/executor/supervise"
	"github.com/runfile/runfile/schema/value"
)

// adoptAll takes over what an earlier supervisor left. If that one ended orderly, nothing is running or due and nothing
// happens. Otherwise what runs is adopted, what has ended gets its exit status, half-made and half-removed containers
// go, and then the restart policies say who is started, in order (supervise.Resume).
func (m *Manager) adoptAll(ctx context.Context) error {
	records, lost, err := readRecords(m.cfg.Paths, m.cfg.Project)
	if err != nil && records == nil && lost == nil {
		return err
	}
	if err != nil { // start always: what is damaged is set aside, and said
		m.warn(nil, "%v", err)
	}
	m.orphans = lost
	if m.resources, err = state.ReadJSON[resources](m.resourcesPath()); err != nil && !errors.Is(err, os.ErrNotExist) {
		m.warn(nil, "the list of networks and volumes is lost: %v", err)
	}
	crashed := false
	var idle []*container
	for _, rec := range records {
		c := newContainer(m, rec)
		c.settled = true
		m.mu.Lock()
		m.containers[c.id] = c
		m.mu.Unlock()
		switch {
		case rec.State == Removing, rec.State == Created && rec.Effective == nil, rec.State == Exited && rec.Spec.Lifecycle.Remove.Value:
			crashed = true
			if err := c.remove(ctx, true); err != nil {
				m.warn(c, "%v", err)
			}
		case rec.State == Running, rec.State == Restarting:
			crashed = true
			if !c.adopt(ctx) {
				idle = append(idle, c)
			}
		default:
			idle = append(idle, c)
		}
	}
	if crashed {
		m.resume(ctx, idle)
	}
	return nil
}

// adopt takes over a container whose record says that it runs or restarts. False means that it does not run, which the
// record then says, too.
func (c *container) adopt(ctx context.Context) bool {
	rec := c.record()
	c.mu.Lock()
	c.active, c.settled = true, false
	c.restarts = supervise.RestartState{Count: rec.RestartCount}
	c.deadline = c.limitFrom(rec.StartedAt)
	if rec.ManuallyStopped { // it was being stopped: no restart may follow
		c.halted = true
		close(c.halt)
	}
	c.mu.Unlock()
	a, err := c.launch(ctx, c.m.cfg.Engine.Adopt)
	if err == nil {
		c.m.tasks.Go(func() { c.keep(a) })
		if rec.ManuallyStopped {
			c.m.tasks.Go(func() { c.finishStop() })
		}
		return true
	}
	c.note(func(r *Record) []Event {
		c.active, c.settled = false, true
		return c.foundDead(r, err)
	})
	return false
}

// finishStop goes on with a stop that the end of the supervisor has cut off.
func (c *container) finishStop() {
	if err := c.stop(c.m.ctx, nil, true); err != nil && c.m.ctx.Err() == nil {
		c.m.warn(c, "stop: %v", err)
	}
}

// foundDead writes down how a container ended that an earlier supervisor believed to run.
func (c *container) foundDead(r *Record, err error) []Event {
	neverStarted := r.State == Running && r.Status.PID == 0
	restarting := r.State == Restarting
	var gone *engine.NotRunning
	known := errors.As(err, &gone)
	switch {
	case neverStarted && (!known || gone.Exit.Unknown):
		r.State, r.Error = Created, "the supervisor ended while the container was being started"
		return nil
	case restarting:
		r.State = Exited // how it ended is in the record already
		return nil
	}
	exit := engine.Exit{Unknown: true}
	if known {
		exit = gone.Exit
	} else {
		r.Error = fmt.Sprintf("it could not be adopted: %v", err)
	}
	if exit.Unknown && exit.Code == 0 {
		exit.Code = supervise.UnknownExit
	}
	if exit.At.IsZero() {
		exit.At = time.Now()
	}
	return c.ended(r, exit, supervise.Decision{Reason: "ended while no supervisor ran"})
}

// resume starts those that their restart policy wants to run, and removes those that have ended and say `rm`.
func (m *Manager) resume(ctx context.Context, idle []*container) {
	for _, level := range levels(idle) {
		for _, c := range level {
			rec := c.record()
			policy := c.spec.Lifecycle.Restart.Or(value.RestartPolicy{})
			d := supervise.Resume(policy, c.finalExit(), rec.ManuallyStopped)
			switch {
			case d.Restart && (!rec.StartedAt.IsZero() || rec.Error != ""):
				c.resume(ctx, d)
			case c.spec.Lifecycle.Remove.Value && rec.State == Exited:
				m.tasks.Go(c.finish)
			}
		}
	}
}

func (c *container) resume(ctx context.Context, d supervise.Decision) {
	if c.lock(ctx) != nil {
		return
	}
	defer c.unlock()
	c.m.emit(Event{Type: EventRestart, Container: c.key, ID: c.id, Detail: d.Reason})
	if err := c.start(ctx); err != nil {
		c.m.warn(c, "start it again: %v", err)
	}
}

// removeOrphans takes away containers whose record was lost: whatever runs of them is killed.
func (m *Manager) removeOrphans(ctx context.Context) error {
	m.mu.Lock()
	orphans := m.orphans
	m.orphans = nil
	m.mu.Unlock()
	var errs []error
	for _, id := range orphans {
		if p, err := m.cfg.Engine.Adopt(ctx, id, engine.Stdio{}); err == nil {
			_ = p.Signal(ctx, sigkill) // Remove fails if it lives on
			if _, err := p.Wait(ctx); err != nil {
				errs = append(errs, err)
			}
		}
		err := m.cfg.Engine.Remove(ctx, engine.Ref{Kind: "container", Name: id, Volumes: true})
		if err == nil {
			err = os.RemoveAll(m.cfg.Paths.Container(m.cfg.Project, id))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("remove container %.12s, whose record is lost: %w", id, err))
			m.mu.Lock()
			m.orphans = append(m.orphans, id)
			m.mu.Unlock()
		}
	}
	return errors.Join(errs...)
}
