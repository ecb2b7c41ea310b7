package native

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/google/nftables"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/ocispec"
	"github.com/runfile/runfile/executor/state"
)

// Info implements engine.Engine.
func (e *Engine) Info(ctx context.Context) (engine.Info, error) {
	info := Doctor(ctx, e.cfg.Paths)
	// Doctor only looks; a trial of the runtimes tells more.
	info.Runtimes = nil
	for _, name := range defaultRuntimes {
		if _, err := e.runtimes.get(ctx, name, ""); err == nil {
			info.Runtimes = append(info.Runtimes, name)
		}
	}
	return info, ctx.Err()
}

// Doctor looks at the host without changing anything. Each line says what follows and how to repair it.
func Doctor(ctx context.Context, paths state.Paths) engine.Info {
	host := detectHost("", "")
	info := engine.Info{Engine: "native", CgroupVersion: host.CgroupVersion}
	runtimes, checks := checkRuntimes(ctx, paths)
	info.Runtimes = runtimes
	info.Checks = slices.Concat(
		[]engine.Check{checkRoot(), checkKernel(), checkCgroups(host), checkOverlay(), checkNftables()},
		checks,
		[]engine.Check{checkCapability(host), checkAppArmor(host), checkForwarding(), checkRemap(paths), checkDisk(paths.Root)},
	)
	return info
}

func ok(name, detail string) engine.Check {
	return engine.Check{Name: name, State: "ok", Detail: detail}
}

func warn(name, detail, fix string) engine.Check {
	return engine.Check{Name: name, State: "warn", Detail: detail, Fix: fix}
}

func fail(name, detail, fix string) engine.Check {
	return engine.Check{Name: name, State: "fail", Detail: detail, Fix: fix}
}

func checkRoot() engine.Check {
	if os.Geteuid() != 0 {
		return fail("root", "not root: containers cannot be run, only validated and planned", "sudo runfile ...")
	}
	return ok("root", "")
}

// checkKernel: openat2 and pidfd need 5.6, everything we use works from 5.10 on.
func checkKernel() engine.Check {
	var u unix.Utsname
	_ = unix.Uname(&u) // cannot fail with a valid pointer
	release := unix.ByteSliceToString(u.Release[:])
	if !atLeast(release, 5, 10) {
		return fail("kernel", release+": older than 5.10", "update the kernel")
	}
	if !atLeast(release, 5, 12) {
		return warn("kernel", release+": read-only volumes do not cover what is mounted below them", "use 5.12 or newer")
	}
	return ok("kernel", release)
}

func checkCgroups(h ocispec.Host) engine.Check {
	var missing []string
	for _, c := range []string{"cpu", "memory", "pids", "cpuset"} {
		if !h.Controllers[c] {
			missing = append(missing, c)
		}
	}
	mode := fmt.Sprintf("v%d", h.CgroupVersion)
	if _, err := os.Stat(cgroupMount + "/unified"); err == nil && h.CgroupVersion == 1 {
		mode = "v1 hybrid"
	}
	if len(missing) > 0 {
		return warn("cgroup", mode+": no controller "+strings.Join(missing, ", ")+": those limits have no effect",
			"enable the controllers in the kernel and in the parent cgroup")
	}
	if !h.SwapAccounting {
		return warn("cgroup", mode+": no swap accounting: memory-swap has no effect", "boot with swapaccount=1")
	}
	return ok("cgroup", mode)
}

func checkOverlay() engine.Check {
	data, err := os.ReadFile("/proc/filesystems")
	if err == nil && strings.Contains(string(data), "\toverlay\n") {
		return ok("overlayfs", "")
	}
	return fail("overlayfs", "the kernel does not have it: no container can be made", "modprobe overlay")
}

// checkNftables only lists, which needs the netlink family and no change.
func checkNftables() engine.Check {
	conn, err := nftables.New()
	if err == nil {
		_, err = conn.ListTables()
	}
	if err != nil {
		return fail("nf_tables", fmt.Sprintf("%v: no network except none and host", err), "modprobe nf_tables")
	}
	return ok("nf_tables", "")
}

