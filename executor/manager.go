package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/state"
)

// Config is what a Manager works with.
type Config struct {
	Project string // name
	Engine  engine.Engine
	Paths   state.Paths
	// OpenLog opens the log of a container for one run of its process and may set LogPath, nothing else. The writers
	// are closed when the process has ended. Nil keeps no logs.
	OpenLog func(*Record) (stdout, stderr io.WriteCloser, err error)
}

// Manager runs the containers of one project and supervises them until it is closed. All methods are safe for
// concurrent use.
//
// Each container that runs has a keeper, a goroutine that waits for its end, decides what follows and does it. Who
// starts, stops or removes a container holds its op. Records are on disk before what they say is acted on.
type Manager struct {
	cfg   Config
	ctx   context.Context // ends with Close; keepers live in it
	close context.CancelFunc
	tasks sync.WaitGroup // keepers and what they start
	hub   *hub

	mu         sync.Mutex
	containers map[string]*container // guarded by mu; by id
	changed    chan struct{}         // guarded by mu; closed and replaced when containers or expected change
	expected   map[string]int        // guarded by mu; keys that a run under way will create
	runs       int                   // guarded by mu; runs under way
	orphans    []string              // guarded by mu; ids of containers whose record was lost
	resources  resources             // guarded by mu
}

// NewManager loads the records of the project, adopts what runs and resumes the restart policies where an earlier
// supervisor left containers behind (spec/reliability.md 4 "Daemon start"). The context limits the loading only.
func NewManager(ctx context.Context, cfg Config) (*Manager, error) {
	if cfg.Engine == nil || cfg.Project == "" {
		return nil, errors.New("a manager needs an engine and a project")
	}
	m := &Manager{cfg: cfg, hub: newHub(), containers: map[string]*container{}, changed: make(chan struct{}), expected: map[string]int{}}
	m.ctx, m.close = context.WithCancel(context.WithoutCancel(ctx))
	if err := m.hub.recall(newHistory(cfg.Paths.Project(cfg.Project))); err != nil {
		m.warn(nil, "%v", err)
	}
	if err := m.adoptAll(ctx); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// Close ends the supervision. Containers go on running, and a later Manager adopts them.
func (m *Manager) Close() {
	m.close()
	m.tasks.Wait()
	m.hub.endHistory(len(m.all()) == 0)
}

// Busy reports that something runs, restarts or is being changed: the supervisor must live.
func (m *Manager) Busy() bool {
	m.mu.Lock()
	runs := m.runs
	m.mu.Unlock()
	return runs > 0 || slices.ContainsFunc(m.all(), (*container).busy)
}

// Records returns a copy of every record, sorted by key.
func (m *Manager) Records() []Record {
	var out []Record
	for _, c := range m.all() {
		out = append(out, c.record())
	}
	return out
}

// ErrNoContainer is what a reference to a container that does not exist gives.
var ErrNoContainer = errors.New("no such container")

// minPrefix is how much of an id must be given: a shorter word is rather a mistyped key than a beginning, and must not
// hit a container by chance.
const minPrefix = 4

// Find returns a copy of the record with that key, name, id or unique beginning of an id, at least 4 digits.
func (m *Manager) Find(ref string) (*Record, error) {
	c, err := m.find(ref)
	if err != nil {
		return nil, err
	}
	r := c.record()
	return &r, nil
}

// all returns the containers sorted by key.
func (m *Manager) all() []*container {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]*container, 0, len(m.containers))
	for _, c := range m.containers {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b *container) int { return strings.Compare(a.key, b.key) })
	return out
}

func (m *Manager) find(ref string) (*container, error) {
	var byName, byPrefix *container
	prefixes := 0
	for _, c := range m.all() {
		switch {
		case c.key == ref || c.id == ref:
			return c, nil
		case c.name == ref:
			byName = c
		case len(ref) >= minPrefix && strings.HasPrefix(c.id, ref):
			byPrefix = c
			prefixes++
		}
	}
	switch {
	case byName != nil:
		return byName, nil
	case prefixes == 1:
		return byPrefix, nil
	case prefixes > 1:
		return nil, fmt.Errorf("%w: %q begins the ids of %d containers", ErrNoContainer, ref, prefixes)
	}
	return nil, fmt.Errorf("%w: %q", ErrNoContainer, ref)
}

// findAll resolves references; none means all containers. A container named twice is returned once.
func (m *Manager) findAll(refs []string) ([]*container, error) {
	if len(refs) == 0 {
		return m.all(), nil
	}
	var out []*container
	var errs []error
	for _, ref := range refs {
		c, err := m.find(ref)
		switch {
		case err != nil:
			errs = append(errs, err)
		case !slices.Contains(out, c):
			out = append(out, c)
		}
	}
	return out, errors.Join(errs...)
}

// findExpected is find, but waits for a container that a run under way is going to create.
func (m *Manager) findExpected(ctx context.Context, ref string) (*container, error) {
	for {
		m.mu.Lock()
		coming, changed := m.expected[ref] > 0, m.changed // before looking, so that no change is missed
		m.mu.Unlock()
		c, err := m.find(ref)
		if err == nil || !coming {
			return c, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// expect announces the containers of a run, and takes that back with n = -1.
func (m *Manager) expect(keys []string, n int) {
	m.mu.Lock()
	m.runs += n
	for _, key := range keys {
		if m.expected[key] += n; m.expected[key] == 0 {
			delete(m.expected, key)
		}
	}
	m.noteLocked()
	m.mu.Unlock()
	for _, c := range m.all() { // who waits for one of them to be started looks again
		c.mu.Lock()
		c.noteLocked()
		c.mu.Unlock()
	}
}

// coming reports whether a run under way has that container among its own.
func (m *Manager) coming(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.expected[key] > 0
}

func (m *Manager) noteLocked() {
	close(m.changed)
	m.changed = make(chan struct{})
}

// register adds a new container if its key and name are free.
func (m *Manager) register(c *container) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, other := range m.containers {
		if other.key == c.key || other.name == c.name {
			return fmt.Errorf("the name %q is in use by container %.12s; remove it or choose another name", other.name, other.id)
		}
	}
	m.containers[c.id] = c
	m.noteLocked()
	return nil
}

func (m *Manager) unregister(c *container) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.containers, c.id)
	m.noteLocked()
}

// Events returns the kept events since a time, oldest first: the last 1000 that are not output or progress.
func (m *Manager) Events(since time.Time) []Event { return m.hub.since(since) }

// Subscribe delivers the events from now on, without output until Output asks for it. Buffer is how many pieces of
// output may wait, at least 1. Close the subscription.
func (m *Manager) Subscribe(buffer int) *Subscription { return m.hub.subscribe(buffer) }

func (m *Manager) emit(e Event) { m.hub.emit(e) }

// warn tells of a problem that stops nothing.
func (m *Manager) warn(c *container, format string, args ...any) {
	e := Event{Type: EventWarning, Detail: fmt.Sprintf(format, args...)}
	if c != nil {
		e.Container, e.ID = c.key, c.id
	}
	m.emit(e)
}
