// Package enginetest is the suite that every engine must pass. The fake passes it too, so what is tested on the fake
// can be trusted elsewhere.
//
// The image must have a POSIX shell as sh with cat, sleep, test, touch, id -u and pwd (busybox is enough).
package enginetest

import (
	"context"
	"testing"
	"time"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// Options are what differs between engines. A nil function leaves the cases out that need it.
type Options struct {
	// Reopen closes the engine without touching what runs, as the end of the supervisor does, and opens a new one on
	// the same state. Nil keeps using the engine that started the container.
	Reopen func(t *testing.T, e engine.Engine) engine.Engine
	// Listen returns a command that accepts TCP connections on a port, and goes on until it is killed.
	Listen func(port string) []string
	// Ping returns a command that succeeds if a name can be reached from the container.
	Ping func(name string) []string
}

// limit of one case: a hung engine must not hang the test run.
const limit = time.Minute

// suite is one case under way.
type suite struct {
	*testing.T
	ctx    context.Context
	engine engine.Engine
	image  value.ImageRef
	o      Options
}

// Run runs every case on an engine of its own that newEngine makes; newEngine registers its clean-up on the test.
func Run(t *testing.T, newEngine func(t *testing.T) engine.Engine, image value.ImageRef, o Options) {
	for _, c := range []struct {
		name string
		run  func(*suite)
		skip bool
	}{
		{"exit status", exitStatus, false},
		{"output is drained before Wait returns", outputDrained, false},
		{"signals", signals, false},
		{"wait ends with its context", waitContext, false},
		{"stdin", stdin, false},
		{"missing command", missingCommand, false},
		{"start again", startAgain, false},
		{"exec", execute, false},
		{"exec ends with the container", execEnds, false},
		{"effective configuration", effective, false},
		{"status", status, false},
		{"adopt running", adoptRunning, false},
		{"adopt ended", adoptEnded, false},
		{"remove", remove, false},
		{"volumes survive", volumesSurvive, false},
		{"networks", networks, false},
		{"cancelled calls leave nothing", cancelled, false},
		{"parallel", parallel, false},
		{"dial", dial, o.Listen == nil},
		{"link", link, o.Ping == nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.skip {
				t.Skip("this engine's options leave it out")
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			c.run(&suite{T: t, ctx: ctx, engine: newEngine(t), image: image, o: o})
		})
	}
}

// spec declares a container that runs a shell script.
func (s *suite) spec(key, script string) *schema.Container {
	c := &schema.Container{Key: key}
	c.Image.Ref = schema.Opt[value.ImageRef]{Value: s.image, Set: true}
	c.Process.Command = schema.Opt[[]string]{Value: []string{"sh", "-c", script}, Set: true}
	return c
}

// create pulls and creates a container that is removed at the end.
func (s *suite) create(c *schema.Container, peers map[string]string) string {
	s.Helper()
	if _, err := s.engine.Pull(s.ctx, c, func(engine.Progress) {}); err != nil {
		s.Fatalf("pull: %v", err)
	}
	id := state.NewID()
	if _, err := s.engine.Create(s.ctx, engine.Container{
		ID: id, Name: "suite-" + c.Key, Project: "suite", Dir: s.TempDir(), Spec: c, Peers: peers,
	}); err != nil {
		s.Fatalf("create: %v", err)
	}
	s.Cleanup(func() { s.drop(id) })
	return id
}

// drop kills and removes a container in whatever state it is.
func (s *suite) drop(id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), limit)
	defer cancel()
	if p, err := s.engine.Adopt(ctx, id, engine.Stdio{}); err == nil {
		_ = p.Signal(ctx, 9) // it may have ended meanwhile
		if _, err := p.Wait(ctx); err != nil {
			s.Errorf("clean up %s: %v", id, err)
		}
	}
	if err := s.engine.Remove(ctx, engine.Ref{Kind: "container", Name: id, Volumes: true}); err != nil {
		s.Errorf("clean up %s: %v", id, err)
	}
}

// start starts a container whose output goes to out.
func (s *suite) start(id string, out *output) engine.Process {
	s.Helper()
	p, err := s.engine.Start(s.ctx, id, out.stdio())
	if err != nil {
		s.Fatalf("start: %v", err)
	}
	return p
}

// wait waits for a process to end.
func (s *suite) wait(p engine.Process) engine.Exit {
	s.Helper()
	exit, err := p.Wait(s.ctx)
	if err != nil {
		s.Fatalf("wait: %v", err)
	}
	return exit
}

// runScript runs a script in a container of its own to its end.
func (s *suite) runScript(key, script string) (engine.Exit, *output) {
	s.Helper()
	out := newOutput()
	return s.wait(s.start(s.create(s.spec(key, script), nil), out)), out
}

// code fails the test unless a process ended with that status.
func (s *suite) code(exit engine.Exit, want int) {
	s.Helper()
	if exit.Code != want || exit.At.IsZero() {
		s.Errorf("exit = %+v, want code %d and a time", exit, want)
	}
}

// up is printed by scripts once they are ready for signals.
const up = "echo up; sleep 1000 & wait"
