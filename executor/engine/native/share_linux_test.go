package native

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

const upForEver = "echo up; exec sleep 100000"

// TestSharedNamespaces: a container joins the namespaces of another one, and stays in its network when that restarts.
func TestSharedNamespaces(t *testing.T) {
	p := newProject(t)
	donor := declare("donor", "sh", "-c", "echo here >/dev/shm/f; "+upForEver)
	donor.Namespaces.IPC = set(value.NamespaceMode{Mode: "shareable"})
	donor.Mounts.ShmSize = set(int64(4 << 20))
	donor.Namespaces.Hostname = set("donor")
	donorID, donorProcess, out := p.start(donor, nil)
	out.await(t, "up")

	joiner := declare("joiner", "sh", "-c",
		"cat /dev/shm/f; df -k /dev/shm | tail -1 | awk '{print $2}'; hostname; cat /etc/hostname; "+
			"for n in net ipc pid; do readlink /proc/self/ns/$n; done; ps -o args | grep -c '^sleep 100000'; echo up; exec sleep 100000")
	joiner.Namespaces.IPC = set(value.NamespaceMode{Mode: "container", Container: "donor"})
	joiner.Namespaces.PID = set(value.NamespaceMode{Mode: "container", Container: "donor"})
	joiner.Network.Networks = items(value.Network{Mode: value.NetworkContainer, Name: "donor"})
	_, joinerProcess, got := p.start(joiner, map[string]string{"donor": donorID})
	got.await(t, "up")
	want := "here\n4096\ndonor\ndonor\n"
	for _, ns := range []string{"net", "ipc", "pid"} {
		want += nsOf(t, donorProcess.PID(), ns) + "\n"
	}
	if want += "1\nup\n"; got.String() != want {
		t.Errorf("joiner says:\n%swant:\n%s", got, want)
	}

	// The PID namespace dies with its first process, and all in it.
	if err := donorProcess.Signal(t.Context(), 9); err != nil {
		t.Fatal(err)
	}
	for _, pr := range []engine.Process{donorProcess, joinerProcess} {
		if exit, err := pr.Wait(t.Context()); err != nil || exit.Code != 137 {
			t.Errorf("exit %+v, %v", exit, err)
		}
	}
}

func nsOf(t *testing.T, pid int, kind string) string {
	t.Helper()
	link, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "ns", kind))
	if err != nil {
		t.Fatal(err)
	}
	return link
}

// TestNetworkOutlivesRestart: who shares a network keeps it while its owner is started again.
func TestNetworkOutlivesRestart(t *testing.T) {
	p := newProject(t)
	owner := declare("owner", "sh", "-c", upForEver)
	owner.Network.Networks = nil // the default bridge
	ownerID, first, out := p.start(owner, nil)
	out.await(t, "up")
	joiner := declare("joiner", "sh", "-c", upForEver)
	joiner.Network.Networks = items(value.Network{Mode: value.NetworkContainer, Name: "owner"})
	_, joined, out := p.start(joiner, map[string]string{"owner": ownerID})
	out.await(t, "up")
	before, addresses := nsOf(t, joined.PID(), "net"), first.Status().Networks
	if err := first.Signal(t.Context(), 9); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := p.Start(t.Context(), ownerID, engine.Stdio{})
	if err != nil {
		t.Fatal(err)
	}
	if now := nsOf(t, again.PID(), "net"); now != before {
		t.Errorf("network namespace %s, was %s", now, before)
	}
	if now := again.Status().Networks; len(now) != 1 || len(addresses) != 1 || now[0].IP != addresses[0].IP || !now[0].IP.IsValid() {
		t.Errorf("addresses %+v, were %+v", now, addresses)
	}
}

// TestOtherProject: references reach containers of other projects on the host, by name.
func TestOtherProject(t *testing.T) {
	p := newProject(t)
	donor := declare("donor", "sh", "-c", "echo x >/data/f; "+upForEver)
	donor.Namespaces.IPC = set(value.NamespaceMode{Mode: "shareable"})
	donor.Mounts.Volumes = items(value.Mount{Type: value.Volume, Target: "/data"})
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
	name := p.cfg.Project + "-donor"
	joiner := declare("joiner", "sh", "-c", "readlink /proc/self/ns/net; ip -o addr show eth0 | wc -l; cat /data/f; [ -s /etc/hosts ] && echo hosts")
	joiner.Namespaces.IPC = set(value.NamespaceMode{Mode: "container", Container: name})
	joiner.Network.Networks = items(value.Network{Mode: value.NetworkContainer, Name: name})
	joiner.Mounts.VolumesFrom = items(value.VolumesFrom{Container: name})
	exit, got, errs := other.run(joiner)
	if want := nsOf(t, pr.PID(), "net") + "\n1\nx\nhosts\n"; exit.Code != 0 || got != want {
		t.Errorf("exit %+v, %q%q, want %q", exit, got, errs, want)
	}
	joiner.Network.Networks = items(value.Network{Mode: value.NetworkContainer, Name: "../" + name})
	other.refused(joiner, 125, "network")
}

