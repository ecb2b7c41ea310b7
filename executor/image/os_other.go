//go:build !unix

package image

import (
	"context"
	"errors"
	"os"
)

type sharedLock struct{}

func lockShared(context.Context, string) (*sharedLock, error) { return nil, errors.ErrUnsupported }

// Unlock does nothing: there is no lock.
func (*sharedLock) Unlock() {}

func inode(os.FileInfo) string { return "" }

func ownedByUs(os.FileInfo) bool { return true }
