package project

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/schema"
)

// spawnPaths are paths on which Connect may start the test binary as a supervisor. Whatever is left at the end of the
// test is killed: a process that was told of these paths is ours.
func spawnPaths(t *testing.T) state.Paths {
	t.Helper()
	paths := testPaths(t)
	t.Cleanup(func() {
		for _, pid := range processesOf(paths) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		dirs, _ := filepath.Glob(filepath.Join(paths.Run, "projects", "*"))
		for _, dir := range dirs {
			lock, err := state.Lock(t.Context(), filepath.Join(dir, lockName)) // waits for the supervisor's end
			if err == nil {
				lock.Unlock()
			}
			if text, err := os.ReadFile(filepath.Join(dir, logName)); err == nil && t.Failed() {
				t.Logf("%s:\n%s", dir, text)
			}
		}
	})
	return paths
}

// processesOf lists the processes whose environment names these paths: supervisors and their containers.
func processesOf(paths state.Paths) []int {
	var list []int
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil || !strings.Contains(string(text)+"\x00", state.RootVariable+"="+filepath.Dir(paths.Run)+"\x00") {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f))); err == nil {
			list = append(list, pid)
		}
	}
	return list
}

func spawn(t *testing.T, paths state.Paths, project string) *Client {
	t.Helper()
	c, err := Connect(t.Context(), paths, project, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestConnectWithoutSupervisor(t *testing.T) {
	paths := testPaths(t)
	if _, err := Connect(t.Context(), paths, "p", false); !errors.Is(err, ErrNoSupervisor) {
		t.Errorf("nothing there: %v", err)
	}
	// A killed supervisor leaves its socket behind.
	if err := secureDir(paths.ProjectRun("p")); err != nil {
		t.Fatal(err)
	}
	l, err := listenSocket(paths.ProjectRun("p"))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Connect(t.Context(), paths, "p", false); !errors.Is(err, ErrNoSupervisor) {
		t.Errorf("stale socket: %v", err)
	}
}

// TestSpawnAndLeave starts a supervisor and sees it off: it is detached, and leaves when its client does.
func TestSpawnAndLeave(t *testing.T) {
	paths := spawnPaths(t)
	c := spawn(t, paths, "p")
	info, err := c.Info(t.Context())
	if err != nil || info.Project != "p" || info.Version != "test" || info.PID == os.Getpid() {
		t.Fatalf("info %+v, %v", info, err)
	}
	session, err := unix.Getsid(info.PID)
	if err != nil || session != info.PID {
		t.Errorf("session %d of process %d, %v; want its own", session, info.PID, err)
	}
	if dir, err := os.Readlink("/proc/" + listenerPID(c.lease) + "/cwd"); err != nil || dir != "/" {
		t.Errorf("working directory %q, %v", dir, err)
	}
	for fd, want := range map[string]string{"0": os.DevNull, "1": filepath.Join(paths.ProjectRun("p"), logName)} {
		if got, err := os.Readlink("/proc/" + listenerPID(c.lease) + "/fd/" + fd); err != nil || got != want {
			t.Errorf("descriptor %s is %q, %v; want %q", fd, got, err, want)
		}
	}
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP} {
		if err := syscall.Kill(info.PID, signal); err != nil {
			t.Fatal(err)
		}
	}
	if again := spawn(t, paths, "p"); listenerPID(again.lease) != listenerPID(c.lease) {
		t.Error("a second Connect started a second supervisor")
	} else {
		_ = again.Close()
	}
	pidfd, err := unix.PidfdOpen(info.PID, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pidfd)
	_ = c.Close()
	awaitEnd(t, pidfd)
}

// awaitEnd returns when the process has ended.
func awaitEnd(t *testing.T, pidfd int) {
	t.Helper()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, -1)
		if n == 1 {
			return
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			t.Fatal(err)
		}
	}
}

func TestSpawnThatFails(t *testing.T) {
	paths := spawnPaths(t)
	_, err := Connect(t.Context(), paths, "broken", true)
	if err == nil || !strings.Contains(err.Error(), "no luck today") || !strings.Contains(err.Error(), "exit status 125") {
		t.Errorf("a supervisor that does not start: %v", err)
	}
	// One without an engine does start, and says what is wrong to whoever asks for something.
	c := spawn(t, paths, "no-engine")
	if _, err := c.Records(t.Context()); err == nil || !strings.Contains(err.Error(), "no runtime found") || engine.ExitCode(err) != 125 {
		t.Errorf("a supervisor without an engine: %v", err)
	}
	if err := c.Stop(t.Context(), StopRequest{}); err == nil || !strings.Contains(err.Error(), "no runtime found") {
		t.Errorf("stop: %v", err)
	}
}

