package image

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"
)

func TestShifted(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	s := Open(filepath.Join(dir, "images"), filepath.Join(dir, "layers"))
	root := filepath.Join(dir, "layers", "aaaa", "fs")
	caps := make([]byte, 20)
	binary.LittleEndian.PutUint32(caps, 0x02000001)
	binary.LittleEndian.PutUint32(caps[4:], 1<<13)
	check := func(errs ...error) {
		t.Helper()
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	at := func(name string) string { return filepath.Join(root, name) }
	check(os.MkdirAll(at("opaque"), 0o755), os.Chmod(root, 0o755),
		os.WriteFile(at("suid"), []byte("x"), 0o755), os.Chown(at("suid"), 5, 6), os.Chmod(at("suid"), 0o755|os.ModeSetuid),
		os.Link(at("suid"), at("hard")), os.Symlink("suid", at("soft")), os.Lchown(at("soft"), 7, 7),
		unix.Mknod(at("gone"), unix.S_IFCHR, 0), unix.Setxattr(at("opaque"), "trusted.overlay.opaque", []byte("y"), 0),
		os.WriteFile(at("caps"), []byte("x"), 0o755), unix.Setxattr(at("caps"), "security.capability", caps, 0),
		os.WriteFile(at("far"), nil, 0o600), os.Chown(at("far"), 5000, 5000))

	ids := user.IdentityMapping{
		UIDMaps: []user.IDMap{{ID: 0, ParentID: 100000, Count: 10}, {ID: 10, ParentID: 300000, Count: 10}},
		GIDMaps: []user.IDMap{{ID: 0, ParentID: 200000, Count: 1000}},
	}
	var wg sync.WaitGroup
	results := make([][]string, 4)
	for i := range results {
		wg.Go(func() {
			var err error
			if results[i], err = s.Shifted(t.Context(), []string{root}, ids); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, r := range results {
		if len(r) != 1 || r[0] != results[0][0] {
			t.Fatalf("several copies: %q", results)
		}
	}
	to := results[0][0]
	for name, want := range map[string][3]uint32{
		".": {100000, 200000, unix.S_IFDIR | 0o755}, "suid": {100005, 200006, unix.S_IFREG | 0o4755}, "hard": {100005, 200006, unix.S_IFREG | 0o4755},
		"soft": {100007, 200007, unix.S_IFLNK | 0o777}, "gone": {100000, 200000, unix.S_IFCHR}, "far": {65534, 65534, unix.S_IFREG | 0o600},
	} {
		var st unix.Stat_t
		check(unix.Lstat(filepath.Join(to, name), &st))
		if got := [3]uint32{st.Uid, st.Gid, st.Mode}; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	got := make([]byte, 64)
	n, err := unix.Getxattr(filepath.Join(to, "caps"), "security.capability", got)
	check(err)
	want := binary.LittleEndian.AppendUint32(bytes.Clone(caps), 100000)
	binary.LittleEndian.PutUint32(want, 0x03000001)
	if !bytes.Equal(got[:n], want) {
		t.Errorf("capabilities %x, want %x", got[:n], want)
	}
	if n, err := unix.Getxattr(filepath.Join(to, "opaque"), "trusted.overlay.opaque", got); err != nil || string(got[:n]) != "y" {
		t.Errorf("the opaque mark is %q, %v", got[:n], err)
	}
	other, err := s.Shifted(t.Context(), []string{root}, user.IdentityMapping{UIDMaps: ids.UIDMaps, GIDMaps: ids.UIDMaps})
	if err != nil || other[0] == to {
		t.Errorf("another mapping has the same copy: %q, %v", other, err)
	}
	entries, err := os.ReadDir(filepath.Dir(root))
	if err != nil || len(entries) != 3 {
		t.Errorf("beside the layer there are %v, %v", entries, err)
	}
}
