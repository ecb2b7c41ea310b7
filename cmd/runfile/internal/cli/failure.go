package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/format"
	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/project"
	"github.com/runfile/runfile/executor/state"
)

// The exit statuses that do not come from a container (DESIGN.md 2).
const (
	exitNotFound = 1 // no such container, as docker
	exitUsage    = 2 // a wrong flag or a wrong manifest
	exitOurs     = 125
	exitPipe     = 141 // 128 + SIGPIPE
	// exitInterrupted is 128 + SIGINT, also where another signal ended us.
	exitInterrupted = 130
)

// failure is an error with an exit status and the next step. A nil err has been reported already.
type failure struct {
	code int
	err  error
	help []string
}

// Error implements error.
func (f *failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("exit status %d", f.code)
	}
	return f.err.Error()
}

// Unwrap returns the cause.
func (f *failure) Unwrap() error { return f.err }

// exit is an exit status whose reason has been printed.
func exit(code int) error {
	if code == 0 {
		return nil
	}
	return &failure{code: code}
}

// usagef is a mistake in the command line.
func usagef(format string, args ...any) *failure {
	return &failure{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// next adds a line that says what to do.
func (f *failure) next(format string, args ...any) *failure {
	f.help = append(f.help, fmt.Sprintf(format, args...))
	return f
}

// asFailure gives an error of a lower layer its exit status and its next step.
func asFailure(err error) *failure {
	f := &failure{code: engine.ExitCode(err), err: err}
	switch {
	case errors.Is(err, format.ErrTemplate):
		f.code = exitUsage
	case errors.Is(err, project.ErrNotFound):
		f.code = exitNotFound
		f.next("see what there is: runfile ps -a")
	case errors.Is(err, project.ErrBusy), errors.Is(err, project.ErrOtherDirectory): // it says what to do
	case errors.Is(err, project.ErrLost):
		f.next("see what runs: runfile ps -a")
	case errors.Is(err, state.ErrCorrupt):
		f.next("the damaged file was moved aside; runfile down clears what is left of the project")
	case errors.Is(err, os.ErrPermission) && os.Geteuid() != 0:
		f.next("try again as root: sudo runfile ...")
	case errors.Is(err, errors.ErrUnsupported):
		f.next("validate, plan and config work on this system")
	case f.code == exitOurs && !blamed(err):
		f.next("check this host: runfile doctor")
	}
	return f
}

// blamed reports whether an error says which option is at fault: then the host is not.
func blamed(err error) bool {
	var e *engine.Error
	return errors.As(err, &e) && e.Option != ""
}
