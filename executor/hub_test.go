package executor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/runfile/runfile/schema"
)

// TestSlowSubscriber: events other than output never wait; what is too much is dropped, counted and told.
func TestSlowSubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		s := h.subscribe(1)
		defer s.Close()
		room := cap(s.events)
		for range room + 5 {
			h.emit(Event{Type: EventStart})
		}
		for range 10 {
			<-s.C
		}
		h.emit(Event{Type: EventDie})
		var got []Event
		for len(s.C) > 0 {
			got = append(got, <-s.C)
		}
		last := got[len(got)-2:]
		if last[0].Type != EventWarning || last[0].Detail != "5 events were dropped, because they were not read in time" || last[1].Type != EventDie {
			t.Errorf("last events: %+v", last)
		}
		if want := uint64(room + 6); last[1].Seq != want {
			t.Errorf("the last event has number %d, want %d", last[1].Seq, want)
		}
		for i := 1; i < len(got); i++ {
			if got[i].Seq < got[i-1].Seq {
				t.Fatalf("event %d after %d", got[i].Seq, got[i-1].Seq)
			}
		}
	})
}

func TestKeptEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		for range 2*keptEvents + 3 {
			h.emit(Event{Type: EventStart})
			h.emit(Event{Type: EventProgress})
		}
		kept := h.since(time.Time{})
		if len(kept) != keptEvents || kept[0].Seq >= kept[1].Seq || kept[keptEvents-1].Seq != uint64(2*(2*keptEvents+3)-1) {
			t.Errorf("%d events kept, from %d to %d", len(kept), kept[0].Seq, kept[len(kept)-1].Seq)
		}
		if late := h.since(time.Now().Add(time.Second)); len(late) != 0 {
			t.Errorf("%d events from the future", len(late))
		}
	})
}

func TestTransitions(t *testing.T) {
	states := []State{Created, Running, Restarting, Exited, Removing}
	for _, s := range states {
		if _, ok := transitions[s]; !ok {
			t.Errorf("nothing is said about %s", s)
		}
	}
	m := &Manager{hub: newHub(), cfg: Config{Project: "p"}}
	m.cfg.Paths.Root = t.TempDir()
	c := newContainer(m, Record{ID: "id", Key: "a", State: Created, Spec: new(schema.Container)})
	err := c.change(func(r *Record) []Event {
		r.State = Restarting
		return nil
	})
	if err == nil || err.Error() != `container "a" is created and cannot become restarting` || c.record().State != Created {
		t.Errorf("%v, now %s", err, c.record().State)
	}
}
