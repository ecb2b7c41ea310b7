package native

import (
	"bytes"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/proc"
)

const (
	// orphanInterval is how long a zombie that somebody may be waiting for is left alone.
	orphanInterval = 10 * time.Second
	// orphanDelay lets the deaths of a moment be looked at together.
	orphanDelay = 20 * time.Millisecond
)

// reapOrphans collects the zombies that a subreaper inherits and nobody else waits for.
//
// Those of a container's PID namespace are taken at once: the kernel lets the namespace's PID 1 end only when all other
// processes in it have been waited for (pid_namespaces(7)), and a runtime that dies or fails during an exec leaves such
// a child to us. Of the rest nobody can tell whether a waiter is on its way: orphans of containers that share the host's
// PID namespace, and children of runtimes that were killed. What is waited for is never a zombie for long, so those are
// taken when they are still there at a second look. The process of a container whose PID namespace is another one's looks
// like the first kind; so what a start waits for is noted before it can end.
func (e *Engine) reapOrphans() {
	died := make(chan os.Signal, 1)
	signal.Notify(died, unix.SIGCHLD)
	defer signal.Stop(died)
	ticker := time.NewTicker(orphanInterval)
	defer ticker.Stop()
	var before map[int]bool
	for {
		second := false
		select {
		case <-e.quit:
			return
		case <-died:
			select {
			case <-e.quit:
				return
			case <-time.After(orphanDelay):
			}
		case <-ticker.C:
			second = true
		}
		now := map[int]bool{}
		for _, pid := range zombies() {
			if _, ours := e.awaited.Load(pid); ours {
				continue
			}
			if second && before[pid] || e.detached.Load() == 0 && isInner(pid) {
				var ws unix.WaitStatus
				_, _ = unix.Wait4(pid, &ws, unix.WNOHANG, nil) // if it is gone, all the better
				continue
			}
			now[pid] = true
		}
		if second {
			before = now
		}
	}
}

// zombies lists the children of this process that have ended and were not waited for. Without any it costs one system
// call.
func zombies() []int {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	if err != nil || info.Signo == 0 {
		return nil
	}
	// Children are listed by the thread that made them; orphans stand with any of them. A kernel without
	// CONFIG_PROC_CHILDREN has no lists.
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	var out []int
	for _, path := range lists {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // the thread has ended
		}
		for _, word := range bytes.Fields(text) {
			pid, err := strconv.Atoi(string(word))
			if err != nil {
				continue
			}
			if fields, err := proc.Stat(pid); err == nil && fields[0] == "Z" {
				out = append(out, pid)
			}
		}
	}
	return out
}

// isInner says whether a process lives in a PID namespace below ours without being the first of it.
func isInner(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(status)) {
		if pids, ok := strings.CutPrefix(line, "NSpid:"); ok {
			all := strings.Fields(pids)
			return len(all) > 1 && all[len(all)-1] != "1"
		}
	}
	return false
}
