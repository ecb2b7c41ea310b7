package executor

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/runfile/runfile/executor/engine"
)

const (
	// clockTicks per second in /proc/PID/stat; 100 on every architecture that Linux's user space sees.
	clockTicks = 100
	// startSlack covers the rounding of boot time to seconds and the time between fork and the engine's note.
	startSlack = 3 * time.Second
)

// alive reports whether the process that a record names still is the one that was started: a process id alone may have
// been given to another one since.
func alive(s engine.Status) bool {
	if s.PID <= 0 {
		return false
	}
	started, err := processStart(s.PID)
	if err != nil {
		return false
	}
	return started.Sub(s.StartedAt).Abs() <= startSlack
}

func processStart(pid int) (time.Time, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return time.Time{}, err
	}
	// The second field is the name in brackets and may hold anything; the state follows, and start time is field 22.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 || fields[0][0] == 'Z' {
		return time.Time{}, fmt.Errorf("process %d has ended", pid)
	}
	ticks, err := strconv.ParseInt(string(fields[19]), 10, 64)
	if err != nil {
		return time.Time{}, err
	}
	boot, err := bootTime()
	return boot.Add(time.Duration(ticks) * time.Second / clockTicks), err
}

func bootTime() (time.Time, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return time.Time{}, err
	}
	for line := range bytes.Lines(stat) {
		if text, ok := bytes.CutPrefix(line, []byte("btime ")); ok {
			seconds, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
			return time.Unix(seconds, 0), err
		}
	}
	return time.Time{}, fmt.Errorf("/proc/stat has no boot time")
}
