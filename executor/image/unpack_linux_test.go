package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"
)

func needRoot(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root to make overlayfs's marks")
	}
}

// hostile layers: each tries to write to the directory outside, which lies beside the layer's root.
func hostileLayers(outside string) map[string][]file {
	up := strings.Repeat("../", 20)
	return map[string][]file{
		"dots":              {{name: up + outside + "/f", content: "x"}},
		"dots inside":       {{name: "a/../../../outside/f", content: "x"}},
		"absolute":          {{name: outside + "/f", content: "x"}},
		"through a link":    {{name: "l", kind: tar.TypeSymlink, link: outside}, {name: "l/f", content: "x"}},
		"through dots link": {{name: "l", kind: tar.TypeSymlink, link: up + outside}, {name: "l/f", content: "x"}},
		"through two links": {
			{name: "a", kind: tar.TypeSymlink, link: "b"}, {name: "b", kind: tar.TypeSymlink, link: outside}, {name: "a/f", content: "x"},
		},
		"over a link":       {{name: "l", kind: tar.TypeSymlink, link: outside + "/secret"}, {name: "l", content: "x"}},
		"hard link to":      {{name: "h", kind: tar.TypeLink, link: outside + "/secret"}, {name: "h", content: "x"}},
		"hard link up":      {{name: "h", kind: tar.TypeLink, link: up + outside + "/secret"}, {name: "h", content: "x"}},
		"hard link by link": {{name: "l", kind: tar.TypeSymlink, link: outside}, {name: "h", kind: tar.TypeLink, link: "l/secret"}, {name: "h", content: "x"}},
		"mode of a link":    {{name: "l", kind: tar.TypeSymlink, link: outside, mode: 0o777}, {name: "l/", mode: 0o777}},
		"whiteout":          {{name: up + outside + "/.wh.secret"}},
		"whiteout by link":  {{name: "l", kind: tar.TypeSymlink, link: outside}, {name: "l/.wh.secret"}},
		"whiteout of dots":  {{name: "d/"}, {name: "d/.wh..."}, {name: "d/.wh.."}},
		"opaque by link":    {{name: "l", kind: tar.TypeSymlink, link: outside}, {name: "l/.wh..wh..opq"}},
		"link after mark": {
			{name: "d/"}, {name: "d/.wh.secret"}, {name: "d", kind: tar.TypeSymlink, link: outside},
		},
		"dir after mark": {
			{name: "d/"}, {name: "d/.wh.sub"}, {name: "d/sub/"}, {name: "d", kind: tar.TypeSymlink, link: outside},
		},
		"attribute": {{name: "l", kind: tar.TypeSymlink, link: outside}, {name: "l", kind: tar.TypeDir, pax: map[string]string{"SCHILY.xattr.user.x": "y"}}},
		"device":    {{name: "l", kind: tar.TypeSymlink, link: outside}, {name: "l/dev", kind: tar.TypeChar}},
		"fifo":      {{name: "l", kind: tar.TypeSymlink, link: outside}, {name: "l/fifo", kind: tar.TypeFifo}},
	}
}

