package native

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/network"
)

// process is PID 1 of a container.
type process struct {
	e       *Engine
	c       *container
	runtime *ociRuntime
	rec     processRecord
	handle  *pidHandle
	ctx     context.Context // that of the start or adoption, but never cancelled: for the clean-up
	child   bool            // ours to reap; an adopted process is not
	cgroup  string
	sandbox *network.Sandbox // the container's while this process runs; nil with another project's network
	foreign bool             // the network is another project's
	ownPID  bool             // the PID namespace is the container's own
	pid1    pid1             // what process 1 is

	terminal *os.File // master side; nil without a terminal
	outputs  []*output
	stop     func() // ends the copying of the input; nil without

	ended   chan struct{} // closed when exit or err is set
	exit    engine.Exit
	err     error         // the engine was closed while the process ran
	cleaned chan struct{} // closed when runtime, cgroups and mounts are gone, too
}

var _ engine.Process = (*process)(nil)

// PID implements engine.Process.
func (p *process) PID() int { return p.rec.PID }

// Wait implements engine.Process.
func (p *process) Wait(ctx context.Context) (engine.Exit, error) {
	if err := waitEnd(ctx, p.ended); err != nil {
		return engine.Exit{}, err
	}
	return p.exit, p.err
}

// waitEnd prefers the end to a context that is over, too.
func waitEnd(ctx context.Context, ended <-chan struct{}) error {
	select {
	case <-ended:
		return nil
	default:
	}
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// over says whether the process has ended, though its clean-up may still be under way.
func (p *process) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// abandon lets go of a process that runs on: nothing of its output is read any more, so that a later engine finds it.
func (p *process) abandon() {
	p.handle.close()
	for _, o := range p.outputs {
		_ = o.file.Close()
	}
	if p.stop != nil {
		p.stop()
	}
	if p.terminal != nil {
		_ = p.terminal.Close()
	}
}

// Signal implements engine.Process.
func (p *process) Signal(ctx context.Context, signal int) error {
	if p.pid1 != command && signal != int(unix.SIGKILL) {
		p.awaitInit(ctx)
	}
	return p.handle.signal(signal)
}

// Resize implements engine.Process.
func (p *process) Resize(_ context.Context, columns, rows uint16) error {
	return resize(p.terminal, columns, rows)
}

func resize(terminal *os.File, columns, rows uint16) error {
	if terminal == nil {
		return errors.New("the process has no terminal")
	}
	conn, err := terminal.SyscallConn()
	if err != nil {
		return fmt.Errorf("resize: %w", err)
	}
	cerr := conn.Control(func(fd uintptr) {
		err = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns})
	})
	return errors.Join(cerr, err)
}

// Dial implements engine.Process.
func (p *process) Dial(ctx context.Context, port uint16) (io.ReadWriteCloser, error) {
	if p.sandbox != nil && p.sandbox.NetnsPath() != "" {
		return p.sandbox.Dial(ctx, port)
	}
	if p.foreign {
		return nil, errors.New("dial: the network belongs to a container of another project")
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
}

// Status implements engine.Process.
func (p *process) Status() engine.Status {
	s := engine.Status{ID: p.rec.ID, StartedAt: p.rec.StartedAt}
	for _, m := range p.c.rec.Mounts {
		s.Mounts = append(s.Mounts, m.Mount)
	}
	if p.sandbox != nil {
		s.Networks, s.Ports = p.sandbox.Endpoints(), p.sandbox.Ports()
	}
	return s
}

// watch follows the process to its end: status, output, clean-up, in this order. The end is announced before the
// clean-up, which costs another run of the runtime; who wants to start again waits for it at the container's lock.
func (p *process) watch() {
	if err := p.handle.wait(); err != nil {
		p.e.awaited.Delete(p.rec.PID)
		p.err = errClosed
		close(p.ended)
		close(p.cleaned)
		return
	}
	exit := p.status()
	p.e.awaited.Delete(p.rec.PID)
	if !p.ownPID {
		killCgroup(p.cgroup)
	}
	exit.OOMKilled = oomKills(p.cgroup) > 0
	for _, o := range p.outputs {
		o.finish(drainGrace)
	}
	if p.stop != nil {
		p.stop()
	}
	p.exit = exit
	close(p.ended)
	p.e.clean(p)
}

// status collects how the process ended.
func (p *process) status() engine.Exit {
	at := time.Now()
	if p.child {
		var ws unix.WaitStatus
		for {
			_, err := unix.Wait4(p.rec.PID, &ws, 0, nil)
			if err == nil {
				return exitOf(ws, at)
			}
			if !errors.Is(err, unix.EINTR) {
				break // somebody else has reaped it
			}
		}
	}
	if p.handle != nil {
		if ws, ok := p.handle.exitStatus(); ok {
			return exitOf(ws, at)
		}
	}
	return engine.Exit{Code: 255, Unknown: true, At: at}
}

func exitOf(ws unix.WaitStatus, at time.Time) engine.Exit {
	if ws.Signaled() {
		return engine.Exit{Code: 128 + int(ws.Signal()), Signal: int(ws.Signal()), At: at}
	}
	return engine.Exit{Code: ws.ExitStatus(), At: at}
}

// clean takes away what the process had besides its container: runtime state, cgroups, names and ports, mounts.
func (e *Engine) clean(p *process) {
	c := p.c
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(p.cleaned)
	if c.sandbox != nil {
		c.rec.Bindings = c.sandbox.Ports()
		c.sandbox.Stop()
	}
	c.foreign = nil // its process may be another one next time
	if err := p.runtime.remove(p.ctx, c.id, p.cgroup); err != nil {
		e.logf("clean up container %s: %v", short(c.id), err)
	}
	removeCgroups(p.cgroup)
	if p.terminal != nil {
		_ = p.terminal.Close()
	}
	p.handle.close()
	c.proc = nil
	c.rec.Process.Ended, c.rec.Process.Exit = true, &p.exit
	if err := c.save(); err != nil {
		e.logf("%v", err)
	}
	if err := e.unmountRun(c); err != nil {
		e.logf("clean up container %s: %v", short(c.id), err)
	}
}

// waitABit is the pause between two looks at something that has no notification. The callers bound how long they look.
func waitABit() { time.Sleep(2 * time.Millisecond) } //nolint:forbidigo // there is no channel to wait on
