package native

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/image"
	"github.com/runfile/runfile/executor/network"
	"github.com/runfile/runfile/executor/ocispec"
	"github.com/runfile/runfile/executor/volume"
	"github.com/runfile/runfile/schema"
)

// Engine runs the containers of one project. It is safe for concurrent use.
type Engine struct {
	cfg      Config
	ns       *mountNS
	runtimes *runtimes
	images   *image.Store
	volumes  *volume.Store
	filters  *filterCache
	quit     chan struct{} // closed by Close
	detached atomic.Int32  // commands under way that a runtime has left to us to wait for
	awaited  sync.Map      // ids of the processes of containers that a goroutine of ours waits for, as int

	mu         sync.Mutex
	containers map[string]*container   // guarded by mu; by id
	hosts      map[string]ocispec.Host // guarded by mu; by runtime path
	external   map[string]bool         // guarded by mu; the keys of external volumes

	users  userSpaces
	subIDs subIDFiles
	shifts atomic.Bool // this host cannot map the owners of mounts: layers are copied for other users

	rootsMu   sync.Mutex
	rootsOpen bool // guarded by rootsMu; Paths.Roots is prepared

	netMu sync.Mutex
	net   *network.Manager // guarded by netMu; made when first needed
}

var _ engine.Engine = (*Engine)(nil)

// New makes the engine of a project. The process becomes the subreaper of its containers. Only one Engine of a project
// may exist on a host at a time; the supervisor's lock sees to that.
func New(cfg Config) (*Engine, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("containers need root: run runfile with sudo")
	}
	for _, d := range []string{cfg.Paths.Root, cfg.Paths.Run} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("make the state directory: %w", err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("become subreaper: %w", err)
	}
	ns, err := newMountNS([]string{cfg.Paths.Root, cfg.Paths.Run})
	if err != nil {
		return nil, err
	}
	e := &Engine{
		cfg: cfg, ns: ns,
		runtimes:   newRuntimes(cfg.Paths.Run, ns),
		images:     image.Open(cfg.Paths.Images(), cfg.Paths.Layers()),
		volumes:    volume.Open(cfg.Paths.Volumes()),
		containers: map[string]*container{},
		hosts:      map[string]ocispec.Host{},
		external:   map[string]bool{},
		users:      userSpaces{files: map[string]*os.File{}},
		subIDs:     hostSubIDs,
		quit:       make(chan struct{}),
	}
	e.filters = newFilterCache(e.runtimes.dir)
	go e.reapOrphans()
	return e, nil
}

// Close lets go of everything. Containers that run go on; a later Engine adopts them. It waits until ended ones are
// cleaned up. Calling it again does nothing.
func (e *Engine) Close() error {
	e.mu.Lock()
	select {
	case <-e.quit:
		e.mu.Unlock()
		return nil
	default:
		close(e.quit)
	}
	containers := make([]*container, 0, len(e.containers))
	for _, c := range e.containers {
		containers = append(containers, c)
	}
	e.mu.Unlock()
	running := false
	var errs []error
	for _, c := range containers {
		c.mu.Lock()
		if c.settle() {
			errs = append(errs, e.unmountRootfs(c))
		} else {
			running = true
			c.proc.abandon()
		}
		c.mu.Unlock()
	}
	if !running {
		errs = append(errs, e.inheritNetwork())
	}
	e.netMu.Lock()
	if e.net != nil {
		errs = append(errs, e.net.Close())
		e.net = nil
	}
	e.netMu.Unlock()
	e.ns.close()
	e.users.close()
	if !running {
		removeCgroupParents(e.cfg.Project)
	}
	return errors.Join(errs...)
}

func (e *Engine) logf(format string, args ...any) {
	if e.cfg.Logf != nil {
		e.cfg.Logf(format, args...)
	}
}

// host returns the facts that specifications for a runtime are built from; they are looked up once.
func (e *Engine) host(r *ociRuntime) ocispec.Host {
	e.mu.Lock()
	defer e.mu.Unlock()
	h, ok := e.hosts[r.Path]
	if !ok {
		h = detectHost(r.Family, r.Version)
		e.hosts[r.Path] = h
	}
	return h
}

// detectHost is ocispec's with what this package adds to the host.
func detectHost(runtime, version string) ocispec.Host {
	h := ocispec.DetectHost(runtime, version)
	h.CanLoad = h.AppArmor && profileLoader() != ""
	return h
}

// wrap gives an error the exit status and the option that docker run would blame.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	var e *engine.Error
	if errors.As(err, &e) {
		return err
	}
	option := ""
	var o *ocispec.Error
	if errors.As(err, &o) {
		option = o.Option
	}
	return &engine.Error{Code: exitEngine, Option: option, Err: err}
}

// Pull implements engine.Engine.
func (e *Engine) Pull(ctx context.Context, c *schema.Container, progress func(engine.Progress)) (string, error) {
	img, err := e.image(ctx, c, c.Image.Pull.Value, progress)
	if err != nil {
		return "", wrap(err)
	}
	return img.ID, nil
}

// image brings the image of c into the store, if the policy says so, and reads it.
func (e *Engine) image(ctx context.Context, c *schema.Container, policy string, progress func(engine.Progress)) (*image.Image, error) {
	tell := func(p image.Progress) {
		if progress != nil {
			progress(engine.Progress{Detail: p.Detail, Current: p.Current, Total: p.Total})
		}
	}
	o := image.PullOptions{Policy: policy, Platform: c.Image.Platform.Value}
	img, err := e.images.Ensure(ctx, c.Image.Ref.Value, o, tell)
	if err != nil {
		return nil, &engine.Error{Code: exitEngine, Option: "image", Err: err}
	}
	return img, nil
}

// imageConfig copies what ocispec needs; it does not know the store.
func imageConfig(img *image.Image) ocispec.ImageConfig {
	c := img.Config
	out := ocispec.ImageConfig{
		User: c.User, Env: c.Env, Entrypoint: c.Entrypoint, Cmd: c.Cmd, WorkingDir: c.WorkingDir,
		Labels: c.Labels, StopSignal: c.StopSignal, Shell: c.Shell,
	}
	for p := range c.ExposedPorts {
		out.ExposedPorts = append(out.ExposedPorts, p)
	}
	for v := range c.Volumes {
		out.Volumes = append(out.Volumes, v)
	}
	if h := c.Healthcheck; h != nil {
		out.Healthcheck = &ocispec.Healthcheck{
			Test: h.Test, Interval: h.Interval, Timeout: h.Timeout, StartPeriod: h.StartPeriod,
			StartInterval: h.StartInterval, Retries: h.Retries,
		}
	}
	return out
}