// TestPIDHostLeavesNothing: without a PID namespace of its own, what a container leaves behind is ended with it.
func TestPIDHostLeavesNothing(t *testing.T) {
	p := newProject(t)
	c := declare("c", "sh", "-c", "sleep 98765 & echo up; exit 5")
	c.Namespaces.PID = set(value.NamespaceMode{Mode: "host"})
	exit, out, _ := p.run(c)
	if exit.Code != 5 || out != "up\n" {
		t.Errorf("exit %+v, output %q", exit, out)
	}
	if found := processes(t, "sleep\x0098765\x00"); len(found) > 0 {
		t.Errorf("still running: %v", found)
	}
}

// processes finds the live processes with that command line.
func processes(t *testing.T, cmdline string) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for _, f := range files {
		if data, err := os.ReadFile(f); err == nil && string(data) == cmdline {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			out = append(out, pid)
		}
	}
	return out
}

// TestTerminal: stdin, size and escape of output on a terminal, for PID 1 and for exec, with both runtimes.
func TestTerminal(t *testing.T) {
	for _, runtime := range []string{"crun", "runc"} {
		t.Run(runtime, func(t *testing.T) {
			p := newProject(t)
			if _, err := p.runtimes.get(t.Context(), runtime, ""); err != nil {
				t.Skip(err)
			}
			c := declare("tty", "sh", "-c", "tty; stty size; echo $TERM; [ -c /dev/console ] && echo console; read x; stty size; echo got $x >&2; exit 4")
			c.Process.Runtime = set(runtime)
			c.Stdio.TTY, c.Stdio.Interactive = set(true), set(true)
			in, feed := io.Pipe()
			out := newBuffer()
			pr, err := p.Start(t.Context(), p.create(c, nil), engine.Stdio{Stdin: in, Stdout: out, Columns: 90, Rows: 30})
			if err != nil {
				t.Fatal(err)
			}
			out.await(t, "console")
			if err := pr.Resize(t.Context(), 70, 20); err != nil {
				t.Fatal(err)
			}
			x := newBuffer()
			// For a command, crun 1.8 sets the size only while it is starting already (seen with strace).
			sized := "tty; until stty size 2>/dev/null | grep .; do :; done; exit 6"
			q, err := pr.Exec(t.Context(), engine.Exec{Args: []string{"sh", "-c", sized}, TTY: true},
				engine.Stdio{Stdout: x, Columns: 50, Rows: 10})
			if err != nil {
				t.Fatal(err)
			}
			if exit, err := q.Wait(t.Context()); err != nil || exit.Code != 6 {
				t.Errorf("exec: exit %+v, %v", exit, err)
			}
			if x.String() != "/dev/pts/1\r\n10 50\r\n" {
				t.Errorf("exec says %q", x)
			}
			if _, err := io.WriteString(feed, "word\n"); err != nil {
				t.Fatal(err)
			}
			exit, err := pr.Wait(t.Context())
			if err != nil || exit.Code != 4 {
				t.Errorf("exit %+v, %v", exit, err)
			}
			want := "/dev/pts/0\r\n30 90\r\nxterm\r\nconsole\r\nword\r\n20 70\r\ngot word\r\n"
			if got := out.String(); got != want {
				t.Errorf("output %q, want %q", got, want)
			}
			_ = feed.Close()
		})
	}
}

// TestExecInherits: a command gets the container's restrictions, also where the filter came compiled.
func TestExecInherits(t *testing.T) {
	p := newProject(t)
	for range 2 { // the second start uses the compiled filter
		c := declare("c", "sh", "-c", upForEver)
		c.Resources.PidsLimit = set(int64(50))
		_, pr, out := p.start(c, nil)
		out.await(t, "up")
		for _, x := range []struct {
			spec         engine.Exec
			script, want string
		}{
			{engine.Exec{}, "grep -E '^(CapEff|Seccomp):' /proc/self/status", "CapEff:\t00000000a80425fb\nSeccomp:\t2\n"},
			{engine.Exec{Privileged: true}, "[ $(grep CapEff /proc/self/status | cut -f2) = 00000000a80425fb ] || echo more", "more\n"},
			{engine.Exec{User: "alice"}, "id -un; echo $HOME", "alice\n/home/alice\n"},
			{engine.Exec{}, "grep -c -e /" + p.cfg.Project + "/ -e '^0::/$' /proc/self/cgroup", strconv.Itoa(len(hierarchies())) + "\n"},
		} {
			got := newBuffer()
			x.spec.Args = []string{"sh", "-c", x.script}
			q, err := pr.Exec(t.Context(), x.spec, engine.Stdio{Stdout: got, Stderr: got})
			if err != nil {
				t.Fatal(err)
			}
			if exit, err := q.Wait(t.Context()); err != nil || exit.Code != 0 || got.String() != x.want {
				t.Errorf("%s: exit %+v, %v, %q, want %q", x.script, exit, err, got, x.want)
			}
		}
	}
	if found, _ := filepath.Glob(filepath.Join(p.cfg.Paths.Run, "runtime", "seccomp-*.bpf")); len(found) != 1 {
		t.Errorf("compiled filters: %v", found)
	}
}

