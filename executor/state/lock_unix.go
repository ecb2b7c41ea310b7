//go:build unix

package state

import (
	"errors"
	"os"
	"syscall"
)

// tryFlock locks the open file description, so two opens in one process exclude each other, too. A child that inherits
// the descriptor would keep the lock; os.OpenFile sets close-on-exec.
func tryFlock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			return ErrLocked
		default:
			return err
		}
	}
}
