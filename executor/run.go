package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
)

// defaultParallel is how many engine calls a run makes at a time. Starts wait for the kernel more than they compute:
// on two cores eight at a time took 0.68 s for 50 containers, against 1.09 s with two (measurements.md).
const defaultParallel = 8

// RunOptions says how a plan is run.
type RunOptions struct {
	// Foreground ends the run when its jobs have ended, or, without jobs, when it is interrupted or all services have
	// ended; the services that the run has started are then stopped in reverse order. Otherwise Run returns when the
	// services are ready and the jobs have ended, and what runs goes on.
	Foreground bool
	// Remove takes the containers of a foreground run away at its end, and the networks that nobody uses then.
	Remove bool
	// ID marks the events that the run itself emits, so that runs side by side can be told apart.
	ID string
	// Parallel is how many engine calls are made at a time; 0 = the policy's max-parallel, else 8.
	Parallel int
	// WaitAttach names containers that must not start before a client has attached.
	WaitAttach []string
	// Left, when closed, says that the client has gone and nobody will attach any more: WaitAttach holds nothing up.
	Left <-chan struct{}
	// Kill, when closed, ends everything at once with SIGKILL.
	Kill <-chan struct{}
}

// run is one execution of a plan. The loop in schedule owns all fields; workers only send.
type run struct {
	m       *Manager
	plan    *planner.Plan
	o       RunOptions
	began   time.Time
	nodes   []*node
	limit   int
	working int // steps under way that take one of limit places
	waiting int // steps under way that only wait
	// jobLimit is how many jobs may run at a time, 0 = any number: a limit that somebody has set means those, too.
	jobLimit int
	jobs     map[string]bool // keys of jobs that run or are being started

	containers map[string]*container // by key, as far as the run knows them
	mine       map[string]bool       // keys that the run has created or started
	outcomes   map[string]*Outcome
	watched    map[string]bool // containers whose end the loop wants to hear of
	finished   chan *node
	ended      chan string
	steps      context.Context // of steps; ends when the run is to end
	cancel     context.CancelCauseFunc
	over       error // why the run ends before its time; nil = it does not
}

var (
	errInterrupted = errors.New("interrupted")
	errTimeout     = errors.New("the run's timeout is over")
	errFailFast    = errors.New("another container failed (fail-fast)")
)

// emit sends an event of the run itself.
func (r *run) emit(e Event) {
	e.Run = r.o.ID
	r.m.emit(e)
}

// node is a step on its way.
type node struct {
	*planner.Step
	index      int
	pending    int // steps that must be done before
	dependents []*node
	begun      bool
	done       bool // succeeded, failed or skipped
	container  *container
	err        error
}

// Run executes a plan and returns how it went; it always returns a Result. Independent work goes on after a failure
// unless the policy says fail-fast, and what needed the failed container is skipped because of it. When ctx ends, a
// foreground run is stopped in reverse order, gracefully; a run in the background only stops waiting.
func (m *Manager) Run(ctx context.Context, plan *planner.Plan, o RunOptions) *Result {
	if err := checkPlan(plan); err != nil {
		m.emit(Event{Type: EventFail, Detail: err.Error()})
		return &Result{ExitCode: 125, Reason: "engine"}
	}
	r := newRun(m, plan, o)
	m.expect(plan.Selected, 1)
	defer m.expect(plan.Selected, -1)
	r.emit(Event{Type: EventPlan, Total: len(plan.Steps)})
	// What runs must end with the manager, too.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(m.ctx, stop)()
	steps, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	r.steps, r.cancel = steps, cancel
	defer cancel(nil)
	r.schedule(ctx)
	r.settleOutcomes()
	if o.Foreground && m.ctx.Err() == nil {
		r.tearDown()
	}
	result := r.result()
	r.emit(Event{Type: EventDone, Result: result})
	return result
}

// checkPlan refuses a plan that cannot have come from the planner; it may have come over a socket.
func checkPlan(plan *planner.Plan) error {
	if plan == nil || plan.Project == nil {
		return errors.New("there is no plan")
	}
	for _, key := range plan.Selected {
		if plan.Project.Container(key) == nil {
			return fmt.Errorf("the plan selects %q, which its project does not have", key)
		}
	}
	return nil
}

