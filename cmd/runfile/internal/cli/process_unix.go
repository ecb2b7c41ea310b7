//go:build unix

package cli

import (
	"os"
	"os/signal"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// prepareProcess makes the program independent of what it inherits: files are created with the modes the code says,
// and a write to a closed pipe is an error instead of death. SIGPIPE is caught and not ignored, because a signal that
// is ignored stays ignored in every process started from here, down to the containers.
func prepareProcess() {
	unix.Umask(0o022)
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
}

// proxied are the signals that an attached container gets from us: all that can be caught but for those that tell us,
// and not it, something (SIGPIPE, SIGCHLD, SIGURG, SIGWINCH, SIGPROF), those that the kernel sends for a fault of ours,
// and SIGTTIN and SIGTTOU, which a process in the background must obey.
func proxied() []os.Signal {
	not := []syscall.Signal{
		unix.SIGILL, unix.SIGTRAP, unix.SIGBUS, unix.SIGFPE, unix.SIGKILL, unix.SIGSEGV, unix.SIGPIPE, unix.SIGCHLD,
		unix.SIGSTOP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGURG, unix.SIGPROF, unix.SIGWINCH, 32, 33, // 32 and 33 are libc's
	}
	var out []os.Signal
	for s := syscall.Signal(1); s <= 64; s++ {
		if !slices.Contains(not, s) && (s != unix.SIGHUP || !signal.Ignored(s)) {
			out = append(out, s)
		}
	}
	return out
}

// signalNumber of a signal that was received.
func signalNumber(s os.Signal) int {
	n, _ := s.(syscall.Signal)
	return int(n)
}

// interrupts are the signals that end a run. A hangup that nohup made us ignore stays ignored; an interrupt does not,
// because a shell without job control lets every command behind which stands an "&" ignore it.
func interrupts() []os.Signal {
	out := []os.Signal{unix.SIGINT, unix.SIGTERM}
	if !signal.Ignored(unix.SIGHUP) {
		out = append(out, unix.SIGHUP)
	}
	return out
}
