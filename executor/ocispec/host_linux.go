package ocispec

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	goruntime "runtime"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Host is what Build has to know about the machine and the runtime.
type Host struct {
	// CgroupVersion is 2 for a pure v2 host and 1 for v1 and hybrid ones.
	CgroupVersion int
	// Runtime is the family of the runtime: crun, runc, or the base name of another one.
	Runtime        string
	RuntimeVersion string // "1.8.1"
	// Caps are the capabilities this process may give away, CAP_ names in kernel order.
	Caps []string
	// CPUs is the number of processors; OnlineCPUs and MemoryNodes list them as cpusets do ("0-3"), "" = unknown.
	CPUs                    int
	OnlineCPUs, MemoryNodes string
	// RealTime says whether groups can be given real-time CPU time (v1 with RT_GROUP_SCHED).
	RealTime bool
	// OOMScoreAdj is our own score, below which nobody gets without CAP_SYS_RESOURCE.
	OOMScoreAdj int64
	// AppArmor and SELinux say which security module is at work and can be used.
	AppArmor, SELinux bool
	// HasProfile says whether AppArmor has a profile now. CanLoad says that DefaultProfile will be there when a container
	// starts: whoever calls Build loads it.
	HasProfile func(name string) bool
	CanLoad    bool
	// HasSysctl says whether the kernel has a setting.
	HasSysctl func(key string) bool
	// BlockWeight says whether groups have a weight of block I/O. It is looked up when needed, since it takes a group.
	BlockWeight func() bool
	// BlockDevice returns the numbers of a block device; Scheduler its I/O scheduler; Partition whether it is one.
	BlockDevice func(path string) (major, minor int64, err error)
	Scheduler   func(major, minor int64) string
	Partition   func(major, minor int64) bool
	// SwapAccounting says whether memory+swap can be limited.
	SwapAccounting bool
	// CPUWeight etc.: on v1 every controller is its own hierarchy; Controllers names those that exist.
	Controllers map[string]bool
	// MaskPaths are the files and directories of the host that docker hides and that exist here.
	MaskPaths []string
	// Devices returns the device nodes of the host, for privileged containers. It is read when needed, since devices
	// come and go.
	Devices func() ([]specs.LinuxDevice, error)
}

// DetectHost reads the facts of this machine. runtime and version describe the runtime that will be used. It does not
// change anything and never fails: what cannot be read counts as missing.
func DetectHost(runtime, version string) Host {
	h := Host{CgroupVersion: 1, Runtime: runtime, RuntimeVersion: version, Devices: hostDevices}
	h.Caps = ownCapabilities()
	var st unix.Statfs_t
	if unix.Statfs("/sys/fs/cgroup", &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC {
		h.CgroupVersion = 2
	}
	h.Controllers = controllers(h.CgroupVersion)
	h.SwapAccounting = swapAccounting(h.CgroupVersion)
	h.MaskPaths = existingMasks()
	h.CPUs = goruntime.NumCPU()
	h.OnlineCPUs, h.MemoryNodes = firstLine("/sys/devices/system/cpu/online"), firstLine("/sys/devices/system/node/has_memory")
	_, err := os.Stat("/sys/fs/cgroup/cpu/cpu.rt_runtime_us")
	h.RealTime = err == nil
	h.OOMScoreAdj, _ = strconv.ParseInt(firstLine("/proc/self/oom_score_adj"), 10, 64) // 0 if it cannot be read
	_, err = os.Stat(loadedProfiles)
	h.AppArmor = err == nil && strings.HasPrefix(firstLine("/sys/module/apparmor/parameters/enabled"), "Y")
	_, err = os.Stat("/sys/fs/selinux/enforce")
	h.SELinux = err == nil
	h.HasProfile = hasProfile
	h.HasSysctl = hasSysctl
	h.BlockWeight = sync.OnceValue(func() bool { return blockWeight(h.CgroupVersion) })
	h.BlockDevice, h.Scheduler, h.Partition = blockDevice, scheduler, isPartition
	return h
}

// firstLine is the first line of a small file, "" if it cannot be read.
func firstLine(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return line
}

// loadedProfiles is AppArmor's list: lines of "NAME (MODE)".
const loadedProfiles = "/sys/kernel/security/apparmor/profiles"

// hasProfile looks each time, since an administrator may load a profile for a container that could not start.
func hasProfile(name string) bool {
	data, err := os.ReadFile(loadedProfiles)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if i := strings.LastIndex(line, " ("); i > 0 && line[:i] == name {
			return true
		}
	}
	return false
}

