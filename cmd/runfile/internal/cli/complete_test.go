package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/runfile/runfile/schema"
)

// TestMain lets the test binary be the program, for shells that call it.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "runfile" {
		os.Exit(Main(os.Args[1:]))
	}
	os.Exit(m.Run())
}

const completable = `version: 1
vars: {TAG: "1", LEVEL: info, ENV: {enum: [dev, prod]}}
networks: {front: {}, back: {}}
volumes: {data: {}}
containers:
  web: {image: "nginx:${TAG}", network: [front], profiles: [debug, dev]}
  worker: {image: busybox}
  db: {image: postgres, profiles: dev}
`

// completed are the words that the program offers at the end of a command line, without their descriptions.
func completed(t *testing.T, words ...string) []string {
	t.Helper()
	r := runIn(t, map[string]string{"runfile.yaml": completable}, nil, append([]string{cobra.ShellCompNoDescRequestCmd}, words...)...)
	if r.code != 0 {
		t.Errorf("%q: %+v", words, r)
	}
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	return lines[:len(lines)-1] // the last is the directive
}

func TestCompletion(t *testing.T) {
	tests := []struct {
		line string // words, the last is what is written so far
		want string // all of them, in order; with ... behind it the beginning
	}{
		{"up |", "web worker db"},
		{"up w|", "web worker"},
		{"up web w|", "worker"},
		{"plan --profile |", "debug dev"},
		{"up --profile=de|", "debug dev"},
		{"logs |", "web worker db"},
		{"exec |", "web worker db"},
		{"exec web |", ""},
		{"stop web |", "worker db"},
		{"--var |", "TAG= LEVEL= ENV=dev ENV=prod"},
		{"up --var ENV=|", "ENV=dev ENV=prod"},
		{"validate --var L|", "LEVEL="},
		{"val|", "validate"},
		{"config --format |", "yaml json toml"},
		{"ps --format |", "table json yaml"},
		{"up --progress |", "auto tty plain json quiet"},
		{"kill --signal SIGKI|", "SIGKILL"},
		{"fmt --ch|", "--check"},
		{"completion |", "bash zsh fish powershell"},
		{"explain networks.s|", "networks.subnet"},
		{"run --network |", "bridge none host container:db container:web container:worker front back"},
		{"run --network=container:w|", "container:web container:worker"},
		{"run --net f|", "front"},
		{"run --rm --volumes-from |", "db web worker"},
		{"run -it --link w|", "web worker"},
		{"run --pid |", "host container:db container:web container:worker"},
		{"run -v d|", "data:"},
		{"run --volume=|", "data:"},
		{"run --restart |", "no always unless-stopped on-failure"},
		{"run --cap-add NET_A|", "NET_ADMIN"},
		{"run --log-driver js|", "json-file"},
		{"run --env-f|", "--env-file"},
		{"run --env-file |", ""},
		{"run -p80:80 |", "busybox nginx:1 postgres oci: ..."},
		{"run --rm --name x b|", "busybox"},
		{"run alpine --network |", ""},
		{"run -- busybox |", ""},
		{"run --format t|", "toml"},
		{"run --progress=js|", "json"},
		{"run --inter|", "--interactive"},
	}
	for _, tt := range tests {
		words := strings.Split(strings.TrimSuffix(tt.line, "|"), " ")
		got, want := completed(t, words...), strings.Fields(tt.want)
		if n := len(want) - 1; n >= 0 && want[n] == "..." {
			want = want[:n]
			got = got[:min(n, len(got))]
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", tt.line, got, want)
		}
	}
}

// TestEveryFlagCompletes: no flag with a value falls back to names of files by accident, and run knows all of its own.
func TestEveryFlagCompletes(t *testing.T) {
	a := &app{getenv: func(string) string { return "" }}
	for _, cmd := range a.rootCommand().Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if _, ok := cmd.GetFlagCompletionFunc(f.Name); !ok && f.Value.Type() != "bool" && !cmd.Hidden {
				t.Errorf("%s --%s has no completion", cmd.Name(), f.Name)
			}
		})
	}
	flags := completed(t, "run", "--")
	for _, o := range schema.Options() {
		if !o.NoFlag && !slices.Contains(flags, "--"+o.Name) {
			t.Errorf("run lacks --%s", o.Name)
		}
		if o.NoFlag || o.Kind == schema.Switch || len(o.Words) == 0 || o.Ref != "" {
			continue
		}
		if got := completed(t, "run", "--"+o.Name, ""); len(got) < len(o.Words) {
			t.Errorf("run --%s completes with %q, want at least %q", o.Name, got, o.Words)
		}
	}
}

