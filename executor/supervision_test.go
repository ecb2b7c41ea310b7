package executor_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/engine/fake"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// up runs services in the background.
func (l *lab) up(cs ...*schema.Container) {
	l.Helper()
	if r := l.m.Run(l.Context(), plan(cs...), executor.RunOptions{}); r.ExitCode != 0 {
		l.Fatalf("up: %+v", r)
	}
}

// count counts the engine's calls that are written like that.
func (l *lab) count(call string) int {
	n := 0
	for _, line := range l.engine.Calls() {
		if line == call {
			n++
		}
	}
	return n
}

// signals lists those that a container got.
func (l *lab) signals(key string) string {
	var out []string
	for _, line := range l.engine.Calls() {
		if n, ok := strings.CutPrefix(line, "signal "+key+" "); ok {
			out = append(out, n)
		}
	}
	return strings.Join(out, " ")
}

func (l *lab) ok(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// after lets fake time pass, and everything that is due in it happen.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestRestartBackOff(t *testing.T) {
	bubble(t, func(l *lab) {
		began := time.Now()
		l.up(c("web", "exit 1", restart("always", 0)))
		after(70 * time.Second)
		var starts []int64
		for {
			select {
			case e := <-l.sub.C:
				if e.Type == executor.EventStart {
					starts = append(starts, e.Time.Sub(began).Milliseconds())
				}
				continue
			default:
			}
			break
		}
		if want := []int64{0, 100, 300, 700, 1500, 3100, 6300, 12700, 25500, 51100}; !slices.Equal(starts, want) {
			t.Errorf("starts at %v ms, want %v", starts, want)
		}
		rec := l.record("web")
		if rec.State != executor.Restarting || rec.RestartCount != 10 || rec.Exit.Code != 1 {
			t.Errorf("record = %s, %d restarts, %+v", rec.State, rec.RestartCount, rec.Exit)
		}
		// A stop during the back-off sends nothing and ends it.
		l.ok(l.m.Stop(l.Context(), []string{"web"}, nil))
		if rec := l.record("web"); rec.State != executor.Exited || !rec.ManuallyStopped || l.m.Busy() {
			t.Errorf("after stop: %s, manually stopped %v, busy %v", rec.State, rec.ManuallyStopped, l.m.Busy())
		}
		after(time.Hour)
		if n := l.count("start web"); n != 10 {
			t.Errorf("%d starts in the end", n)
		}
	})
}

func TestOnFailureStopsCounting(t *testing.T) {
	bubble(t, func(l *lab) {
		r := l.run(foreground, "3 job-failed: a failed 3", plan(c("a", "exit 3", restart("on-failure", 3))))
		if n := l.count("start a"); n != 4 || r.Elapsed != 700*time.Millisecond || r.Outcomes[0].Reason != "exit 3 after 3 restarts" {
			t.Errorf("%d starts in %v, reason %q", n, r.Elapsed, r.Outcomes[0].Reason)
		}
	})
}

func TestRestartThatCannotStartEnds(t *testing.T) {
	bubble(t, func(l *lab) {
		l.up(c("web", "sleep 1; exit 1", restart("always", 0)))
		l.engine.Fail("start web", &engine.Error{Code: 126, Err: errors.New("not executable")})
		exit, err := l.m.Wait(l.Context(), "web")
		if err != nil || exit.Code != 126 {
			t.Errorf("exit = %+v, %v", exit, err)
		}
		if rec := l.record("web"); rec.State != executor.Exited || !strings.Contains(rec.Error, "not executable") {
			t.Errorf("record = %+v", rec)
		}
	})
}

