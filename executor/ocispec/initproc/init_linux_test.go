package initproc

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	if Named(os.Args[0]) {
		Main()
	}
	os.Exit(m.Run())
}

// asInit starts this test binary as docker-init.
func asInit(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	link := filepath.Join(t.TempDir(), Name)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	return exec.Command(link, args...)
}

func TestExitStatus(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		want int
	}{
		{"success", []string{"--", "true"}, 0},
		{"without dashes", []string{"true"}, 0},
		{"status", []string{"--", "sh", "-c", "exit 42"}, 42},
		{"killed", []string{"--", "sh", "-c", "kill -9 $$"}, 137},
		{"not found", []string{"--", "/no/such/program"}, 127},
		{"not executable", []string{"--", "/etc/passwd"}, 126},
		{"nothing", nil, 127},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := asInit(t, tc.args...).Run()
			got := 0
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				got = exit.ExitCode()
			} else if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("exit status %d, want %d", got, tc.want)
			}
		})
	}
}

func TestSignalsArePassedOn(t *testing.T) {
	cmd := asInit(t, "--", "sh", "-c", `trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done`)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 6)
	if _, err := out.Read(buf); err != nil || !strings.HasPrefix(string(buf), "ready") {
		t.Fatalf("read %q, %v", buf, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 9 {
		t.Errorf("ended with %v, want exit status 9 from the trap", err)
	}
}

func TestNamed(t *testing.T) {
	for arg, want := range map[string]bool{"/sbin/docker-init": true, "docker-init": true, "runfile-terminal": true, "runfile": false, "": false} {
		if got := Named(arg); got != want {
			t.Errorf("Named(%q) = %v", arg, got)
		}
	}
}

// TestKeeper: it is there as long as the process, and holds the terminal.
func TestKeeper(t *testing.T) {
	kept := exec.Command("sleep", "1000")
	if err := kept.Start(); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.PidfdOpen(kept.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	pidfd := os.NewFile(uintptr(fd), "pidfd")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	keeper := &exec.Cmd{Path: self, Args: []string{KeeperName}, ExtraFiles: []*os.File{w, pidfd}}
	if err := keeper.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = w.Close(), pidfd.Close()
	if err := r.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the keeper does not hold its descriptor: %v", err)
	}
	if err := r.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := kept.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = kept.Wait() // killed
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("after the end of the process: %v, want the end of the file", err)
	}
	if err := keeper.Wait(); err != nil {
		t.Error(err)
	}
}
