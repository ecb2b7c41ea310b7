package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/executor/state"
)

// result is what one invocation did.
type result struct {
	code           int
	stdout, stderr string
}

// runIn runs the program in a directory with these files, with no environment and no state.
func runIn(t *testing.T, files map[string]string, env map[string]string, args ...string) result {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	var stdout, stderr bytes.Buffer
	a := &app{
		stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
		getenv: func(name string) string { return env[name] },
		paths:  state.Paths{Root: filepath.Join(dir, "lib"), Run: filepath.Join(dir, "run")},
	}
	code := a.run(args)
	return result{code, stdout.String(), stderr.String()}
}

// TestCommandTree: every verb can be made, is explained, has a heading, and its help works.
func TestCommandTree(t *testing.T) {
	a := &app{getenv: func(string) string { return "" }}
	for _, cmd := range a.rootCommand().Commands() {
		if cmd.Hidden {
			continue
		}
		if cmd.Short == "" || cmd.GroupID == "" {
			t.Errorf("%s: short %q, group %q", cmd.Name(), cmd.Short, cmd.GroupID)
		}
		r := runIn(t, nil, nil, cmd.Name(), "--help")
		if r.code != 0 || !strings.Contains(r.stdout, "Usage:") || r.stderr != "" {
			t.Errorf("%s --help: %+v", cmd.Name(), r)
		}
	}
}

const good = "project: shop\ncontainers:\n  db: {image: busybox, detach: true, command: sleep 9}\n" +
	"  test: {image: busybox, link: [db], command: [echo, hi]}\n"

