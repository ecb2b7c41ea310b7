package native

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// helperVariable makes this test program a supervisor that can be killed: it holds the JSON of a helperJob.
const helperVariable = "NATIVE_TEST_SUPERVISOR"

// helperJob is what the supervisor does: make the containers and start them all at once, say so, and wait to be killed.
type helperJob struct {
	Config     Config
	Containers []engine.Container
	UIDs, GIDs string // files of ranges of ids; "" = the host's
}

// supervise is the helper's main function.
func supervise(job helperJob) error {
	ctx := context.Background()
	e, err := New(job.Config)
	if err != nil {
		return err
	}
	if job.UIDs != "" {
		e.subIDs = subIDFiles{uids: job.UIDs, gids: job.GIDs}
	}
	done := make(chan error)
	for _, c := range job.Containers {
		go func() {
			_, err := e.Create(ctx, c)
			if err == nil {
				fmt.Println("created")
				_, err = e.Start(ctx, c.ID, engine.Stdio{Stdout: prefixed("out "), Stderr: prefixed("err ")})
			}
			done <- err
		}()
	}
	for range job.Containers {
		if err := <-done; err != nil {
			return err
		}
		fmt.Println("started")
	}
	select {}
}

// prefixed writes lines to the standard output.
type prefixed string

func (p prefixed) Write(b []byte) (int, error) {
	_, err := fmt.Printf("%s%s", string(p), b)
	return len(b), err
}

// spawn starts a supervisor in a process of its own.
func spawn(t *testing.T, job helperJob) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	data, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), helperVariable+"="+string(data))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, bufio.NewScanner(out)
}

// expect reads lines until one has the text.
func expect(t *testing.T, lines *bufio.Scanner, text string) {
	t.Helper()
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return
		}
	}
	t.Fatalf("the supervisor ended without saying %q: %v", text, lines.Err())
}

// crashConfig is a project that has its image already.
func crashConfig(t *testing.T) Config {
	t.Helper()
	p := newRemapped(t) // its directories can be passed by remapped containers
	if _, err := p.Pull(t.Context(), declare("c", "true"), nil); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	return p.cfg
}

// TestKilledSupervisor: containers survive the death of their supervisor, with their network, their volumes and what
// they write; the next supervisor goes on with them.
func TestKilledSupervisor(t *testing.T) {
	t.Run("plain", func(t *testing.T) { killedSupervisor(t, func(*schema.Container) {}) })
	t.Run("remapped", func(t *testing.T) { killedSupervisor(t, remapped) })
}

func killedSupervisor(t *testing.T, change func(*schema.Container)) {
	needRoot(t)
	cfg, ids := crashConfig(t), testSubIDs(t)
	cfg.Logf = nil
	c := declare("c", "sh", "-c", "trap 'echo bye; exit 7' TERM; echo up; n=0; while [ ! -e /dev/shm/go ]; do sleep 0.05; done; echo between; sleep 100000 & wait")
	c.Network.Networks = nil
	c.Namespaces.IPC = set(value.NamespaceMode{Mode: "shareable"})
	change(c)
	ec := engine.Container{ID: state.NewID(), Name: cfg.Project + "-c", Project: cfg.Project, Dir: t.TempDir(), Spec: c}
	supervisor, lines := spawn(t, helperJob{Config: cfg, Containers: []engine.Container{ec}, UIDs: ids.uids, GIDs: ids.gids})
	expect(t, lines, "out up")
	if err := supervisor.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = supervisor.Wait() // killed

	cfg.Logf = t.Logf
	p := openProject(t, cfg)
	p.subIDs = ids
	t.Cleanup(func() { p.drop(ec.ID) })
	rec, err := state.ReadJSON[record](p.newContainer(ec.ID).path(recordFile))
	if err != nil {
		t.Fatal(err)
	}
	// While nobody is there it goes on and writes; nothing of that is lost.
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/root/dev/shm/go", rec.Process.PID), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	out := newBuffer()
	pr, err := p.Adopt(t.Context(), ec.ID, engine.Stdio{Stdout: out, Stderr: out})
	if err != nil {
		t.Fatal(err)
	}
	out.await(t, "between")
	if s := pr.Status(); s.PID != rec.Process.PID || len(s.Networks) != 1 || !s.Networks[0].IP.IsValid() {
		t.Errorf("status %+v", s)
	}

	joiner := declare("joiner", "sh", "-c", "ls /dev/shm; ip -o addr show eth0 | wc -l")
	joiner.Namespaces.IPC = set(value.NamespaceMode{Mode: "container", Container: "c"})
	joiner.Network.Networks = items(value.Network{Mode: value.NetworkContainer, Name: "c"})
	change(joiner)
	_, jp, got := p.start(joiner, map[string]string{"c": ec.ID})
	if exit, err := jp.Wait(t.Context()); err != nil || exit.Code != 0 || got.String() != "go\n1\n" {
		t.Errorf("joiner: exit %+v, %v, %q", exit, err, got)
	}

	if err := pr.Signal(t.Context(), 15); err != nil {
		t.Fatal(err)
	}
	if exit, err := pr.Wait(t.Context()); err != nil || exit.Code != 7 && !exit.Unknown {
		t.Errorf("exit %+v, %v", exit, err)
	}
	if !strings.HasSuffix(out.String(), "bye\n") {
		t.Errorf("output %q", out)
	}
	again, err := p.Start(t.Context(), ec.ID, engine.Stdio{})
	if err != nil {
		t.Fatalf("start again: %v", err)
	}
	if again.PID() == rec.Process.PID {
		t.Error("the same process")
	}
}

