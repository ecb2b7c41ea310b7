package native

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/proc"
)

// Adopt implements engine.Engine.
func (e *Engine) Adopt(ctx context.Context, id string, stdio engine.Stdio) (engine.Process, error) {
	c, err := e.find(id)
	if errors.Is(err, errNoContainer) {
		return nil, &engine.NotRunning{Exit: engine.Exit{Code: 255, Unknown: true, At: time.Now()}}
	}
	if err != nil {
		return nil, wrap(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.proc != nil && !c.proc.over() {
		return c.proc, nil // it is ours already, and its streams with it
	}
	rec := c.rec.Process
	handle, err := e.openRecorded(rec)
	if err != nil {
		return nil, e.notRunning(ctx, c, err)
	}
	p, err := e.takeOver(ctx, c, handle, stdio)
	if err != nil {
		handle.close()
		return nil, wrap(fmt.Errorf("adopt container %s: %w", short(id), err))
	}
	go p.watch()
	return p, nil
}

func (e *Engine) openRecorded(rec *processRecord) (*pidHandle, error) {
	if !rec.alive() {
		return nil, os.ErrProcessDone
	}
	return openPID(rec.PID, rec.StartTime)
}

// notRunning clears up after a process that ended, or never began, and says what is known: nothing if it ended
// unattended, since whoever inherited it has reaped it.
func (e *Engine) notRunning(ctx context.Context, c *container, cause error) error {
	if !errors.Is(cause, os.ErrProcessDone) {
		e.logf("adopt container %s: %v", short(c.id), cause)
	}
	if err := e.sweepRuntime(ctx, c); err != nil {
		return wrap(err)
	}
	if p := c.rec.Process; p != nil && !p.Ended {
		p.Ended = true
		if p.BootID == proc.BootID() && p.ours() {
			exit := (&process{rec: *p, child: true}).status()
			p.Exit = &exit
		}
		if err := c.save(); err != nil {
			return wrap(err)
		}
	}
	if p := c.rec.Process; p != nil && p.Exit != nil {
		return &engine.NotRunning{Exit: *p.Exit}
	}
	return &engine.NotRunning{Exit: engine.Exit{Code: 255, Unknown: true, At: time.Now()}}
}

// takeOver makes the Process of a running container. Its network namespace is taken from the process itself.
func (e *Engine) takeOver(ctx context.Context, c *container, handle *pidHandle, stdio engine.Stdio) (*process, error) {
	runtime, err := e.runtimeOf(ctx, c)
	if err != nil {
		return nil, err
	}
	if c.spec, err = readSpec(c); err != nil {
		return nil, err
	}
	if err := e.joinNetwork(ctx, c, c.rec.Process.PID); err != nil {
		return nil, err
	}
	if err := e.adoptUsers(c); err != nil {
		e.logf("container %s: nothing can join it: %v", short(c.id), err)
	}
	if c.sandbox != nil {
		if err := c.sandbox.Start(ctx); err != nil {
			return nil, err
		}
	}
	p := &process{
		e: e, c: c, ctx: context.WithoutCancel(ctx), runtime: runtime, rec: *c.rec.Process, handle: handle, child: c.rec.Process.ours(), cgroup: e.cgroupPath(c),
		ownPID: hasOwnPID(c.rec.Container.Spec), pid1: pid1Of(c.rec.Container.Spec, c.spec), sandbox: c.sandbox, foreign: c.foreign != nil, ended: make(chan struct{}), cleaned: make(chan struct{}),
	}
	if err := p.reopen(stdio); err != nil {
		return nil, err
	}
	c.proc = p
	return p, nil
}

// reopen reads on from the FIFOs, which the container has kept open, or from the terminal, if that has a keeper. Without
// one its other end died with the earlier supervisor.
func (p *process) reopen(stdio engine.Stdio) error {
	if p.rec.Terminal {
		if p.rec.KeeperPID == 0 {
			return nil
		}
		terminal, err := keptTerminal(&p.rec)
		if err != nil {
			return err
		}
		p.outputs, p.stop, p.terminal = (&streams{terminal: terminal}).attach(stdio)
		return nil
	}
	for name, to := range map[string]io.Writer{"stdout": stdio.Stdout, "stderr": stdio.Stderr} {
		f, err := openReader(p.c.runPath(name))
		if err != nil {
			return fmt.Errorf("read on from %s: %w", name, err)
		}
		p.outputs = append(p.outputs, copyOutput(f, to))
	}
	return nil
}

func readSpec(c *container) (*specs.Spec, error) {
	data, err := os.ReadFile(c.runPath("config.json"))
	if err != nil {
		return nil, fmt.Errorf("read the runtime specification: %w", err)
	}
	spec := &specs.Spec{}
	if err := json.Unmarshal(data, spec); err != nil {
		return nil, fmt.Errorf("read the runtime specification: %w", err)
	}
	return spec, nil
}
