// Package initproc holds the two small programs that the runfile binary is when it is called by another name, so that
// nothing has to be compiled or shipped beside it. The program's main function calls Main before anything else if Named
// says so.
//
// docker-init is the PID 1 of a container with init: true, into which the binary is mounted read-only: it passes signals
// on to the command, reaps orphans, and ends with the command's exit status.
//
// runfile-terminal keeps the master side of a container's terminal open: a terminal hangs up, and mostly kills who uses
// it, when its master is closed, which must not happen when a supervisor dies.
package initproc

import "path"

// The base names under which the program is something else.
const (
	Name       = "docker-init"
	KeeperName = "runfile-terminal"
)

// The descriptors of the keeper: it holds the one until the process of the other has ended.
const (
	KeeperTerminal = 3
	KeeperProcess  = 4 // a pidfd
)

// Named says whether a program called as arg0 is one of the two.
func Named(arg0 string) bool {
	base := path.Base(arg0)
	return base == Name || base == KeeperName
}
