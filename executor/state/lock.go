package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// ErrLocked is what TryLock answers when somebody else holds the lock.
var ErrLocked = errors.New("locked by another process")

// FileLock is an exclusive lock on a file, held by this process until Unlock or its end, however that comes. The file
// stays behind: removing it would let two owners lock two files of the same name.
type FileLock struct{ file *os.File }

// TryLock takes the lock or answers ErrLocked at once. The file and its directory are made if needed.
func TryLock(path string) (*FileLock, error) {
	f, err := open(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := tryFlock(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return &FileLock{file: f}, nil
}

// Lock waits until it has the lock or ctx ends. It asks again after 1 ms, then ever later up to every 50 ms, because a
// blocking flock cannot be interrupted.
func Lock(ctx context.Context, path string) (*FileLock, error) {
	f, err := open(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		err := tryFlock(f)
		if err == nil {
			return &FileLock{file: f}, nil
		}
		if errors.Is(err, ErrLocked) {
			select {
			case <-time.After(wait):
				continue
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
}

// Unlock gives the lock back. Calling it again, or on nil, does nothing.
func (l *FileLock) Unlock() {
	if l != nil {
		_ = l.file.Close() // closing the only descriptor ends the lock
	}
}
