package supervise

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/runfile/runfile/executor/engine"
)

const (
	// setupLimit is how long the start of a probe's process may take; the check's own timeout counts from then on.
	setupLimit = 30 * time.Second
	// killLimit is how long a killed probe may take to be gone before it is given up.
	killLimit = 10 * time.Second
	// outputLimit is how much of a probe's output is kept, in bytes.
	outputLimit = 4096
	// endLimit is how long the end of a container may become known after that of a probe which it has cut off.
	endLimit = time.Second
	sigkill  = 9

	// Exit codes, as a shell has them.
	killed        = 128 + sigkill
	notExecutable = 126
	notFound      = 127
)

// WatchHealth probes a running container, one probe at a time, until ctx ends, and reports the state after each.
func WatchHealth(ctx context.Context, p engine.Process, cfg HealthConfig, st HealthState, report func(HealthState)) {
	for sleep(ctx, UntilNext(cfg, st, time.Now())) {
		r, doubtful := Check(ctx, p, cfg)
		if ctx.Err() != nil || doubtful && !sleep(ctx, endLimit) {
			return // the container has ended, not failed its check
		}
		st = NextHealth(cfg, st, r)
		report(st)
	}
}

// sleep waits and reports false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Check runs a health check once. A probe that takes too long is killed and gone when Check returns. A failure is
// doubtful if the container's end may be what has killed the probe or kept it from starting: when PID 1 ends, the kernel
// kills all others before it tells of that end (pid_namespaces(7)).
func Check(ctx context.Context, p engine.Process, cfg HealthConfig) (r ProbeResult, doubtful bool) {
	r = ProbeResult{Start: time.Now(), ExitCode: -1}
	out := new(limitedBuffer)
	exit, err := runProbe(ctx, p, cfg.Args, cfg.Timeout, out)
	r.End, r.Output = time.Now(), out.String()
	switch {
	case err == nil && !exit.Unknown:
		r.ExitCode, doubtful = exit.Code, exit.Code == killed
	case errors.Is(err, errTooLong):
		text := fmt.Sprintf("Health check exceeded timeout (%s)", cfg.Timeout)
		if r.Output != "" {
			text += ": " + r.Output
		}
		r.Output = text
	case err != nil:
		code := engine.ExitCode(err)
		r.Output, doubtful = err.Error(), code != notExecutable && code != notFound
	}
	return r, doubtful
}

var errTooLong = errors.New("the probe took too long")

// runProbe runs a command in a container for at most limit and returns when it is gone.
func runProbe(ctx context.Context, p engine.Process, args []string, limit time.Duration, out *limitedBuffer) (engine.Exit, error) {
	setup, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(setupLimit, func() { cancel(fmt.Errorf("the probe was not started within %s", setupLimit)) })
	q, err := p.Exec(setup, engine.Exec{Args: args}, engine.Stdio{Stdout: out, Stderr: out})
	timer.Stop()
	if err != nil {
		if cause := context.Cause(setup); cause != nil {
			err = cause
		}
		return engine.Exit{}, fmt.Errorf("start the probe: %w", err)
	}
	waiting, stop := context.WithTimeout(ctx, limit)
	defer stop()
	exit, err := q.Wait(waiting)
	if err == nil || waiting.Err() == nil {
		return exit, err
	}
	gone, stop := context.WithTimeout(context.WithoutCancel(ctx), killLimit)
	defer stop()
	_ = q.Signal(gone, sigkill) // it may have ended just now
	if _, err := q.Wait(gone); err != nil {
		return engine.Exit{}, fmt.Errorf("the probe could not be killed: %w", err)
	}
	if ctx.Err() != nil {
		return engine.Exit{}, ctx.Err()
	}
	return engine.Exit{}, errTooLong
}

// limitedBuffer keeps the first outputLimit bytes and notes that there was more.
type limitedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
	more bool
}

// Write implements io.Writer and never fails.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(p), outputLimit-b.text.Len())
	b.text.Write(p[:n])
	b.more = b.more || n < len(p)
	return len(p), nil
}

func (b *limitedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.more {
		return b.text.String() + "..."
	}
	return b.text.String()
}
