//go:build unix

package terminal

import (
	"context"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// Resizes sends columns and rows of a terminal at first and whenever they change, until ctx ends. The channel is
// closed then; for a stream that is no terminal it is nil.
func Resizes(ctx context.Context, stream any) <-chan [2]uint16 {
	if !Is(stream) {
		return nil
	}
	winch := make(chan os.Signal, 1)
	signal.Notify(winch, unix.SIGWINCH)
	out := make(chan [2]uint16, 1)
	go func() {
		defer close(out)
		defer signal.Stop(winch)
		for {
			columns, rows := Size(stream)
			select {
			case out <- [2]uint16{uint16(columns), uint16(rows)}:
			case <-ctx.Done():
				return
			}
			select {
			case <-winch:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}
