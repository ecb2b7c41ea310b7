package state_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/runfile/runfile/executor/state"
)

func TestPathsFollowRoot(t *testing.T) {
	t.Setenv(state.RootVariable, "/x")
	p := state.DefaultPaths()
	for got, want := range map[string]string{
		p.Root: "/x/lib", p.Run: "/x/run", p.Net(): "/x/run/net", p.Images(): "/x/lib/images",
		p.Project("a"): "/x/lib/projects/a", p.ProjectRun("a"): "/x/run/projects/a",
		p.Container("a", "id"): "/x/lib/projects/a/containers/id",
		p.Layers():             "/x/lib/layers", p.Volumes(): "/x/lib/volumes",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	t.Setenv(state.RootVariable, "rel")
	if p := state.DefaultPaths(); !filepath.IsAbs(p.Root) {
		t.Errorf("Root = %s, want an absolute path", p.Root)
	}
	t.Setenv(state.RootVariable, "")
	if p := state.DefaultPaths(); p.Root != "/var/lib/runfile" || p.Run != "/run/runfile" {
		t.Errorf("defaults = %+v", p)
	}
}

type note struct{ Text string }

func TestJSONRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "er", "note.json")
	if _, err := state.ReadJSON[note](path); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("missing file: %v", err)
	}
	for _, text := range []string{"first", "second"} {
		if err := state.WriteJSON(path, note{text}); err != nil {
			t.Fatal(err)
		}
		if got, err := state.ReadJSON[note](path); err != nil || got.Text != text {
			t.Fatalf("got %v, %v", got, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v", info.Mode(), err)
	}
	if dir, err := os.Stat(filepath.Dir(path)); err != nil || dir.Mode().Perm() != 0o700 {
		t.Errorf("directory mode = %v, %v", dir.Mode(), err)
	}
}

func TestUpdateJSON(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	path := filepath.Join(dir, "note.json")
	for _, text := range []string{"first", strings.Repeat("long", 5000), "short", "", "last"} {
		if err := state.UpdateJSON(path, note{text}); err != nil {
			t.Fatal(err)
		}
		if got, err := state.ReadJSON[note](path); err != nil || got.Text != text {
			t.Fatalf("wrote %.20q, read %.20q, %v", text, got.Text, err)
		}
	}
	// What a killed writer leaves in the spare does no harm.
	if err := os.WriteFile(path+"~", []byte(strings.Repeat("{", 9999)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := state.UpdateJSON(path, note{"after"}); err != nil {
		t.Fatal(err)
	}
	if got, err := state.ReadJSON[note](path); err != nil || got.Text != "after" {
		t.Errorf("read %q, %v", got.Text, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("files: %v", entries)
	}
	if err := state.UpdateJSON(path, func() {}); err == nil {
		t.Error("a function was encoded")
	}
}

func TestReadJSONSetsDamagedFileAside(t *testing.T) {
	for _, content := range []string{"", "{\"Text\":\"ha", "[]"} {
		path := filepath.Join(t.TempDir(), "note.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := state.ReadJSON[note](path); !errors.Is(err, state.ErrCorrupt) {
			t.Fatalf("%q: %v, want ErrCorrupt", content, err)
		}
		if _, err := state.ReadJSON[note](path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%q: second read: %v, want the file gone", content, err)
		}
		kept, err := os.ReadFile(path + ".corrupt")
		if err != nil || string(kept) != content {
			t.Errorf("%q: kept %q, %v", content, kept, err)
		}
	}
}

func TestWriteJSONFailureLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := state.WriteJSON(filepath.Join(dir, "a.json"), func() {}); err == nil {
		t.Error("a function was encoded")
	}
	// A directory in the way makes the rename fail after the temporary file is complete.
	target := filepath.Join(dir, "b.json")
	if err := os.MkdirAll(filepath.Join(target, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := state.WriteJSON(target, note{}); err == nil {
		t.Error("a directory was replaced")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestConcurrentWritersNeverTear(t *testing.T) {
	path := filepath.Join(t.TempDir(), "note.json")
	var wg sync.WaitGroup
	for _, text := range []string{strings.Repeat("a", 100), strings.Repeat("b", 9000)} {
		wg.Go(func() {
			for range 100 {
				if err := state.WriteJSON(path, note{text}); err != nil {
					t.Error(err)
				}
				if got, err := state.ReadJSON[note](path); err != nil || len(got.Text) != 100 && len(got.Text) != 9000 {
					t.Errorf("read %d bytes, %v", len(got.Text), err)
				}
			}
		})
	}
	wg.Wait()
}

func TestLockExcludes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "lock")
	held, err := state.TryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := state.TryLock(path); !errors.Is(err, state.ErrLocked) {
		t.Fatalf("second lock: %v, want ErrLocked", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if _, err := state.Lock(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("waiting lock: %v, want the deadline", err)
	}
	got := make(chan error, 1)
	go func() {
		l, err := state.Lock(t.Context(), path)
		l.Unlock()
		got <- err
	}()
	held.Unlock()
	held.Unlock() // harmless
	if err := <-got; err != nil {
		t.Fatalf("lock after unlock: %v", err)
	}
}

func TestNewID(t *testing.T) {
	a, b := state.NewID(), state.NewID()
	if form := regexp.MustCompile(`^[0-9a-f]{64}$`); !form.MatchString(a) || !form.MatchString(b) || a == b {
		t.Errorf("ids %s, %s", a, b)
	}
}
