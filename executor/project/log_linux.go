package project

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// maxLog is the size in bytes at which a supervisor's log is set aside as *.1, so that it never holds more than twice
// that.
const maxLog = 1 << 20

// openLog opens the log of a supervisor for appending and says how much it held before.
func openLog(path string) (*os.File, int64, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("open the supervisor's log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, 0, fmt.Errorf("open the supervisor's log: %w", err)
	}
	return f, info.Size(), nil
}

// boundedLog writes to standard error, which is the log's file in a detached supervisor. When that grows beyond maxLog
// it is set aside and replaced on descriptors 1 and 2, so that a crash's stack goes to the new file, too.
type boundedLog struct {
	path string // "" = standard error is something else; only pass on

	mu   sync.Mutex
	size int64 // guarded by mu; bytes since the last look at the file
}

// Write implements io.Writer.
func (b *boundedLog) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err := os.Stderr.Write(p)
	if b.path == "" {
		return n, err
	}
	if b.size += int64(n); b.size > maxLog {
		b.size = 0
		if rerr := replaceLog(b.path); rerr != nil && err == nil {
			err = rerr
		}
	}
	return n, err
}

func replaceLog(path string) error {
	if err := os.Rename(path, path+".1"); err != nil {
		return err
	}
	f, _, err := openLog(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, fd := range []int{1, 2} {
		if err := unix.Dup3(int(f.Fd()), fd, 0); err != nil {
			return err
		}
	}
	return nil
}

// newBoundedLog bounds the file at path if standard error is that file.
func newBoundedLog(path string) *boundedLog {
	mine, err := os.Stderr.Stat()
	if err != nil {
		return &boundedLog{}
	}
	file, err := os.Stat(path)
	if err != nil || !os.SameFile(mine, file) {
		return &boundedLog{}
	}
	return &boundedLog{path: path, size: file.Size()}
}
