package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/runfile/runfile/executor/engine"
)

func exitStatus(s *suite) {
	for _, want := range []int{0, 3, 255} {
		exit, _ := s.runScript("web", fmt.Sprintf("exit %d", want))
		s.code(exit, want)
		if exit.Unknown || exit.OOMKilled || exit.Signal != 0 {
			s.Errorf("exit = %+v", exit)
		}
	}
}

func outputDrained(s *suite) {
	var script, want strings.Builder
	for i := range 300 {
		fmt.Fprintf(&script, "echo line %d\n", i)
		fmt.Fprintf(&want, "line %d\n", i)
	}
	exit, out := s.runScript("web", script.String()+"echo oops >&2; exit 4")
	s.code(exit, 4)
	if got := out.stdout.String(); got != want.String() {
		s.Errorf("stdout has %d bytes, want %d", len(got), want.Len())
	}
	if got := out.stderr.String(); got != "oops\n" {
		s.Errorf("stderr = %q", got)
	}
}

func signals(s *suite) {
	for _, c := range []struct {
		script       string
		signal, code int
		by           int
	}{
		{"trap 'exit 7' TERM; " + up, 15, 7, 0},
		{"trap 'exit 8' USR1; " + up, 10, 8, 0},
		{"trap '' TERM; " + up, 9, 137, 9},
	} {
		out := newOutput()
		p := s.start(s.create(s.spec("web", c.script), nil), out)
		if err := out.stdout.awaitUp(s.ctx); err != nil {
			s.Fatalf("%s: %v", c.script, err)
		}
		if err := p.Signal(s.ctx, c.signal); err != nil {
			s.Fatalf("signal: %v", err)
		}
		exit := s.wait(p)
		if s.code(exit, c.code); exit.Signal != c.by {
			s.Errorf("%s: killed by %d, want %d", c.script, exit.Signal, c.by)
		}
		if again := s.wait(p); again != exit {
			s.Errorf("second Wait = %+v, want %+v", again, exit)
		}
		if err := p.Signal(s.ctx, 15); !errors.Is(err, engine.ErrProcessDone) {
			s.Errorf("signal after the end: %v, want ErrProcessDone", err)
		}
	}
}

func waitContext(s *suite) {
	out := newOutput()
	p := s.start(s.create(s.spec("web", "trap 'exit 7' TERM; "+up), nil), out)
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	if _, err := p.Wait(ctx); !errors.Is(err, context.Canceled) {
		s.Fatalf("Wait = %v, want the context's error", err)
	}
	if err := out.stdout.awaitUp(s.ctx); err != nil {
		s.Fatal("the process did not go on: ", err)
	}
	if err := p.Signal(s.ctx, 15); err != nil {
		s.Fatal(err)
	}
	s.code(s.wait(p), 7)
}

func stdin(s *suite) {
	out := newOutput()
	stdio := out.stdio()
	stdio.Stdin = strings.NewReader("one\ntwo\n")
	p, err := s.engine.Start(s.ctx, s.create(s.spec("web", "cat; exit 6"), nil), stdio)
	if err != nil {
		s.Fatal(err)
	}
	s.code(s.wait(p), 6)
	if got := out.stdout.String(); got != "one\ntwo\n" {
		s.Errorf("stdout = %q", got)
	}
	// No stdin is /dev/null: cat ends at once.
	exit, out := s.runScript("db", "cat; echo end")
	if s.code(exit, 0); out.stdout.String() != "end\n" {
		s.Errorf("without stdin: %q", out.stdout.String())
	}
	// A process that does not read must not be held up by an open stdin.
	r, w := io.Pipe()
	defer func() { _ = w.Close() }()
	stdio.Stdin = r
	if p, err = s.engine.Start(s.ctx, s.create(s.spec("idle", "exit 5"), nil), stdio); err != nil {
		s.Fatal(err)
	}
	s.code(s.wait(p), 5)
}

func missingCommand(s *suite) {
	c := s.spec("web", "")
	c.Process.Command.Value = []string{"/no/such/command", "x"}
	id := s.create(c, nil)
	for range 2 { // a failed start leaves the container as it was
		_, err := s.engine.Start(s.ctx, id, engine.Stdio{})
		var e *engine.Error
		if !errors.As(err, &e) || e.Code != 127 {
			s.Fatalf("start = %v, want an engine error with code 127", err)
		}
		if _, err := s.engine.Adopt(s.ctx, id, engine.Stdio{}); !errors.Is(err, engine.ErrNotRunning) {
			s.Errorf("adopt = %v, want ErrNotRunning", err)
		}
	}
}

