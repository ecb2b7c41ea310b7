package project

import (
	"time"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/state"
)

// ServeConfig is what a supervisor works with.
type ServeConfig struct {
	Paths   state.Paths
	Project string // name
	Version string // of the program, for Info
	// NewEngine is called once, after the supervisor listens. An engine that is an io.Closer is closed at the end.
	NewEngine func() (engine.Engine, error)

	linger time.Duration // 0 = the constant; tests shorten it
}

// lingers is how long a supervisor stays after the last client left and nothing runs, so that the commands of a script
// share one.
func (c ServeConfig) lingers() time.Duration {
	if c.linger > 0 {
		return c.linger
	}
	return 50 * time.Millisecond
}
