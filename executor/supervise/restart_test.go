package supervise_test

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/supervise"
	"github.com/runfile/runfile/schema/value"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBackOffSequence(t *testing.T) {
	var st supervise.RestartState
	policy := value.RestartPolicy{Name: "always"}
	want := []time.Duration{100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000}
	for i, ms := range want {
		var d supervise.Decision
		d, st = supervise.NextRestart(policy, st, engine.Exit{Code: i % 2}, 9999*time.Millisecond, false)
		if !d.Restart || d.Delay != ms*time.Millisecond || st.Count != i+1 {
			t.Fatalf("restart %d: %+v, %+v; want a delay of %d ms", i+1, d, st, ms)
		}
	}
	// A run of 10 s resets the delay and not the count.
	d, st := supervise.NextRestart(policy, st, engine.Exit{}, 10*time.Second, false)
	if d.Delay != 100*time.Millisecond || st.Count != 13 {
		t.Errorf("after a good run: %+v, %+v", d, st)
	}
	if d, _ = supervise.NextRestart(policy, st, engine.Exit{}, 0, false); d.Delay != 200*time.Millisecond {
		t.Errorf("and then: %+v", d)
	}
}

func TestNextRestart(t *testing.T) {
	for _, c := range []struct {
		policy  value.RestartPolicy
		count   int
		exit    engine.Exit
		manual  bool
		restart bool
		reason  string
	}{
		{policy: value.RestartPolicy{}, exit: engine.Exit{Code: 1}, reason: "exit 1"},
		{policy: value.RestartPolicy{Name: "no"}, exit: engine.Exit{Code: 1}, reason: "exit 1"},
		{policy: value.RestartPolicy{Name: "always"}, restart: true, reason: "exit 0, restart always"},
		{policy: value.RestartPolicy{Name: "always"}, manual: true, reason: "stopped"},
		{policy: value.RestartPolicy{Name: "unless-stopped"}, restart: true, reason: "unless-stopped"},
		{policy: value.RestartPolicy{Name: "unless-stopped"}, manual: true, reason: "stopped"},
		{policy: value.RestartPolicy{Name: "on-failure"}, reason: "exit 0"},
		{policy: value.RestartPolicy{Name: "on-failure"}, exit: engine.Exit{Code: 3}, count: 1000, restart: true, reason: "exit 3"},
		{policy: value.RestartPolicy{Name: "on-failure"}, exit: engine.Exit{Code: 137, Signal: 9, OOMKilled: true}, restart: true, reason: "out of memory"},
		{policy: value.RestartPolicy{Name: "on-failure"}, exit: engine.Exit{Code: 137, Signal: 9}, restart: true, reason: "signal 9"},
		{policy: value.RestartPolicy{Name: "on-failure"}, exit: engine.Exit{Unknown: true}, restart: true, reason: "unknown"},
		{policy: value.RestartPolicy{Name: "on-failure", MaxRetries: 3}, exit: engine.Exit{Code: 3}, count: 2, restart: true, reason: "exit 3"},
		{policy: value.RestartPolicy{Name: "on-failure", MaxRetries: 3}, exit: engine.Exit{Code: 3}, count: 3, reason: "all 3 restarts"},
		{policy: value.RestartPolicy{Name: "on-failure", MaxRetries: 3}, exit: engine.Exit{Code: 3}, manual: true, reason: "stopped"},
	} {
		d, st := supervise.NextRestart(c.policy, supervise.RestartState{Count: c.count}, c.exit, 0, c.manual)
		if d.Restart != c.restart || !strings.Contains(d.Reason, c.reason) {
			t.Errorf("%+v: %+v", c, d)
		}
		if counted := st.Count - c.count; counted == 1 != c.restart {
			t.Errorf("%+v: count went up by %d", c, counted)
		}
	}
}

// TestAfterUnhealthy: the exit code decides nothing, and the count of on-failure bounds policy and health together.
func TestAfterUnhealthy(t *testing.T) {
	st := supervise.RestartState{Count: 1, Delay: 100 * time.Millisecond}
	d, next := supervise.AfterUnhealthy(value.RestartPolicy{Name: "on-failure", MaxRetries: 2}, st, time.Second)
	if !d.Restart || d.Delay != 200*time.Millisecond || next.Count != 2 || !strings.Contains(d.Reason, "unhealthy") {
		t.Errorf("second of two: %+v, %+v", d, next)
	}
	if d, next = supervise.AfterUnhealthy(value.RestartPolicy{Name: "on-failure", MaxRetries: 2}, next, time.Second); d.Restart || next.Count != 2 {
		t.Errorf("third of two: %+v, %+v", d, next)
	}
	for _, name := range []string{"", "no", "always", "on-failure"} {
		if d, _ := supervise.AfterUnhealthy(value.RestartPolicy{Name: name}, supervise.RestartState{Count: 1000}, 0); !d.Restart {
			t.Errorf("%q: %+v", name, d)
		}
	}
}

func TestResume(t *testing.T) {
	for _, c := range []struct {
		policy  string
		exit    engine.Exit
		manual  bool
		restart bool
	}{
		{"no", engine.Exit{Code: 1}, false, false},
		{"always", engine.Exit{}, false, true},
		{"always", engine.Exit{}, true, true},
		{"unless-stopped", engine.Exit{}, false, true},
		{"unless-stopped", engine.Exit{Code: 137}, true, false},
		{"on-failure", engine.Exit{Code: 1}, false, true},
		{"on-failure", engine.Exit{Unknown: true}, false, true},
		{"on-failure", engine.Exit{}, false, false},
		{"on-failure", engine.Exit{Code: 143}, true, false},
	} {
		if d := supervise.Resume(value.RestartPolicy{Name: c.policy}, c.exit, c.manual); d.Restart != c.restart || d.Reason == "" {
			t.Errorf("%+v: %+v", c, d)
		}
	}
}