// TestKilledSupervisor is DESIGN.md 4: kill -9 of the supervisor loses no container, no log line and no name.
func TestKilledSupervisor(t *testing.T) {
	paths := spawnPaths(t)
	c := spawn(t, paths, "p")
	pid, err := supervisorPID(c)
	if err != nil {
		t.Fatal(err)
	}
	plan := makePlan(t, "p", service("web", "sh", "-c", "echo hello; exec sleep 1000"), job("slow", "sleep", "1000"))
	seen := map[string]bool{}
	_, err = c.Up(t.Context(), UpRequest{Plan: plan, Output: []string{"web"}}, func(e executor.Event) error {
		if seen[string(e.Type)+e.Container] = true; seen["outputweb"] && seen["startweb"] && seen["startslow"] {
			clear(seen)
			return syscall.Kill(pid, syscall.SIGKILL)
		}
		return nil
	})
	if !errors.Is(err, ErrLost) {
		t.Fatalf("up whose supervisor was killed: %v", err)
	}
	if _, err := Connect(t.Context(), paths, "p", false); !errors.Is(err, ErrNoSupervisor) {
		t.Fatalf("connect after the kill: %v", err)
	}
	records, err := Records(paths, "p")
	if err != nil || len(records) != 2 || running(records, "web") != executor.Running {
		t.Errorf("records on disk: %+v, %v", records, err)
	}
	if lines, err := logOf(ReadLogs, t.Context(), paths); err != nil || lines != "web: hello\n" {
		t.Errorf("logs on disk: %q, %v", lines, err)
	}

	c = spawn(t, paths, "p")
	records, err = c.Records(t.Context())
	if err != nil || running(records, "web") != executor.Running {
		t.Errorf("adopted records: %+v, %v", records, err)
	}
	var lines strings.Builder
	err = c.Logs(t.Context(), LogsRequest{Containers: []string{"web"}, Tail: -1}, func(l LogLine) error {
		lines.Write(l.Line)
		return nil
	})
	if err != nil || lines.String() != "hello\n" {
		t.Errorf("logs: %q, %v", lines.String(), err)
	}
	if err := c.Stop(t.Context(), StopRequest{}); err != nil {
		t.Errorf("stop: %v", err)
	}
	next, err := supervisorPID(c)
	if err != nil {
		t.Fatal(err)
	}
	if left := processesOf(paths); !slices.Equal(left, []int{next}) {
		t.Errorf("after stop these still run: %v; want the supervisor %d only", left, next)
	}
	if err := c.Down(t.Context(), DownRequest{}, func(executor.Event) error { return nil }); err != nil {
		t.Errorf("down: %v", err)
	}
	if names, err := Projects(paths); err != nil || len(names) > 0 {
		t.Errorf("projects after down: %v, %v", names, err)
	}
}

func running(records []executor.Record, key string) executor.State {
	for _, r := range records {
		if r.Key == key {
			return r.State
		}
	}
	return "missing"
}

func logOf(read func(context.Context, state.Paths, string, LogsRequest, func(LogLine) error) error, ctx context.Context, paths state.Paths) (string, error) {
	var text strings.Builder
	err := read(ctx, paths, "p", LogsRequest{Tail: -1}, func(l LogLine) error {
		text.WriteString(l.Container + ": " + string(l.Line))
		return nil
	})
	return text.String(), err
}

// TestIdleExitRace connects and leaves again and again while supervisors, which leave at once here, come and go: each
// Connect must end with a supervisor that stays.
func TestIdleExitRace(t *testing.T) {
	paths := spawnPaths(t)
	var g sync.WaitGroup
	for _, clients := range []int{1, 2, 6} {
		for range clients {
			g.Go(func() {
				for i := range 120 / clients {
					c, err := Connect(t.Context(), paths, "p", true)
					if err != nil {
						t.Error(err)
						return
					}
					if _, err := c.Info(t.Context()); err != nil {
						t.Error(err)
					}
					_ = c.Close()
					// The next one comes at another moment of the supervisor's leaving.
					for at := time.Now(); time.Since(at) < time.Duration(i%30)*50*time.Microsecond; {
						runtime.Gosched()
					}
				}
			})
		}
		g.Wait()
	}
	text, err := os.ReadFile(filepath.Join(paths.ProjectRun("p"), logName))
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d supervisors came and went", strings.Count(string(text), "msg=supervising"))
}

