package conformance

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// expectation is the `# Expect:` comment of an example: an exit status and pieces of output.
var (
	expectation = regexp.MustCompile(`(?m)^# Expect: exit status (\d+)(.*)$`)
	quoted      = regexp.MustCompile(`"([^"]+)"`)
)

// TestExamples runs every example in both formats and holds it to its own promise. They are not run side by side,
// since they publish fixed ports.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../examples/*/runfile.yaml")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	for _, file := range files {
		dir := filepath.Dir(file)
		name := filepath.Base(dir)
		t.Run(name+"/yaml", func(t *testing.T) { runExample(t, file) })
		t.Run(name+"/toml", func(t *testing.T) { runExample(t, filepath.Join(dir, "toml", "runfile.toml")) })
	}
}

func runExample(t *testing.T, file string) {
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	promise := expectation.FindStringSubmatch(string(src))
	if promise == nil {
		t.Fatalf("%s has no line `# Expect: exit status N ...`", file)
	}
	dir := filepath.Dir(file)
	t.Cleanup(func() {
		if out, err := runfile(dir, "down", "-v", "-t", "0").CombinedOutput(); err != nil {
			t.Errorf("down: %v\n%s", err, out)
		}
	})
	for _, verb := range []string{"validate", "plan"} {
		if out, err := runfile(dir, verb).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", verb, err, out)
		}
	}
	var stdout, stderr bytes.Buffer
	cmd := runfile(dir, "up")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != 0 && promise[1] == "0" {
		t.Errorf("up: %v", err)
	}
	for _, m := range quoted.FindAllStringSubmatch(promise[2], -1) {
		if !strings.Contains(stdout.String(), m[1]) {
			t.Errorf("%q is not on standard output", m[1])
		}
	}
	if t.Failed() {
		t.Logf("stdout:\n%s\nstderr:\n%s", stdout.String(), stderr.String())
	}
}

// TestExamplesAgree: the two formats of an example resolve to the same project.
func TestExamplesAgree(t *testing.T) {
	goTool(t)
	files, err := filepath.Glob("../examples/*/runfile.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		dir := filepath.Dir(file)
		var out [2]string
		for i, d := range []string{dir, filepath.Join(dir, "toml")} {
			b, err := runfile(d, "config", "--format", "yaml").CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v\n%s", d, err, b)
			}
			out[i] = string(b)
		}
		if out[0] != out[1] {
			t.Errorf("%s: YAML gives\n%s\nTOML gives\n%s", dir, out[0], out[1])
		}
	}
}

// runfile is a run of the program in a directory, with the suite's state.
func runfile(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(binDir, "runfile"), append([]string{"-C", dir}, args...)...)
	cmd.Env = append(os.Environ(), "RUNFILE_ROOT="+stateDir)
	return cmd
}
