package ocispec

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// testHost is a machine that does not depend on the one the tests run on.
func testHost(cgroups int) Host {
	return Host{
		CgroupVersion: cgroups, Runtime: "crun", RuntimeVersion: "1.8.1", Caps: slices.Clone(capabilityNames), SwapAccounting: true,
		Controllers: map[string]bool{"cpu": true, "memory": true, "pids": true, "cpuset": true, "devices": true, "blkio": true, "io": true},
		MaskPaths:   []string{"/proc/acpi", "/proc/keys"},
		CPUs:        4, OnlineCPUs: "0-3", MemoryNodes: "0", RealTime: cgroups == 1,
		BlockWeight: func() bool { return true },
		BlockDevice: func(path string) (major, minor int64, err error) {
			if path == "/dev/nosuch" {
				return 0, 0, errNoSuchDevice
			}
			return 7, 1, nil
		},
		Scheduler:  func(int64, int64) string { return "bfq" },
		Partition:  func(int64, int64) bool { return false },
		HasSysctl:  func(key string) bool { return key != "net.nosuch" },
		HasProfile: func(name string) bool { return name == "mine" },
		Devices: func() ([]specs.LinuxDevice, error) {
			return []specs.LinuxDevice{{Path: "/dev/loop0", Type: "b", Major: 7}}, nil
		},
	}
}

func testInput(t *testing.T, cgroups int, change func(*schema.Container)) Input {
	t.Helper()
	c := &schema.Container{Key: "web"}
	c.Process.Command = set([]string{"serve"})
	if change != nil {
		change(c)
	}
	eff, err := Merge(c, ImageConfig{Env: []string{"FROM=image"}}, "sha256:x", "img")
	if err != nil {
		t.Fatal(err)
	}
	return Input{
		ID: "0123456789ab", Hostname: "0123456789ab", Container: c, Effective: eff, Host: testHost(cgroups),
		RootfsPath: "/state/rootfs", NetnsPath: "/proc/42/fd/7", HostsPath: "/state/net/hosts", HostnamePath: "/state/net/hostname",
		ResolvPath: "/state/net/resolv.conf", CgroupPath: "/runfile/p/0123456789ab", InitPath: "/usr/bin/runfile",
		Terminal: c.Stdio.TTY.Value,
	}
}

// TestGolden compares whole specifications. The seccomp profile is left out: it is a library's, and tested by name.
func TestGolden(t *testing.T) {
	everything := func(c *schema.Container) {
		c.Process.Init, c.Process.User = set(true), set(value.User{User: "1000", Group: "2000"})
		c.Process.Env = items(kv("A", "1"), value.KeyValue{Key: "HOSTNAME"})
		c.Process.Workdir = set("/srv")
		c.Process.Ulimits = items(value.Ulimit{Name: "nofile", Soft: 10, Hard: 20}, value.Ulimit{Name: "core", Soft: -1, Hard: -1})
		c.Process.Sysctls = items(kv("net.ipv4.ip_forward", "1"), kv("net.ipv4.ip_unprivileged_port_start", "1024"))
		c.Resources = schema.Resources{
			Memory: set(int64(64 << 20)), MemorySwap: set(int64(-1)), NanoCPUs: set(int64(5e8)), CPUShares: set(int64(512)),
			CPUSetCPUs: set("0"), PidsLimit: set(int64(100)),
			MemoryReservation: set(int64(32 << 20)), CPUSetMems: set("0"), OOMScoreAdj: set(int64(500)),
		}
		c.Blkio = schema.Blkio{
			Weight: set(int64(300)), WeightDevice: items(value.DeviceWeight{Path: "/dev/loop1", Weight: 200}),
			ReadBps: items(value.DeviceRate{Path: "/dev/loop1", Rate: 1 << 20}), WriteIOps: items(value.DeviceRate{Path: "/dev/loop1"}),
		}
		c.Devices.Rules = items(value.DeviceRule{Type: "c", Major: 10, Minor: -1, Access: "rw"})
		c.Security.CapAdd, c.Security.CapDrop = items("CAP_NET_ADMIN"), items("CAP_CHOWN")
		c.Security.Options = items(value.SecurityOpt{Key: "no-new-privileges"}, value.SecurityOpt{Key: "seccomp", Value: "unconfined"})
		c.Mounts.ReadOnly, c.Mounts.ShmSize = set(true), set(int64(1<<20))
		c.Mounts.Tmpfs = items(value.Tmpfs{Target: "/run", Options: []string{"exec", "size=64m"}}, value.Tmpfs{Target: "/a/b"})
		c.Stdio.TTY = set(true)
	}
	for name, change := range map[string]func(*schema.Container){
		"default":    nil,
		"everything": everything,
		"privileged": func(c *schema.Container) { c.Security.Privileged = set(true) },
		"shared": func(c *schema.Container) {
			c.Namespaces.UTS, c.Namespaces.PID = set(value.NamespaceMode{Mode: "host"}), set(value.NamespaceMode{Mode: "host"})
			c.Namespaces.IPC = set(value.NamespaceMode{Mode: "container", Container: "x"})
		},
	} {
		for _, v := range []int{1, 2} {
			file := filepath.Join("testdata", name+map[int]string{1: "-v1", 2: "-v2"}[v]+".json")
			t.Run(filepath.Base(file), func(t *testing.T) {
				in := testInput(t, v, change)
				if name == "shared" {
					in.IPCPath, in.ShmDir = "/proc/7/ns/ipc", "/state/other/shm"
				}
				if name == "everything" {
					in.Mounts = []specs.Mount{BindMount("/src", "/a", true, true, ""), BindMount("/dev/shm", "/dev/shm", false, true, "rshared")}
				}
				compareGolden(t, file, in)
			})
		}
	}
}

