package executor_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/runfile/runfile/executor"
)

// TestEventsOutliveTheSupervisor: what happened can be asked for after a crash, with numbers that go on, until the
// project has no containers any more.
func TestEventsOutliveTheSupervisor(t *testing.T) {
	bubble(t, func(l *lab) {
		l.up(c("s", "sleep 1000", detach))
		before := l.m.Events(time.Time{})
		l.crash()
		after := l.m.Events(time.Time{})
		if len(after) < len(before) {
			t.Fatalf("%d events after a crash, %d before", len(after), len(before))
		}
		for i, e := range before {
			if after[i].Seq != e.Seq || after[i].Type != e.Type || after[i].Container != e.Container {
				t.Errorf("event %d is %v, was %v", i, after[i], e)
			}
		}
		l.ok(l.m.Kill(l.Context(), nil, 9))
		synctest.Wait()
		all := l.m.Events(time.Time{})
		if last := all[len(all)-1]; last.Seq <= before[len(before)-1].Seq || last.Type != executor.EventDie {
			t.Errorf("last event: %+v", last)
		}
		file := filepath.Join(l.cfg.Paths.Project("shop"), "events.jsonl")
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
		l.ok(l.m.Down(l.Context(), false, nil))
		l.crash()
		if _, err := os.Stat(file); !os.IsNotExist(err) {
			t.Errorf("events of a project without containers: %v", err)
		}
	})
}
