package initproc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path"
	"runtime"
	"runtime/debug"
	"syscall"

	"golang.org/x/sys/unix"
)

// Exit statuses of a command that cannot be run, as a shell has them.
const (
	exitCannotRun = 126
	exitNotFound  = 127
)

// Main is the program that os.Args[0] names, and never returns. As docker-init it runs the command in os.Args, after an
// optional "--".
func Main() {
	if path.Base(os.Args[0]) == KeeperName {
		keep()
		os.Exit(0)
	}
	runtime.GOMAXPROCS(1) // every thread counts against the container's pids limit
	debug.SetGCPercent(-1)
	os.Exit(run(os.Args[1:]))
}

// keep waits for the end of the process whose terminal it holds.
func keep() {
	signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGTERM) // whoever stops the supervisor does not mean the container
	fds := []unix.PollFd{{Fd: KeeperProcess, Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(fds, -1); !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

func run(args []string) int {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "docker-init: no command")
		return exitNotFound
	}
	// Before the command exists, so that no signal for it is lost.
	signals := make(chan os.Signal, 64)
	signal.Notify(signals)
	pid, code, err := start(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "docker-init:", err)
		return code
	}
	for s := range signals {
		n := s.(syscall.Signal)
		switch n {
		case unix.SIGCHLD:
			if status, done := reap(pid); done {
				return status
			}
		case unix.SIGURG, unix.SIGPIPE, unix.SIGTTIN, unix.SIGTTOU:
			// SIGURG is how the Go runtime preempts goroutines; the others concern this process, not the command.
		default:
			_ = unix.Kill(pid, n) // it may have ended just now; SIGCHLD follows
		}
	}
	return exitCannotRun
}

// start runs the command in a process group of its own, in the foreground if there is a terminal, so that ^C reaches
// it once and not twice.
func start(args []string) (pid, code int, err error) {
	file, err := exec.LookPath(args[0])
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return 0, exitCannotRun, err
		}
		return 0, exitNotFound, err
	}
	attr := &syscall.SysProcAttr{Setpgid: true}
	if _, err := unix.IoctlGetTermios(0, unix.TCGETS); err == nil {
		attr.Foreground, attr.Ctty = true, 0
	}
	p, err := os.StartProcess(file, args, &os.ProcAttr{
		Env: os.Environ(), Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Sys: attr,
	})
	if err != nil {
		return 0, exitCannotRun, err
	}
	return p.Pid, 0, nil
}

// reap collects every ended child, and reports the status of the command once that is among them. One SIGCHLD may
// stand for many children.
func reap(command int) (status int, done bool) {
	for {
		var ws unix.WaitStatus
		pid, err := unix.Wait4(-1, &ws, unix.WNOHANG, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return status, done
		}
		if pid == command && (ws.Exited() || ws.Signaled()) {
			status, done = ws.ExitStatus(), true
			if ws.Signaled() {
				status = 128 + int(ws.Signal())
			}
		}
	}
}
