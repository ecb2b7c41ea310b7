package windows

import (
	"syscall"
	"testing"
)

// TestEscapeAsGo compares with the standard library, which has this for Windows alone.
func TestEscapeAsGo(t *testing.T) {
	for arg := range escapes {
		if got, want := escape(arg), syscall.EscapeArg(arg); got != want {
			t.Errorf("%s becomes %s, want %s", arg, got, want)
		}
	}
}
