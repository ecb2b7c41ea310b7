package manifest

import "testing"

// TestSlashed: every system's paths are tested on every system.
func TestSlashed(t *testing.T) {
	for _, c := range []struct{ goos, native, slashed string }{
		{"windows", `C:\a\b`, "/c/a/b"},
		{"windows", `D:\`, "/d/"},
		{"windows", `C:\a b.yaml`, "/c/a b.yaml"},
		{"windows", "/usr/bin", "/usr/bin"}, // of a Linux machine
		{"windows", "/", "/"},
		{"windows", "a", "a"},
		{"linux", "/c/a", "/c/a"},
		{"linux", `/a\b`, `/a\b`},
	} {
		if got := slashed(c.goos, c.native); got != c.slashed {
			t.Errorf("%s: %s is written %s, want %s", c.goos, c.native, got, c.slashed)
		}
		if got := native(c.goos, c.slashed); got != c.native {
			t.Errorf("%s: %s is read as %s, want %s", c.goos, c.slashed, got, c.native)
		}
	}
	if got := native("windows", "/c"); got != `C:\` {
		t.Errorf("/c is read as %s", got)
	}
}
