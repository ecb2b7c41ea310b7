package native

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/ocispec"
	"github.com/runfile/runfile/executor/proc"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

var errRunning = errors.New("container is running")

// Start implements engine.Engine. What it makes before a failure it takes away again; the writable layer stays.
func (e *Engine) Start(ctx context.Context, id string, stdio engine.Stdio) (engine.Process, error) {
	c, err := e.find(id)
	if err != nil {
		return nil, wrap(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.settle() || c.rec.Process.alive() {
		return nil, wrap(errRunning)
	}
	s := &starting{e: e, c: c, ctx: ctx, stdio: stdio}
	p, err := s.run()
	if err != nil {
		s.undo()
		return nil, wrap(err)
	}
	go p.watch()
	return p, nil
}

// starting is a start in progress: what the steps hand on, and what has to be undone if one fails.
type starting struct {
	e       *Engine
	c       *container
	ctx     context.Context
	stdio   engine.Stdio
	runtime *ociRuntime
	spec    *specs.Spec
	streams *streams
	proc    *process
	created bool   // the runtime knows the container
	learn   string // key of the seccomp filter to keep
	handle  *pidHandle
	pid     int // of handle
}

func (s *starting) run() (*process, error) {
	steps := []func() error{
		s.findRuntime, s.prepare, s.buildSpec, s.openStreams, s.create, s.publish, s.begin,
	}
	for _, step := range steps {
		if err := s.ctx.Err(); err != nil {
			return nil, err
		}
		if err := step(); err != nil {
			return nil, err
		}
	}
	return s.proc, nil
}

func (s *starting) findRuntime() error {
	r, err := s.e.chooseRuntime(s.ctx, s.c)
	if err != nil {
		return &engine.Error{Code: exitEngine, Option: "runtime", Err: err}
	}
	s.runtime = r
	if _, err := os.Stat(filepath.Join(r.root, s.c.id)); err != nil {
		return nil // the runtime does not know it
	}
	return s.e.sweepRuntime(s.ctx, s.c) // a supervisor that was killed half-way through a start
}

// What crun needs: it applies the container's limits before it has mounted everything (on cgroup v1 it holds a
// descriptor for each hierarchy) and before it hands its seccomp filter over in a file; runc does so last.
const (
	crunFiles    = 64
	crunFileSize = 1 << 20 // bytes
)

// tooLowForCrun says whether crun could not work under a limit.
func tooLowForCrun(u value.Ulimit) bool {
	return u.Soft >= 0 && (u.Name == "nofile" && u.Soft < crunFiles || u.Name == "fsize" && u.Soft < crunFileSize)
}

// crunCannot says whether a declaration asks for what crun fails at and runc does: limits that are too low for crun
// itself, and on cgroup v1 weights of block I/O, for which it knows the files of old kernels only.
func crunCannot(spec *schema.Container) bool {
	return slices.ContainsFunc(spec.Process.Ulimits.Values(), tooLowForCrun) ||
		(spec.Blkio.Weight.Value > 0 || len(spec.Blkio.WeightDevice) > 0) && !onUnified()
}

// chooseRuntime is the runtime that the declaration names, or the best that can do what it asks for.
func (e *Engine) chooseRuntime(ctx context.Context, c *container) (*ociRuntime, error) {
	spec := c.rec.Container.Spec
	name := spec.Process.Runtime.Value
	if name == "" && crunCannot(spec) {
		if r, err := e.runtimes.get(ctx, "runc", ""); err == nil {
			return r, nil
		}
	}
	return e.runtimes.get(ctx, name, c.rec.Container.Dir)
}

// prepare mounts the root and makes the network namespace, both of which outlive the process.
func (s *starting) prepare() error {
	if err := os.MkdirAll(s.c.run, 0o700); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	if err := s.e.mountRootfs(s.ctx, s.c); err != nil {
		return err
	}
	return s.e.joinNetwork(s.ctx, s.c, 0)
}

// buildSpec writes config.json and looks whether the command is there.
func (s *starting) buildSpec() error {
	root, err := s.e.rootDir(s.c)
	if err != nil {
		return err
	}
	defer root.Close() // O_PATH
	in, err := s.e.specInput(s.c, s.runtime, fdPath(root))
	if err != nil {
		return err
	}
	spec, problems, err := ocispec.Build(in)
	if err != nil {
		return err
	}
	for _, p := range problems {
		s.e.logf("%s: %s has no effect here: %s", s.c.rec.Container.Name, p.Option, p.Text)
	}
	if err := checkProcess(tree{root: fdPath(root), mounts: spec.Mounts, ids: s.c.rec.IDs}, spec.Process); err != nil {
		return err
	}
	s.spec = spec
	if err := s.loadProfile(in.Host); err != nil {
		return err
	}
	spec.Process.ConsoleSize = consoleSize(s.stdio, spec.Process.Terminal)
	s.learn = s.e.filters.shorten(s.runtime, spec)
	data, err := json.Marshal(spec)
	if err != nil {
		return fmt.Errorf("write the runtime specification: %w", err)
	}
	if err := os.WriteFile(s.c.runPath("config.json"), data, 0o600); err != nil {
		return fmt.Errorf("write the runtime specification: %w", err)
	}
	return nil
}

func (s *starting) openStreams() error {
	var err error
	if s.spec.Process.Terminal {
		s.streams, err = openTerminal(s.c.run)
	} else {
		s.streams, err = openPipes(s.c.run, s.stdio.Stdin)
	}
	if err != nil {
		return err
	}
	return s.streams.give(s.c.rec.IDs)
}

// create makes the container. Its process exists afterwards and waits; it becomes our child when the runtime exits,
// since we are the subreaper.
func (s *starting) create() error {
	args := []string{"create", "--bundle", s.c.run, "--pid-file", s.c.runPath("pid")}
	if s.streams.console != nil {
		args = append(args, "--console-socket", s.streams.consolePath)
	}
	inv := invocation{
		args: append(args, s.c.id), dir: s.c.run, log: s.c.runPath("runtime.log"),
		stdin: s.streams.theirs[0], stdout: s.streams.theirs[1], stderr: s.streams.theirs[2],
	}
	s.created = true
	if err := makeCgroup(s.e.cgroupPath(s.c)); err != nil {
		return err
	}
	if err := lendRealtime(s.e.cgroupPath(s.c), s.spec); err != nil {
		return &ocispec.Error{Option: "cpu-rt-runtime", Err: err}
	}
	err := s.runtime.run(s.ctx, inv)
	s.c.closeUsers() // the process has it
	if err != nil {
		return blame(s.c.rec.Container.Spec, err)
	}
	if s.learn != "" {
		s.e.filters.learn(s.runtime, s.c.id, s.learn)
	}
	if err := s.streams.connect(s.ctx); err != nil {
		return err
	}
	return s.identify()
}

// identify records which process it is, before it runs anything.
func (s *starting) identify() error {
	data, err := os.ReadFile(s.c.runPath("pid"))
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return fmt.Errorf("start: the runtime wrote no process id: %w", err)
	}
	if s.handle, err = openPID(pid, 0); err != nil {
		return err
	}
	s.pid = pid
	s.e.awaited.Store(pid, true)
	id, err := proc.Of(pid)
	if err != nil {
		return fmt.Errorf("start: the container's process has ended before its command ran: %w", err)
	}
	s.c.rec.Process = &processRecord{
		ID: id, StartedAt: time.Now(), Runtime: s.runtime.Path, Terminal: s.spec.Process.Terminal,
	}
	if s.streams.terminal != nil && s.c.rec.Container.Spec.IsService() {
		p := s.c.rec.Process
		if p.KeeperPID, p.KeeperStart, err = keepTerminal(s.streams.terminal, s.handle); err != nil {
			return err
		}
	}
	return s.c.save()
}

// publish makes names and ports visible: a client must not find the container before its network is there, and the
// container must not run before its ports are known to be free.
func (s *starting) publish() error {
	if s.c.sandbox == nil {
		return nil
	}
	return s.c.sandbox.Start(s.ctx)
}

// begin lets the command run. From here on the container is on its own.
func (s *starting) begin() error {
	c := s.c
	p := &process{
		e: s.e, c: c, ctx: context.WithoutCancel(s.ctx), runtime: s.runtime, rec: *c.rec.Process, handle: s.handle, child: true,
		cgroup: s.spec.Linux.CgroupsPath, ownPID: hasOwnPID(c.rec.Container.Spec), pid1: pid1Of(c.rec.Container.Spec, s.spec),
		sandbox: c.sandbox, foreign: c.foreign != nil,
		ended: make(chan struct{}), cleaned: make(chan struct{}),
	}
	c.spec = s.spec
	inv := invocation{args: []string{"start", c.id}, dir: c.run, log: c.runPath("runtime.log")}
	if err := s.runtime.run(s.ctx, inv); err != nil {
		return blame(c.rec.Container.Spec, err)
	}
	p.outputs, p.stop, p.terminal = s.streams.attach(s.stdio)
	s.proc, c.proc = p, p
	return nil
}

// consoleSize is the size with which the runtime makes the terminal, so that the command sees it from the beginning.
func consoleSize(stdio engine.Stdio, terminal bool) *specs.Box {
	if !terminal || stdio.Columns == 0 || stdio.Rows == 0 {
		return nil
	}
	return &specs.Box{Width: uint(stdio.Columns), Height: uint(stdio.Rows)}
}

// undo takes away what a failed start has made. The runtime kills what it knows.
func (s *starting) undo() {
	c := s.c
	ctx := context.WithoutCancel(s.ctx)
	if s.created {
		if err := s.runtime.remove(ctx, c.id, s.e.cgroupPath(c)); err != nil {
			s.e.logf("undo start of %s: %v", short(c.id), err)
		}
		killCgroup(s.e.cgroupPath(c))
		removeCgroups(s.e.cgroupPath(c))
	}
	if s.handle != nil {
		s.reap()
	}
	if s.streams != nil {
		s.streams.close()
	}
	if c.sandbox != nil {
		c.sandbox.Stop()
	}
	c.foreign = nil
	c.closeUsers()
	if c.rec.Process != nil {
		c.rec.Process.Ended = true
		_ = c.save() // it is dead in any case, and its start time tells
	}
	_ = os.Remove(filepath.Join(c.run, "pid"))
}

// reap waits for the process that the runtime has killed.
func (s *starting) reap() {
	_ = s.handle.signal(9)
	_ = s.handle.wait() // only this function closes it
	p := &process{rec: *cmpRecord(s.c.rec.Process), handle: s.handle, child: true}
	_ = p.status()
	s.e.awaited.Delete(s.pid)
	s.handle.close()
}

func cmpRecord(r *processRecord) *processRecord {
	if r == nil {
		return &processRecord{}
	}
	return r
}
