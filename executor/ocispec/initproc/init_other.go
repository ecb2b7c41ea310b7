//go:build !linux

package initproc

import "os"

// Main exists so that the program builds everywhere; there are no containers here.
func Main() { os.Exit(125) }