// TestExitCodes names local archives only: not even a broken check may make a test ask a registry.
//
// It holds the statuses and the next steps of what needs no engine (DESIGN.md 2).
func TestExitCodes(t *testing.T) {
	ok := map[string]string{"runfile.yaml": good}
	bad := map[string]string{"runfile.yaml": strings.Replace(good, "link", "lnk", 1)}
	cycle := map[string]string{"runfile.yaml": "containers:\n  a: {image: b, depends-on: [b]}\n  b: {image: b, depends-on: [a]}\n"}
	tests := []struct {
		name           string
		files          map[string]string
		args           string
		code           int
		stdout, stderr string // each must contain
	}{
		{"valid", ok, "validate", 0, "ok runfile.yaml: 1 job, 1 service", ""},
		{"typo in a key", bad, "validate", 2, "", `did you mean "link"?`},
		{"all mistakes are counted", bad, "plan", 2, "", "1 error in runfile.yaml; nothing was started"},
		{"cycle", cycle, "validate", 2, "", "error[dependency-cycle]"},
		{"no manifest", nil, "validate", 2, "", "runfile.toml"},
		{"no such file", nil, "-f nope.yaml validate", 2, "", "nope.yaml"},
		{"plan", ok, "plan", 0, "start", ""},
		{"plan for scripts", ok, "plan --detailed-exitcode", 2, "start", ""},
		{"broken plan for scripts", bad, "plan --detailed-exitcode", 1, "", "lnk"},
		{"plan of an unknown name", ok, "plan tset", 2, "", `did you mean "test"?`},
		{"plan as JSON", ok, "plan --format json", 0, `"project": "shop"`, ""},
		{"plan as DOT", ok, "plan --format dot", 0, "digraph", ""},
		{"plan as Mermaid", ok, "plan --format mermaid", 0, "flowchart", ""},
		{"unknown format", ok, "plan --format svg", 2, "", "--format \"svg\" is not one of"},
		{"dry run", ok, "up --dry-run", 0, "start", ""},
		{"unknown verb", nil, "lgos", 2, "", "did you mean: runfile logs"},
		{"docker's verb", nil, "ls", 2, "", "did you mean: runfile ps"},
		{"unknown flag", nil, "up --foo", 2, "", "see what it takes: runfile up --help"},
		{"port twice in run", nil, "run --print -p 80:80 -p 80:81 busybox", 2, "", "runfile run twice publishes the host's port 80"},
		{"dash of typography in run", nil, "run \u2013d busybox", 2, "", "its dash is no minus"},
		{"unknown flag of run", nil, "run --foo busybox", 2, "", "runfile run --help"},
		{"too many arguments", ok, "validate x", 2, "", "takes no arguments"},
		{"missing name", nil, "kill", 2, "", "usage: runfile kill"},
		{"wrong mode", ok, "validate --progress fast", 2, "", "--progress \"fast\" is not one of auto, tty"},
		{"wrong colour", ok, "validate --color blue", 2, "", "--color"},
		{"variable without value", ok, "validate --var X", 2, "", "--var NAME=VALUE"},
		{"-d with --rm", ok, "up -d --rm", 2, "", "drop one of the two"},
		{"negative parallel", ok, "up --parallel -1", 2, "", "--parallel"},
		{"docker's own", nil, "stats", 2, "", "docker has it"},
		{"no number", ok, "stop -t x", 2, "", "\"-t, --time\" flag: it needs a whole number\n"},
		{"wrong signal", ok, "kill -s NOPE db", 2, "", "--signal"},
		{"wrong time", ok, "logs --since yesterday", 2, "", "--since"},
		{"wrong tail", ok, "logs --tail x", 2, "", "--tail"},
		{"wrong detach keys", ok, "attach --detach-keys ctrl-Q db", 2, "", "detach-keys"},
		{"two images, one tag", ok, "pull --tag x docker-archive:no.tar:a docker-archive:no.tar:b", 2, "", "--tag"},
		{"config", ok, "config", 0, "db:", ""},
		{"config as TOML", ok, "config --format toml", 0, "[containers.db]", ""},
		{"explain a key", nil, "explain memory", 0, "--memory", ""},
		{"explain a code", nil, "explain unknown-option", 0, "unknown-option", ""},
		{"explain for programs", nil, "explain --format json memory", 0, `"name": "memory"`, ""},
		{"explain a code for programs", nil, "explain --format json unknown-option", 0, `"code": "unknown-option"`, ""},
		{"explain a typo for programs", nil, "explain --format json memroy", 2, "", "did you mean: runfile explain memory"},
		{"explain a typo", nil, "explain memroy", 2, "", "did you mean: runfile explain memory"},
		{"version", nil, "version", 0, "runfile ", ""},
		{"help of a verb", nil, "help up", 0, "runfile up", ""},
		{"help of nothing", nil, "help nope", 2, "", "no command"},
		{"no arguments", nil, "", 0, "Usage:", ""},
		{"print", nil, "run --print -m 64m busybox echo hi", 0, "memory: 64m", ""},
		{"completion", nil, "completion bash", 0, "complete", ""},
		{"unknown shell", nil, "completion tcsh", 2, "", "fish"},
		{"complete names", ok, "__complete up te", 0, "test\n", ""},
		{"complete flags of run", nil, "__complete run --memory-sw", 0, "--memory-swap\t", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := runIn(t, tt.files, nil, strings.Fields(tt.args)...)
			if r.code != tt.code || !strings.Contains(r.stdout, tt.stdout) || !strings.Contains(r.stderr, tt.stderr) {
				t.Errorf("runfile %s: status %d, want %d\nstdout %q, want %q\nstderr %q, want %q",
					tt.args, r.code, tt.code, r.stdout, tt.stdout, r.stderr, tt.stderr)
			}
			if strings.Contains(r.stdout+r.stderr, "\x1b") {
				t.Error("an escape sequence without a terminal")
			}
		})
	}
}

// TestPlanChangesNothing: validate, plan and config leave no state behind.
func TestPlanChangesNothing(t *testing.T) {
	for _, verb := range []string{"validate", "plan", "config"} {
		runIn(t, map[string]string{"runfile.yaml": good}, nil, verb)
		entries, err := os.ReadDir(".")
		if err != nil || len(entries) != 1 {
			t.Errorf("%s left %v, %v", verb, entries, err)
		}
	}
}

