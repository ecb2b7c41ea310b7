package project

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// strayEvery is how often the supervisor looks for strays.
const strayEvery = 10 * time.Second

// reapStrays waits for children that are nobody's until ctx ends: a subreaper gets the orphans of containers that use
// the host's PID namespace, and would collect their zombies. Whoever knows a child waits for it at once, so one that is
// a zombie at two looks in a row is a stray.
func reapStrays(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var before map[int]bool
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := map[int]bool{}
		for _, pid := range zombies() {
			if before[pid] {
				_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil) // somebody else may have been faster after all
				continue
			}
			now[pid] = true
		}
		before = now
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
	// Children are listed by the thread that made them; orphans stand with any of them.
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	var list []int
	for _, path := range lists {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // the thread has ended
		}
		for _, word := range bytes.Fields(text) {
			if pid, err := strconv.Atoi(string(word)); err == nil && isZombie(pid) {
				list = append(list, pid)
			}
		}
	}
	return list
}

func isZombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" "))
	return bytes.HasPrefix(rest, []byte("Z"))
}
