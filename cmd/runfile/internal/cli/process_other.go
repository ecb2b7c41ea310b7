//go:build !unix

package cli

import (
	"os"
	"syscall"
)

func prepareProcess() {}

func proxied() []os.Signal { return []os.Signal{os.Interrupt} }

func signalNumber(s os.Signal) int {
	n, _ := s.(syscall.Signal)
	return int(n)
}

func interrupts() []os.Signal { return []os.Signal{os.Interrupt} }
