package image

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runfile/runfile/executor/state"
)

// stored returns a store with app:1, app:2 (the same image) and other:1, which share a layer.
func stored(t *testing.T) (s *Store, names []string) {
	t.Helper()
	f := newFakeRegistry(t)
	base := layerTar(t, file{name: "base", content: "base"})
	app := f.image("linux/amd64", "", base, layerTar(t, file{name: "a", content: "a"}))
	names = []string{
		f.push("app:1", app), f.push("app:2", app),
		f.push("other:1", f.image("linux/amd64", "", base, layerTar(t, file{name: "b", content: "b"}))),
	}
	s = newStore(t)
	for _, name := range names {
		if _, err := pull(t, s, name, ""); err != nil {
			t.Fatal(err)
		}
	}
	return s, names
}

// kept counts blobs and layers.
func kept(t *testing.T, s *Store) (blobs, layers int) {
	t.Helper()
	b, err := filepath.Glob(filepath.Join(s.images, v1.ImageBlobsDir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := filepath.Glob(filepath.Join(s.layers, "*", layerFile))
	if err != nil {
		t.Fatal(err)
	}
	return len(b), len(l)
}

func TestListAndGet(t *testing.T) {
	s, names := stored(t)
	list, err := s.List(t.Context())
	if err != nil || len(list) != 2 || !slices.Equal(list[0].Names, names[:2]) || list[1].Name != names[2] {
		t.Fatalf("got %+v, %v", list, err)
	}
	id := strings.TrimPrefix(list[0].ID, "sha256:")
	for _, query := range []string{names[0], names[1], list[0].ID, id, id[:12], "sha256:" + id[:6], list[0].Manifest} {
		if img, err := s.Get(t.Context(), query); err != nil || img.ID != list[0].ID || len(img.Layers) != 2 {
			t.Errorf("%s: %+v, %v", query, img, err)
		}
	}
	for _, query := range []string{"", "nope", "sha256:", "sha256:zz", strings.Repeat("0", 64), strings.Repeat("0", 65), "../x"} {
		if _, err := s.Get(t.Context(), query); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v", query, err)
		}
	}
	// An id is as good as a name where an image is asked for, and is never pulled.
	for _, query := range []string{id[:12], list[0].ID} {
		if img, err := pull(t, again(s), query, ""); err != nil || img.ID != list[0].ID {
			t.Errorf("%s: %+v, %v", query, img, err)
		}
	}
	if _, err := pull(t, s, "sha256:"+strings.Repeat("0", 64), ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown id: %v", err)
	}
}

func TestRemove(t *testing.T) {
	s, names := stored(t)
	check := func(wantBlobs, wantLayers int) {
		t.Helper()
		if blobs, layers := kept(t, s); blobs != wantBlobs || layers != wantLayers {
			t.Errorf("%d blobs, %d layers; want %d, %d", blobs, layers, wantBlobs, wantLayers)
		}
	}
	check(7, 3)
	if err := s.Remove(t.Context(), names[0]); err != nil {
		t.Fatal(err)
	}
	check(7, 3) // it has another name
	if err := s.Remove(t.Context(), names[1]); err != nil {
		t.Fatal(err)
	}
	check(4, 2)
	if _, err := s.Get(t.Context(), names[0]); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get = %v", err)
	}
	if err := s.Remove(t.Context(), names[0]); !errors.Is(err, ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	img, err := s.Get(t.Context(), names[2])
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), img.ID[:20]); err != nil {
		t.Fatal(err)
	}
	check(0, 0)
}

func TestTag(t *testing.T) {
	s, names := stored(t)
	other, err := s.Get(t.Context(), names[2])
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{names[0], other.ID[:20]} { // the second time the name moves
		if err := s.Tag(t.Context(), from, "mine"); err != nil {
			t.Fatal(err)
		}
		want, err := s.Get(t.Context(), from)
		if err != nil {
			t.Fatal(err)
		}
		img, err := pull(t, again(s), "mine", "never")
		if err != nil || img.ID != want.ID || img.Name != "docker.io/library/mine:latest" {
			t.Errorf("%s: %+v, %v", from, img, err)
		}
	}
	if err := s.Tag(t.Context(), "nope", "mine"); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown image: %v", err)
	}
	if err := s.Tag(t.Context(), names[0], "Not A Name"); err == nil {
		t.Error("a bad name is accepted")
	}
}

