package network

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// netnsOf makes a network namespace that the user namespace users owns.
//
// A namespace belongs to the user namespace of the process that makes it, and the kernel lets only a process with a
// single thread enter another user namespace, which a Go program never is. So a child is forked for it. It shares our
// table of descriptors, into which it opens the namespace, and ends.
func netnsOf(users *os.File) (*os.File, error) {
	path, err := unix.BytePtrFromString("/proc/self/ns/net")
	if err != nil {
		return nil, err
	}
	slot, err := unix.FcntlInt(users.Fd(), unix.F_DUPFD_CLOEXEC, 3) // the place of the new descriptor
	if err != nil {
		return nil, fmt.Errorf("make a network namespace: %w", err)
	}
	f := os.NewFile(uintptr(slot), "netns")
	pid, err := forkNetns(users.Fd(), uintptr(slot), path)
	if err == nil {
		err = childError(pid)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("make a network namespace in a user namespace: %w", err)
	}
	return f, nil
}

// childError waits for the child, whose exit status is an error number.
func childError(pid int) error {
	var ws unix.WaitStatus
	for {
		_, err := unix.Wait4(pid, &ws, 0, nil)
		if err == unix.EINTR {
			continue
		}
		switch {
		case err != nil:
			return err
		case ws.Signaled():
			return fmt.Errorf("the child was killed by %s", ws.Signal())
		case ws.ExitStatus() != 0:
			return unix.Errno(ws.ExitStatus())
		}
		return nil
	}
}

// forkNetns forks the child. Like package syscall's own fork it must not do anything in the child but bare system calls:
// no other thread exists there, and what the runtime holds locked stays so. Signals are blocked around it, so that no
// handler of the runtime runs in the child.
//
//go:norace
func forkNetns(users, slot uintptr, path *byte) (int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	all, old := ^uint64(0), uint64(0)
	const size = unsafe.Sizeof(all)
	_, _, errno := syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK,
		uintptr(unsafe.Pointer(&all)), uintptr(unsafe.Pointer(&old)), size, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	pid, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.CLONE_FILES)|uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if pid != 0 || errno != 0 {
		_, _, _ = syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&old)), 0, size, 0, 0)
		if errno != 0 {
			return 0, errno
		}
		return int(pid), nil
	}
	var fd uintptr
	if _, _, errno = syscall.RawSyscall(unix.SYS_SETNS, users, unix.CLONE_NEWUSER, 0); errno != 0 {
		goto end
	}
	if _, _, errno = syscall.RawSyscall(unix.SYS_UNSHARE, unix.CLONE_NEWNET, 0, 0); errno != 0 {
		goto end
	}
	fd, _, errno = syscall.RawSyscall6(unix.SYS_OPENAT, ^uintptr(99), uintptr(unsafe.Pointer(path)), unix.O_CLOEXEC, 0, 0, 0)
	if errno != 0 {
		goto end
	}
	_, _, errno = syscall.RawSyscall(unix.SYS_DUP3, fd, slot, unix.O_CLOEXEC)
	_, _, _ = syscall.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
end:
	for {
		_, _, _ = syscall.RawSyscall(unix.SYS_EXIT_GROUP, uintptr(errno), 0, 0)
	}
}