// Oldest versions without known ways out of a container (CVE-2025-31133, CVE-2025-52565, CVE-2025-52881).
var safeVersions = map[string][2]int{"runc": {1, 3}, "crun": {1, 25}}

// checkRuntimes says what there is and what the last trial found. It tries nothing itself.
func checkRuntimes(ctx context.Context, paths state.Paths) (usable []string, checks []engine.Check) {
	known := newRuntimes(paths.Run, nil)
	for _, name := range []string{"crun", "runc"} {
		path, err := lookRuntime(name)
		if err != nil {
			checks = append(checks, warn(name, "not installed", "apt-get install "+name))
			continue
		}
		family, version := identify(ctx, path)
		v, tried := known.remembered(path)
		least := safeVersions[family]
		switch {
		case tried && v.Problem != "":
			checks = append(checks, warn(name, fmt.Sprintf("%s %s does not work here: %s", path, version, v.Problem), "update "+name))
			continue
		case !atLeast(version, least[0], least[1]):
			checks = append(checks, warn(name, fmt.Sprintf("%s %s: older than %d.%d, which closed ways out of containers; "+
				"a distribution may have patched it", path, version, least[0], least[1]), "update "+name))
		default:
			checks = append(checks, ok(name, path+" "+version))
		}
		usable = append(usable, name)
	}
	switch {
	case len(usable) == 0:
		checks = append(checks, fail("runtime", "no usable OCI runtime", "apt-get install crun"))
	case usable[0] == "crun":
		checks = append(checks, ok("runtime", "crun is used: it starts a container with a fifth of runc's CPU time"))
	default:
		checks = append(checks, ok("runtime", usable[0]+" is used: crun is not usable"))
	}
	return usable, checks
}

func checkCapability(h ocispec.Host) engine.Check {
	var missing []string
	for i, name := range []string{"CAP_SYS_RESOURCE", "CAP_SYS_ADMIN", "CAP_NET_ADMIN"} {
		if !slices.Contains(h.Caps, name) {
			missing = append(missing, name)
			if i > 0 {
				return fail("capabilities", "without "+name+" no container can be run", "run runfile with all capabilities")
			}
		}
	}
	if len(missing) > 0 {
		return warn("capabilities", "without CAP_SYS_RESOURCE: ulimit cannot raise a hard limit", "run runfile with all capabilities")
	}
	return ok("capabilities", "")
}

// checkAppArmor: without the program that loads profiles, containers run without one.
func checkAppArmor(h ocispec.Host) engine.Check {
	switch {
	case !h.AppArmor:
		return ok("apparmor", "not in use by this kernel")
	case h.HasProfile(ocispec.DefaultProfile):
		return ok("apparmor", ocispec.DefaultProfile+" is loaded")
	case h.CanLoad:
		return ok("apparmor", ocispec.DefaultProfile+" is loaded with the first container that wants it")
	}
	return warn("apparmor", "there is no apparmor_parser: containers run without the profile "+ocispec.DefaultProfile, "apt-get install apparmor")
}

func checkForwarding() engine.Check {
	data, err := os.ReadFile("/proc/sys/net/ipv4/ip_forward")
	if err == nil && strings.TrimSpace(string(data)) == "1" {
		return ok("ip_forward", "on")
	}
	return warn("ip_forward", "off: it is turned on with the first network, which makes this host a router",
		"sysctl -w net.ipv4.ip_forward=1")
}

// checkDisk looks at the file system of the state directory, or of its closest parent that exists.
func checkDisk(dir string) engine.Check {
	var st unix.Statfs_t
	for unix.Statfs(dir, &st) != nil && dir != "/" {
		dir = dir[:max(1, strings.LastIndexByte(dir, '/'))]
	}
	free := st.Bavail * uint64(st.Bsize)
	detail := fmt.Sprintf("%s: %.1f GiB free", dir, float64(free)/(1<<30))
	if free < 1<<30 {
		return warn("disk", detail, "free some space: images and logs need it")
	}
	return ok("disk", detail)
}
