package executor

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// keptEvents is how many events Events can look back on.
	keptEvents = 1000
	// reserve is the room that a subscription has for events other than output beside its buffer of output.
	reserve = 2048
	// recheck is how often output that waits for a slow subscriber looks again.
	recheck = 2 * time.Millisecond
)

// hub numbers events, keeps the last ones and hands them to subscriptions.
type hub struct {
	mu   sync.Mutex
	seq  uint64                     // guarded by mu
	kept []Event                    // guarded by mu; a ring once it is full
	next int                        // guarded by mu; where the ring goes on
	subs map[*Subscription]struct{} // guarded by mu
	past *history                   // guarded by mu; nil = events are not stored
}

func newHub() *hub { return &hub{subs: map[*Subscription]struct{}{}} }

// recall takes up the events that an earlier supervisor has stored, and stores those to come.
func (h *hub) recall(past *history) error {
	events, err := past.read()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range events {
		h.keepLocked(e)
		h.seq = max(h.seq, e.Seq)
	}
	h.past = past
	return err
}

// Subscription delivers events in the order of their Seq, except that output may come a little later than younger
// events of other containers. Of one container everything comes in order.
//
// Output waits for a slow subscriber, and with it the container that writes it (back-pressure, as docker does with an
// attached client). Other events never wait: when more than some 2000 of them pile up they are dropped, and a warning
// event says how many.
type Subscription struct {
	C <-chan Event

	hub     *hub
	events  chan Event
	limit   int // of events waiting, for output
	closed  chan struct{}
	once    sync.Once
	filter  atomic.Pointer[outputFilter]
	dropped int // guarded by hub.mu
}

// outputFilter says whose output is wanted.
type outputFilter struct {
	attached bool // by docker's -a rules
	keys     []string
}

func (h *hub) subscribe(buffer int) *Subscription {
	s := &Subscription{hub: h, limit: max(buffer, 1), closed: make(chan struct{})}
	s.events = make(chan Event, s.limit+reserve)
	s.C = s.events
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subs[s] = struct{}{}
	return s
}

// Output asks for the output of the containers with these keys as events: all streams of each; nil = of every container
// that docker would attach to, the streams it would; empty = none.
func (s *Subscription) Output(keys []string) {
	s.filter.Store(&outputFilter{attached: keys == nil, keys: slices.Clone(keys)})
}

// Close ends the subscription. C is not closed; what it holds can still be taken.
func (s *Subscription) Close() {
	s.once.Do(func() { close(s.closed) })
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	delete(s.hub.subs, s)
}

// emit never blocks.
func (h *hub) emit(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stampLocked(&e)
	if e.Type != EventProgress {
		h.keepLocked(e)
		h.past.append(e)
	}
	for s := range h.subs {
		s.pushLocked(e)
	}
}

func (h *hub) stampLocked(e *Event) {
	h.seq++
	e.Seq, e.Time = h.seq, time.Now()
}

func (h *hub) keepLocked(e Event) {
	if len(h.kept) < keptEvents {
		h.kept = append(h.kept, e)
		return
	}
	h.kept[h.next] = e
	h.next = (h.next + 1) % keptEvents
}

func (s *Subscription) pushLocked(e Event) {
	if s.dropped > 0 && len(s.events)+1 < cap(s.events) {
		s.events <- Event{Seq: e.Seq, Time: e.Time, Type: EventWarning, Detail: fmt.Sprintf("%d events were dropped, because they were not read in time", s.dropped)}
		s.dropped = 0
	}
	select {
	case s.events <- e:
	default:
		s.dropped++
	}
}

// since returns kept events in order.
func (h *hub) since(t time.Time) []Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := slices.Concat(h.kept[h.next:], h.kept[:h.next])
	return slices.DeleteFunc(all, func(e Event) bool { return e.Time.Before(t) })
}

// output hands a piece of output to those who want it, waiting for each. Data is copied only if somebody does.
func (h *hub) output(c *container, stream string, data []byte) {
	h.mu.Lock()
	var wanted []*Subscription
	for s := range h.subs {
		if s.wants(c, stream) {
			wanted = append(wanted, s)
		}
	}
	h.mu.Unlock()
	if len(wanted) == 0 {
		return
	}
	e := Event{Type: EventOutput, Container: c.key, ID: c.id, Stream: stream, Data: slices.Clone(data)}
	for _, s := range wanted {
		if s.room() {
			h.mu.Lock()
			h.stampLocked(&e)
			s.pushLocked(e)
			h.mu.Unlock()
		}
	}
}

func (s *Subscription) wants(c *container, stream string) bool {
	f := s.filter.Load()
	switch {
	case f == nil:
		return false
	case f.attached:
		return c.attachedTo(stream)
	}
	return slices.Contains(f.keys, c.key)
}

// room waits until the buffer has room for output, and reports false if the subscription is closed instead. A full
// buffer is looked at again every few milliseconds: a reader of a channel leaves no other trace.
func (s *Subscription) room() bool {
	for {
		select {
		case <-s.closed:
			return false
		default:
		}
		if len(s.events) < s.limit {
			return true
		}
		timer := time.NewTimer(recheck)
		select {
		case <-s.closed:
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
}

// endHistory stops storing events. Those of a project that has no containers any more are of no use.
func (h *hub) endHistory(forget bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.past.close()
	if forget {
		h.past.remove()
	}
	h.past = nil
}
