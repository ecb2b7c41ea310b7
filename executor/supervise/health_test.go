package supervise_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/engine/fake"
	"github.com/runfile/runfile/executor/supervise"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

func TestHealthOf(t *testing.T) {
	for _, test := range [][]string{nil, {"NONE"}, {"CMD"}} {
		if _, ok := supervise.HealthOf(&schema.Effective{HealthTest: test}); ok {
			t.Errorf("%q is a check", test)
		}
	}
	if _, ok := supervise.HealthOf(nil); ok {
		t.Error("nil is a check")
	}
	c, ok := supervise.HealthOf(&schema.Effective{HealthTest: []string{"CMD-SHELL", "test -e /ok"}})
	if !ok || !slices.Equal(c.Args, []string{"/bin/sh", "-c", "test -e /ok"}) || c.Interval != 30*time.Second ||
		c.Timeout != 30*time.Second || c.Retries != 3 || c.StartPeriod != 0 || c.StartInterval != 5*time.Second {
		t.Errorf("defaults = %+v", c)
	}
	c, _ = supervise.HealthOf(&schema.Effective{
		HealthTest: []string{"CMD", "a", "b"}, HealthEvery: 1, HealthLimit: 2, HealthTries: 4, HealthGrace: 5, HealthGraceEvery: 6,
	})
	if !slices.Equal(c.Args, []string{"a", "b"}) || c.Interval != 1 || c.Timeout != 2 || c.Retries != 4 || c.StartPeriod != 5 || c.StartInterval != 6 {
		t.Errorf("given = %+v", c)
	}
}

// TestNextHealth: each probe is one letter, 1 a failure and 0 a success, a second apart from 1 s after the start.
func TestNextHealth(t *testing.T) {
	for _, c := range []struct {
		probes  string
		retries int
		grace   time.Duration
		want    string // status and streak after each probe
	}{
		{"111", 3, 0, "s1 s2 u3"},
		{"1110111", 3, 0, "s1 s2 u3 h0 h1 h2 u3"},
		{"0", 3, 0, "h0"},
		{"11110", 1, 0, "u1 u2 u3 u4 h0"},
		{"1111", 2, 2500 * time.Millisecond, "s0 s0 s1 u2"},
		{"10111", 2, time.Hour, "s0 h0 h1 u2 u3"}, // the first success ends the start period
		{"11", 1, time.Second, "u1 u2"},           // a probe that begins at its end counts
	} {
		start := time.Unix(0, 0)
		st := supervise.NewHealth(start)
		cfg := supervise.HealthConfig{Retries: c.retries, StartPeriod: c.grace}
		var got []string
		for i, p := range c.probes {
			at := start.Add(time.Duration(i+1) * time.Second)
			st = supervise.NextHealth(cfg, st, supervise.ProbeResult{Start: at, End: at, ExitCode: int(p - '0')})
			got = append(got, fmt.Sprintf("%c%d", st.Status[0], st.Streak))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s with %d retries: %s, want %s", c.probes, c.retries, s, c.want)
		}
		if len(st.Log) != min(5, len(c.probes)) {
			t.Errorf("%s: %d results kept", c.probes, len(st.Log))
		}
	}
}

func TestNextHealthKeepsTheLastFive(t *testing.T) {
	var st supervise.HealthState
	for i := range 7 {
		before := st
		st = supervise.NextHealth(supervise.HealthConfig{Retries: 3}, st, supervise.ProbeResult{ExitCode: i})
		if len(before.Log) == 5 && before.Log[0].ExitCode != i-5 {
			t.Fatal("an earlier state was changed")
		}
	}
	if st.Log[0].ExitCode != 2 || st.Log[4].ExitCode != 6 {
		t.Errorf("kept %+v", st.Log)
	}
}