// state of a tree: everything that a layer could change.
func snapshot(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		attrs := make([]byte, 1000)
		n, _ := unix.Llistxattr(path, attrs)
		data, _ := os.ReadFile(path)
		fmt.Fprintf(&b, "%s %o %d:%d links %d %v %q %q\n", path, st.Mode, st.Uid, st.Gid, st.Nlink, st.Ctim, attrs[:max(n, 0)], data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestLayersStayInside(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	outside := filepath.Join(dir, "outside")
	for name, files := range hostileLayers(outside) {
		t.Run(name, func(t *testing.T) {
			if err := errors.Join(os.RemoveAll(outside), os.MkdirAll(filepath.Join(outside, "sub"), 0o755)); err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(outside, "secret"), []byte("secret"))
			before := snapshot(t, outside)
			root := filepath.Join(dir, "root")
			if err := errors.Join(os.RemoveAll(root), os.Mkdir(root, 0o755)); err != nil {
				t.Fatal(err)
			}
			layer := layerTar(t, files...)
			// Refusing is as good as staying inside.
			_, err := applyLayer(t.Context(), root, bytes.NewReader(layer), digest.FromBytes(layer), nil, 1<<30)
			t.Logf("error: %v", err)
			if after := snapshot(t, outside); after != before {
				t.Errorf("changed:\n%swas:\n%s", after, before)
			}
		})
	}
}

// sparseBomb is an archive of one kilobyte with a file of 8 GiB, all hole, in the old GNU format.
func sparseBomb() []byte {
	b := make([]byte, 3*512)
	put := func(at int, text string) { copy(b[at:], text) }
	put(0, "bomb")
	put(100, "0000644\x000000000\x000000000\x0000000000000\x0000000000000\x00        S")
	put(257, "ustar  \x00")
	put(386, "77777777777\x0000000000000\x00") // one piece: at the end, nothing
	put(483, "77777777777\x00")                // the size it claims
	sum := 0
	for _, c := range b[:512] {
		sum += int(c)
	}
	put(148, fmt.Sprintf("%06o\x00 ", sum))
	return b
}

// A sparse file of a few bytes can claim any size; it must not fill the disk before it is refused.
func TestLayerThatClaimsTooMuch(t *testing.T) {
	needRoot(t)
	for name, layer := range map[string][]byte{
		"one":      layerTar(t, file{name: "a", content: strings.Repeat("x", 1001)}),
		"together": layerTar(t, file{name: "a", content: strings.Repeat("x", 600)}, file{name: "b", content: strings.Repeat("x", 600)}),
		"sparse":   sparseBomb(),
	} {
		root := t.TempDir()
		_, err := applyLayer(t.Context(), root, bytes.NewReader(layer), digest.FromBytes(layer), nil, 1000)
		if err == nil || !strings.Contains(err.Error(), "need more than the 1kB that are free") {
			t.Errorf("%s: %v", name, err)
		}
	}
	layer := layerTar(t, file{name: "a", content: strings.Repeat("x", 1000)})
	if _, err := applyLayer(t.Context(), t.TempDir(), bytes.NewReader(layer), digest.FromBytes(layer), nil, 1000); err != nil {
		t.Error(err)
	}
}

// FuzzLayer unpacks whatever it is given; the directory beside must not change.
func FuzzLayer(f *testing.F) {
	needRoot(f)
	for _, files := range hostileLayers("/outside") {
		f.Add(layerTar(f, files...))
	}
	f.Fuzz(func(t *testing.T, layer []byte) {
		if len(layer) > 1<<20 {
			return
		}
		dir := t.TempDir()
		root, outside := filepath.Join(dir, "root"), filepath.Join(dir, "outside")
		if err := errors.Join(os.Mkdir(root, 0o755), os.Mkdir(outside, 0o755)); err != nil {
			t.Fatal(err)
		}
		before := snapshot(t, outside)
		_, _ = applyLayer(t.Context(), root, bytes.NewReader(layer), digest.FromBytes(layer), nil, 1<<20)
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 2 || snapshot(t, outside) != before {
			t.Errorf("%v, %v", entries, err)
		}
	})
}

// What overlayfs shows of the layers is what the image means.
func TestOverlayShowsImage(t *testing.T) {
	needRoot(t)
	lower := layerTar(t,
		file{name: "keep", content: "k"}, file{name: "gone", content: "g"}, file{name: "goneDir/"}, file{name: "goneDir/x", content: "x"},
		file{name: "opaque/"}, file{name: "opaque/old", content: "o"}, file{name: "anew/"}, file{name: "anew/old", content: "o"},
		file{name: "anewLate/"}, file{name: "anewLate/old", content: "o"}, file{name: "file", content: "dir below"},
		file{name: "setuid", content: "s", mode: 0o4755, uid: 1000}, file{name: "etc/", mode: 0o700}, file{name: "etc/x", content: "x"})
	upper := layerTar(t,
		file{name: ".wh.gone"}, file{name: ".wh.goneDir"}, file{name: "opaque/new", content: "n"}, file{name: "opaque/.wh..wh..opq"},
		file{name: ".wh.anew"}, file{name: "anew/"}, file{name: "anew/new", content: "n"},
		file{name: "anewLate/"}, file{name: "anewLate/new", content: "n"}, file{name: ".wh.anewLate"},
		file{name: ".wh.file"}, file{name: "file/"}, file{name: "file/x", content: "x"},
		file{name: ".wh..wh.plnk/"}, file{name: ".wh..wh.aufs"}, file{name: "etc/y", content: "y"})
	path := filepath.Join(t.TempDir(), "a.tar")
	writeFile(t, path, dockerArchive(t, dockerImage{nil, "", [][]byte{lower, upper}}))
	img := ensure(t, newStore(t), "docker-archive:"+path)

	merged := t.TempDir()
	data := "lowerdir=" + img.Layers[1] + ":" + img.Layers[0]
	if err := unix.Mount("overlay", merged, "overlay", unix.MS_RDONLY, data); err != nil {
		t.Skipf("overlayfs cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(merged, unix.MNT_DETACH) })
	want := []string{
		"anew drwxr-xr-x", "anew/new -rw-r--r-- n", "anewLate drwxr-xr-x", "anewLate/new -rw-r--r-- n",
		"etc drwx------", "etc/x -rw-r--r-- x", "etc/y -rw-r--r-- y", "file drwxr-xr-x", "file/x -rw-r--r-- x",
		"keep -rw-r--r-- k", "opaque drwxr-xr-x", "opaque/new -rw-r--r-- n", "setuid urwxr-xr-x s",
	}
	if got := tree(t, merged); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	info, err := os.Stat(merged)
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("root directory: %v, %v", info, err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Uid != 0 {
		t.Errorf("root directory: %+v", st)
	}
}

// A process killed while it unpacks leaves no layer, and the next one finishes the work.
func TestUnpackAfterKill(t *testing.T) {
	needRoot(t)
	path := filepath.Join(t.TempDir(), "a.tar")
	var files []file
	for i := range 3000 {
		files = append(files, file{name: fmt.Sprintf("dir%d/file%d", i%50, i), content: strings.Repeat("x", 2000)})
	}
	writeFile(t, path, dockerArchive(t, dockerImage{nil, "", [][]byte{layerTar(t, file{name: "low", content: "low"}), layerTar(t, files...)}}))
	s := newStore(t)
	killed := 0
	for _, point := range []string{"dir0/file0", "dir7/file1007", "dir49/file2999"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestHelperEnsure$")
		cmd.Env = append(os.Environ(), "IMAGE_TEST_STORE="+s.images, "IMAGE_TEST_LAYERS="+s.layers, "IMAGE_TEST_REF=docker-archive:"+path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			_ = cmd.Wait()
			close(ended)
		}()
		if waitFor(ended, filepath.Join(s.layers, tmpPrefix+"*", "fs", point)) {
			killed++
		}
		_ = cmd.Process.Kill()
		<-ended
		for _, layer := range glob(t, filepath.Join(s.layers, "*", "fs")) {
			if n := len(tree(t, layer)); n != 1 && n != 3050 {
				t.Errorf("half a layer: %d files in %s", n, layer)
			}
		}
	}
	if killed == 0 {
		t.Error("no process was killed while it unpacked")
	}
	img := ensure(t, s, "docker-archive:"+path)
	if got := len(tree(t, img.Layers[1])); got != 3050 {
		t.Errorf("%d files", got)
	}
	if left := glob(t, filepath.Join(s.layers, tmpPrefix+"*")); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

// waitFor returns true when a file of the pattern is there, false when ended is closed before.
func waitFor(ended <-chan struct{}, pattern string) bool {
	for {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return true
		}
		select {
		case <-ended:
			return false
		default:
		}
	}
}

// glob leaves out hidden files, as a shell does.
func glob(t testing.TB, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(found, func(path string) bool {
		return strings.Contains(path, "/"+tmpPrefix) && !strings.Contains(pattern, tmpPrefix)
	})
}

func TestHelperEnsure(t *testing.T) {
	store := os.Getenv("IMAGE_TEST_STORE")
	if store == "" {
		t.Skip("run by other tests")
	}
	if _, err := Open(store, os.Getenv("IMAGE_TEST_LAYERS")).Ensure(t.Context(), ref(t, os.Getenv("IMAGE_TEST_REF")), PullOptions{}, nil); err != nil {
		t.Fatal(err)
	}
}

// Processes that want the same image at the same time fetch and unpack it once.
func TestManyProcesses(t *testing.T) {
	needRoot(t)
	f := newFakeRegistry(t)
	shared := layerTar(t, file{name: "shared", content: strings.Repeat("s", 100_000)})
	names := []string{
		f.push("app:1", f.image("linux/amd64", "", shared, layerTar(t, file{name: "a", content: "a"}))),
		f.push("other:1", f.image("linux/amd64", "", shared, layerTar(t, file{name: "b", content: "b"}))),
	}
	s := newStore(t)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestHelperEnsure$")
			cmd.Env = append(os.Environ(), "IMAGE_TEST_STORE="+s.images, "IMAGE_TEST_LAYERS="+s.layers, "IMAGE_TEST_REF="+names[i%2])
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	for d, kind := range f.types {
		if n := f.requests("GET /v2/app/blobs/"+d.String()) + f.requests("GET /v2/other/blobs/"+d.String()); kind != v1.MediaTypeImageManifest && n != 1 {
			t.Errorf("%s was fetched %d times", d, n)
		}
	}
	list, err := s.List(t.Context())
	if err != nil || len(list) != 2 || len(list[0].Layers) != 2 || list[0].Layers[0] != list[1].Layers[0] {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestManyCallers(t *testing.T) {
	needRoot(t)
	f := newFakeRegistry(t)
	name := f.push("app:1", f.image("linux/amd64", "", layerTar(t, file{name: "a", content: "a"})))
	s := newStore(t)
	release := make(chan struct{})
	f.fault = func(_ http.ResponseWriter, _ *http.Request) bool {
		<-release
		return false
	}
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() { // the first, who begins the work, and does not wait for its end
		_, err := s.Ensure(ctx, ref(t, name), PullOptions{Policy: "always"}, nil)
		gone <- err
	}()
	for range 50 {
		wg.Go(func() {
			if img, err := s.Ensure(t.Context(), ref(t, name), PullOptions{Policy: "always"}, func(Progress) {}); err != nil || len(img.Layers) != 1 {
				t.Errorf("%+v, %v", img, err)
			}
		})
	}
	for s.waiting() < 51 {
		runtime.Gosched()
	}
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled caller: %v", err)
	}
	close(release)
	wg.Wait()
	if f.requests("HEAD") != 1 || f.requests("GET") != 3 {
		t.Errorf("asked for %q", f.seen)
	}
}

// waiting counts the callers in flights.
func (s *Store) waiting() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.flights {
		n += f.waiting
	}
	return n
}

// When the last caller has gone, nothing goes on.
func TestCancel(t *testing.T) {
	f := newFakeRegistry(t)
	name := f.push("app:1", f.image("linux/amd64", "", layerTar(t)))
	s := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.fault = func(_ http.ResponseWriter, r *http.Request) bool {
		cancel()
		<-r.Context().Done()
		return true
	}
	if _, err := s.Ensure(ctx, ref(t, name), PullOptions{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if len(s.flights) != 0 {
		t.Error("work goes on")
	}
	f.fault = nil
	if _, err := pull(t, s, name, ""); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestDamagedBlobIsFetchedAgain(t *testing.T) {
	needRoot(t)
	f := newFakeRegistry(t)
	m := f.image("linux/amd64", fullConfig, layerTar(t, file{name: "a", content: "a"}))
	name := f.push("app:1", m)
	for d, kind := range f.types {
		t.Run(kind, func(t *testing.T) {
			s := newStore(t)
			if _, err := pull(t, s, name, ""); err != nil {
				t.Fatal(err)
			}
			path, err := s.blobPath(d)
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)/2] ^= 1
			writeFile(t, path, data)
			if err := os.RemoveAll(s.layers); err != nil { // so that the layer's blob is needed, too
				t.Fatal(err)
			}
			if _, err := pull(t, again(s), name, "never"); err == nil {
				t.Error("the damage was not noticed")
			}
			if img, err := pull(t, again(s), name, ""); err != nil || len(img.Layers) != 1 {
				t.Errorf("got %+v, %v", img, err)
			}
		})
	}
}
