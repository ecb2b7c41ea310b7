package executor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/schema"
)

func TestAttach(t *testing.T) {
	bubble(t, func(l *lab) {
		echo := c("a", "cat; exit 5", func(c *schema.Container) { c.Stdio.Interactive = opt(true) })
		type end struct {
			exit engine.Exit
			err  error
		}
		ended := make(chan end, 1)
		var out strings.Builder
		go func() { // before the container exists
			<-time.After(time.Second)
			exit, err := l.m.Attach(l.Context(), "a", executor.AttachOptions{Stdin: strings.NewReader("hello\n"), Stdout: &out})
			ended <- end{exit, err}
		}()
		l.engine.Latency = 2 * time.Second
		l.run(executor.RunOptions{Foreground: true, WaitAttach: []string{"a"}}, "5 job-failed: a failed 5", plan(echo))
		if e := <-ended; e.err != nil || e.exit.Code != 5 || out.String() != "hello\n" {
			t.Errorf("attach: %+v, output %q", e, out.String())
		}
		if _, err := l.m.Attach(l.Context(), "a", executor.AttachOptions{}); err == nil || !strings.Contains(err.Error(), "not running") {
			t.Errorf("attach to an ended one: %v", err)
		}
	})
}

func TestDetach(t *testing.T) {
	bubble(t, func(l *lab) {
		l.up(c("a", "cat", detach, func(c *schema.Container) { c.Stdio.Interactive = opt(true) }))
		in, feed := io.Pipe()
		ctx, cancel := context.WithCancel(l.Context())
		left := make(chan error, 1)
		go func() {
			_, err := l.m.Attach(ctx, "a", executor.AttachOptions{Stdin: in, Stdout: io.Discard})
			left <- err
		}()
		_, _ = feed.Write([]byte("one\n"))
		synctest.Wait()
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("detach: %v", err)
		}
		_, _ = feed.Write([]byte("lost\n")) // read, and dropped
		_ = feed.Close()
		synctest.Wait()
		if l.log("a") != "one\n" || l.record("a").State != executor.Running {
			t.Errorf("log %q, %s", l.log("a"), l.record("a").State)
		}
	})
}

func TestAttachToAFailedStart(t *testing.T) {
	bubble(t, func(l *lab) {
		missing := c("a", "")
		missing.Process.Command.Value = []string{"/no/such"}
		ended := make(chan error, 1)
		go func() {
			<-time.After(time.Second)
			exit, err := l.m.Attach(l.Context(), "a", executor.AttachOptions{})
			if exit.Code != 127 {
				err = fmt.Errorf("exit %d, %w", exit.Code, err)
			}
			ended <- err
		}()
		l.engine.Latency = time.Second
		r := l.m.Run(l.Context(), plan(missing), executor.RunOptions{Foreground: true, WaitAttach: []string{"a"}})
		if r.ExitCode != 127 {
			t.Errorf("result = %+v", r)
		}
		select {
		case err := <-ended:
			if err == nil {
				t.Error("attach succeeded")
			}
		case <-time.After(time.Minute):
			t.Error("attach hangs")
		}
	})
}

func TestExecAndResize(t *testing.T) {
	bubble(t, func(l *lab) {
		l.up(c("a", "sleep 1000", detach))
		p, err := l.m.Exec(l.Context(), "shop-a", engine.Exec{Args: []string{"exit", "4"}}, engine.Stdio{})
		l.ok(err)
		if exit, err := p.Wait(l.Context()); err != nil || exit.Code != 4 {
			t.Errorf("exec: %+v, %v", exit, err)
		}
		l.ok(l.m.Resize("a", 80, 24))
		if l.count("resize a 80x24") != 1 {
			t.Errorf("calls: %v", l.engine.Calls())
		}
		l.ok(l.m.Stop(l.Context(), nil, nil))
		if _, err := l.m.Exec(l.Context(), "a", engine.Exec{Args: []string{"true"}}, engine.Stdio{}); err == nil {
			t.Error("exec in a stopped container")
		}
	})
}

func TestFind(t *testing.T) {
	bubble(t, func(l *lab) {
		l.up(c("a", "exit 0"), c("b", "exit 0", func(c *schema.Container) { c.Metadata.Name = opt("given") }))
		a := l.record("a")
		for _, ref := range []string{"a", "shop-a", a.ID, a.ID[:12], a.ID[:60]} {
			if got := l.record(ref); got.ID != a.ID {
				t.Errorf("%s finds %s", ref, got.Key)
			}
		}
		if l.record("given").Key != "b" {
			t.Error("the name option is not the name")
		}
		for _, ref := range []string{"", "x", "shop-b"} {
			if _, err := l.m.Find(ref); !errors.Is(err, executor.ErrNoContainer) {
				t.Errorf("%q: %v", ref, err)
			}
		}
		if rs, err := executor.ReadRecords(l.cfg.Paths, "shop"); err != nil || len(rs) != 2 || rs[0].Key != "a" || rs[1].Exit == nil {
			t.Errorf("on disk: %+v, %v", rs, err)
		}
		if o := executor.Observe(l.m.Records()); len(o) != 2 || o[0].Key != "a" || o[0].Running || o[0].ImageID != "sha256:busybox" {
			t.Errorf("observed: %+v", o)
		}
	})
}

func TestWait(t *testing.T) {
	bubble(t, func(l *lab) {
		go l.m.Run(l.Context(), plan(c("a", "sleep 1; exit 2", restart("on-failure", 2))), executor.RunOptions{})
		synctest.Wait()
		began := time.Now()
		exit, err := l.m.Wait(l.Context(), "a")
		if err != nil || exit.Code != 2 || time.Since(began) != 3300*time.Millisecond { // three runs and two delays
			t.Errorf("%+v, %v after %v", exit, err, time.Since(began))
		}
		synctest.Wait()
	})
}

// What others read from disk while a start is under way must not look like an end.
func TestReadRecordsDuringStart(t *testing.T) {
	bubble(t, func(l *lab) {
		l.engine.Latency = time.Second
		var states []executor.State
		read := make(chan struct{})
		go func() {
			defer close(read)
			for range 6 { // pull, create and start take a second each
				time.Sleep(700 * time.Millisecond)
				rs, err := executor.ReadRecords(l.cfg.Paths, "shop")
				l.ok(err)
				for _, r := range rs {
					states = append(states, r.State)
				}
			}
		}()
		l.up(c("a", "exit 0"))
		<-read
		want := []executor.State{executor.Created, executor.Created, executor.Created, executor.Exited, executor.Exited}
		if !slices.Equal(states, want) {
			t.Errorf("seen %v, want %v", states, want)
		}
	})
}
