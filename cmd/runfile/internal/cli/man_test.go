package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/runfile/runfile/schema"
)

// manPages writes the manual and returns its directory.
func manPages(t *testing.T) string {
	t.Helper()
	r := runIn(t, nil, map[string]string{"SOURCE_DATE_EPOCH": "86400"}, "gen", "man", "man")
	if r.code != 0 || r.stdout+r.stderr != "" {
		t.Fatal(r)
	}
	dir, err := filepath.Abs("man")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestManual: there is a page for each command with its flags, and one for the file with every option.
func TestManual(t *testing.T) {
	dir := manPages(t)
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(text), `"1970-01-02"`) {
			t.Fatal(name, err)
		}
		return strings.NewReplacer(`\-`, "-", `\fB`, "", `\fI`, "", `\fR`, "").Replace(string(text))
	}
	a := &app{getenv: func(string) string { return "" }}
	main := read("runfile.1")
	for _, cmd := range a.rootCommand().Commands() {
		page := "runfile-" + cmd.Name()
		if _, err := os.Stat(filepath.Join(dir, page+".1")); (err == nil) != cmd.IsAvailableCommand() {
			t.Errorf("%s: %v", page, err)
			continue
		}
		if !cmd.IsAvailableCommand() {
			continue
		}
		if !strings.Contains(main, "\n"+page+"(1)\n") {
			t.Errorf("runfile(1) lacks %s", page)
		}
		text := read(page + ".1")
		for _, f := range regexp.MustCompile(`(?m)^ +(?:-., )?(--[a-z-]+)`).FindAllStringSubmatch(runIn(t, nil, nil, cmd.Name(), "--help").stdout, -1) {
			if !strings.Contains(text, f[1]) && !strings.Contains(main, f[1]) {
				t.Errorf("%s lacks %s", page, f[1])
			}
		}
	}
	file, run := read("runfile.5"), read("runfile-run.1")
	for _, o := range schema.Options() {
		if !strings.Contains(file, "\n"+o.Name+" ("+o.Kind.String()+")") || !o.NoFlag && !strings.Contains(run, "--"+o.Name) {
			t.Errorf("the option %s is missing", o.Name)
		}
	}
}

// TestManualNamesEnvironment: every variable that the program reads is in runfile(1).
func TestManualNamesEnvironment(t *testing.T) {
	source, err := filepath.Abs("../../../..")
	if err != nil {
		t.Fatal(err)
	}
	main, err := os.ReadFile(filepath.Join(manPages(t), "runfile.1"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	err = filepath.WalkDir(source, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/conformance/") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?i:getenv|lookupenv)\("(RUNFILE_[A-Z_]+)"\)`).FindAllSubmatch(text, -1) {
			found++
			if !strings.Contains(string(main), string(m[1])) {
				t.Errorf("%s is not in runfile(1)", m[1])
			}
		}
		return err
	})
	if err != nil || found < 6 {
		t.Errorf("%d variables, %v", found, err)
	}
}

// TestManualIsClean: the formatters have nothing to say about any page.
func TestManualIsClean(t *testing.T) {
	dir := manPages(t)
	pages, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(pages) < 20 {
		t.Fatal(pages, err)
	}
	for tool, args := range map[string][]string{"mandoc": {"-Tlint"}, "groff": {"-man", "-Tutf8", "-ww", "-z"}} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Logf("%s is not installed", tool)
			continue
		}
		for _, page := range pages {
			if out, err := exec.CommandContext(t.Context(), tool, append(args, page)...).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s %s: %v\n%s", tool, filepath.Base(page), err, out)
			}
		}
	}
}
