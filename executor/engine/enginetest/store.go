package enginetest

import (
	"context"
	"errors"
	"slices"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

func effective(s *suite) {
	c := s.spec("web", "exit 0")
	c.Process.Env = schema.Items[value.KeyValue]{{Value: value.KeyValue{Key: "COLOUR", Value: "red", HasValue: true}}}
	c.Process.Workdir = schema.Opt[string]{Value: "/tmp", Set: true}
	id := state.NewID()
	e, err := s.engine.Create(s.ctx, engine.Container{ID: id, Name: "web", Project: "suite", Dir: s.TempDir(), Spec: c})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { s.drop(id) })
	if !slices.Equal(e.Args, []string{"sh", "-c", "exit 0"}) || !slices.Contains(e.Env, "COLOUR=red") || e.Workdir != "/tmp" {
		s.Errorf("effective = %+v", e)
	}
	if e.StopSignal.Number != 15 || e.ImageID == "" {
		s.Errorf("stop signal %+v, image %q", e.StopSignal, e.ImageID)
	}
}

func status(s *suite) {
	out := newOutput()
	p := s.start(s.create(s.spec("web", up), nil), out)
	if st := p.Status(); st.PID <= 0 || st.PID != p.PID() || st.StartedAt.IsZero() {
		s.Errorf("status = %+v, pid %d", st, p.PID())
	}
}

func (s *suite) reopen() {
	if s.o.Reopen != nil {
		s.engine = s.o.Reopen(s.T, s.engine)
	}
}

func adoptRunning(s *suite) {
	out := newOutput()
	id := s.create(s.spec("web", "trap 'echo bye; exit 7' TERM; "+up), nil)
	p := s.start(id, out)
	if err := out.stdout.awaitUp(s.ctx); err != nil {
		s.Fatal(err)
	}
	pid := p.PID()
	s.reopen()
	out = newOutput()
	p, err := s.engine.Adopt(s.ctx, id, out.stdio())
	if err != nil {
		s.Fatalf("adopt: %v", err)
	}
	if p.PID() != pid {
		s.Errorf("adopted pid %d, want %d", p.PID(), pid)
	}
	q, err := p.Exec(s.ctx, engine.Exec{Args: []string{"true"}}, engine.Stdio{})
	if err != nil {
		s.Fatalf("exec in an adopted container: %v", err)
	}
	s.code(s.wait(q), 0)
	if err := p.Signal(s.ctx, 15); err != nil {
		s.Fatal(err)
	}
	if exit := s.wait(p); !exit.Unknown && exit.Code != 7 {
		s.Errorf("exit = %+v, want 7 or unknown", exit)
	}
	if got := out.stdout.String(); got != "bye\n" {
		s.Errorf("output after the adoption = %q", got)
	}
}

func adoptEnded(s *suite) {
	id := s.create(s.spec("web", "exit 3"), nil)
	if _, err := s.engine.Adopt(s.ctx, id, engine.Stdio{}); !errors.Is(err, engine.ErrNotRunning) {
		s.Errorf("adopt before the start = %v, want ErrNotRunning", err)
	}
	s.wait(s.start(id, newOutput()))
	s.reopen()
	_, err := s.engine.Adopt(s.ctx, id, engine.Stdio{})
	var gone *engine.NotRunning
	if !errors.As(err, &gone) || !gone.Exit.Unknown && gone.Exit.Code != 3 {
		s.Errorf("adopt after the end = %v, %+v; want NotRunning with code 3 or unknown", err, gone)
	}
	if _, err := s.engine.Adopt(s.ctx, state.NewID(), engine.Stdio{}); !errors.Is(err, engine.ErrNotRunning) {
		s.Errorf("adopt of what never was = %v, want ErrNotRunning", err)
	}
}

func remove(s *suite) {
	id := s.create(s.spec("web", "trap 'exit 7' TERM; "+up), nil)
	out := newOutput()
	p := s.start(id, out)
	ref := engine.Ref{Kind: "container", Name: id}
	if err := s.engine.Remove(s.ctx, ref); err == nil {
		s.Fatal("a running container was removed")
	}
	if err := p.Signal(s.ctx, 9); err != nil {
		s.Fatal(err)
	}
	s.wait(p)
	for range 2 {
		if err := s.engine.Remove(s.ctx, ref); err != nil {
			s.Fatalf("remove: %v", err)
		}
	}
	if _, err := s.engine.Start(s.ctx, id, engine.Stdio{}); err == nil {
		s.Error("a removed container was started")
	}
	for _, kind := range []string{"network", "volume"} {
		if err := s.engine.Remove(s.ctx, engine.Ref{Kind: kind, Name: "never-was"}); err != nil {
			s.Errorf("remove a missing %s: %v", kind, err)
		}
	}
}

