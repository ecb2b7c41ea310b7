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
			Project: "shop", Engine: l.engine, Paths: state.Paths{Root: dir + "/lib", Run: dir + "/run"},
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
		if ipc := c.Namespaces.IPC.Value; ipc.Mode == "container" {
			made = append(made, "create "+ipc.Container)
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
			default: // an await step
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
