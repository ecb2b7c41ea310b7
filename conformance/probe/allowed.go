//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

func denied([]string) error {
	calls := []struct {
		name string
		call func() error
	}{
		{"unshare-userns", func() error { return unix.Unshare(unix.CLONE_NEWUSER) }},
		{"af-alg", func() error { _, err := unix.Socket(unix.AF_ALG, unix.SOCK_SEQPACKET, 0); return err }},
		{"af-vsock", func() error { _, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0); return err }},
		{"keyctl", func() error { _, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, false); return err }},
		{"mount", func() error { return unix.Mount("none", "/tmp", "tmpfs", 0, "") }},
		{"reboot", func() error { return unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF) }},
	}
	for _, c := range calls {
		err := c.call()
		fmt.Println(c.name, errors.Is(err, unix.EPERM))
	}
	return nil
}

func nnp([]string) error {
	n, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	fmt.Println(n)
	return err
}

func realtime([]string) error {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}
	fmt.Println(answer(unix.SchedSetAttr(0, &attr, 0)))
	return nil
}

// userns starts a child in a user namespace of its own: a process with threads, as this one, may not change its own.
func userns([]string) error {
	child := exec.Command("/proc/self/exe", "help")
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER}
	fmt.Println(answer(child.Run()))
	return nil
}

func open(args []string) error {
	flags, ok := map[string]int{"r": unix.O_RDONLY, "w": unix.O_WRONLY, "rw": unix.O_RDWR}[args[0]]
	if !ok {
		return fmt.Errorf("open for %q: want r, w or rw", args[0])
	}
	f, err := os.OpenFile(args[1], flags|unix.O_NONBLOCK, 0)
	if err == nil {
		err = f.Close()
	}
	fmt.Println(answer(err))
	return nil
}

func mknod(args []string) error {
	kind, ok := map[string]uint32{"b": unix.S_IFBLK, "c": unix.S_IFCHR}[args[0]]
	if !ok {
		return fmt.Errorf("device type %q: want b or c", args[0])
	}
	major, err1 := strconv.ParseUint(args[1], 10, 32)
	minor, err2 := strconv.ParseUint(args[2], 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	fmt.Println(answer(unix.Mknod(args[3], kind|0o600, int(unix.Mkdev(uint32(major), uint32(minor))))))
	return nil
}
