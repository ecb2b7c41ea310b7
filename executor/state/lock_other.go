//go:build !unix

package state

import (
	"errors"
	"os"
)

// tryFlock has no implementation where no engine runs: such hosts validate and plan only.
func tryFlock(*os.File) error { return errors.ErrUnsupported }
