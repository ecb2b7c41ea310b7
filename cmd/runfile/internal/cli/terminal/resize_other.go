//go:build !unix

package terminal

import "context"

// Resizes is not available here: containers run on Linux only.
func Resizes(context.Context, any) <-chan [2]uint16 { return nil }
