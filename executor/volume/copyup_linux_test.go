package volume

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var imageTime = time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)

// imageDir makes a directory as an image may have it.
func imageDir(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root to change owners")
	}
	dir := filepath.Join(t.TempDir(), "data")
	sub := filepath.Join(dir, "sub")
	file := filepath.Join(sub, "file")
	must(t,
		os.MkdirAll(sub, 0o755), os.WriteFile(file, []byte("content"), 0o600),
		os.Link(file, filepath.Join(dir, "hard")), os.Symlink("/etc/passwd", filepath.Join(dir, "soft")),
		syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o640), unix.Lsetxattr(file, "user.test", []byte("v"), 0),
		unix.Lsetxattr(dir, "user.root", []byte("r"), 0),
		os.Chown(file, 1000, 1001), os.Chmod(file, 0o4711), os.Chown(dir, 1000, 1001), os.Chmod(dir, 0o750|os.ModeSetgid),
		os.Chtimes(sub, imageTime, imageTime), os.Chtimes(dir, imageTime, imageTime))
	return dir
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// same compares a file with its original: type, mode, owner, time, content, attribute.
func same(t *testing.T, got, want, xattr string) {
	t.Helper()
	var a, b unix.Stat_t
	must(t, unix.Lstat(got, &a), unix.Lstat(want, &b))
	if a.Mode != b.Mode || a.Uid != b.Uid || a.Gid != b.Gid || a.Mtim != b.Mtim || a.Rdev != b.Rdev {
		t.Errorf("%s: %o %d:%d %v, want %o %d:%d %v", got, a.Mode, a.Uid, a.Gid, a.Mtim, b.Mode, b.Uid, b.Gid, b.Mtim)
	}
	if xattr != "" {
		x, y := make([]byte, 10), make([]byte, 10)
		_, errX := unix.Lgetxattr(got, xattr, x)
		_, errY := unix.Lgetxattr(want, xattr, y)
		must(t, errX, errY)
		if !bytes.Equal(x, y) {
			t.Errorf("%s: %s = %q, want %q", got, xattr, x, y)
		}
	}
}

