package docker

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// What differs from run to run and means nothing.
var (
	longID  = regexp.MustCompile(`[0-9a-f]{64}`)
	shortID = regexp.MustCompile(`\b[0-9a-f]{12}\b`)
	address = regexp.MustCompile(`\b(172|10|192\.168)(\.[0-9]+)+\b(/[0-9]+)?`)
	spaces  = regexp.MustCompile(`\s+`)
	cgroup  = regexp.MustCompile(`^(proc /proc/self/cgroup:[0-9]+:[^:]*:)/.+`)
)

// normalise turns what collect.sh printed into facts that two runs can share. netns is the network namespace that is the
// host's for the engine.
func normalise(out, netns string) []string {
	var facts []string
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(spaces.ReplaceAllString(line, " "))
		subject, rest, _ := strings.Cut(line, " ")
		switch subject {
		case "mount":
			line = "mount " + mount(rest)
		case "ns":
			line = "ns " + namespace(rest, netns)
		}
		line = cgroup.ReplaceAllString(line, "${1}/GROUP")
		line = longID.ReplaceAllString(line, "ID")
		line = shortID.ReplaceAllString(line, "ID")
		line = address.ReplaceAllString(line, "ADDRESS")
		facts = append(facts, line)
	}
	slices.Sort(facts)
	return facts
}

// virtual file systems show which part of them is mounted; others only that something is.
var virtual = strings.Fields("proc sysfs tmpfs devpts mqueue cgroup cgroup2 devtmpfs")

// mount is a line of mountinfo without numbers: where, type, options, what of it.
func mount(info string) string {
	f := strings.Fields(info)
	sep := slices.Index(f, "-")
	if sep < 6 || len(f) < sep+4 {
		return info
	}
	root, at, options, fstype, super := f[3], f[4], f[5], f[sep+1], f[sep+3]
	propagation := strings.Join(f[6:sep], " ")
	propagation = regexp.MustCompile(`[0-9]+`).ReplaceAllString(propagation, "N")
	switch {
	case fstype == "overlay":
		root, super = "/", only(super, "ro", "rw")
	case fstype == "cgroup" || fstype == "cgroup2":
		root = "/GROUP"
	case !slices.Contains(virtual, fstype):
		// A bind mount of a file or folder of the host's.
		root, fstype, super = "...", "bind", ""
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s of %s %s %s", at, fstype, sorted(options), root, sorted(super), propagation))
}

func sorted(options string) string {
	list := strings.Split(options, ",")
	slices.Sort(list)
	return strings.Join(list, ",")
}

func only(options string, names ...string) string {
	list := slices.DeleteFunc(strings.Split(options, ","), func(o string) bool { return !slices.Contains(names, o) })
	return strings.Join(list, ",")
}

// namespace says whether a namespace is the host's.
func namespace(link, netns string) string {
	name, id, _ := strings.Cut(link, " ")
	hosts, _ := os.Readlink("/proc/self/ns/" + name)
	if name == "net" {
		hosts = netns
	}
	if id == hosts {
		return name + " host"
	}
	return name + " own"
}
