package executor

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/runfile/runfile/executor/engine"
)

// Wait waits until a container has ended for good, not while a restart is due, and, with `rm`, until it is removed. One
// that has not been started yet gives the zero Exit at once, as docker wait does.
func (m *Manager) Wait(ctx context.Context, ref string) (engine.Exit, error) {
	c, err := m.find(ref)
	if err != nil {
		return engine.Exit{}, err
	}
	if err := c.await(ctx, func() bool { return !c.active && (c.settled || c.rec.State == Created) }); err != nil {
		return engine.Exit{}, err
	}
	return c.finalExit(), nil
}

// Exec runs a command in a running container. The command ends with the container.
func (m *Manager) Exec(ctx context.Context, ref string, spec engine.Exec, stdio engine.Stdio) (engine.Process, error) {
	c, err := m.find(ref)
	if err != nil {
		return nil, err
	}
	p, err := c.running()
	if err != nil {
		return nil, err
	}
	return p.Exec(ctx, spec, stdio)
}

// Resize sets the size of a container's terminal, in cells; before the start it is that of the start.
func (m *Manager) Resize(ref string, columns, rows uint16) error {
	c, err := m.find(ref)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.columns, c.rows = columns, rows
	p := c.process
	c.mu.Unlock()
	if p == nil {
		return nil
	}
	return p.Resize(m.ctx, columns, rows)
}

// AttachOptions are the streams of an attached client. Nil leaves a stream out.
type AttachOptions struct {
	// Stdin is copied to an interactive container. Its end closes the container's standard input unless it is detached.
	// When Attach has returned nothing of it reaches the container any more, but a Read under way goes on: whoever owns
	// the reader ends that.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Attach connects a client until the container's next exit or until ctx ends, which leaves the container running. A
// client that reads slowly holds the container's output up, as with docker. A container that a run is going to start
// may be attached to before that, and one that the run waits for even before it is created.
func (m *Manager) Attach(ctx context.Context, ref string, o AttachOptions) (engine.Exit, error) {
	c, err := m.findExpected(ctx, ref)
	if err != nil {
		return engine.Exit{}, err
	}
	c.mu.Lock()
	exits, active, failed := c.exits, c.active, c.rec.Error
	c.mu.Unlock()
	if !active && !m.coming(c.key) {
		return engine.Exit{}, fmt.Errorf("container %q is not running; start it first", c.key)
	}
	cl := &client{stdout: o.Stdout, stderr: o.Stderr}
	c.out.attach(cl)
	defer c.out.detach(cl)
	if o.Stdin != nil {
		stop := c.copyStdin(o.Stdin)
		defer stop()
	}
	err = c.await(ctx, func() bool {
		return c.exits > exits || c.gone || !c.active && (c.rec.Error != failed || !m.coming(c.key))
	})
	if err != nil {
		return engine.Exit{}, err
	}
	rec := c.record()
	if rec.Exit == nil {
		return engine.Exit{}, fmt.Errorf("container %q was not started", c.key)
	}
	if rec.State == Created {
		return *rec.Exit, errors.New(rec.Error)
	}
	return *rec.Exit, nil
}

// copyStdin copies a client's input to the container until either ends or stop is called.
func (c *container) copyStdin(from io.Reader) (stop func()) {
	pipe := c.out.pipe()
	if pipe == nil {
		return func() {}
	}
	stopped := make(chan struct{})
	go func() {
		_, err := io.Copy(pipe.w, &stoppable{from, stopped})
		if err == nil && !c.spec.Lifecycle.Detach.Value {
			_ = pipe.w.Close() // docker's StdinOnce; pipes cannot fail to close
		}
	}()
	return func() { close(stopped) }
}

var errDetached = errors.New("detached")

// stoppable is a reader whose data is dropped once it is stopped.
type stoppable struct {
	io.Reader
	stopped chan struct{}
}

// Read implements io.Reader.
func (s *stoppable) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	select {
	case <-s.stopped:
		return 0, errDetached
	default:
		return n, err
	}
}
