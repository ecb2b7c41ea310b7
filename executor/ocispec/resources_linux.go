package ocispec

import (
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/schema/value"
)

// cpuPeriod is docker's scheduling period for cpus, microseconds.
const cpuPeriod = 100_000

// resources writes only what was asked for: zero values mean different things to different runtimes (pids.limit 0 is
// 1 in runc 1.4 and unlimited in crun), and crun refuses on v2 what runc ignores.
func (b *builder) resources() error {
	b.memory()
	if err := b.cpu(); err != nil {
		return err
	}
	if n := b.c.Resources.PidsLimit.Value; n > 0 {
		if b.has("pids", "pids-limit") {
			b.spec.Linux.Resources.Pids = &specs.LinuxPids{Limit: &n}
		}
	}
	return nil
}

// has reports whether the host can limit by that controller, and warns if not.
func (b *builder) has(controller, option string) bool {
	if b.in.Host.Controllers[controller] {
		return true
	}
	b.warn("%s has no effect: this host has no %s cgroup controller", option, controller)
	return false
}

// memory: memory-swap is memory plus swap, and twice the memory unless given. Both cgroup versions get the OCI meaning;
// the runtime converts.
func (b *builder) memory() {
	limit, swap := b.c.Resources.Memory.Value, b.c.Resources.MemorySwap.Value
	if limit <= 0 || !b.has("memory", "memory") {
		return
	}
	m := &specs.LinuxMemory{Limit: &limit}
	b.spec.Linux.Resources.Memory = m
	switch {
	case !b.in.Host.SwapAccounting:
		if swap != 0 {
			b.warn("memory-swap has no effect: this kernel does not account for swap")
		}
		return
	case swap == 0 && limit <= math.MaxInt64/2:
		swap = 2 * limit
	case swap == 0:
		return
	}
	m.Swap = &swap
}

func (b *builder) cpu() error {
	r := b.c.Resources
	cpu := &specs.LinuxCPU{}
	if n := r.NanoCPUs.Value; n > 0 {
		if host := int64(runtime.NumCPU()); n > host*1e9 {
			return refuse("cpus", "more CPUs than this host has (got %s, host has %d)", trimFloat(float64(n)/1e9), host)
		}
		if b.has("cpu", "cpus") {
			period, quota := uint64(cpuPeriod), n*cpuPeriod/1e9
			cpu.Period, cpu.Quota = &period, &quota
		}
	}
	if n := r.CPUShares.Value; n > 0 && b.has("cpu", "cpu-shares") {
		if b.in.Host.CgroupVersion == 2 {
			// Runtimes before runc 1.4 and crun 1.23 convert with another formula; we say the weight ourselves.
			b.spec.Linux.Resources.Unified = map[string]string{"cpu.weight": strconv.FormatUint(CPUWeight(uint64(n)), 10)}
		} else {
			shares := uint64(n)
			cpu.Shares = &shares
		}
	}
	if set := r.CPUSetCPUs.Value; set != "" && b.has("cpuset", "cpuset-cpus") {
		if err := checkCPUSet(set); err != nil {
			return err
		}
		cpu.Cpus = set
	}
	if *cpu != (specs.LinuxCPU{}) {
		b.spec.Linux.Resources.CPU = cpu
	}
	return nil
}

