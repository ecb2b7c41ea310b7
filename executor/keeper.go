package executor

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/supervise"
	"github.com/runfile/runfile/schema/value"
)

// attempt is one run of a container's process.
type attempt struct {
	process engine.Process
	streams *streams
	watch   *supervise.LineWatch
	began   time.Time // with monotonic time
}

// begin is how an engine gives a process: by Start or Adopt.
type begin func(ctx context.Context, id string, stdio engine.Stdio) (engine.Process, error)

// start starts a container that does not run and leaves it to a keeper. Restart counts begin anew and a manual stop is
// forgotten. The caller holds op. Starting what runs does nothing.
func (c *container) start(ctx context.Context) error {
	c.mu.Lock()
	if c.gone || c.active {
		defer c.mu.Unlock()
		if c.gone {
			return fmt.Errorf("%w: %q has been removed", ErrNoContainer, c.key)
		}
		return nil
	}
	before := c.rec
	c.mu.Unlock()
	// On disk before it is done: a supervisor that finds "running" without a process id knows that a start was under way.
	err := c.change(func(r *Record) []Event {
		c.active, c.settled, c.halted, c.timedOut, c.unwell = true, false, false, false, verdict{}
		c.halt, c.restarts, c.deadline = make(chan struct{}), supervise.RestartState{}, c.limitFrom(time.Now())
		r.State, r.Status = Running, engine.Status{}
		r.Exit, r.Error, r.RestartCount, r.ManuallyStopped, r.Ready, r.Health = nil, "", 0, false, false, nil
		r.FinishedAt = time.Time{}
		return nil
	})
	var a *attempt
	if err == nil {
		a, err = c.launch(ctx, c.m.cfg.Engine.Start)
	}
	if err != nil {
		c.startFailed(before, err)
		return err
	}
	c.m.tasks.Go(func() { c.keep(a) })
	return nil
}

// limitFrom returns when the `timeout` of a job that starts at t is over.
func (c *container) limitFrom(t time.Time) time.Time {
	if limit := c.spec.Lifecycle.Timeout; limit.Set && limit.Value > 0 && !c.spec.IsService() {
		return t.Add(limit.Value)
	}
	return time.Time{}
}

// startFailed puts the record back to what it was, with the exit status that docker run gives for such an error.
func (c *container) startFailed(before Record, err error) {
	c.note(func(r *Record) []Event {
		c.active, c.settled, c.process = false, true, nil
		r.State, r.StartedAt, r.FinishedAt, r.Status = before.State, before.StartedAt, before.FinishedAt, before.Status
		r.Error = err.Error()
		r.Exit = &engine.Exit{Code: engine.ExitCode(err), At: time.Now()}
		return nil
	})
}

// launch connects the streams and begins a run of the process.
func (c *container) launch(ctx context.Context, how begin) (*attempt, error) {
	rec := c.record()
	a := new(attempt)
	if expr := c.spec.Lifecycle.Ready.Value.Log; expr != "" {
		var err error
		if a.watch, err = supervise.NewLineWatch(expr); err != nil {
			return nil, &engine.Error{Code: 125, Option: "ready", Err: err}
		}
	}
	var stdout, stderr io.WriteCloser
	if c.m.cfg.OpenLog != nil {
		var err error
		if stdout, stderr, err = c.m.cfg.OpenLog(&rec); err != nil {
			return nil, &engine.Error{Code: 125, Option: "log-driver", Err: fmt.Errorf("open the log: %w", err)}
		}
	}
	a.streams = c.out.open(stdout, stderr, a.watch)
	c.mu.Lock()
	columns, rows := c.columns, c.rows
	c.mu.Unlock()
	var err error
	if a.process, err = how(ctx, c.id, a.streams.stdio(columns, rows)); err != nil {
		a.streams.close()
		return nil, err
	}
	a.began = time.Now()
	c.note(func(r *Record) []Event {
		c.process = a.process
		r.LogPath = rec.LogPath
		return c.started(r, a)
	})
	return a, nil
}

// started notes what is known of a process as soon as it runs. An adopted one that has its health and readiness from
// before keeps them.
func (c *container) started(r *Record, a *attempt) []Event {
	adopted := r.State == Running && r.Status.PID != 0
	r.State, r.Status = Running, a.process.Status()
	if r.StartedAt = r.Status.StartedAt; r.StartedAt.IsZero() {
		r.StartedAt = a.began
	}
	if adopted {
		return nil
	}
	r.Ready = false
	if _, ok := supervise.HealthOf(r.Effective); ok {
		r.Health = &Health{Status: supervise.Starting}
	}
	return []Event{{Type: EventStart}}
}

