package native

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// maxThreads bounds the operating system threads that live in the private mount namespace. A thread is busy while it
// mounts or forks, about 1 ms of a start.
const maxThreads = 8

// mountNS is a private mount namespace of this process. It is held by its file descriptor and by the threads in it;
// the rest of the program stays in the host's. Programs started from one of its threads inherit it.
type mountNS struct {
	file *os.File // the namespace
	jobs chan func()
	quit chan struct{}

	mu      sync.Mutex
	threads int // guarded by mu
	closed  bool
}

var errClosed = errors.New("the engine has been closed")

// newMountNS makes the namespace and prepares it: see setup.
func newMountNS(stateDirs []string) (*mountNS, error) {
	type made struct {
		file *os.File
		err  error
	}
	done := make(chan made, 1)
	go onOwnThread(func() {
		f, err := unshareMounts(stateDirs)
		done <- made{f, err}
	})
	m := <-done
	if m.err != nil {
		return nil, m.err
	}
	return &mountNS{file: m.file, jobs: make(chan func()), quit: make(chan struct{})}, nil
}

// onOwnThread runs f on a thread that ends with it, because it cannot go back to sharing its file system attributes with
// the others. It is never the first thread: /proc/PID and so everybody else takes that one for the process.
func onOwnThread(f func()) {
	runtime.LockOSThread() // never unlocked, unless on the first thread
	if unix.Gettid() != os.Getpid() {
		f()
		return
	}
	locked := make(chan struct{})
	go func() {
		runtime.LockOSThread() // cannot be the first thread, which is locked to us
		close(locked)
		f()
	}()
	<-locked
	runtime.UnlockOSThread()
}

func unshareMounts(stateDirs []string) (*os.File, error) {
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
		return nil, fmt.Errorf("make a mount namespace: %w", err)
	}
	f, err := os.Open("/proc/thread-self/ns/mnt")
	if err != nil {
		return nil, fmt.Errorf("open the mount namespace: %w", err)
	}
	if err := sameNamespace(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	if err := setupMounts(stateDirs); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// sameNamespace guards the host: what setupMounts does must never happen in the namespace of the process.
func sameNamespace(own *os.File) error {
	var a, b unix.Stat_t
	if err := unix.Fstat(int(own.Fd()), &a); err != nil {
		return fmt.Errorf("look at the mount namespace: %w", err)
	}
	if err := unix.Stat(fmt.Sprintf("/proc/%d/ns/mnt", os.Getpid()), &b); err != nil {
		return fmt.Errorf("look at the mount namespace: %w", err)
	}
	if a.Ino == b.Ino {
		return errors.New("the thread is still in the host's mount namespace")
	}
	return nil
}

// setupMounts: what is mounted below stateDirs must not propagate to the host; everything else keeps its propagation,
// so that shared volumes work in both directions. On a host with cgroup v1 and a v2 tree beside it crun refuses to work,
// unless that tree is out of sight; it is taken away in this namespace's copy only.
func setupMounts(stateDirs []string) error {
	for _, d := range stateDirs {
		if err := detachMounts(d); err != nil {
			return err
		}
	}
	var st unix.Statfs_t
	if unix.Statfs(unifiedMount, &st) != nil || st.Type != unix.CGROUP2_SUPER_MAGIC {
		return nil
	}
	if err := unix.Mount("", cgroupMount, "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("make our copy of /sys/fs/cgroup private: %w", err)
	}
	if err := unix.Unmount(unifiedMount, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("hide our copy of %s: %w", unifiedMount, err)
	}
	return nil
}

// detachMounts keeps what is mounted below a directory from propagating to the host. A slave, not private: what the host
// mounts there (a volume on NFS) must still arrive here.
func detachMounts(dir string) error {
	if err := unix.Mount(dir, dir, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("bind %s: %w", dir, err)
	}
	if err := unix.Mount("", dir, "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("detach %s: %w", dir, err)
	}
	return nil
}

// do runs f on a thread in the namespace and returns its error. f must not change the thread's namespaces.
func (n *mountNS) do(f func() error) error {
	done := make(chan error, 1)
	job := func() { done <- f() }
	select {
	case n.jobs <- job: // a thread was waiting
		return <-done
	default:
	}
	if err := n.grow(); err != nil {
		return err
	}
	select {
	case n.jobs <- job:
		return <-done
	case <-n.quit:
		return errClosed
	}
}

// grow starts another thread if there may be more.
func (n *mountNS) grow() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return errClosed
	}
	if n.threads == maxThreads {
		return nil
	}
	ready := make(chan error, 1)
	go onOwnThread(func() { n.serve(ready) })
	if err := <-ready; err != nil {
		return err
	}
	n.threads++
	return nil
}

// serve is the life of one thread.
func (n *mountNS) serve(ready chan<- error) {
	err := unix.Unshare(unix.CLONE_FS)
	if err == nil {
		err = unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNS)
	}
	if err != nil {
		ready <- fmt.Errorf("enter the mount namespace: %w", err)
		return
	}
	ready <- nil
	for {
		select {
		case job := <-n.jobs:
			job()
		case <-n.quit:
			return
		}
	}
}

// unmount detaches what is mounted at path in the namespace.
func (n *mountNS) unmount(path string) error {
	if err := n.do(func() error { return unix.Unmount(path, unix.MNT_DETACH) }); err != nil {
		return &os.PathError{Op: "unmount", Path: path, Err: err}
	}
	return nil
}

// close ends the threads; the namespace and its mounts go away with the last process that is in it.
func (n *mountNS) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	n.closed = true
	close(n.quit)
	_ = n.file.Close()
}
