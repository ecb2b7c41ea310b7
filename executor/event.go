// Package executor runs a Plan on an engine: bounded, cancellable, with undo, reporting root causes only, and every
// change as an event.
package executor

import (
	"time"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/schema"
)

// EventType says what happened.
type EventType string

// The event types. Docker's words are used where docker has the event.
const (
	EventPlan      EventType = "plan"     // a run begins; Total steps
	EventPullStart EventType = "pull"     // an image is being pulled; Progress follows
	EventProgress  EventType = "progress" // of a pull
	EventStepDone  EventType = "step"     // a network or volume was made, an image is there
	EventCreate    EventType = "create"
	EventStart     EventType = "start"
	EventHealth    EventType = "health_status" // Detail is the status
	EventReady     EventType = "ready"
	EventDie       EventType = "die" // ExitCode
	EventOOM       EventType = "oom"
	EventRestart   EventType = "restart" // Detail says why and after which delay
	EventStop      EventType = "stop"
	EventKill      EventType = "kill"
	EventDestroy   EventType = "destroy"
	EventFail      EventType = "fail"   // a step failed; Detail is the error, Origin the line
	EventSkip      EventType = "skip"   // not tried because of Because
	EventOutput    EventType = "output" // a piece of a container's output, in Data
	EventWarning   EventType = "warning"
	EventDone      EventType = "done" // the run is over; Result is set
)

// Event is one line of `runfile events` and of a run's stream. It travels as JSON.
type Event struct {
	Seq       uint64           `json:"seq"`
	Run       string           `json:"run,omitempty"` // of what a run itself says; empty for what happens to containers
	Time      time.Time        `json:"time"`
	Type      EventType        `json:"type"`
	Container string           `json:"container,omitempty"` // key
	ID        string           `json:"id,omitempty"`
	Object    string           `json:"object,omitempty"` // network, volume or image
	Detail    string           `json:"detail,omitempty"`
	Origin    string           `json:"origin,omitempty"`
	Because   string           `json:"because,omitempty"`
	ExitCode  *int             `json:"exitCode,omitempty"`
	Stream    string           `json:"stream,omitempty"` // stdout, stderr
	Data      []byte           `json:"data,omitempty"`
	Progress  *engine.Progress `json:"progress,omitempty"`
	Total     int              `json:"total,omitempty"`
	Result    *Result          `json:"result,omitempty"`
}

// Observer gets every event of a run, in order. It must not block for long.
type Observer interface {
	Observe(Event)
}

// Outcome is how a container of a run ended up.
type Outcome struct {
	Container string        `json:"container"`
	Service   bool          `json:"service"`
	State     string        `json:"state"` // ok, failed, skipped, running, stopped
	ExitCode  int           `json:"exitCode"`
	Reason    string        `json:"reason,omitempty"`  // "exit 1", "timeout after 2m", "command not found"
	Because   string        `json:"because,omitempty"` // of a skipped one: the container that failed
	Origin    string        `json:"origin,omitempty"`
	Elapsed   time.Duration `json:"elapsed,omitempty"`
	Tail      []string      `json:"tail,omitempty"` // last 20 lines of a failed one's output
}

// Result of a run.
type Result struct {
	Outcomes []Outcome     `json:"outcomes"`
	ExitCode int           `json:"exitCode"`         // DESIGN.md 2
	Reason   string        `json:"reason,omitempty"` // symbolic: ok, job-failed, jobs-failed, timeout, interrupted, engine
	Elapsed  time.Duration `json:"elapsed"`
}

// State of a container, in docker's words.
type State string

// The states.
const (
	Created    State = "created"
	Running    State = "running"
	Restarting State = "restarting"
	Exited     State = "exited"
	Removing   State = "removing"
)

// Record is all that is known of a container. It is on disk before what it says is acted on, so that any later
// supervisor can go on from it.
type Record struct {
	ID        string            `json:"id"`
	Key       string            `json:"key"`
	Name      string            `json:"name"`
	Project   string            `json:"project"`
	Spec      *schema.Container `json:"spec"`
	Config    map[string]string `json:"config"` // schema.Canonical(Spec)
	Effective *schema.Effective `json:"effective,omitempty"`
	Peers     map[string]string `json:"peers,omitempty"`

	State           State         `json:"state"`
	CreatedAt       time.Time     `json:"createdAt"`
	StartedAt       time.Time     `json:"startedAt,omitzero"`
	FinishedAt      time.Time     `json:"finishedAt,omitzero"`
	Exit            *engine.Exit  `json:"exit,omitempty"`
	Error           string        `json:"error,omitempty"`
	RestartCount    int           `json:"restartCount,omitempty"`
	ManuallyStopped bool          `json:"manuallyStopped,omitempty"`
	Health          *Health       `json:"health,omitempty"`
	Ready           bool          `json:"ready,omitempty"`
	Status          engine.Status `json:"status,omitzero"` // of the current or the last run
	LogPath         string        `json:"logPath,omitempty"`
}

// Health is docker's State.Health.
type Health struct {
	Status        string  `json:"Status"` // starting, healthy, unhealthy
	FailingStreak int     `json:"FailingStreak"`
	Log           []Probe `json:"Log"` // the last five
}

// Probe is one result of a health check.
type Probe struct {
	Start    time.Time `json:"Start"`
	End      time.Time `json:"End"`
	ExitCode int       `json:"ExitCode"` // 0 healthy; -1 did not run or took too long
	Output   string    `json:"Output"`   // first 4096 bytes
}
