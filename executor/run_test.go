package executor_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

func TestRunJobs(t *testing.T) {
	bubble(t, func(l *lab) {
		began := time.Now()
		r := l.run(foreground, "0 ok: a ok 0, b ok 0", plan(c("a", "echo hi; sleep 2"), c("b", "sleep 3")))
		if took := time.Since(began); took != 3*time.Second || r.Elapsed != took {
			t.Errorf("took %v, says %v; want both jobs side by side", took, r.Elapsed)
		}
		if r.Outcomes[0].Elapsed != 2*time.Second {
			t.Errorf("a took %v", r.Outcomes[0].Elapsed)
		}
		if got := l.log("a"); got != "hi\n" {
			t.Errorf("log = %q", got)
		}
		rec := l.record("a")
		if rec.State != executor.Exited || rec.Exit.Code != 0 || rec.LogPath != "/logs/a" || rec.Name != "shop-a" || len(rec.ID) != 64 {
			t.Errorf("record = %+v", rec)
		}
		if got := l.engine.String(); got != "container a stopped\ncontainer b stopped\n" {
			t.Errorf("left: %s", got)
		}
	})
}

func TestExitStatus(t *testing.T) {
	for name, x := range map[string]struct {
		cs   []*schema.Container
		want string
	}{
		"one failed":        {[]*schema.Container{c("a", "exit 3"), c("b", "exit 0")}, "3 job-failed: a failed 3, b ok 0"},
		"several failed":    {[]*schema.Container{c("a", "exit 3"), c("b", "exit 4")}, "1 jobs-failed: a failed 3, b failed 4"},
		"killed":            {[]*schema.Container{c("a", "kill -9 $$")}, "137 job-failed: a failed 137"},
		"skipped":           {[]*schema.Container{c("a", "exit 3"), c("b", "", needs("a", value.Completed)), c("c", "", needs("b", value.Completed)), c("d", "exit 0")}, "3 job-failed: a failed 3, b skipped 0 because a, c skipped 0 because a, d ok 0"},
		"exited is enough":  {[]*schema.Container{c("a", "exit 3"), c("b", "exit 0", needs("a", value.Exited))}, "3 job-failed: a failed 3, b ok 0"},
		"on-failure":        {[]*schema.Container{c("a", "test -e /x && exit 0; touch /x; exit 1", restart("on-failure", 3))}, "0 ok: a ok 0"},
		"service exits 0":   {[]*schema.Container{c("s", "exit 0", detach), c("a", "sleep 1")}, "0 ok: s ok 0, a ok 0"},
		"service fails":     {[]*schema.Container{c("s", "exit 9", detach), c("a", "sleep 1")}, "9 job-failed: s failed 9, a ok 0"},
		"service restarts":  {[]*schema.Container{c("s", "exit 9", restart("always", 0)), c("a", "sleep 1")}, "0 ok: s stopped 9, a ok 0"},
		"service runs":      {[]*schema.Container{c("s", "on-term exit 0; sleep 1000", detach), c("a", "sleep 1")}, "0 ok: s stopped 0, a ok 0"},
		"only dead service": {[]*schema.Container{c("s", "exit 0", detach)}, "0 ok: s ok 0"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) { l.run(foreground, x.want, plan(x.cs...)) })
		})
	}
}

func TestMissingCommand(t *testing.T) {
	bubble(t, func(l *lab) {
		missing := c("a", "")
		missing.Process.Command.Value = []string{"/no/such"}
		gone := c("b", "", rm)
		gone.Process.Command.Value = []string{"/no/such"}
		r := l.run(foreground, "1 jobs-failed: a failed 127, b failed 127, c skipped 0 because a",
			plan(missing, gone, c("c", "", needs("a", value.Completed))))
		if !strings.Contains(r.Outcomes[0].Reason, "not found") || r.Outcomes[0].Origin != "runfile.yaml:1:1" {
			t.Errorf("outcome = %+v", r.Outcomes[0])
		}
		rec := l.record("a")
		if rec.State != executor.Created || rec.Exit.Code != 127 || !strings.Contains(rec.Error, "not found") || !rec.StartedAt.IsZero() {
			t.Errorf("record = %+v", rec)
		}
		if _, err := l.m.Find("b"); err == nil {
			t.Errorf("b has rm and is still there: %+v", l.m.Events(time.Time{}))
		}
		if got := l.events(executor.EventFail, executor.EventSkip, executor.EventDie, executor.EventDestroy); got != "destroy b, fail b, fail a, skip c" &&
			got != "fail a, skip c, destroy b, fail b" && got != "destroy b, fail a, skip c, fail b" {
			t.Errorf("events: %s", got)
		}
	})
}

