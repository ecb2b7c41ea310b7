package project

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/schema"
)

func TestUpRunsJobsAndReportsTheirOutput(t *testing.T) {
	_, c := startSupervisor(t)
	var kinds []string
	var output bytes.Buffer
	plan := makePlan(t, "p", job("hello", "sh", "-c", "echo hello; exit 3"))
	result, err := c.Up(t.Context(), UpRequest{Plan: plan, Foreground: true}, func(e executor.Event) error {
		kinds = append(kinds, string(e.Type))
		output.Write(e.Data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.ExitCode != 3 || output.String() != "hello\n" {
		t.Errorf("result %+v, output %q", result, output.String())
	}
	if got := strings.Join(kinds, " "); !strings.HasPrefix(got, "plan ") || !strings.HasSuffix(got, " done") || strings.Count(got, "done") != 1 {
		t.Errorf("events: %s", got)
	}
}

func TestUpReportsAFailedStart(t *testing.T) {
	v, c := startSupervisor(t)
	v.engine.Fail("start web", &engine.Error{Code: 127, Err: errors.New("command not found")})
	result := up(t, c, UpRequest{Plan: makePlan(t, "p", job("web", "true")), Foreground: true})
	if result.ExitCode != 127 {
		t.Errorf("result %+v", result)
	}
}

// TestLeaseBreak is DESIGN.md 4: killing the client must never leak.
func TestLeaseBreak(t *testing.T) {
	for _, remove := range []bool{false, true} {
		v, c := startSupervisor(t)
		ctx, breakLease := context.WithCancel(t.Context())
		plan := makePlan(t, "p", service("db", "sleep", "1000"), job("web", "sleep", "1000"))
		_, err := c.Up(ctx, UpRequest{Plan: plan, Foreground: true, Remove: remove}, untilStarted(breakLease, "db", "web"))
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("up: %v", err)
		}
		_ = c.Close()
		<-v.ended // nothing runs any more and nobody is connected
		want := "container db stopped\ncontainer web stopped\n"
		if remove {
			want = ""
		}
		if got := withoutNetworks(v.engine.String()); got != want {
			t.Errorf("remove %t: left over:\n%s", remove, got)
		}
	}
}

func withoutNetworks(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "container") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func TestBackgroundRunOutlivesItsClient(t *testing.T) {
	v, c := startSupervisor(t)
	ctx, leave := context.WithCancel(t.Context())
	plan := makePlan(t, "p", service("db", "sleep", "1000"), job("web", "sleep", "1000"))
	if _, err := c.Up(ctx, UpRequest{Plan: plan}, untilStarted(leave, "db", "web")); !errors.Is(err, context.Canceled) {
		t.Fatalf("up: %v", err)
	}
	if got := states(t, c); got != "db running, web running" {
		t.Errorf("states: %s", got)
	}
	_ = c.Close()
	select {
	case <-v.ended:
		t.Error("the supervisor left its containers")
	default:
	}
	c = connect(t, v.paths, "p")
	if err := c.Stop(t.Context(), StopRequest{}); err != nil {
		t.Fatal(err)
	}
	if got := states(t, c); got != "db exited, web exited" {
		t.Errorf("after stop: %s", got)
	}
	_ = c.Close()
	<-v.ended
}

func TestLeaveRunEndsTheLease(t *testing.T) {
	v, c := startSupervisor(t)
	ctx, leave := context.WithCancel(t.Context())
	plan := makePlan(t, "p", job("web", "sleep", "1000"))
	_, err := c.Up(ctx, UpRequest{Plan: plan, Foreground: true}, untilStarted(func() {
		if err := c.LeaveRun(t.Context()); err != nil {
			t.Error(err)
		}
		leave()
	}, "web"))
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("up: %v", err)
	}
	_ = c.Close()
	c = connect(t, v.paths, "p")
	if got := states(t, c); got != "web running" {
		t.Errorf("states: %s", got)
	}
	if err := c.Kill(t.Context(), StopRequest{Containers: []string{"web"}}); err != nil {
		t.Fatal(err)
	}
	if w, err := c.Wait(t.Context(), "web"); err != nil || w.ExitCode != 137 {
		t.Errorf("wait: %+v, %v", w, err)
	}
}

func TestStopRun(t *testing.T) {
	for _, kill := range []bool{false, true} {
		_, c := startSupervisor(t)
		words := []string{"sleep", "1000"}
		if kill { // only SIGKILL ends it
			words = []string{"sh", "-c", "ignore-term; sleep 1000"}
		}
		web := job("web", words...)
		web.Lifecycle.StopTimeout = schema.Opt[int64]{Value: -1, Set: true} // stop alone waits for ever
		result, err := c.Up(t.Context(), UpRequest{Plan: makePlan(t, "p", web), Foreground: true}, untilStarted(func() {
			if err := c.StopRun(t.Context(), kill); err != nil {
				t.Error(err)
			}
		}, "web"))
		if err != nil || result.Reason != "interrupted" {
			t.Fatalf("kill %t: %+v, %v", kill, result, err)
		}
		if got := states(t, c); got != "web exited" {
			t.Errorf("kill %t: %s", kill, got)
		}
		if err := c.StopRun(t.Context(), kill); err != nil {
			t.Errorf("a run that has ended needs no stopping: %v", err)
		}
	}
}

// TestSecondRunIsRefused is spec F20: a run that meets another on a container is told so at once (exit status 75), and
// what is apart goes on side by side.
func TestSecondRunIsRefused(t *testing.T) {
	v, c := startSupervisor(t)
	second := connect(t, v.paths, "p")
	plan := makePlan(t, "p", job("web", "sleep", "1000"))
	result, err := c.Up(t.Context(), UpRequest{Plan: plan, Foreground: true}, untilStarted(func() {
		_, err := second.Up(t.Context(), UpRequest{Plan: plan}, func(executor.Event) error { return nil })
		if !errors.Is(err, ErrBusy) || engine.ExitCode(err) != 75 || !strings.Contains(err.Error(), "web") {
			t.Errorf("second up: %v (exit %d)", err, engine.ExitCode(err))
		}
		other := up(t, second, UpRequest{Plan: makePlan(t, "p", job("other", "exit", "4")), Foreground: true, Remove: true})
		if other.ExitCode != 4 {
			t.Errorf("a run beside: %+v", other)
		}
		if err := second.Down(t.Context(), DownRequest{}, func(executor.Event) error { return nil }); err != nil {
			t.Errorf("down: %v", err)
		}
	}, "web"))
	if err != nil || result.Reason != "interrupted" {
		t.Errorf("the first run under a down: %+v, %v", result, err)
	}
	if got := states(t, c); got != "" || withoutNetworks(v.engine.String()) != "" {
		t.Errorf("after down: %q, engine %q", got, v.engine.String())
	}
}

func TestOtherDirectoryIsRefused(t *testing.T) {
	_, c := startSupervisor(t)
	up(t, c, UpRequest{Plan: makePlan(t, "p", service("web", "sleep", "1000"))})
	moved := makePlan(t, "p", service("web", "sleep", "1000"))
	moved.Project.Dir = "/elsewhere"
	_, err := c.Up(t.Context(), UpRequest{Plan: moved}, func(executor.Event) error { return nil })
	if !errors.Is(err, ErrOtherDirectory) || !strings.Contains(err.Error(), "/somewhere") || !strings.Contains(err.Error(), "/elsewhere") {
		t.Errorf("up from another directory: %v", err)
	}
	if err := c.Down(t.Context(), DownRequest{}, func(executor.Event) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if result := up(t, c, UpRequest{Plan: moved, Foreground: false}); result.ExitCode != 0 {
		t.Errorf("up after down: %+v", result)
	}
}

func TestTermination(t *testing.T) {
	for _, stubborn := range []bool{false, true} {
		v, c := startSupervisor(t)
		words := []string{"sleep", "1000"}
		if stubborn {
			words = []string{"sh", "-c", "ignore-term; sleep 1000"}
		}
		web := service("web", words...)
		web.Lifecycle.StopTimeout = schema.Opt[int64]{Value: -1, Set: true}
		up(t, c, UpRequest{Plan: makePlan(t, "p", web)})
		v.terminate <- syscall.SIGTERM
		if stubborn {
			v.terminate <- syscall.SIGTERM
		}
		<-v.ended // although a client is connected
		if got := withoutNetworks(v.engine.String()); got != "container web stopped\n" {
			t.Errorf("stubborn %t: %s", stubborn, got)
		}
	}
}

// TestNextSupervisorAdopts lets a supervisor go while its container runs, as a kill would.
func TestNextSupervisorAdopts(t *testing.T) {
	v, c := startSupervisor(t)
	up(t, c, UpRequest{Plan: makePlan(t, "p", service("web", "sleep", "1000"))})
	v.stop()
	<-v.ended
	if _, err := c.Records(t.Context()); !errors.Is(err, ErrLost) && !errors.Is(err, ErrNoSupervisor) {
		t.Errorf("the old client: %v", err)
	}
	_, c = startSupervisorOn(t, v.paths, v.engine)
	if got := states(t, c); got != "web running" {
		t.Errorf("states: %s", got)
	}
	if err := c.Restart(t.Context(), StopRequest{Containers: []string{"web"}}); err != nil {
		t.Error(err)
	}
	if err := errors.Join(c.Stop(t.Context(), StopRequest{}), c.Start(t.Context(), StopRequest{Containers: []string{"web"}}),
		c.Remove(t.Context(), RemoveRequest{Containers: []string{"web"}, Force: true})); err != nil {
		t.Error(err)
	}
	if got := states(t, c); got != "" {
		t.Errorf("after rm: %s", got)
	}
}

func TestRequestsAboutUnknownContainers(t *testing.T) {
	_, c := startSupervisor(t)
	ctx := t.Context()
	ghost := StopRequest{Containers: []string{"ghost"}}
	_, waitErr := c.Wait(ctx, "ghost")
	_, execErr := c.Exec(ctx, ExecRequest{Container: "ghost", Args: []string{"true"}}, Streams{})
	_, attachErr := c.Attach(ctx, AttachRequest{Container: "ghost"}, Streams{})
	for name, err := range map[string]error{
		"stop": c.Stop(ctx, ghost), "start": c.Start(ctx, ghost), "restart": c.Restart(ctx, ghost), "kill": c.Kill(ctx, ghost),
		"remove": c.Remove(ctx, RemoveRequest{Containers: ghost.Containers}), "resize": c.Resize(ctx, "ghost", 80, 25),
		"logs": c.Logs(ctx, LogsRequest{Containers: ghost.Containers}, nil),
		"wait": waitErr, "exec": execErr, "attach": attachErr,
	} {
		if !errors.Is(err, ErrNotFound) || engine.ExitCode(err) != 125 || !strings.Contains(err.Error(), "ghost") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSecondSupervisorGivesWay(t *testing.T) {
	v, _ := startSupervisor(t)
	cfg := ServeConfig{Paths: v.paths, Project: "p", NewEngine: func() (engine.Engine, error) {
		return nil, errors.New("must not be asked")
	}}
	listening := func() { t.Error("two supervisors listen") }
	if err := serve(t.Context(), cfg, nil, nil, listening); err != nil {
		t.Errorf("serve: %v", err)
	}
}