// TestGateRace is the same at the gate itself, without processes: between the decision to leave and the closed
// listener, nobody gets an answer and nobody is forgotten.
func TestGateRace(t *testing.T) {
	paths := testPaths(t)
	dir := paths.ProjectRun("p")
	if err := secureDir(dir); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		l, err := listenSocket(dir)
		if err != nil {
			t.Fatal(err)
		}
		gate := newGate(l, discardLog())
		web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })}
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = web.Serve(gate)
		}()
		var g sync.WaitGroup
		answered := make(chan net.Conn, 8)
		for range 8 {
			g.Go(func() {
				conn, err := hello(t.Context(), dir)
				if err == nil {
					answered <- conn
				} else if !isGone(err) {
					t.Errorf("neither an answer nor gone: %v", err)
				}
			})
		}
		left := gate.leave(func() bool { return true })
		if left {
			_ = l.Close()
		}
		g.Wait()
		close(answered)
		for conn := range answered {
			if left {
				t.Error("an answer from a supervisor that had left")
			}
			_ = conn.Close()
		}
		_ = web.Close()
		<-served
	}
}

func TestLongSocketPath(t *testing.T) {
	paths := testPaths(t)
	dir := filepath.Join(paths.Run, strings.Repeat("long", 30), strings.Repeat("path", 30))
	if err := secureDir(dir); err != nil {
		t.Fatal(err)
	}
	l, err := listenSocket(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if info, err := os.Stat(filepath.Join(dir, socketName)); err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("socket: %v, %v", info, err)
	}
	conn, err := dialSocket(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

func TestSecureDirRefuses(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to make directories of other users")
	}
	base := testPaths(t).Run
	if err := os.MkdirAll(base, 0o700); err != nil {
		t.Fatal(err)
	}
	foreign, open, link := filepath.Join(base, "foreign"), filepath.Join(base, "open"), filepath.Join(base, "link")
	if err := errors.Join(os.Mkdir(foreign, 0o700), os.Chown(foreign, 65534, 65534),
		os.Mkdir(open, 0o700), os.Chmod(open, 0o770), os.Symlink(foreign, link)); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{foreign, open, link} {
		if err := secureDir(dir); err == nil {
			t.Errorf("%s was taken", dir)
		}
	}
}

func TestMayConnect(t *testing.T) {
	for _, c := range []struct {
		uid   uint32
		owner int
		want  bool
	}{{0, 0, true}, {1000, 0, false}, {1000, 1000, true}, {0, 1000, true}, {1001, 1000, false}, {1<<32 - 1, 0, false}} {
		if got := mayConnect(&unix.Ucred{Uid: c.uid}, c.owner); got != c.want {
			t.Errorf("uid %d at a supervisor of %d: %t", c.uid, c.owner, got)
		}
	}
}

// TestOtherUserIsHungUpOn opens socket and directory to everybody, so that only the check of the peer is left (T14).
func TestOtherUserIsHungUpOn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to become another user")
	}
	v, _ := startSupervisor(t)
	dir := v.paths.ProjectRun("p")
	for d := dir; d != "/tmp" && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, socketName), 0o666); err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(filepath.Dir(v.paths.Run), "hello")
	if err := os.WriteFile(binary, self, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "hello", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "gone\n" {
		t.Errorf("another user got %q, %v", out, err)
	}
	if !strings.Contains(v.log.String(), "refused a connection") {
		t.Error("the refusal is not in the log")
	}
}

// job with a terminal, for attaching.
func terminal(c *schema.Container) *schema.Container {
	c.Stdio.TTY = schema.Opt[bool]{Value: true, Set: true}
	return interactive(c)
}

func interactive(c *schema.Container) *schema.Container {
	c.Stdio.Interactive = schema.Opt[bool]{Value: true, Set: true}
	return c
}
