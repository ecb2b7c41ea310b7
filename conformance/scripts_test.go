package conformance

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// script is what the commands of a script share.
type script struct {
	t       testscript.T
	project string
	finally []func() // in reverse order, after the script's containers are gone
}

type scriptKey struct{}

func scriptOf(ts *testscript.TestScript) *script { return ts.Value(scriptKey{}).(*script) }

func runScripts(t *testing.T, dir string) {
	t.Helper()
	p := params(dir)
	if deadline, ok := t.Deadline(); ok {
		p.Deadline = deadline
	}
	testscript.RunT(recorder{T: t, subject: filepath.Base(dir)}, p)
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
			"finally":    finally,
			"loop":       loop,
			"status":     status,
			"unproved":   unproved,
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
			s := &script{t: env.T(), project: project}
			env.Values[scriptKey{}] = s
			env.Defer(s.end)
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

// end removes everything of the script's project and of those whose names begin with its, also after a failure, and
// then undoes what the script did to the host.
func (s *script) end() {
	others, _ := filepath.Glob(filepath.Join(stateDir, "lib", "projects", s.project+"?*")) // the pattern is well-formed
	for _, name := range append([]string{s.project}, others...) {
		if out, err := runfile(stateDir, "--project-name", filepath.Base(name), "down", "-v", "-t", "0").CombinedOutput(); err != nil {
			s.t.Log("down:", err, string(out))
		}
	}
	for _, undo := range slices.Backward(s.finally) {
		undo()
	}
}

// onEnd runs a command of the host when the script's containers are gone.
func (s *script) onEnd(dir, name string, args ...string) {
	s.finally = append(s.finally, func() {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			s.t.Log("finally", name, args, err, string(out))
		}
	})
}

// finally runs a command of the host at the end, when the script's containers are gone, whatever happened until then:
// `finally CMD ARG...`, the last one first.
func finally(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 || neg {
		ts.Fatalf("usage: finally COMMAND [ARG...]")
	}
	scriptOf(ts).onEnd(ts.MkAbs("."), args[0], args[1:]...)
}

// unproved ends a script that cannot show its proof on this kernel: `[!swap] unproved 'no swap on this host'`. The
// reason goes to docs/conformance.md.
func unproved(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 || neg {
		ts.Fatalf("usage: unproved REASON")
	}
	scriptOf(ts).t.Skip(strings.Join(args, " "))
}

// loop attaches a loop device of that size to an empty file until the end of the script: `loop DISK 16M [SCHEDULER]`
// sets $DISK to its path and $DISK_ID to its major and minor number, 7:0.
func loop(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 || neg {
		ts.Fatalf("usage: loop VARIABLE SIZE [SCHEDULER]")
	}
	name, s := args[0], scriptOf(ts)
	file := ts.MkAbs(name + ".disk")
	ts.Check(ts.Exec("truncate", "-s", args[1], file))
	out, err := exec.Command("losetup", "--find", "--show", "--partscan", file).Output()
	if err != nil {
		ts.Fatalf("losetup: %v", err)
	}
	device := strings.TrimSpace(string(out))
	s.onEnd("/", "losetup", "--detach", device)
	block := filepath.Join("/sys/block", filepath.Base(device))
	if len(args) == 3 {
		scheduler := filepath.Join(block, "queue/scheduler")
		s.onEnd("/", "sh", "-c", "echo none >"+scheduler)
		ts.Check(os.WriteFile(scheduler, []byte(args[2]), 0))
	}
	ts.Setenv(name, device)
	ts.Setenv(name+"_ID", content(filepath.Join(block, "dev")))
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
	if exit := new(exec.ExitError); err != nil && errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}
