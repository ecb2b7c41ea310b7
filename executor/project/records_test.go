package project

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/schema"
)

func TestClaim(t *testing.T) {
	paths := state.Paths{Root: t.TempDir(), Run: t.TempDir()}
	here := &schema.Project{Name: "p", Dir: "/here", Files: []string{"runfile.yaml"}}
	there := &schema.Project{Name: "p", Dir: "/there", Files: []string{"runfile.yaml"}}
	fromFlags := &schema.Project{Name: "p", Dir: "/elsewhere"}
	owner := func() string {
		dir, err := ownerDir(paths, "p")
		if err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for _, step := range []struct {
		name      string
		p         *schema.Project
		populated bool
		want      string // owner afterwards
		refused   bool
	}{
		{"a run without a manifest claims nothing", fromFlags, false, "", false},
		{"the first manifest owns the name", here, false, "/here", false},
		{"and may come again", here, true, "/here", false},
		{"another directory is refused", there, true, "/here", true},
		{"but not a run without a manifest", fromFlags, true, "/here", false},
		{"an empty project changes hands", there, false, "/there", false},
	} {
		err := claim(paths, "p", step.p, step.populated)
		if errors.Is(err, ErrOtherDirectory) != step.refused || owner() != step.want {
			t.Errorf("%s: %v, owner %q", step.name, err, owner())
		}
		if step.refused && (!strings.Contains(err.Error(), "/here") || !strings.Contains(err.Error(), "/there")) {
			t.Errorf("the refusal must show both directories: %v", err)
		}
	}
	if err := release(paths, "p"); err != nil || owner() != "" {
		t.Errorf("release: %v, owner %q", err, owner())
	}
	if _, err := os.Stat(paths.Project("p")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the project's directory is left: %v", err)
	}
}

func TestClaimSurvivesADamagedIdentity(t *testing.T) {
	paths := state.Paths{Root: t.TempDir()}
	if err := os.MkdirAll(paths.Project("p"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(identityPath(paths, "p"), []byte("{half"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &schema.Project{Name: "p", Dir: "/here", Files: []string{"runfile.yaml"}}
	if err := claim(paths, "p", p, true); err != nil {
		t.Fatal(err)
	}
	if dir, err := ownerDir(paths, "p"); dir != "/here" || err != nil {
		t.Errorf("owner %q, %v", dir, err)
	}
}

func TestProjects(t *testing.T) {
	paths := state.Paths{Root: t.TempDir()}
	if got, err := Projects(paths); err != nil || len(got) != 0 {
		t.Errorf("nothing there: %v, %v", got, err)
	}
	for _, dir := range []string{paths.Container("web", "1"), paths.Container("api", "2"), paths.Containers("empty"), paths.Container("bad name", "3")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(paths.Projects(), "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Projects(paths)
	if want := []string{"api", "web"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestNamesStayInside(t *testing.T) {
	paths := state.Paths{Root: t.TempDir(), Run: t.TempDir()}
	for _, name := range []string{"", ".", "..", "../x", "a/b", "a\x00b", "-x", strings.Repeat("a", 129), "a\nb"} {
		if _, err := Records(paths, name); err == nil {
			t.Errorf("Records took %q for a name", name)
		}
		if _, err := Connect(t.Context(), paths, name, false); err == nil || errors.Is(err, ErrNoSupervisor) {
			t.Errorf("Connect took %q for a name", name)
		}
		if err := Serve(t.Context(), ServeConfig{Paths: paths, Project: name}); err == nil {
			t.Errorf("Serve took %q for a name", name)
		}
	}
}

func TestChoose(t *testing.T) {
	records := []executor.Record{{ID: "aaa1", Key: "web", Name: "shop-web"}, {ID: "aaa2", Key: "db"}, {ID: "bbb3", Key: "aaa"}}
	for ref, want := range map[string]string{"web": "aaa1", "shop-web": "aaa1", "aaa2": "aaa2", "b": "bbb3", "aaa": "bbb3"} {
		got, err := choose(records, []string{ref, ref})
		if err != nil || len(got) != 1 || got[0].ID != want {
			t.Errorf("%q: %v, %v; want %s once", ref, got, err, want)
		}
	}
	for _, ref := range []string{"aa", "x", ""} {
		if got, err := choose(records, []string{ref}); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v, %v; want not found", ref, got, err)
		}
	}
	if got, err := choose(records, nil); err != nil || len(got) != 3 {
		t.Errorf("no reference: %v, %v; want all", got, err)
	}
}
