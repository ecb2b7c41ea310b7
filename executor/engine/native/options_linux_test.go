package native

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/ocispec"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// TestOptions runs a container for each option and looks at what the kernel says inside, with both runtimes.
func TestOptions(t *testing.T) {
	for _, runtime := range []string{"crun", "runc"} {
		t.Run(runtime, func(t *testing.T) {
			p := newProject(t)
			if _, err := p.runtimes.get(t.Context(), runtime, ""); err != nil {
				t.Skip(err)
			}
			for _, c := range optionCases(t) {
				t.Run(c.name, func(t *testing.T) {
					if c.name == "init" && !staticTest(t) {
						t.Skip("the test binary needs a dynamic loader; run with CGO_ENABLED=0")
					}
					if c.name == "ulimit" && runtime == "crun" {
						t.Skip("crun applies nofile before it has mounted everything; see TestLowFileLimit")
					}
					sub := *p
					sub.TB = t
					got := sub.sh(c.script, func(s *schema.Container) {
						s.Process.Runtime = set(runtime)
						if c.change != nil {
							c.change(s)
						}
					})
					if strings.TrimSpace(got) != strings.TrimSpace(c.want) {
						t.Errorf("%s:\n%swant:\n%s", c.script, got, c.want)
					}
				})
			}
		})
	}
}

// staticTest says whether this program can be the init of a container.
func staticTest(t *testing.T) bool {
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // read only
	return elfInterpreter(f) == ""
}

type optionCase struct {
	name   string
	script string
	change func(*schema.Container)
	want   string
}

func optionCases(t *testing.T) []optionCase {
	cases := slices.Concat(securityCases(), processCases(), hostCases(t))
	if ocispec.DetectHost("", "").CgroupVersion == 2 {
		return append(cases, cgroupV2Cases()...)
	}
	return append(cases, cgroupV1Cases()...)
}

// securityCases: what the process may.
func securityCases() []optionCase {
	return []optionCase{
		{"capabilities", "grep CapEff /proc/self/status", nil, "CapEff:\t00000000a80425fb"},
		{"cap-drop all", "grep CapEff /proc/self/status", func(c *schema.Container) {
			c.Security.CapDrop, c.Security.CapAdd = items("ALL"), items("CAP_NET_ADMIN")
		}, "CapEff:\t0000000000001000"},
		{
			"seccomp", "grep '^Seccomp:' /proc/self/status; grep NoNewPrivs /proc/self/status; unshare -U true 2>&1 | grep -c permitted", nil,
			"Seccomp:\t2\nNoNewPrivs:\t0\n1",
		},
		{"seccomp unconfined", "grep '^Seccomp:' /proc/self/status", func(c *schema.Container) {
			c.Security.Options = items(value.SecurityOpt{Key: "seccomp", Value: "unconfined"})
		}, "Seccomp:\t0"},
		{"seccomp file", "mkdir /x 2>&1 | grep -c 'not permitted'", func(c *schema.Container) {
			c.Security.Options = items(value.SecurityOpt{Key: "seccomp", Value: "/p.json"})
			c.Security.SeccompProfile = `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}`
		}, "1"},
		{"no-new-privileges", "grep NoNewPrivs /proc/self/status", func(c *schema.Container) {
			c.Security.Options = items(value.SecurityOpt{Key: "no-new-privileges"})
		}, "NoNewPrivs:\t1"},
		{"masks", "cat /proc/timer_list | wc -c; ls /sys/firmware | wc -l; echo x 2>/dev/null >/proc/sys/kernel/domainname || echo ro", nil, "0\n0\nro"},
		{"systempaths", "[ $(head -c 3 /proc/timer_list | wc -c) = 3 ] && echo visible", func(c *schema.Container) {
			c.Security.Options = items(value.SecurityOpt{Key: "systempaths", Value: "unconfined"})
		}, "visible"},
	}
}

