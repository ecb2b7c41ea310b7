// Package conformance looks at runfile from outside: every script runs the built binary on real containers and reads
// the proof from the kernel (a cgroup file, /proc, ip, nft, an exit status). It imports nothing of ours.
//
// options/NAME/ has at least three scripts for each option: proof (YAML, a real container), error (a located
// diagnostic) and toml (the proof's twin). scenarios/ holds what needs more than one option. The same suite runs on the
// host and, through vmrun, on a kernel with cgroup v2.
//
// Beside testscript's own commands, scripts have status, eventually, loop, finally and unproved (scripts_test.go), and
// guards for what a kernel has (gates_test.go).
package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The suite's own state directory, image archive and binary. One directory serves all scripts, so that the image is
// unpacked once; scripts are kept apart by their project's name.
var (
	stateDir string
	binDir   string
	image    string
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "conformance: root is needed to run containers")
		return 1
	}
	repo, err := filepath.Abs("..")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binDir, image = filepath.Join(repo, "bin"), filepath.Join(repo, "build", "image.tar")
	for _, f := range []string{filepath.Join(binDir, "runfile"), image} {
		if _, err := os.Stat(f); err != nil {
			fmt.Fprintln(os.Stderr, "conformance: run `make build build/image.tar` first:", err)
			return 1
		}
	}
	stateDir, err = os.MkdirTemp("", "rf")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// Containers with userns-remap pass it as users that are nobody here.
	if err := os.Chmod(stateDir, 0o711); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	before := observe()
	code := 1
	if err := loadImages(); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
	} else {
		code = m.Run()
	}
	if err := results.write(); err != nil {
		fmt.Fprintln(os.Stderr, "conformance: results:", err)
		code = 1
	}
	if left := leaked(before); len(left) > 0 {
		fmt.Fprintf(os.Stderr, "FAIL: the suite left behind:\n  %s\n", strings.Join(left, "\n  "))
		code = 1
	}
	if err := os.RemoveAll(stateDir); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		code = 1
	}
	return code
}

// loadImages puts the three tags of the test image into the store, where `image: busybox` finds them.
func loadImages() error {
	for _, tag := range []string{"busybox", "probe", "configured"} {
		out, err := runfile(stateDir, "pull", "--tag", tag, "docker-archive:"+image+":"+tag+":latest").CombinedOutput()
		if err != nil {
			return fmt.Errorf("load %s: %w\n%s", tag, err, out)
		}
	}
	return nil
}

func TestOptions(t *testing.T) {
	dirs, err := filepath.Glob("options/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no option folders: %v", err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			runScripts(t, dir)
		})
	}
}

func TestScenarios(t *testing.T) {
	runScripts(t, "scenarios")
}
