package logs

import (
	"errors"
	"slices"
	"sync"
)

// errBufferFull is why an entry is lost with mode=non-blocking.
var errBufferFull = errors.New("the log's buffer is full (log-opt max-buffer-size)")

// ring is a driver that never makes the writer wait: entries queue up to a number of bytes and are dropped beyond that.
// What is queued dies with this process; that is the price of mode=non-blocking.
type ring struct {
	driver Driver
	limit  int

	mu     sync.Mutex
	ready  sync.Cond // queue is not empty, or closed
	queue  []Entry   // with copied lines
	size   int       // bytes of lines in queue
	closed bool
	err    error // the driver's last
	done   chan struct{}
}

func newRing(d Driver, limit int) *ring {
	r := &ring{driver: d, limit: limit, done: make(chan struct{})}
	r.ready.L = &r.mu
	go r.drain()
	return r
}

// Write implements Driver. An entry that does not fit is lost, unless the queue is empty.
func (r *ring) Write(e Entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errClosed
	}
	if len(r.queue) > 0 && r.size+len(e.Line) > r.limit {
		return errBufferFull
	}
	e.Line = slices.Clone(e.Line)
	r.queue = append(r.queue, e)
	r.size += len(e.Line)
	r.ready.Signal()
	return nil
}

func (r *ring) drain() {
	defer close(r.done)
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		for len(r.queue) == 0 && !r.closed {
			r.ready.Wait()
		}
		if len(r.queue) == 0 {
			return
		}
		batch := r.queue
		r.queue, r.size = nil, 0
		r.mu.Unlock()
		err := store(r.driver, batch)
		r.mu.Lock()
		if err != nil {
			r.err = err
		}
	}
}

// Close implements Driver. It waits until what is queued has been stored.
func (r *ring) Close() error {
	r.mu.Lock()
	r.closed = true
	r.ready.Signal()
	r.mu.Unlock()
	<-r.done
	return errors.Join(r.err, r.driver.Close())
}