func TestSecretsAreMasked(t *testing.T) {
	files := map[string]string{"runfile.yaml": "containers:\n  a:\n    image: busybox\n    env: {API_TOKEN: canary, PASSWORD_FILE: /run/x, PLAIN: shown}\n"}
	r := runIn(t, files, nil, "config")
	if strings.Contains(r.stdout+r.stderr, "canary") || !strings.Contains(r.stdout, "shown") || !strings.Contains(r.stdout, "/run/x") {
		t.Errorf("got %+v", r)
	}
	if r = runIn(t, files, nil, "config", "--show-secrets"); !strings.Contains(r.stdout, "canary") {
		t.Errorf("with --show-secrets: %+v", r)
	}
	for _, option := range []string{
		"hostname: h-${PW}", "annotation: k=${PW}", "log-opt: {tag: \"${PW}\"}", "log-driver: splunk\n    log-opt: {splunk-token: canary, splunk-url: \"http://x\"}", "health-cmd: test ${PW}",
		"command: [a, \"${PW}\"]", "volume: /srv/${PW}:/x", "label: {a: \"${PW}\"}", "user: ${PW}",
	} {
		text := "vars: {PW: {secret: true, default: canary}, A: {secret: true, default: a}}\nvolumes: {v: {label: \"k=${PW}\"}}\n" +
			"containers:\n  a:\n    image: busybox\n    env: {A: \"${A}\", B: aa}\n    " + option + "\n"
		for _, form := range []string{"yaml", "toml", "json"} {
			r := runIn(t, map[string]string{"runfile.yaml": text}, nil, "config", "--format", form)
			if r.code != 0 || strings.Contains(r.stdout+r.stderr, "canary") || !strings.Contains(r.stdout, "A=<secret>") ||
				!strings.Contains(r.stdout, "B=aa") {
				t.Errorf("%s as %s: %+v", option, form, r)
			}
		}
	}
	if r = runIn(t, files, nil, "plan"); strings.Contains(r.stdout+r.stderr, "canary") {
		t.Errorf("plan shows a secret: %+v", r)
	}
}

