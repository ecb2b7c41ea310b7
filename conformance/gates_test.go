package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// gates are the [...] guards of scripts: what this kernel and host can show. A script that cannot show its proof here
// says why: `[!swap] unproved 'no swap on this host'`, and the reason stands in docs/conformance.md. The part after a
// colon is arg, as in [cpus:2].
var gates = map[string]func(arg string) (bool, error){
	"cgroup1": fixed(func() bool { return !cgroup2() }),
	"cgroup2": fixed(cgroup2),
	"guest":   fixed(inGuest),
	"cap":     hasCapability, // cap:24 - this process has the capability of that number
	"file":    func(path string) (bool, error) { return exists(path), nil },
	"device":  openable, // device:/dev/vda - there, and readable
	"knob":    knob,     // knob:io.max - a new cgroup has a file of that name
	"rt":      fixed(func() bool { return exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us") }),
	"io.weight": func(string) (bool, error) {
		return anyOf(knob, "blkio.weight", "blkio.bfq.weight", "io.bfq.weight", "io.weight")
	},
	"bfq":      fixed(hasBFQ),
	"loop":     fixed(hasLoop),
	"swap":     fixed(func() bool { return lines("/proc/swaps") > 1 }),
	"apparmor": fixed(hasAppArmor),
	"selinux":  fixed(func() bool { return exists("/sys/fs/selinux/enforce") }),
	"numa":     fixed(func() bool { return matches("/sys/devices/system/node/node[0-9]*") > 1 }),
	"cpus":     hasCPUs, // cpus:2 - at least that many
	"runtime":  installed,
	"subids":   hasSubIDs, // subids:runfile - that user owns subordinate ids
	"ipv6":     fixed(func() bool { return content("/proc/sys/net/ipv6/conf/all/disable_ipv6") == "0" }),
}

// condition answers a guard for testscript.
func condition(cond string) (bool, error) {
	name, arg, _ := strings.Cut(cond, ":")
	gate, ok := gates[name]
	if !ok {
		return false, fmt.Errorf("unknown condition %q", cond)
	}
	return gate(arg)
}

// fixed is a gate without argument.
func fixed(holds func() bool) func(string) (bool, error) {
	return func(string) (bool, error) { return holds(), nil }
}

func anyOf(gate func(string) (bool, error), args ...string) (bool, error) {
	for _, arg := range args {
		if ok, err := gate(arg); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// content is a file's text without white space around it, "" if there is none.
func content(path string) string {
	b, _ := os.ReadFile(path)
	return strings.TrimSpace(string(b))
}

func lines(path string) int {
	b, _ := os.ReadFile(path)
	return bytes.Count(b, []byte("\n"))
}

func matches(pattern string) int {
	found, _ := filepath.Glob(pattern)
	return len(found)
}

func cgroup2() bool { return exists("/sys/fs/cgroup/cgroup.controllers") }

// inGuest: vmrun's guest is much slower than a host, which limits allow for.
func inGuest() bool { return exists("/dev/vport0p2") }

func hasCapability(number string) (bool, error) {
	bit, err := strconv.ParseUint(number, 10, 6)
	if err != nil {
		return false, err
	}
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return false, err
	}
	for line := range strings.Lines(string(b)) {
		if hex, ok := strings.CutPrefix(line, "CapEff:"); ok {
			caps, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
			return caps&(1<<bit) != 0, err
		}
	}
	return false, errors.New("no CapEff line")
}

func openable(path string) (bool, error) {
	f, err := os.OpenFile(path, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false, nil //nolint:nilerr // why not is for the script to say
	}
	return true, f.Close()
}

// knob looks into a cgroup made for the purpose: the root has not all files that others have.
func knob(file string) (bool, error) {
	parents := []string{"/sys/fs/cgroup"}
	if !cgroup2() {
		controller, _, _ := strings.Cut(file, ".")
		parents, _ = filepath.Glob("/sys/fs/cgroup/" + controller)
	}
	for _, parent := range parents {
		dir, err := os.MkdirTemp(parent, "conformance-gate")
		if err != nil {
			return false, err
		}
		found := exists(filepath.Join(dir, file))
		if err := os.Remove(dir); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

func hasBFQ() bool {
	queues, _ := filepath.Glob("/sys/block/*/queue/scheduler")
	for _, q := range queues {
		if strings.Contains(content(q), "bfq") {
			return true
		}
	}
	return false
}

// hasLoop asks for the number of a free loop device.
func hasLoop() bool {
	f, err := os.Open("/dev/loop-control")
	if err != nil {
		return false
	}
	defer f.Close()
	n, err := unix.IoctlRetInt(int(f.Fd()), unix.LOOP_CTL_GET_FREE)
	return err == nil && n >= 0
}

// hasAppArmor: the kernel enforces profiles, and the program that loads them is where engines look for it.
func hasAppArmor() bool {
	return content("/sys/module/apparmor/parameters/enabled") == "Y" && exists("/sys/kernel/security/apparmor/profiles") &&
		exists("/sbin/apparmor_parser")
}

func hasCPUs(number string) (bool, error) {
	n, err := strconv.Atoi(number)
	return runtime.NumCPU() >= n, err
}

func installed(runtime string) (bool, error) {
	_, err := exec.LookPath(runtime)
	return err == nil, nil
}

func hasSubIDs(user string) (bool, error) {
	for _, file := range []string{"/etc/subuid", "/etc/subgid"} {
		if !strings.Contains("\n"+content(file), "\n"+user+":") {
			return false, nil
		}
	}
	return true, nil
}
