package network

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// userNS makes a user namespace in which root is user 100000.
func userNS(t *testing.T) *os.File {
	t.Helper()
	needHost(t)
	one := []syscall.SysProcIDMap{{HostID: 100000, Size: 1}}
	cmd := exec.Command("sleep", "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWUSER, UidMappings: one, GidMappings: one, Pdeathsig: syscall.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	})
	f, err := os.Open(fmt.Sprintf("/proc/%d/ns/user", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// TestNetnsOfUsers: a network namespace belongs to the user namespace that was asked for, however many are made at once.
func TestNetnsOfUsers(t *testing.T) {
	users := userNS(t)
	host, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close() // read only
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			n, err := newNetns(host, users, false)
			if err != nil {
				t.Error(err)
				return
			}
			defer n.Close()
			owner, err := unix.IoctlRetInt(int(n.file.Fd()), unix.NS_GET_USERNS)
			if err != nil {
				t.Error(err)
				return
			}
			defer unix.Close(owner)
			if !sameFile(t, owner, int(users.Fd())) || sameFile(t, int(n.file.Fd()), int(host.Fd())) {
				t.Error("the namespace belongs to others")
			}
			flags, err := unix.FcntlInt(n.file.Fd(), unix.F_GETFD, 0)
			if err != nil || flags&unix.FD_CLOEXEC == 0 {
				t.Errorf("programs inherit the descriptor: %#x %v", flags, err)
			}
		})
	}
	wg.Wait()
	if n, err := newNetns(host, host, false); err == nil {
		t.Error("a network namespace is taken for a user namespace", n.Close())
	}
}

func sameFile(t *testing.T, a, b int) bool {
	var x, y unix.Stat_t
	if err := unix.Fstat(a, &x); err != nil {
		t.Error(err)
	}
	if err := unix.Fstat(b, &y); err != nil {
		t.Error(err)
	}
	return x.Dev == y.Dev && x.Ino == y.Ino
}
