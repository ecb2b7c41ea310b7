//go:build linux

package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func ids([]string) error {
	groups, err := os.Getgroups()
	fmt.Println(os.Getuid(), os.Getgid(), os.Geteuid(), groups)
	return err
}

// capabilityNames are in the order of their numbers.
var capabilityNames = strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
	LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT
	SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE
	AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`)

func caps([]string) error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(status)) {
		set, hex, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		if !strings.HasPrefix(set, "Cap") {
			continue
		}
		bits, err := strconv.ParseUint(hex, 16, 64)
		if err != nil {
			return err
		}
		words := []string{set, hex}
		for i, name := range capabilityNames {
			if bits&(1<<i) != 0 {
				words = append(words, name)
			}
		}
		fmt.Println(strings.Join(words, " "))
	}
	return nil
}

func winsize([]string) error {
	ws, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ)
	if err != nil {
		return err
	}
	fmt.Println(ws.Col, ws.Row)
	return nil
}

func signals([]string) error {
	c := make(chan os.Signal, 16)
	signal.Notify(c)
	fmt.Println("ready")
	for s := range c {
		if s == syscall.SIGURG {
			continue // the Go runtime's own
		}
		fmt.Println("got", unix.SignalName(s.(syscall.Signal)))
		switch s {
		case syscall.SIGUSR1:
			os.Exit(42)
		case syscall.SIGTERM:
			os.Exit(7)
		case syscall.SIGINT:
			os.Exit(9)
		}
	}
	return nil
}

func orphan([]string) error {
	// A grandchild whose parent ends at once becomes a child of PID 1, which has to reap it.
	p, err := os.StartProcess("/bin/sh", []string{"sh", "-c", "sleep 0.1 & exit 0"}, &os.ProcAttr{})
	if err != nil {
		return err
	}
	if _, err := p.Wait(); err != nil {
		return err
	}
	time.Sleep(time.Hour)
	return nil
}

func zombies([]string) error {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	n := 0
	for _, f := range files {
		stat, err := os.ReadFile(f)
		if err != nil {
			continue // it ended for good
		}
		// The name, in parentheses, may hold anything.
		rest := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
		if strings.HasPrefix(rest, " Z") {
			n++
		}
	}
	fmt.Println(n)
	return err
}

func exitLate(args []string) error {
	d, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	time.Sleep(d)
	code, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	os.Exit(code)
	return nil
}

func chatter(args []string) error {
	lines, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	size, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	pad := strings.Repeat("x", size)
	for i := range lines {
		fmt.Printf("%08d %s\n", i, pad)
	}
	return nil
}
