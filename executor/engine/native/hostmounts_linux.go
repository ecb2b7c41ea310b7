package native

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/ocispec"
)

var errNotDir = errors.New("not a directory")

// openDirInRoot opens a directory of an image as a process inside would see it.
func openDirInRoot(root *os.File, dir string) (*os.File, error) {
	f, err := ocispec.OpenInRoot(fdPath(root), dir, unix.O_PATH)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
		_ = f.Close()
		return nil, errors.Join(fmt.Errorf("/%s in the image: %w", dir, errNotDir), err)
	}
	return f, nil
}

// sourceInNamespace is the path of a mount's source as our namespace has it. That was made when the supervisor started;
// where the host has mounted something since (and its mounts do not propagate), the path means something else here.
// Then the host's tree is copied over to a place of our own.
func (e *Engine) sourceInNamespace(c *container, m mount) (string, error) {
	there, err := identity(m.Source)
	if err != nil {
		return "", fmt.Errorf("%s: %w", m.Destination, err)
	}
	var here [2]uint64
	err = e.ns.do(func() (err error) {
		here, err = identity(m.Source)
		return err
	})
	if err == nil && here == there {
		return m.Source, nil
	}
	sum := sha256.Sum256([]byte(m.Source))
	target := c.runPath("bind-" + hex.EncodeToString(sum[:6]))
	for _, have := range c.binds {
		if have == target {
			return target, nil
		}
	}
	if err := makeTarget(target, m.Source); err != nil {
		return "", fmt.Errorf("%s: %w", m.Destination, err)
	}
	fd, err := unix.OpenTree(unix.AT_FDCWD, m.Source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return "", fmt.Errorf("%s: copy the mount of %s: %w", m.Destination, m.Source, err)
	}
	defer unix.Close(fd) // the mount has moved away
	if err := e.ns.moveIn(fd, target); err != nil {
		return "", fmt.Errorf("%s: %w", m.Destination, err)
	}
	c.binds = append(c.binds, target)
	return target, nil
}

func identity(path string) ([2]uint64, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return [2]uint64{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return [2]uint64{st.Dev, st.Ino}, nil
}

// makeTarget makes a mount point of the same kind as source.
func makeTarget(target, source string) error {
	st, err := os.Stat(source)
	if err != nil {
		return err
	}
	if st.IsDir() {
		return os.MkdirAll(target, 0o700)
	}
	return os.WriteFile(target, nil, 0o600)
}

// moveIn mounts a detached tree at target in our namespace.
func (n *mountNS) moveIn(fd int, target string) error {
	err := n.do(func() error { return unix.MoveMount(fd, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH) })
	if err != nil {
		return &os.PathError{Op: "move mount", Path: target, Err: err}
	}
	return nil
}

// adoptMount copies a mount out of the namespace of a process and mounts it at target in ours. A mount can be copied
// only from inside its namespace, so a thread goes there and ends.
func (n *mountNS) adoptMount(pid int, path, target string) error {
	type opened struct {
		fd  int
		err error
	}
	done := make(chan opened, 1)
	go onOwnThread(func() {
		fd, err := treeOf(pid, path)
		done <- opened{fd, err}
	})
	o := <-done
	if o.err != nil {
		return o.err
	}
	defer unix.Close(o.fd) // the mount has moved away
	return n.moveIn(o.fd, target)
}

func treeOf(pid int, path string) (int, error) {
	ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	if err != nil {
		return -1, err
	}
	defer ns.Close() // read only
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return -1, fmt.Errorf("unshare: %w", err)
	}
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNS); err != nil {
		return -1, fmt.Errorf("enter the mount namespace of process %d: %w", pid, err)
	}
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return -1, &os.PathError{Op: "copy mount", Path: path, Err: err}
	}
	return fd, nil
}