// TestTerminalOutlivesSupervisor: a detached container with a terminal does not get a hang-up, and its terminal works on.
func TestTerminalOutlivesSupervisor(t *testing.T) {
	needRoot(t)
	cfg := crashConfig(t)
	cfg.Logf = nil
	c := declare("c", "sh", "-c", "echo up; read x; echo got $x; exit 3")
	c.Stdio.TTY, c.Stdio.Interactive, c.Lifecycle.Detach = set(true), set(true), set(true)
	ec := engine.Container{ID: state.NewID(), Name: cfg.Project + "-c", Project: cfg.Project, Dir: t.TempDir(), Spec: c}
	supervisor, lines := spawn(t, helperJob{Config: cfg, Containers: []engine.Container{ec}})
	expect(t, lines, "out up")
	if err := supervisor.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = supervisor.Wait() // killed

	cfg.Logf = t.Logf
	p := openProject(t, cfg)
	t.Cleanup(func() { p.drop(ec.ID) })
	out := newBuffer()
	pr, err := p.Adopt(t.Context(), ec.ID, engine.Stdio{Stdin: strings.NewReader("word\n"), Stdout: out})
	if err != nil {
		t.Fatal(err)
	}
	if err := pr.Resize(t.Context(), 100, 30); err != nil {
		t.Error(err)
	}
	if exit, err := pr.Wait(t.Context()); err != nil || exit.Code != 3 && !exit.Unknown {
		t.Errorf("exit %+v, %v", exit, err)
	}
	if !strings.Contains(out.String(), "got word\r\n") {
		t.Errorf("output %q", out)
	}
}

// TestKilledAnywhere kills the supervisor at many moments of creating and starting. Whatever is there then, the next
// one finds it and can take it away.
func TestKilledAnywhere(t *testing.T) {
	needRoot(t)
	if testing.Short() {
		t.Skip("40 starts")
	}
	cfg, ids := crashConfig(t), testSubIDs(t)
	for i := range 20 {
		cfg.Logf = nil
		var containers []engine.Container
		for j := range 2 {
			c := declare("c"+strconv.Itoa(j), "sh", "-c", "exec sleep 54321")
			c.Network.Networks = nil
			c.Mounts.Volumes = items(value.Mount{Type: value.Volume, Target: "/data"})
			if j == 1 {
				remapped(c)
			}
			containers = append(containers, engine.Container{
				ID: state.NewID(), Name: cfg.Project + "-" + c.Key, Project: cfg.Project, Dir: t.TempDir(), Spec: c,
			})
		}
		supervisor, _ := spawn(t, helperJob{Config: cfg, Containers: containers, UIDs: ids.uids, GIDs: ids.gids})
		// Not a wait for something: the moment is the point of the test.
		<-time.After(time.Duration(20+7*i) * time.Millisecond)
		if err := supervisor.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = supervisor.Wait() // killed

		cfg.Logf = t.Logf
		if sweepKilled(t, cfg, containers); t.Failed() {
			t.Fatalf("killed after %d ms", 20+7*i)
		}
	}
}

