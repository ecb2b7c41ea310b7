package cli

import (
	"context"
	"os"
	"os/signal"
)

// caught is the first signal that interrupted a run.
type caught struct {
	given  bool
	number int
}

// watchSignals obeys interrupts: the first stops the run gracefully (of "up -d": stops waiting), the second kills all
// its containers, the third ends the wait. The returned function ends the watch and returns what came.
func (u *upRun) watchSignals(ctx context.Context, giveUp context.CancelFunc) func() caught {
	ch := make(chan os.Signal, 3)
	signal.Notify(ch, interrupts()...)
	done, ended := make(chan struct{}), make(chan struct{})
	var first caught
	go func() {
		defer close(ended)
		for n := 1; ; n++ {
			select {
			case <-done:
				return
			case s := <-ch:
				if n == 1 {
					first = caught{true, signalNumber(s)}
				}
				u.interrupt(ctx, n, giveUp)
			}
		}
	}()
	return func() caught {
		signal.Stop(ch)
		close(done)
		<-ended
		return first
	}
}

// interrupt does what the n-th signal means.
func (u *upRun) interrupt(ctx context.Context, n int, giveUp context.CancelFunc) {
	switch {
	case u.o.detach || n >= 3:
		giveUp()
	case n == 1:
		u.ui.Say("stopping; once more kills")
		u.stopRun(ctx, false, giveUp)
	default:
		u.ui.Say("killing; once more gives up waiting")
		u.stopRun(ctx, true, giveUp)
	}
}

// stopRun tells the supervisor. If that fails, leaving breaks the lease, which stops the run as well.
func (u *upRun) stopRun(ctx context.Context, kill bool, giveUp context.CancelFunc) {
	go func() {
		if err := u.client.StopRun(ctx, kill); err != nil && ctx.Err() == nil {
			u.ui.Say("the supervisor does not take the request: %v", err)
			giveUp()
		}
	}()
}
