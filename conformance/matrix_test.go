package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/conformance.md anew")

const matrixFile = "../docs/conformance.md"

// TestMatrix holds docs/conformance.md to the option table, the scripts and the results of the last runs that were kept.
func TestMatrix(t *testing.T) {
	goTool(t)
	page := newMatrix(t).page()
	if *update {
		if err := os.WriteFile(matrixFile, page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := os.ReadFile(matrixFile); !bytes.Equal(got, page) {
		t.Errorf("docs/conformance.md is stale; refresh it with\n\tgo test ./conformance -run TestMatrix -update\n"+
			"or with the results of new runs: make conformance-docs\n%s", firstDifference(got, page))
	}
}

func firstDifference(got, want []byte) string {
	a, b := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d is\n\t%s\nand would be\n\t%s", i+1, a[i], b[i])
		}
	}
	return "one of them is longer"
}

// option is what the binary says of a row of its table.
type option struct {
	Name, Kind, Example, OS, NotYet string
	Own, NoFlag                     bool

	reference bool // it is in the reference that docker run's options are taken from
	scripts   []string
}

// matrix is everything that the page is made of.
type matrix struct {
	options    []option
	parsed     map[string]bool
	documented map[string]bool
	converted  map[string]bool
	hosts      [2]host // cgroup v1, v2
	results    [2]map[[2]string]result
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	m := &matrix{options: readTable(t)}
	reference := referenceNames(t)
	for i, o := range m.options {
		m.options[i].reference = reference[o.Name]
		files, _ := filepath.Glob(filepath.Join("options", o.Name, "*.txtar"))
		for _, f := range files {
			m.options[i].scripts = append(m.options[i].scripts, strings.TrimSuffix(filepath.Base(f), ".txtar"))
		}
	}
	m.parsed = parsedOptions(t, m.options)
	m.converted = convertedOptions(t, m.options)
	m.documented = documentedOptions(t)
	for i := range m.results {
		var list []result
		var err error
		if m.hosts[i], list, err = readResults(resultsFile("results", i+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		m.results[i] = make(map[[2]string]result)
		for _, r := range list {
			m.results[i][[2]string{r.Subject, r.Script}] = r
		}
	}
	return m
}

func readTable(t *testing.T) []option {
	t.Helper()
	out, err := exec.Command(filepath.Join(binDir, "runfile"), "explain", "--format", "json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var table struct{ Options []option }
	if err := json.Unmarshal(out, &table); err != nil {
		t.Fatal(err)
	}
	return table.Options
}

// referenceNames are the long options of docker run's help text as the reference has it.
func referenceNames(t *testing.T) map[string]bool {
	t.Helper()
	b, err := os.ReadFile("../schema/testdata/docker-run-help.txt")
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z0-9-]+)`).FindAllStringSubmatch(string(b), -1) {
		names[m[1]] = true
	}
	return names
}

// companions are what an option's example needs beside it to make sense.
var companions = map[string][]string{ // key, value
	"memory-swap":   {"memory", "64m"},
	"ip":            {"network", "back"},
	"ip6":           {"network", "back6"},
	"network-alias": {"network", "back"},
	"tty":           {"detach", "true"},
}

// companion is the other key that stands beside an option's example, if any.
func (o option) companion() []string {
	if o.OS == "windows" {
		return []string{"platform", "windows/amd64"}
	}
	return companions[o.Name]
}

// hasFlag: a docker run command line can carry the option. With --help it prints usage instead.
func (o option) hasFlag() bool { return !o.NoFlag && o.Name != "help" }

// yaml is the option's example as a value in a manifest.
func (o option) yaml() string {
	quoted, _ := json.Marshal(o.Example)
	switch o.Kind {
	case "list", "list or map":
		return "[" + string(quoted) + "]"
	case "value":
		return string(quoted)
	}
	return o.Example // true, or flow text
}

const networks = "networks: {back: {subnet: 172.28.0.0/16}, back6: {subnet: 'fd00:28::/64'}}\n"

// exampleDir is a folder with a runfile and the files that examples name.
func exampleDir(t *testing.T, runfile string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"runfile.yaml": runfile, "test.env": "A=1\n", "labels.txt": "a=b\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// parsedOptions are those whose example passes validation: one file with a container for each.
func parsedOptions(t *testing.T, options []option) map[string]bool {
	t.Helper()
	var file strings.Builder
	file.WriteString(networks + "secrets: {dbpw: {file: test.env}}\ncontainers:\n" +
		"  db: {image: busybox, detach: true, network: back}\n  data: {image: busybox}\n")
	parsed := make(map[string]bool)
	for _, o := range options {
		keys := map[string]string{"image": "busybox"}
		if with := o.companion(); with != nil {
			keys[with[0]] = with[1]
		}
		keys[o.Name] = o.yaml()
		fmt.Fprintf(&file, "  of-%s: {", o.Name)
		for k, v := range keys {
			fmt.Fprintf(&file, "%s: %s, ", k, v)
		}
		file.WriteString("}\n")
		parsed[o.Name] = true
	}
	dir := exampleDir(t, file.String())
	out, _ := exec.Command(filepath.Join(binDir, "runfile"), "-C", dir, "--diagnostics", "json", "validate").CombinedOutput()
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		var d struct{ Severity, Code, Summary string }
		if json.Unmarshal(s.Bytes(), &d) != nil || d.Severity != "error" || d.Code == "not-yet" {
			continue
		}
		name := regexp.MustCompile(`"of-([a-z0-9-]+)"`).FindStringSubmatch(d.Summary)
		if name == nil {
			t.Fatalf("not about one option: %s", s.Text())
		}
		t.Logf("%s is not parsed: %s", name[1], d.Summary)
		parsed[name[1]] = false
	}
	return parsed
}

// convertedOptions are those that a docker run command line with their example turns into a runfile with them.
func convertedOptions(t *testing.T, options []option) map[string]bool {
	t.Helper()
	dir := exampleDir(t, networks+"containers: {other: {image: busybox}}\n")
	converted := make(map[string]bool)
	for _, o := range options {
		if !o.hasFlag() {
			continue
		}
		args := []string{"run", "--print", "--file=runfile.yaml"}
		if with := o.companion(); with != nil {
			args = append(args, "--"+with[0]+"="+with[1])
		}
		args = append(args, "--"+o.Name+"="+o.Example, "busybox")
		cmd := exec.Command(filepath.Join(binDir, "runfile"), args...)
		cmd.Dir = dir
		out, err := cmd.Output()
		converted[o.Name] = err == nil && regexp.MustCompile(`[{ \n]`+o.Name+`:`).Match(out)
	}
	return converted
}

// documentedOptions are those with a heading in docs/options.md.
func documentedOptions(t *testing.T) map[string]bool {
	t.Helper()
	b, err := os.ReadFile("../docs/options.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^### ([a-z0-9-]+)`).FindAllStringSubmatch(string(b), -1) {
		documented[m[1]] = true
	}
	return documented
}