// shell runs a script of a real shell in a directory with a runfile; runfile is in the path.
func shell(t *testing.T, name, script string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "runfile")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "runfile.yaml"), []byte(completable), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-c", script}
	if name == "zsh" || name == "bash" {
		args = append([]string{map[string]string{"zsh": "-f", "bash": "--norc"}[name]}, args...)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "HOME="+dir, "XDG_CONFIG_HOME="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

type shellCase struct {
	line string
	want []string
}

// shellCases are command lines and what a shell has to offer for them, at least.
var shellCases = []shellCase{
	{"runfile up w", []string{"web", "worker"}},
	{"runfile val", []string{"validate"}},
	{"runfile up --pro", []string{"--profile", "--progress"}},
	{"runfile up --profile d", []string{"debug", "dev"}},
	{"runfile run --network ", []string{"bridge", "container:web", "front"}},
	{"runfile run --restart un", []string{"unless-stopped"}},
	{"runfile run --restart=un", []string{"unless-stopped"}},
	{"runfile run --rm --volumes-from w", []string{"web", "worker"}},
	{"runfile explain cpu-sh", []string{"cpu-shares"}},
}

// offers compares what a shell offers. Behind --flag= it may be the value alone, which the shell puts there.
func offers(t *testing.T, shell, line, out string, want []string) {
	t.Helper()
	before := line[strings.LastIndexByte(line, ' ')+1:]
	before = before[:strings.LastIndexByte(before, '=')+1]
	for _, word := range want {
		if !strings.Contains("\n"+out, "\n"+word) && !strings.Contains("\n"+out, "\n"+before+word) {
			t.Errorf("%s: %q offers\n%s\nwant %s", shell, line, out, word)
		}
	}
}

// bashWords splits a line as bash does for completion: at blanks, and around = and :.
func bashWords(line string) []string {
	line = strings.NewReplacer("=", "\n=\n", ":", "\n:\n", " ", "\n").Replace(line)
	for strings.Contains(line, "\n\n") {
		line = strings.ReplaceAll(line, "\n\n", "\n")
	}
	return strings.Split(line, "\n")
}

func TestBashCompletion(t *testing.T) {
	const library = "/usr/share/bash-completion/bash_completion"
	cases := append(slices.Clone(shellCases), shellCase{"runfile run --network=container:w", []string{"web", "worker"}})
	for name, before := range map[string]string{"with the library": "source " + library + "\n", "alone": ""} {
		if _, err := os.Stat(library); err != nil && before != "" {
			continue
		}
		for _, tt := range cases {
			// The colon is one of bash's word breaks, so words behind it are offered without what stands before it.
			words := bashWords(tt.line)
			quoted := "'" + strings.Join(words, "' '") + "'"
			out := shell(t, "bash", "set +o posix; "+before+"source <(runfile completion bash)\n"+
				"COMP_WORDS=("+quoted+"); COMP_CWORD="+strconv.Itoa(len(words)-1)+"; COMP_LINE='"+tt.line+"'; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9; COMP_KEY=9\n"+
				"compopt() { :; }\ncomplete -p runfile >/dev/null || exit 3\n__start_runfile runfile\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n")
			offers(t, "bash "+name, tt.line, out, tt.want)
		}
	}
}

func TestZshCompletion(t *testing.T) {
	for _, tt := range shellCases {
		words := strings.Split(tt.line, " ")
		// The real function, with the two that show what was found replaced by ones that print it.
		out := shell(t, "zsh", "compdef() { :; }\n_arguments() { :; }\n"+
			"_describe() { local item; for item in $completions; do item=${item//\\\\:/@@}; item=${item%%:*}; print -r -- ${item//@@/:}; done; }\n"+
			"source <(runfile completion zsh)\n"+
			"words=('"+strings.Join(words, "' '")+"'); CURRENT="+strconv.Itoa(len(words))+"\n_runfile\n")
		offers(t, "zsh", tt.line, out, tt.want)
	}
}

func TestFishCompletion(t *testing.T) {
	for _, tt := range shellCases {
		out := shell(t, "fish", "runfile completion fish | source; complete -C '"+tt.line+"'")
		offers(t, "fish", tt.line, out, tt.want)
	}
}

// TestPowerShellCompletion: there is no PowerShell to run it with; the script is there and registers the program.
func TestPowerShellCompletion(t *testing.T) {
	r := runIn(t, nil, nil, "completion", "powershell")
	if r.code != 0 || !strings.Contains(r.stdout, "Register-ArgumentCompleter -CommandName 'runfile'") {
		t.Errorf("%+v", r)
	}
}
