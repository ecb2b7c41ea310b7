package project

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/schema"
)

const (
	sigkill   = 9
	maxSignal = 64
	// typedAhead is how many pieces of input may wait for a process.
	typedAhead = 16
	// hangupEvery is how often a session looks whether its client has gone while the process takes no input.
	hangupEvery = 250 * time.Millisecond
)

// errClient ends a session whose client has gone.
var errClient = errors.New("the client has gone")

// errLeft ends a session whose client typed the detach keys.
var errLeft = errors.New("the client has detached")

// session is the server's end of a framed stream.
type session struct {
	conn net.Conn
	in   *frameReader
	out  *frameWriter
	// stdin is what the process reads, feed its other end; nil if it takes no input from this client.
	stdin *io.PipeReader
	feed  *io.PipeWriter
	// typed is input on its way to feed, in pieces of at most maxFrame. Its room keeps frames that follow input (a
	// resize, the detach keys) from waiting for a process that does not read; closed = the client has no more.
	typed chan []byte
	stuck atomic.Bool // receive waits for room in typed
	// resize sets the terminal's size.
	resize func(columns, rows uint16) error
	// ctx ends when the client leaves; its cause is errClient, errLeft or a protocol error.
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// openSession answers 101 and takes over the connection. The caller closes the session.
func openSession(w http.ResponseWriter, r *http.Request, life context.Context, stdin, tty bool) (*session, error) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), streamProtocol) {
		return nil, refuse(http.StatusUpgradeRequired, exitUsage, "send the headers Connection: Upgrade and Upgrade: %s", streamProtocol)
	}
	conn, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, fmt.Errorf("take over the connection: %w", err)
	}
	_, err = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n%s: %t\r\n\r\n",
		streamProtocol, ttyHeader, tty)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("answer the upgrade: %w", err)
	}
	s := &session{conn: conn, in: &frameReader{r: buf}, out: &frameWriter{w: conn}}
	s.ctx, s.cancel = context.WithCancelCause(life)
	if stdin {
		s.stdin, s.feed = io.Pipe()
		s.typed = make(chan []byte, typedAhead)
	}
	return s, nil
}

// listen starts to obey the client. It must be called once, when resize works.
func (s *session) listen(resize func(columns, rows uint16) error) {
	s.resize = resize
	go func() { s.cancel(s.receive()) }()
	if s.feed != nil {
		go s.feedInput()
		go s.watchHangup()
	}
}

// close ends the stream and the process's input.
func (s *session) close() {
	s.cancel(nil)
	_ = s.conn.Close()
	if s.feed != nil {
		// Not an end of file: that would end the input of a container that goes on.
		_ = s.feed.CloseWithError(errClient)
	}
}

// input is stdin as an engine takes it: nil means /dev/null.
func (s *session) input() io.Reader {
	if s.stdin == nil {
		return nil
	}
	return s.stdin
}

// output is one stream of the process. It never fails: a process must not suffer because its watcher has gone.
func (s *session) output(ch channel) io.Writer { return tolerant{stream{s.out, ch}} }

type tolerant struct{ w io.Writer }

// Write implements io.Writer.
func (t tolerant) Write(p []byte) (int, error) {
	_, _ = t.w.Write(p) // the reading side notices that the client has gone
	return len(p), nil
}

// receive obeys frames until the client leaves, and returns why it left.
func (s *session) receive() error {
	inputEnded := false
	for {
		ch, p, err := s.in.next()
		if err != nil {
			if errors.Is(err, errFrame) {
				return err
			}
			return errClient
		}
		switch ch {
		case chanStdin:
			if inputEnded {
				return fmt.Errorf("%w: stdin after stdin-close", errFrame)
			}
			if err := s.pass(p); err != nil {
				return err
			}
		case chanStdinClose:
			if s.typed != nil && !inputEnded {
				close(s.typed)
			}
			inputEnded = true
		case chanResize:
			// Fails while the process has not started or has ended; the next size comes with the next change.
			_ = s.resize(decodeResize(p))
		case chanDetach:
			return errLeft
		case chanStdout, chanStderr, chanExit, chanError, channels:
			return fmt.Errorf("%w: the client sent channel %d", errFrame, ch)
		}
	}
}

// pass queues a piece of input; without a process that takes it, it is dropped.
func (s *session) pass(p []byte) error {
	if s.typed == nil {
		return nil
	}
	s.stuck.Store(true)
	defer s.stuck.Store(false)
	select {
	case s.typed <- bytes.Clone(p):
		return nil
	case <-s.ctx.Done():
		return errClient
	}
}

// feedInput gives the process what was typed, and its end. It ends with the session.
func (s *session) feedInput() {
	for {
		select {
		case p, ok := <-s.typed:
			if !ok {
				_ = s.feed.Close()
				return
			}
			_, _ = s.feed.Write(p) // fails when the process takes no more; what is typed then is lost
		case <-s.ctx.Done():
			return
		}
	}
}

