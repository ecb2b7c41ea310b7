package native

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// orphanInterval is how often the engine looks for orphans, and so how long one stays a zombie at least.
const orphanInterval = 10 * time.Second

// reapOrphans collects the zombies that a subreaper inherits: orphans from containers that share the host's PID
// namespace, and children of runtimes that were killed. Nobody else waits for them. What somebody does wait for is
// never a zombie for as long as the interval, so only those seen twice are taken.
func reapOrphans(quit <-chan struct{}) {
	ticker := time.NewTicker(orphanInterval)
	defer ticker.Stop()
	var before map[int]bool
	for {
		select {
		case <-quit:
			return
		case <-ticker.C:
		}
		now := zombies()
		for pid := range now {
			if before[pid] {
				var ws unix.WaitStatus
				_, _ = unix.Wait4(pid, &ws, unix.WNOHANG, nil) // if it is gone, all the better
			}
		}
		before = now
	}
}

// zombies are the dead children of the first thread, to which the kernel hands orphans.
func zombies() map[int]bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid()))
	if err != nil {
		return nil // a kernel without CONFIG_PROC_CHILDREN
	}
	out := map[int]bool{}
	for word := range strings.FieldsSeq(string(data)) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			continue
		}
		if fields, err := statFields(pid); err == nil && fields[0] == "Z" {
			out[pid] = true
		}
	}
	return out
}
