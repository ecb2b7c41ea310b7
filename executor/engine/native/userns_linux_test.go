package native

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// subIDsOf writes the two files.
func subIDsOf(t testing.TB, uids, gids string) subIDFiles {
	t.Helper()
	dir := t.TempDir()
	f := subIDFiles{uids: filepath.Join(dir, "subuid"), gids: filepath.Join(dir, "subgid")}
	if err := errors.Join(os.WriteFile(f.uids, []byte(uids), 0o644), os.WriteFile(f.gids, []byte(gids), 0o644)); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestMapping(t *testing.T) {
	f := subIDsOf(t, "# a comment\nroot:100000:65536\napp:200000:1000\napp:300000:2000\n4242:400000:10\nbroken\nbad:x:y\nhost:0:65536\n",
		"0:110000:65536\napp:210000:1000\nteam:310000:500\n4242:410000:10\nhost:5:6\n")
	maps := func(ranges ...int64) (out []user.IDMap) {
		next := int64(0)
		for i := 0; i < len(ranges); i += 2 {
			out = append(out, user.IDMap{ID: next, ParentID: ranges[i], Count: ranges[i+1]})
			next += ranges[i+1]
		}
		return out
	}
	for who, want := range map[string]user.IdentityMapping{
		"root":     {UIDMaps: maps(100000, 65536), GIDMaps: maps(110000, 65536)}, // by name here, by number there
		"0":        {UIDMaps: maps(100000, 65536), GIDMaps: maps(110000, 65536)},
		"app":      {UIDMaps: maps(200000, 1000, 300000, 2000), GIDMaps: maps(210000, 1000)},
		"app:team": {UIDMaps: maps(200000, 1000, 300000, 2000), GIDMaps: maps(310000, 500)},
		"app:4242": {UIDMaps: maps(200000, 1000, 300000, 2000), GIDMaps: maps(410000, 10)},
		"4242":     {UIDMaps: maps(400000, 10), GIDMaps: maps(410000, 10)},
	} {
		got, err := f.mapping(who)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v %v, want %v", who, got, err, want)
		}
	}
	for who, want := range map[string]string{
		"default": `userns-remap: ` + f.uids + ` has no range of ids for "dockremap", ` + f.gids + ` has no range of ids for "dockremap"; ` +
			`add the line dockremap:410010:65536 to ` + f.uids + ` and the line dockremap:410010:65536 to ` + f.gids,
		"app:nobody": f.gids + ` has no range of ids for "nobody"; add the line nobody:410010:65536 to ` + f.gids,
		"broken":     `add the line broken:410010:65536`,
		"bad":        `add the line bad:410010:65536`,
		"host":       `the range host:0:65536 in ` + f.uids + ` would make the containers' root the host's`,
	} {
		if _, err := f.mapping(who); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", who, err, want)
		}
	}
	if _, err := (subIDFiles{uids: "/nonexistent", gids: "/nonexistent"}).mapping("app"); err == nil || !strings.Contains(err.Error(), "app:100000:65536") {
		t.Errorf("no files: %v", err)
	}
}

// newRemapped is a project in which "tester" has a range of ids.
func newRemapped(t testing.TB) *project {
	t.Helper()
	p := newProject(t)
	p.remap()
	return p
}

func testSubIDs(t testing.TB) subIDFiles {
	t.Helper()
	return subIDsOf(t, "tester:100000:65536\nother:300000:65536\n", "tester:200000:65536\nother:300000:65536\n")
}

func (p *project) remap() {
	p.Helper()
	p.subIDs = testSubIDs(p)
	// The test's temporary directory is for its owner only.
	for dir := p.cfg.Paths.Run; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o711); err != nil && !errors.Is(err, fs.ErrNotExist) {
			p.Fatal(err)
		}
	}
}

func remapped(c *schema.Container) { c.Namespaces.Remap = set("tester") }

// eachWay runs a test with both runtimes, and with layers that are mapped by the kernel and ones that are copied.
func eachWay(t *testing.T, f func(p *project, change func(*schema.Container))) {
	for _, runtime := range []string{"crun", "runc"} {
		for _, copied := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s copied=%v", runtime, copied), func(t *testing.T) {
				p := newRemapped(t)
				if _, err := p.runtimes.get(t.Context(), runtime, ""); err != nil {
					t.Skip(err)
				}
				p.shifts.Store(copied)
				f(p, func(c *schema.Container) {
					remapped(c)
					c.Process.Runtime = set(runtime)
				})
				if !copied && p.shifts.Load() {
					t.Skip("this kernel does not map the owners of mounts below an overlay; the layers were copied")
				}
				found, _ := filepath.Glob(filepath.Join(p.cfg.Paths.Layers(), "*", "fs-*"))
				if (len(found) > 0) != copied {
					t.Errorf("copies of the layers: %q", found)
				}
			})
		}
	}
}

