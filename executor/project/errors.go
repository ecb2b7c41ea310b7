package project

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"github.com/runfile/runfile/executor/engine"
)

// The exit statuses that a supervisor's refusals carry (DESIGN.md 2).
const (
	exitUsage = 2   // the request makes no sense
	exitBusy  = 75  // EX_TEMPFAIL: another run is at it; plan again later
	exitOurs  = 125 // runfile's or the engine's failure
)

// The causes that callers tell apart with errors.Is. Client methods return an *engine.Error that wraps an *Error that
// wraps one of these, so engine.ExitCode gives the exit status.
var (
	// ErrNoSupervisor is what Connect answers when none runs and none was to be started.
	ErrNoSupervisor = errors.New("nothing of this project is running")
	// ErrBusy means that another run or a down of the project holds what the request is about. A plan that was made
	// before is stale: wait, look at the records again, plan again.
	ErrBusy = errors.New("busy")
	// ErrNotFound means that the project has no such container.
	ErrNotFound = errors.New("not found")
	// ErrLost means that the supervisor went away in the middle of an answer. Its containers go on, and the next
	// Connect adopts them.
	ErrLost = errors.New("the supervisor went away")
	// ErrOtherDirectory means that a project of this name belongs to another directory.
	ErrOtherDirectory = errors.New("project of another directory")
)

// Error is a refusal or a failure that a supervisor reported.
type Error struct {
	Status int // of HTTP; 0 when it came over an upgraded stream
	ErrorResponse
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause that the status stands for, so that errors.Is works across the socket.
func (e *Error) Unwrap() error {
	switch e.Status {
	case http.StatusNotFound:
		return ErrNotFound
	case http.StatusConflict:
		return ErrBusy
	case http.StatusPreconditionFailed:
		return ErrOtherDirectory
	}
	return nil
}

// refuse makes an error that travels to the client with an HTTP status and an exit status.
func refuse(status, exit int, format string, args ...any) error {
	return &Error{Status: status, ErrorResponse: ErrorResponse{Message: fmt.Sprintf(format, args...), ExitCode: exit}}
}

// asError turns an ErrorResponse into the error that client methods return.
func asError(status int, r ErrorResponse) error {
	if r.ExitCode == 0 {
		r.ExitCode = exitOurs
	}
	return &engine.Error{Code: r.ExitCode, Option: r.Option, Err: &Error{Status: status, ErrorResponse: r}}
}

var projectName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)

// checkName refuses what cannot be a directory of its own below projects/. It is the guard against a name such as
// "../x"; the manifest's own rules are stricter.
func checkName(project string) error {
	if !projectName.MatchString(project) {
		return fmt.Errorf("%q is no project name: letters, digits, - _ and . only, at most 128", project)
	}
	return nil
}