// processCases: what the process finds.
func processCases() []optionCase {
	return []optionCase{
		{
			"mounts", "df -k /dev/shm | tail -1 | awk '{print $2}'; grep -c '^sysfs /sys sysfs ro' /proc/mounts; ls /dev | grep -v core | tr '\\n' ' '", nil,
			"65536\n1\nfd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero",
		},
		{"shm-size", "df -k /dev/shm | tail -1 | awk '{print $2}'", func(c *schema.Container) {
			c.Mounts.ShmSize = set(int64(2 << 20))
		}, "2048"},
		{"env", "env | sort | grep -v ^PWD | grep -v ^SHLVL", func(c *schema.Container) {
			c.Process.Env = items(value.KeyValue{Key: "A", Value: "1", HasValue: true}, value.KeyValue{Key: "A", Value: "2", HasValue: true},
				value.KeyValue{Key: "HOSTNAME"})
		}, "A=2\nHOME=/root\nPATH=" + ocispec.DefaultPath},
		{"user", "id; echo $HOME", func(c *schema.Container) {
			c.Process.User = set(value.User{User: "alice"})
		}, "uid=1000(alice) gid=1000(alice) groups=29(audio),44(video),1000(alice)\n/home/alice"},
		{"user and group", "id", func(c *schema.Container) {
			c.Process.User = set(value.User{User: "1234", Group: "video"})
		}, "uid=1234 gid=44(video) groups=44(video)"},
		{"user without capabilities", "grep CapEff /proc/self/status", func(c *schema.Container) {
			c.Process.User, c.Security.CapAdd = set(value.User{User: "1000"}), items("CAP_NET_ADMIN")
		}, "CapEff:\t0000000000000000"},
		{"workdir", "pwd; ls -ldn . | awk '{print $1,$3,$4}'", func(c *schema.Container) {
			c.Process.Workdir = set("/made/for/it")
		}, "/made/for/it\ndrwxr-xr-x 0 0"},
		{"hostname", "hostname; cat /etc/hostname; echo $HOSTNAME", func(c *schema.Container) {
			c.Namespaces.Hostname = set("foo.example.com")
		}, "foo.example.com\nfoo.example.com\nfoo.example.com"},
		{"read-only", "touch /x 2>&1 | grep -c Read-only; echo >>/etc/hosts 2>/dev/null || echo ro; touch /dev/shm/y && touch /t/y && echo rw", func(c *schema.Container) {
			c.Mounts.ReadOnly = set(true)
			c.Mounts.Tmpfs = items(value.Tmpfs{Target: "/t"})
		}, "1\nro\nrw"},
		{"tmpfs", "grep ' /run ' /proc/mounts | cut -d' ' -f4 | sed s/,inode64//; stat -c %a /run; stat -c %a /data", func(c *schema.Container) {
			c.Mounts.Tmpfs = items(value.Tmpfs{Target: "/run", Options: []string{"rw", "exec", "size=64m"}}, value.Tmpfs{Target: "/data"})
		}, "rw,nosuid,nodev,relatime,size=65536k\n1777\n2750"},
	}
}

// hostCases: what the process has of the host.
func hostCases(t *testing.T) []optionCase {
	return []optionCase{
		{"ulimit", "ulimit -Sn; ulimit -Hn", func(c *schema.Container) {
			c.Process.Ulimits = items(value.Ulimit{Name: "nofile", Soft: 10, Hard: 10}, value.Ulimit{Name: "nofile", Soft: 20, Hard: 30})
		}, "20\n30"},
		{"sysctl", "cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_unprivileged_port_start", func(c *schema.Container) {
			c.Process.Sysctls = items(value.KeyValue{Key: "kernel.msgmax", Value: "4096", HasValue: true})
		}, "4096\n0"},
		{"cpuset", "grep Cpus_allowed_list /proc/self/status", func(c *schema.Container) {
			c.Resources.CPUSetCPUs = set("0")
		}, "Cpus_allowed_list:\t0"},
		{"device", "ls -l /dev/mine | cut -c1; head -c 2 /dev/mine | wc -c", func(c *schema.Container) {
			c.Devices.Devices = items(value.Device{Source: "/dev/zero", Target: "/dev/mine", Permissions: "r"})
		}, "c\n2"},
		{"privileged", "grep '^Seccomp:' /proc/self/status; grep -c '^sysfs /sys sysfs rw' /proc/mounts; [ $(ls /dev | wc -l) -gt 20 ] && echo devices", func(c *schema.Container) {
			c.Security.Privileged = set(true)
		}, "Seccomp:\t0\n1\ndevices"},
		{"init", "tr '\\0' ' ' </proc/1/cmdline | cut -d' ' -f1,2; (sleep 0 & exec sleep 0.1) & wait; n=0; while ps -o stat | grep -q '^Z'; do n=$((n+1)); [ $n -gt 50 ] && echo zombies && break; sleep 0.1; done", func(c *schema.Container) {
			c.Process.Init = set(true)
		}, "/sbin/docker-init --"},
		{"pid host", "readlink /proc/self/ns/pid", func(c *schema.Container) {
			c.Namespaces.PID = set(value.NamespaceMode{Mode: "host"})
		}, namespaceOf(t, "pid")},
		{"uts host", "readlink /proc/self/ns/uts", func(c *schema.Container) {
			c.Namespaces.UTS = set(value.NamespaceMode{Mode: "host"})
		}, namespaceOf(t, "uts")},
		{"ipc none", "ls -d /dev/shm 2>/dev/null || echo none", func(c *schema.Container) {
			c.Namespaces.IPC = set(value.NamespaceMode{Mode: "none"})
		}, "none"},
		{"network none", "ip -o link | wc -l", nil, "1"},
		{"network host", "readlink /proc/self/ns/net", func(c *schema.Container) {
			c.Network.Networks = items(value.Network{Mode: value.NetworkHost})
		}, namespaceOf(t, "net")},
		{"leaked descriptors", "ls /proc/self/fd | tr '\\n' ' '", nil, "0 1 2 3"},
	}
}

