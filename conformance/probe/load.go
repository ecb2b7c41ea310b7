//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func hog(args []string) error {
	mib, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	b := make([]byte, mib<<20)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	fmt.Println("holding", mib)
	if len(args) > 1 && args[1] == "exit" {
		return nil
	}
	time.Sleep(time.Hour)
	fmt.Println(b[0])
	return nil
}

func spin(args []string) error {
	ms, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	before, err := cpuTime() // starting took some, too
	if err != nil {
		return err
	}
	for end := time.Now().Add(time.Duration(ms) * time.Millisecond); time.Now().Before(end); {
	}
	after, err := cpuTime()
	fmt.Printf("cpu %d ms of %d ms\n", (after - before).Milliseconds(), ms)
	return err
}

// cpuTime is what this process has used.
func cpuTime() (time.Duration, error) {
	var used unix.Rusage
	err := unix.Getrusage(unix.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), err
}

// forks makes its children without the Go runtime, whose threads count as processes, too: a child is a copy that does
// nothing but sleep in the kernel until it is killed.
func forks(args []string) error {
	want, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	children := make([]int, 0, want)
	var failed unix.Errno
	for len(children) < want {
		pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
		if errno != 0 {
			failed = errno
			break
		}
		if pid == 0 {
			for {
				_, _, _ = unix.RawSyscall6(unix.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
			}
		}
		children = append(children, int(pid))
	}
	for _, pid := range children {
		err = errors.Join(err, unix.Kill(pid, unix.SIGKILL))
	}
	for range children {
		_, err := unix.Wait4(-1, nil, 0, nil)
		if err != nil {
			return err
		}
	}
	if failed != 0 {
		fmt.Printf("forked %d of %d: %s\n", len(children), want, unix.ErrnoName(failed))
		return err
	}
	fmt.Printf("forked %d of %d\n", len(children), want)
	return err
}

func direct(args []string) error {
	size, err1 := strconv.Atoi(args[2])
	count, err2 := strconv.Atoi(args[3])
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	flags, call := unix.O_RDONLY, unix.Read
	if args[0] == "write" {
		flags, call = unix.O_WRONLY, unix.Write
	}
	fd, err := unix.Open(args[1], flags|unix.O_DIRECT|unix.O_CLOEXEC, 0)
	if err != nil {
		fmt.Println(answer(err))
		return nil
	}
	defer unix.Close(fd)
	start, total := time.Now(), 0
	for range count {
		n, err := call(fd, aligned(size))
		if err != nil {
			fmt.Println(answer(err))
			return nil
		}
		total += n
	}
	fmt.Printf("%d bytes in %d ms\n", total, time.Since(start).Milliseconds())
	return nil
}

// aligned is a buffer at an address that O_DIRECT takes.
func aligned(size int) []byte {
	page := os.Getpagesize()
	b := make([]byte, size+page)
	skip := (page - int(uintptr(unsafe.Pointer(&b[0])))%page) % page
	return b[skip : skip+size]
}
