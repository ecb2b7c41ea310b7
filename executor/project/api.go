// Package project is the supervisor: one process per project that owns its containers, and the client that talks to
// it over a unix socket (HTTP and JSON, mode 0600, usable with curl).
//
// The supervisor is started by whoever needs it first and is gone when nothing of the project runs and nobody is
// connected. It is crash-only: what it decides is on disk before it acts, and the next supervisor adopts what runs.
package project

import (
	"time"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/planner"
)

// The headers of answers.
const (
	runHeader = "Runfile-Run" // of up: the run's id, for stop-run
	ttyHeader = "Runfile-Tty" // of exec and attach: "true" if the process has a terminal
)

// UpRequest is the body of POST /v1/up. The answer is a stream of executor.Event, one JSON object a line, that ends with
// a "done" event.
type UpRequest struct {
	Plan *planner.Plan `json:"plan"`
	// Foreground runs hold a lease: when the connection breaks, the run is stopped and cleaned up. Otherwise ("up -d")
	// the answer ends when all services are ready and all jobs have ended, and services go on.
	Foreground bool `json:"foreground"`
	// Remove takes everything of the run away at its end (up --rm).
	Remove bool `json:"remove,omitempty"`
	// Output asks for the output of these containers as events; nil = of all that are attached (docker's -a rules).
	Output []string `json:"output"`
	// WaitAttach names containers that must not start before a client has attached (run -it).
	WaitAttach []string `json:"waitAttach,omitempty"`
	Parallel   int      `json:"parallel,omitempty"` // 0 = the policy's, else 8
}

// StopRequest is the body of POST /v1/stop, /v1/start, /v1/restart and /v1/kill; empty Containers means all.
type StopRequest struct {
	Containers []string `json:"containers,omitempty"`
	// Timeout in seconds before SIGKILL; nil = each container's own.
	Timeout *int64 `json:"timeout,omitempty"`
	Signal  int    `json:"signal,omitempty"` // of kill
}

// StopRunRequest is the body of POST /v1/stop-run.
type StopRunRequest struct {
	// Run is the Runfile-Run header of the answer to POST /v1/up; empty means all foreground runs of the project.
	Run string `json:"run,omitempty"`
	// Kill ends everything of the run at once; otherwise it stops gracefully in reverse order.
	Kill bool `json:"kill,omitempty"`
	// Leave stops nothing: the run no longer hangs on its client's connection (detach keys of `runfile run`).
	Leave bool `json:"leave,omitempty"`
}

// DownRequest is the body of POST /v1/down: stop in reverse order and remove containers and networks. The answer is a
// stream of executor.Event that ends with a "done" event, whose Detail is the error if there was one.
type DownRequest struct {
	Volumes bool   `json:"volumes,omitempty"` // the named volumes of the project, too
	Timeout *int64 `json:"timeout,omitempty"`
}

// RemoveRequest is the body of POST /v1/remove.
type RemoveRequest struct {
	Containers []string `json:"containers"`
	Force      bool     `json:"force,omitempty"`
	Volumes    bool     `json:"volumes,omitempty"`
}

// LogsRequest is the body of POST /v1/logs; the answer is a stream of LogLine, merged by time, that ends with
// {"end":true}, or with {"error":{...}} if something failed on the way. Empty Containers means all.
type LogsRequest struct {
	Containers []string  `json:"containers,omitempty"`
	Follow     bool      `json:"follow,omitempty"`
	Tail       int       `json:"tail"` // the newest so many lines of each container; -1 = all, which a body without it means
	Since      time.Time `json:"since,omitzero"`
	Until      time.Time `json:"until,omitzero"`
}

// LogLine is one stored line of output.
type LogLine struct {
	Container string    `json:"container"`
	Stream    string    `json:"stream"` // stdout, stderr; warning = a remark of runfile's on the log
	Time      time.Time `json:"time"`
	Line      []byte    `json:"line"` // with its newline, if it had one
}

// ExecRequest opens POST /v1/exec. The connection is then upgraded to a framed stream (see stream.go).
type ExecRequest struct {
	Container  string   `json:"container"`
	Args       []string `json:"args"`
	Env        []string `json:"env,omitempty"`
	User       string   `json:"user,omitempty"`
	Workdir    string   `json:"workdir,omitempty"`
	TTY        bool     `json:"tty,omitempty"`
	Stdin      bool     `json:"stdin,omitempty"`
	Privileged bool     `json:"privileged,omitempty"`
	Columns    uint16   `json:"columns,omitempty"`
	Rows       uint16   `json:"rows,omitempty"`
}

// AttachRequest opens POST /v1/attach, upgraded likewise.
type AttachRequest struct {
	Container string `json:"container"`
	Stdin     bool   `json:"stdin,omitempty"`
	// Stdout and Stderr say which streams to copy.
	Stdout  bool   `json:"stdout"`
	Stderr  bool   `json:"stderr"`
	Columns uint16 `json:"columns,omitempty"`
	Rows    uint16 `json:"rows,omitempty"`
}

// ResizeRequest is the body of POST /v1/resize: the size of a container's terminal in cells.
type ResizeRequest struct {
	Container string `json:"container"`
	Columns   uint16 `json:"columns"`
	Rows      uint16 `json:"rows"`
}

// WaitRequest is the body of POST /v1/wait; the answer comes when the container has ended for good.
type WaitRequest struct {
	Container string `json:"container"`
}

// WaitResponse answers it.
type WaitResponse struct {
	ExitCode int    `json:"exitCode"`
	Error    string `json:"error,omitempty"`
}

// Info is the answer of GET /v1/info.
type Info struct {
	Project string            `json:"project"`
	PID     int               `json:"pid"`
	Version string            `json:"version"`
	Records []executor.Record `json:"records"`
}

// ErrorResponse is the body of every answer with a status of 400 and above.
type ErrorResponse struct {
	Message  string `json:"message"`
	ExitCode int    `json:"exitCode,omitempty"`
	Option   string `json:"option,omitempty"` // the option or flag at fault, if it is one
	Origin   string `json:"origin,omitempty"`
}
