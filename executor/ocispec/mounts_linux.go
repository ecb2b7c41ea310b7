package ocispec

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/schema/value"
)

// defaultShmSize is docker's size of /dev/shm, bytes.
const defaultShmSize = 64 << 20

// mounts puts docker's default mounts first and then everything else, parents before children. A mount of the user
// replaces the default one at the same place, and /dev all defaults below it.
func (b *builder) mounts() error {
	user := b.userMounts()
	taken := map[string]bool{}
	for _, m := range user {
		taken[m.Destination] = true
	}
	for _, m := range b.defaultMounts() {
		if taken[m.Destination] || taken["/dev"] && strings.HasPrefix(m.Destination, "/dev/") {
			continue
		}
		b.spec.Mounts = append(b.spec.Mounts, m)
	}
	for _, m := range b.fileMounts() {
		if !taken[m.Destination] {
			user = append(user, m)
		}
	}
	slices.SortStableFunc(user, func(x, y specs.Mount) int {
		return cmp.Or(cmp.Compare(depth(x.Destination), depth(y.Destination)), strings.Compare(x.Destination, y.Destination))
	})
	b.spec.Mounts = append(b.spec.Mounts, user...)
	b.rootPropagation(user)
	return nil
}

func depth(p string) int { return strings.Count(path.Clean(p), "/") }

// defaultMounts are docker's. proc, sys and the rest are ordered so that parents come first.
func (b *builder) defaultMounts() []specs.Mount {
	sysMode, cgroupMode := "ro", "ro"
	switch {
	case b.privileged():
		sysMode, cgroupMode = "rw", "rw"
	case b.remapped():
		cgroupMode = "rw" // as docker: what the host's users own stays theirs
	}
	for _, o := range b.c.Security.Options.Values() {
		if o.Key == "writable-cgroups" {
			cgroupMode = map[bool]string{true: "rw", false: "ro"}[o.Value == "" || isTrue(o.Value)]
		}
	}
	out := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{
			Destination: "/dev/pts", Type: "devpts", Source: "devpts",
			Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"},
		},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", sysMode}},
		{
			Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup",
			Options: []string{cgroupMode, "nosuid", "noexec", "nodev"},
		},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
	}
	if shm, ok := b.shmMount(); ok {
		out = append(out, shm)
	}
	return out
}

// shmMount: ipc none has no /dev/shm at all.
func (b *builder) shmMount() (specs.Mount, bool) {
	if b.c.Namespaces.IPC.Value.Mode == "none" {
		return specs.Mount{}, false
	}
	if b.in.ShmDir != "" {
		return specs.Mount{
			Destination: "/dev/shm", Type: "bind", Source: b.in.ShmDir,
			Options: []string{"rbind", "rprivate", "nosuid", "noexec", "nodev"},
		}, true
	}
	return specs.Mount{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: ShmOptions(b.c.Mounts.ShmSize.Value)}, true
}

// ShmOptions are the mount options of a /dev/shm of size bytes; 0 = docker's default.
func ShmOptions(size int64) []string {
	if size <= 0 {
		size = defaultShmSize
	}
	return []string{"nosuid", "noexec", "nodev", "mode=1777", fmt.Sprintf("size=%d", size)}
}

// userMounts are the volumes, the tmpfs entries and the init program. A tmpfs wins over a volume at the same place:
// the rules have refused a declared one, so it can only be an inherited or an anonymous one.
func (b *builder) userMounts() []specs.Mount {
	var out []specs.Mount
	tmpfs := map[string]bool{}
	entries := b.c.Mounts.Tmpfs.Values()
	for i, t := range slices.Backward(entries) { // the last entry of a place wins
		if tmpfs[t.Target] {
			continue
		}
		tmpfs[t.Target] = true
		out = append(out, b.tmpfsMount(entries[i]))
	}
	for _, m := range b.in.Mounts {
		if !tmpfs[m.Destination] {
			out = append(out, m)
		}
	}
	if b.hasInit() {
		out = append(out, b.initMount())
	}
	return out
}

