package ocispec

import (
	"slices"
	"strings"
	"sync"

	"github.com/containerd/containerd/v2/contrib/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/runfile/runfile/schema/value"
)

// defaultCaps are docker's 14.
var defaultCaps = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
	"CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
}

// maskedPaths and readonlyPaths are docker's; those that the kernel lacks are left out when the host is looked at.
var (
	maskedPaths = []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
		"/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap",
		"/sys/firmware", "/sys/devices/system/cpu/cpu[0-9]*/thermal_throttle",
	}
	readonlyPaths = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
)

// masks hides what docker hides, unless the container is privileged or asked for systempaths=unconfined.
func (b *builder) masks() error {
	open := slices.ContainsFunc(b.c.Security.Options.Values(), func(o value.SecurityOpt) bool {
		return o.Key == "systempaths" && o.Value == unconfined
	})
	if b.privileged() || open {
		return nil
	}
	b.spec.Linux.MaskedPaths = b.in.Host.MaskPaths
	b.spec.Linux.ReadonlyPaths = slices.Clone(readonlyPaths)
	return nil
}

// capabilities sets bounding, effective and permitted; inheritable and ambient stay empty, so that a user other than
// root has none.
func (b *builder) capabilities() error {
	own := b.in.Host.Caps
	set, err := capabilitySet(own, b.privileged(), b.c.Security.CapAdd.Values(), b.c.Security.CapDrop.Values())
	if err != nil {
		return err
	}
	b.caps = set
	b.spec.Process.Capabilities = &specs.LinuxCapabilities{Bounding: set, Effective: set, Permitted: set}
	return nil
}

// capabilitySet follows docker: privileged is all we have; add ALL is all minus the drops; drop ALL is exactly the
// adds; else the defaults minus drops plus adds, so that a name in both is kept.
func capabilitySet(own []string, privileged bool, add, drop []string) ([]string, error) {
	for _, name := range add {
		if name != "ALL" && !slices.Contains(own, name) && !privileged {
			if !slices.Contains(capabilityNames, name) {
				return nil, refuse("cap-add", "unknown capability %q", name)
			}
			return nil, refuse("cap-add", "%s cannot be given: runfile itself runs without it", name)
		}
	}
	want := func(name string) bool {
		return slices.Contains(defaultCaps, name) && !slices.Contains(drop, name) || slices.Contains(add, name)
	}
	switch {
	case privileged:
		want = func(string) bool { return true }
	case slices.Contains(add, "ALL"):
		want = func(name string) bool { return !slices.Contains(drop, name) }
	case slices.Contains(drop, "ALL"):
		want = func(name string) bool { return slices.Contains(add, name) }
	}
	out := []string{} // never nil: "no capabilities" must be written down
	for _, name := range own {
		if want(name) {
			out = append(out, name)
		}
	}
	return out, nil
}

// DefaultProfile is the AppArmor profile of containers that name none, as docker calls it.
const DefaultProfile = "docker-default"

// unconfined is the value of an option that takes a restriction away.
const unconfined = "unconfined"

// confine applies the AppArmor and SELinux options. Where the host has neither, docker is silent; we say so.
func (b *builder) confine() error {
	profile := ""
	if !b.privileged() && b.hasProfile(DefaultProfile) {
		profile = DefaultProfile
	}
	for _, o := range b.c.Security.Options.Values() {
		switch o.Key {
		case "apparmor":
			switch {
			case !b.in.Host.AppArmor:
				b.lacksEntry("security-opt", "apparmor="+o.Value, "this host has no AppArmor")
			case o.Value == unconfined:
				profile = ""
			case !b.hasProfile(o.Value):
				b.refuses("security-opt", "apparmor="+o.Value, "load it with apparmor_parser, or name one that "+loadedProfiles+" lists",
					"the AppArmor profile %q is not loaded", o.Value)
			default:
				profile = o.Value
			}
		case "label":
			b.label(o.Value)
		}
	}
	b.spec.Process.ApparmorProfile = profile
	return nil
}

// hasProfile says whether AppArmor has a profile, or will have it when the container starts.
func (b *builder) hasProfile(name string) bool {
	h := b.in.Host
	return h.AppArmor && (h.HasProfile(name) || name == DefaultProfile && h.CanLoad)
}

func (b *builder) label(text string) {
	switch {
	case text == "disable": // containers are not labelled
	case b.in.Host.SELinux:
		b.refuses("security-opt", "label="+text, "write label=disable", "SELinux labels cannot be set yet (label=%s)", text)
	default:
		b.lacksEntry("security-opt", "label="+text, "this host has no SELinux")
	}
}

// seccomp comes last, because the default profile allows more system calls to more capabilities. A privileged
// container has none unless one is asked for.
func (b *builder) seccomp() error {
	mode := ""
	for _, o := range b.c.Security.Options.Values() {
		if o.Key == "seccomp" {
			mode = o.Value
		}
	}
	switch {
	case mode == unconfined, mode == "" && b.privileged():
		return nil
	case mode == "", mode == "builtin":
		b.spec.Linux.Seccomp = defaultProfile(b.caps)
		return nil
	}
	if b.c.Security.SeccompProfile == "" {
		return refuse("security-opt", "seccomp profile %s was not read", mode)
	}
	profile, err := b.ownSeccomp()
	if err != nil {
		return refuse("security-opt", "seccomp profile %s: %w", mode, err)
	}
	b.spec.Linux.Seccomp = profile
	return nil
}

// ownSeccomp is the profile of a file, for the capabilities of the container.
func (b *builder) ownSeccomp() (*specs.LinuxSeccomp, error) {
	key := strings.Join(b.caps, " ") + "\n" + b.c.Security.SeccompProfile
	if p, ok := profiles.Load(key); ok {
		return p.(*specs.LinuxSeccomp), nil
	}
	p, err := parseSeccomp([]byte(b.c.Security.SeccompProfile), b.caps)
	if err != nil {
		return nil, err
	}
	kept, _ := profiles.LoadOrStore(key, p)
	return kept.(*specs.LinuxSeccomp), nil
}

// profiles keeps what was made of each profile for each capability set: it has some 400 names, and who gets the same
// pointer again knows that it is the same profile.
var profiles sync.Map // string -> *specs.LinuxSeccomp

func defaultProfile(caps []string) *specs.LinuxSeccomp {
	key := strings.Join(caps, " ")
	if p, ok := profiles.Load(key); ok {
		return p.(*specs.LinuxSeccomp)
	}
	p := seccomp.DefaultProfile(&specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: caps}}})
	kept, _ := profiles.LoadOrStore(key, p)
	return kept.(*specs.LinuxSeccomp)
}
