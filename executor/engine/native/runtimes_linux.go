package native

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/runfile/runfile/executor/proc"
	"github.com/runfile/runfile/executor/state"
)

// runtimes finds and remembers the OCI runtimes of the host.
type runtimes struct {
	dir string // Run/runtime: what was found out since boot, and the runtimes' own state
	ns  *mountNS

	mu    sync.Mutex
	known map[string]*ociRuntime // guarded by mu; by the name that was asked for
}

// verdict is what a trial of a runtime said. It is kept until the next boot, or until the program changes.
type verdict struct {
	Runtime ociRuntime `json:"runtime"`
	BootID  string     `json:"bootID"`
	Stamp   string     `json:"stamp"`             // of the program: size and time
	Problem string     `json:"problem,omitempty"` // "" = it works
}

func newRuntimes(run string, ns *mountNS) *runtimes {
	return &runtimes{dir: filepath.Join(run, "runtime"), ns: ns, known: map[string]*ociRuntime{}}
}

// get returns the runtime that name asks for: "" is crun if it works here, else runc; else a name or an absolute path.
// A path inside forbidden, the directory of the project, is refused: what a checkout brings along is not run as root.
func (s *runtimes) get(ctx context.Context, name, forbidden string) (*ociRuntime, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.known[name]; r != nil {
		return r, nil
	}
	names := []string{runtimeName(name)}
	if name == "" {
		names = defaultRuntimes
	}
	var problems []string
	for _, n := range names {
		r, err := s.try(ctx, n, forbidden)
		if err == nil {
			s.known[name] = r
			return r, nil
		}
		problems = append(problems, err.Error())
	}
	return nil, fmt.Errorf("no usable OCI runtime: %s", strings.Join(problems, "; "))
}

// defaultRuntimes are those that are taken without being named, best first.
var defaultRuntimes = []string{"crun", "runc"}

// shimName is containerd's name for a runtime: io.containerd.runc.v2.
var shimName = regexp.MustCompile(`^io\.containerd\.([a-z0-9-]+)\.v[0-9]+$`)

// runtimeName is the runtime behind the name of a shim, or the name itself.
func runtimeName(name string) string {
	if m := shimName.FindStringSubmatch(name); m != nil {
		return m[1]
	}
	return name
}

func (s *runtimes) try(ctx context.Context, name, forbidden string) (*ociRuntime, error) {
	v, err := s.judge(ctx, name, forbidden)
	if err != nil {
		return nil, err
	}
	if v.Problem != "" {
		return nil, fmt.Errorf("%s: %s", v.Runtime.Path, v.Problem)
	}
	r := v.Runtime
	r.root, r.ns = s.root(&r), s.ns
	return &r, nil
}

func (s *runtimes) root(r *ociRuntime) string { return filepath.Join(s.dir, r.Family) }

// judge finds the program and tries it, once per boot.
func (s *runtimes) judge(ctx context.Context, name, forbidden string) (*verdict, error) {
	path, err := find(name, forbidden)
	if err != nil {
		return nil, err
	}
	if v, ok := s.remembered(path); ok {
		return v, nil
	}
	v := &verdict{BootID: proc.BootID(), Stamp: stampOf(path), Runtime: ociRuntime{Path: path}}
	v.Runtime.Family, v.Runtime.Version = identify(ctx, path)
	r := v.Runtime
	r.root, r.ns = s.root(&r), s.ns
	if err := s.trial(ctx, &r); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err() // says nothing about the runtime
		}
		v.Problem = err.Error()
	}
	return v, state.WriteJSON(s.file(path), v)
}

func (s *runtimes) file(path string) string {
	return filepath.Join(s.dir, "trial"+strings.ReplaceAll(path, "/", "-")+".json")
}

// remembered is the verdict about the program at path, if it was tried since boot and has not changed.
func (s *runtimes) remembered(path string) (*verdict, bool) {
	v, err := state.ReadJSON[verdict](s.file(path))
	if err != nil || v.BootID != proc.BootID() || v.Stamp != stampOf(path) {
		return nil, false
	}
	return &v, true
}

func stampOf(path string) string {
	st, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d %d", st.Size(), st.ModTime().UnixNano())
}

func find(name, forbidden string) (string, error) {
	if !filepath.IsAbs(name) {
		if name != filepath.Base(name) {
			return "", fmt.Errorf("%q is neither the name of a runtime nor an absolute path", name)
		}
		return lookRuntime(name)
	}
	path, err := trusted(name)
	if err != nil {
		return "", err
	}
	if rel, err := filepath.Rel(forbidden, path); forbidden != "" && err == nil && filepath.IsLocal(rel) {
		return "", fmt.Errorf("%s lies in the project's directory; a runtime must be installed on the host", name)
	}
	return path, nil
}

// trial makes a container and deletes it again without starting it. Its only file is this program, which is there and
// executable; a runtime that cannot cope with the host's cgroups fails here.
func (s *runtimes) trial(ctx context.Context, r *ociRuntime) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	lock, err := state.Lock(ctx, filepath.Join(s.dir, "trial.lock"))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	s.sweepTrials(ctx, r)
	id := trialPrefix + state.NewID()[:12]
	dir := filepath.Join(s.dir, id)
	if err := os.MkdirAll(filepath.Join(dir, "rootfs"), 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(dir) // best effort
	limit := int64(16)
	cgroup := filepath.Join(cgroupTop, id)
	spec := specs.Spec{
		Version: "1.0.2",
		Root:    &specs.Root{Path: filepath.Join(dir, "rootfs")},
		Process: &specs.Process{Args: []string{"/probe"}, Cwd: "/"},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs"}, // crun makes the devices whether asked or not
			{Destination: "/probe", Type: "bind", Source: self, Options: []string{"bind", "ro"}},
		},
		Linux: &specs.Linux{
			Namespaces:  []specs.LinuxNamespace{{Type: specs.MountNamespace}, {Type: specs.PIDNamespace}},
			CgroupsPath: cgroup,
			Resources:   &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &limit}},
		},
	}
	data, err := json.Marshal(&spec)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), data, 0o600); err != nil {
		return err
	}
	if err := makeCgroup(cgroup); err != nil {
		return err
	}
	err = r.run(ctx, invocation{args: []string{"create", "--bundle", dir, id}, dir: dir, log: filepath.Join(dir, "log")})
	if rerr := r.remove(context.WithoutCancel(ctx), id, cgroup); err == nil {
		err = rerr
	}
	removeCgroups(cgroup)
	removeCgroupParents("")
	return err
}

const trialPrefix = "trial-"

// sweepTrials takes away what trials of killed processes have left. The lock on trials is held.
func (s *runtimes) sweepTrials(ctx context.Context, r *ociRuntime) {
	left, _ := filepath.Glob(filepath.Join(escapeGlob(s.dir), trialPrefix+"*", "rootfs"))
	for _, l := range left {
		dir := filepath.Dir(l)
		id := filepath.Base(dir)
		cgroup := filepath.Join(cgroupTop, id)
		if r.remove(ctx, id, cgroup) == nil {
			killCgroup(cgroup)
			removeCgroups(cgroup)
			_ = os.RemoveAll(dir) // the next trial tries again
		}
	}
}
