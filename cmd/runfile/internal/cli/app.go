// Package cli is the command line: one file per verb. A verb reads its flags, loads and plans, talks to the project's
// supervisor, and prints. It decides nothing that the planner or the executor could decide.
package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/progress"
	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
	"github.com/runfile/runfile/executor/state"
)

// app is one invocation of the program.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	paths          state.Paths
	g              globals
	undone         string // what errors in a file have kept from happening; "" = nothing was started
}

// globals are the flags that every verb takes.
type globals struct {
	files       []string
	dir         string
	projectName string
	profiles    []string
	vars        []string
	varsFiles   []string
	progress    string
	colour      string
	ci          string
	diagnostics string
	strict      bool
}

// Main runs the program with the arguments after its name and returns the exit status (DESIGN.md 2).
func Main(args []string) int {
	prepareProcess()
	a := &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, paths: state.DefaultPaths(),
	}
	return a.run(args)
}

func (a *app) run(args []string) int {
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	return a.finish(root.Execute())
}

// finish prints an error that has not been shown yet and turns it into an exit status.
func (a *app) finish(err error) int {
	var f *failure
	switch {
	case err == nil:
		return 0
	case errors.Is(err, syscall.EPIPE):
		return exitPipe // whoever read our output has seen enough
	case !errors.As(err, &f):
		f = asFailure(err)
	}
	if f.err != nil {
		fmt.Fprintf(a.stderr, "runfile: %s\n", terminal.Clean(f.err.Error()))
	}
	for _, line := range f.help {
		fmt.Fprintf(a.stderr, "  %s\n", line)
	}
	return f.code
}

// addGlobals gives a command the flags that every verb takes. Verbs that use -f for themselves have --file only.
func (a *app) addGlobals(cmd *cobra.Command) {
	f := cmd.Flags()
	short := "f"
	if f.ShorthandLookup("f") != nil {
		short = ""
	}
	f.StringArrayVarP(&a.g.files, "file", short, nil, "runfile to read, - for standard input (default: runfile.yaml, .yml or .toml here or above)")
	f.StringVarP(&a.g.dir, "directory", "C", "", "look for the runfile in this directory")
	f.StringVar(&a.g.projectName, "project-name", "", "name of the project (default: project in the file, else its directory)")
	f.StringArrayVar(&a.g.profiles, "profile", nil, "switch on the containers of a profile")
	f.StringArrayVar(&a.g.vars, "var", nil, "set a declared variable, NAME=VALUE")
	f.StringArrayVar(&a.g.varsFiles, "vars-file", nil, "read declared variables from a file of NAME=VALUE lines")
	f.StringVar(&a.g.progress, "progress", "", "how progress is shown: auto, tty, plain, json or quiet")
	f.StringVar(&a.g.colour, "color", "auto", "when to colour: auto, always or never")
	f.StringVar(&a.g.ci, "ci", "auto", "annotate for a CI system: auto, none, github or gitlab")
	f.StringVar(&a.g.diagnostics, "diagnostics", "text", "how mistakes in the file are shown: text, json or github")
	f.BoolVar(&a.g.strict, "strict", false, "take warnings for errors, such as an option that this kernel cannot honour")
	for _, name := range globalNames() {
		_ = f.SetAnnotation(name, globalAnnotation, nil)
	}
}

// globalAnnotation marks the flags that the help prints under a heading of their own.
const globalAnnotation = "runfile-global"

func globalNames() []string {
	return []string{
		"file", "directory", "project-name", "profile", "var", "vars-file", "progress", "color", "ci", "diagnostics", "strict",
	}
}

// checkGlobals fills in what comes from the environment and refuses unknown words.
func (a *app) checkGlobals() error {
	if len(a.g.files) == 0 {
		if list := a.getenv("RUNFILE_FILE"); list != "" {
			a.g.files = filepath.SplitList(list)
		}
	}
	if a.g.projectName == "" {
		a.g.projectName = a.getenv("RUNFILE_PROJECT")
	}
	if list := a.getenv("RUNFILE_PROFILES"); list != "" && len(a.g.profiles) == 0 {
		a.g.profiles = strings.Split(list, ",")
	}
	if a.g.progress == "" {
		a.g.progress = a.getenv("RUNFILE_PROGRESS")
	}
	if on, err := strconv.ParseBool(a.getenv("RUNFILE_STRICT")); err == nil && on {
		a.g.strict = true
	}
	if a.g.progress == "" {
		a.g.progress = string(progress.Auto)
	}
	return errors.Join(
		oneOf("progress", a.g.progress, progress.Modes()),
		oneOf("color", a.g.colour, []string{"auto", "always", "never"}),
		oneOf("ci", a.g.ci, []string{"auto", "none", "github", "gitlab"}),
		oneOf("diagnostics", a.g.diagnostics, []string{"text", "json", "github"}),
	)
}

func oneOf(flag, value string, words []string) error {
	if slices.Contains(words, value) {
		return nil
	}
	return usagef("--%s %q is not one of %s", flag, value, strings.Join(words, ", "))
}

// variables are the --var flags as a map.
func (a *app) variables() (map[string]string, error) {
	vars := map[string]string{}
	for _, v := range a.g.vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return nil, usagef("--var %q has no value; write --var NAME=VALUE", v)
		}
		vars[name] = value
	}
	return vars, nil
}

// colour decides whether to colour what goes to w.
func (a *app) colour(w io.Writer) bool { return terminal.Colour(a.g.colour, w, a.getenv) }

// width is how many columns the terminal on standard error has, 0 where there is none.
func (a *app) width() int {
	if !terminal.Is(a.stderr) {
		return 0
	}
	columns, _ := terminal.Size(a.stderr)
	return columns
}

// progressMode resolves auto: a live table only where standard error is a terminal that can move its cursor, and not
// in CI.
func (a *app) progressMode() progress.Mode {
	if a.g.progress != string(progress.Auto) {
		return progress.Mode(a.g.progress)
	}
	ci := a.getenv("CI")
	if terminal.Is(a.stderr) && a.getenv("TERM") != "dumb" && (ci == "" || ci == "false") {
		return progress.TTY
	}
	return progress.Plain
}

// ciSystem is github, gitlab or "" (none).
func (a *app) ciSystem() string {
	switch {
	case a.g.ci == "none":
		return ""
	case a.g.ci != "auto":
		return a.g.ci
	case a.getenv("GITHUB_ACTIONS") == "true":
		return "github"
	case a.getenv("GITLAB_CI") != "":
		return "gitlab"
	}
	return ""
}