func TestRemoveByIDTakesAllNames(t *testing.T) {
	s, names := stored(t)
	img, err := s.Get(t.Context(), names[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), img.ID); err != nil {
		t.Fatal(err)
	}
	if list, err := s.List(t.Context()); err != nil || len(list) != 1 || list[0].Name != names[2] {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestImageInUse(t *testing.T) {
	s, names := stored(t)
	img, err := pull(t, s, names[2], "never")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AddRef(t.Context(), "container", img); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"../x", "", ".", "a/b"} {
		if s.AddRef(t.Context(), id, img) == nil || s.DropRef(id) == nil {
			t.Errorf("%q is taken for an id", id)
		}
	}
	if err := s.Remove(t.Context(), names[2]); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "container") {
		t.Errorf("Remove = %v", err)
	}
	// The name may come to stand for another image; the container keeps its files.
	if _, err := s.updateIndex(t.Context(), func([]v1.Descriptor) []v1.Descriptor { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if blobs, layers := kept(t, s); blobs != 4 || layers != 2 {
		t.Errorf("%d blobs, %d layers", blobs, layers)
	}
	if err := errors.Join(s.DropRef("container"), s.DropRef("container"), s.Prune(t.Context())); err != nil {
		t.Fatal(err)
	}
	if blobs, layers := kept(t, s); blobs != 0 || layers != 0 {
		t.Errorf("%d blobs, %d layers", blobs, layers)
	}
	if err := s.AddRef(t.Context(), "late", img); !errors.Is(err, ErrNotFound) {
		t.Errorf("AddRef of a removed image = %v", err)
	}
}

func TestPruneTakesWhatWasLeft(t *testing.T) {
	s, names := stored(t)
	for _, path := range []string{
		filepath.Join(s.layers, tmpPrefix+"x", "fs", "f"), filepath.Join(s.layers, strings.Repeat("a", 64), layerFile),
		filepath.Join(s.images, "ingest", "x", "data"), filepath.Join(s.images, tmpDir, "x"),
		filepath.Join(s.images, v1.ImageBlobsDir, "sha256", strings.Repeat("b", 64)),
	} {
		writeFile(t, path, []byte("x"))
	}
	if err := s.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if blobs, layers := kept(t, s); blobs != 7 || layers != 3 {
		t.Errorf("%d blobs, %d layers", blobs, layers)
	}
	for _, pattern := range []string{tmpPrefix + "*", "../images/ingest/*", "../images/tmp/*"} {
		if left, _ := filepath.Glob(filepath.Join(s.layers, pattern)); len(left) != 0 {
			t.Errorf("left %v", left)
		}
	}
	for _, name := range names {
		if _, err := pull(t, s, name, "never"); err != nil {
			t.Error(err)
		}
	}
	if err := Open(filepath.Join(t.TempDir(), "none"), "").Prune(t.Context()); err != nil {
		t.Errorf("a store that does not exist: %v", err)
	}
}

// Prune must not take what a pull in progress has fetched and not named yet.
func TestPruneWaitsForPulls(t *testing.T) {
	s, names := stored(t)
	pulling, err := lockShared(t.Context(), s.lockPath("gc"))
	if err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(s.images, v1.ImageBlobsDir, "sha256", strings.Repeat("b", 64))
	writeFile(t, fresh, []byte("x"))
	if err := s.Remove(t.Context(), names[2]); err != nil {
		t.Errorf("Remove = %v", err)
	}
	pruned := make(chan error)
	go func() { pruned <- s.Prune(t.Context()) }()
	if _, err := os.Stat(fresh); err != nil {
		t.Error(err)
	}
	pulling.Unlock()
	if err := <-pruned; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(fresh); err == nil {
		t.Error("nothing was deleted")
	}
}

func TestDamagedIndex(t *testing.T) {
	s, names := stored(t)
	writeFile(t, s.indexPath(), []byte(`{"manifests":[`))
	o := again(s)
	if err := o.Prune(t.Context()); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("Prune = %v", err)
	}
	if blobs, layers := kept(t, s); blobs != 7 || layers != 3 {
		t.Errorf("%d blobs, %d layers are left", blobs, layers)
	}
	if _, err := pull(t, o, names[0], ""); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.indexPath() + ".corrupt"); err != nil {
		t.Error(err)
	}
	if _, err := state.ReadJSON[v1.Index](s.indexPath()); err != nil {
		t.Error(err)
	}
}

// The store holds what will be run as root: nobody else may be able to write to it.
func TestStoreOfOthersIsRefused(t *testing.T) {
	s := newStore(t)
	if err := os.MkdirAll(s.images, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.images, 0o777); err != nil {
		t.Fatal(err)
	}
	_, err := pull(t, s, "127.0.0.1:1/x", "")
	if err == nil || !strings.Contains(err.Error(), "only its owner") {
		t.Errorf("got %v", err)
	}
}

func BenchmarkEnsurePresent(b *testing.B) {
	path := filepath.Join(b.TempDir(), "a.tar")
	var layers [][]byte
	for i := range 10 {
		layers = append(layers, layerTar(b, file{name: string(rune('a' + i)), content: "x"}))
	}
	writeFile(b, path, dockerArchive(b, dockerImage{nil, fullConfig, layers}))
	s := newStore(b)
	r := ref(b, "docker-archive:"+path)
	if _, err := s.Ensure(b.Context(), r, PullOptions{}, nil); err != nil {
		b.Fatal(err)
	}
	b.Run("same process", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Ensure(b.Context(), r, PullOptions{}, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("new process", func(b *testing.B) {
		for b.Loop() {
			if _, err := again(s).Ensure(b.Context(), r, PullOptions{}, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