func TestStopSequence(t *testing.T) {
	seconds := func(n int64) *int64 { return &n }
	own := func(n int64) func(*schema.Container) {
		return func(c *schema.Container) { c.Lifecycle.StopTimeout = opt(n) }
	}
	usr1 := func(c *schema.Container) { c.Lifecycle.StopSignal = opt(value.Signal{Number: 10, Name: "SIGUSR1"}) }
	for name, x := range map[string]struct {
		c       *schema.Container
		timeout *int64
		took    time.Duration
		code    int
		signals string
	}{
		"graceful":     {c("s", "on-term exit 0; sleep 1000", detach), nil, 0, 0, "15"},
		"default time": {c("s", "ignore-term; sleep 1000", detach), nil, 10 * time.Second, 137, "15 9"},
		"own time":     {c("s", "ignore-term; sleep 1000", detach, own(2)), nil, 2 * time.Second, 137, "15 9"},
		"given time":   {c("s", "ignore-term; sleep 1000", detach, own(2)), seconds(5), 5 * time.Second, 137, "15 9"},
		"no time":      {c("s", "ignore-term; sleep 1000", detach), seconds(0), 0, 137, "15 9"},
		"for ever":     {c("s", "ignore-term; sleep 100; exit 7", detach), seconds(-1), 100 * time.Second, 7, "15"},
		"own signal":   {c("s", "trap 'exit 42' USR1; sleep 1000", detach, usr1), nil, 0, 42, "10"},
		"restarting":   {c("s", "on-term exit 0; sleep 1000", restart("always", 0)), nil, 0, 0, "15"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				l.up(x.c)
				synctest.Wait()
				began := time.Now()
				l.ok(l.m.Stop(l.Context(), []string{"s"}, x.timeout))
				rec := l.record("s")
				if took := time.Since(began); took != x.took || rec.State != executor.Exited || rec.Exit.Code != x.code {
					t.Errorf("took %v: %s, %+v", took, rec.State, rec.Exit)
				}
				if got := l.signals("s"); got != x.signals {
					t.Errorf("signals %s, want %s", got, x.signals)
				}
			})
		})
	}
}

func TestUndeliveredStopSignal(t *testing.T) {
	bubble(t, func(l *lab) {
		l.up(c("s", "sleep 1000", detach))
		l.engine.Fail("signal s 15", errors.New("no"))
		began := time.Now()
		l.ok(l.m.Stop(l.Context(), nil, nil))
		if took := time.Since(began); took != 2*time.Second || l.record("s").Exit.Code != 137 {
			t.Errorf("took %v, %+v", took, l.record("s").Exit)
		}
		l.up(c("u", "sleep 1000", detach))
		l.engine.Fail("signal u 15", errors.New("no"))
		l.engine.Fail("signal u 9", errors.New("no"))
		began = time.Now()
		if err := l.m.Stop(l.Context(), []string{"u"}, nil); err == nil || time.Since(began) != 14*time.Second {
			t.Errorf("unkillable: %v after %v", err, time.Since(began))
		}
		l.engine.Fail("signal u 9", nil)
	})
}

func TestKill(t *testing.T) {
	bubble(t, func(l *lab) {
		l.up(c("s", "trap 'echo got it' USR1; sleep 1000; sleep 1000", restart("always", 0)))
		synctest.Wait()
		l.ok(l.m.Kill(l.Context(), []string{"s"}, 10))
		synctest.Wait()
		if l.log("s") != "got it\n" || l.record("s").State != executor.Running {
			t.Errorf("after USR1: %q, %s", l.log("s"), l.record("s").State)
		}
		l.ok(l.m.Kill(l.Context(), []string{"s"}, 9)) // ends the policy, as docker kill does
		after(time.Hour)
		rec := l.record("s")
		if rec.State != executor.Exited || rec.Exit.Code != 137 || !rec.ManuallyStopped || l.count("start s") != 1 {
			t.Errorf("after KILL: %+v", rec)
		}
		if err := l.m.Kill(l.Context(), []string{"s"}, 9); err == nil {
			t.Error("what does not run was killed")
		}
		l.ok(l.m.Start(l.Context(), []string{"s"}))
		if rec := l.record("s"); rec.State != executor.Running || rec.ManuallyStopped || rec.Exit != nil {
			t.Errorf("after start: %+v", rec)
		}
	})
}

func TestRestartVerb(t *testing.T) {
	bubble(t, func(l *lab) {
		anon := func(c *schema.Container) {
			c.Mounts.Volumes = schema.Items[value.Mount]{{Value: value.Mount{Type: value.Volume, Target: "/data"}}}
		}
		l.up(c("db", "echo x >> /data/f; sleep 1000", detach, rm, anon), c("web", "sleep 1000", detach, needs("db", value.Started)))
		id := l.record("db").ID
		l.ok(l.m.Restart(l.Context(), nil, nil))
		synctest.Wait()
		calls := slices.DeleteFunc(l.engine.Calls(), func(s string) bool { return !strings.HasPrefix(s, "signal") && !strings.HasPrefix(s, "start") })
		if got := strings.Join(calls, ", "); got != "start db, start web, signal web 15, signal db 15, start db, start web" {
			t.Errorf("calls: %s", got)
		}
		if rec := l.record("db"); rec.ID != id || rec.State != executor.Running { // not removed in between
			t.Errorf("db: %+v", rec)
		}
		l.ok(l.m.Stop(l.Context(), []string{"db"}, nil))
		synctest.Wait()
		if _, err := l.m.Find("db"); !errors.Is(err, executor.ErrNoContainer) {
			t.Errorf("db has rm and was stopped: %v", err)
		}
		if got := l.engine.String(); got != "container web running\n" {
			t.Errorf("left: %s", got)
		}
	})
}