func TestFailedPullBlamesItsUsers(t *testing.T) {
	bubble(t, func(l *lab) {
		l.engine.Fail("pull busybox", &engine.Error{Code: 125, Err: fmt.Errorf("no such image")})
		p := plan(c("a", ""), c("b", "", needs("a", value.Completed)))
		p.Steps = slices.Insert(p.Steps, 1, planner.Step{ID: "pull alpine", Kind: planner.Pull, Object: "alpine"})
		p.Project.Container("b").Image.Ref.Value.Text = "alpine"
		for i := range p.Steps {
			if p.Steps[i].ID == "create b" {
				p.Steps[i].After = []string{"pull alpine"}
			}
		}
		r := l.run(foreground, "125 engine: a failed 125, b skipped 0 because a", p)
		if !strings.Contains(r.Outcomes[0].Reason, "no such image") {
			t.Errorf("reason = %q", r.Outcomes[0].Reason)
		}
	})
}

func TestFailedCreateLeavesNothing(t *testing.T) {
	bubble(t, func(l *lab) {
		cid := t.TempDir() + "/cid"
		l.engine.Fail("create a", fmt.Errorf("disk full"))
		spec := c("a", "", func(c *schema.Container) { c.Metadata.CIDFile = opt(cid) })
		l.run(foreground, "125 engine: a failed 125", plan(spec))
		if rs := l.m.Records(); len(rs) != 0 {
			t.Errorf("records: %+v", rs)
		}
		if rs, err := executor.ReadRecords(l.cfg.Paths, "shop"); len(rs) != 0 || err != nil {
			t.Errorf("on disk: %+v, %v", rs, err)
		}
		l.engine.Fail("create a", nil)
		l.run(foreground, "0 ok: a ok 0", plan(spec)) // so the cidfile is gone, too
	})
}

