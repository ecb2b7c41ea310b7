package native

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// cgroupTop is the parent of all cgroups of ours, in every hierarchy: cgroupTop/PROJECT/ID.
const cgroupTop = "/runfile"

const cgroupMount = "/sys/fs/cgroup"

// hierarchies lists the mounted cgroup trees: one on v2, one per controller on v1.
func hierarchies() []string {
	var st unix.Statfs_t
	if unix.Statfs(cgroupMount, &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC {
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

// holdCgroups keeps parent cgroups from being removed while a runtime makes a child in them. The lock is on the
// directory of the cgroup trees, so that it holds for all projects whatever their state directories are.
func holdCgroups() (unlock func()) {
	f, err := os.Open(cgroupMount)
	if err != nil {
		return func() {}
	}
	for errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_SH), unix.EINTR) {
		continue
	}
	return func() { _ = f.Close() }
}

// removeCgroups removes an empty cgroup with everything below it, in all hierarchies, and kills nothing: what still has
// processes stays. Runtimes leave directories behind when they are killed half-way.
func removeCgroups(path string) {
	for _, h := range hierarchies() {
		removeTree(filepath.Join(h, path))
	}
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

// removeCgroupParents removes the cgroups above those of a project's containers if nothing is in them. If somebody is
// just making a container, they stay.
func removeCgroupParents(project string) {
	f, err := os.Open(cgroupMount)
	if err != nil {
		return
	}
	defer f.Close() //nolint:errcheck // read only
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return
	}
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
		defer f.Close() //nolint:errcheck // read only
		for s := bufio.NewScanner(f); s.Scan(); {
			if n, ok := strings.CutPrefix(s.Text(), "oom_kill "); ok {
				count, _ := strconv.Atoi(n)
				return count
			}
		}
	}
	return 0
}

// killCgroup kills every process of a container whose PID namespace is not its own, where nothing else ends what PID 1
// left behind. It goes on until the cgroup is empty, since processes may fork meanwhile.
func killCgroup(path string) {
	dir := cgroupDir("pids", path)
	if os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0) == nil {
		return // v2 since Linux 5.14
	}
	for range 100 {
		pids, err := cgroupProcesses(dir)
		if err != nil || len(pids) == 0 {
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

func cgroupProcesses(dir string) ([]int, error) {
	data, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var pids []int
	for word := range strings.FieldsSeq(string(data)) {
		if pid, err := strconv.Atoi(word); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, err
}
