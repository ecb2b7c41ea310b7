// Package fake is an engine in memory. It remembers what it was told as lines an operator would write, and runs
// containers whose command words are their script: `exit 3`, `sleep 10s`, `ignore-term`, `sh -c 'echo hi; cat'`.
// It never touches the host, uses no clock but package time, and so works inside testing/synctest bubbles.
//
// It knows only enough shell to pass enginetest: echo, cat, sleep, exit, test -e, touch, rm, trap, wait, kill,
// > >> >&2 && || & and variables. Of its own are ignore-term, on-term COMMAND, listen PORT [HTTP-STATUS] and die (as
// if out of memory). A process that has no trap dies of TERM, as one under an init does.
package fake

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/proc"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// Image is what an image says. An image that was not described has the command `sleep 1000h` and nothing else.
type Image struct {
	Cmd        []string
	Volumes    []string
	StopSignal value.Signal
	HealthTest []string // CMD-SHELL or CMD form
	// HealthGrace is the start period, which only images can set.
	HealthGrace time.Duration
}

// Engine implements engine.Engine.
type Engine struct {
	// Images by reference as written. Set before use.
	Images map[string]Image
	// Latency is how long each of Pull, Create, Start and Remove takes. Set before use.
	Latency time.Duration

	mu         sync.Mutex
	calls      []string
	faults     map[string]error // by call, see Fail
	networks   map[string]bool
	volumes    map[string]map[string]string // key -> path -> content
	containers map[string]*container        // by id
	pids       int
	active     int // calls under way
	peak       int
	forget     bool
}

// New returns an engine that holds nothing.
func New() *Engine {
	return &Engine{
		faults: map[string]error{}, networks: map[string]bool{}, volumes: map[string]map[string]string{},
		containers: map[string]*container{}, pids: 1000,
	}
}

var _ engine.Engine = (*Engine)(nil)

// Fail makes every later call that is written as this line fail: "start web", "create web", "pull busybox",
// "signal web 15". A nil error makes it work again.
func (e *Engine) Fail(call string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil {
		delete(e.faults, call)
		return
	}
	e.faults[call] = err
}

// ForgetExits makes Adopt answer "unknown" for a process that ended unattended, as an old kernel does.
func (e *Engine) ForgetExits() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forget = true
}

// Calls returns what the engine was told, in order.
func (e *Engine) Calls() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.calls)
}

// Peak returns how many of Pull, Create, Start and Remove were under way at once at most.
func (e *Engine) Peak() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.peak
}

