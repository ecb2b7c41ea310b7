package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Netns is a network namespace that lives as long as this handle, a process in it, or a socket of it. There is no bind
// mount: when this process is killed and no container runs in it, the kernel takes it down.
type Netns struct {
	file *os.File // nil in tests without privileges: then everything happens in the caller's namespace
	host *os.File

	mu sync.Mutex
	rt *rtnl // a socket inside, opened when the namespace was made; Attach uses and closes it
}

// Path is where an OCI runtime finds the namespace while this process lives.
func (n *Netns) Path() string {
	if n.file == nil {
		return "/proc/self/ns/net"
	}
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.file.Fd())
}

// Close drops the handle. The kernel then destroys the namespace with its veths in the background.
func (n *Netns) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rt != nil {
		n.rt.close()
		n.rt = nil
	}
	if n.file == nil {
		return nil
	}
	if err := n.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("close the network namespace: %w", err)
	}
	return nil
}

// Do runs fn on a thread inside the namespace. Sockets that fn opens stay there; goroutines that it starts do not.
func (n *Netns) Do(fn func() error) error {
	if n.file == nil {
		return fn()
	}
	return onThread(n.host, func() error {
		if err := setns(n.file); err != nil {
			return err
		}
		return fn()
	})
}

// Dialer returns a function that connects from inside the namespace. The address must be numeric: a name would start
// resolver goroutines on threads outside. The thread goes back before the connection is waited for.
func (n *Netns) Dialer() func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		if n.file == nil {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
		err = onThread(n.host, func() error {
			if err := setns(n.file); err != nil {
				return err
			}
			d := net.Dialer{Control: func(string, string, syscall.RawConn) error { return setns(n.host) }}
			conn, err = d.DialContext(ctx, network, address)
			return err
		})
		return conn, err
	}
}

func setns(f *os.File) error {
	if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter a network namespace: %w", err)
	}
	return nil
}

// onThread runs fn on an OS thread of its own and brings the thread back to the host's namespace afterwards. A thread that
// cannot be brought back dies with its goroutine.
func onThread(host *os.File, fn func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := fn()
		if back := setns(host); back == nil {
			runtime.UnlockOSThread()
		} else {
			err = errors.Join(err, back)
		}
		done <- err
	}()
	return <-done
}

// newNetns makes a namespace that belongs to the user namespace users; nil = the host's. What is written to conf/default
// is inherited by the interfaces added later.
func newNetns(host, users *os.File, ipv6 bool) (*Netns, error) {
	n := &Netns{host: host}
	err := onThread(host, func() (err error) {
		if n.file, err = enterNewNetns(users); err != nil {
			return err
		}
		// Announce the address when the link comes up: it may have belonged to another container before.
		sysctl("ipv4/conf/default/arp_notify", "1")
		if ipv6 {
			sysctl("ipv6/conf/default/accept_ra", "0")
			sysctl("ipv6/conf/default/ndisc_notify", "1")
		} else {
			sysctl("ipv6/conf/default/disable_ipv6", "1")
		}
		n.rt, err = openRtnl()
		return err
	})
	if err != nil {
		return nil, errors.Join(err, n.closeHalf())
	}
	return n, nil
}

// enterNewNetns makes a namespace and brings the calling thread into it.
func enterNewNetns(users *os.File) (*os.File, error) {
	if users != nil {
		f, err := netnsOf(users)
		if err != nil {
			return nil, err
		}
		return f, setns(f)
	}
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("make a network namespace: %w", err)
	}
	f, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("open the new network namespace: %w", err)
	}
	return f, nil
}

func (n *Netns) closeHalf() error {
	if n.file == nil {
		return nil
	}
	return n.Close()
}

func openNetns(host *os.File, pid int) (*Netns, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return nil, fmt.Errorf("open the network namespace of process %d: %w", pid, err)
	}
	return &Netns{file: f, host: host}, nil
}

// rtnl returns a routing socket inside the namespace.
func (n *Netns) rtnl() (*rtnl, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rt != nil {
		s := n.rt
		n.rt = nil
		return s, nil
	}
	var s *rtnl
	err := n.Do(func() (err error) {
		s, err = openRtnl()
		return err
	})
	return s, err
}

// sysctl writes a setting below /proc/sys/net of the calling thread's namespace. A kernel without the setting (IPv6
// compiled out or disabled) is no error; the old value tells.
func sysctl(path, value string) (old string) {
	path = "/proc/sys/net/" + path
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	b := make([]byte, 32)
	k, _ := f.Read(b)
	for k > 0 && b[k-1] == '\n' {
		k--
	}
	if old = string(b[:k]); old != value {
		_, _ = f.WriteAt([]byte(value), 0)
	}
	return old
}
