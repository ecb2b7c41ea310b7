package native

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/ocispec"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// makeCommands fills a tree with files of every kind that somebody may try to execute.
func makeCommands(t *testing.T, root string) {
	t.Helper()
	write := func(name, content string, mode fs.FileMode) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	header := func(machine byte) string {
		return "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 11) + string([]byte{machine, 0})
	}
	write("bin/good", "#!/bin/sh\n", 0o755)
	write("bin/sh", header(62), 0o755)
	write("bin/mode", "#!/bin/sh\n", 0o644)
	write("bin/own", "#!/bin/sh\n", 0o700)
	write("bin/empty", "", 0o755)
	write("bin/text", "hello\n", 0o755)
	write("bin/nothing", "#!\n", 0o755)
	write("bin/missing", "#!/no/such\n", 0o755)
	write("bin/chain", "#!/bin/missing\n", 0o755)
	write("bin/denied", "#!/bin/mode\n", 0o755)
	write("bin/itself", "#!/bin/itself\n", 0o755)
	write("bin/foreign", header(183), 0o755)
	write("bin/busy", "#!/bin/sh\n", 0o755)
	write("work/here", "#!/bin/sh\n", 0o755)
	write("first/both", "#!/bin/sh\n", 0o644)
	write("second/both", "#!/bin/sh\n", 0o755)
	if err := os.Symlink("loop", filepath.Join(root, "bin/loop")); err != nil {
		t.Fatal(err)
	}
	busy, err := os.OpenFile(filepath.Join(root, "bin/busy"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = busy.Close() })
}

// TestCheckCommand is the table of spec/options-process.md 11: what cannot be run has docker's exit status by its cause.
func TestCheckCommand(t *testing.T) {
	root := t.TempDir()
	makeCommands(t, root)
	mounts := []specs.Mount{{Destination: "/mnt", Type: "bind", Source: filepath.Join(root, "bin")}, {Destination: "/tmp", Type: "tmpfs"}}
	for _, x := range []struct {
		command string
		uid     uint32
		code    int
		says    string
	}{
		{"good", 0, 0, ""},
		{"/bin/good", 1000, 0, ""},
		{"/mnt/good", 0, 0, ""},
		{"./here", 0, 0, ""},
		{"both", 0, 0, ""}, // PATH goes on after a file that cannot be executed
		{"nosuch", 0, 127, "command not found in the image's PATH"},
		{"/bin/nosuch", 0, 127, "no such file"},
		{"/bin/good/nosuch", 0, 127, "no such file"},
		{"/tmp/good", 0, 127, "no such file"},
		{"/bin/loop", 0, 127, "no such file"},
		{"/bin", 0, 126, "is a directory"},
		{"mode", 0, 126, "permission denied"},
		{"/bin/own", 0, 0, ""},
		{"/bin/own", 1000, 126, "permission denied"},
		{"/bin/empty", 0, 126, "neither a program nor a script"},
		{"/bin/text", 0, 126, "neither a program nor a script"},
		{"/bin/nothing", 0, 126, "no interpreter after #!"},
		{"/bin/missing", 0, 127, "its interpreter /no/such is not in the image"},
		{"/bin/chain", 0, 127, "its interpreter /no/such is not in the image"},
		{"/bin/denied", 0, 126, "permission denied"},
		{"/bin/itself", 0, 126, "too many scripts"},
		{"/bin/foreign", 0, 126, "a program for aarch64, and this machine is amd64"},
		{"/bin/busy", 0, 126, "text file busy"},
	} {
		p := &specs.Process{
			Args: []string{x.command}, Cwd: "/work", User: specs.User{UID: x.uid}, Env: []string{"PATH=/bin:/first:/second"},
		}
		err := checkProcess(tree{root: root, mounts: mounts}, p)
		if x.code == 0 {
			if err != nil {
				t.Errorf("%s as %d: %v", x.command, x.uid, err)
			}
			continue
		}
		var e *engine.Error
		if !errors.As(err, &e) || e.Code != x.code || e.Option != "command" || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s as %d: %v (%+v), want %d %q", x.command, x.uid, err, e, x.code, x.says)
		}
	}
}

// TestCheckInit: an init that the user cannot execute is a mistake of init-path, not of the command.
func TestCheckInit(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "init"), []byte("\x7fELF"), 0o700); err != nil {
		t.Fatal(err)
	}
	p := &specs.Process{Args: []string{ocispec.InitTarget, "--", "nosuch"}, Cwd: "/", User: specs.User{UID: 1000}}
	mounts := []specs.Mount{{Destination: ocispec.InitTarget, Type: "bind", Source: filepath.Join(root, "init")}}
	var e *engine.Error
	if err := checkProcess(tree{root: root, mounts: mounts}, p); !errors.As(err, &e) || e.Option != "init-path" || e.Code != 125 {
		t.Errorf("as 1000: %v", err)
	}
	p.User.UID = 0
	if err := checkProcess(tree{root: root, mounts: mounts}, p); !errors.As(err, &e) || e.Option != "command" || e.Code != 127 {
		t.Errorf("as root: %v", err)
	}
}

func TestBlame(t *testing.T) {
	kv := func(k, v string) schema.Item[value.KeyValue] {
		return schema.Item[value.KeyValue]{Value: value.KeyValue{Key: k, Value: v, HasValue: true}}
	}
	c := &schema.Container{}
	c.Process.Sysctls = schema.Items[value.KeyValue]{kv("net.ipv4.ip_forward", "1"), kv("kernel.shm_rmid_forced", "x")}
	c.Process.Ulimits = schema.Items[value.Ulimit]{{Value: value.Ulimit{Name: "nofile", Soft: 10, Hard: 20}}}
	c.Resources.NanoCPUs = schema.Opt[int64]{Value: 5e8, Set: true}
	c.Process.Workdir = schema.Opt[string]{Value: "/work/in", Set: true}
	c.Mounts.Volumes = schema.Items[value.Mount]{
		{Value: value.Mount{Type: value.Bind, Source: "/src", Target: "/data"}},
		{Value: value.Mount{Type: value.Bind, Source: "/src", Target: "/data/deep"}},
	}
	for message, want := range map[string]string{
		"write to /proc/sys/kernel/shm_rmid_forced: Invalid argument":                "sysctl: kernel.shm_rmid_forced=x: ",
		"error setting rlimit type 7: operation not permitted":                       "ulimit: nofile=10:20: ",
		"error opening file: Too many open files":                                    "ulimit: nofile=10:20: ",
		"mkdir /work/in: no such file or directory":                                  "workdir: ",
		"failed to write 50000: write cpu.cfs_quota_us: invalid argument":            "cpus: ",
		"error mounting \"/src\" to rootfs at \"/data/deep\": not a directory":       "volume: /src:/data/deep: ",
		"write memory.max: no space left":                                            "", // nobody has asked for it
		"something else: permission denied":                                          "",
		"open /proc/sys/net/ipv4/ip_forward: read-only file system, cgroup pids.max": "sysctl: net.ipv4.ip_forward=1: ",
	} {
		if got := blame(c, errors.New(message)).Error(); got != want+message {
			t.Errorf("got  %s\nwant %s%s", got, want, message)
		}
	}
	if err := blame(c, fmt.Errorf("wrapped: %w", fs.ErrExist)); !errors.Is(err, fs.ErrExist) {
		t.Error("the cause is lost")
	}
}
