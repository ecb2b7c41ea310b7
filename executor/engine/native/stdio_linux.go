package native

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// drainGrace is how long output is still awaited after PID 1 has ended while somebody else holds its end open. With a
// PID namespace of its own nobody can: the kernel has ended all before PID 1 counts as ended.
const drainGrace = 2 * time.Second

var copyBuffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// outputFIFO makes the FIFO of an output stream and opens both ends: ours to read, the container's to read and write.
// Because the container's end counts as a reader, too, a process never gets SIGPIPE when the supervisor dies, and what
// it writes waits in the FIFO for the next supervisor.
func outputFIFO(path string) (ours, theirs *os.File, err error) {
	if err := unix.Mkfifo(path, 0o600); err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, nil, &os.PathError{Op: "mkfifo", Path: path, Err: err}
	}
	// Theirs first: without a writer a reader would see the end at once. Without O_NONBLOCK, which would be theirs.
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	theirs = os.NewFile(uintptr(fd), path)
	ours, err = openReader(path)
	if err != nil {
		_ = theirs.Close()
		return nil, nil, err
	}
	return ours, theirs, nil
}

// openReader opens our end of an output FIFO, also that of a running container after a restart of the supervisor.
func openReader(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
}

// output copies one stream of a process until its end.
type output struct {
	file *os.File
	to   io.Writer
	done chan struct{} // closed when all has been copied
}

func copyOutput(file *os.File, to io.Writer) *output {
	if to == nil {
		to = io.Discard
	}
	o := &output{file: file, to: to, done: make(chan struct{})}
	go o.run()
	return o
}

func (o *output) run() {
	defer close(o.done)
	defer o.file.Close() // read only
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	to := o.to
	for {
		n, err := o.file.Read(*buf)
		if n > 0 {
			if _, werr := to.Write((*buf)[:n]); werr != nil {
				to = io.Discard // nobody listens any more; the process must not notice
			}
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			o.rest(to, *buf)
			return
		}
		if err != nil {
			return // io.EOF, or EIO: the other side of a terminal is gone
		}
	}
}

// rest takes what is in the pipe right now, without waiting.
func (o *output) rest(to io.Writer, buf []byte) {
	conn, err := o.file.SyscallConn()
	if err != nil || o.file.SetReadDeadline(time.Time{}) != nil {
		return
	}
	for {
		n := 0
		rerr := conn.Read(func(fd uintptr) bool {
			n, err = unix.Read(int(fd), buf)
			return true
		})
		if rerr != nil || err != nil || n <= 0 {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// finish waits until all has been copied, after the process has ended. Each time the grace is over it takes what is
// there and gives up on those who hold the stream open.
func (o *output) finish(grace time.Duration) {
	select {
	case <-o.done:
		return
	default:
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-o.done:
	case <-timer.C:
		_ = o.file.SetReadDeadline(time.Unix(1, 0)) // ends a waiting read; a slow consumer is waited for
		<-o.done
	}
}

// feedInput copies in to the process and closes its end when in ends. It returns a function that ends the copying as
// soon as in lets it: a read from in that blocks cannot be interrupted, so it must not be waited for.
func feedInput(in io.Reader, to *os.File) (stop func()) {
	go func() {
		buf := copyBuffers.Get().(*[]byte)
		defer copyBuffers.Put(buf)
		// Plain reads and writes: io.Copy would splice, and hold a thread.
		_, _ = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{in}, *buf)
		_ = to.Close()
	}()
	return func() { _ = to.Close() }
}

// inputPipe is the standard input of a process: /dev/null without a reader.
func inputPipe(in io.Reader) (theirs, ours *os.File, err error) {
	if in == nil {
		theirs, err = os.Open(os.DevNull)
		return theirs, nil, err
	}
	theirs, ours, err = os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("make the standard input: %w", err)
	}
	return theirs, ours, nil
}