func TestUntilNext(t *testing.T) {
	start := time.Unix(0, 0)
	cfg := supervise.HealthConfig{Interval: 30 * time.Second, StartInterval: 5 * time.Second, StartPeriod: time.Minute}
	st := supervise.NewHealth(start)
	if d := supervise.UntilNext(cfg, st, start.Add(59*time.Second)); d != 5*time.Second {
		t.Errorf("in the start period: %v", d)
	}
	if d := supervise.UntilNext(cfg, st, start.Add(time.Minute)); d != 30*time.Second {
		t.Errorf("after it: %v", d)
	}
	st.Status = supervise.Healthy
	if d := supervise.UntilNext(cfg, st, start); d != 30*time.Second {
		t.Errorf("once healthy: %v", d)
	}
}

// start runs a container with a script on a fake engine; it is killed at the end of the test.
func start(t *testing.T, script string, stdio engine.Stdio) (*fake.Engine, engine.Process) {
	t.Helper()
	e := fake.New()
	c := &schema.Container{Key: "web"}
	c.Process.Command = schema.Opt[[]string]{Value: []string{"sh", "-c", script}, Set: true}
	if _, err := e.Create(t.Context(), engine.Container{ID: "id", Spec: c}); err != nil {
		t.Fatal(err)
	}
	p, err := e.Start(t.Context(), "id", stdio)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_ = p.Signal(ctx, 9)
		_, _ = p.Wait(ctx)
	})
	return e, p
}

// TestWatchHealthTimeline is the run that was measured on docker: interval 300 ms, 3 retries, the file appears after
// 1.6 s and goes after 3.6 s.
func TestWatchHealthTimeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, p := start(t, "sleep 1.6; touch /ok; sleep 2; rm /ok; sleep 1000", engine.Stdio{})
		cfg, _ := supervise.HealthOf(&schema.Effective{HealthTest: []string{"CMD", "test", "-e", "/ok"}, HealthEvery: 300 * time.Millisecond})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var got []string
		supervise.WatchHealth(ctx, p, cfg, supervise.NewHealth(began), func(st supervise.HealthState) {
			got = append(got, fmt.Sprintf("%d:%c%d", time.Since(began).Milliseconds(), st.Status[0], st.Streak))
		})
		want := "300:s1 600:s2 900:u3 1200:u4 1500:u5 1800:h0 2100:h0 2400:h0 2700:h0 3000:h0 3300:h0 3600:h1 " +
			"3900:h2 4200:u3 4500:u4 4800:u5"
		// At 3.6 s the file goes and is looked for at the same moment; either order is right.
		s := strings.Join(got, " ")
		alt := strings.Replace(want, "3600:h1 3900:h2 4200:u3 4500:u4 4800:u5", "3600:h0 3900:h1 4200:h2 4500:u3 4800:u4", 1)
		if s != want && s != alt {
			t.Errorf("got  %s\nwant %s", s, want)
		}
	})
}

func TestIntervalCountsFromTheEndOfTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := start(t, "sleep 1000", engine.Stdio{})
		cfg := supervise.HealthConfig{Args: []string{"sleep", "2s"}, Interval: time.Second, Timeout: 10 * time.Second, Retries: 3}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var starts []time.Duration
		began := time.Now()
		supervise.WatchHealth(ctx, p, cfg, supervise.NewHealth(began), func(st supervise.HealthState) {
			starts = append(starts, st.Log[len(st.Log)-1].Start.Sub(began))
		})
		if want := []time.Duration{time.Second, 4 * time.Second, 7 * time.Second}; !slices.Equal(starts, want) {
			t.Errorf("probes began at %v, want %v", starts, want)
		}
	})
}

func TestCheck(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, c := range []struct {
		name   string
		args   []string
		limit  time.Duration
		code   int
		output string
		took   time.Duration
	}{
		{"success", []string{"echo", "fine"}, time.Second, 0, "fine\n", 0},
		{"failure", []string{"sh", "-c", "echo a; echo b >&2; exit 2"}, time.Second, 2, "a\nb\n", 0},
		{"long output", []string{"echo", long}, time.Second, 0, long[:4096] + "...", 0},
		{"too long", []string{"sleep", "5"}, 300 * time.Millisecond, -1, "Health check exceeded timeout (300ms)", 300 * time.Millisecond},
		{"too long with output", []string{"sh", "-c", "echo hm; sleep 5"}, time.Second, -1, "Health check exceeded timeout (1s): hm\n", time.Second},
		{"missing", []string{"nonsense"}, time.Second, -1, `start the probe: command not found: ["nonsense"]`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, p := start(t, "sleep 1000", engine.Stdio{})
				began := time.Now()
				r, doubtful := supervise.Check(t.Context(), p, supervise.HealthConfig{Args: c.args, Timeout: c.limit})
				if doubtful {
					t.Error("doubtful")
				}
				if r.ExitCode != c.code || r.Output != c.output || r.End.Sub(began) != c.took || r.Start != began {
					t.Errorf("result = %d %.80q after %v", r.ExitCode, r.Output, r.End.Sub(began))
				}
			})
		})
	}
}

