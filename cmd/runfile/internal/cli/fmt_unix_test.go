//go:build unix

package cli

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestFmtKeepsTheFile: mode, owner and a symbolic link stay.
func TestFmtKeepsTheFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("real", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("real/r.yaml", []byte(untidy), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real/r.yaml", "runfile.yaml"); err != nil {
		t.Fatal(err)
	}
	const uid = 1234
	if os.Geteuid() == 0 {
		if err := os.Chown("real/r.yaml", uid, uid+1); err != nil {
			t.Fatal(err)
		}
	}
	before := owner(t, "real/r.yaml")
	var stdout, stderr bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "" }}
	if code := a.run([]string{"fmt"}); code != 0 {
		t.Fatal(code, stderr.String())
	}
	link, err := os.Readlink("runfile.yaml")
	info, serr := os.Stat("real/r.yaml")
	text, rerr := os.ReadFile("real/r.yaml")
	if err != nil || serr != nil || rerr != nil || link != "real/r.yaml" || info.Mode() != 0o640 || string(text) != tidied {
		t.Errorf("%q %v %q %v %v %v", link, info.Mode(), text, err, serr, rerr)
	}
	if after := owner(t, "real/r.yaml"); after != before {
		t.Errorf("the owner was %s and is %s", before, after)
	}
}

// owner is the owner and group of a file as text.
func owner(t *testing.T, name string) string {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	return fmt.Sprint(ok, s.Uid, s.Gid)
}
