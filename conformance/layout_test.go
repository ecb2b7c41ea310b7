package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/runfile/runfile/"

// ladder is DESIGN.md 3: what each package may import of ours, beside standard library and modules. A name ending in
// /... allows the packages below it, too.
var ladder = map[string][]string{
	"manifest/diag":          {},
	"manifest/diag/diagtest": {"manifest/diag"},
	"manifest":               {"manifest/diag"},
	"schema/value":           {},
	"schema":                 {"manifest", "manifest/diag", "schema/value"},
	"schema/tidy":            {"schema", "manifest", "manifest/diag"},
	"schema/gen":             {"schema", "schema/value", "manifest/diag"},
	"planner/graph":          {},
	"planner":                {"schema", "schema/value", "planner/graph", "manifest/diag"},
	"planner/convert/shell":  {"manifest/diag"},
	// Above the planner, which knows in which order containers start and whether references lead anywhere.
	"planner/convert":            {"planner", "planner/convert/shell", "schema", "schema/value", "manifest", "manifest/diag"},
	"executor/proc":              {},
	"executor/engine":            {"executor/proc", "schema", "schema/value"},
	"executor/engine/enginetest": {"executor/engine", "executor/state", "schema", "schema/value"}, // state for its ids
	"executor/engine/fake":       {"executor/engine", "executor/proc", "schema", "schema/value"},
	"executor/state":             {},
	"executor/supervise":         {"executor/engine", "schema", "schema/value"},
	"executor/ocispec":           {"schema", "schema/value"},
	"executor/ocispec/initproc":  {},
	"executor/ocispec/windows":   {"executor/ocispec", "schema", "schema/value"},
	"executor/image":             {"schema", "schema/value", "executor/state"},
	"executor/volume":            {"schema", "schema/value", "executor/state"},
	"executor/logs":              {"schema", "schema/value"},
	"executor/network/ipam":      {"schema/value", "executor/state"},
	"executor/network/dns":       {"schema/value"},
	"executor/network":           {"executor/network/...", "executor/engine", "executor/state", "schema", "schema/value"},
	"executor":                   {"planner", "executor/engine", "executor/supervise", "executor/state", "schema", "schema/value"},
	"executor/engine/native":     {"executor/engine", "executor/proc", "executor/ocispec", "executor/ocispec/initproc", "executor/image", "executor/volume", "executor/network", "executor/logs", "executor/state", "schema", "schema/value"},
	"executor/project":           {"executor", "executor/engine", "executor/logs", "executor/state", "planner", "schema", "schema/value"},
	"cmd/runfile":                {"..."},
	"cmd/runfile/internal/...":   {"..."},
	"conformance":                {},
	"conformance/...":            {},
}

// goTool skips a test where the source tree is not what is tested.
func goTool(t *testing.T) {
	t.Helper()
	if inGuest() {
		t.Skip("the host's run has looked at the source tree")
	}
}

type listed struct {
	ImportPath  string
	Dir         string
	Imports     []string
	GoFiles     []string
	TestGoFiles []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles,TestGoFiles", "./...")
	cmd.Dir = ".."
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p listed
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// match finds the entry of a list that covers a package: itself, or a parent written as parent/... .
func match(pkg string, names func(yield func(string) bool)) (string, bool) {
	found := ""
	for n := range names {
		parent, below := strings.CutSuffix(n, "...")
		if n == pkg || (below && strings.HasPrefix(pkg, parent)) {
			if len(n) > len(found) || n == pkg {
				found = n
			}
			if n == pkg {
				return n, true
			}
		}
	}
	return found, found != ""
}

func TestImportLadder(t *testing.T) {
	goTool(t)
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		rule, ok := match(name, func(yield func(string) bool) {
			for n := range ladder {
				if !yield(n) {
					return
				}
			}
		})
		if !ok {
			t.Errorf("package %s has no place in the ladder (conformance/layout_test.go, DESIGN.md 3)", name)
			continue
		}
		for _, imp := range p.Imports {
			ours, is := strings.CutPrefix(imp, module)
			if !is {
				continue
			}
			if _, ok := match(ours, func(yield func(string) bool) {
				for _, n := range ladder[rule] {
					if !yield(n) {
						return
					}
				}
			}); !ok {
				t.Errorf("%s imports %s, which the ladder does not allow", name, ours)
			}
		}
	}
}

// TestPackageComments: exactly one file of a package says what it is for.
func TestPackageComments(t *testing.T) {
	goTool(t)
	for _, p := range packages(t) {
		with := 0
		files := p.GoFiles
		if len(files) == 0 {
			files = p.TestGoFiles // conformance
		}
		for _, f := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, f), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if parsed.Doc != nil {
				with++
			}
		}
		if with != 1 {
			t.Errorf("package %s: %d files have a package comment, want 1", strings.TrimPrefix(p.ImportPath, module), with)
		}
	}
}

// TestSizes: no function over 80 lines and no file over 500, tests and tables of text included (style.md).
func TestSizes(t *testing.T) {
	goTool(t)
	for _, p := range packages(t) {
		files, _ := filepath.Glob(filepath.Join(p.Dir, "*.go"))
		for _, f := range files {
			checkSizes(t, f)
		}
	}
}

func checkSizes(t *testing.T, file string) {
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(src, []byte("\n")); n > 500 {
		t.Errorf("%s has %d lines, want at most 500", file, n)
	}
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range parsed.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if n := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line + 1; n > 80 {
			t.Errorf("%s: %s has %d lines, want at most 80", fset.Position(fn.Pos()), fn.Name.Name, n)
		}
	}
}

// TestOptionFolders: every option that is honoured has its proof, its error and its TOML twin; one that is not honoured
// yet shows its error and that it is refused. No folder is about an option that does not exist.
func TestOptionFolders(t *testing.T) {
	out, err := exec.Command(filepath.Join(binDir, "runfile"), "schema").Output()
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Definitions map[string]struct {
			Properties map[string]json.RawMessage `json:"properties"`
			NotYet     string                     `json:"x-not-yet"`
		} `json:"definitions"`
	}
	if err := json.Unmarshal(out, &schema); err != nil {
		t.Fatal(err)
	}
	options := schema.Definitions["container"].Properties
	if len(options) < 94 {
		t.Fatalf("the schema names %d options", len(options))
	}
	for name := range options {
		scripts := []string{"proof", "error", "toml"}
		if schema.Definitions["option-"+name].NotYet != "" {
			scripts = []string{"error", "refused"}
		}
		for _, script := range scripts {
			if _, err := os.Stat(filepath.Join("options", name, script+".txtar")); err != nil {
				t.Errorf("option %s has no %s script: %v", name, script, err)
			}
		}
	}
	folders, err := os.ReadDir("options")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if _, ok := options[f.Name()]; !ok {
			t.Errorf("folder options/%s: there is no such option in the table", f.Name())
		}
	}
}

// TestTopLevel: nothing at the top but what DESIGN.md 3 lists.
func TestTopLevel(t *testing.T) {
	goTool(t)
	cmd := exec.Command("git", "ls-tree", "--name-only", "HEAD")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Skip("not a git checkout")
	}
	const allowed = " .ci .gitignore .golangci.yml ARCHITECTURE.md LICENSE Makefile README.md cmd conformance docs examples executor go.mod go.sum manifest planner runfile.schema.json schema "
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		if !strings.Contains(allowed, " "+s.Text()+" ") {
			t.Errorf("%s does not belong to the top level", s.Text())
		}
	}
}