func cgroupV2Cases() []optionCase {
	return []optionCase{
		{"memory", "cd /sys/fs/cgroup; cat memory.max memory.swap.max", func(c *schema.Container) {
			c.Resources.Memory = set(int64(64 << 20))
		}, "67108864\n67108864"},
		{"memory-swap", "cd /sys/fs/cgroup; cat memory.swap.max", func(c *schema.Container) {
			c.Resources.Memory, c.Resources.MemorySwap = set(int64(64<<20)), set(int64(64<<20))
		}, "0"},
		{"cpus", "cat /sys/fs/cgroup/cpu.max", func(c *schema.Container) {
			c.Resources.NanoCPUs = set(int64(5e8))
		}, "50000 100000"},
		{"cpu-shares", "cat /sys/fs/cgroup/cpu.weight; cat /proc/self/cgroup", func(c *schema.Container) {
			c.Resources.CPUShares = set(int64(512))
		}, "59\n0::/"},
		{"pids-limit", "cat /sys/fs/cgroup/pids.max; mkdir /sys/fs/cgroup/x 2>&1 | grep -c Read-only", func(c *schema.Container) {
			c.Resources.PidsLimit = set(int64(7))
		}, "7\n1"},
		{"writable cgroups", "mkdir /sys/fs/cgroup/x && rmdir /sys/fs/cgroup/x && echo rw", func(c *schema.Container) {
			c.Security.Options = items(value.SecurityOpt{Key: "writable-cgroups"})
		}, "rw"},
		{"devices", "mknod /n c 1 1; cat /n 2>&1 | grep -c 'not permitted'", nil, "1"},
	}
}

func cgroupV1Cases() []optionCase {
	return []optionCase{
		{"memory", "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", func(c *schema.Container) {
			c.Resources.Memory = set(int64(64 << 20))
		}, "67108864\n134217728"},
		{"cpus", "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us", func(c *schema.Container) {
			c.Resources.NanoCPUs = set(int64(5e8))
		}, "50000"},
		{"cpu-shares", "cat /sys/fs/cgroup/cpu/cpu.shares", func(c *schema.Container) {
			c.Resources.CPUShares = set(int64(512))
		}, "512"},
		{"pids-limit", "cat /sys/fs/cgroup/pids/pids.max; mkdir /sys/fs/cgroup/pids/x 2>&1 | grep -c Read-only", func(c *schema.Container) {
			c.Resources.PidsLimit = set(int64(7))
		}, "7\n1"},
		{"writable cgroups", "mkdir /sys/fs/cgroup/memory/x && rmdir /sys/fs/cgroup/memory/x && echo rw", func(c *schema.Container) {
			c.Security.Options = items(value.SecurityOpt{Key: "writable-cgroups"})
		}, "rw"},
		{"devices", "sort /sys/fs/cgroup/devices/devices.list | head -3", func(c *schema.Container) {
			c.Devices.Devices = items(value.Device{Source: "/dev/loop0", Target: "/dev/loop0", Permissions: "r"})
		}, "b *:* m\nb 7:0 r\nc *:* m"},
	}
}