// keep stays with a container until it has ended for good, then takes it away if `rm` says so. When the manager closes
// it leaves everything as it is.
func (c *container) keep(a *attempt) {
	for a != nil {
		exit, err := c.watch(a)
		a.streams.close()
		if c.m.ctx.Err() != nil {
			return
		}
		if err != nil { // an engine that cannot wait has lost it
			c.m.warn(c, "its end cannot be awaited: %v", err)
			exit = engine.Exit{Unknown: true, At: time.Now()}
		}
		a = c.next(a, exit)
	}
	if c.m.ctx.Err() != nil {
		return
	}
	c.finish()
}

// watch waits for the end of the process, with the checks beside it.
func (c *container) watch(a *attempt) (engine.Exit, error) {
	ctx, cancel := context.WithCancel(c.m.ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer cancel()
	rec := c.record()
	if cfg, ok := supervise.HealthOf(rec.Effective); ok {
		if rec.Health != nil && rec.Health.Status == supervise.Unhealthy { // an earlier supervisor has not got to it
			c.treat(a)
		}
		beside.Go(func() {
			supervise.WatchHealth(ctx, a.process, cfg, healthState(rec), func(st supervise.HealthState) {
				c.setHealth(st)
				if st.Status == supervise.Unhealthy {
					c.treat(a)
				}
			})
		})
	}
	if c.spec.Lifecycle.Ready.Set && !rec.Ready {
		beside.Go(func() { c.awaitReady(ctx, a) })
	}
	c.mu.Lock()
	deadline := c.deadline
	c.mu.Unlock()
	if !deadline.IsZero() {
		beside.Go(func() { c.enforce(ctx, deadline) })
	}
	return a.process.Wait(ctx)
}

func healthState(r Record) supervise.HealthState {
	st := supervise.NewHealth(r.StartedAt)
	if r.Health == nil {
		return st
	}
	st.Status, st.Streak = r.Health.Status, r.Health.FailingStreak
	for _, p := range r.Health.Log {
		st.Log = append(st.Log, supervise.ProbeResult(p))
	}
	return st
}

func (c *container) setHealth(st supervise.HealthState) {
	c.note(func(r *Record) []Event {
		h := &Health{Status: st.Status, FailingStreak: st.Streak}
		for _, p := range st.Log {
			h.Log = append(h.Log, Probe(p))
		}
		changed := r.Health == nil || r.Health.Status != h.Status
		r.Health = h
		if changed {
			return []Event{{Type: EventHealth, Detail: h.Status}}
		}
		return nil
	})
}

func (c *container) awaitReady(ctx context.Context, a *attempt) {
	if err := supervise.WaitReady(ctx, a.process, c.spec.Lifecycle.Ready.Value, a.watch); err != nil {
		return // only the end of the process ends the probing; who waits has a limit of its own
	}
	c.note(func(r *Record) []Event {
		r.Ready = true
		return []Event{{Type: EventReady}}
	})
}

// enforce stops a job whose time is up. The stop runs apart, because the keeper waits for enforce.
func (c *container) enforce(ctx context.Context, deadline time.Time) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return
	case <-timer.C:
	}
	c.m.tasks.Go(func() {
		c.note(func(r *Record) []Event {
			c.timedOut = true
			r.Error = fmt.Sprintf("timeout after %s", c.spec.Lifecycle.Timeout.Value)
			return nil
		})
		if err := c.stop(c.m.ctx, nil, false); err != nil && c.m.ctx.Err() == nil {
			c.m.warn(c, "stop after its timeout: %v", err)
		}
	})
}

// next notes an exit, decides what follows and does it. Nil means that the container has ended for good.
func (c *container) next(a *attempt, exit engine.Exit) *attempt {
	if exit.Unknown && exit.Code == 0 {
		exit.Code = supervise.UnknownExit
	}
	var decision supervise.Decision
	var halt chan struct{}
	c.note(func(r *Record) []Event {
		decision, c.restarts = c.decide(exit, time.Since(a.began))
		halt, c.process = c.halt, nil
		c.exits++
		return c.ended(r, exit, decision)
	})
	if !decision.Restart || !c.backOff(halt, decision.Delay) {
		return nil
	}
	again, err := c.launch(c.m.ctx, c.m.cfg.Engine.Start)
	if err == nil {
		c.restartJoiners()
		return again
	}
	if c.m.ctx.Err() == nil { // docker gives up, too, when a restart cannot be started
		c.note(func(r *Record) []Event {
			r.State, r.Error = Exited, "restart: "+err.Error()
			r.Exit = &engine.Exit{Code: engine.ExitCode(err), At: time.Now()}
			return []Event{{Type: EventFail, Detail: r.Error}}
		})
	}
	return nil
}