// When PID 1 ends, its probe is killed before anybody hears of that end.
func TestWatchHealthEndsWithTheContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := start(t, "sleep 1.5; exit 0", engine.Stdio{})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			defer cancel()
			if _, err := p.Wait(ctx); err != nil {
				t.Error(err)
			}
			time.Sleep(100 * time.Millisecond)
		}()
		reports := 0
		cfg := supervise.HealthConfig{Args: []string{"sleep", "1"}, Interval: time.Second, Timeout: time.Minute, Retries: 1}
		supervise.WatchHealth(ctx, p, cfg, supervise.NewHealth(time.Now()), func(supervise.HealthState) { reports++ })
		if reports != 0 {
			t.Errorf("%d results of a probe that the container's end cut off", reports)
		}
	})
}

func TestWaitReady(t *testing.T) {
	for _, c := range []struct {
		name   string
		script string
		probe  value.Probe
		limit  time.Duration
		took   time.Duration
		err    string
	}{
		{"tcp at once", "listen 80; sleep 1000", value.Probe{TCP: 80}, time.Minute, 0, ""},
		{"tcp later", "sleep 1; listen 80; sleep 1000", value.Probe{TCP: 80, Interval: 300 * time.Millisecond}, time.Minute, 1200 * time.Millisecond, ""},
		{"spaced", "sleep 1; listen 80; sleep 1000", value.Probe{TCP: 80}, time.Minute, 1550 * time.Millisecond, ""},
		{"never", "sleep 1000", value.Probe{TCP: 80}, time.Second, time.Second, "connection refused"},
		{"http", "listen 80 204; sleep 1000", value.Probe{HTTP: ":80/health"}, time.Minute, 0, ""},
		{"http without a path", "listen 80 302; sleep 1000", value.Probe{HTTP: "80"}, time.Minute, 0, ""},
		{"http error", "listen 80 503; sleep 1000", value.Probe{HTTP: ":80/"}, time.Second, time.Second, "503"},
		{"exec", "sleep 0.1; touch /ok; sleep 1000", value.Probe{Exec: []string{"test", "-e", "/ok"}}, time.Minute, 150 * time.Millisecond, ""},
		{"exec fails", "sleep 1000", value.Probe{Exec: []string{"false"}}, time.Second, time.Second, "false: exit 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, p := start(t, c.script, engine.Stdio{})
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), c.limit)
				defer cancel()
				err := supervise.WaitReady(ctx, p, c.probe, nil)
				if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) || time.Since(began) != c.took {
					t.Errorf("%v after %v", err, time.Since(began))
				}
			})
		})
	}
}

func TestWaitReadyByLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := start(t, "sleep 1000", engine.Stdio{})
		w, err := supervise.NewLineWatch(`^ready to .* connections$`)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			<-time.After(time.Second)
			for _, line := range []string{"not ready to accept connections", "ready to accept connections", "ready to accept connections"} {
				w.Line([]byte(line))
			}
		}()
		began := time.Now()
		if err := supervise.WaitReady(t.Context(), p, value.Probe{Log: "x"}, w); err != nil || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		other, _ := supervise.NewLineWatch("never")
		if err := supervise.WaitReady(ctx, p, value.Probe{Log: "x"}, other); err == nil || !strings.Contains(err.Error(), `"never"`) {
			t.Errorf("never matched: %v", err)
		}
	})
	if _, err := supervise.NewLineWatch("("); err == nil {
		t.Error("a broken expression compiled")
	}
}
