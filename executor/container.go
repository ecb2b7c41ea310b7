package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/executor/supervise"
	"github.com/runfile/runfile/schema"
)

// container is a Record with what lives only in this process.
type container struct {
	m             *Manager
	id, key, name string
	spec          *schema.Container
	// op is held by whoever starts, stops or removes it; not while it runs. A channel, because it is held across waits.
	op  chan struct{}
	out *output

	mu       sync.Mutex
	rec      Record                 // guarded by mu
	process  engine.Process         // guarded by mu; nil unless it runs
	active   bool                   // guarded by mu; it starts, runs or is to restart: somebody answers for it
	settled  bool                   // guarded by mu; it has ended for good, and is removed if `rm` says so
	gone     bool                   // guarded by mu; removed
	exits    int                    // guarded by mu; how often its process has ended
	halt     chan struct{}          // guarded by mu; closed when no restart may follow; new at each start
	halted   bool                   // guarded by mu; halt is closed
	restarts supervise.RestartState // guarded by mu
	deadline time.Time              // guarded by mu; when a job's `timeout` is over; zero = never
	timedOut bool                   // guarded by mu; it was stopped at its deadline
	unwell   verdict                // guarded by mu; why health-on-failure ends the process that runs
	columns  uint16                 // guarded by mu; the terminal's size for the next start
	rows     uint16                 // guarded by mu
	changed  chan struct{}          // guarded by mu; closed and replaced at each change
}

func newContainer(m *Manager, rec Record) *container {
	c := &container{
		m: m, id: rec.ID, key: rec.Key, name: rec.Name, spec: rec.Spec, rec: rec,
		op: make(chan struct{}, 1), changed: make(chan struct{}), halt: make(chan struct{}),
	}
	c.out = newOutput(c)
	return c
}

// transitions lists the states that may follow each state. Removing is the last.
var transitions = map[State][]State{
	Created:    {Running, Removing},
	Running:    {Created, Restarting, Exited}, // created: its start failed
	Restarting: {Running, Exited},
	Exited:     {Running, Removing},
	Removing:   {},
}

// change applies f to the record, saves it, tells what f returns and wakes whoever waits, in this order and as one: no
// waiter sees the change before its events are out. An error means that nothing has changed in memory, or that the
// record could not be saved; the caller decides whether that stops it.
func (c *container) change(f func(r *Record) []Event) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := c.rec
	events := f(&next)
	if next.State != c.rec.State && !slices.Contains(transitions[c.rec.State], next.State) {
		return fmt.Errorf("container %q is %s and cannot become %s", c.key, c.rec.State, next.State)
	}
	c.rec = next
	var err error
	if !c.gone { // or the directory would come back
		err = state.UpdateJSON(recordPath(c.m.cfg.Paths, c.m.cfg.Project, c.id), &c.rec)
	}
	for _, e := range events {
		e.Container, e.ID = c.key, c.id
		c.m.emit(e)
	}
	c.noteLocked()
	return err
}

// note is change for what cannot be taken back, because it has happened: a record that cannot be saved is a warning.
func (c *container) note(f func(r *Record) []Event) {
	if err := c.change(f); err != nil {
		c.m.warn(c, "the record cannot be kept: %v", err)
	}
}

func (c *container) noteLocked() {
	close(c.changed)
	c.changed = make(chan struct{})
}

var errClosed = errors.New("the supervisor is ending")

// await blocks until f, called with mu held after each change, is true.
func (c *container) await(ctx context.Context, f func() bool) error {
	for {
		c.mu.Lock()
		ok, changed := f(), c.changed
		c.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-c.m.ctx.Done(): // no keeper will change anything any more
			return errClosed
		}
	}
}

func (c *container) record() Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rec
}

func (c *container) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.active || len(c.op) > 0
}

// lock takes op.
func (c *container) lock(ctx context.Context) error {
	select {
	case c.op <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *container) unlock() { <-c.op }

// attachedTo reports whether docker run would copy a stream to its own output: not of a detached container, and only
// the listed streams if attach lists any.
func (c *container) attachedTo(stream string) bool {
	if c.spec.Lifecycle.Detach.Value {
		return false
	}
	attach := c.spec.Stdio.Attach.Values()
	return len(attach) == 0 || slices.Contains(attach, stream)
}

// running returns the process, or an error if there is none.
func (c *container) running() (engine.Process, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return nil, &engine.Error{Code: 1, Err: fmt.Errorf("container %q is not running (%s)", c.key, c.rec.State)} // 1 as docker
	}
	return c.process, nil
}

// finalExit is how a settled container ended.
func (c *container) finalExit() engine.Exit {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rec.Exit == nil {
		return engine.Exit{}
	}
	return *c.rec.Exit
}
