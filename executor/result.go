package executor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/runfile/runfile/executor/engine"
)

// The states of an Outcome.
const (
	outcomeOK      = "ok"
	outcomeFailed  = "failed"
	outcomeSkipped = "skipped"
	outcomeRunning = "running"
	outcomeStopped = "stopped"
)

// settleOutcomes completes the outcomes with what the containers themselves say, before the end of the run changes
// that. What still runs is settled by result.
func (r *run) settleOutcomes() {
	for _, key := range r.plan.Selected {
		c := r.containers[key]
		service := r.plan.Project.Container(key).IsService()
		if r.outcomes[key] == nil {
			r.outcomes[key] = r.outcomeOf(key, c)
		}
		o := r.outcomes[key]
		o.Service = service
		if o.Origin == "" {
			o.Origin = r.plan.Project.Container(key).At.String()
		}
		if c != nil && o.State == outcomeFailed {
			o.Tail = c.out.lastLines()
		}
	}
}

func (r *run) outcomeOf(key string, c *container) *Outcome {
	o := &Outcome{Container: key}
	switch {
	case c == nil, c.record().State == Created:
		o.State, o.Reason = outcomeStopped, "not started"
		if r.over != nil {
			o.Reason += ": " + r.over.Error()
		}
	case c.isActive():
		o.State = outcomeRunning
	default:
		o.State, o.ExitCode = outcomeOK, c.finalExit().Code
		if err := c.failure(); err != nil {
			o.State, o.ExitCode, o.Reason = outcomeFailed, failureCode(err), err.Error()
		}
	}
	return o
}

// tearDown stops what a foreground run has started, in reverse order, and removes it if that was asked for. Kill makes
// it short. What ran before the run began goes on.
func (r *run) tearDown() {
	var cs []*container
	for _, key := range r.plan.Selected {
		if c := r.containers[key]; c != nil && r.mine[key] {
			cs = append(cs, c)
		}
	}
	// The run's context has ended; its containers end on their own terms or by Kill.
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.steps))
	defer cancel()
	if r.o.Kill != nil {
		killed := make(chan struct{})
		defer func() { <-killed }()
		defer cancel()
		go func() {
			defer close(killed)
			select {
			case <-r.o.Kill:
				_ = eachLevel([][]*container{cs}, func(c *container) error { return c.killNow(ctx) }) // stop reports it
			case <-ctx.Done():
			}
		}()
	}
	timeout := r.teardownTimeout()
	err := eachLevel(reversed(levels(cs)), func(c *container) error { return c.stop(ctx, timeout(c), true) })
	if r.o.Remove {
		err = errors.Join(err, r.removeAll(ctx, cs))
	}
	for _, c := range cs { // those with `rm` are removed by their keepers
		if werr := c.await(ctx, func() bool { return c.settled || !c.active && c.rec.State == Created }); werr != nil {
			err = errors.Join(err, werr)
		}
	}
	if err != nil {
		r.m.warn(nil, "end of the run: %v", err)
	}
}

// teardownGrace is how long a container of a foreground run has to end when the run is over, unless its stop-timeout or
// the policy says otherwise. It is short, since nobody waits for its work any more (spec/manifest-and-cli.md 2 #18).
const teardownGrace = 2 * time.Second

// teardownTimeout applies the policy's teardown-grace: no container gets more time than that.
func (r *run) teardownTimeout() func(*container) *int64 {
	policy := r.plan.Project.Policy.TeardownGrace
	return func(c *container) *int64 {
		grace := policy.Or(teardownGrace)
		if !policy.Set && c.spec.Lifecycle.StopTimeout.Set {
			return nil
		}
		if own := c.grace(nil); own >= 0 && own <= grace {
			return nil
		}
		seconds := int64((grace + time.Second - 1) / time.Second)
		return &seconds
	}
}

// removeAll removes containers and then the networks of the plan that no container uses any more.
func (r *run) removeAll(ctx context.Context, cs []*container) error {
	err := eachLevel(reversed(levels(cs)), func(c *container) error {
		if err := c.lock(ctx); err != nil {
			return err
		}
		defer c.unlock()
		return c.removeUnlessGone(ctx, true)
	})
	for _, n := range r.nodes {
		if n.Kind == "network" && n.begun && n.err == nil && !r.m.networkUsed(n.Object) {
			err = errors.Join(err, r.m.removeResource(ctx, n.Kind, n.Object))
		}
	}
	return err
}

// networkUsed reports whether a container of the project names a network.
func (m *Manager) networkUsed(key string) bool {
	return slices.ContainsFunc(m.all(), func(c *container) bool {
		for _, n := range c.spec.Network.Networks.Values() {
			if n.Name == key {
				return true
			}
		}
		return false
	})
}

// result sums a run up (DESIGN.md 2 "Exit status").
func (r *run) result() *Result {
	res := &Result{Elapsed: time.Since(r.began), Outcomes: []Outcome{}}
	var failed []*Outcome
	others := slices.DeleteFunc(slices.Sorted(maps.Keys(r.outcomes)), func(key string) bool { return slices.Contains(r.plan.Selected, key) })
	for _, key := range slices.Concat(r.plan.Selected, others) { // others could not be removed
		o := r.outcomes[key]
		r.closeOutcome(o, r.containers[key])
		if o.State == outcomeFailed {
			failed = append(failed, o)
		}
		res.Outcomes = append(res.Outcomes, *o)
	}
	switch {
	case errors.Is(r.over, errTimeout):
		res.ExitCode, res.Reason = 124, "timeout"
	case errors.Is(r.over, errInterrupted):
		res.ExitCode, res.Reason = 130, "interrupted"
	case len(failed) == 0:
		res.Reason = "ok"
	case len(failed) > 1:
		res.ExitCode, res.Reason = 1, "jobs-failed"
	default:
		res.ExitCode, res.Reason = max(failed[0].ExitCode, 1), failureReason(failed[0])
	}
	return res
}

func failureReason(o *Outcome) string {
	switch o.ExitCode {
	case 124:
		return "timeout"
	case 125:
		return "engine"
	}
	return "job-failed"
}

// closeOutcome gives what ran when the run ended its last state, and adds the time.
func (r *run) closeOutcome(o *Outcome, c *container) {
	if c == nil {
		return
	}
	rec := c.record()
	if o.State == outcomeRunning && !c.isActive() {
		o.State, o.ExitCode = outcomeStopped, exitCode(rec.Exit)
		if r.over != nil {
			o.Reason = fmt.Sprintf("stopped: %v", r.over)
		}
	}
	switch {
	case rec.StartedAt.IsZero():
	case rec.FinishedAt.Before(rec.StartedAt):
		o.Elapsed = time.Since(rec.StartedAt)
	default:
		o.Elapsed = rec.FinishedAt.Sub(rec.StartedAt)
	}
}

func exitCode(e *engine.Exit) int {
	if e == nil {
		return 0
	}
	return e.Code
}