// decide says what follows an exit. The caller holds mu.
func (c *container) decide(exit engine.Exit, ranFor time.Duration) (supervise.Decision, supervise.RestartState) {
	policy := c.spec.Lifecycle.Restart.Or(value.RestartPolicy{})
	if c.unwell.action == restartUnhealthy && !c.halted {
		return supervise.AfterUnhealthy(policy, c.restarts, ranFor)
	}
	return supervise.NextRestart(policy, c.restarts, exit, ranFor, c.halted)
}

// ended writes an exit into the record.
func (c *container) ended(r *Record, exit engine.Exit, d supervise.Decision) []Event {
	r.Exit, r.FinishedAt, r.Ready = &exit, exit.At, false
	if c.unwell.action != "" && !d.Restart {
		r.Error = "unhealthy: " + c.unwell.why
	}
	c.unwell = verdict{}
	if r.Health != nil { // docker shows a container that is not probed any more as unhealthy
		r.Health = &Health{Status: supervise.Unhealthy, FailingStreak: r.Health.FailingStreak, Log: r.Health.Log}
	}
	code := exit.Code
	var events []Event
	if exit.OOMKilled {
		events = append(events, Event{Type: EventOOM})
	}
	events = append(events, Event{Type: EventDie, ExitCode: &code, Detail: d.Reason})
	r.State = Exited
	if d.Restart {
		r.State, r.RestartCount = Restarting, c.restarts.Count
		events = append(events, Event{Type: EventRestart, Detail: fmt.Sprintf("%s, in %s", d.Reason, d.Delay)})
	}
	return events
}

// backOff waits before a restart and reports false if none may follow any more.
func (c *container) backOff(halt <-chan struct{}, delay time.Duration) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.m.ctx.Done():
		return false
	case <-halt:
		c.note(func(r *Record) []Event {
			r.State = Exited
			return nil
		})
		return false
	}
}

// finish settles a container that has ended for good, and removes it first if it has `rm`. Somebody who holds op may
// start it again meanwhile (restart); then the next keeper settles it.
func (c *container) finish() {
	remove := c.spec.Lifecycle.Remove.Value
	c.mu.Lock()
	c.active, c.settled = false, !remove
	c.noteLocked()
	c.mu.Unlock()
	if !remove || c.lock(c.m.ctx) != nil {
		return
	}
	defer c.unlock()
	c.mu.Lock()
	skip := c.active || c.gone
	c.mu.Unlock()
	if skip {
		return
	}
	if err := c.remove(c.m.ctx, true); err != nil && c.m.ctx.Err() == nil {
		c.m.warn(c, "remove it at its end: %v", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled = true
	c.noteLocked()
}

// remove deletes a container that does not run, with its anonymous volumes if volumes is set. The caller holds op.
func (c *container) remove(ctx context.Context, volumes bool) error {
	// That an ended container with `rm` is to go is on disk already: it costs no further write.
	if rec := c.record(); rec.State != Exited || !c.spec.Lifecycle.Remove.Value {
		err := c.change(func(r *Record) []Event {
			r.State = Removing
			return nil
		})
		if err != nil && c.record().State != Removing {
			return err
		}
	}
	// Half a removal is finished by the next supervisor, which finds the state; so it is not cancelled with its caller.
	ctx = context.WithoutCancel(ctx)
	if err := c.m.cfg.Engine.Remove(ctx, engine.Ref{Kind: "container", Name: c.id, Volumes: volumes}); err != nil {
		return fmt.Errorf("remove container %q: %w", c.key, err)
	}
	c.mu.Lock()
	c.gone = true // nobody writes the record again
	c.mu.Unlock()
	if err := os.RemoveAll(c.m.cfg.Paths.Container(c.m.cfg.Project, c.id)); err != nil {
		c.m.warn(c, "its files remain: %v", err)
	}
	c.m.unregister(c)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled = true
	c.m.emit(Event{Type: EventDestroy, Container: c.key, ID: c.id})
	c.noteLocked()
	return nil
}
