package ocispec

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/sys/user"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/runfile/runfile/schema"
)

// Input is all that Build needs. Paths are absolute and those of the mount namespace in which the runtime will run.
type Input struct {
	ID        string
	Hostname  string // of the container; with the host's UTS namespace the host's
	Container *schema.Container
	Effective *schema.Effective
	Host      Host

	// RootfsPath goes into root.path. RootfsDir is where the same tree can be read now, for the image's user database;
	// "" = not readable: then users must be numbers.
	RootfsPath string
	RootfsDir  string

	// NetnsPath is the network namespace to join; "" = the host's.
	NetnsPath string
	// UserNSPath is the user namespace to join, which owns the network namespace, and IDs its mapping; "" = the host's.
	UserNSPath string
	IDs        user.IdentityMapping
	// PIDPath and IPCPath are namespaces of another container; "" = as the declaration says.
	PIDPath, IPCPath string

	// Mounts are the volumes and binds, resolved; tmpfs entries come from the declaration.
	Mounts []specs.Mount
	// HostsPath, HostnamePath and ResolvPath are bound over the files of that name in /etc; "" = the image's.
	HostsPath, HostnamePath, ResolvPath string
	// ShmDir is a directory to bind at /dev/shm (a shareable one, the donor's or the host's); "" = a tmpfs of its own.
	ShmDir     string
	CgroupPath string
	// InitPath is the init that is part of runfile, for containers without init-path; "" = this build has none, so that
	// init is refused.
	InitPath string
	Terminal bool
}

// builder carries a specification through the steps.
type builder struct {
	in       Input
	c        *schema.Container
	spec     *specs.Spec
	home     string   // of the user
	caps     []string // final capability set, which decides about the seccomp profile
	problems []schema.HostProblem
}

// lacks says that an option is left out, because this host or runtime cannot do it.
func (b *builder) lacks(option, format string, args ...any) {
	b.problems = append(b.problems, schema.HostProblem{Option: option, Text: fmt.Sprintf(format, args...)})
}

// lacksEntry is lacks for one entry of a list, given by its canonical text.
func (b *builder) lacksEntry(option, entry, format string, args ...any) {
	b.lacks(option, format, args...)
	b.problems[len(b.problems)-1].Entry = entry
}

// refuses says that the container cannot run here. entry is the canonical text of the list's entry at fault, or "".
func (b *builder) refuses(option, entry, help, format string, args ...any) {
	b.problems = append(b.problems, schema.HostProblem{
		Option: option, Entry: entry, Help: help, Refused: true, Text: fmt.Sprintf(format, args...),
	})
}

// ociVersion is the lowest that has every field written here; crun 1.8 refuses anything from 1.1 on.
const ociVersion = "1.0.2"

// Build writes the specification. The problems say what this host or runtime cannot do and was left out.
func Build(in Input) (*specs.Spec, []schema.HostProblem, error) {
	b := newBuilder(in)
	// The order matters in three places: namespaces before mounts (which depend on whose /dev/shm and /sys it is),
	// capabilities before seccomp (whose rules depend on them), resources before devices (which add to them).
	steps := []func(*builder) error{
		(*builder).annotations, (*builder).namespaces, (*builder).user, (*builder).initProgram, (*builder).process,
		(*builder).capabilities, (*builder).confine, (*builder).mounts, (*builder).masks, (*builder).resources,
		(*builder).blkio, (*builder).devices, (*builder).sysctls, (*builder).rlimits, (*builder).seccomp,
	}
	for _, step := range steps {
		if err := step(b); err != nil {
			return nil, nil, err
		}
	}
	for _, p := range b.problems {
		if p.Refused {
			return nil, nil, refuse(p.Option, "%s", p.Text)
		}
	}
	return b.spec, b.problems, nil
}

// Preflight says what of a container's declaration this host cannot do, all at once and before anything is made. It
// runs those steps of Build that need neither the image nor other containers.
func Preflight(c *schema.Container, h Host) []schema.HostProblem {
	b := newBuilder(Input{Container: c, Effective: &schema.Effective{}, Host: h, InitPath: "unknown"})
	steps := []func(*builder) error{
		(*builder).initProgram, (*builder).capabilities, (*builder).confine, (*builder).resources, (*builder).blkio,
		(*builder).devices, (*builder).sysctls, (*builder).rlimits,
	}
	for _, step := range steps {
		err := step(b)
		var e *Error
		switch {
		case errors.As(err, &e):
			b.refuses(e.Option, "", "", "%v", e.Err)
		case err != nil:
			b.refuses("", "", "", "%v", err)
		}
	}
	return b.problems
}

