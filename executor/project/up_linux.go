package project

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/planner"
)

// eventBuffer is how many events a client may be behind.
const eventBuffer = 1024

// up runs a plan and streams its events. A foreground run hangs on the connection.
func (s *server) up(w http.ResponseWriter, r *http.Request) error {
	req, err := decode[UpRequest](w, r, maxPlan)
	if err != nil {
		return err
	}
	if err := s.checkPlan(req.Plan); err != nil {
		return err
	}
	m, err := s.ready(r.Context())
	if err != nil {
		return err
	}
	// Registered first: nobody else can claim the project or change its containers between the two.
	run, err := s.runs.begin(s.life, req.Plan, req.Foreground)
	if err != nil {
		return err
	}
	defer s.runs.end(run)
	if err := claim(s.cfg.Paths, s.cfg.Project, req.Plan.Project, len(m.Records()) > 0); err != nil {
		return err
	}
	if req.Foreground {
		s.runs.hold(r.Context(), run)
	}

	sub := m.Subscribe(eventBuffer)
	defer sub.Close()
	sub.Output(req.Output)
	w.Header().Set(runHeader, run.id)
	out := startLines(w)
	result := s.follow(sub, out, ofRun(run), func() *executor.Result {
		return m.Run(run.ctx, req.Plan, executor.RunOptions{
			ID:         run.id,
			Foreground: req.Foreground,
			Remove:     req.Remove,
			Parallel:   req.Parallel,
			WaitAttach: req.WaitAttach,
			Left:       run.left,
			Kill:       run.kill,
		})
	})
	return out.done(result, nil)
}

// checkPlan refuses what cannot have come from the planner.
func (s *server) checkPlan(plan *planner.Plan) error {
	switch {
	case plan == nil || plan.Project == nil:
		return refuse(http.StatusBadRequest, exitUsage, "the request holds no plan")
	case plan.Project.Name != s.cfg.Project:
		return refuse(http.StatusBadRequest, exitUsage, "the plan is for project %q, and this is the supervisor of %q",
			plan.Project.Name, s.cfg.Project)
	case slices.Contains(plan.Project.Containers, nil):
		return refuse(http.StatusBadRequest, exitUsage, "the plan's project has an empty container")
	}
	return nil
}

// stopRun ends a run; it answers at once, and the run's own stream tells when it is over.
func (s *server) stopRun(w http.ResponseWriter, r *http.Request) error {
	req, err := decode[StopRunRequest](w, r, maxBody)
	if err != nil {
		return err
	}
	if req.Leave {
		s.runs.leave(req.Run)
	} else if len(s.runs.stop(req.Run, req.Kill)) == 0 && req.Run == "" {
		return refuse(http.StatusNotFound, exitOurs, "no run of project %q is going on", s.cfg.Project)
	}
	w.WriteHeader(http.StatusNoContent) // a run that has just ended needs no stopping
	return nil
}

// down stops the runs and takes everything away.
func (s *server) down(w http.ResponseWriter, r *http.Request) error {
	req, err := decode[DownRequest](w, r, maxBody)
	if err != nil {
		return err
	}
	m, err := s.ready(r.Context())
	if err != nil {
		return err
	}
	if err := s.runs.beginDown(); err != nil {
		return err
	}
	defer s.runs.endDown()
	sub := m.Subscribe(eventBuffer)
	defer sub.Close()
	sub.Output([]string{})
	out := startLines(w)
	var failure error
	result := s.follow(sub, out, nil, func() *executor.Result {
		if failure = s.endRuns(m, req.Timeout); failure == nil {
			failure = m.Down(s.life, req.Volumes, req.Timeout)
		}
		return &executor.Result{Reason: "ok"}
	})
	if failure != nil {
		_, body := errorResponse(failure)
		result = &executor.Result{ExitCode: body.ExitCode, Reason: "engine"}
	}
	return out.done(result, failure)
}

// endRuns stops every run and returns when they have ended. A timeout counts for what the runs are stopping, too: who
// says `down -t 1` does not want to wait for the 30 seconds that a run gives its service.
func (s *server) endRuns(m *executor.Manager, timeout *int64) error {
	if timeout != nil {
		s.runs.each(func(*run) bool { return true }, false)
		_ = m.Stop(s.life, nil, timeout) // what cannot be stopped is down's to report
	}
	return s.runs.stopAll(s.life, false)
}

// follow calls work and writes the events that match until it returns. The manager's own closing event is left out:
// it may be another run's.
func (s *server) follow(sub *executor.Subscription, out *lineWriter, match func(executor.Event) bool, work func() *executor.Result) *executor.Result {
	result := make(chan *executor.Result, 1)
	go func() { result <- work() }()
	pass := func(e executor.Event) {
		if e.Type != executor.EventDone && (match == nil || match(e)) {
			_ = out.write(e) // whether the client is still there is the connection's business
		}
	}
	for {
		select {
		case e := <-sub.C:
			pass(e)
		case r := <-result:
			for { // what happened before it returned
				select {
				case e := <-sub.C:
					pass(e)
					continue
				default:
				}
				return r
			}
		}
	}
}

// ofRun tells the events of a run from those of others that go on beside it: what it says itself, and what happens to
// its containers. What concerns neither is for everybody.
func ofRun(r *run) func(executor.Event) bool {
	return func(e executor.Event) bool {
		switch {
		case e.Run != "":
			return e.Run == r.id
		case e.Container != "":
			return r.keys[e.Container]
		}
		return true
	}
}

// done ends a stream with the closing event.
func (l *lineWriter) done(result *executor.Result, failure error) error {
	e := executor.Event{Type: executor.EventDone, Result: result}
	if failure != nil {
		e.Detail = failure.Error()
	}
	_ = l.write(e)
	return nil
}

// terminate is what SIGTERM means: stop the runs and every container gracefully. Once kill is closed there is no
// waiting any more.
func (s *server) terminate(ctx context.Context, kill <-chan struct{}) error {
	s.runs.finish()
	m, err := s.ready(ctx)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		ended <- errors.Join(s.runs.stopAll(ctx, false), m.Stop(ctx, nil, nil))
	}()
	select {
	case err := <-ended:
		return err
	case <-kill:
	}
	const sigkill = 9
	err = errors.Join(s.runs.stopAll(ctx, true), m.Kill(ctx, nil, sigkill))
	if err != nil {
		return fmt.Errorf("end everything at once: %w", err)
	}
	return <-ended
}

// exitOf is an exit for the wire.
func exitOf(e engine.Exit) WaitResponse {
	w := WaitResponse{ExitCode: e.Code}
	if e.Unknown {
		w.Error = "it ended while no supervisor ran, and its exit status is lost"
	}
	return w
}
