package executor

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/planner"
)

// Config is what a Manager works with.
type Config struct {
	Project string // name
	Dir     string // the project's directory, absolute
	Engine  engine.Engine
	Paths   state.Paths
	// OpenLog opens the log of a container for one run of its process and may set LogPath. The writers are closed
	// when the process has ended. Nil keeps no logs.
	OpenLog func(*Record) (stdout, stderr io.WriteCloser, err error)
}

// Manager runs the containers of one project.
type Manager struct{}

var errSoon = errors.New("not there yet")

// NewManager loads the records of the project, adopts what runs and resumes the restart policies.
func NewManager(ctx context.Context, cfg Config) (*Manager, error) { return nil, errSoon }

// Close ends the supervision; containers go on running and a later Manager adopts them.
func (m *Manager) Close() {}

// RunOptions says how a plan is run.
type RunOptions struct {
	Foreground bool // stop everything at the end
	Remove     bool // and remove it (up --rm)
	Parallel   int  // engine calls at a time; 0 = the policy's, else 8
	// WaitAttach names containers that must not start before a client has attached.
	WaitAttach []string
	// Kill, when closed, ends everything at once with SIGKILL.
	Kill <-chan struct{}
}

// Run executes a plan.
func (m *Manager) Run(ctx context.Context, plan *planner.Plan, o RunOptions) *Result { return nil }

// Subscription delivers events.
type Subscription struct{ C <-chan Event }

// Output asks for output events of the containers with these keys; nil = of all that are attached (docker's -a rules).
func (s *Subscription) Output(keys []string) {}

// Close ends the subscription.
func (s *Subscription) Close() {}

// Subscribe delivers the events from now on.
func (m *Manager) Subscribe(buffer int) *Subscription { return nil }

// Events returns the kept events since a time.
func (m *Manager) Events(since time.Time) []Event { return nil }

// Records returns a copy of every record, sorted by key.
func (m *Manager) Records() []Record { return nil }

// Find returns a copy of the record with that key, name, id or unique prefix of an id.
func (m *Manager) Find(ref string) (*Record, error) { return nil, errSoon }

// Stop stops containers, all if refs is empty.
func (m *Manager) Stop(ctx context.Context, refs []string, timeout *int64) error { return errSoon }

// Restart stops and starts containers.
func (m *Manager) Restart(ctx context.Context, refs []string, timeout *int64) error { return errSoon }

// Start starts containers that do not run.
func (m *Manager) Start(ctx context.Context, refs []string) error { return errSoon }

// Kill sends a signal.
func (m *Manager) Kill(ctx context.Context, refs []string, signal int) error { return errSoon }

// Remove removes containers, with their anonymous volumes if volumes is set.
func (m *Manager) Remove(ctx context.Context, refs []string, force, volumes bool) error {
	return errSoon
}

// Down removes all of the project.
func (m *Manager) Down(ctx context.Context, volumes bool, timeout *int64) error { return errSoon }

// Wait waits for the final exit.
func (m *Manager) Wait(ctx context.Context, ref string) (engine.Exit, error) {
	return engine.Exit{}, errSoon
}

// Exec runs a command in a running container.
func (m *Manager) Exec(ctx context.Context, ref string, spec engine.Exec, stdio engine.Stdio) (engine.Process, error) {
	return nil, errSoon
}

// Resize sets the size of a container's terminal.
func (m *Manager) Resize(ref string, columns, rows uint16) error { return errSoon }

// AttachOptions are the streams of an attached client.
type AttachOptions struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Attach connects a client until the container's next exit or until ctx ends.
func (m *Manager) Attach(ctx context.Context, ref string, o AttachOptions) (engine.Exit, error) {
	return engine.Exit{}, errSoon
}

// Busy reports that something runs, restarts or is being changed: the supervisor must live.
func (m *Manager) Busy() bool { return false }

// ReadRecords reads the records of a project from disk.
func ReadRecords(paths state.Paths, project string) ([]Record, error) { return nil, errSoon }
