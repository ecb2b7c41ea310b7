package project

import (
	"context"
	"net/http"
	"os"
	"time"

	"github.com/runfile/runfile/executor"
)

// ping answers before anything is loaded: it tells a client that it was let in.
func (s *server) ping(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *server) info(w http.ResponseWriter, r *http.Request) error {
	m, err := s.ready(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, Info{Project: s.cfg.Project, PID: os.Getpid(), Version: s.cfg.Version, Records: m.Records()})
}

// change decodes a request, carries it out on the life of the supervisor and answers 204.
func change[T any](s *server, w http.ResponseWriter, r *http.Request, do func(context.Context, *executor.Manager, T) error) error {
	req, err := decode[T](w, r, maxBody)
	if err != nil {
		return err
	}
	m, err := s.ready(r.Context())
	if err != nil {
		return err
	}
	if err := do(s.life, m, req); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *server) stop(w http.ResponseWriter, r *http.Request) error {
	return change(s, w, r, func(ctx context.Context, m *executor.Manager, q StopRequest) error {
		return m.Stop(ctx, q.Containers, q.Timeout)
	})
}

func (s *server) start(w http.ResponseWriter, r *http.Request) error {
	return change(s, w, r, func(ctx context.Context, m *executor.Manager, q StopRequest) error {
		return m.Start(ctx, q.Containers)
	})
}

func (s *server) restart(w http.ResponseWriter, r *http.Request) error {
	return change(s, w, r, func(ctx context.Context, m *executor.Manager, q StopRequest) error {
		return m.Restart(ctx, q.Containers, q.Timeout)
	})
}

func (s *server) kill(w http.ResponseWriter, r *http.Request) error {
	return change(s, w, r, func(ctx context.Context, m *executor.Manager, q StopRequest) error {
		if q.Signal < 0 || q.Signal > maxSignal {
			return refuse(http.StatusBadRequest, exitUsage, "signal %d: want 1 to %d", q.Signal, maxSignal)
		}
		if q.Signal == 0 {
			q.Signal = sigkill
		}
		return m.Kill(ctx, q.Containers, q.Signal)
	})
}

func (s *server) remove(w http.ResponseWriter, r *http.Request) error {
	return change(s, w, r, func(ctx context.Context, m *executor.Manager, q RemoveRequest) error {
		if len(q.Containers) == 0 {
			return refuse(http.StatusBadRequest, exitUsage, "remove: name at least one container")
		}
		return m.Remove(ctx, q.Containers, q.Force, q.Volumes)
	})
}

func (s *server) resize(w http.ResponseWriter, r *http.Request) error {
	return change(s, w, r, func(_ context.Context, m *executor.Manager, q ResizeRequest) error {
		return m.Resize(q.Container, q.Columns, q.Rows)
	})
}

func (s *server) wait(w http.ResponseWriter, r *http.Request) error {
	req, err := decode[WaitRequest](w, r, maxBody)
	if err != nil {
		return err
	}
	m, err := s.ready(r.Context())
	if err != nil {
		return err
	}
	exit, err := m.Wait(r.Context(), req.Container)
	if err != nil {
		return err
	}
	return writeJSON(w, exitOf(exit))
}

// logs streams stored lines, and with follow the new ones until the containers have ended for good.
func (s *server) logs(w http.ResponseWriter, r *http.Request) error {
	req := LogsRequest{Tail: -1}
	if err := decodeInto(w, r, maxBody, &req); err != nil {
		return err
	}
	m, err := s.ready(r.Context())
	if err != nil {
		return err
	}
	chosen, err := choose(m.Records(), req.Containers)
	if err != nil {
		return err
	}
	out := startLines(w)
	ctx := r.Context()
	list := sources(s.cfg.Paths, chosen, func(rec executor.Record) <-chan struct{} {
		if !req.Follow || rec.State != executor.Running && rec.State != executor.Restarting {
			return nil
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = m.Wait(ctx, rec.ID) // an error means the container or the client has gone
		}()
		return done
	})
	err = mergeLogs(ctx, list, req, func(l LogLine) error { return out.write(logRecord{LogLine: &l}) })
	last := logRecord{End: true}
	if err != nil {
		_, body := errorResponse(err)
		last = logRecord{Error: &body}
	}
	_ = out.write(last)
	return nil
}

// events streams what is remembered since a time and then what happens until another, or until the client leaves.
func (s *server) events(w http.ResponseWriter, r *http.Request) error {
	since, err := timeParameter(r, "since")
	if err != nil {
		return err
	}
	until, err := timeParameter(r, "until")
	if err != nil {
		return err
	}
	m, err := s.ready(r.Context())
	if err != nil {
		return err
	}
	sub := m.Subscribe(eventBuffer) // before looking back, so that nothing falls between the two
	defer sub.Close()
	sub.Output([]string{})
	out := startLines(w)
	var last uint64
	if !since.IsZero() {
		for _, e := range m.Events(since) {
			if until.IsZero() || !e.Time.After(until) {
				_ = out.write(e) // a client that has gone ends the request's context
			}
			last = max(last, e.Seq)
		}
	}
	var end <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		end = timer.C
	}
	for {
		select {
		case e := <-sub.C:
			if e.Seq > last {
				_ = out.write(e)
			}
		case <-end:
			return nil
		case <-r.Context().Done():
			return nil
		case <-s.life.Done():
			return nil
		}
	}
}

// timeParameter reads a time of the query, zero if it is absent.
func timeParameter(r *http.Request, name string) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, refuse(http.StatusBadRequest, exitUsage, "%s: want a time such as 2026-11-23T10:00:00Z", name)
	}
	return t, nil
}
