package native

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/ocispec/initproc"
	"github.com/runfile/runfile/executor/proc"
)

// keepTerminal starts the program that keeps a container's terminal open beyond our own end. It costs a start of this
// binary, so only containers that are meant to outlive their client get one.
func keepTerminal(terminal *os.File, h *pidHandle) (pid int, start uint64, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, 0, fmt.Errorf("find this program: %w", err)
	}
	t, p := duplicate(terminal), duplicate(h.file)
	defer t.Close() // a duplicate
	defer p.Close() // likewise
	cmd := &exec.Cmd{
		Path: self, Args: []string{initproc.KeeperName}, Env: []string{}, Dir: "/", ExtraFiles: []*os.File{t, p},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	err = cmd.Start()
	// Handing a file to a program makes it blocking, for all who share it.
	if nerr := errors.Join(setNonblock(terminal), setNonblock(h.file)); err == nil {
		err = nerr
	}
	if err != nil {
		return 0, 0, fmt.Errorf("keep the terminal: %w", err)
	}
	start, err = proc.StartTime(cmd.Process.Pid)
	go cmd.Wait() //nolint:errcheck // it ends with the container
	return cmd.Process.Pid, start, err
}

func setNonblock(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	cerr := conn.Control(func(fd uintptr) { err = unix.SetNonblock(int(fd), true) })
	return errors.Join(cerr, err)
}

// keptTerminal takes the terminal of a running container back from its keeper.
func keptTerminal(rec *processRecord) (*os.File, error) {
	h, err := openPID(rec.KeeperPID, rec.KeeperStart)
	if err != nil {
		return nil, err
	}
	defer h.close()
	conn, err := h.file.SyscallConn()
	if err != nil {
		return nil, err
	}
	got := -1
	cerr := conn.Control(func(fd uintptr) { got, err = unix.PidfdGetfd(int(fd), initproc.KeeperTerminal, 0) })
	if err := errors.Join(cerr, err); err != nil {
		return nil, fmt.Errorf("take the terminal from its keeper: %w", err)
	}
	if err := unix.SetNonblock(got, true); err != nil {
		_ = unix.Close(got)
		return nil, err
	}
	return os.NewFile(uintptr(got), "terminal"), nil
}