func TestFailFast(t *testing.T) {
	bubble(t, func(l *lab) {
		p := plan(c("a", "sleep 1; exit 3"), c("b", "on-term exit 5; sleep 100"), c("c", "", needs("b", value.Completed)))
		p.Project.Policy.FailFast = opt(true)
		began := time.Now()
		l.run(foreground, "3 job-failed: a failed 3, b stopped 5, c stopped 0", p)
		if took := time.Since(began); took != time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestTimeouts(t *testing.T) {
	bubble(t, func(l *lab) {
		limit := func(c *schema.Container) { c.Lifecycle.Timeout = opt(5 * time.Second) }
		began := time.Now()
		r := l.run(foreground, "124 timeout: a failed 124", plan(c("a", "echo busy; ignore-term; sleep 100", limit, restart("on-failure", 2))))
		if took := time.Since(began); took != 15*time.Second { // 5 s, then 10 s until SIGKILL
			t.Errorf("took %v", took)
		}
		if o := r.Outcomes[0]; o.Reason != "timeout after 5s" || !slices.Equal(o.Tail, []string{"busy"}) {
			t.Errorf("outcome = %+v", o)
		}
	})
	bubble(t, func(l *lab) {
		p := plan(c("a", "sleep 100"), c("s", "ignore-term; sleep 1000", detach))
		p.Project.Policy.Timeout = opt(time.Minute)
		p.Project.Policy.TeardownGrace = opt(3 * time.Second)
		began := time.Now()
		l.run(foreground, "124 timeout: a stopped 143, s stopped 137", p)
		if took := time.Since(began); took != 63*time.Second {
			t.Errorf("took %v, want the timeout and the teardown's grace", took)
		}
	})
}

func TestInterrupt(t *testing.T) {
	bubble(t, func(l *lab) {
		ctx, cancel := context.WithCancel(l.Context())
		go func() {
			<-time.After(5 * time.Second)
			cancel()
		}()
		began := time.Now()
		r := l.m.Run(ctx, plan(c("db", "on-term sleep 2 ; sleep 1000", detach),
			c("web", "on-term sleep 1 ; sleep 1000", detach, needs("db", value.Started)), c("job", "sleep 1000")), foreground)
		_ = began
		l.check(r, "130 interrupted: db stopped 137, web stopped 137, job stopped 143")
		var stops []string
		for _, line := range l.engine.Calls() {
			if strings.HasPrefix(line, "signal ") {
				stops = append(stops, line)
			}
		}
		// web is told first; db only when web is over (its trap does not end it: TERM, then KILL after 10 s)
		want := []string{"signal web 15", "signal web 9", "signal db 15", "signal db 9"}
		got := slices.DeleteFunc(stops, func(s string) bool { return strings.Contains(s, "job") })
		if !slices.Equal(got, want) {
			t.Errorf("signals: %v", got)
		}
	})
}

func TestKillEndsEverythingAtOnce(t *testing.T) {
	bubble(t, func(l *lab) {
		ctx, cancel := context.WithCancel(l.Context())
		kill := make(chan struct{})
		go func() {
			<-time.After(5 * time.Second)
			cancel()
			<-time.After(time.Second)
			close(kill)
		}()
		began := time.Now()
		stubborn := "ignore-term; sleep 1000"
		r := l.m.Run(ctx, plan(c("db", stubborn, detach), c("web", stubborn, detach, needs("db", value.Started)), c("job", stubborn)),
			executor.RunOptions{Foreground: true, Kill: kill, Remove: true})
		l.check(r, "130 interrupted: db stopped 137, web stopped 137, job stopped 137")
		if took := time.Since(began); took != 6*time.Second {
			t.Errorf("took %v", took)
		}
		if got := l.engine.String(); got != "" {
			t.Errorf("left: %s", got)
		}
	})
}

func TestInterruptBeforeTheStart(t *testing.T) {
	bubble(t, func(l *lab) {
		l.engine.Latency = time.Second
		ctx, cancel := context.WithTimeout(l.Context(), 2500*time.Millisecond) // in the middle of start a
		defer cancel()
		r := l.m.Run(ctx, plan(c("a", "sleep 100"), c("b", "", needs("a", value.Completed))), foreground)
		l.check(r, "130 interrupted: a stopped 0, b stopped 0")
		if rec := l.record("a"); rec.State != executor.Created {
			t.Errorf("a is %s", rec.State)
		}
	})
}

func TestParallelIsBounded(t *testing.T) {
	for parallel, want := range map[int]int{0: 8, 3: 3} {
		bubble(t, func(l *lab) {
			l.engine.Latency = time.Second
			var cs []*schema.Container
			for i := range 20 {
				cs = append(cs, c(fmt.Sprintf("job%d", i), "exit 0"))
			}
			r := l.m.Run(l.Context(), plan(cs...), executor.RunOptions{Foreground: true, Parallel: parallel})
			if peak := l.engine.Peak(); r.ExitCode != 0 || peak != want {
				t.Errorf("parallel %d: exit %d, %d calls at once, want %d", parallel, r.ExitCode, peak, want)
			}
		})
	}
}

// TestMaxParallelForgetsNoJob: a job that ends while the step before another one's start does must let that one begin.
func TestMaxParallelForgetsNoJob(t *testing.T) {
	for range 200 {
		bubble(t, func(l *lab) {
			p := plan(c("a", "true"), c("b", "true"), c("d", "true"))
			p.Project.Policy.MaxParallel = opt(int64(1))
			l.run(foreground, "0 ok: a ok 0, b ok 0, d ok 0", p)
			if got := strings.Count(l.events(executor.EventStart), "start"); got != 3 {
				t.Errorf("%d of 3 jobs were started", got)
			}
		})
	}
}

func TestMaxParallelBoundsJobs(t *testing.T) {
	bubble(t, func(l *lab) {
		p := plan(c("s", "sleep 1000", detach), c("a", "sleep 10"), c("b", "sleep 10"), c("d", "sleep 10"), c("e", "sleep 10"))
		p.Project.Policy.MaxParallel = opt(int64(2))
		began := time.Now()
		l.run(foreground, "0 ok: s stopped 143, a ok 0, b ok 0, d ok 0, e ok 0", p)
		if took := time.Since(began); took != 20*time.Second {
			t.Errorf("took %v, want two jobs at a time", took)
		}
	})
}

func TestBackground(t *testing.T) {
	bubble(t, func(l *lab) {
		began := time.Now()
		web := c("web", "sleep 2; listen 80; sleep 1000", detach, ready(value.Probe{TCP: 80, Interval: time.Second}))
		l.run(executor.RunOptions{}, "0 ok: web running 0, job ok 0", plan(web, c("job", "sleep 1", needs("web", value.Ready))))
		if took := time.Since(began); took < 3*time.Second || took > 4*time.Second {
			t.Errorf("took %v", took)
		}
		if rec := l.record("web"); rec.State != executor.Running || !rec.Ready || rec.Status.PID == 0 {
			t.Errorf("web = %+v", rec)
		}
		if !l.m.Busy() {
			t.Error("not busy although web runs")
		}
		if err := l.m.Down(l.Context(), false, nil); err != nil {
			t.Fatal(err)
		}
		if l.m.Busy() || l.engine.String() != "" {
			t.Errorf("after down: busy %v, %s", l.m.Busy(), l.engine)
		}
	})
}

func TestAwaits(t *testing.T) {
	for name, x := range map[string]struct {
		c    *schema.Container
		want string
		took time.Duration
		why  string
	}{
		"healthy": {
			c("s", "sleep 3.5; touch /ok; sleep 1000", detach, health(2*time.Second, "test", "-e", "/ok")),
			"0 ok: s running 0, j ok 0", 4 * time.Second, "",
		},
		"unhealthy": {
			c("s", "sleep 1000", detach, health(time.Second, "false")),
			"1 job-failed: s failed 1, j skipped 0 because s", 3 * time.Second, "unhealthy: 3 failures in a row, last exit 1",
		},
		"ended": {
			c("s", "sleep 1; exit 7", detach, health(10*time.Second, "true")),
			"7 job-failed: s failed 7, j skipped 0 because s", time.Second, "exit 7",
		},
		"ended well": {
			c("s", "sleep 1", detach, health(10*time.Second, "true")),
			"1 job-failed: s failed 1, j skipped 0 because s", time.Second, "before it was healthy",
		},
		"never ready": {
			c("s", "sleep 1000", detach, ready(value.Probe{TCP: 80, Interval: time.Second})),
			"124 timeout: s failed 124, j skipped 0 because s", time.Minute, "not ready within 1m0s",
		},
		"own limit": {
			c("s", "sleep 1000", detach, ready(value.Probe{TCP: 80, Interval: time.Second, Timeout: 5 * time.Second})),
			"124 timeout: s failed 124, j skipped 0 because s", 5 * time.Second, "not ready within 5s",
		},
		"log": {
			c("s", "sleep 3; echo ready now; sleep 1000", detach, ready(value.Probe{Log: "^ready"})),
			"0 ok: s running 0, j ok 0", 3 * time.Second, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				cond := value.Ready
				if x.c.Health.Cmd.Set {
					cond = value.Healthy
				}
				began := time.Now()
				r := l.run(executor.RunOptions{}, x.want, plan(x.c, c("j", "exit 0", needs("s", cond))))
				if took := time.Since(began); took.Round(time.Second) != x.took || !strings.Contains(r.Outcomes[0].Reason, x.why) {
					t.Errorf("took %v: %q", took, r.Outcomes[0].Reason)
				}
			})
		})
	}
}
