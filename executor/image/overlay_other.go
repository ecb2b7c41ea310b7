//go:build !linux

package image

import (
	"archive/tar"
	"errors"
)

// whiteouts needs overlayfs; images are unpacked on Linux only.
type whiteouts struct{ root string }

func (*whiteouts) convert(*tar.Header, string) (bool, error) { return false, errors.ErrUnsupported }

func (*whiteouts) finish() error { return nil }

func freeSpace(string) (int64, error) { return 0, errors.ErrUnsupported }
