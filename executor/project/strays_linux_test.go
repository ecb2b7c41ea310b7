package project

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestReapStrays(t *testing.T) {
	stray, err := syscall.ForkExec("/bin/true", []string{"true"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	alive, err := syscall.ForkExec("/bin/sleep", []string{"sleep", "1000"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(alive, syscall.SIGKILL)
		_, _ = syscall.Wait4(alive, nil, 0, nil)
	})
	pidfd, err := unix.PidfdOpen(stray, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pidfd)
	awaitEnd(t, pidfd)
	if list := zombies(); !slices.Contains(list, stray) || slices.Contains(list, alive) {
		t.Errorf("zombies %v; want %d and not %d", list, stray, alive)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		reapStrays(ctx, time.Millisecond)
	}()
	for !errors.Is(syscall.Kill(stray, 0), syscall.ESRCH) { // until its number is free
	}
	stop()
	<-ended
	if err := syscall.Kill(alive, 0); err != nil {
		t.Errorf("the living child: %v", err)
	}
}
