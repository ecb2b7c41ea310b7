// Package conformance looks at runfile from outside: every script runs the built binary on real containers and reads
// the proof from the kernel (a cgroup file, /proc, ip, nft, an exit status). It imports nothing of ours.
//
// options/NAME/ has at least three scripts for each option: proof (YAML, a real container), error (a located
// diagnostic) and toml (the proof's twin). scenarios/ holds what needs more than one option. The same suite runs on the
// host and, through vmrun, on a kernel with cgroup v2.
package conformance

import (
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
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
	before := observe()
	code := 1
	if err := loadImages(); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
	} else {
		code = m.Run()
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
		cmd := exec.Command(filepath.Join(binDir, "runfile"), "pull", "--tag", tag, "docker-archive:"+image+":"+tag+":latest")
		cmd.Env = append(os.Environ(), "RUNFILE_ROOT="+stateDir)
		if out, err := cmd.CombinedOutput(); err != nil {
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
			testscript.Run(t, params(dir))
		})
	}
}

func TestScenarios(t *testing.T) {
	testscript.Run(t, params("scenarios"))
}

// params sets a script up: its own project, the suite's state directory, no registry and no host configuration.
func params(dir string) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"eventually": eventually,
			"status":     status,
		},
		Setup: func(env *testscript.Env) error {
			project := projectName(dir, env.WorkDir)
			repo := filepath.Dir(binDir)
			env.Setenv("PATH", binDir+":/usr/sbin:/usr/bin:/sbin:/bin")
			env.Setenv("RUNFILE_ROOT", stateDir)
			env.Setenv("RUNFILE_PROJECT", project)
			env.Setenv("PROJECT", project)
			env.Setenv("IMAGE", image)
			env.Setenv("REPO", repo)
			env.Setenv("DOCKER_CONFIG", filepath.Join(env.WorkDir, "no-docker-config"))
			env.Defer(func() { takeDown(env.T(), project) })
			return nil
		},
	}
}

// projectName is short, since it becomes part of socket paths, and unique for a script: the working directory of a
// script ends in its name.
func projectName(dir, work string) string {
	h := fnv.New32a()
	fmt.Fprint(h, dir, work)
	return fmt.Sprintf("t%08x", h.Sum32())
}

// takeDown removes everything of a script's project, also after a failure.
func takeDown(t testscript.T, project string) {
	cmd := exec.Command(filepath.Join(binDir, "runfile"), "--project-name", project, "down", "-v", "-t", "0")
	cmd.Dir = stateDir
	cmd.Env = append(os.Environ(), "RUNFILE_ROOT="+stateDir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Log("down:", err, string(out))
	}
}

// eventually runs a command until it succeeds: `eventually 5s CMD ARG...`. What it waits for happens by itself; the
// limit only ends a script that failed.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: [!] eventually DURATION COMMAND [ARG...]")
	}
	limit, err := time.ParseDuration(args[0])
	ts.Check(err)
	if inGuest() {
		limit *= 10
	}
	deadline := time.Now().Add(limit)
	for {
		err := ts.Exec(args[1], args[2:]...)
		if (err == nil) != neg {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("still not after %v: %v", limit, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// status runs a command and checks its exit status: `status 7 CMD ARG...`.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: status CODE COMMAND [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if exit := new(exec.ExitError); err != nil && asExit(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}
