//go:build !linux

package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/schema"
)

var errLinuxOnly = fmt.Errorf("containers run on Linux only: %w", errors.ErrUnsupported)

func newEngine(state.Paths, string) (engine.Engine, error) { return nil, errLinuxOnly }

func hostInfo(context.Context, state.Paths) (engine.Info, error) { return engine.Info{}, errLinuxOnly }

func preflight(*schema.Container) []schema.HostProblem { return nil }

func storedImages(context.Context, state.Paths) ([]storedImage, error) { return nil, errLinuxOnly }

func pullImage(context.Context, state.Paths, pullRequest, func(engine.Progress)) (string, error) {
	return "", errLinuxOnly
}
