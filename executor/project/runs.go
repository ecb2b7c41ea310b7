package project

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
)

// runs keeps what is being brought up or taken down apart. Runs may go on side by side as long as no container takes
// part in two of them, which is what several `runfile run` of the project "default" need. A run that meets another on a
// container is refused as busy and not queued: the other one changes what its plan was made for. A down stops all runs
// first and lets no new one begin.
type runs struct {
	mu     sync.Mutex
	active map[string]*run // guarded by mu; by id
	down   bool            // guarded by mu
	ending bool            // guarded by mu; the supervisor was told to end
}

// run is one plan being executed.
type run struct {
	id         string
	plan       *planner.Plan
	keys       map[string]bool // the containers that take part
	foreground bool
	ctx        context.Context // cancelled: stop gracefully
	cancel     context.CancelFunc
	kill       chan struct{} // closed: end everything at once
	killOnce   sync.Once
	left       chan struct{} // closed: the client has left the run to itself
	leftOnce   sync.Once
	done       chan struct{} // closed when it has ended
	lease      func() bool   // guarded by runs.mu; ends the lease of a foreground run
}

// begin registers a run, or refuses it with the name of what stands against it.
func (rs *runs) begin(life context.Context, plan *planner.Plan, foreground bool) (*run, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.ending {
		return nil, refuse(http.StatusConflict, exitBusy, "the supervisor of this project is ending; try again")
	}
	if rs.down {
		return nil, refuse(http.StatusConflict, exitBusy, "this project is being taken down; try again when that is done")
	}
	keys := participants(plan)
	for _, other := range rs.active {
		if shared := common(keys, other.keys); len(shared) > 0 {
			return nil, refuse(http.StatusConflict, exitBusy, "busy: another run is at work on %s of this project; "+
				"wait for it, or end it with `runfile down`", strings.Join(shared, ", "))
		}
	}
	r := &run{
		id: state.NewID()[:16], plan: plan, keys: keys, foreground: foreground,
		kill: make(chan struct{}), done: make(chan struct{}), left: make(chan struct{}),
	}
	r.ctx, r.cancel = context.WithCancel(life)
	if rs.active == nil {
		rs.active = map[string]*run{}
	}
	rs.active[r.id] = r
	return r, nil
}

// hold makes a run end with its client's connection, which is what ctx ends with.
func (rs *runs) hold(ctx context.Context, r *run) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r.lease = context.AfterFunc(ctx, r.cancel)
}

// leave lets a run go on without its client.
func (rs *runs) leave(id string) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.active[id]
	if r == nil {
		return
	}
	r.leftOnce.Do(func() { close(r.left) })
	if r.lease != nil {
		r.lease()
	}
}

// end takes a run off the list.
func (rs *runs) end(r *run) {
	rs.mu.Lock()
	delete(rs.active, r.id)
	if r.lease != nil {
		r.lease()
	}
	rs.mu.Unlock()
	r.cancel()
	close(r.done)
}

// stop ends the run with that id, or all foreground runs if id is empty, and returns what it ended.
func (rs *runs) stop(id string, kill bool) []*run {
	return rs.each(func(r *run) bool { return r.id == id || id == "" && r.foreground }, kill)
}

// each stops the runs that match.
func (rs *runs) each(match func(*run) bool, kill bool) []*run {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	var stopped []*run
	for _, r := range rs.active {
		if !match(r) {
			continue
		}
		stopped = append(stopped, r)
		if kill {
			r.killOnce.Do(func() { close(r.kill) })
		}
		r.cancel()
	}
	return stopped
}

// beginDown lets no new run begin until endDown. The runs that go on are the caller's to stop.
func (rs *runs) beginDown() error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.down {
		return refuse(http.StatusConflict, exitBusy,
			"this project is already being taken down; wait for it, or make it short with `runfile kill NAME`")
	}
	rs.down = true
	return nil
}

func (rs *runs) endDown() {
	rs.mu.Lock()
	rs.down = false
	rs.mu.Unlock()
}

// finish lets no run begin any more.
func (rs *runs) finish() {
	rs.mu.Lock()
	rs.ending = true
	rs.mu.Unlock()
}

// stopAll stops every run and waits until they have ended.
func (rs *runs) stopAll(ctx context.Context, kill bool) error {
	for _, r := range rs.each(func(*run) bool { return true }, kill) {
		select {
		case <-r.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// container returns the declaration of a container that a run is about to make, or nil.
func (rs *runs) container(key string) *schema.Container {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, r := range rs.active {
		if c := r.plan.Project.Container(key); c != nil && r.keys[key] {
			return c
		}
	}
	return nil
}

// participants are the containers that a plan touches: those it was made for and those its steps name.
func participants(plan *planner.Plan) map[string]bool {
	keys := map[string]bool{}
	for _, key := range plan.Selected {
		keys[key] = true
	}
	for _, s := range plan.Steps {
		switch s.Kind {
		case planner.Create, planner.Start, planner.Await, planner.Remove, planner.Keep:
			keys[s.Object] = true
		case planner.Pull, planner.Network, planner.Volume:
		}
	}
	return keys
}

func common(a, b map[string]bool) []string {
	var shared []string
	for key := range a {
		if b[key] {
			shared = append(shared, key)
		}
	}
	slices.Sort(shared)
	return shared
}
