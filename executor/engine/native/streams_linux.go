package native

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/engine"
)

// streams are the standard streams of a process that is about to start: pipes, or a terminal.
type streams struct {
	theirs [3]*os.File // for the runtime, which hands them on; nil = /dev/null
	input  *os.File    // our end of its input; nil without
	output []*os.File  // our ends of its outputs: stdout and stderr, or the terminal

	console     *net.UnixListener // where the runtime delivers the terminal
	consolePath string
	consoleDir  *os.File
	terminal    *os.File
}

// openPipes makes FIFOs in dir for the outputs and a pipe for the input.
func openPipes(dir string, in io.Reader) (*streams, error) {
	s := &streams{}
	var err error
	if s.theirs[0], s.input, err = inputPipe(in); err != nil {
		return nil, err
	}
	for i, name := range []string{"stdout", "stderr"} {
		ours, theirs, err := outputFIFO(filepath.Join(dir, name))
		if err != nil {
			s.close()
			return nil, fmt.Errorf("make %s: %w", name, err)
		}
		s.output, s.theirs[i+1] = append(s.output, ours), theirs
	}
	return s, nil
}

// give hands the process's ends over to the container's root where that is another user on the host, so that
// /dev/stdout can be opened inside. The runtime must not get /dev/null in the place of what is missing: crun gives the
// standard streams that it finds to the container's user, and the host's device with them.
func (s *streams) give(ids user.IdentityMapping) error {
	if ids.Empty() {
		return nil
	}
	if s.input == nil {
		if err := s.emptyInput(); err != nil {
			return err
		}
	}
	uid, gid := ids.RootPair()
	for i, f := range s.theirs {
		if f == nil { // the process has a terminal; this one is for the runtime
			fd, err := unix.MemfdCreate("nowhere", unix.MFD_CLOEXEC)
			if err != nil {
				return fmt.Errorf("make a stream for the runtime: %w", err)
			}
			s.theirs[i] = os.NewFile(uintptr(fd), "nowhere")
			continue
		}
		if err := f.Chown(uid, gid); err != nil {
			return fmt.Errorf("give a stream to the container: %w", err)
		}
	}
	return nil
}

// emptyInput makes the input a pipe that nobody writes to.
func (s *streams) emptyInput() error {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make the standard input: %w", err)
	}
	if s.theirs[0] != nil {
		_ = s.theirs[0].Close()
	}
	s.theirs[0] = theirs
	return ours.Close()
}

// openTerminal makes the socket on which the runtime will hand over the terminal. Its path goes through the descriptor
// of dir, because a socket's path is limited to 107 bytes and dir may be longer.
func openTerminal(dir string) (*streams, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("make the terminal: %w", err)
	}
	path := fmt.Sprintf("/proc/%d/fd/%d/console", os.Getpid(), d.Fd())
	_ = os.Remove(path) // of an earlier start
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		_ = d.Close()
		return nil, fmt.Errorf("make the terminal: %w", err)
	}
	return &streams{console: l, consolePath: path, consoleDir: d}, nil
}

// connect is called when the runtime has made the process: it takes the terminal and drops the process's ends.
func (s *streams) connect(ctx context.Context) error {
	s.closeTheirs()
	if s.console == nil {
		return nil
	}
	defer s.closeConsole()
	deadline := time.Now().Add(10 * time.Second) // it has been sent already
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := s.console.SetDeadline(deadline); err != nil {
		return fmt.Errorf("take the terminal: %w", err)
	}
	conn, err := s.console.AcceptUnix()
	if err != nil {
		return fmt.Errorf("take the terminal: %w", err)
	}
	defer conn.Close() // a one-shot connection
	s.terminal, err = receiveFile(conn)
	if err != nil {
		return fmt.Errorf("take the terminal: %w", err)
	}
	return nil
}

// receiveFile takes one descriptor out of a message.
func receiveFile(conn *net.UnixConn) (*os.File, error) {
	name, oob := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(name, oob)
	if err != nil {
		return nil, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		return nil, errors.Join(errors.New("no descriptor came with the message"), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, errors.Join(errors.New("not one descriptor came with the message"), err)
	}
	unix.CloseOnExec(fds[0])
	// Non-blocking before NewFile, so that reads wait in the poller and can be ended.
	if err := unix.SetNonblock(fds[0], true); err != nil {
		_ = unix.Close(fds[0])
		return nil, err
	}
	return os.NewFile(uintptr(fds[0]), "terminal"), nil
}

// attach begins to copy. stop ends the input.
func (s *streams) attach(stdio engine.Stdio) (outputs []*output, stop func(), terminal *os.File) {
	if s.terminal != nil {
		// The reader and the writer of a terminal are one descriptor; each gets its own, so that closing the one does
		// not end the other.
		outputs = append(outputs, copyOutput(duplicate(s.terminal), stdio.Stdout))
		if stdio.Stdin != nil {
			stop = feedInput(stdio.Stdin, duplicate(s.terminal))
		}
		return outputs, stop, s.terminal
	}
	for i, to := range []io.Writer{stdio.Stdout, stdio.Stderr} {
		outputs = append(outputs, copyOutput(s.output[i], to))
	}
	if s.input != nil {
		stop = feedInput(stdio.Stdin, s.input)
	}
	return outputs, stop, nil
}

// duplicate makes a second descriptor; it is pollable like the first, which shares the non-blocking flag with it.
func duplicate(f *os.File) *os.File {
	conn, err := f.SyscallConn()
	if err != nil {
		return f
	}
	fd := -1
	if cerr := conn.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 3) }); cerr != nil || err != nil {
		return f
	}
	return os.NewFile(uintptr(fd), f.Name())
}

func (s *streams) closeTheirs() {
	for i, f := range s.theirs {
		if f != nil {
			_ = f.Close()
		}
		s.theirs[i] = nil
	}
}

func (s *streams) closeConsole() {
	if s.console != nil {
		_ = s.console.Close() // removes the socket, too
		_ = s.consoleDir.Close()
		s.console = nil
	}
}

// close drops everything, after a failure.
func (s *streams) close() {
	s.closeTheirs()
	s.closeConsole()
	for _, f := range append(s.output, s.input, s.terminal) {
		if f != nil {
			_ = f.Close()
		}
	}
}