func TestRemapped(t *testing.T) {
	eachWay(t, func(p *project, change func(*schema.Container)) {
		var before unix.Stat_t
		if err := unix.Stat("/dev/null", &before); err != nil {
			p.Fatal(err)
		}
		want := "0 100000 65536 0 200000 65536 0:0 1000:1001 0:0 1777"
		got := p.sh("echo $(cat /proc/self/uid_map /proc/self/gid_map; stat -c %u:%g /bin/busybox /data; echo x >/dev/stdout | cat >/new; "+
			"stat -c '%u:%g' /new; stat -c %a /tmp)", change)
		if strings.TrimSpace(got) != want {
			p.Errorf("got %q, want %q", got, want)
		}
		var after unix.Stat_t
		if err := unix.Stat("/dev/null", &after); err != nil || after.Uid != before.Uid || after.Gid != before.Gid {
			p.Errorf("/dev/null belongs to %d:%d now, %v", after.Uid, after.Gid, err)
		}
	})
}

// TestRemappedFileCapabilities: capabilities of the image's programs hold in the container, and only there.
func TestRemappedFileCapabilities(t *testing.T) {
	eachWay(t, func(p *project, change func(*schema.Container)) {
		if _, err := p.Pull(p.Context(), declare("c", "true"), nil); err != nil {
			p.Fatal(err)
		}
		programs, _ := filepath.Glob(filepath.Join(p.cfg.Paths.Layers(), "*", "fs", "bin", "busybox"))
		if len(programs) != 1 {
			p.Fatalf("programs: %q", programs)
		}
		const revision2, effective, netRaw = 0x02000000, 1, 1 << 13
		caps := binary.LittleEndian.AppendUint32(nil, revision2|effective)
		caps = append(binary.LittleEndian.AppendUint32(caps, netRaw), make([]byte, 12)...)
		if err := unix.Setxattr(programs[0], "security.capability", caps, 0); err != nil {
			p.Skip(err)
		}
		got := p.sh("grep CapEff /proc/self/status; probe ids; su-probe ids", func(c *schema.Container) {
			change(c)
			c.Process.User = set(value.User{User: "alice"})
		})
		if !strings.Contains(got, "CapEff:\t0000000000002000\n") || !strings.Contains(got, "1000 1000 1000") || !strings.Contains(got, "1000 1000 0") {
			p.Errorf("alice has %q", got)
		}
		p.Cleanup(func() { // after the container's
			if err := p.Remove(context.Background(), engine.Ref{Kind: "volume", Name: "vol"}); err != nil {
				p.Error(err)
			}
		})
		copied := p.sh("cp -a /bin/busybox /v/b && stat -c %u:%g /v/b", func(c *schema.Container) {
			change(c)
			c.Mounts.Volumes = items(value.Mount{Type: value.Volume, Source: "vol", Target: "/v"})
		})
		if copied != "0:0\n" {
			p.Errorf("a copy belongs to %q", copied)
		}
	})
}

// TestRemappedNobody: owners that have no place in the mapping are nobody, whichever way the layers are mapped.
func TestRemappedNobody(t *testing.T) {
	eachWay(t, func(p *project, change func(*schema.Container)) {
		p.subIDs = subIDsOf(p, "tester:100000:1000\n", "tester:200000:1001\n")
		got := p.sh("stat -c %u:%g / /home/alice /data", change)
		if got != "0:0\n65534:1000\n65534:65534\n" {
			p.Errorf("got %q", got)
		}
	})
}