// TestPreflight: a host's limits are found all at once, each with its option, and Build agrees about what is refused.
func TestPreflight(t *testing.T) {
	change := func(c *schema.Container) {
		c.Resources = schema.Resources{
			NanoCPUs: set(int64(5e9)), CPUSetCPUs: set("7"), CPUSetMems: set("1"), MemorySwappiness: set(int64(10)),
			OOMKillDisable: set(true), CPURTRuntime: set(int64(1000)), OOMScoreAdj: set(int64(-500)),
		}
		c.Process.Sysctls = items(kv("net.nosuch", "1"))
		c.Security.Options = items(value.SecurityOpt{Key: "apparmor", Value: "x"})
		c.Devices.Devices = items(value.Device{Source: "/dev/nosuch", Target: "/dev/nosuch", Permissions: "rwm"})
	}
	in := testInput(t, 2, change)
	in.Host.Caps = []string{"CAP_CHOWN"}
	var refused, lacking []string
	for _, p := range Preflight(in.Container, in.Host) {
		if p.Refused {
			refused = append(refused, p.Option)
		} else {
			lacking = append(lacking, p.Option)
		}
	}
	if got, want := strings.Join(refused, " "), "cpus cpuset-cpus cpuset-mems cpu-rt-runtime oom-score-adj device sysctl"; got != want {
		t.Errorf("refused %s, want %s", got, want)
	}
	if got, want := strings.Join(lacking, " "), "security-opt memory-swappiness oom-kill-disable"; got != want {
		t.Errorf("left out %s, want %s", got, want)
	}
	var e *Error
	if _, _, err := Build(in); !errors.As(err, &e) || e.Option != "cpus" {
		t.Errorf("Build says %v", err)
	}
}

func compareGolden(t *testing.T, file string, in Input) {
	t.Helper()
	spec, warnings, err := Build(in)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v, %v", err, warnings)
	}
	spec.Linux.Seccomp = nil
	got, err := json.MarshalIndent(spec, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got)+"\n" != string(want) {
		t.Errorf("%s differs; look at the change and run: go test ./executor/ocispec -run Golden -update\n%s", file, got)
	}
}

