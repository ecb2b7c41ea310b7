package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/project"
)

// enough interrupts end a process that ignores them (reliability.md F19).
const enough = 3

// session connects our standard streams with a container, for run and attach.
type session struct {
	a                     *app
	client                *project.Client
	container, name       string // what the supervisor finds it by, and what people do
	stdin, stdout, stderr bool
	tty                   bool          // the container has a terminal of its own
	proxy                 bool          // send it the signals that we get
	keys                  []byte        // detach keys
	again                 chan struct{} // the container is being restarted: attach to its next process as well; nil = never

	started atomic.Bool   // there is a process to send signals to
	left    chan int      // exit status with which we leave while the container goes on
	over    chan struct{} // closed by drain: there will be no further process
	ended   chan struct{} // closed when the streams are at their end
	code    int           // of the process's exit; valid after ended
	err     error         // of the streams; valid after ended

	mu       sync.Mutex
	restore  func() // guarded by mu; gives the terminal back
	stopping func() // ends the watch of signals
	once     sync.Once
}

func newSession(a *app, client *project.Client, container, name string) *session {
	return &session{
		a: a, client: client, container: container, name: name, left: make(chan int, 1), over: make(chan struct{}), ended: make(chan struct{}),
	}
}

// copy attaches and copies until the container's next exit, and with again until its last. It is run once, in a
// goroutine of its own.
func (s *session) copy(ctx context.Context) {
	defer close(s.ended)
	req := s.a.attachRequest(s.container, s.stdin, s.stdout, s.stderr)
	streams := project.Streams{DetachKeys: s.keys}
	if s.stdin {
		streams.Stdin = s.a.stdin
	}
	if s.stdout {
		streams.Stdout = noting{guarded(s.a.stdout, s.tty), &s.started}
	}
	if s.stderr {
		streams.Stderr = noting{guarded(s.a.stderr, s.tty), &s.started}
	}
	if s.tty {
		streams.Resize = terminal.Resizes(ctx, s.a.stdin)
	} else {
		req.Columns, req.Rows = 0, 0
	}
	for {
		code, err := s.client.Attach(ctx, req, streams)
		flush(streams.Stdout)
		flush(streams.Stderr)
		s.code, s.err = code, err
		if errors.Is(err, project.ErrDetached) {
			// The terminal is still raw, and the cursor behind the container's prompt.
			fmt.Fprintf(s.a.stderr, "\r\ndetached; the container goes on, come back: runfile attach %s\r\n", s.name)
			s.leave(0)
		}
		if err != nil || s.again == nil {
			return
		}
		req.Stdin, streams.Stdin = false, nil // docker's StdinOnce
		select {
		case <-s.again:
		case <-s.over:
			return
		case <-ctx.Done():
			return
		}
	}
}

// noting is a stream whose first output shows that there is a process: its event may come later, on another connection.
type noting struct {
	io.Writer
	started *atomic.Bool
}

// Write implements io.Writer.
func (n noting) Write(p []byte) (int, error) {
	n.started.Store(true)
	return n.Writer.Write(p)
}

// Flush writes what a filter below has held back.
func (n noting) Flush() error {
	flush(n.Writer)
	return nil
}

// drain waits until all output has been copied; there is no further process.
func (s *session) drain() {
	close(s.over)
	<-s.ended
}

// leave ends the session and lets the container go on.
func (s *session) leave(code int) {
	select {
	case s.left <- code:
	default:
	}
}

// takeTerminal makes our terminal raw if the container has one of its own and reads ours. Until then Ctrl-C works on
// us: during a pull there is nobody else to take it.
func (s *session) takeTerminal() {
	if !s.tty || !s.stdin || !terminal.Is(s.a.stdin) {
		return
	}
	restore, err := terminal.Raw(s.a.stdin)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.restore == nil {
		s.restore = restore
	}
}

// close gives the terminal back and stops watching signals. It may be called more than once.
func (s *session) close() {
	s.once.Do(func() {
		if s.stopping != nil {
			s.stopping()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.restore != nil {
			s.restore()
		}
	})
}

// observe follows the run's events: planned is closed when the container may be attached to.
func (s *session) observe(ev executor.Event, planned chan struct{}) {
	switch ev.Type {
	case executor.EventPlan:
		close(planned)
	case executor.EventCreate:
		s.takeTerminal()
	case executor.EventStart:
		s.started.Store(true)
	case executor.EventRestart:
		select {
		case s.again <- struct{}{}:
		default: // it is told already, or not interested
		}
	default: // the others do not concern the terminal
	}
}

// watchSignals sends the signals that we get on to the container, or with proxy off leaves at the first interrupt
// (options-process.md 3). Before there is a process, an interrupt ends the run.
func (s *session) watchSignals(ctx context.Context) {
	ch := make(chan os.Signal, 8)
	if s.proxy {
		signal.Notify(ch, proxied()...)
	} else {
		signal.Notify(ch, interrupts()...)
	}
	done := make(chan struct{})
	s.stopping = func() { signal.Stop(ch); close(done) }
	go func() {
		interrupted := 0
		for {
			select {
			case <-done:
				return
			case sig := <-ch:
				if sig == os.Interrupt || sig == syscall.SIGTERM {
					interrupted++
				}
				s.signal(ctx, signalNumber(sig), interrupted)
			}
		}
	}()
}

// signal acts on the signal with that number; interrupted counts the interrupts so far.
func (s *session) signal(ctx context.Context, number, interrupted int) {
	switch {
	case !s.started.Load() && interrupted > 0:
		_ = s.client.StopRun(ctx, interrupted > 1)
	case !s.started.Load():
	case !s.proxy:
		s.leave(128 + number)
	case interrupted >= enough:
		_ = s.client.Kill(ctx, project.StopRequest{Containers: []string{s.container}})
	default:
		// A process that ends just now needs no signal any more.
		_ = s.client.Kill(ctx, project.StopRequest{Containers: []string{s.container}, Signal: number})
	}
}