func namespaceOf(t *testing.T, kind string) string {
	t.Helper()
	link, err := os.Readlink("/proc/self/ns/" + kind)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

// TestLowFileLimit: crun cannot work under it, so runc is taken where the choice is ours.
func TestLowFileLimit(t *testing.T) {
	p := newProject(t)
	if _, err := p.runtimes.get(t.Context(), "runc", ""); err != nil {
		t.Skip(err)
	}
	got := p.sh("ulimit -n", func(c *schema.Container) {
		c.Process.Ulimits = items(value.Ulimit{Name: "nofile", Soft: 20, Hard: 20})
	})
	if got != "20\n" {
		t.Errorf("ulimit -n: %q", got)
	}
}

// TestInterpreterInPATH: the message names what is missing, which is not the command.
func TestInterpreterInPATH(t *testing.T) {
	p := newProject(t)
	id := p.create(declare("bad", "no-interpreter"), nil)
	_, err := p.Start(t.Context(), id, engine.Stdio{})
	if err == nil || !strings.Contains(err.Error(), "interpreter /no/such/interpreter") {
		t.Errorf("error: %v", err)
	}
}

// TestLowFileSize: crun cannot write its seccomp filter under it, so runc is taken where the choice is ours.
func TestLowFileSize(t *testing.T) {
	p := newProject(t)
	if _, err := p.runtimes.get(t.Context(), "runc", ""); err != nil {
		t.Skip(err)
	}
	got := p.sh("head -c 4000 /dev/zero >/f 2>/dev/null; wc -c </f", func(c *schema.Container) {
		c.Process.Ulimits = items(value.Ulimit{Name: "fsize", Soft: 1024, Hard: 1024})
	})
	if got != "1024\n" {
		t.Errorf("size of the file: %q", got)
	}
}

// TestSignalToInit: a signal right after the start is not lost, although the init is still being loaded.
func TestSignalToInit(t *testing.T) {
	if !staticTest(t) {
		t.Skip("the test binary needs a dynamic loader; run with CGO_ENABLED=0")
	}
	p := newProject(t)
	c := declare("early", "sleep", "60")
	c.Process.Init = set(true)
	_, proc, _ := p.start(c, nil)
	if err := proc.Signal(t.Context(), int(unix.SIGTERM)); err != nil {
		t.Fatal(err)
	}
	exit, err := proc.Wait(t.Context())
	if err != nil || exit.Code != 143 {
		t.Errorf("exit %+v, %v", exit, err)
	}
}

// TestOOM: the kernel kills what takes more memory than it may.
func TestOOM(t *testing.T) {
	p := newProject(t)
	c := declare("hog", "sh", "-c", "x=$(head -c 60000000 /dev/zero | tr '\\0' x); echo no")
	c.Resources.Memory = set(int64(16 << 20))
	c.Resources.MemorySwap = set(int64(16 << 20))
	exit, out, _ := p.run(c)
	if exit.Code != 137 || !exit.OOMKilled || exit.Signal != 9 || out != "" {
		t.Errorf("exit %+v, output %q", exit, out)
	}
}

// TestRefusals: what cannot work is refused with the option's name, and nothing is left behind.
func TestRefusals(t *testing.T) {
	p := newProject(t)
	for _, c := range []struct {
		name   string
		code   int
		option string
		args   []string
		change func(*schema.Container)
	}{
		{"not found in PATH", 127, "command", []string{"nosuch"}, nil},
		{"missing file", 127, "command", []string{"/no/such"}, nil},
		{"missing interpreter", 127, "command", []string{"/bin/no-interpreter"}, nil},
		{"missing interpreter in PATH", 127, "command", []string{"no-interpreter"}, nil},
		{"not executable", 126, "command", []string{"/bin/not-executable"}, nil},
		{"directory", 126, "command", []string{"/etc"}, nil},
		{"no program", 126, "command", []string{"/v/text"}, func(c *schema.Container) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "text"), []byte("just text\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			c.Mounts.Volumes = items(value.Mount{Type: value.Bind, Source: dir, Target: "/v"})
		}},
		{"unknown user", 125, "user", []string{"true"}, func(c *schema.Container) {
			c.Process.User = set(value.User{User: "nosuch"})
		}},
		{"user out of range", 125, "user", []string{"true"}, func(c *schema.Container) {
			c.Process.User = set(value.User{User: "4294967296"})
		}},
		{"missing device", 125, "device", []string{"true"}, func(c *schema.Container) {
			c.Devices.Devices = items(value.Device{Source: "/dev/nope", Target: "/dev/nope"})
		}},
		{"file as workdir", 125, "workdir", []string{"true"}, func(c *schema.Container) {
			c.Process.Workdir = set("/etc/passwd/x")
		}},
		{"missing sysctl", 125, "sysctl", []string{"true"}, func(c *schema.Container) {
			c.Process.Sysctls = items(value.KeyValue{Key: "net.nosuch", Value: "1", HasValue: true})
		}},
		{"unknown runtime", 125, "runtime", []string{"true"}, func(c *schema.Container) {
			c.Process.Runtime = set("nosuch")
		}},
		{"cpuset", 125, "cpuset-cpus", []string{"true"}, func(c *schema.Container) {
			c.Resources.CPUSetCPUs = set("4000")
		}},
		{"leaked descriptor as workdir", 125, "workdir", []string{"true"}, func(c *schema.Container) {
			c.Process.Workdir = set("/proc/self/fd/8")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			sub := *p
			sub.TB = t
			d := declare("bad", c.args...)
			if c.change != nil {
				c.change(d)
			}
			sub.refused(d, c.code, c.option)
		})
	}
}