// sweepKilled takes away what a killed supervisor left, and looks whether anything stays.
func sweepKilled(t *testing.T, cfg Config, containers []engine.Container) {
	t.Helper()
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range containers {
		pr, err := e.Adopt(t.Context(), c.ID, engine.Stdio{})
		switch {
		case err == nil:
			if err := pr.Signal(t.Context(), 9); err != nil && !errors.Is(err, engine.ErrProcessDone) {
				t.Errorf("kill: %v", err)
			}
			if _, err := pr.Wait(t.Context()); err != nil {
				t.Errorf("wait: %v", err)
			}
		case !errors.Is(err, engine.ErrNotRunning):
			t.Errorf("adopt: %v", err)
		}
		if err := e.Remove(t.Context(), engine.Ref{Kind: "container", Name: c.ID, Volumes: true}); err != nil {
			t.Errorf("remove: %v", err)
		}
	}
	if err := e.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	for _, l := range leftovers(t, cfg) {
		t.Errorf("left behind: %s", l)
	}
	for _, line := range []string{"sleep\x0054321\x00", userNSHelper + "\x00"} {
		if found := processes(t, line); len(found) > 0 {
			t.Errorf("still running: %v", found)
		}
	}
}

// TestKilledAfterTheLastContainer: a supervisor that is killed between the removal of its last container and its own end
// leaves a network that nothing leads to. The end of the next one takes it away, though that needs no network.
func TestKilledAfterTheLastContainer(t *testing.T) {
	p := newProject(t)
	if err := p.EnsureNetwork(t.Context(), &schema.NetworkDef{Key: "n"}); err != nil {
		t.Fatal(err)
	}
	p.net = nil // as if it were killed: nobody closes it
	if len(leftNow(t, p.cfg)) == 0 {
		t.Fatal("the killed one has left nothing")
	}
	if err := p.Close(); err != nil { // that nothing is left is looked at by newProject
		t.Error(err)
	}
}

// TestLongPaths: neither sockets nor mount options depend on how long the state directory's name is, or on what
// characters it has.
func TestLongPaths(t *testing.T) {
	needRoot(t)
	dir := filepath.Join(t.TempDir(), strings.Repeat("long,colon:", 12), strings.Repeat("x", 200))
	cfg := Config{Paths: state.Paths{Root: filepath.Join(dir, "lib"), Run: filepath.Join(dir, "run")}, Project: "long" + strconv.Itoa(os.Getpid()), Logf: t.Logf}
	p := openProject(t, cfg)
	got := p.sh("tty; echo hi", func(c *schema.Container) { c.Stdio.TTY = set(true) })
	if got != "/dev/pts/0\r\nhi\r\n" {
		t.Errorf("output %q", got)
	}
}

// TestManyLayers: overlay takes more layers than fit into a page of mount options by name.
func TestManyLayers(t *testing.T) {
	needRoot(t)
	p := newProject(t)
	base := t.TempDir()
	var layers []string
	for i := range 120 {
		l := filepath.Join(base, strings.Repeat("l", 100)+strconv.Itoa(i))
		if err := os.MkdirAll(filepath.Join(l, "d"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(l, "d", strconv.Itoa(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(l, "top"), []byte(strconv.Itoa(i)), 0o600); err != nil {
			t.Fatal(err)
		}
		layers = append(layers, l)
	}
	c := p.newContainer(state.NewID())
	c.rec.Layers = layers
	if err := errors.Join(c.makeLayer(), p.mountRootfs(t.Context(), c)); err != nil {
		t.Fatal(err)
	}
	root, err := p.rootDir(c)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(fdPath(root) + "/d")
	top, terr := os.ReadFile(fdPath(root) + "/top")
	if err != nil || terr != nil || len(entries) != 120 || string(top) != "119" {
		t.Errorf("%d files, top is %q: %v, %v", len(entries), top, err, terr)
	}
	_ = root.Close()
	if err := errors.Join(p.unmountRootfs(c), c.removeAll()); err != nil {
		t.Error(err)
	}
}
