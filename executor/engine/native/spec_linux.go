package native

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/ocispec"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// cgroupPath is the container's cgroup in every hierarchy.
func (e *Engine) cgroupPath(c *container) string {
	if spec := c.rec.Container.Spec; spec != nil && spec.Resources.CgroupParent.Value != "" {
		return filepath.Join(spec.Resources.CgroupParent.Value, c.id)
	}
	return filepath.Join(cgroupTop, e.cfg.Project, c.id)
}

func hasOwnPID(c *schema.Container) bool {
	m := c.Namespaces.PID.Value.Mode
	return m == "" || m == "private"
}

// specInput gathers what the specification is built from. rootDir is where the mounted root can be read.
func (e *Engine) specInput(c *container, r *ociRuntime, rootDir string) (ocispec.Input, error) {
	spec := c.rec.Container.Spec
	in := ocispec.Input{
		ID: c.id, Hostname: c.rec.Effective.Hostname, Container: spec, Effective: c.rec.Effective,
		Host: e.host(r), RootfsPath: c.rootfs(), RootfsDir: rootDir,
		CgroupPath: e.cgroupPath(c), Terminal: spec.Stdio.TTY.Value,
	}
	var err error
	if spec.Process.Init.Value && spec.Process.InitPath.Value == "" {
		if in.InitPath, err = initProgram(); err != nil {
			return in, &ocispec.Error{Option: "init", Err: err}
		}
	}
	dir := ""
	switch {
	case c.foreign != nil:
		in.NetnsPath, dir = c.foreign.netns, c.foreign.dir
	case c.sandbox != nil:
		in.NetnsPath, dir = c.sandbox.NetnsPath(), c.sandbox.Dir()
		in.Effective = withLinkEnv(c.rec.Effective, c.sandbox.LinkEnv())
	}
	if dir != "" {
		in.HostsPath, in.ResolvPath = existing(dir, "hosts"), existing(dir, "resolv.conf")
		in.HostnamePath = existing(dir, "hostname")
	}
	if err := c.enterUsers(&in); err != nil {
		return in, err
	}
	if in.PIDPath, err = e.donorNamespace(c, spec.Namespaces.PID.Value, "pid"); err != nil {
		return in, err
	}
	if in.IPCPath, err = e.donorNamespace(c, spec.Namespaces.IPC.Value, "ipc"); err != nil {
		return in, err
	}
	if in.ShmDir, err = e.shmDir(c); err != nil {
		return in, err
	}
	in.Mounts, err = e.specMounts(c, r)
	return in, err
}

// initProgram is this very binary, which runs as the init of containers under another name (initproc). Inside an image
// it finds no libraries, so it must need none.
var initProgram = sync.OnceValues(func() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	f, err := elf.Open(path)
	if err != nil {
		return "", fmt.Errorf("read this program: %w", err)
	}
	defer f.Close() // read only
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return "", errors.New("this build of runfile needs shared libraries, which an image need not have; build it with CGO_ENABLED=0")
		}
	}
	return path, nil
})

// withLinkEnv adds the variables of legacy links. They depend on addresses, so they are known only now; whatever the
// image or the declaration sets goes before them.
func withLinkEnv(e *schema.Effective, links []string) *schema.Effective {
	if len(links) == 0 {
		return e
	}
	set := make(map[string]bool, len(e.Env))
	for _, kv := range e.Env {
		name, _, _ := strings.Cut(kv, "=")
		set[name] = true
	}
	out := *e
	out.Env = slices.Clone(e.Env)
	for _, kv := range links {
		if name, _, _ := strings.Cut(kv, "="); !set[name] {
			out.Env = append(out.Env, kv)
		}
	}
	return &out
}

func existing(dir, name string) string {
	p := filepath.Join(dir, name)
	if _, err := os.Stat(p); err != nil {
		return ""
	}
	return p
}

// donorNamespace is the namespace file of the running container whose namespace is to be joined; "" if none is.
func (e *Engine) donorNamespace(c *container, mode value.NamespaceMode, kind string) (string, error) {
	if mode.Mode != "container" {
		return "", nil
	}
	rec, err := e.peer(c, mode.Container)
	if err != nil {
		return "", &ocispec.Error{Option: kind, Err: err}
	}
	if !rec.Process.alive() {
		return "", &ocispec.Error{Option: kind, Err: fmt.Errorf("container %q is not running", mode.Container)}
	}
	if kind == "ipc" && !shares(rec.Container.Spec) {
		return "", &ocispec.Error{Option: kind, Err: fmt.Errorf(
			"container %q has a private IPC namespace. Set ipc: shareable on it", mode.Container)}
	}
	if err := inUserNS(kind, &rec, c.users); err != nil {
		return "", err
	}
	return fmt.Sprintf("/proc/%d/ns/%s", rec.Process.PID, kind), nil
}