// String lists what exists, sorted, a line each: "container web running", "network back", "volume data".
func (e *Engine) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var lines []string
	for _, c := range e.containers {
		state := "stopped"
		if c.process != nil {
			state = "running"
		}
		lines = append(lines, fmt.Sprintf("container %s %s\n", c.name(), state))
	}
	for key := range e.networks {
		lines = append(lines, "network "+key+"\n")
	}
	for key := range e.volumes {
		lines = append(lines, "volume "+key+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// told notes a call and returns the fault that was asked for.
func (e *Engine) told(format string, args ...any) error {
	line := fmt.Sprintf(format, args...)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, line)
	return e.faults[line]
}

// busy takes the time a call takes.
func (e *Engine) busy(ctx context.Context) error {
	e.mu.Lock()
	e.active++
	e.peak = max(e.peak, e.active)
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		e.active--
		e.mu.Unlock()
	}()
	if e.Latency > 0 {
		select {
		case <-time.After(e.Latency):
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// Info implements engine.Engine.
func (e *Engine) Info(context.Context) (engine.Info, error) {
	return engine.Info{Engine: "fake", CgroupVersion: 2, Runtimes: []string{"fake"}}, nil
}

// Pull implements engine.Engine. Every image exists.
func (e *Engine) Pull(ctx context.Context, c *schema.Container, progress func(engine.Progress)) (string, error) {
	ref := c.Image.Ref.Value.Text
	if err := e.told("pull %s", ref); err != nil {
		return "", err
	}
	if progress != nil {
		progress(engine.Progress{Detail: "layer 1 of 1", Current: 1, Total: 1})
	}
	return imageID(ref), e.busy(ctx)
}

func imageID(ref string) string { return "sha256:" + ref }

// EnsureNetwork implements engine.Engine.
func (e *Engine) EnsureNetwork(_ context.Context, n *schema.NetworkDef) error {
	if err := e.told("network %s", n.Key); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.networks[n.Key] = true
	return nil
}

// EnsureVolume implements engine.Engine.
func (e *Engine) EnsureVolume(_ context.Context, v *schema.VolumeDef) error {
	if err := e.told("volume %s", v.Key); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ensureVolumeLocked(v.Key)
	return nil
}

func (e *Engine) ensureVolumeLocked(key string) {
	if e.volumes[key] == nil {
		e.volumes[key] = map[string]string{}
	}
}

// Create implements engine.Engine.
func (e *Engine) Create(ctx context.Context, c engine.Container) (*schema.Effective, error) {
	if err := e.told("create %s", c.Spec.Key); err != nil {
		return nil, err
	}
	if err := e.busy(ctx); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.containers[c.ID] != nil {
		return nil, fmt.Errorf("container %s exists", c.ID)
	}
	made := &container{engine: e, config: c, files: map[string]string{}, mounts: map[string]string{}, ports: map[uint16]int{}}
	img := e.Images[c.Spec.Image.Ref.Value.Text]
	made.effective = effective(c.Spec, img)
	for i, m := range c.Spec.Mounts.Volumes.Values() {
		if m.Type != value.Volume {
			continue
		}
		name := m.Source
		if name == "" {
			name = fmt.Sprintf("%s/%d", c.ID, i)
			made.anonymous = append(made.anonymous, name)
		}
		e.ensureVolumeLocked(name)
		made.mounts[m.Target] = name
	}
	for _, target := range img.Volumes {
		name := c.ID + target
		made.anonymous = append(made.anonymous, name)
		e.ensureVolumeLocked(name)
		made.mounts[target] = name
	}
	e.containers[c.ID] = made
	return made.effective, nil
}

func effective(c *schema.Container, img Image) *schema.Effective {
	out := &schema.Effective{
		Entrypoint: c.Process.Entrypoint.Value, Cmd: c.Process.Command.Or(img.Cmd), Workdir: c.Process.Workdir.Or("/"),
		Hostname: c.Namespaces.Hostname.Value, StopSignal: c.Lifecycle.StopSignal.Or(img.StopSignal),
		HealthTest: c.Health.Cmd.Or(img.HealthTest), HealthEvery: c.Health.Interval.Value, HealthLimit: c.Health.Timeout.Value,
		HealthTries: int(c.Health.Retries.Value), HealthGrace: c.Health.StartPeriod.Or(img.HealthGrace), User: c.Process.User.Value.User,
		HealthGraceEvery: c.Health.StartInterval.Value,
		ImageID:          imageID(c.Image.Ref.Value.Text), ImageName: c.Image.Ref.Value.Text, Labels: map[string]string{},
	}
	if c.Health.Disable.Value {
		out.HealthTest = []string{"NONE"}
	}
	if out.StopSignal.Number == 0 {
		out.StopSignal = value.Signal{Number: 15, Name: "SIGTERM"}
	}
	out.Args = slices.Concat(out.Entrypoint, out.Cmd)
	if len(out.Args) == 0 {
		out.Args = []string{"sleep", "1000h"}
	}
	for _, kv := range c.Process.Env.Values() {
		out.Env = append(out.Env, kv.Key+"="+kv.Value)
	}
	for _, kv := range c.Metadata.Labels.Values() {
		out.Labels[kv.Key] = kv.Value
	}
	return out
}

// Start implements engine.Engine.
func (e *Engine) Start(ctx context.Context, id string, stdio engine.Stdio) (engine.Process, error) {
	c := e.find(id)
	if c == nil {
		return nil, fmt.Errorf("no container %s", id)
	}
	if err := e.told("start %s", c.name()); err != nil {
		return nil, err
	}
	if err := e.busy(ctx); err != nil {
		return nil, err
	}
	e.mu.Lock()
	running := c.process != nil
	c.exit, c.ports = nil, map[uint16]int{}
	e.mu.Unlock()
	if running {
		return nil, fmt.Errorf("container %s runs", c.name())
	}
	return e.launch(&process{
		container: c, args: c.effective.Args, env: c.effective.Env, user: cmp.Or(c.effective.User, "0"),
		workdir: c.effective.Workdir, stdio: stdio,
	})
}

// launch runs the script of a process that knows its container, arguments and streams.
func (e *Engine) launch(p *process) (engine.Process, error) {
	if first := strings.Fields(strings.Join(p.args, " ")); len(first) == 0 || !known(first[0]) {
		return nil, &engine.Error{Code: 127, Err: fmt.Errorf("command not found: %q", p.args)}
	}
	p.engine, p.signals, p.done, p.traps = e, make(chan int, 16), make(chan struct{}), map[int]string{}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pids++
	p.status = engine.Status{ID: proc.ID{PID: e.pids}, StartedAt: time.Now()}
	if p.exec {
		p.container.execs = append(p.container.execs, p)
	} else {
		p.container.process = p
	}
	go p.run()
	return p, nil
}

// ended notes that a process is over.
func (e *Engine) ended(p *process) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p.exec {
		return
	}
	c, exit := p.container, p.exit
	for _, other := range c.execs { // the kernel kills all when PID 1 is gone
		select {
		case other.signals <- 9:
		default: // full of signals that nobody reads any more
		}
	}
	c.process, c.exit, c.execs, c.ports = nil, &exit, nil, map[uint16]int{}
}

// Adopt implements engine.Engine.
func (e *Engine) Adopt(_ context.Context, id string, stdio engine.Stdio) (engine.Process, error) {
	c := e.find(id)
	if c == nil {
		return nil, &engine.NotRunning{Exit: engine.Exit{Unknown: true, At: time.Now()}}
	}
	if err := e.told("adopt %s", c.name()); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case c.process != nil:
		c.process.mu.Lock()
		c.process.stdio = stdio
		c.process.mu.Unlock()
		return c.process, nil
	case c.exit == nil || e.forget:
		return nil, &engine.NotRunning{Exit: engine.Exit{Unknown: true, At: time.Now()}}
	}
	return nil, &engine.NotRunning{Exit: *c.exit}
}

// Remove implements engine.Engine.
func (e *Engine) Remove(ctx context.Context, r engine.Ref) error {
	name := r.Name
	c := e.find(r.Name)
	if r.Kind == "container" && c != nil {
		name = c.name()
	}
	line := "remove " + r.Kind + " " + name
	if r.Volumes {
		line += " with volumes"
	}
	if err := e.told("%s", line); err != nil {
		return err
	}
	if err := e.busy(ctx); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case r.Kind == "network":
		delete(e.networks, r.Name)
	case r.Kind == "volume":
		delete(e.volumes, r.Name)
	case c != nil && c.process != nil:
		return fmt.Errorf("container %s runs", name)
	case c != nil:
		delete(e.containers, r.Name)
		if r.Volumes {
			maps.DeleteFunc(e.volumes, func(key string, _ map[string]string) bool { return slices.Contains(c.anonymous, key) })
		}
	}
	return nil
}