func newRun(m *Manager, plan *planner.Plan, o RunOptions) *run {
	r := &run{
		m: m, plan: plan, o: o, began: time.Now(), limit: o.Parallel, jobs: map[string]bool{},
		containers: map[string]*container{}, mine: map[string]bool{}, outcomes: map[string]*Outcome{}, watched: map[string]bool{},
		finished: make(chan *node), ended: make(chan string),
	}
	if r.limit <= 0 {
		r.limit = int(plan.Project.Policy.MaxParallel.Value)
	}
	if r.jobLimit = max(r.limit, 0); r.limit <= 0 {
		r.limit = defaultParallel
	}
	byID := map[string]*node{}
	for i := range plan.Steps {
		n := &node{Step: &plan.Steps[i], index: i}
		for _, id := range n.After {
			if before := byID[id]; before != nil {
				before.dependents = append(before.dependents, n)
				n.pending++
			}
		}
		byID[n.ID] = n
		r.nodes = append(r.nodes, n)
	}
	return r
}

// schedule runs the steps and then stays until the run is over.
func (r *run) schedule(ctx context.Context) {
	interrupted, kill := ctx.Done(), r.o.Kill
	var timeout <-chan time.Time
	if limit := r.plan.Project.Policy.Timeout; limit.Set && limit.Value > 0 {
		timer := time.NewTimer(limit.Value)
		defer timer.Stop()
		timeout = timer.C
	}
	for {
		r.dispatch()
		if r.working+r.waiting == 0 && (r.over != nil || !r.stays()) {
			return
		}
		select {
		case n := <-r.finished:
			r.completed(n)
		case key := <-r.ended:
			r.containerEnded(key)
		case <-interrupted:
			interrupted = nil
			r.end(errInterrupted)
		case <-kill:
			kill = nil
			r.end(errInterrupted)
		case <-timeout:
			r.end(errTimeout)
		}
	}
}

// end makes the run end before its time: no step begins any more, those under way are cancelled.
func (r *run) end(why error) {
	if r.over == nil {
		r.over = why
		r.cancel(why)
	}
}

// stays reports whether there is still something to wait for once no step is under way: steps for which jobs leave no
// room, jobs that have not ended, and in the foreground, if there are no jobs at all, services.
func (r *run) stays() bool {
	if slices.ContainsFunc(r.nodes, (*node).ready) {
		return true // the end of a job that takes the room has yet to be heard of
	}
	jobs, services := false, false
	for _, key := range r.plan.Selected {
		c := r.containers[key]
		job := !r.plan.Project.Container(key).IsService()
		jobs = jobs || job
		if c == nil || !r.watch(key, c) {
			continue
		}
		if job {
			return true
		}
		services = true
	}
	return r.o.Foreground && !jobs && services
}

// watch makes the loop hear of a container's end, and reports whether that is still to come.
func (r *run) watch(key string, c *container) bool {
	c.mu.Lock()
	coming := c.active || !c.settled && c.rec.State != Created
	c.mu.Unlock()
	if coming && !r.watched[key] {
		r.watched[key] = true
		go func() {
			if c.await(r.steps, func() bool { return c.settled }) != nil {
				return
			}
			select {
			case r.ended <- key:
			case <-r.steps.Done():
			}
		}()
	}
	return coming
}

// containerEnded looks at a container that has ended for good: with fail-fast its failure ends the run.
func (r *run) containerEnded(key string) {
	r.watched[key] = false
	delete(r.jobs, key)
	if c := r.containers[key]; c != nil && c.finalExit().Code != 0 {
		r.failFast()
	}
}

func (r *run) failFast() {
	if r.plan.Project.Policy.FailFast.Value {
		r.end(errFailFast)
	}
}

// dispatch begins every step that is ready, in plan order, as far as there is room.
func (r *run) dispatch() {
	if r.over != nil {
		return
	}
	for _, n := range r.nodes {
		if !n.ready() || !r.hasRoom(n) {
			continue
		}
		n.begun = true
		if r.startsJob(n) {
			r.jobs[n.Object] = true
		}
		if n.takesPlace() {
			r.working++
		} else {
			r.waiting++
		}
		if n.container = r.containers[n.Object]; n.container == nil && n.ofContainer() {
			n.container, _ = r.m.find(n.Object) // of an earlier run; the action says what is missing
		}
		go func() {
			n.err = r.perform(r.steps, n)
			r.finished <- n
		}()
	}
}

// hasRoom reports whether a step may begin beside those under way.
func (r *run) hasRoom(n *node) bool {
	if n.takesPlace() && r.working >= r.limit {
		return false
	}
	return r.jobLimit == 0 || !r.startsJob(n) || len(r.jobs) < r.jobLimit
}

