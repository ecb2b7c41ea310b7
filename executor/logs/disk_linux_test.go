package logs

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestDiskFull(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to mount a small tmpfs")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 32<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "log")
	d, err := Open("", nil, path)
	if err != nil {
		t.Fatal(err)
	}
	p := Pump(Stdout, d)
	if _, err := p.Write([]byte(numbered(1, 1000))); err != nil {
		t.Fatal(err)
	}
	lost, cause := p.(Lossy).Lost()
	if lost == 0 || !errors.Is(cause, syscall.ENOSPC) {
		t.Fatalf("Lost = %d, %v", lost, cause)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write([]byte("after\n")); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Close = %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	skipped := 0
	got := read(t, path, ReadOptions{Skipped: func(n int) { skipped = n }})
	if int64(len(got)) != 1000-lost+1 || skipped != 0 || string(got[len(got)-1].Line) != "after" {
		t.Errorf("%d lines kept, %d lost, %d skipped", len(got), lost, skipped)
	}
}
