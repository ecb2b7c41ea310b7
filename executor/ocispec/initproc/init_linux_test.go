package initproc

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
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
	for arg, want := range map[string]bool{"/sbin/docker-init": true, "docker-init": true, "runfile": false, "": false} {
		if got := Named(arg); got != want {
			t.Errorf("Named(%q) = %v", arg, got)
		}
	}
}
