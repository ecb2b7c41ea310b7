//go:build !linux

package volume

import (
	"context"
	"errors"
)

// CopyUp needs Linux, as containers do.
func (s *Store) CopyUp(context.Context, *Volume, string) error { return errors.ErrUnsupported }