// TestRemappedSettings: what goes through the kernel's checks for another user namespace.
func TestRemappedSettings(t *testing.T) {
	eachWay(t, func(p *project, change func(*schema.Container)) {
		dir := p.TempDir()
		if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(filepath.Join(dir, "f"), []byte("host"), 0o644)); err != nil {
			p.Fatal(err)
		}
		got := p.sh("cat /ro/f; ! touch /ro/x; ! touch /x; touch /t/x; echo ' '$(stat -c %u:%g:%a /t) $(cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward) $(ulimit -n) $(hostname) $(ls -ln /dev/full | cut -c1-10)",
			func(c *schema.Container) {
				change(c)
				c.Mounts.ReadOnly = set(true)
				c.Mounts.Volumes = items(value.Mount{Type: value.Bind, Source: dir, Target: "/ro", ReadOnly: true})
				c.Mounts.Tmpfs = items(value.Tmpfs{Target: "/t", Options: []string{"uid=1000", "mode=750"}})
				c.Process.Sysctls = items(value.KeyValue{Key: "kernel.msgmax", Value: "4096", HasValue: true}, value.KeyValue{Key: "net.ipv4.ip_forward", Value: "1", HasValue: true})
				c.Process.Ulimits = items(value.Ulimit{Name: "nofile", Soft: 200, Hard: 300})
				c.Namespaces.Hostname = set("named")
				c.Devices.Devices = items(value.Device{Source: "/dev/full", Target: "/dev/full", Permissions: "rwm"})
				c.Resources.PidsLimit = set(int64(50))
				c.Resources.Memory = set(int64(64 << 20))
			})
		if want := "host 1000:0:750 4096 1 200 named crw-rw-rw-\n"; got != want {
			p.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestRemappedTerminal: a terminal belongs to the container's user.
func TestRemappedTerminal(t *testing.T) {
	eachWay(t, func(p *project, change func(*schema.Container)) {
		got := p.sh("stat -c %u $(tty); echo to the console > /dev/console; stat -c %u /dev/console", func(c *schema.Container) {
			change(c)
			c.Stdio.TTY = set(true)
			c.Process.User = set(value.User{User: "alice"})
		})
		if want := "1000\r\nto the console\r\n1000\r\n"; got != want {
			p.Errorf("got %q, want %q", got, want)
		}
		var st unix.Stat_t
		if err := unix.Stat("/dev/null", &st); err != nil || st.Uid != 0 {
			p.Errorf("/dev/null belongs to %d now, %v", st.Uid, err)
		}
	})
}

// TestRemappedOtherProject: what a container of another project has can be shared if its users are the same.
func TestRemappedOtherProject(t *testing.T) {
	p := newRemapped(t)
	donor := declare("donor", "sh", "-c", upForEver)
	remapped(donor)
	donor.Namespaces.IPC = set(value.NamespaceMode{Mode: "shareable"})
	donor.Network.Networks = nil
	_, pr, out := p.start(donor, nil)
	out.await(t, "up")

	cfg := Config{Paths: p.cfg.Paths, Project: p.cfg.Project + "-other", Logf: t.Logf}
	e, err := New(cfg) // its leftovers are looked for when the donor is gone, too
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	other := &project{TB: t, Engine: e, cfg: cfg}
	other.remap()
	name := p.cfg.Project + "-donor"
	joiner := declare("joiner", "sh", "-c", "readlink /proc/self/ns/net; readlink /proc/self/ns/user; stat -c %u /dev/shm; ip link set eth0 mtu 1300 && echo mine")
	remapped(joiner)
	joiner.Security.CapAdd = items("CAP_NET_ADMIN")
	joiner.Namespaces.IPC = set(value.NamespaceMode{Mode: "container", Container: name})
	joiner.Network.Networks = items(value.Network{Mode: value.NetworkContainer, Name: name})
	exit, got, errs := other.run(joiner)
	if want := nsOf(t, pr.PID(), "net") + "\n" + nsOf(t, pr.PID(), "user") + "\n0\nmine\n"; exit.Code != 0 || got != want {
		t.Errorf("exit %+v, %q%q, want %q", exit, got, errs, want)
	}
	// With a network of its own it is in its own project's user namespace.
	joiner.Network.Networks = nil
	other.refused(joiner, 125, "ipc")
	// And users that are others cannot be there at all.
	joiner.Namespaces.Remap = set("other")
	joiner.Namespaces.IPC = schema.Opt[value.NamespaceMode]{}
	joiner.Network.Networks = items(value.Network{Mode: value.NetworkContainer, Name: name})
	other.refused(joiner, 125, "network")
	joiner.Namespaces.Remap = schema.Opt[string]{}
	if exit, got, _ := other.run(joiner); exit.Code != 0 || !strings.HasSuffix(got, "mine\n") {
		t.Errorf("the host's root: %+v %q", exit, got)
	}
}

// TestRemappedNeedsAWay: a directory that the container's root cannot pass is named, with the remedy.
func TestRemappedNeedsAWay(t *testing.T) {
	p := newRemapped(t)
	parent := filepath.Dir(p.cfg.Paths.Run)
	if err := os.Chmod(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	c := declare("c", "true")
	remapped(c)
	id := p.create(c, nil)
	_, err := p.Start(t.Context(), id, engine.Stdio{})
	if err == nil || !strings.Contains(err.Error(), "userns-remap: user 100000") || !strings.Contains(err.Error(), "chmod o+x "+parent) {
		t.Errorf("%v", err)
	}
	if err := os.Chmod(parent, 0o711); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Start(t.Context(), id, engine.Stdio{}); err != nil {
		t.Error(err)
	}
}

// TestRemappedWithoutLayers: an image without files has a root that the container can use.
func TestRemappedWithoutLayers(t *testing.T) {
	p := newRemapped(t)
	c := declare("c", "true")
	remapped(c)
	id := p.create(c, nil)
	have, err := p.find(id)
	if err != nil {
		t.Fatal(err)
	}
	have.rec.Layers = nil
	if err := errors.Join(have.makeLayer(), p.mountRootfs(t.Context(), have)); err != nil {
		t.Fatal(err)
	}
	root, err := p.rootDir(have)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close() // O_PATH
	var st unix.Stat_t
	if err := unix.Fstat(int(root.Fd()), &st); err != nil || st.Uid != 100000 || st.Gid != 200000 {
		t.Errorf("the root belongs to %d:%d, %v", st.Uid, st.Gid, err)
	}
}
