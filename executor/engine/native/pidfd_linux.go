package native

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/proc"
)

// pidHandle is a process by descriptor: unlike its number it never comes to mean another one.
type pidHandle struct {
	file *os.File
}

// openPID opens a process. start, if not 0, must be that of the process which is opened.
func openPID(pid int, start uint64) (*pidHandle, error) {
	// Non-blocking, so that the runtime's poller waits for it and no thread has to.
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("open process %d: %w", pid, err)
	}
	h := &pidHandle{file: os.NewFile(uintptr(fd), fmt.Sprintf("pid %d", pid))}
	if start != 0 {
		if now, err := proc.StartTime(pid); err != nil || now != start {
			h.close()
			return nil, fmt.Errorf("open process %d: %w", pid, os.ErrProcessDone)
		}
	}
	return h, nil
}

// wait blocks until the process has ended, or until the handle is closed, which is an error.
func (h *pidHandle) wait() error {
	conn, err := h.file.SyscallConn()
	if err != nil {
		return err
	}
	return conn.Read(func(fd uintptr) bool {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 0)
		return err == nil && n == 1 || err != nil && !errors.Is(err, unix.EINTR)
	})
}

func (h *pidHandle) signal(signal int) error {
	conn, err := h.file.SyscallConn()
	if err != nil {
		return os.ErrProcessDone
	}
	cerr := conn.Control(func(fd uintptr) { err = unix.PidfdSendSignal(int(fd), unix.Signal(signal), nil, 0) })
	if cerr != nil || errors.Is(err, unix.ESRCH) {
		return os.ErrProcessDone
	}
	if err != nil {
		return fmt.Errorf("send signal %d: %w", signal, err)
	}
	return nil
}

// exitStatus asks the kernel (Linux 6.15) how a process ended that is not our child. It knows as soon as the parent has
// reaped it, which may take a while (PID 1 of a machine without an init system polls).
func (h *pidHandle) exitStatus() (unix.WaitStatus, bool) {
	conn, err := h.file.SyscallConn()
	if err != nil {
		return 0, false
	}
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); waitABit() {
		info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
		cerr := conn.Control(func(fd uintptr) { err = unix.IoctlPidfdInfo(int(fd), &info) })
		if cerr != nil || err != nil && !errors.Is(err, unix.ESRCH) {
			return 0, false // an older kernel
		}
		if err == nil && info.Mask&unix.PIDFD_INFO_EXIT != 0 {
			return unix.WaitStatus(info.Exit_code), true
		}
	}
	return 0, false
}

func (h *pidHandle) close() { _ = h.file.Close() }
