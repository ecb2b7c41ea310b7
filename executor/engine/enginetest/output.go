package enginetest

import (
	"bytes"
	"context"
	"strings"
	"sync"

	"github.com/runfile/runfile/executor/engine"
)

// output collects what a process writes, and lets a test wait for a piece of it.
type output struct {
	stdout, stderr stream
}

func newOutput() *output {
	return &output{stdout: stream{more: make(chan struct{}, 1)}, stderr: stream{more: make(chan struct{}, 1)}}
}

func (o *output) stdio() engine.Stdio {
	return engine.Stdio{Stdout: &o.stdout, Stderr: &o.stderr}
}

type stream struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	more chan struct{}
}

// Write implements io.Writer.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf.Write(p)
	select {
	case s.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// awaitUp blocks until the stream holds what the script up says.
func (s *stream) awaitUp(ctx context.Context) error {
	for !strings.Contains(s.String(), "up") {
		select {
		case <-s.more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
