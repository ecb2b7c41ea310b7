// Package engine is the seam between what runfile decides and what runs containers: one interface and plain types.
//
// An engine makes networks, volumes and containers, starts processes and reports how they end. It never restarts,
// probes or schedules anything; the supervisor does. Implementations: native (OCI runtimes, Linux), fake (in memory).
// Each passes the same suite, enginetest.
package engine

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/runfile/runfile/executor/proc"
	"github.com/runfile/runfile/schema"
)

// Engine makes and removes what a plan names. Every method is safe for concurrent use, and idempotent where it says so.
// A method that fails leaves nothing behind.
type Engine interface {
	// Info says what the host can do.
	Info(ctx context.Context) (Info, error)
	// Pull makes the image of c present according to its pull policy and returns its id.
	Pull(ctx context.Context, c *schema.Container, progress func(Progress)) (imageID string, err error)
	// EnsureNetwork makes the network if it does not exist. Idempotent.
	EnsureNetwork(ctx context.Context, n *schema.NetworkDef) error
	// EnsureVolume makes the named volume if it does not exist. Idempotent.
	EnsureVolume(ctx context.Context, v *schema.VolumeDef) error
	// Create prepares a container (writable layer, volumes, copy-up, files) and returns what it will run.
	Create(ctx context.Context, c Container) (*schema.Effective, error)
	// Start runs the process of a created or stopped container. The process outlives ctx and this program.
	Start(ctx context.Context, id string, io Stdio) (Process, error)
	// Adopt returns the process of a container that an earlier supervisor started. ErrNotRunning with an Exit tells
	// how it ended where the kernel still knows.
	Adopt(ctx context.Context, id string, io Stdio) (Process, error)
	// Remove deletes a container that does not run, or a network or volume that nobody uses. Removing what does not
	// exist is no error.
	Remove(ctx context.Context, r Ref) error
}

// Process is the running PID 1 of a container, or a command that Exec started beside it.
type Process interface {
	// PID in the host's PID namespace.
	PID() int
	// Wait blocks until the process has ended and its output has been delivered, and may be called many times.
	Wait(ctx context.Context) (Exit, error)
	// Signal delivers a signal; os.ErrProcessDone when it has ended.
	Signal(ctx context.Context, signal int) error
	// Resize sets the terminal's size in cells.
	Resize(ctx context.Context, columns, rows uint16) error
	// Exec runs a command in the container; on a process that itself came from Exec it fails.
	Exec(ctx context.Context, spec Exec, io Stdio) (Process, error)
	// Dial connects to a TCP port of the container from inside its network namespace.
	Dial(ctx context.Context, port uint16) (io.ReadWriteCloser, error)
	// Status is what is only known while it runs.
	Status() Status
}

// Container is what Create needs beyond the declaration.
type Container struct {
	ID      string // 64 hex digits
	Name    string // what people call it, unique on the project
	Project string
	Dir     string // of the manifest, absolute; "" = it comes from a command line. Its files are no runtimes
	Spec    *schema.Container
	// Peers maps every container reference of the declaration (link, volumes-from, network, pid and ipc container:) to
	// the id it means.
	Peers map[string]string
}

// Stdio are the streams of a process. Stdin nil means /dev/null. With a terminal Stderr is not used. The engine copies
// until the process has ended and its output is drained; Stdin is closed towards the process at its end.
type Stdio struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Columns and Rows of the terminal, if the container has one.
	Columns, Rows uint16
}

// Exec is a command to run in a container.
type Exec struct {
	Args       []string
	Env        []string // added to the container's
	User       string   // "" = the container's
	Workdir    string   // "" = the container's
	TTY        bool
	Privileged bool
}

// Exit is how a process ended.
type Exit struct {
	Code      int       `json:"code"` // 0-255; 128+n killed by signal n
	Signal    int       `json:"signal,omitempty"`
	OOMKilled bool      `json:"oomKilled,omitempty"`
	Unknown   bool      `json:"unknown,omitempty"` // ended while nobody watched and the kernel has forgotten
	At        time.Time `json:"at"`
}

// Status of a running container.
type Status struct {
	proc.ID
	StartedAt time.Time  `json:"startedAt"`
	Networks  []Endpoint `json:"networks,omitempty"`
	Ports     []Binding  `json:"ports,omitempty"`
	Mounts    []Mount    `json:"mounts,omitempty"`
}

// Endpoint is an attachment to a network.
type Endpoint struct {
	Network string     `json:"network"`
	IP      netip.Addr `json:"ip,omitzero"`
	IP6     netip.Addr `json:"ip6,omitzero"`
	Prefix  int        `json:"prefix,omitempty"`
	Gateway netip.Addr `json:"gateway,omitzero"`
	MAC     string     `json:"mac,omitempty"`
	Aliases []string   `json:"aliases,omitempty"`
}

// Binding is a published port.
type Binding struct {
	HostIP        netip.Addr `json:"hostIP,omitzero"` // 0.0.0.0 and [::] are two bindings
	HostPort      uint16     `json:"hostPort"`
	ContainerPort uint16     `json:"containerPort"`
	Proto         string     `json:"proto"`
}

// Mount is a mount as made.
type Mount struct {
	Type        string `json:"type"` // bind, volume, tmpfs
	Name        string `json:"name,omitempty"`
	Source      string `json:"source,omitempty"`
	Destination string `json:"destination"`
	ReadOnly    bool   `json:"readOnly,omitempty"`
	Anonymous   bool   `json:"anonymous,omitempty"`
}

// Ref names something to remove.
type Ref struct {
	Kind string // container, network, volume
	Name string // id of a container, key of a network or volume
	// Volumes removes the anonymous volumes of a container, too.
	Volumes bool
}

// Progress of a pull.
type Progress struct {
	Detail  string // "layer 2 of 3", "retry in 2s: connection reset"
	Current int64  // bytes
	Total   int64  // 0 = unknown
}

// Info is what the host can do.
type Info struct {
	Engine        string   `json:"engine"`
	CgroupVersion int      `json:"cgroupVersion"`
	Runtimes      []string `json:"runtimes"` // usable, best first
	Checks        []Check  `json:"checks"`
}

// Check is a line of `runfile doctor`.
type Check struct {
	Name   string `json:"name"`
	State  string `json:"state"` // ok, warn, fail
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}

// ErrNotRunning is what Adopt answers when the process is gone.
var ErrNotRunning = errors.New("container is not running")

// NotRunning is the error of Adopt for a process that ended unattended.
type NotRunning struct{ Exit Exit }

// Error implements error.
func (e *NotRunning) Error() string { return ErrNotRunning.Error() }

// Unwrap makes errors.Is(err, ErrNotRunning) true.
func (e *NotRunning) Unwrap() error { return ErrNotRunning }

// Error is a failure with the exit status that docker run would give it, classified by cause (DESIGN.md 2): 125 ours or
// the engine's, 126 found but not executable, 127 not found.
type Error struct {
	Code   int
	Option string // the option at fault, "" if none
	Err    error
}

// Error implements error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ExitCode returns the exit status for an error of an engine: its own Code, or 125.
func ExitCode(err error) int {
	var e *Error
	if errors.As(err, &e) && e.Code != 0 {
		return e.Code
	}
	return 125
}

// ErrProcessDone is what Signal answers when the process has ended.
var ErrProcessDone = os.ErrProcessDone