// TestJoinersFollowTheirDonor: an IPC namespace ends with its container, so those who share it start anew; a network
// outlives its owner's restart, so those who share it go on.
func TestJoinersFollowTheirDonor(t *testing.T) {
	tests := map[string]struct {
		join   func(c *schema.Container)
		starts int
	}{
		"ipc": {func(c *schema.Container) {
			c.Namespaces.IPC = schema.Opt[value.NamespaceMode]{Value: value.NamespaceMode{Mode: "container", Container: "vpn"}, Set: true}
		}, 2},
		"network": {func(c *schema.Container) {
			c.Network.Networks = schema.Items[value.Network]{{Value: value.Network{Mode: value.NetworkContainer, Name: "vpn"}}}
		}, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				l.up(c("vpn", "sleep 5; exit 1", restart("always", 0)), c("app", "sleep 1000", detach, tt.join, needs("vpn", value.Started)))
				if l.record("app").Peers["vpn"] != l.record("vpn").ID {
					t.Errorf("peers = %v", l.record("app").Peers)
				}
				after(6 * time.Second)
				if n := l.count("start app"); n != tt.starts || l.record("app").State != executor.Running {
					t.Errorf("app was started %d times and is %s, want %d", n, l.record("app").State, tt.starts)
				}
			})
		})
	}
}

func TestHealthIsRecorded(t *testing.T) {
	bubble(t, func(l *lab) {
		l.up(c("s", "sleep 5; exit 0", detach)) // no check
		if l.record("s").Health != nil {
			t.Error("health without a check")
		}
		l.engine.Images = map[string]fake.Image{"busybox": {HealthTest: []string{"CMD", "test", "-e", "/ok"}, HealthGrace: 4 * time.Second}}
		p := plan(c("web", "sleep 8.5; touch /ok; sleep 2; exit 0", detach, func(c *schema.Container) { c.Health.Interval = opt(2 * time.Second) }))
		l.m.Run(l.Context(), p, executor.RunOptions{})
		l.events()
		var got []string
		for _, d := range []time.Duration{1, 5, 4, 2} {
			after(d * time.Second)
			h := l.record("web").Health
			got = append(got, fmt.Sprintf("%s %d/%d", h.Status, h.FailingStreak, len(h.Log)))
		}
		// The image's start period makes the first probe come after 5 s (start interval), and then every 2 s.
		want := []string{"starting 0/0", "starting 1/1", "healthy 0/3", "unhealthy 0/3"}
		if !slices.Equal(got, want) {
			t.Errorf("health %v, want %v", got, want)
		}
		if got := l.events(executor.EventHealth, executor.EventDie); got != "die s, health_status web, die web" {
			t.Errorf("events: %s", got)
		}
	})
}

func TestRm(t *testing.T) {
	bubble(t, func(l *lab) {
		volumes := func(c *schema.Container) {
			c.Mounts.Volumes = schema.Items[value.Mount]{
				{Value: value.Mount{Type: value.Volume, Target: "/tmp/anon"}},
				{Value: value.Mount{Type: value.Volume, Source: "named", Target: "/data"}},
			}
		}
		l.run(foreground, "4 job-failed: a failed 4", plan(c("a", "exit 4", rm, volumes)))
		if got := l.engine.String(); got != "volume named\n" {
			t.Errorf("left: %s", got)
		}
		if entries, _ := os.ReadDir(l.cfg.Paths.Containers("shop")); len(entries) != 0 {
			t.Errorf("files left: %v", entries)
		}
		if got := l.events(executor.EventCreate, executor.EventStart, executor.EventDie, executor.EventDestroy); got != "create a, start a, die a, destroy a" {
			t.Errorf("events: %s", got)
		}
	})
}

func TestUpRemove(t *testing.T) {
	bubble(t, func(l *lab) {
		l.up(c("kept", "sleep 1000", detach))
		on := func(c *schema.Container) {
			c.Network.Networks = schema.Items[value.Network]{{Value: value.Network{Mode: value.NetworkUser, Name: "back"}}}
		}
		p := plan(c("s", "sleep 1000", detach, on), c("a", "exit 0"))
		p.Steps = append([]planner.Step{{ID: "network back", Kind: planner.Network, Object: "back"}}, p.Steps...)
		p.Project.Containers = append(p.Project.Containers, c("kept", "sleep 1000", detach))
		p.Selected = append(p.Selected, "kept")
		p.Steps = append(p.Steps, planner.Step{ID: "keep kept", Kind: planner.Keep, Object: "kept"})
		l.run(executor.RunOptions{Foreground: true, Remove: true}, "0 ok: s stopped 143, a ok 0, kept running 0", p)
		if got := l.engine.String(); got != "container kept running\n" {
			t.Errorf("left: %s", got)
		}
	})
}