func newBuilder(in Input) *builder {
	b := &builder{in: in, c: in.Container}
	b.spec = &specs.Spec{
		Version:  ociVersion,
		Root:     &specs.Root{Path: in.RootfsPath, Readonly: in.Effective.ReadOnlyRoot},
		Hostname: in.Hostname,
		Process:  &specs.Process{Terminal: in.Terminal, Cwd: in.Effective.Workdir},
		Linux:    &specs.Linux{CgroupsPath: in.CgroupPath, Resources: &specs.LinuxResources{}},
	}
	return b
}

// privileged says whether docker's restrictions are off.
func (b *builder) privileged() bool { return b.c.Security.Privileged.Value }

// remapped says whether the container's users are others on the host.
func (b *builder) remapped() bool { return b.in.UserNSPath != "" }

// process fills in what PID 1 is. It needs the user, for HOME.
func (b *builder) process() error {
	p := b.spec.Process
	p.Args = slices.Clone(b.in.Effective.Args)
	p.Env = b.environment()
	score := int(b.c.Resources.OOMScoreAdj.Value) // docker always writes it, 0 too
	p.OOMScoreAdj = &score
	if c := b.c.Process.Umask; c.Set {
		mask := uint32(c.Value)
		p.User.Umask = &mask
	}
	for _, o := range b.c.Security.Options.Values() {
		if o.Key == "no-new-privileges" {
			p.NoNewPrivileges = o.Value == "" || isTrue(o.Value)
		}
	}
	if b.hasInit() {
		p.Args = append([]string{InitTarget, "--"}, p.Args...)
	}
	return nil
}

// annotations are the declaration's own. The rules have refused those that tell runtimes what to do.
func (b *builder) annotations() error {
	for _, kv := range b.c.Metadata.Annotations.Values() {
		if b.spec.Annotations == nil {
			b.spec.Annotations = map[string]string{}
		}
		b.spec.Annotations[kv.Key] = kv.Value
	}
	return nil
}

func isTrue(text string) bool {
	switch strings.ToLower(text) {
	case "1", "t", "true":
		return true
	}
	return false
}

// DefaultPath is the PATH of a container whose image sets none.
const DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// environment adds docker's defaults below everything else. A variable that the declaration takes away stays away.
func (b *builder) environment() []string {
	var l envList
	l.set("PATH", DefaultPath)
	l.set("HOSTNAME", b.in.Hostname)
	if b.in.Terminal {
		l.set("TERM", "xterm")
	}
	l.set("HOME", b.home)
	for _, kv := range b.in.Effective.Env {
		k, v, _ := strings.Cut(kv, "=")
		l.set(k, v)
	}
	for _, kv := range declaredEnv(b.c) {
		if !kv.HasValue && !hasEnv(b.in.Effective.Env, kv.Key) {
			l.unset(kv.Key)
		}
	}
	return l.list()
}

func hasEnv(env []string, key string) bool {
	return slices.ContainsFunc(env, func(kv string) bool { return strings.HasPrefix(kv, key+"=") })
}

// rlimits: docker sets none unless asked, so the container inherits the supervisor's.
func (b *builder) rlimits() error {
	limits := map[string]specs.POSIXRlimit{}
	var order []string
	for _, u := range b.c.Process.Ulimits.Values() {
		if _, ok := limits[u.Name]; !ok {
			order = append(order, u.Name)
		}
		limits[u.Name] = specs.POSIXRlimit{
			Type: "RLIMIT_" + strings.ToUpper(u.Name), Soft: rlimit(u.Soft), Hard: rlimit(u.Hard),
		}
	}
	for _, name := range order {
		b.spec.Process.Rlimits = append(b.spec.Process.Rlimits, limits[name])
	}
	return b.checkRlimits()
}

// rlimit turns -1 into the kernel's RLIM_INFINITY.
func rlimit(n int64) uint64 { return uint64(n) }

// sysctls adds docker's two network defaults where the network namespace is the container's own.
func (b *builder) sysctls() error {
	if b.in.NetnsPath != "" && !b.joinsNetwork() {
		b.sysctl("net.ipv4.ip_unprivileged_port_start", "0")
		if !b.remapped() { // the kernel refuses groups that have no place in the mapping
			b.sysctl("net.ipv4.ping_group_range", "0 2147483647")
		}
	}
	for _, kv := range b.c.Process.Sysctls.Values() {
		if !b.in.Host.HasSysctl(kv.Key) {
			b.refuses("sysctl", kv.Key+"="+kv.Value, "", "this host's kernel has no %s", kv.Key)
		}
		b.sysctl(kv.Key, kv.Value)
	}
	return nil
}

func (b *builder) sysctl(key, value string) {
	if b.spec.Linux.Sysctl == nil {
		b.spec.Linux.Sysctl = map[string]string{}
	}
	b.spec.Linux.Sysctl[key] = value
}

// joinsNetwork says whether the network namespace belongs to another container, whose settings are not ours to change.
func (b *builder) joinsNetwork() bool {
	for _, n := range b.c.Network.Networks.Values() {
		if n.Mode == "container" {
			return true
		}
	}
	return false
}