func (r *run) startsJob(n *node) bool {
	c := r.plan.Project.Container(n.Object)
	return n.Kind == planner.Start && c != nil && !c.IsService()
}

// ready reports whether a step may begin as far as the steps before it go.
func (n *node) ready() bool { return !n.begun && !n.done && n.pending == 0 }

// takesPlace reports whether a step is work; a wait must not keep others from working.
func (n *node) takesPlace() bool { return n.Kind != planner.Await && n.Kind != planner.Keep }

func (n *node) ofContainer() bool {
	switch n.Kind {
	case planner.Pull, planner.Network, planner.Volume:
		return false
	default:
		return true
	}
}

// completed takes a step's result.
func (r *run) completed(n *node) {
	n.done = true
	if n.takesPlace() {
		r.working--
	} else {
		r.waiting--
	}
	if n.Kind != planner.Remove && n.ofContainer() && n.container != nil {
		r.containers[n.Object] = n.container
		if n.Kind == planner.Create || n.Kind == planner.Start {
			r.mine[n.Object] = true
		}
		if !r.watch(n.Object, n.container) && n.Kind == planner.Start {
			delete(r.jobs, n.Object) // it has ended already, or never began
		}
	}
	if n.err == nil {
		for _, d := range n.dependents {
			d.pending--
		}
		return
	}
	if r.over != nil {
		return // it was cancelled, and what it says of that is no cause
	}
	r.failed(n)
}

// failed notes a step's failure: once as an event, as the outcome of its container or, of an image, network or volume,
// of the first container that needs it, and as the reason why the rest is skipped.
func (r *run) failed(n *node) {
	e := Event{Type: EventFail, Detail: n.err.Error(), Origin: r.origin(n)}
	if n.ofContainer() {
		e.Container = n.Object
	} else {
		e.Object = n.Object
	}
	r.emit(e)
	for _, d := range append([]*node{n}, n.dependents...) {
		if d.ofContainer() && !d.done || d == n && n.ofContainer() {
			r.blame(d.Object, e.Origin, n.err)
			r.skip(n, d.Object)
			break
		}
	}
	r.failFast()
}

// origin is the line that a failed step came from: of the option at fault where the engine knows it, and of that entry
// of a list which the error speaks of.
func (r *run) origin(n *node) string {
	var e *engine.Error
	spec := r.plan.Project.Container(n.Object)
	if !errors.As(n.err, &e) || e.Option == "" || spec == nil {
		return n.Origin
	}
	values := schema.Values(spec, e.Option)
	at := slices.IndexFunc(values, func(v schema.Value) bool { return v.Text != "" && strings.Contains(n.err.Error(), v.Text) })
	if len(values) == 0 || values[max(at, 0)].At.IsZero() {
		return n.Origin
	}
	return values[max(at, 0)].At.String()
}

// blame makes a container's outcome a failure, unless it is one already.
func (r *run) blame(key, origin string, err error) {
	if o := r.outcomes[key]; o != nil && o.State == outcomeFailed {
		return
	}
	o := &Outcome{Container: key, State: outcomeFailed, ExitCode: failureCode(err), Reason: err.Error(), Origin: origin}
	r.outcomes[key] = o
}

// failureCode is the exit status of a step's failure.
func failureCode(err error) int {
	var unmet *unmetError
	if errors.As(err, &unmet) {
		return unmet.code
	}
	return engine.ExitCode(err)
}

// skip marks all that needs a failed step. Steps of the failed container itself are not worth a word.
func (r *run) skip(n *node, because string) {
	for _, d := range n.dependents {
		if d.done {
			continue
		}
		d.done = true
		if d.Object != because && d.ofContainer() && r.outcomes[d.Object] == nil {
			r.outcomes[d.Object] = &Outcome{Container: d.Object, State: outcomeSkipped, Because: because, Origin: d.Origin}
			r.emit(Event{Type: EventSkip, Container: d.Object, Because: because, Origin: d.Origin})
		}
		r.skip(d, because)
	}
}

// imageUser finds a container that uses an image as written, a selected one if possible.
func (r *run) imageUser(image string) (*schema.Container, error) {
	var found *schema.Container
	for _, c := range r.plan.Project.Containers {
		if c.Image.Ref.Value.Text == image && (found == nil || slices.Contains(r.plan.Selected, c.Key)) {
			found = c
		}
	}
	if found == nil {
		return nil, fmt.Errorf("no container of the plan uses the image %q", image)
	}
	return found, nil
}
