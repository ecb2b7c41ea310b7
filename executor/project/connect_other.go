//go:build !linux

package project

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/runfile/runfile/executor/state"
)

// maxErrorBody bounds what is read of an answer that reports an error, in bytes.
const maxErrorBody = 1 << 20

// Connect has no implementation where no engine runs: such hosts validate and plan only.
func Connect(context.Context, state.Paths, string, bool) (*Client, error) {
	return nil, fmt.Errorf("containers run on Linux only: %w", errors.ErrUnsupported)
}

// Serve has no implementation where no engine runs.
func Serve(context.Context, ServeConfig) error {
	return fmt.Errorf("containers run on Linux only: %w", errors.ErrUnsupported)
}

func isGone(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
