package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/schema/value"
)

// inHost marks the copy of the test program that runs in a network namespace of its own, which plays the host. Nothing
// that a test does there reaches the machine's real network.
const inHost = "RUNFILE_TEST_HOST"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashHelper); dir != "" {
		crashingSupervisor(dir)
	}
	if os.Getenv(inHost) == "" && os.Geteuid() == 0 {
		os.Exit(runInNetns())
	}
	goleak.VerifyTestMain(m)
}

func runInNetns() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inHost+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// needHost skips a test that needs the private host, and gives that a loopback device.
func needHost(t testing.TB) {
	t.Helper()
	if os.Getenv(inHost) == "" {
		t.Skip("needs root, to make network namespaces")
	}
	run(t, "ip", "link", "set", "lo", "up")
}

func run(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func testConfig(t testing.TB, project string) Config {
	dir := t.TempDir()
	return Config{
		Project: project, RunDir: filepath.Join(dir, "run"), StateDir: filepath.Join(dir, "state"),
		Logf: func(format string, args ...any) { t.Logf(format, args...) },
	}
}

// newHost returns a manager; at the end of the test everything must be gone.
func newHost(t testing.TB, cfg Config) *Manager {
	t.Helper()
	needHost(t)
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		closeBoxes(t, m)
		if err := m.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		noneLeft(t, cfg)
	})
	return m
}

func closeBoxes(t testing.TB, m *Manager) {
	t.Helper()
	m.mu.RLock()
	var boxes []*Sandbox
	for _, s := range m.boxes {
		boxes = append(boxes, s)
	}
	m.mu.RUnlock()
	for _, s := range boxes {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("close sandbox %s: %v", s.a.Name, err)
		}
	}
}

// noneLeft waits for the kernel to destroy the dropped namespaces, and fails for what remains.
func noneLeft(t testing.TB, cfg Config) {
	t.Helper()
	var left []string
	for start := time.Now(); time.Since(start) < 10*time.Second; wait() {
		var err error
		if left, err = LeftBehind(cfg); err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
}

// wait gives the kernel a moment; it is only used in loops that ask again.
func wait() { <-time.After(5 * time.Millisecond) }

// bridged is a container on the default bridge.
func bridged(t testing.TB, name string) Attach {
	return Attach{
		ContainerID: hash(64, t.Name(), name), ContainerKey: name, Name: name, Hostname: name,
		Mode: value.NetworkBridge, Dir: filepath.Join(t.TempDir(), name),
	}
}

func join(t testing.TB, m *Manager, a Attach) *Sandbox {
	t.Helper()
	s, err := m.Join(context.Background(), a)
	if err != nil {
		t.Fatalf("join %s: %v", a.Name, err)
	}
	return s
}

func start(t testing.TB, s *Sandbox) *Sandbox {
	t.Helper()
	if err := s.Start(context.Background()); err != nil {
		t.Fatalf("start %s: %v", s.a.Name, err)
	}
	return s
}

// serve answers every TCP connection inside the sandbox with the address that it came from.
func serve(t testing.TB, s *Sandbox, port int) {
	t.Helper()
	var l net.Listener
	err := s.ns.Do(func() (err error) {
		l, err = net.Listen("tcp", fmt.Sprintf(":%d", port))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprintf(c, "%s %s", s.a.Name, c.RemoteAddr())
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
}