// shares says whether others may join the IPC namespace of a container.
func shares(c *schema.Container) bool {
	switch c.Namespaces.IPC.Value.Mode {
	case "shareable", "host", "container":
		return true
	}
	return false
}

// peerID is the id that a reference of a declaration means.
func peerID(rec *record, ref string) string {
	if id := rec.Container.Peers[ref]; id != "" {
		return id
	}
	return ref
}

// peer finds the container that a reference of the declaration means.
func (e *Engine) peer(c *container, ref string) (record, error) {
	id := peerID(&c.rec, ref)
	if id == c.id {
		return record{}, fmt.Errorf("container %q refers to itself", ref)
	}
	return e.findRecord(id)
}

// shmDir is what to bind at /dev/shm: the container's own shared one, the donor's, the host's; "" = a private tmpfs.
// A donor's is taken from its own root, which is there as long as it runs, whoever mounted it.
func (e *Engine) shmDir(c *container) (string, error) {
	mode := c.rec.Container.Spec.Namespaces.IPC.Value
	switch mode.Mode {
	case "host":
		return "/dev/shm", nil
	case "shareable":
		return e.makeShm(c)
	case "container":
		rec, err := e.peer(c, mode.Container)
		if err != nil {
			return "", err
		}
		if rec.Container.Spec.Namespaces.IPC.Value.Mode == "host" {
			return "/dev/shm", nil
		}
		return e.donorShm(c, rec)
	}
	return "", nil
}

// donorShm makes the donor's /dev/shm visible in our namespace. If we mounted it, it is there already. If an earlier
// supervisor did, that mount died with its namespace and only the donor still has it: it is copied out of there.
func (e *Engine) donorShm(c *container, donor record) (string, error) {
	if d, err := e.find(donor.Container.ID); err == nil {
		if _, shm := d.view(); shm != "" {
			return shm, nil
		}
	}
	target := c.path("shm")
	if c.shm {
		return target, nil
	}
	if err := os.MkdirAll(target, 0o700); err != nil {
		return "", fmt.Errorf("share /dev/shm: %w", err)
	}
	if err := e.ns.adoptMount(donor.Process.PID, "/dev/shm", target); err != nil {
		return "", fmt.Errorf("share /dev/shm of %s: %w", donor.Container.Name, err)
	}
	c.shm = true
	return target, nil
}

// specMounts turns the resolved mounts into those of the specification.
func (e *Engine) specMounts(c *container, r *ociRuntime) ([]specs.Mount, error) {
	recursive := r.recursiveReadOnly()
	var out []specs.Mount
	for _, m := range c.rec.Mounts {
		source, err := e.sourceInNamespace(c, m)
		if err != nil {
			return nil, err
		}
		out = append(out, ocispec.BindMount(source, m.Destination, m.ReadOnly, recursive && isTree(m), m.Propagation))
	}
	return out, nil
}

// isTree says whether something can be mounted below the source. crun 1.8 opens what it makes recursively read-only as
// a directory, and fails on a file.
func isTree(m mount) bool {
	info, err := os.Stat(m.Source)
	return err != nil || info.IsDir() // if it is gone, the runtime says so
}

// recursiveReadOnly says whether runtime and kernel (5.12) can make a whole tree of mounts read-only.
func (r *ociRuntime) recursiveReadOnly() bool {
	switch r.Family {
	case "crun":
		return atLeast(r.Version, 1, 0) && kernelHasSetattr()
	case "runc":
		return atLeast(r.Version, 1, 1) && kernelHasSetattr()
	}
	return false
}

// kernelHasSetattr tries mount_setattr with a bad size: EINVAL means that it is there.
func kernelHasSetattr() bool {
	err := unix.MountSetattr(-1, "", 0, &unix.MountAttr{})
	return err != unix.ENOSYS // the system call returns a bare errno
}

func atLeast(version string, major, minor int) bool {
	var a, b int
	if n, _ := fmt.Sscanf(version, "%d.%d", &a, &b); n != 2 {
		return false
	}
	return a > major || a == major && b >= minor
}