// hasSysctl looks at the host's own settings: the container's are the same, except for those of an interface, which
// only its network has.
func hasSysctl(key string) bool {
	if strings.Contains(key, ".conf.") || strings.Contains(key, ".neigh.") {
		return true
	}
	_, err := os.Stat("/proc/sys/" + strings.ReplaceAll(key, ".", "/"))
	return !errors.Is(err, fs.ErrNotExist)
}

func controllers(version int) map[string]bool {
	out := map[string]bool{}
	if version == 2 {
		data, _ := os.ReadFile("/sys/fs/cgroup/cgroup.controllers")
		for _, c := range strings.Fields(string(data)) {
			out[c] = true
		}
		return out
	}
	f, err := os.Open("/proc/self/cgroup")
	if err != nil {
		return out
	}
	defer f.Close() // read only
	for s := bufio.NewScanner(f); s.Scan(); {
		if parts := strings.SplitN(s.Text(), ":", 3); len(parts) == 3 {
			for _, c := range strings.Split(parts[1], ",") {
				if c != "" && !strings.HasPrefix(c, "name=") {
					out[c] = true
				}
			}
		}
	}
	return out
}

// swapAccounting: v1 has the file in the root of the hierarchy, v2 only in children, and the kernel has it since 5.8
// unless it was switched off, which shows in our own cgroup if that is not the root.
func swapAccounting(version int) bool {
	if version == 1 {
		_, err := os.Stat("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes")
		return err == nil
	}
	files, _ := filepath.Glob("/sys/fs/cgroup/*/memory.swap.max")
	if len(files) > 0 {
		return true
	}
	_, err := os.Stat("/proc/swaps")
	return err == nil
}

// capabilityNames in kernel order: the index is the bit.
var capabilityNames = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
	"CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
	"CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
	"CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
	"CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
}

// ownCapabilities: what is not in our own permitted set cannot be given to a container.
func ownCapabilities() []string {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&hdr, &data[0]) != nil {
		return nil
	}
	set := uint64(data[1].Permitted)<<32 | uint64(data[0].Permitted)
	names := make([]string, 0, bits.OnesCount64(set))
	for i, n := range capabilityNames {
		if set&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

// existingMasks resolves docker's list, whose thermal entry is a pattern: one file for each CPU.
func existingMasks() []string {
	var out []string
	for _, p := range maskedPaths {
		if found, _ := filepath.Glob(p); len(found) > 0 {
			sort.Strings(found)
			out = append(out, found...)
		}
	}
	return out
}

// devSkip are the parts of /dev that each container has of its own, or that belong to other container managers.
var devSkip = map[string]bool{
	"pts": true, "shm": true, "fd": true, "mqueue": true, ".lxc": true, ".lxd-mounts": true, ".udev": true, "console": true,
}

// hostDevices lists the block and character devices below /dev. Symbolic links are left out: the node they mean is
// listed itself.
func hostDevices() ([]specs.LinuxDevice, error) { return devicesBelow("/dev", "/dev", devSkip) }

// devicesBelow lists the device nodes below dir as they shall appear below target. FIFOs, sockets and overlay's
// whiteouts (0:0) are no devices.
func devicesBelow(dir, target string, skip map[string]bool) ([]specs.LinuxDevice, error) {
	var out []specs.LinuxDevice
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went away while we walked
		}
		if err != nil {
			return err
		}
		if skip[d.Name()] && filepath.Dir(p) == dir {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.Type()&fs.ModeDevice == 0 {
			return nil
		}
		dev, err := deviceAt(p, target+strings.TrimPrefix(p, dir))
		if err == nil && dev.Major != 0 {
			out = append(out, dev)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	return out, nil
}

var errNoDevice = errors.New("not a device")

// deviceAt describes the node at path as a device at target. The last symbolic link must have been resolved.
func deviceAt(path, target string) (specs.LinuxDevice, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return specs.LinuxDevice{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	kind := ""
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFBLK:
		kind = "b"
	case unix.S_IFCHR:
		kind = "c"
	default:
		return specs.LinuxDevice{}, fmt.Errorf("%s: %w", path, errNoDevice)
	}
	mode, uid, gid := os.FileMode(st.Mode&0o7777), st.Uid, st.Gid
	return specs.LinuxDevice{
		Path: target, Type: kind, Major: int64(unix.Major(st.Rdev)), Minor: int64(unix.Minor(st.Rdev)),
		FileMode: &mode, UID: &uid, GID: &gid,
	}, nil
}
