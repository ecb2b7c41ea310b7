package executor_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/engine/fake"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lab is a manager on a fake engine, with its logs in memory.
type lab struct {
	*testing.T
	engine *fake.Engine
	cfg    executor.Config
	m      *executor.Manager
	sub    *executor.Subscription

	mu   sync.Mutex
	logs map[string]*bytes.Buffer
}

type logWriter struct {
	l   *lab
	key string
}

func (w logWriter) Write(p []byte) (int, error) {
	w.l.mu.Lock()
	defer w.l.mu.Unlock()
	if w.l.logs[w.key] == nil {
		w.l.logs[w.key] = new(bytes.Buffer)
	}
	return w.l.logs[w.key].Write(p)
}

func (logWriter) Close() error { return nil }

func (l *lab) log(key string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.logs[key] == nil {
		return ""
	}
	return l.logs[key].String()
}

// bubble runs a test with a manager in fake time. Whatever still runs at the end is killed.
func bubble(t *testing.T, f func(l *lab)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := &lab{T: t, engine: fake.New(), logs: map[string]*bytes.Buffer{}}
		l.cfg = executor.Config{
			Project: "shop", Dir: dir, Engine: l.engine, Paths: state.Paths{Root: dir + "/lib", Run: dir + "/run"},
			OpenLog: func(r *executor.Record) (io.WriteCloser, io.WriteCloser, error) {
				r.LogPath = "/logs/" + r.Key
				return logWriter{l, r.Key}, logWriter{l, r.Key}, nil
			},
		}
		l.open()
		defer func() {
			if err := l.m.Kill(context.Background(), nil, 9); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			l.m.Close()
		}()
		f(l)
	})
}

func (l *lab) open() {
	l.Helper()
	var err error
	if l.m, err = executor.NewManager(l.Context(), l.cfg); err != nil {
		l.Fatal(err)
	}
	l.sub = l.m.Subscribe(10000)
}

// crash ends the supervision as kill -9 would, and lets a new one take over.
func (l *lab) crash() {
	l.Helper()
	l.sub.Close()
	l.m.Close()
	l.open()
}

// events drains the subscription and returns the events that pass, one word each: "type container".
func (l *lab) events(types ...executor.EventType) string {
	var out []string
	for {
		select {
		case e := <-l.sub.C:
			if slices.Contains(types, e.Type) {
				out = append(out, strings.TrimSpace(string(e.Type)+" "+e.Container))
			}
		default:
			return strings.Join(out, ", ")
		}
	}
}

// c declares a container with a shell script; the options change it.
func c(key, script string, options ...func(*schema.Container)) *schema.Container {
	c := &schema.Container{Key: key}
	c.Image.Ref = schema.Opt[value.ImageRef]{Value: value.ImageRef{Text: "busybox"}, Set: true}
	c.Process.Command = opt([]string{"sh", "-c", script})
	for _, o := range options {
		o(c)
	}
	return c
}

func opt[T any](v T) schema.Opt[T] { return schema.Opt[T]{Value: v, Set: true} }

func detach(c *schema.Container) { c.Lifecycle.Detach = opt(true) }
func rm(c *schema.Container)     { c.Lifecycle.Remove = opt(true) }
func restart(name string, n int) func(*schema.Container) {
	return func(c *schema.Container) {
		c.Lifecycle.Restart = opt(value.RestartPolicy{Name: name, MaxRetries: n})
	}
}

func health(every time.Duration, args ...string) func(*schema.Container) {
	return func(c *schema.Container) {
		c.Health.Cmd = opt(append([]string{"CMD"}, args...))
		c.Health.Interval = opt(every)
	}
}

func ready(p value.Probe) func(*schema.Container) {
	return func(c *schema.Container) { c.Lifecycle.Ready = opt(p) }
}

func needs(key string, cond value.Condition) func(*schema.Container) {
	return func(c *schema.Container) {
		c.Lifecycle.DependsOn = append(c.Lifecycle.DependsOn, schema.Item[value.Dependency]{Value: value.Dependency{Container: key, Condition: cond}})
	}
}

// plan writes the steps that the planner would: pull, create, start and await, with the declared dependencies.
func plan(cs ...*schema.Container) *planner.Plan {
	p := &planner.Plan{Project: &schema.Project{Name: "shop", Containers: cs}}
	p.Steps = []planner.Step{{ID: "pull busybox", Kind: planner.Pull, Object: "busybox"}}
	step := func(kind planner.Kind, key, cond string, after ...string) {
		id := strings.TrimSpace(fmt.Sprintf("%s %s %s", kind, key, cond))
		p.Steps = append(p.Steps, planner.Step{ID: id, Kind: kind, Object: key, Condition: cond, After: after, Origin: "runfile.yaml:1:1"})
	}
	for _, c := range cs {
		p.Selected = append(p.Selected, c.Key)
		made := []string{"pull busybox"}
		for _, n := range c.Network.Networks.Values() {
			if n.Mode == value.NetworkContainer {
				made = append(made, "create "+n.Name)
			}
		}
		step(planner.Create, c.Key, "", made...)
		after := []string{"create " + c.Key}
		for _, d := range c.Lifecycle.DependsOn.Values() {
			id := fmt.Sprintf("await %s %s", d.Container, d.Condition)
			switch d.Condition {
			case value.Started:
				id = "start " + d.Container
			case value.Created:
				id = "create " + d.Container
			}
			after = append(after, id)
		}
		step(planner.Start, c.Key, "", after...)
		conditions := []value.Condition{value.Completed, value.Exited}
		if c.IsService() {
			conditions = nil
			if c.Lifecycle.Ready.Set {
				conditions = append(conditions, value.Ready)
			}
			if c.Health.Cmd.Set {
				conditions = append(conditions, value.Healthy)
			}
		}
		for _, cond := range conditions {
			step(planner.Await, c.Key, string(cond), "start "+c.Key)
		}
	}
	return p
}

// outcomes writes a result as "key state code".
func outcomes(r *executor.Result) string {
	var out []string
	for _, o := range r.Outcomes {
		s := fmt.Sprintf("%s %s %d", o.Container, o.State, o.ExitCode)
		if o.Because != "" {
			s += " because " + o.Because
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

var foreground = executor.RunOptions{Foreground: true}

// run runs containers and checks the result: "exit status, reason: outcomes".
func (l *lab) run(o executor.RunOptions, want string, p *planner.Plan) *executor.Result {
	l.Helper()
	r := l.m.Run(l.Context(), p, o)
	l.check(r, want)
	return r
}

func (l *lab) check(r *executor.Result, want string) {
	l.Helper()
	if got := fmt.Sprintf("%d %s: %s", r.ExitCode, r.Reason, outcomes(r)); got != want {
		l.Errorf("result = %s\n   want %s", got, want)
	}
}

func (l *lab) record(ref string) executor.Record {
	l.Helper()
	r, err := l.m.Find(ref)
	if err != nil {
		l.Fatal(err)
	}
	return *r
}

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
