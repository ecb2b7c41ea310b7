// Package initproc is the init program that a container with init: true gets as its PID 1: it passes signals on to the
// command, reaps orphans, and ends with the command's exit status.
//
// It is the runfile binary itself, mounted read-only into the container under the name docker-init, so that nothing
// has to be compiled or shipped beside it. The program's main function calls Main before anything else if Named says so.
package initproc

import "path"

// Name is the base name under which the program is the init.
const Name = "docker-init"

// Named says whether a program called as arg0 is meant as the init.
func Named(arg0 string) bool { return path.Base(arg0) == Name }