func trimFloat(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// CPUWeight converts cpu-shares (2 to 262144, default 1024) into cgroup v2's cpu.weight (1 to 10000, default 100) so
// that both defaults and both ends meet: the formula of runc 1.4 and crun 1.23.
func CPUWeight(shares uint64) uint64 {
	if shares <= 2 {
		return 1
	}
	if shares >= 262144 {
		return 10000
	}
	l := math.Log2(float64(shares))
	return uint64(math.Ceil(math.Pow(10, (l*l+125*l)/612-7.0/34)))
}

// checkCPUSet refuses CPUs that are not online, which the kernel would only call "invalid argument".
func checkCPUSet(set string) error {
	data, err := os.ReadFile("/sys/devices/system/cpu/online")
	if err != nil {
		return nil // then the kernel will say
	}
	online := strings.TrimSpace(string(data))
	have, err := parseCPUList(online)
	if err != nil {
		return nil // likewise
	}
	want, err := parseCPUList(set)
	if err != nil {
		return refuse("cpuset-cpus", "%w", err)
	}
	for _, n := range want {
		if !slices.Contains(have, n) {
			return refuse("cpuset-cpus", "CPU %d is not available; this host has %s", n, online)
		}
	}
	return nil
}

func parseCPUList(text string) ([]int, error) {
	var out []int
	for part := range strings.SplitSeq(text, ",") {
		a, b, isRange := strings.Cut(part, "-")
		if !isRange {
			b = a
		}
		first, err := strconv.Atoi(a)
		if err != nil {
			return nil, fmt.Errorf("%q is not a list of CPUs like 0-3,5", text)
		}
		last, err := strconv.Atoi(b)
		if err != nil || last < first || last > 8192 {
			return nil, fmt.Errorf("%q is not a list of CPUs like 0-3,5", text)
		}
		for n := first; n <= last; n++ {
			out = append(out, n)
		}
	}
	return out, nil
}

// devices: everything is denied except docker's list and what was asked for; the runtimes add pts, ptmx and mknod.
func (b *builder) devices() error {
	l := b.spec.Linux
	if b.privileged() {
		nodes, err := b.in.Host.Devices()
		if err != nil {
			return err
		}
		l.Devices = nodes
		l.Resources.Devices = []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}
	} else {
		l.Resources.Devices = defaultDeviceRules()
	}
	for _, d := range b.c.Devices.Devices.Values() {
		if b.privileged() && d.Source == d.Target {
			continue // it is there already
		}
		if err := b.addDevice(d); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) addDevice(d value.Device) error {
	nodes, err := resolveDevice(d)
	if err != nil {
		return err
	}
	access := d.Permissions
	if access == "" {
		access = "rwm"
	}
	l := b.spec.Linux
	for _, n := range nodes {
		l.Devices = slices.DeleteFunc(l.Devices, func(have specs.LinuxDevice) bool { return have.Path == n.Path })
		l.Devices = append(l.Devices, n)
		if b.privileged() {
			continue
		}
		major, minor := n.Major, n.Minor
		l.Resources.Devices = append(l.Resources.Devices,
			specs.LinuxDeviceCgroup{Allow: true, Type: n.Type, Major: &major, Minor: &minor, Access: access})
	}
	return nil
}

// resolveDevice finds the node, or all nodes below a directory.
func resolveDevice(d value.Device) ([]specs.LinuxDevice, error) {
	target := d.Target
	if target == "" {
		target = d.Source
	}
	real, err := filepath.EvalSymlinks(d.Source)
	if err != nil {
		return nil, refuse("device", "%s: no such device on this host", d.Source)
	}
	st, err := os.Stat(real)
	if err != nil {
		return nil, refuse("device", "%s: %w", d.Source, err)
	}
	if !st.IsDir() {
		dev, err := deviceAt(real, path.Clean(target))
		if err != nil {
			return nil, refuse("device", "%s is not a device", d.Source)
		}
		return []specs.LinuxDevice{dev}, nil
	}
	nodes, err := devicesBelow(real, path.Clean(target), nil)
	if err == nil && len(nodes) == 0 {
		err = refuse("device", "there is no device below %s", d.Source)
	}
	return nodes, err
}

// defaultDeviceRules is what docker puts into the specification: null, zero, full, random, urandom, tty, console.
func defaultDeviceRules() []specs.LinuxDeviceCgroup {
	rules := []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}
	for _, n := range [][2]int64{{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 1}} {
		rules = append(rules, specs.LinuxDeviceCgroup{Allow: true, Type: "c", Major: &n[0], Minor: &n[1], Access: "rwm"})
	}
	return rules
}

var rlimitNumbers = map[string]int{
	"core": unix.RLIMIT_CORE, "cpu": unix.RLIMIT_CPU, "data": unix.RLIMIT_DATA, "fsize": unix.RLIMIT_FSIZE,
	"locks": unix.RLIMIT_LOCKS, "memlock": unix.RLIMIT_MEMLOCK, "msgqueue": unix.RLIMIT_MSGQUEUE, "nice": unix.RLIMIT_NICE,
	"nofile": unix.RLIMIT_NOFILE, "nproc": unix.RLIMIT_NPROC, "rss": unix.RLIMIT_RSS, "rtprio": unix.RLIMIT_RTPRIO,
	"rttime": unix.RLIMIT_RTTIME, "sigpending": unix.RLIMIT_SIGPENDING, "stack": unix.RLIMIT_STACK,
}

// checkRlimits says by name what the kernel would refuse without one: raising a hard limit needs CAP_SYS_RESOURCE, and
// nofile has a ceiling of its own.
func (b *builder) checkRlimits() error {
	canRaise := slices.Contains(b.in.Host.Caps, "CAP_SYS_RESOURCE")
	for _, u := range b.spec.Process.Rlimits {
		name := strings.ToLower(strings.TrimPrefix(u.Type, "RLIMIT_"))
		number, known := rlimitNumbers[name]
		if !known {
			return refuse("ulimit", "unknown limit %q", name)
		}
		var have unix.Rlimit
		if !canRaise && unix.Getrlimit(number, &have) == nil && u.Hard > have.Max {
			return refuse("ulimit", "%s: the hard limit cannot be raised above %d: runfile itself runs without CAP_SYS_RESOURCE",
				name, have.Max)
		}
		if name == "nofile" {
			if most, ok := readNumber("/proc/sys/fs/nr_open"); ok && u.Hard > most {
				return refuse("ulimit", "nofile: the kernel allows at most %d (fs.nr_open)", most)
			}
		}
	}
	return nil
}

func readNumber(file string) (uint64, bool) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64)
	return n, err == nil
}
