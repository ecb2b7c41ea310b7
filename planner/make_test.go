package planner_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
)

var update = flag.Bool("update", false, "rewrite the expected plans in testdata")

// load reads a manifest given as text; the project is called "p".
func load(t *testing.T, text string) *schema.Project {
	t.Helper()
	doc, diags := manifest.Load(manifest.Options{
		Files: []string{"-"}, Stdin: strings.NewReader(text), Dir: t.TempDir(), ProjectName: "p",
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	p, more := schema.Decode(doc)
	if diags = append(diags, more...); diags.HasErrors() {
		t.Fatalf("%v", diags)
	}
	return p
}

// observe describes containers as if the project had been brought up before.
func observe(p *schema.Project, running ...string) []planner.Observed {
	var out []planner.Observed
	for _, key := range running {
		c := p.Container(key)
		out = append(out, planner.Observed{
			Key: key, ID: strings.Repeat("0", 63) + "1", Running: c.IsService(), Service: c.IsService(), Config: schema.Canonical(c),
		})
	}
	return out
}

// TestPlans compares plans with the text behind the `---` line of each file in testdata. A first line `# names: a b`,
// `# profiles: x`, `# observed: a b` or `# force` sets the options.
func TestPlans(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no plans: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(content), "---\n")
			p := load(t, input)
			plan, diags := planner.Make(p, options(p, input))
			got := new(bytes.Buffer)
			if plan != nil {
				err = plan.WriteText(got)
			} else {
				err = diag.WriteText(got, diags, diag.Sources{"-": []byte(input)}, diag.TextOptions{})
			}
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(file, []byte(input+"---\n"+got.String()), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got.String() != want {
				t.Errorf("plan is\n%s\nwant\n%s\n(-update rewrites %s)", got, want, file)
			}
		})
	}
}

func options(p *schema.Project, input string) planner.Options {
	var o planner.Options
	for line := range strings.Lines(input) {
		key, words, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "#")), ":")
		if !strings.HasPrefix(line, "#") {
			break
		}
		switch key {
		case "names":
			o.Names = strings.Fields(words)
		case "profiles":
			o.Profiles = strings.Fields(words)
		case "observed":
			o.Observed = observe(p, strings.Fields(words)...)
		case "force":
			o.ForceRecreate = true
		}
	}
	return o
}

func TestChangedKeysAreNamed(t *testing.T) {
	old := load(t, "containers: {web: {image: busybox, detach: true, memory: 64m, env: [A=1]}}")
	now := load(t, "containers: {web: {image: busybox, detach: true, memory: 128m, env: [A=2], user: alice}}")
	plan, diags := planner.Make(now, planner.Options{Observed: observe(old, "web")})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if got, want := plan.Steps[1].Reason, "env, memory, user changed"; got != want || plan.Steps[1].Kind != planner.Remove {
		t.Errorf("step %+v, want a remove because %q", plan.Steps[1], want)
	}
}

func TestOrphansAreRemoved(t *testing.T) {
	old := load(t, "containers: {web: {image: busybox, detach: true}, gone: {image: busybox, detach: true}}")
	now := load(t, "containers: {web: {image: busybox, detach: true}}")
	for _, tt := range []struct {
		name string
		o    planner.Options
		want int
	}{
		{"whole file", planner.Options{Observed: observe(old, "web", "gone")}, 1},
		{"one name", planner.Options{Observed: observe(old, "web", "gone"), Names: []string{"web"}}, 0},
		{"run", planner.Options{Observed: observe(old, "web", "gone"), KeepOthers: true}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan, _ := planner.Make(now, tt.o)
			removed := 0
			for _, s := range plan.Steps {
				if s.Kind == planner.Remove && s.Object == "gone" {
					removed++
				}
			}
			if removed != tt.want {
				t.Errorf("%d removals of the orphan, want %d", removed, tt.want)
			}
		})
	}
}

// TestPictures: DOT and Mermaid name every container and edge.
func TestPictures(t *testing.T) {
	p := load(t, "containers: {db: {image: busybox, detach: true}, 'a.b': {image: busybox, depends-on: [db]}}")
	plan, diags := planner.Make(p, planner.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var dot, mermaid bytes.Buffer
	if err := plan.WriteDOT(&dot); err != nil {
		t.Fatal(err)
	}
	if err := plan.WriteMermaid(&mermaid); err != nil {
		t.Fatal(err)
	}
	for text, wants := range map[string][]string{
		dot.String():     {"digraph \"p\"", "\"db\" [shape=box]", "\"db\" -> \"a.b\" [label=\"depends-on: started\"]"},
		mermaid.String(): {"flowchart LR", "c0[\"db\"]", "c1([\"a.b\"])", "c0 -->|depends-on: started| c1"},
	} {
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing in\n%s", want, text)
			}
		}
	}
}

// TestOrderIsStable: the same project plans to the same bytes every time.
func TestOrderIsStable(t *testing.T) {
	text := "containers:\n"
	for _, c := range "zyxwvutsrq" {
		text += "  c" + string(c) + ": {image: busybox, network: [n1, n2], volume: ['vol:/v']}\n"
	}
	var first string
	for i := range 20 {
		plan, _ := planner.Make(load(t, text), planner.Options{})
		var b bytes.Buffer
		if err := plan.WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = b.String()
		} else if b.String() != first {
			t.Fatal("the plan differs between runs")
		}
	}
}
