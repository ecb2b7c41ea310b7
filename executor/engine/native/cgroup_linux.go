package native

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// cgroupTop is the parent of all cgroups of ours, in every hierarchy: cgroupTop/PROJECT/ID.
const cgroupTop = "/runfile"

const (
	cgroupMount  = "/sys/fs/cgroup"
	unifiedMount = "/sys/fs/cgroup/unified" // the v2 tree beside those of v1
)

// hierarchies lists the mounted cgroup trees: one on v2, one per controller on v1.
func hierarchies() []string {
	if onUnified() {
		return []string{cgroupMount}
	}
	entries, err := os.ReadDir(cgroupMount)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() { // the others are links such as cpu,cpuacct
			out = append(out, filepath.Join(cgroupMount, e.Name()))
		}
	}
	return out
}

// onUnified reports whether the host has cgroup v2 alone.
func onUnified() bool {
	var st unix.Statfs_t
	return unix.Statfs(cgroupMount, &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC
}

// makeCgroup makes a cgroup in all hierarchies that the runtime will see. Runtimes would do so, too, but fail if another
// supervisor, which has just become the last one to leave, removes the parents at that moment.
func makeCgroup(path string) error {
	for _, h := range hierarchies() {
		if h == unifiedMount {
			continue
		}
		err := makeGroups(h, path)
		for range 100 {
			if !errors.Is(err, fs.ErrNotExist) {
				break
			}
			err = makeGroups(h, path)
		}
		if err != nil {
			return fmt.Errorf("make the cgroup: %w", err)
		}
	}
	return nil
}

// madeMark is an extended attribute of the cgroups that we made, and not somebody else for cgroup-parent. It lives and
// goes with the directory, so that no state of ours can be wrong about it.
const madeMark = "trusted.runfile"

// makeGroups makes a cgroup and those above it in one hierarchy, and marks what it made.
func makeGroups(hierarchy, path string) error {
	dir := hierarchy
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		dir = filepath.Join(dir, name)
		switch err := os.Mkdir(dir, 0o755); {
		case err == nil:
			_ = unix.Setxattr(dir, madeMark, []byte("1"), 0) // without the mark the group only stays
		case !errors.Is(err, fs.ErrExist):
			return err
		}
	}
	return nil
}

// leaveParents removes the cgroups above a container's that we made and that are empty now. Those of ours stay until the
// last container of the project goes.
func leaveParents(path string) {
	if strings.HasPrefix(path, cgroupTop+"/") {
		return
	}
	for _, h := range hierarchies() {
		for p := filepath.Dir(path); p != "/"; p = filepath.Dir(p) {
			dir := filepath.Join(h, p)
			var mark [1]byte
			if n, err := unix.Getxattr(dir, madeMark, mark[:]); err != nil || n != 1 || unix.Rmdir(dir) != nil {
				break
			}
		}
	}
}

// removeCgroups removes an empty cgroup with everything below it, in all hierarchies, and kills nothing: what still has
// processes stays. Runtimes leave directories behind when they are killed half-way.
func removeCgroups(path string) {
	for _, h := range hierarchies() {
		removeTree(filepath.Join(h, path))
	}
	leaveParents(path)
	returnRealtime(path)
}

// removeTree is depth first: only rmdir works on a cgroup, its files come and go with it.
func removeTree(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.IsDir() {
			removeTree(filepath.Join(dir, e.Name()))
		}
	}
	_ = unix.Rmdir(dir)
}

// removeCgroupParents removes the cgroups above those of a project's containers if nothing is in them.
func removeCgroupParents(project string) {
	for _, h := range hierarchies() {
		_ = unix.Rmdir(filepath.Join(h, cgroupTop, project))
		_ = unix.Rmdir(filepath.Join(h, cgroupTop))
	}
}

// cgroupDir is where the container's cgroup of a controller is; on v2 it is the same for all.
func cgroupDir(controller, path string) string {
	if _, err := os.Stat(filepath.Join(cgroupMount, "cgroup.controllers")); err == nil {
		return filepath.Join(cgroupMount, path)
	}
	return filepath.Join(cgroupMount, controller, path)
}

// oomKills counts the processes of a cgroup that the kernel has killed for lack of memory. Ask before the cgroup is
// removed.
func oomKills(path string) int {
	dir := cgroupDir("memory", path)
	for _, name := range []string{"memory.events", "memory.oom_control"} {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		defer f.Close() // read only
		for s := bufio.NewScanner(f); s.Scan(); {
			if n, ok := strings.CutPrefix(s.Text(), "oom_kill "); ok {
				count, _ := strconv.Atoi(n)
				return count
			}
		}
	}
	return 0
}

// killCgroup kills every process of a cgroup: those of a container whose PID namespace is not its own, where nothing
// else ends what PID 1 left behind, and those of a runtime that was killed in the middle. It goes on until the cgroup is
// empty, since processes may fork meanwhile, and looks into every hierarchy, since they join one after the other.
func killCgroup(path string) {
	dirs := hierarchies()
	for i, h := range dirs {
		dirs[i] = filepath.Join(h, path)
	}
	for range 200 {
		var pids []int
		for _, d := range dirs {
			pids = append(pids, cgroupProcesses(d)...)
		}
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			_ = unix.Kill(pid, unix.SIGKILL)
			var ws unix.WaitStatus
			_, _ = unix.Wait4(pid, &ws, unix.WNOHANG, nil) // an orphan of a shared PID namespace is our child
		}
		waitABit()
	}
}

func cgroupProcesses(dir string) []int {
	data, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return nil
	}
	var pids []int
	for word := range strings.FieldsSeq(string(data)) {
		// 0 is a process of another PID namespace, and as a target our own process group.
		if pid, err := strconv.Atoi(word); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids
}
