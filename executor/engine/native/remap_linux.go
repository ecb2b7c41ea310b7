package native

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	idmount "github.com/containerd/containerd/v2/core/mount"
	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/network"
)

// mountRemapped mounts the root of a container whose users are others on the host: its image's files must belong to
// them. The kernel shows them so where it can map the owners of a mount below an overlay (5.19, and not on every file
// system); else the layers are copied with other owners, once for each mapping.
func (e *Engine) mountRemapped(ctx context.Context, c *container) error {
	if err := e.openRoots(c); err != nil {
		return err
	}
	if err := os.MkdirAll(c.root, 0o700); err != nil {
		return fmt.Errorf("make the mount point: %w", err)
	}
	if len(c.rec.Layers) == 0 {
		return e.overlay(c, c.lowest())
	}
	if !e.shifts.Load() {
		err := e.mountMapped(c)
		if err == nil || !cannotMap(err) {
			return err
		}
	}
	layers, err := e.images.Shifted(ctx, c.rec.Layers, c.rec.IDs)
	if err != nil {
		return err
	}
	if err := e.overlay(c, layers); err != nil {
		return err
	}
	e.shifts.Store(true) // the layers were the reason, and so they will be next time
	return nil
}

// cannotMap tells a kernel or file system that cannot map owners, or may not, from other failures.
func cannotMap(err error) bool {
	for _, no := range []error{unix.EINVAL, unix.ENOSYS, unix.EOPNOTSUPP, unix.EPERM} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// mountMapped shows all layers with mapped owners at a place of the container's own, just long enough to mount the
// overlay over them: that holds on to what it needs.
func (e *Engine) mountMapped(c *container) error {
	users, err := e.users.get(c.rec.IDs)
	if err != nil {
		return err
	}
	all, lower := e.cfg.Paths.Layers(), c.path("lower")
	layers := make([]string, len(c.rec.Layers))
	for i, l := range c.rec.Layers {
		rel, err := filepath.Rel(all, l)
		if err != nil {
			return err
		}
		layers[i] = filepath.Join(lower, rel)
	}
	if err := os.MkdirAll(lower, 0o700); err != nil {
		return err
	}
	err = e.ns.do(func() error {
		if err := idmount.IDMapMount(all, lower, int(users.Fd())); err != nil {
			return err
		}
		err := mountOverlay(c.root, c.path("upper"), c.path("work"), layers)
		return errors.Join(err, unix.Unmount(lower, unix.MNT_DETACH))
	})
	if err != nil {
		return fmt.Errorf("mount the root file system: %w", err)
	}
	return nil
}

// tryMapping tells whether the kernel can map the owners of layers in dir, or in the closest parent that exists, without
// mounting anything.
func tryMapping(dir string) error {
	var u unix.Utsname
	_ = unix.Uname(&u) // cannot fail with a valid pointer
	if !atLeast(unix.ByteSliceToString(u.Release[:]), 5, 19) {
		return unix.ENOSYS
	}
	for _, err := os.Stat(dir); err != nil && dir != "/"; _, err = os.Stat(dir) {
		dir = filepath.Dir(dir)
	}
	one := []user.IDMap{{ParentID: firstSubID, Count: 1}}
	users, err := newUserNS(user.IdentityMapping{UIDMaps: one, GIDMaps: one})
	if err != nil {
		return err
	}
	defer users.Close() // read only
	tree, err := unix.OpenTree(unix.AT_FDCWD, dir, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(tree) // which makes the copy go away
	return unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, &unix.MountAttr{
		Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(users.Fd()),
	})
}

// openRoots prepares the directory in which the roots of remapped containers are mounted. The runtime enters them as
// the container's root, who is nobody there, so every directory above must let it pass; and what is mounted there is
// for our namespace only.
func (e *Engine) openRoots(c *container) error {
	e.rootsMu.Lock()
	defer e.rootsMu.Unlock()
	if e.rootsOpen {
		return nil
	}
	dir := e.cfg.Paths.Roots()
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return fmt.Errorf("make the directory of mount points: %w", err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { // whatever the umask is
		return fmt.Errorf("make the directory of mount points: %w", err)
	}
	for p := dir; p != "/"; p = filepath.Dir(p) {
		st, err := os.Stat(p)
		if err != nil {
			return fmt.Errorf("look at the directory of mount points: %w", err)
		}
		if st.Mode()&0o001 == 0 {
			uid, _ := c.rec.IDs.RootPair()
			return remapError("user %d, who is the containers' root, cannot pass the directory %s. Run: chmod o+x %s", uid, p, p)
		}
	}
	if err := e.ns.do(func() error { return detachMounts(dir) }); err != nil {
		return err
	}
	e.rootsOpen = true
	return nil
}

// own gives files that the container's root may change to that user.
func (c *container) own(paths ...string) error {
	if !c.remapped() {
		return nil
	}
	uid, gid := c.rec.IDs.RootPair()
	for _, p := range paths {
		if err := os.Chown(p, uid, gid); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("give a file to the container: %w", err)
		}
	}
	return nil
}

// useUsers makes a network belong to the container's users.
func (e *Engine) useUsers(c *container, a *network.Attach) error {
	if !c.remapped() || a.ReuseNetnsPID != 0 {
		return nil
	}
	var err error
	a.Users, err = e.users.get(c.rec.IDs)
	return err
}
