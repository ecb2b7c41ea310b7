package volume

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func make1(t *testing.T, s *Store, name string) *Volume {
	t.Helper()
	v, err := s.Ensure(t.Context(), Spec{Name: name, Project: "p", Labels: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEnsure(t *testing.T) {
	s := Open(filepath.Join(t.TempDir(), "volumes"))
	v := make1(t, s, "p_data")
	for path, want := range map[string]os.FileMode{
		v.Path(): 0o755, filepath.Dir(v.Path()): 0o701, filepath.Join(filepath.Dir(v.Path()), metaFile): 0o600,
	} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want %v", path, info, err, want)
		}
	}
	if err := os.WriteFile(filepath.Join(v.Path(), "kept"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := Open(s.root).Ensure(t.Context(), Spec{Name: "p_data"})
	if err != nil || again.Path() != v.Path() || !again.Created.Equal(v.Created) || again.Labels["a"] != "b" || again.Driver != "local" {
		t.Errorf("got %+v, %v", again, err)
	}
	if _, err := os.Stat(filepath.Join(v.Path(), "kept")); err != nil {
		t.Error(err)
	}
	list, err := s.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Name != "p_data" {
		t.Errorf("list %v %v", list, err)
	}
}

func TestEnsureRefuses(t *testing.T) {
	s := Open(filepath.Join(t.TempDir(), "volumes"))
	for want, spec := range map[string]Spec{
		`driver "nfs" is not known`:           {Name: "x", Driver: "nfs"},
		"does not take options yet (o, type)": {Name: "x", Options: map[string]string{"type": "tmpfs", "o": "size=1m"}},
		`"../x" is not a volume's name`:       {Name: "../x"},
		`".hidden" is not a volume's name`:    {Name: ".hidden"},
		`"" is not a volume's name`:           {},
	} {
		if _, err := s.Ensure(t.Context(), spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", spec, err)
		}
	}
	if list, err := s.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("made %v, %v", list, err)
	}
}

// No name leads out of the store, whichever method it is given to.
func TestNamesStayInside(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(dir, refsDir)
	if err := os.Mkdir(outside, 0o700); err != nil {
		t.Fatal(err)
	}
	s := Open(filepath.Join(dir, "volumes"))
	make1(t, s, "v")
	for _, name := range []string{"..", ".", "", "v/..", "../..", "v/../..", "v\x00"} {
		_, getErr := s.Get(t.Context(), name)
		_, dropErr := s.DropRef(name, id)
		_, refsErr := s.Refs(name)
		for method, err := range map[string]error{
			"Get": getErr, "DropRef": dropErr, "Refs": refsErr,
			"Remove": s.Remove(t.Context(), name), "AddRef": s.AddRef(name, id), "AddRef id": s.AddRef("v", "../"+name),
		} {
			if err == nil || errors.Is(err, ErrNotFound) {
				t.Errorf("%s(%q) = %v", method, name, err)
			}
		}
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
}

func TestAnonymous(t *testing.T) {
	s := Open(filepath.Join(t.TempDir(), "volumes"))
	a, err := s.Ensure(t.Context(), Spec{Anonymous: true})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Ensure(t.Context(), Spec{Anonymous: true})
	if err != nil {
		t.Fatal(err)
	}
	if !isAnonymous(a.Name) || a.Name == b.Name || !a.Anonymous {
		t.Errorf("names %q %q", a.Name, b.Name)
	}
}

func TestRefs(t *testing.T) {
	s := Open(filepath.Join(t.TempDir(), "volumes"))
	v := make1(t, s, "v")
	if err := errors.Join(s.AddRef("v", "one"), s.AddRef("v", "one"), s.AddRef("v", "two")); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), "v"); !errors.Is(err, ErrInUse) {
		t.Errorf("Remove = %v", err)
	}
	if users, err := s.Refs("v"); err != nil || strings.Join(users, " ") != "one two" {
		t.Errorf("Refs = %v, %v", users, err)
	}
	for _, c := range []struct {
		id   string
		last bool
	}{{"one", false}, {"one", false}, {"two", true}} {
		if last, err := s.DropRef("v", c.id); err != nil || last != c.last {
			t.Errorf("DropRef %s = %v, %v", c.id, last, err)
		}
	}
	for range 2 {
		if err := s.Remove(t.Context(), "v"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(v.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
	if err := s.AddRef("v", "one"); !errors.Is(err, ErrNotFound) {
		t.Errorf("AddRef = %v", err)
	}
	if _, err := s.Get(t.Context(), "v"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get = %v", err)
	}
	if last, err := s.DropRef("v", "one"); err != nil || !last {
		t.Errorf("DropRef of nothing = %v, %v", last, err)
	}
	checkEmpty(t, s)
}

// A removal that was killed between its two steps must not leave a name that nobody can use.
func TestInterruptedRemoval(t *testing.T) {
	s := Open(filepath.Join(t.TempDir(), "volumes"))
	v := make1(t, s, "v")
	if err := os.WriteFile(filepath.Join(v.Path(), "old"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(filepath.Dir(v.Path()), refsDir)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "v"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get = %v", err)
	}
	v = make1(t, s, "v")
	if entries, err := os.ReadDir(v.Path()); err != nil || len(entries) != 0 {
		t.Errorf("the new volume holds %v, %v", entries, err)
	}
	if err := s.AddRef("v", "one"); err != nil {
		t.Error(err)
	}
}

func checkEmpty(t *testing.T, s *Store) {
	t.Helper()
	if left, err := os.ReadDir(s.root); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestLeftoversAreSwept(t *testing.T) {
	s := Open(filepath.Join(t.TempDir(), "volumes"))
	for _, name := range []string{gonePrefix + "x", newPrefix + "v"} {
		if err := os.MkdirAll(filepath.Join(s.root, name, dataDir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	make1(t, s, "v")
	if list, err := s.List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("List = %v, %v", list, err)
	}
	if err := s.Remove(t.Context(), "v"); err != nil {
		t.Error(err)
	}
	checkEmpty(t, s)
}

// What a volume holds is worth more than what is noted about it.
func TestDamagedMeta(t *testing.T) {
	s := Open(filepath.Join(t.TempDir(), "volumes"))
	v := make1(t, s, "v")
	if err := os.WriteFile(filepath.Join(filepath.Dir(v.Path()), metaFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := s.Ensure(t.Context(), Spec{Name: "v"})
		if err != nil || got.Path() != v.Path() || got.Name != "v" {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
}

// Of many that make, use and drop a volume at the same time, nobody uses one that is gone.
func TestConcurrentUse(t *testing.T) {
	root := filepath.Join(t.TempDir(), "volumes")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s := Open(root)
			user := "container" + string(rune('a'+i))
			for range 50 {
				if err := use(t.Context(), s, user); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	s := Open(root)
	if err := s.Remove(t.Context(), "v"); err != nil {
		t.Error(err)
	}
	checkEmpty(t, s)
}

func use(ctx context.Context, s *Store, user string) error {
	for {
		v, err := s.Ensure(ctx, Spec{Name: "v"})
		if err != nil {
			return err
		}
		if err := s.AddRef("v", user); errors.Is(err, ErrNotFound) {
			continue // removed by another one in between: make it again
		} else if err != nil {
			return err
		}
		if _, err := os.Stat(v.Path()); err != nil {
			return err
		}
		last, err := s.DropRef("v", user)
		if err == nil && last {
			if err = s.Remove(ctx, "v"); errors.Is(err, ErrInUse) {
				err = nil
			}
		}
		return err
	}
}
