package project

import (
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
}