// A damaged record is said, and does not stop what is about the other containers.
func TestDamagedRecordIsAWarning(t *testing.T) {
	root := t.TempDir()
	var stderr bytes.Buffer
	a := &app{paths: state.Paths{Root: root, Run: root}, stderr: &stderr}
	for id, text := range map[string]string{"aa": `{"id": "tor`, "bb": `{"id": "bb", "key": "b", "spec": {}}`} {
		dir := a.paths.Container("p", id)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "container.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	records, err := a.records("p")
	if err != nil || len(records) != 1 || records[0].Key != "b" {
		t.Errorf("records = %+v, %v", records, err)
	}
	if !strings.Contains(stderr.String(), "damaged") || !strings.Contains(stderr.String(), "runfile down") {
		t.Errorf("stderr = %q", stderr.String())
	}
}

func TestDiagnosticFormats(t *testing.T) {
	files := map[string]string{"runfile.yaml": "image: busybox\nmemroy: 1m\n"}
	if r := runIn(t, files, nil, "--diagnostics", "json", "validate"); !strings.HasPrefix(r.stderr, `{"severity":"error"`) {
		t.Errorf("json: %q", r.stderr)
	}
	if r := runIn(t, files, nil, "--diagnostics", "github", "validate"); !strings.HasPrefix(r.stderr, "::error file=runfile.yaml,line=2") {
		t.Errorf("github: %q", r.stderr)
	}
	r := runIn(t, files, map[string]string{"GITHUB_ACTIONS": "true"}, "validate")
	if !strings.Contains(r.stderr, "-->") || !strings.Contains(r.stderr, "::error file=") {
		t.Errorf("in GitHub both are wanted: %q", r.stderr)
	}
	r = runIn(t, files, map[string]string{"GITHUB_ACTIONS": "true"}, "--ci", "none", "validate")
	if strings.Contains(r.stderr, "::error") {
		t.Errorf("--ci none: %q", r.stderr)
	}
}

// TestEnvironment: the variables stand in for the flags, and flags win.
func TestEnvironment(t *testing.T) {
	files := map[string]string{"other.yaml": good}
	env := map[string]string{"RUNFILE_FILE": "other.yaml", "RUNFILE_PROJECT": "fromenv"}
	r := runIn(t, files, env, "plan", "--format", "json")
	if r.code != 0 || !strings.Contains(r.stdout, `"project": "fromenv"`) {
		t.Errorf("got %+v", r)
	}
	r = runIn(t, files, env, "--project-name", "flag", "plan", "--format", "json")
	if !strings.Contains(r.stdout, `"project": "flag"`) {
		t.Errorf("the flag loses: %+v", r)
	}
	r = runIn(t, files, map[string]string{"RUNFILE_PROGRESS": "loud"}, "version")
	if r.code != 2 {
		t.Errorf("a wrong RUNFILE_PROGRESS: %+v", r)
	}
}

// TestNoShorthandClash: verbs that use -f for themselves keep --file.
func TestNoShorthandClash(t *testing.T) {
	a := &app{getenv: func(string) string { return "" }}
	for _, cmd := range a.rootCommand().Commands() {
		if cmd.DisableFlagParsing || cmd.Name() == "help" {
			continue
		}
		if cmd.Flags().Lookup("file") == nil {
			t.Errorf("%s has no --file", cmd.Name())
		}
	}
	for _, verb := range []*cobra.Command{a.logsVerb(), a.rmVerb()} {
		if f := verb.Flags().ShorthandLookup("f"); f == nil || f.Name == "file" {
			t.Errorf("%s: -f is not its own", verb.Name())
		}
	}
}

// TestOneMistakeOneError: what was reported once is not reported again by a later stage, and it is reported where it is.
func TestOneMistakeOneError(t *testing.T) {
	for name, tt := range map[string]struct{ file, want string }{
		"variable in an image": {"image: ${NOPE}\n", "runfile.yaml:1:8"},
		"variable in a switch": {"image: x\nprivileged: ${NOPE}\n", "runfile.yaml:2:13"},
		"variable in a list":   {"image: x\npublish: [\"80:80\", \"${NOPE}\"]\n", "runfile.yaml:2:21"},
		"both forms":           {"image: x\ncontainers: {a: {image: y}}\n", "runfile.yaml:1:1"},
		"open quote":           {"image: \"x\ncommand: y\n\n", "runfile.yaml:1:8"},
	} {
		t.Run(name, func(t *testing.T) {
			r := runIn(t, map[string]string{"runfile.yaml": tt.file}, nil, "validate")
			if r.code != exitUsage || strings.Count(r.stderr, "error[") != 1 || !strings.Contains(r.stderr, "--> "+tt.want+"\n") {
				t.Errorf("status %d, want one error at %s:\n%s", r.code, tt.want, r.stderr)
			}
		})
	}
}

// TestAllMistakesAtOnce: those inside a container, those between containers and cycles come in one go.
func TestAllMistakesAtOnce(t *testing.T) {
	file := `containers:
  a: {image: x, memroy: 1g, link: nowhere}
  b: {image: x, depends-on: [c, a]}
  y: {image: x, depends-on: [z]}
  z: {image: x, depends-on: [y]}
`
	for _, file := range []string{file, strings.Replace(file, "memroy: 1g, ", "", 1)} {
		r := runIn(t, map[string]string{"runfile.yaml": file}, nil, "validate")
		want := []string{`names "nowhere"`, `names "c"`, "dependency-cycle"}
		if strings.Contains(file, "memroy") {
			want = append(want, "memroy")
		}
		if n := strings.Count(r.stderr, "error["); n != len(want) || r.code != exitUsage {
			t.Errorf("status %d, %d errors, want %d:\n%s", r.code, n, len(want), r.stderr)
		}
		for _, w := range want {
			if !strings.Contains(r.stderr, w) {
				t.Errorf("%s is missing:\n%s", w, r.stderr)
			}
		}
	}
}
