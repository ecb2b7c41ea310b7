package executor_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/schema"
)

func TestAdoption(t *testing.T) {
	bubble(t, func(l *lab) {
		l.up(c("web", "echo one; sleep 5; echo two; on-term exit 6; sleep 1000", detach, health(time.Second, "true")))
		after(2 * time.Second)
		before := l.record("web")
		l.crash()
		rec := l.record("web")
		if rec.State != executor.Running || rec.Status.PID != before.Status.PID || !rec.StartedAt.Equal(before.StartedAt) || rec.Health.Status != "healthy" {
			t.Errorf("adopted as %+v", rec)
		}
		after(4 * time.Second)
		if l.log("web") != "one\ntwo\n" {
			t.Errorf("log = %q", l.log("web"))
		}
		if h := l.record("web").Health; len(h.Log) != 5 {
			t.Errorf("health goes on: %+v", h)
		}
		l.ok(l.m.Stop(l.Context(), nil, nil))
		if rec := l.record("web"); rec.Exit.Code != 6 || l.count("start web") != 1 {
			t.Errorf("record = %+v", rec)
		}
		if got := l.events(executor.EventStart, executor.EventDie); got != "die web" {
			t.Errorf("events: %s", got)
		}
	})
}

// TestRecovery: what becomes of a container that ended while no supervisor ran, by policy.
func TestRecovery(t *testing.T) {
	for name, x := range map[string]struct {
		c      *schema.Container
		forget bool
		state  executor.State
		code   int
		starts int
	}{
		"no":                   {c("s", "sleep 5; exit 3", detach), false, executor.Exited, 3, 1},
		"no, unknown":          {c("s", "sleep 5; exit 3", detach), true, executor.Exited, 255, 1},
		"always":               {c("s", "sleep 5; exit 0", restart("always", 0)), false, executor.Running, 0, 2},
		"unless-stopped":       {c("s", "sleep 5; exit 0", restart("unless-stopped", 0)), false, executor.Running, 0, 2},
		"on-failure, good end": {c("s", "sleep 5; exit 0", detach, restart("on-failure", 0)), false, executor.Exited, 0, 1},
		"on-failure, bad end":  {c("s", "sleep 5; exit 3", detach, restart("on-failure", 2)), false, executor.Running, 0, 2},
		"on-failure, unknown":  {c("s", "sleep 5; exit 0", detach, restart("on-failure", 0)), true, executor.Running, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				l.up(x.c)
				if x.forget {
					l.engine.ForgetExits()
				}
				l.m.Close()
				after(6 * time.Second)
				l.crash()
				synctest.Wait()
				rec := l.record("s")
				if rec.State != x.state || l.count("start s") != x.starts {
					t.Fatalf("%s after %d starts", rec.State, l.count("start s"))
				}
				if rec.State == executor.Exited && (rec.Exit.Code != x.code || rec.Exit.Unknown != x.forget) {
					t.Errorf("exit = %+v", rec.Exit)
				}
			})
		})
	}
}

func TestRecoveryHonoursManualStops(t *testing.T) {
	bubble(t, func(l *lab) {
		l.up(c("a", "sleep 1000", restart("always", 0)), c("u", "sleep 1000", restart("unless-stopped", 0)), c("z", "sleep 1000", detach))
		l.ok(l.m.Stop(l.Context(), []string{"a", "u"}, nil))
		l.crash() // z runs: this supervisor did not end orderly
		synctest.Wait()
		if a, u := l.record("a").State, l.record("u").State; a != executor.Running || u != executor.Exited {
			t.Errorf("always is %s, unless-stopped is %s", a, u)
		}
		l.ok(l.m.Stop(l.Context(), nil, nil))
		l.crash() // nothing ran: an orderly end, and a stop stands
		synctest.Wait()
		if l.record("a").State != executor.Exited {
			t.Error("a new supervisor started what a person had stopped")
		}
	})
}

func TestRecoveryFinishesWhatWasCutOff(t *testing.T) {
	bubble(t, func(l *lab) {
		l.up(c("stopping", "ignore-term; sleep 1000", restart("always", 0)), c("due", "exit 1", restart("always", 0)), c("gone", "sleep 1", detach, rm), c("job", "sleep 100"))
	})
	bubble(t, func(l *lab) {
		done := make(chan *executor.Result, 1)
		go func() {
			done <- l.m.Run(l.Context(), plan(c("stopping", "ignore-term; sleep 1000", restart("always", 0)), c("due", "exit 1", restart("always", 0)),
				c("gone", "sleep 20", detach, rm), c("job", "sleep 100", func(c *schema.Container) { c.Lifecycle.Timeout = opt(30 * time.Second) })), executor.RunOptions{})
		}()
		after(8 * time.Second) // due waits for its restart at 12.7 s
		go func() { _ = l.m.Stop(context.Background(), []string{"stopping"}, nil) }()
		after(time.Second)
		l.m.Close()
		<-done
		half := executor.Record{ID: state.NewID(), Key: "half", Name: "half", Spec: c("half", ""), State: executor.Created}
		l.ok(state.WriteJSON(filepath.Join(l.cfg.Paths.Container("shop", half.ID), "container.json"), half))
		after(13 * time.Second) // at 22 s: gone has ended unattended
		l.crash()
		synctest.Wait()
		if s := l.record("due").State; s != executor.Restarting || l.count("start due") != 8 {
			t.Errorf("due is %s after %d starts", s, l.count("start due"))
		}
		for _, key := range []string{"gone", "half"} {
			if _, err := l.m.Find(key); err == nil {
				t.Errorf("%s is still there", key)
			}
		}
		after(15 * time.Second) // at 37 s
		if rec := l.record("stopping"); rec.State != executor.Exited || rec.Exit.Code != 137 {
			t.Errorf("stopping is %s: %+v", rec.State, rec.Exit)
		}
		if rec := l.record("job"); rec.State != executor.Exited || rec.Error != "timeout after 30s" { // since its start, not since the adoption
			t.Errorf("job = %+v", rec)
		}
	})
}

func TestDamagedRecord(t *testing.T) {
	bubble(t, func(l *lab) {
		l.up(c("a", "sleep 1000", detach), c("b", "sleep 1000", detach))
		path := filepath.Join(l.cfg.Paths.Container("shop", l.record("a").ID), "container.json")
		l.ok(os.WriteFile(path, []byte(`{"id": "tor`), 0o600))
		l.crash()
		if rs := l.m.Records(); len(rs) != 1 || rs[0].Key != "b" {
			t.Errorf("records = %+v", rs)
		}
		es := l.m.Events(time.Time{})
		if last := es[len(es)-1]; last.Type != executor.EventWarning || !strings.Contains(last.Detail, "damaged") {
			t.Errorf("last event = %+v", last)
		}
		l.ok(l.m.Down(l.Context(), true, nil))
		if l.engine.String() != "" {
			t.Errorf("left: %s", l.engine)
		}
		if entries, _ := os.ReadDir(l.cfg.Paths.Containers("shop")); len(entries) != 0 {
			t.Errorf("files left: %v", entries)
		}
	})
}