func TestSeccomp(t *testing.T) {
	opt := func(v string) func(*schema.Container) {
		return func(c *schema.Container) { c.Security.Options = items(value.SecurityOpt{Key: "seccomp", Value: v}) }
	}
	both := func(c *schema.Container) { opt("builtin")(c); c.Security.Privileged = set(true) }
	for _, c := range []struct {
		name   string
		change func(*schema.Container)
		want   bool
		mount  bool // without conditions
	}{
		{"default", nil, true, false},
		{"builtin", opt("builtin"), true, false},
		{"unconfined", opt("unconfined"), false, false},
		{"privileged", func(c *schema.Container) { c.Security.Privileged = set(true) }, false, false},
		{"privileged but builtin", both, true, true},
		{"more capabilities allow more", func(c *schema.Container) { c.Security.CapAdd = items("CAP_SYS_ADMIN") }, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec, _, err := Build(testInput(t, 1, c.change))
			if err != nil {
				t.Fatal(err)
			}
			if (spec.Linux.Seccomp != nil) != c.want {
				t.Fatalf("profile %v", spec.Linux.Seccomp)
			}
			if c.want && allows(spec.Linux.Seccomp, "mount") != c.mount {
				t.Errorf("mount allowed: %v", !c.mount)
			}
		})
	}
}

func allows(p *specs.LinuxSeccomp, name string) bool {
	return slices.ContainsFunc(p.Syscalls, func(s specs.LinuxSyscall) bool {
		return s.Action == specs.ActAllow && len(s.Args) == 0 && slices.Contains(s.Names, name)
	})
}

