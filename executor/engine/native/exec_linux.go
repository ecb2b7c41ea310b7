package native

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/ocispec"
	"github.com/runfile/runfile/executor/state"
)

// execProcess is a command that runs beside PID 1.
type execProcess struct {
	dir      string // its files; removed at the end
	rec      processRecord
	handle   *pidHandle
	streams  *streams
	outputs  []*output
	stop     func()
	terminal *os.File
	ended    chan struct{}
	exit     engine.Exit
}

var _ engine.Process = (*execProcess)(nil)

var errNested = errors.New("not possible for a command that was itself started in a container")

// Exec implements engine.Process.
func (p *process) Exec(ctx context.Context, spec engine.Exec, stdio engine.Stdio) (engine.Process, error) {
	x, err := p.exec(ctx, spec, stdio)
	if err != nil {
		return nil, wrap(err)
	}
	return x, nil
}

func (p *process) exec(ctx context.Context, spec engine.Exec, stdio engine.Stdio) (*execProcess, error) {
	if len(spec.Args) == 0 {
		return nil, errors.New("exec: no command")
	}
	select {
	case <-p.ended:
		return nil, fmt.Errorf("exec: %w", engine.ErrNotRunning)
	default:
	}
	ps, err := p.execSpec(spec)
	if err != nil {
		return nil, err
	}
	ps.ConsoleSize = consoleSize(stdio, spec.TTY)
	x := &execProcess{dir: p.c.runPath("exec-" + state.NewID()[:12]), ended: make(chan struct{})}
	if err := os.MkdirAll(x.dir, 0o700); err != nil {
		return nil, fmt.Errorf("exec: %w", err)
	}
	release := p.holdReaper(spec.TTY)
	if err := x.launch(ctx, p, ps, stdio); err != nil {
		release()
		if x.streams != nil {
			x.streams.close()
		}
		_ = os.RemoveAll(x.dir)
		return nil, err
	}
	go func() {
		<-x.ended
		release()
	}()
	return x, nil
}

// detaches says whether the runtime leaves a command to us instead of waiting for it: only runc, with a terminal.
func (r *ociRuntime) detaches(tty bool) bool { return tty && r.Family != "crun" }

// holdReaper keeps reapOrphans away from a command that this process will wait for itself, from before it exists.
func (p *process) holdReaper(tty bool) (release func()) {
	if !p.runtime.detaches(tty) {
		return func() {}
	}
	p.e.detached.Add(1)
	return func() { p.e.detached.Add(-1) }
}

// execSpec is the container's own process with what the command changes. Its file system is looked at through the
// running process, whose mounts are the truth.
func (p *process) execSpec(spec engine.Exec) (*specs.Process, error) {
	root := fmt.Sprintf("/proc/%d/root", p.rec.PID)
	files := tree{root: root, ids: p.c.rec.IDs}
	own := p.c.spec.Process
	ps := *own
	ps.Args, ps.Terminal, ps.Rlimits = spec.Args, spec.TTY, slices.Clone(own.Rlimits)
	if spec.Workdir != "" {
		if info, err := files.stat(spec.Workdir); err != nil || !info.IsDir() {
			return nil, &ocispec.Error{Option: "workdir", Err: fmt.Errorf("there is no directory %s in the container", spec.Workdir)}
		}
		ps.Cwd = spec.Workdir
	}
	if spec.User != "" {
		u, home, err := ocispec.ResolveUser(root, spec.User, nil)
		if err != nil {
			return nil, err
		}
		ps.User = u
		ps.Env = overlayEnv(own.Env, []string{"HOME=" + home})
	}
	if spec.TTY {
		ps.Env = overlayEnv([]string{"TERM=xterm"}, ps.Env)
	}
	ps.Env = overlayEnv(ps.Env, spec.Env)
	if spec.Privileged {
		caps := p.e.host(p.runtime).Caps
		ps.Capabilities = &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps}
		ps.ApparmorProfile = ""
	}
	return &ps, checkProcess(files, &ps)
}

// overlayEnv lays the entries of over over base; the last one of a name wins.
func overlayEnv(base, over []string) []string {
	out := slices.Clone(base)
	for _, kv := range over {
		key, _, _ := strings.Cut(kv, "=")
		i := slices.IndexFunc(out, func(have string) bool { return strings.HasPrefix(have, key+"=") })
		if i >= 0 {
			out[i] = kv
		} else {
			out = append(out, kv)
		}
	}
	return out
}

