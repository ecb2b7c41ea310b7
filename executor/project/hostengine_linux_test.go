package project

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/proc"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/schema"
)

// hostEngine runs containers as plain processes of the host, in sessions of their own, so that they outlive the process
// that started them and can be adopted. It keeps a file a container: what to run, and who runs.
type hostEngine struct{ dir string }

type hostContainer struct {
	Args    []string
	Process proc.ID
}

func newHostEngine(dir string) *hostEngine { return &hostEngine{dir} }

func (h *hostEngine) file(id string) string { return filepath.Join(h.dir, id) }

func (h *hostEngine) Info(context.Context) (engine.Info, error) {
	return engine.Info{Engine: "host"}, nil
}

func (h *hostEngine) Pull(context.Context, *schema.Container, func(engine.Progress)) (string, error) {
	return "sha256:none", nil
}
func (h *hostEngine) EnsureNetwork(context.Context, *schema.NetworkDef) error { return nil }
func (h *hostEngine) EnsureVolume(context.Context, *schema.VolumeDef) error   { return nil }

func (h *hostEngine) Create(_ context.Context, c engine.Container) (*schema.Effective, error) {
	args := c.Spec.Process.Command.Value
	effective := &schema.Effective{Args: args}
	effective.StopSignal.Number, effective.StopSignal.Name = 15, "SIGTERM"
	return effective, state.WriteJSON(h.file(c.ID), hostContainer{Args: args})
}

func (h *hostEngine) Start(_ context.Context, id string, stdio engine.Stdio) (engine.Process, error) {
	c, err := state.ReadJSON[hostContainer](h.file(id))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Stdout, cmd.Stderr = stdio.Stdout, stdio.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, &engine.Error{Code: 127, Err: err}
	}
	c.Process, _ = proc.Of(cmd.Process.Pid) // it may have ended already
	p := newHostProcess(c.Process)
	go func() {
		_ = cmd.Wait()
		p.end(cmd.ProcessState.ExitCode())
	}()
	return p, state.WriteJSON(h.file(id), c)
}

func (h *hostEngine) Adopt(_ context.Context, id string, _ engine.Stdio) (engine.Process, error) {
	gone := &engine.NotRunning{Exit: engine.Exit{Unknown: true, At: time.Now()}}
	c, err := state.ReadJSON[hostContainer](h.file(id))
	if err != nil || !c.Process.Alive() {
		return nil, gone
	}
	fd, err := unix.PidfdOpen(c.Process.PID, 0)
	if err != nil {
		return nil, gone
	}
	p := newHostProcess(c.Process)
	go func() {
		defer unix.Close(fd)
		for {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
			if n == 1 || err != nil && !errors.Is(err, unix.EINTR) {
				break
			}
		}
		p.end(255)
	}()
	return p, nil
}

func (h *hostEngine) Remove(_ context.Context, r engine.Ref) error {
	if err := os.Remove(h.file(r.Name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

type hostProcess struct {
	id   proc.ID
	at   time.Time
	done chan struct{}
	exit engine.Exit // valid once done is closed
}

func newHostProcess(id proc.ID) *hostProcess {
	return &hostProcess{id: id, at: time.Now(), done: make(chan struct{})}
}

func (p *hostProcess) end(code int) {
	p.exit = engine.Exit{Code: code, At: time.Now()}
	close(p.done)
}

func (p *hostProcess) PID() int { return p.id.PID }

func (p *hostProcess) Wait(ctx context.Context) (engine.Exit, error) {
	select {
	case <-p.done:
		return p.exit, nil
	case <-ctx.Done():
		return engine.Exit{}, ctx.Err()
	}
}

func (p *hostProcess) Signal(_ context.Context, signal int) error {
	select {
	case <-p.done:
		return engine.ErrProcessDone
	default:
		return syscall.Kill(p.id.PID, syscall.Signal(signal))
	}
}

func (p *hostProcess) Resize(context.Context, uint16, uint16) error { return nil }

func (p *hostProcess) Exec(context.Context, engine.Exec, engine.Stdio) (engine.Process, error) {
	return nil, errors.ErrUnsupported
}

func (p *hostProcess) Dial(context.Context, uint16) (io.ReadWriteCloser, error) {
	return nil, errors.ErrUnsupported
}

func (p *hostProcess) Status() engine.Status {
	return engine.Status{ID: p.id, StartedAt: p.at}
}

// supervisorPID returns the process id of a client's supervisor.
func supervisorPID(c *Client) (int, error) { return strconv.Atoi(listenerPID(c.lease)) }
