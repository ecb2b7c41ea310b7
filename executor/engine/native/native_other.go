//go:build !linux

package native

import (
	"context"
	"errors"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/state"
)

// Engine is there only on Linux.
type Engine struct{ engine.Engine }

var errLinux = errors.New("containers run only on Linux; this platform can validate, plan and convert")

// New fails: there is no native engine here.
func New(Config) (*Engine, error) { return nil, errLinux }

// Close does nothing.
func (e *Engine) Close() error { return nil }

// Doctor says so.
func Doctor(context.Context, state.Paths) engine.Info {
	return engine.Info{Engine: "native", Checks: []engine.Check{{Name: "kernel", State: "fail", Detail: errLinux.Error()}}}
}