// launch runs the runtime. It stays in the foreground and ends with the command's status: crun loses the status of a
// short command when it detaches. Only runc cannot do so with a terminal; it detaches and leaves the command to us.
func (x *execProcess) launch(ctx context.Context, p *process, ps *specs.Process, stdio engine.Stdio) error {
	data, err := json.Marshal(ps)
	if err != nil {
		return fmt.Errorf("exec: %w", err)
	}
	file, pidFile := filepath.Join(x.dir, "process.json"), filepath.Join(x.dir, "pid")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return fmt.Errorf("exec: %w", err)
	}
	if ps.Terminal {
		x.streams, err = openTerminal(x.dir)
	} else {
		x.streams, err = openExecPipes(stdio)
	}
	if err != nil {
		return err
	}
	if err := x.streams.give(p.c.rec.IDs); err != nil {
		return err
	}
	args := []string{"exec", "--process", file, "--pid-file", pidFile}
	detach := p.runtime.detaches(ps.Terminal)
	if detach {
		args = append(args, "--detach")
	}
	if ps.Terminal {
		args = append(args, "--console-socket", x.streams.consolePath)
	}
	inv := invocation{
		args: append(args, p.c.id), dir: p.c.run, log: filepath.Join(x.dir, "log"),
		stdin: x.streams.theirs[0], stdout: x.streams.theirs[1], stderr: x.streams.theirs[2],
	}
	// The command outlives the request that started it.
	run := context.WithoutCancel(ctx)
	cmd, err := p.runtime.start(run, inv)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- p.runtime.finish(run, inv, cmd.Wait()) }()
	return x.await(ctx, pidFile, detach, done, stdio)
}

// await waits until the command runs, which the runtime tells by the pid file, or until the runtime gives up.
func (x *execProcess) await(ctx context.Context, pidFile string, detach bool, done chan error, stdio engine.Stdio) error {
	over, runErr := false, error(nil)
	for x.rec.PID == 0 {
		data, err := os.ReadFile(pidFile)
		if pid, perr := strconv.Atoi(strings.TrimSpace(string(data))); err == nil && perr == nil {
			x.rec.PID = pid
			break
		}
		if over {
			if runErr == nil {
				runErr = errors.New("the runtime did not say which process it started")
			}
			return fmt.Errorf("exec: %w", runErr)
		}
		select {
		case runErr = <-done:
			over = true // look once more for the file
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
	x.rec.StartedAt = time.Now()
	x.handle, _ = openPID(x.rec.PID, 0) // it may have ended already
	if err := x.streams.connect(ctx); err != nil {
		return err
	}
	x.outputs, x.stop, x.terminal = x.streams.attach(stdio)
	if over {
		done <- runErr
	}
	go x.watch(detach, done)
	return nil
}

// watch waits for the end, then for the output.
func (x *execProcess) watch(detach bool, done <-chan error) {
	err := <-done
	exit := engine.Exit{}
	var status *exec.ExitError
	switch {
	case detach && x.handle != nil:
		_ = x.handle.wait() // only this function closes it
		p := &process{rec: x.rec, handle: x.handle, child: true}
		exit = p.status()
	case err == nil:
	case errors.As(err, &status):
		exit.Code = status.ExitCode()
	default:
		exit.Code = 255
	}
	exit.At = time.Now()
	for _, o := range x.outputs {
		o.finish(drainGrace)
	}
	if x.stop != nil {
		x.stop()
	}
	if x.terminal != nil {
		_ = x.terminal.Close()
	}
	if x.handle != nil {
		x.handle.close()
	}
	_ = os.RemoveAll(x.dir)
	x.exit = exit
	close(x.ended)
}

// openExecPipes connects a command by plain pipes: unlike PID 1 it need not survive the supervisor.
func openExecPipes(stdio engine.Stdio) (*streams, error) {
	s := &streams{}
	var err error
	if s.theirs[0], s.input, err = inputPipe(stdio.Stdin); err != nil {
		return nil, err
	}
	for i := range []io.Writer{stdio.Stdout, stdio.Stderr} {
		ours, theirs, err := os.Pipe()
		if err != nil {
			s.close()
			return nil, fmt.Errorf("exec: %w", err)
		}
		s.output, s.theirs[i+1] = append(s.output, ours), theirs
	}
	return s, nil
}

// PID implements engine.Process.
func (x *execProcess) PID() int { return x.rec.PID }

// Wait implements engine.Process.
func (x *execProcess) Wait(ctx context.Context) (engine.Exit, error) {
	if err := waitEnd(ctx, x.ended); err != nil {
		return engine.Exit{}, err
	}
	return x.exit, nil
}

// Signal implements engine.Process.
func (x *execProcess) Signal(_ context.Context, signal int) error {
	if x.handle == nil {
		return os.ErrProcessDone
	}
	return x.handle.signal(signal)
}

// Resize implements engine.Process.
func (x *execProcess) Resize(_ context.Context, columns, rows uint16) error {
	return resize(x.terminal, columns, rows)
}

// Exec implements engine.Process: it fails.
func (x *execProcess) Exec(context.Context, engine.Exec, engine.Stdio) (engine.Process, error) {
	return nil, fmt.Errorf("exec: %w", errNested)
}

// Dial implements engine.Process: it fails.
func (x *execProcess) Dial(context.Context, uint16) (io.ReadWriteCloser, error) {
	return nil, fmt.Errorf("dial: %w", errNested)
}

// Status implements engine.Process.
func (x *execProcess) Status() engine.Status {
	return engine.Status{ID: x.rec.ID, StartedAt: x.rec.StartedAt}
}