func volumesSurvive(s *suite) {
	const key = "suite-data"
	for range 2 {
		if err := s.engine.EnsureVolume(s.ctx, &schema.VolumeDef{Key: key}); err != nil {
			s.Fatal(err)
		}
	}
	s.Cleanup(func() {
		if err := s.engine.Remove(context.WithoutCancel(s.ctx), engine.Ref{Kind: "volume", Name: key}); err != nil {
			s.Errorf("remove the volume: %v", err)
		}
	})
	with := func(key2, script string) (engine.Exit, *output) {
		c := s.spec(key2, script)
		c.Mounts.Volumes = schema.Items[value.Mount]{
			{Value: value.Mount{Type: value.Volume, Source: key, Target: "/data"}},
			{Value: value.Mount{Type: value.Volume, Target: "/scratch"}},
		}
		out := newOutput()
		id := s.create(c, nil)
		exit := s.wait(s.start(id, out))
		if err := s.engine.Remove(s.ctx, engine.Ref{Kind: "container", Name: id, Volumes: true}); err != nil {
			s.Fatal(err)
		}
		return exit, out
	}
	exit, _ := with("writer", "echo kept > /data/file; echo lost > /scratch/file")
	s.code(exit, 0)
	exit, out := with("reader", "test -e /scratch/file && exit 1; cat /data/file")
	if s.code(exit, 0); out.stdout.String() != "kept\n" {
		s.Errorf("stdout = %q", out.stdout.String())
	}
}

func networks(s *suite) {
	n := &schema.NetworkDef{Key: "back"}
	for range 2 {
		if err := s.engine.EnsureNetwork(s.ctx, n); err != nil {
			s.Fatal(err)
		}
	}
	c := s.spec("web", "exit 0")
	c.Network.Networks = schema.Items[value.Network]{{Value: value.Network{Mode: value.NetworkUser, Name: "back"}}}
	id := s.create(c, nil)
	s.code(s.wait(s.start(id, newOutput())), 0)
	s.drop(id)
	for range 2 {
		if err := s.engine.Remove(s.ctx, engine.Ref{Kind: "network", Name: "back"}); err != nil {
			s.Fatal(err)
		}
	}
}

func cancelled(s *suite) {
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	c := s.spec("web", "exit 0")
	id := state.NewID()
	if _, err := s.engine.Create(ctx, engine.Container{ID: id, Name: "web", Project: "suite", Dir: s.TempDir(), Spec: c}); err == nil {
		s.Error("create went on after it was cancelled")
	}
	if _, err := s.engine.Start(s.ctx, id, engine.Stdio{}); err == nil {
		s.Error("a cancelled create left a container")
	}
	s.drop(id)
	id = s.create(c, nil)
	if _, err := s.engine.Start(ctx, id, engine.Stdio{}); err == nil {
		s.Fatal("start went on after it was cancelled")
	}
	s.code(s.wait(s.start(id, newOutput())), 0)
}

func dial(s *suite) {
	c := s.spec("web", "")
	c.Process.Command.Value = s.o.Listen("8080")
	p := s.start(s.create(c, nil), newOutput())
	for {
		conn, err := p.Dial(s.ctx, 8080)
		if err == nil {
			_ = conn.Close()
			break
		}
		if s.ctx.Err() != nil {
			s.Fatalf("dial: %v", err)
		}
	}
	if conn, err := p.Dial(s.ctx, 8081); err == nil {
		_ = conn.Close()
		s.Error("a closed port answered")
	}
}

func link(s *suite) {
	out := newOutput()
	db := s.create(s.spec("db", up), nil)
	s.start(db, out)
	if err := out.stdout.awaitUp(s.ctx); err != nil {
		s.Fatal(err)
	}
	c := s.spec("web", "")
	c.Process.Command.Value = s.o.Ping("base")
	c.Network.Links = schema.Items[value.Link]{{Value: value.Link{Container: "db", Alias: "base"}}}
	out = newOutput()
	if exit := s.wait(s.start(s.create(c, map[string]string{"db": db}), out)); exit.Code != 0 {
		s.Errorf("ping: exit %d, %s%s", exit.Code, out.stdout.String(), out.stderr.String())
	}
}
