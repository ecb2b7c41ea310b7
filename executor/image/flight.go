package image

import (
	"context"
	"sync"
)

// flight is work on one image that several callers wait for.
type flight struct {
	done    chan struct{}
	img     *Image // set before done is closed
	err     error
	cancel  context.CancelFunc
	waiting int // callers; guarded by Store.mu. The work is cancelled when the last has gone.

	mu      sync.Mutex // held while a report is delivered, so that none comes after its caller has gone
	reports map[*waiter]func(Progress)
}

type waiter struct{ _ byte } // not empty, so that each has an address of its own

// share joins the work on the request, or begins it. It goes on while at least one caller waits for it.
func (s *Store) share(ctx context.Context, r *request, progress func(Progress)) (*Image, error) {
	key := r.policy + " " + r.key() + " " + r.source
	s.mu.Lock()
	f := s.flights[key]
	if f == nil {
		f = &flight{done: make(chan struct{}), reports: map[*waiter]func(Progress){}}
		s.flights[key] = f
		var work context.Context
		work, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
		go s.fly(work, key, f, r)
	}
	f.waiting++
	s.mu.Unlock()

	me := new(waiter)
	if progress != nil {
		f.mu.Lock()
		f.reports[me] = progress
		f.mu.Unlock()
	}
	defer func() {
		f.mu.Lock()
		delete(f.reports, me)
		f.mu.Unlock()
	}()
	select {
	case <-f.done:
		return f.img, f.err
	case <-ctx.Done():
		s.leave(key, f)
		return nil, ctx.Err()
	}
}

func (s *Store) fly(ctx context.Context, key string, f *flight, r *request) {
	f.img, f.err = s.make(ctx, r, f.report)
	f.cancel()
	s.forget(key, f)
	close(f.done)
}

// leave gives the work up if nobody waits for it any more, and sees it end: when the last caller returns, nothing goes
// on in its name.
func (s *Store) leave(key string, f *flight) {
	s.mu.Lock()
	f.waiting--
	last := f.waiting == 0
	s.mu.Unlock()
	if last {
		s.forget(key, f) // who comes now must not join work that is being given up
		f.cancel()
		<-f.done
	}
}

func (s *Store) forget(key string, f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flights[key] == f {
		delete(s.flights, key)
	}
}

func (f *flight) report(p Progress) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fn := range f.reports {
		fn(p)
	}
}