func TestParseSeccomp(t *testing.T) {
	profile := `{"defaultAction":"SCMP_ACT_ERRNO","archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86"]},
		{"architecture":"SCMP_ARCH_AARCH64"}],"syscalls":[
		{"names":["always"],"action":"SCMP_ACT_ALLOW"},
		{"name":"old","action":"SCMP_ACT_ALLOW"},
		{"names":["with"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_BPF"]}},
		{"names":["without"],"action":"SCMP_ACT_ALLOW","excludes":{"caps":["CAP_BPF"]}},
		{"names":["future"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"99.0"}},
		{"names":["past"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"3.0"}},
		{"names":["elsewhere"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["z80"]}}]}`
	got, err := parseSeccomp([]byte(profile), []string{"CAP_BPF"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range got.Syscalls {
		names = append(names, s.Names...)
	}
	if want := "always old with past"; strings.Join(names, " ") != want {
		t.Errorf("rules %q, want %q", names, want)
	}
	for _, bad := range []string{"{", `{"defaultAction":"FOO"}`, `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["x"],"action":"FOO"}]}`} {
		if _, err := parseSeccomp([]byte(bad), nil); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func TestCapabilities(t *testing.T) {
	own := slices.DeleteFunc(slices.Clone(capabilityNames), func(n string) bool { return n == "CAP_SYS_RESOURCE" })
	for _, c := range []struct {
		name       string
		privileged bool
		add, drop  []string
		want       int    // number of capabilities
		has, lacks string // "" = not looked at
	}{
		{"default", false, nil, nil, 14, "CAP_CHOWN", "CAP_SYS_ADMIN"},
		{"in both lists is kept", false, []string{"CAP_CHOWN"}, []string{"CAP_CHOWN"}, 14, "CAP_CHOWN", ""},
		{"all minus", false, []string{"ALL"}, []string{"CAP_CHOWN"}, 39, "CAP_BPF", "CAP_CHOWN"},
		{"drop all", false, nil, []string{"ALL"}, 0, "", ""},
		{"exactly", false, []string{"CAP_BPF"}, []string{"ALL"}, 1, "CAP_BPF", ""},
		{"privileged ignores both", true, []string{"CAP_SYS_RESOURCE"}, []string{"ALL"}, 40, "CAP_BPF", "CAP_SYS_RESOURCE"},
	} {
		got, err := capabilitySet(own, c.privileged, c.add, c.drop)
		if err != nil || len(got) != c.want || c.has != "" && !slices.Contains(got, c.has) || slices.Contains(got, c.lacks) {
			t.Errorf("%s: %d %q, %v", c.name, len(got), got, err)
		}
	}
	for _, bad := range []string{"CAP_SYS_RESOURCE", "CAP_NOPE"} {
		if _, err := capabilitySet(own, false, []string{bad}, nil); err == nil {
			t.Errorf("%s was given", bad)
		}
	}
}

func TestCPUWeight(t *testing.T) {
	for shares, want := range map[uint64]uint64{
		1: 1, 2: 1, 10: 4, 100: 17, 256: 35, 512: 59, 768: 80, 1024: 100, 2048: 174, 4096: 303, 262144: 10000, 1 << 40: 10000,
	} {
		if got := CPUWeight(shares); got != want {
			t.Errorf("CPUWeight(%d) = %d, want %d", shares, got, want)
		}
	}
}

// TestHostileUserFiles: an image's user database cannot block us, fill us, or lead out of the image.
func TestHostileUserFiles(t *testing.T) {
	write := func(t *testing.T, root, name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	outside := t.TempDir()
	write(t, outside, "passwd", "alice:x:0:0::/:\n")
	for _, c := range []struct {
		name, user string
		make       func(t *testing.T, root string)
		uid        int // -1 = refused
	}{
		{"missing files", "7:8", func(t *testing.T, root string) {}, 7},
		{"name without file", "alice", func(t *testing.T, root string) {}, -1},
		{"fifo", "0", func(t *testing.T, root string) {
			if err := unix.Mkfifo(filepath.Join(root, "etc/passwd"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, -1},
		{"huge", "0", func(t *testing.T, root string) {
			write(t, root, "etc/passwd", "")
			if err := os.Truncate(filepath.Join(root, "etc/passwd"), 1<<40); err != nil {
				t.Fatal(err)
			}
		}, -1},
		{"link out of the image", "alice", func(t *testing.T, root string) {
			if err := os.Symlink(filepath.Join(outside, "passwd"), filepath.Join(root, "etc/passwd")); err != nil {
				t.Fatal(err)
			}
		}, -1},
		{"absolute link inside the image", "alice", func(t *testing.T, root string) {
			write(t, root, "users", "alice:x:12:13::/home/alice:\n")
			if err := os.Symlink("/users", filepath.Join(root, "etc/passwd")); err != nil {
				t.Fatal(err)
			}
		}, 12},
		{"number that is a name", "1000", func(t *testing.T, root string) { write(t, root, "etc/passwd", "1000:x:0:0::/:\n") }, 1000},
		{"too large", "4294967296", func(t *testing.T, root string) { write(t, root, "etc/passwd", "4294967296:x:0:0::/:\n") }, -1},
		{"negative", "-1", func(t *testing.T, root string) {}, -1},
		{"group too large", "1:4294967296", func(t *testing.T, root string) {}, -1},
		{"id too large in the file", "eve", func(t *testing.T, root string) { write(t, root, "etc/passwd", "eve:x:4294967295:0::/:\n") }, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.Mkdir(filepath.Join(root, "etc"), 0o755); err != nil {
				t.Fatal(err)
			}
			c.make(t, root)
			u, _, err := ResolveUser(root, c.user, nil)
			var refused *Error
			switch {
			case c.uid < 0 && (!errors.As(err, &refused) || refused.Option != "user"):
				t.Errorf("got %+v, %v; want a refusal of user", u, err)
			case c.uid >= 0 && (err != nil || int(u.UID) != c.uid):
				t.Errorf("got %+v, %v; want uid %d", u, err, c.uid)
			}
		})
	}
}

func TestMergeMountOptions(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"noexec,nosuid,nodev|exec", "nosuid,nodev,exec"},
		{"rprivate|rw,size=1m,size=2m,ro", "rprivate,size=2m,ro"},
		{"rprivate|shared", "shared"},
		{"a|a", "a"},
	} {
		first, second, _ := strings.Cut(c.in, "|")
		got := mergeMountOptions(strings.Split(first, ","), strings.Split(second, ","))
		if strings.Join(got, ",") != c.want {
			t.Errorf("%s: %q, want %s", c.in, got, c.want)
		}
	}
}

// FuzzResolveUser: whatever is in the user database and whatever is asked for, an id that comes out is in range.
func FuzzResolveUser(f *testing.F) {
	f.Add("alice", "alice:x:1000:1000::/home/alice:/bin/sh\n", "audio:x:29:alice\n")
	f.Add("1:2", ":::::::\n\x00", "::")
	f.Add("-0", "0:x:0", "")
	f.Fuzz(func(t *testing.T, name, passwd, group string) {
		root := t.TempDir()
		for file, text := range map[string]string{"etc/passwd": passwd, "etc/group": group} {
			if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		u, _, err := ResolveUser(root, name, nil)
		if err != nil {
			return
		}
		for _, id := range append([]uint32{u.UID, u.GID}, u.AdditionalGids...) {
			if id > maxID {
				t.Errorf("%q gave id %d", name, id)
			}
		}
	})
}