// TestVolumes: where mounts come from and who wins.
func TestVolumes(t *testing.T) {
	p := newProject(t)
	t.Cleanup(func() { // after the containers are gone
		if err := p.Remove(context.Background(), engine.Ref{Kind: "volume", Name: "named"}); err != nil {
			t.Error(err)
		}
	})
	host := t.TempDir()
	if err := os.MkdirAll(filepath.Join(host, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", filepath.Join(host, "sub"), "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(filepath.Join(host, "sub"), unix.MNT_DETACH) })

	source := declare("source", "sh", "-c", "cat /data/seed; stat -c '%a %u %g' /data; echo new >/data/f; echo x >/anon/f; touch /ro/x 2>/dev/null || echo ro; touch /ro/sub/x 2>/dev/null || echo rro; ls /bind/new && echo made")
	source.Image.Ref = set(imageRef("configured:latest"))
	source.Process.User = set(value.User{User: "0"})
	source.Process.Entrypoint = set([]string{})
	source.Process.Env = items(value.KeyValue{Key: "PATH", Value: "/bin", HasValue: true})
	source.Process.Workdir = set("/")
	source.Mounts.Volumes = items(
		value.Mount{Type: value.Volume, Target: "/anon"},
		value.Mount{Type: value.Volume, Source: "named", Target: "/named"},
		value.Mount{Type: value.Bind, Source: host, Target: "/ro", ReadOnly: true},
		value.Mount{Type: value.Bind, Source: filepath.Join(host, "a/b"), Target: "/bind/new"},
	)
	sourceID, pr, out := p.start(source, nil)
	if exit, err := pr.Wait(t.Context()); err != nil || exit.Code != 0 {
		t.Errorf("exit %+v, %v", exit, err)
	}
	if want := "from the image\n2750 1000 1001\nro\nrro\nmade\n"; out.String() != want {
		t.Errorf("source says %q, want %q", out, want)
	}
	if _, err := os.Stat(filepath.Join(host, "a/b")); err != nil {
		t.Error(err)
	}

	reader := declare("reader", "sh", "-c", "cat /data/f /anon/f; touch /data/x 2>/dev/null || echo ro; ls /named | wc -l")
	reader.Mounts.VolumesFrom = items(value.VolumesFrom{Container: "source", ReadOnly: true})
	reader.Mounts.Volumes = items(value.Mount{Type: value.Volume, Target: "/anon"})
	_, pr, out = p.start(reader, map[string]string{"source": sourceID})
	if exit, err := pr.Wait(t.Context()); err != nil || exit.Code != 0 || out.String() != "new\nx\nro\n0\n" {
		t.Errorf("reader: exit %+v, %v, %q", exit, err, out)
	}
}

// TestLateMount: what the host mounts after the engine has started is what a container gets.
func TestLateMount(t *testing.T) {
	p := newProject(t)
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	if err := os.WriteFile(filepath.Join(dir, "late"), []byte("late\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := p.sh("cat /m/late; echo back >/m/back", func(c *schema.Container) {
		c.Mounts.Volumes = items(value.Mount{Type: value.Bind, Source: dir, Target: "/m"})
	})
	if got != "late\n" {
		t.Errorf("container says %q", got)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "back")); err != nil || string(data) != "back\n" {
		t.Errorf("host has %q, %v", data, err)
	}
}

// TestPropagation: a shared volume carries mounts in both directions.
func TestPropagation(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	if err := unix.Mount("", dir, "", unix.MS_SHARED, ""); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"in", "out"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p := newProject(t)
	c := declare("c", "sh", "-c", "mount -t tmpfs none /m/out && touch /m/out/x; echo up; while [ ! -e /m/in/y ]; do sleep 0.05; done; umount /m/out; echo seen")
	c.Security.CapAdd = items("CAP_SYS_ADMIN")
	c.Mounts.Volumes = items(value.Mount{Type: value.Bind, Source: dir, Target: "/m", Propagation: "rshared"})
	_, pr, out := p.start(c, nil)
	out.await(t, "up")
	if _, err := os.Stat(filepath.Join(dir, "out/x")); err != nil {
		t.Errorf("the container's mount does not show on the host: %v", err)
	}
	if err := unix.Mount("tmpfs", filepath.Join(dir, "in"), "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(filepath.Join(dir, "in"), unix.MNT_DETACH) })
	if err := os.WriteFile(filepath.Join(dir, "in/y"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if exit, err := pr.Wait(t.Context()); err != nil || exit.Code != 0 || !strings.Contains(out.String(), "seen") {
		t.Errorf("exit %+v, %v, %q", exit, err, out)
	}
	private := declare("private", "true")
	private.Mounts.Volumes = items(value.Mount{Type: value.Bind, Source: t.TempDir(), Target: "/m", Propagation: "rshared"})
	if shared := rootIsShared(t); !shared {
		p.refused(private, 125, "volume")
	}
}

func rootIsShared(t *testing.T) bool {
	t.Helper()
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 6 && f[4] == "/" {
			return strings.HasPrefix(f[6], "shared:")
		}
	}
	return false
}