// watchHangup notices a client that went away while receive is stuck: then nobody reads from the connection, and its
// end does not show.
func (s *session) watchHangup() {
	guest, ok := s.conn.(*guest)
	if !ok {
		return
	}
	raw, err := guest.SyscallConn()
	if err != nil {
		return
	}
	tick := time.NewTicker(hangupEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		gone := false
		err := raw.Control(func(fd uintptr) {
			poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
			n, err := unix.Poll(poll, 0)
			gone = err == nil && n > 0
		})
		if err != nil || gone && s.stuck.Load() {
			s.cancel(errClient)
			return
		}
	}
}

// finish sends how it ended, to a client that has gone in vain, and closes the connection.
func (s *session) finish(exit engine.Exit, err error) {
	if err != nil {
		_, body := errorResponse(err)
		if exit.Code != 0 {
			body.ExitCode = exit.Code // a start that failed has the status that docker run gives it
		}
		_ = s.out.writeJSON(chanError, body)
	} else {
		_ = s.out.writeJSON(chanExit, exitOf(exit))
	}
	s.close()
}

// exec runs a command beside a container's process. It is killed when its client goes away without detaching.
func (s *server) exec(w http.ResponseWriter, r *http.Request) error {
	req, err := decode[ExecRequest](w, r, maxBody)
	if err != nil {
		return err
	}
	m, err := s.ready(r.Context())
	if err != nil {
		return err
	}
	if _, err := m.Find(req.Container); err != nil {
		return err
	}
	if len(req.Args) == 0 {
		return refuse(http.StatusBadRequest, exitUsage, "exec: no command given")
	}
	ss, err := openSession(w, r, s.life, req.Stdin, req.TTY)
	if err != nil {
		return err
	}
	s.runExec(m, req, ss)
	return nil
}

func (s *server) runExec(m *executor.Manager, req ExecRequest, ss *session) {
	stdio := engine.Stdio{
		Stdin: ss.input(), Stdout: ss.output(chanStdout), Stderr: ss.output(chanStderr),
		Columns: req.Columns, Rows: req.Rows,
	}
	p, err := m.Exec(s.life, req.Container, engine.Exec{
		Args: req.Args, Env: req.Env, User: req.User, Workdir: req.Workdir, TTY: req.TTY, Privileged: req.Privileged,
	}, stdio)
	if err != nil {
		ss.finish(engine.Exit{}, err)
		return
	}
	ss.listen(func(columns, rows uint16) error { return p.Resize(s.life, columns, rows) })
	exit, err := p.Wait(ss.ctx)
	cause := context.Cause(ss.ctx)
	switch {
	case err == nil || cause == nil:
		ss.finish(exit, err)
	case errors.Is(cause, errLeft):
		_ = ss.conn.Close() // the client waits for that
		s.inflight.Add(1)
		go func() { // input ends with the process, not with the client
			defer s.inflight.Add(-1)
			defer ss.close()
			_, _ = p.Wait(s.life)
		}()
	default:
		if err := p.Signal(s.life, sigkill); err != nil && !errors.Is(err, engine.ErrProcessDone) {
			s.log.Warn("kill an exec whose client has gone", "container", req.Container, "error", err)
		}
		_, _ = p.Wait(s.life)
		ss.close()
	}
}

// attach connects a client to a container's process until that ends or the client leaves.
func (s *server) attach(w http.ResponseWriter, r *http.Request) error {
	req, err := decode[AttachRequest](w, r, maxBody)
	if err != nil {
		return err
	}
	m, err := s.ready(r.Context())
	if err != nil {
		return err
	}
	declared, err := s.declaration(m, req.Container)
	if err != nil {
		return err
	}
	tty := declared.TTY.Value
	ss, err := openSession(w, r, s.life, req.Stdin && declared.Interactive.Value, tty)
	if err != nil {
		return err
	}
	o := executor.AttachOptions{Stdin: ss.input()}
	if req.Stdout {
		o.Stdout = ss.output(chanStdout)
	}
	if req.Stderr {
		o.Stderr = ss.output(chanStderr)
	}
	resize := func(columns, rows uint16) error { return m.Resize(req.Container, columns, rows) }
	if tty && req.Columns > 0 {
		_ = resize(req.Columns, req.Rows)
	}
	ss.listen(resize)
	exit, err := m.Attach(ss.ctx, req.Container, o)
	if cause := context.Cause(ss.ctx); cause != nil {
		err = cause
	}
	ss.finish(exit, err)
	return nil
}

// declaration returns how a container's streams are declared: of one that exists, or that a run is about to make.
func (s *server) declaration(m *executor.Manager, ref string) (schema.Stdio, error) {
	rec, err := m.Find(ref)
	if err == nil {
		return rec.Spec.Stdio, nil
	}
	if c := s.runs.container(ref); c != nil {
		return c.Stdio, nil
	}
	return schema.Stdio{}, err
}