func startAgain(s *suite) {
	id := s.create(s.spec("web", "test -e /mark && exit 5; touch /mark; exit 4"), nil)
	for _, want := range []int{4, 5, 5} {
		s.code(s.wait(s.start(id, newOutput())), want)
	}
	if _, err := s.engine.Start(s.ctx, "0123", engine.Stdio{}); err == nil {
		s.Error("a container that does not exist was started")
	}
}

func execute(s *suite) {
	c := s.spec("web", "trap 'exit 7' TERM; touch /mark; "+up)
	boot := newOutput()
	p := s.start(s.create(c, nil), boot)
	if err := boot.stdout.awaitUp(s.ctx); err != nil {
		s.Fatal(err)
	}
	for _, x := range []struct {
		name, script, want string
		spec               engine.Exec
		code               int
	}{
		{name: "shares the files", script: "test -e /mark && exit 9", code: 9},
		{name: "output", script: "echo hi", want: "hi\n"},
		{name: "environment", script: "echo $COLOUR", spec: engine.Exec{Env: []string{"COLOUR=red"}}, want: "red\n"},
		{name: "user", script: "id -u", spec: engine.Exec{User: "1234"}, want: "1234\n"},
		{name: "root", script: "id -u", want: "0\n"},
		{name: "workdir", script: "pwd", spec: engine.Exec{Workdir: "/tmp"}, want: "/tmp\n"},
	} {
		out := newOutput()
		x.spec.Args = []string{"sh", "-c", x.script}
		q, err := p.Exec(s.ctx, x.spec, out.stdio())
		if err != nil {
			s.Fatalf("%s: %v", x.name, err)
		}
		exit := s.wait(q)
		if exit.Code != x.code || out.stdout.String() != x.want {
			s.Errorf("%s: exit %d, stdout %q, stderr %q", x.name, exit.Code, out.stdout.String(), out.stderr.String())
		}
		if _, err := q.Exec(s.ctx, x.spec, out.stdio()); err == nil {
			s.Errorf("%s: exec in an exec", x.name)
		}
	}
	var e *engine.Error
	if _, err := p.Exec(s.ctx, engine.Exec{Args: []string{"/no/such"}}, engine.Stdio{}); !errors.As(err, &e) || e.Code != 127 {
		s.Errorf("missing command: %v, want an engine error with code 127", err)
	}
	q, err := p.Exec(s.ctx, engine.Exec{Args: []string{"sleep", "1000"}}, engine.Stdio{})
	if err != nil {
		s.Fatal(err)
	}
	if err := q.Signal(s.ctx, 9); err != nil {
		s.Fatal(err)
	}
	s.code(s.wait(q), 137)
}

func execEnds(s *suite) {
	out := newOutput()
	p := s.start(s.create(s.spec("web", up), nil), out)
	if err := out.stdout.awaitUp(s.ctx); err != nil {
		s.Fatal(err)
	}
	q, err := p.Exec(s.ctx, engine.Exec{Args: []string{"sleep", "1000"}}, engine.Stdio{})
	if err != nil {
		s.Fatal(err)
	}
	if err := p.Signal(s.ctx, 9); err != nil {
		s.Fatal(err)
	}
	s.code(s.wait(p), 137)
	s.code(s.wait(q), 137)
	if _, err := p.Exec(s.ctx, engine.Exec{Args: []string{"true"}}, engine.Stdio{}); err == nil {
		s.Error("exec in a container that has ended")
	}
}

func parallel(s *suite) {
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		ids[i] = s.create(s.spec(fmt.Sprintf("job%d", i), fmt.Sprintf("echo job %d; exit %d", i, i)), nil)
	}
	for i, id := range ids {
		wg.Go(func() {
			out := newOutput()
			p, err := s.engine.Start(s.ctx, id, out.stdio())
			if err != nil {
				s.Errorf("start %d: %v", i, err)
				return
			}
			exit, err := p.Wait(s.ctx)
			if err != nil || exit.Code != i || out.stdout.String() != fmt.Sprintf("job %d\n", i) {
				s.Errorf("job %d: %+v %v %q", i, exit, err, out.stdout.String())
			}
		})
	}
	wg.Wait()
}