func checkCopy(t *testing.T, v *Volume, from string) {
	t.Helper()
	same(t, v.Path(), from, "user.root")
	for name, xattr := range map[string]string{"sub": "", "sub/file": "user.test", "soft": "", "fifo": "", "hard": "user.test"} {
		same(t, filepath.Join(v.Path(), name), filepath.Join(from, name), xattr)
	}
	var a, b unix.Stat_t
	must(t, unix.Lstat(filepath.Join(v.Path(), "hard"), &a), unix.Lstat(filepath.Join(v.Path(), "sub/file"), &b))
	if a.Ino != b.Ino {
		t.Error("the hard link became two files")
	}
	for _, name := range []string{copyDir, copiedFile} {
		if _, err := os.Lstat(filepath.Join(v.dir, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", name, err)
		}
	}
}

func TestCopyUp(t *testing.T) {
	from := imageDir(t)
	s := Open(filepath.Join(t.TempDir(), "volumes"))
	v := make1(t, s, "v")
	must(t, s.CopyUp(t.Context(), v, from))
	checkCopy(t, v, from)

	// What is not empty is left alone, what became empty is filled again.
	must(t, os.RemoveAll(filepath.Join(v.Path(), "sub")))
	must(t, s.CopyUp(t.Context(), v, from))
	if _, err := os.Lstat(filepath.Join(v.Path(), "sub")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a volume in use was filled: %v", err)
	}
	for _, name := range []string{"hard", "soft", "fifo"} {
		must(t, os.Remove(filepath.Join(v.Path(), name)))
	}
	must(t, s.CopyUp(t.Context(), v, from))
	checkCopy(t, v, from)
}

func TestCopyUpOfNothing(t *testing.T) {
	from := filepath.Join(t.TempDir(), "empty")
	must(t, os.Mkdir(from, 0o700), os.Chmod(from, 0o711), os.Chtimes(from, imageTime, imageTime))
	s := Open(filepath.Join(t.TempDir(), "volumes"))
	v := make1(t, s, "v")
	must(t, s.CopyUp(t.Context(), v, from))
	same(t, v.Path(), from, "")
	if err := s.CopyUp(t.Context(), v, filepath.Join(from, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing source: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(v.dir, copiedFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("failed copy left its marker: %v", err)
	}
}

// Each place in which a copy-up can be killed: the next one completes it.
func TestCopyUpAfterCrash(t *testing.T) {
	for name, crash := range map[string]func(t *testing.T, v *Volume, from string){
		"while copying": func(t *testing.T, v *Volume, _ string) {
			must(t, os.MkdirAll(filepath.Join(v.dir, copyDir, "sub", "half"), 0o700))
		},
		"before moving": func(t *testing.T, v *Volume, from string) {
			must(t, v.makeCopy(from), os.WriteFile(filepath.Join(v.dir, copiedFile), nil, 0o600),
				copyTime(filepath.Join(v.dir, copiedFile), from))
		},
		"while moving": func(t *testing.T, v *Volume, from string) {
			must(t, v.makeCopy(from), os.WriteFile(filepath.Join(v.dir, copiedFile), nil, 0o600),
				copyTime(filepath.Join(v.dir, copiedFile), from),
				os.Rename(filepath.Join(v.dir, copyDir, "soft"), filepath.Join(v.Path(), "soft")))
		},
		"after moving": func(t *testing.T, v *Volume, from string) {
			must(t, v.makeCopy(from), os.WriteFile(filepath.Join(v.dir, copiedFile), nil, 0o600),
				copyTime(filepath.Join(v.dir, copiedFile), from), v.moveIn())
		},
	} {
		t.Run(name, func(t *testing.T) {
			from := imageDir(t)
			s := Open(filepath.Join(t.TempDir(), "volumes"))
			v := make1(t, s, "v")
			crash(t, v, from)
			must(t, s.CopyUp(t.Context(), v, from))
			checkCopy(t, v, from)
		})
	}
}

// After a crash a container without copy-up may have used the volume; what it wrote is not touched.
func TestCopyUpKeepsWhatWasWritten(t *testing.T) {
	from := imageDir(t)
	s := Open(filepath.Join(t.TempDir(), "volumes"))
	v := make1(t, s, "v")
	must(t, v.makeCopy(from), os.WriteFile(filepath.Join(v.dir, copiedFile), nil, 0o600),
		os.WriteFile(filepath.Join(v.Path(), "soft"), []byte("mine"), 0o600))
	must(t, s.CopyUp(t.Context(), v, from))
	if data, err := os.ReadFile(filepath.Join(v.Path(), "soft")); err != nil || string(data) != "mine" {
		t.Errorf("got %q, %v", data, err)
	}
	if _, err := os.Lstat(filepath.Join(v.Path(), "sub/file")); err != nil {
		t.Error(err)
	}
}

func TestCopyUpTogether(t *testing.T) {
	from := imageDir(t)
	root := filepath.Join(t.TempDir(), "volumes")
	v := make1(t, Open(root), "v")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := Open(root).CopyUp(t.Context(), v, from); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	checkCopy(t, v, from)
}

// The link that stands for an open directory is followed, links inside are not.
func TestCopyUpFromDescriptor(t *testing.T) {
	from := imageDir(t)
	f, err := os.Open(from)
	must(t, err)
	defer f.Close()
	s := Open(filepath.Join(t.TempDir(), "volumes"))
	v := make1(t, s, "v")
	must(t, s.CopyUp(t.Context(), v, filepath.Join("/proc/self/fd", strconv.Itoa(int(f.Fd())))))
	checkCopy(t, v, from)
}

// TestGive: an empty volume of the host's root changes hands once, and no other one.
func TestGive(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to change owners")
	}
	s := Open(t.TempDir())
	v, err := s.Ensure(t.Context(), Spec{Name: "vol"})
	must(t, err)
	owner := func() [2]uint32 {
		var st unix.Stat_t
		must(t, unix.Stat(v.Path(), &st))
		return [2]uint32{st.Uid, st.Gid}
	}
	must(t, s.Give(t.Context(), v, 100000, 200000))
	if owner() != [2]uint32{100000, 200000} {
		t.Errorf("belongs to %v", owner())
	}
	must(t, s.Give(t.Context(), v, 300000, 300000))
	if owner() != [2]uint32{100000, 200000} {
		t.Errorf("belongs to %v after another wanted it", owner())
	}
	must(t, os.Chown(v.Path(), 0, 0), os.WriteFile(filepath.Join(v.Path(), "f"), nil, 0o600), s.Give(t.Context(), v, 100000, 200000))
	if owner() != [2]uint32{0, 0} {
		t.Errorf("a volume with files belongs to %v", owner())
	}
}
