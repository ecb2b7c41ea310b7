package proc

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Of identifies a process that runs. The error of one that has ended matches os.ErrNotExist or os.ErrProcessDone.
func Of(pid int) (ID, error) {
	start, err := StartTime(pid)
	return ID{PID: pid, StartTime: start, BootID: BootID()}, err
}

// Alive reports whether the process still runs.
func (id ID) Alive() bool {
	if id.PID <= 0 || id.BootID != BootID() {
		return false
	}
	now, err := StartTime(id.PID)
	return err == nil && now == id.StartTime
}

// StartTime reads when a process was started, in clock ticks since boot. A zombie has ended and is not there.
func StartTime(pid int) (uint64, error) {
	fields, err := Stat(pid)
	if err != nil {
		return 0, err
	}
	if fields[0] == "Z" || fields[0] == "X" {
		return 0, os.ErrProcessDone
	}
	const start = 19 // field 22
	return strconv.ParseUint(fields[start], 10, 64)
}

// Stat reads the fields of /proc/PID/stat from the third on: state, parent, ... There are at least 20.
func Stat(pid int) ([]string, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	// The second field is the program's name in parentheses and may itself contain anything.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 20 {
		return nil, fmt.Errorf("/proc/%d/stat: unexpected content", pid)
	}
	return fields, nil
}

// BootID names the running boot of the machine; of a kernel without boot ids it is the kernel's release.
var BootID = sync.OnceValue(func() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		var u unix.Utsname
		_ = unix.Uname(&u) // cannot fail with a valid pointer
		return unix.ByteSliceToString(u.Release[:])
	}
	return strings.TrimSpace(string(data))
})
