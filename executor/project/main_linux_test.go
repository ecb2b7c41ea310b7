package project

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
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

// TestMain makes the test binary a supervisor when it is called as one: Connect starts os.Executable.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "supervise" {
		os.Exit(superviseForTest(os.Args[2]))
	}
	if len(os.Args) == 3 && os.Args[1] == "hello" {
		sayHello(os.Args[2])
		return
	}
	if code := m.Run(); code != 0 {
		os.Exit(code)
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// sayHello says what a connection to the supervisor of dir gets.
func sayHello(dir string) {
	_, err := hello(context.Background(), dir)
	switch {
	case err == nil:
		fmt.Println("welcome")
	case isGone(err):
		fmt.Println("gone")
	default:
		fmt.Println(err)
	}
}

func discardLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

// superviseForTest is the verb supervise with an engine of ours.
func superviseForTest(project string) int {
	if project == "broken" {
		fmt.Fprintln(os.Stderr, "no luck today")
		return 125
	}
	paths := state.DefaultPaths()
	err := Serve(context.Background(), ServeConfig{
		Paths: paths, Project: project, Version: "test", linger: time.Microsecond,
		NewEngine: func() (engine.Engine, error) {
			if project == "no-engine" {
				return nil, errors.New("no runtime found")
			}
			return newHostEngine(filepath.Join(paths.Run, "host-engine")), nil
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 125
	}
	return 0
}

// testPaths are paths of the test. They are short, because a socket's path must be.
func testPaths(t *testing.T) state.Paths {
	t.Helper()
	dir, err := os.MkdirTemp("", "rf") //nolint:usetesting // the name of t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return state.Paths{Root: filepath.Join(dir, "lib"), Run: filepath.Join(dir, "run")}
}

// supervisor is one that runs in the test's process.
type supervisor struct {
	paths     state.Paths
	engine    *fake.Engine
	terminate chan os.Signal
	ended     chan struct{} // closed when serve has returned
	err       error         // of serve
	log       logBuffer
	stop      context.CancelFunc
}

// startSupervisor serves project "p" with a fake engine until the test ends, and returns a client.
func startSupervisor(t *testing.T) (*supervisor, *Client) {
	t.Helper()
	return startSupervisorOn(t, testPaths(t), fake.New())
}

func startSupervisorOn(t *testing.T, paths state.Paths, e *fake.Engine) (*supervisor, *Client) {
	t.Helper()
	if err := secureDir(paths.ProjectRun("p")); err != nil {
		t.Fatal(err)
	}
	v := &supervisor{paths: paths, engine: e, terminate: make(chan os.Signal, 4), ended: make(chan struct{})}
	var ctx context.Context
	ctx, v.stop = context.WithCancel(context.Background())
	listening := make(chan struct{})
	go func() {
		defer close(v.ended)
		cfg := ServeConfig{
			Paths: paths, Project: "p", Version: "test",
			NewEngine: func() (engine.Engine, error) { return e, nil },
		}
		v.err = serve(ctx, cfg, slog.New(slog.NewTextHandler(&v.log, nil)), v.terminate, func() { close(listening) })
	}()
	t.Cleanup(func() {
		for range 2 { // kills what the test left running, so that the fake's goroutines end
			select {
			case v.terminate <- syscall.SIGTERM:
			default:
			}
		}
		<-v.ended
		v.stop()
		if v.err != nil {
			t.Errorf("serve: %v", v.err)
		}
		if t.Failed() {
			t.Log(v.log.String())
		}
	})
	select {
	case <-listening:
	case <-v.ended:
		t.Fatalf("the supervisor did not start: %v", v.err)
	}
	return v, connect(t, paths, "p")
}

func connect(t *testing.T, paths state.Paths, project string) *Client {
	t.Helper()
	c, err := Connect(t.Context(), paths, project, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// logBuffer is a log that the test can read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// job declares a container that a run waits for, service one that it does not. The words are the fake engine's.
func job(key string, words ...string) *schema.Container {
	c := newContainer(key, words...)
	c.Image.Ref = schema.Opt[value.ImageRef]{Value: value.ImageRef{Text: "busybox", Name: "busybox"}, Set: true}
	return c
}

func service(key string, words ...string) *schema.Container {
	c := job(key, words...)
	c.Lifecycle.Detach = schema.Opt[bool]{Value: true, Set: true}
	return c
}

// makePlan plans containers that do not exist yet.
func makePlan(t *testing.T, project string, containers ...*schema.Container) *planner.Plan {
	t.Helper()
	p := &schema.Project{Name: project, Dir: "/somewhere", Files: []string{"runfile.yaml"}, Containers: containers}
	plan, problems := planner.Make(p, planner.Options{})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	return plan
}

// up runs containers and returns the result.
func up(t *testing.T, c *Client, r UpRequest) *executor.Result {
	t.Helper()
	result, err := c.Up(t.Context(), r, func(executor.Event) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// untilStarted calls fn once all of these containers have started.
func untilStarted(fn func(), containers ...string) func(executor.Event) error {
	waiting := map[string]bool{}
	for _, c := range containers {
		waiting[c] = true
	}
	return func(e executor.Event) error {
		if e.Type == executor.EventStart && waiting[e.Container] {
			if delete(waiting, e.Container); len(waiting) == 0 {
				fn()
			}
		}
		return nil
	}
}

// states lists the containers of a client's project: "db running, web exited".
func states(t *testing.T, c *Client) string {
	t.Helper()
	records, err := c.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, r := range records {
		list = append(list, r.Key+" "+string(r.State))
	}
	return strings.Join(list, ", ")
}

// script feeds an Exec or Attach: what is sent is read as if it were typed. The input ends with the test.
func script(t *testing.T) (input io.Reader, send func(string)) {
	t.Helper()
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	return r, func(text string) { _, _ = io.WriteString(w, text) } // fails when nobody reads any more
}