// TestLeakedDescriptors: no descriptor of ours is open in a starting container, where a working directory could name it
// and so lead to the host (CVE-2024-21626).
func TestLeakedDescriptors(t *testing.T) {
	p := newProject(t)
	for _, runtime := range []string{"crun", "runc"} {
		if _, err := p.runtimes.get(t.Context(), runtime, ""); err != nil {
			continue
		}
		up := declare("up", "sh", "-c", upForEver)
		up.Process.Runtime = set(runtime)
		_, pr, out := p.start(up, nil)
		out.await(t, "up")
		for n := 3; n < 24; n++ {
			dir := "/proc/self/fd/" + strconv.Itoa(n)
			c := declare("c", "ls", "-a", ".")
			c.Process.Runtime, c.Process.Workdir = set(runtime), set(dir)
			id, got := p.create(c, nil), newBuffer()
			if cp, err := p.Start(t.Context(), id, engine.Stdio{Stdout: got}); err == nil {
				_, _ = cp.Wait(t.Context())
				t.Errorf("%s: workdir %s is accepted: %s", runtime, dir, got)
			}
			q, err := pr.Exec(t.Context(), engine.Exec{Args: []string{"ls", "-a", "."}, Workdir: dir}, engine.Stdio{Stdout: got})
			if err == nil {
				if exit, err := q.Wait(t.Context()); err != nil || exit.Code == 0 {
					t.Errorf("%s: exec with workdir %s: %v, %s", runtime, dir, err, got)
				}
			}
		}
	}
}

// TestExecWorkdir: a directory that is not there is said before the runtime says it in its own words, as the flag's fault.
func TestExecWorkdir(t *testing.T) {
	needRoot(t)
	p := newProject(t)
	_, pr, out := p.start(declare("up", "sh", "-c", upForEver), nil)
	out.await(t, "up")
	for _, dir := range []string{"/nope", "/etc/passwd", "/etc/passwd/x"} {
		var e *engine.Error
		_, err := pr.Exec(t.Context(), engine.Exec{Args: []string{"true"}, Workdir: dir}, engine.Stdio{})
		if !errors.As(err, &e) || e.Option != "workdir" || !strings.Contains(err.Error(), "no directory "+dir+" in the container") {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if err := pr.Signal(t.Context(), 9); err != nil {
		t.Error(err)
	}
}

func TestMountNamespaceIsPrivate(t *testing.T) {
	needRoot(t)
	before, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	p := newProject(t)
	_, pr, out := p.start(declare("up", "sh", "-c", "echo up; exec sleep 1000"), nil)
	out.await(t, "up")
	after, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if string(after) != string(before) {
		t.Errorf("the host's mount table has changed:\n%s\nbefore:\n%s", after, before)
	}
	var st unix.Statfs_t
	if err := unix.Statfs("/sys/fs/cgroup", &st); err != nil {
		t.Errorf("the host's cgroups: %v", err)
	}
	if err := pr.Signal(t.Context(), 9); err != nil {
		t.Error(err)
	}
}