// tmpfsMount lays the given options over docker's defaults; the last of a kind wins.
func (b *builder) tmpfsMount(t value.Tmpfs) specs.Mount {
	options := mergeMountOptions([]string{"rprivate", "noexec", "nosuid", "nodev"}, t.Options)
	if !slices.ContainsFunc(options, func(o string) bool { return strings.HasPrefix(o, "mode=") }) {
		options = append(options, fmt.Sprintf("mode=%o", b.modeInImage(t.Target)))
	}
	return specs.Mount{Destination: t.Target, Type: "tmpfs", Source: "tmpfs", Options: options}
}

// modeInImage is the mode that a tmpfs over dir gets: that of the image's directory, else 1777. runc keeps the mode of
// the directory, crun 1.8 sets its own, so we say it ourselves.
func (b *builder) modeInImage(dir string) uint32 {
	const sticky = 0o1777
	if b.in.RootfsDir == "" {
		return sticky
	}
	f, err := OpenInRoot(b.in.RootfsDir, dir, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return sticky
	}
	defer f.Close() // O_PATH
	var st unix.Stat_t
	if unix.Fstat(int(f.Fd()), &st) != nil {
		return sticky
	}
	return st.Mode & 0o7777
}

// opposites are mount flags that exclude each other.
var opposites = map[string]string{
	"ro": "rw", "rw": "ro", "exec": "noexec", "noexec": "exec", "suid": "nosuid", "nosuid": "suid",
	"dev": "nodev", "nodev": "dev", "sync": "async", "async": "sync", "atime": "noatime", "noatime": "atime",
	"diratime": "nodiratime", "nodiratime": "diratime", "relatime": "norelatime", "norelatime": "relatime",
	"strictatime": "nostrictatime", "nostrictatime": "strictatime", "mand": "nomand", "nomand": "mand",
}

func mergeMountOptions(lists ...[]string) []string {
	var out []string
	for _, o := range slices.Concat(lists...) {
		key, _, isPair := strings.Cut(o, "=")
		out = slices.DeleteFunc(out, func(have string) bool {
			k, _, _ := strings.Cut(have, "=")
			return have == o || have == opposites[o] || isPair && k == key || isPropagation(o) && isPropagation(have)
		})
		out = append(out, o)
	}
	return out
}

func isPropagation(o string) bool {
	switch strings.TrimPrefix(o, "r") {
	case "shared", "slave", "private", "unbindable":
		return true
	}
	return false
}

// fileMounts are the generated files of /etc. A read-only container gets them read-only, as docker does.
func (b *builder) fileMounts() []specs.Mount {
	var out []specs.Mount
	for _, f := range []struct{ target, source string }{
		{"/etc/resolv.conf", b.in.ResolvPath}, {"/etc/hostname", b.in.HostnamePath}, {"/etc/hosts", b.in.HostsPath},
	} {
		if f.source == "" {
			continue
		}
		options := []string{"rbind", "rprivate"}
		if b.spec.Root.Readonly {
			options = append(options, "ro")
		}
		out = append(out, specs.Mount{Destination: f.target, Type: "bind", Source: f.source, Options: options})
	}
	return out
}

// rootPropagation opens the container's root for what its mounts ask: a mount cannot be shared below a private root.
func (b *builder) rootPropagation(user []specs.Mount) {
	for _, m := range user {
		for _, o := range m.Options {
			switch {
			case o == "shared" || o == "rshared":
				b.spec.Linux.RootfsPropagation = "shared"
			case (o == "slave" || o == "rslave") && b.spec.Linux.RootfsPropagation == "":
				b.spec.Linux.RootfsPropagation = "rslave"
			}
		}
	}
}

// BindMount describes a bind of source, a directory or a file, at target. A read-only one is so with everything
// mounted below the source where the kernel and the runtime can do that (recursive). propagation "" is rprivate.
func BindMount(source, target string, readOnly, recursive bool, propagation string) specs.Mount {
	if propagation == "" {
		propagation = "rprivate"
	}
	options := []string{"rbind", propagation}
	switch {
	case readOnly && recursive:
		options = append(options, "ro", "rro")
	case readOnly:
		options = append(options, "ro")
	default:
		options = append(options, "rw")
	}
	return specs.Mount{Destination: target, Type: "bind", Source: source, Options: options}
}