func TestReplaceAndOrphans(t *testing.T) {
	bubble(t, func(l *lab) {
		l.up(c("web", "sleep 1000", detach), c("old", "on-term sleep 3; sleep 1000", detach))
		id := l.record("web").ID
		p := plan(c("web", "sleep 2000", detach))
		p.Steps = append([]planner.Step{{ID: "remove web", Kind: planner.Remove, Object: "web"}, {ID: "remove old", Kind: planner.Remove, Object: "old"}}, p.Steps...)
		for i := range p.Steps {
			if p.Steps[i].ID == "create web" {
				p.Steps[i].After = append(p.Steps[i].After, "remove web")
			}
		}
		l.run(executor.RunOptions{}, "0 ok: web running 0", p)
		if rec := l.record("web"); rec.ID == id || rec.State != executor.Running {
			t.Errorf("web = %+v", rec)
		}
		if _, err := l.m.Find("old"); err == nil {
			t.Error("old is still there")
		}
		// A second container of that name is refused.
		same := plan(c("other", "exit 0", func(c *schema.Container) { c.Metadata.Name = opt("shop-web") }))
		r := l.run(foreground, "125 engine: other failed 125", same)
		if !strings.Contains(r.Outcomes[0].Reason, "is in use by container") {
			t.Errorf("reason = %q", r.Outcomes[0].Reason)
		}
	})
}

func TestCIDFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cid")
	bubble(t, func(l *lab) {
		spec := c("a", "exit 0", rm, func(c *schema.Container) { c.Metadata.CIDFile = opt(path) })
		l.run(foreground, "0 ok: a ok 0", plan(spec))
		if id, err := os.ReadFile(path); err != nil || len(id) != 64 {
			t.Errorf("cidfile holds %q, %v", id, err)
		}
		r := l.run(foreground, "125 engine: a failed 125", plan(spec))
		if !strings.Contains(r.Outcomes[0].Reason, "exists; remove it or use another path") || l.count("create a") != 1 {
			t.Errorf("second run: %q", r.Outcomes[0].Reason)
		}
	})
}

func TestDown(t *testing.T) {
	bubble(t, func(l *lab) {
		p := plan(c("db", "ignore-term; sleep 1000", detach), c("web", "ignore-term; sleep 1000", detach, needs("db", value.Started)), c("x", "sleep 1000", detach))
		p.Steps = append([]planner.Step{
			{ID: "network back", Kind: planner.Network, Object: "back"},
			{ID: "volume data", Kind: planner.Volume, Object: "data"},
			{ID: "volume theirs", Kind: planner.Volume, Object: "theirs"},
		}, p.Steps...)
		p.Project.Volumes = []*schema.VolumeDef{{Key: "theirs", External: opt(true)}}
		l.m.Run(l.Context(), p, executor.RunOptions{})
		l.crash() // what Down needs to know is on disk
		began := time.Now()
		one := int64(1)
		l.ok(l.m.Down(l.Context(), false, &one))
		if took := time.Since(began); took != 2*time.Second { // two levels, a second each
			t.Errorf("took %v", took)
		}
		if got := l.engine.String(); got != "volume data\nvolume theirs\n" {
			t.Errorf("left: %s", got)
		}
		l.ok(l.m.Down(l.Context(), true, nil))
		if got := l.engine.String(); got != "volume theirs\n" {
			t.Errorf("left with volumes: %s", got)
		}
	})
}

func TestRemoveVerb(t *testing.T) {
	bubble(t, func(l *lab) {
		l.up(c("a", "ignore-term; sleep 1000", restart("always", 0)), c("b", "exit 0"))
		if err := l.m.Remove(l.Context(), []string{"a"}, false, false); err == nil || !strings.Contains(err.Error(), "stop it first") {
			t.Errorf("remove of a running one: %v", err)
		}
		began := time.Now()
		l.ok(l.m.Remove(l.Context(), []string{"a", "b"}, true, true))
		if took := time.Since(began); took != 0 || l.engine.String() != "" || l.count("remove container a with volumes") != 1 {
			t.Errorf("took %v, left %s", took, l.engine)
		}
		if err := l.m.Remove(l.Context(), []string{"a"}, true, true); !errors.Is(err, executor.ErrNoContainer) {
			t.Errorf("second remove: %v", err)
		}
	})
}