func (e *Engine) find(id string) *container {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.containers[id]
}

// container is what Create made.
type container struct {
	engine    *Engine
	config    engine.Container
	effective *schema.Effective
	anonymous []string
	mounts    map[string]string // target -> volume
	// Below: guarded by engine.mu.
	files   map[string]string
	ports   map[uint16]int // open TCP ports and the HTTP status they answer
	process *process       // nil unless running
	execs   []*process     // of this run, ended or not
	exit    *engine.Exit   // of the last run
}

func (c *container) name() string { return c.config.Spec.Key }

// placeLocked returns the file system that holds a path, and the path in it.
func (c *container) placeLocked(path string) (map[string]string, string) {
	for target, volume := range c.mounts {
		if rest, ok := strings.CutPrefix(path, target+"/"); ok {
			return c.engine.volumes[volume], rest
		}
	}
	return c.files, path
}

func (c *container) write(path, text string, appending bool) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	files, path := c.placeLocked(path)
	if appending {
		text = files[path] + text
	}
	files[path] = text
}

func (c *container) read(path string) (string, bool) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	files, path := c.placeLocked(path)
	text, ok := files[path]
	return text, ok
}

func (c *container) has(path string) bool {
	_, ok := c.read(path)
	return ok
}

func (c *container) erase(path string) bool {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	files, path := c.placeLocked(path)
	_, ok := files[path]
	delete(files, path)
	return ok
}
