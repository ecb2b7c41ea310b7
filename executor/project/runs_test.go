package project

import (
	"context"
	"errors"
	"testing"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
)

func newContainer(key string, command ...string) *schema.Container {
	c := &schema.Container{Key: key}
	c.Process.Command = schema.Opt[[]string]{Value: command, Set: true}
	return c
}

func planOf(keys ...string) *planner.Plan {
	p := &planner.Plan{Project: &schema.Project{Name: "p"}, Selected: keys}
	for _, key := range keys {
		p.Project.Containers = append(p.Project.Containers, newContainer(key))
	}
	return p
}

func TestRunsMeetOnContainers(t *testing.T) {
	var rs runs
	first, err := rs.begin(t.Context(), planOf("a", "b"), true)
	if err != nil {
		t.Fatal(err)
	}
	_, err = rs.begin(t.Context(), planOf("b", "c"), true)
	if !errors.Is(err, ErrBusy) || engine.ExitCode(asErrorOf(err)) != exitBusy {
		t.Errorf("second run of b: %v", err)
	}
	removing := planOf("d")
	removing.Steps = []planner.Step{{Kind: planner.Remove, Object: "a"}, {Kind: planner.Network, Object: "b"}}
	if _, err := rs.begin(t.Context(), removing, true); !errors.Is(err, ErrBusy) {
		t.Errorf("a run that removes a: %v", err)
	}
	other, err := rs.begin(t.Context(), planOf("c"), false)
	if err != nil {
		t.Fatalf("a run of another container: %v", err)
	}
	if rs.container("b") == nil || rs.container("x") != nil {
		t.Error("the runs' containers are not found as they are")
	}

	if got := rs.stop("", false); len(got) != 1 || got[0] != first || first.ctx.Err() == nil || other.ctx.Err() != nil {
		t.Errorf("stop without an id must end foreground runs only, got %v", got)
	}
	rs.end(first)
	if _, err := rs.begin(t.Context(), planOf("a"), true); err != nil {
		t.Errorf("a run of a after the first: %v", err)
	}
	for range 2 { // killing twice is no mistake
		if got := rs.stop(other.id, true); len(got) != 1 {
			t.Errorf("stop by id: %v", got)
		}
	}
	<-other.kill
}

func asErrorOf(err error) error {
	var e *Error
	errors.As(err, &e)
	return asError(e.Status, e.ErrorResponse)
}

func TestDownExcludesRuns(t *testing.T) {
	var rs runs
	r, err := rs.begin(t.Context(), planOf("a"), false)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-r.ctx.Done()
		rs.end(r)
	}()
	if err := errors.Join(rs.beginDown(), rs.stopAll(t.Context(), false)); err != nil {
		t.Fatal(err)
	}
	if _, err := rs.begin(t.Context(), planOf("b"), false); !errors.Is(err, ErrBusy) {
		t.Errorf("a run during a down: %v", err)
	}
	if err := rs.beginDown(); !errors.Is(err, ErrBusy) {
		t.Errorf("a second down: %v", err)
	}
	rs.endDown()
	if r, err = rs.begin(t.Context(), planOf("b"), false); err != nil {
		t.Fatalf("a run after the down: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := rs.stopAll(ctx, false); !errors.Is(err, context.Canceled) {
		t.Errorf("a down that gives up waiting: %v", err)
	}
	rs.end(r)
	rs.finish()
	if _, err := rs.begin(t.Context(), planOf("b"), false); !errors.Is(err, ErrBusy) {
		t.Errorf("a run at the end: %v", err)
	}
}
