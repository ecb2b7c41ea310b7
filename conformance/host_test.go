package conformance

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// snapshot is what a run could leave on the host, one line a thing.
type snapshot map[string]bool

// observe lists mounts, links, nft tables and rules, network namespaces, cgroups and processes.
func observe() snapshot {
	s := make(snapshot)
	for _, line := range output("cat", "/proc/self/mountinfo") {
		if f := strings.Fields(line); len(f) > 4 {
			s["mount "+f[4]] = true
		}
	}
	for _, line := range output("ip", "-o", "link") {
		if f := strings.Fields(line); len(f) > 1 {
			s["link "+f[1]] = true
		}
	}
	for _, line := range output("nft", "list", "tables") {
		s["nft "+line] = true
	}
	for _, line := range output("nft", "list", "ruleset") {
		if strings.Contains(line, "runfile") {
			s["nft rule "+strings.TrimSpace(line)] = true
		}
	}
	for _, line := range output("ip", "netns") {
		s["netns "+line] = true
	}
	cgroups, _ := filepath.Glob("/sys/fs/cgroup/*/runfile*")
	more, _ := filepath.Glob("/sys/fs/cgroup/runfile*")
	for _, top := range append(cgroups, more...) {
		_ = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				s["cgroup "+path] = true
			}
			return nil
		})
	}
	processes(s)
	return s
}

// processes adds supervisors and runtimes, and every process in a network namespace that is not ours.
func processes(s snapshot) {
	own, _ := os.Readlink("/proc/self/ns/net")
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		cmdline, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || len(cmdline) == 0 {
			continue
		}
		words := strings.TrimRight(strings.ReplaceAll(string(cmdline), "\x00", " "), " ")
		ns, _ := os.Readlink(filepath.Join(dir, "ns/net"))
		if strings.Contains(words, "runfile supervise") || (ns != "" && ns != own) {
			s["process "+filepath.Base(dir)+" "+words] = true
		}
	}
}

func output(name string, args ...string) []string {
	out, err := exec.Command(name, args...).Output()
	if err != nil || len(out) == 0 {
		return nil
	}
	return strings.Split(strings.TrimRight(string(out), "\n"), "\n")
}

// leaked lists what is there now and was not before. The kernel takes network namespaces apart in the background, and a
// supervisor ends a moment after its last container: both get some seconds.
func leaked(before snapshot) []string {
	deadline := time.Now().Add(10 * time.Second)
	for {
		var left []string
		for thing := range observe() {
			if !before[thing] {
				left = append(left, thing)
			}
		}
		slices.Sort(left)
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		time.Sleep(50 * time.Millisecond)
	}
}
