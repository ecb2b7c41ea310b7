//go:build linux

// Command probe runs inside test containers and shows what a shell cannot: memory use, signals received, the
// terminal's size, sockets of any kind, and how the kernel answers system calls.
//
// An answer of the kernel is printed as "ok" or as the error's name (EPERM, EACCES, ...); the exit status is 1 only when
// the probe itself went wrong.
package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

type command struct {
	usage string
	nargs int // arguments that must be there
	run   func(args []string) error
}

var commands = map[string]command{
	// The process itself (process.go).
	"ids":       {"print uid, gid, effective uid and groups", 0, ids},
	"caps":      {"print the five capability sets, in hexadecimal and by name", 0, caps},
	"winsize":   {"print the terminal's columns and rows", 0, winsize},
	"signals":   {"print each signal received; exit 42 on USR1, 7 on TERM, 9 on INT", 0, signals},
	"orphan":    {"leave a child to PID 1 that ends soon, then sleep", 0, orphan},
	"zombies":   {"print how many processes have ended and were not waited for", 0, zombies},
	"exit-late": {"DURATION CODE: sleep, then exit", 2, exitLate},
	"chatter":   {"LINES BYTES: print that many lines of that length", 2, chatter},

	// What the kernel allows (allowed.go).
	"denied": {"print which of a list of system calls fail with EPERM", 0, denied},
	"nnp":    {"print 1 if exec gives no new privileges, else 0", 0, nnp},
	"rt":     {"ask for real-time scheduling", 0, realtime},
	"userns": {"make a user namespace", 0, userns},
	"open":   {"r|w|rw PATH: open a file or device", 2, open},
	"mknod":  {"b|c MAJOR MINOR PATH: make a device node", 4, mknod},

	// Load on the machine (load.go).
	"hog":    {"MIB [exit]: allocate and touch that much memory, then sleep or exit", 1, hog},
	"spin":   {"MS: compute for that long; print the CPU time got, \"cpu N ms of MS ms\"", 1, spin},
	"forks":  {"N: have up to N children at once; print \"forked K of N\" and why not more", 1, forks},
	"direct": {"read|write PATH BLOCK COUNT: past the page cache; print \"N bytes in MS ms\"", 4, direct},

	// The network (net.go).
	"serve":    {"ADDRESS TEXT: answer HTTP requests with TEXT", 2, serve},
	"get":      {"URL: print the body of an HTTP answer", 1, get},
	"udp-echo": {"ADDRESS: send UDP datagrams back", 1, udpEcho},
	"udp":      {"ADDRESS TEXT: send a datagram, print the answer", 2, udp},
}

func main() {
	name, args := "help", os.Args[1:]
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	c, ok := commands[name]
	if !ok {
		help()
		return
	}
	err := fmt.Errorf("usage: probe %s %s", name, c.usage)
	if len(args) >= c.nargs {
		err = c.run(args)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func help() {
	var lines []string
	for n, c := range commands {
		lines = append(lines, n+" "+c.usage)
	}
	slices.Sort(lines)
	for _, l := range lines {
		fmt.Println(l)
	}
}

// answer is how the kernel answered a call: ok, or the error's name.
func answer(err error) string {
	var errno unix.Errno
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &errno):
		return unix.ErrnoName(errno)
	}
	return err.Error()
}
