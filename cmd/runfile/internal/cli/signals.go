package cli

import (
	"context"
	"os"
	"os/signal"
	"time"
)

// caught is the first signal that interrupted a run.
type caught struct {
	given  bool
	number int
}

// sameGesture is how long after a signal the same one again is still the same wish: timeout(1) and many a CI runner
// send theirs to the process and then to its group, and that must not turn a stop into a kill.
const sameGesture = 200 * time.Millisecond

// gestures counts signals as a person means them.
type gestures struct {
	count int
	last  os.Signal
	at    time.Time
}

// next takes a signal that came at a time and returns its number, 0 for an echo of the one before.
func (g *gestures) next(s os.Signal, at time.Time) int {
	if g.count > 0 && s == g.last && at.Sub(g.at) < sameGesture {
		return 0
	}
	g.count, g.last, g.at = g.count+1, s, at
	return g.count
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
		var counted gestures
		for {
			select {
			case <-done:
				return
			case s := <-ch:
				n := counted.next(s, time.Now())
				if n == 1 {
					first = caught{true, signalNumber(s)}
				}
				if n > 0 {
					u.interrupt(ctx, n, first.number, giveUp)
				}
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

// interrupt does what the n-th signal means; number is that of the first.
func (u *upRun) interrupt(ctx context.Context, n, number int, giveUp context.CancelFunc) {
	switch {
	case u.o.detach || n >= 3:
		giveUp()
	case n == 1 && u.keepsSignals():
		u.leave(ctx, 128+number, giveUp)
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
