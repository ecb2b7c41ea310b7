package native

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/ocispec"
)

// makeLayer prepares the writable layer of a container. The root of the merged tree has the mode and owner of the
// upper directory, so that takes over those of the image.
func (c *container) makeLayer() error {
	for _, d := range []string{"upper", "work", "rootfs"} {
		if d == "rootfs" && c.remapped() {
			continue // mounted elsewhere
		}
		if err := os.MkdirAll(c.path(d), 0o755); err != nil {
			return fmt.Errorf("make the writable layer: %w", err)
		}
	}
	if len(c.rec.Layers) == 0 {
		if err := os.MkdirAll(c.path("empty"), 0o755); err != nil {
			return fmt.Errorf("make the writable layer: %w", err)
		}
		return c.own(c.path("upper"))
	}
	var st unix.Stat_t
	if err := unix.Stat(c.rec.Layers[len(c.rec.Layers)-1], &st); err != nil {
		return fmt.Errorf("look at the image's root: %w", err)
	}
	uid, gid, err := c.rec.IDs.ToHost(int(st.Uid), int(st.Gid))
	if err == nil {
		err = os.Chown(c.path("upper"), uid, gid)
	}
	if err != nil {
		return fmt.Errorf("make the writable layer: %w", err)
	}
	return unix.Chmod(c.path("upper"), st.Mode&0o7777)
}

// mountRootfs mounts the container's root in our namespace if it is not. Not while a process of an earlier supervisor
// still uses the same layer.
func (e *Engine) mountRootfs(ctx context.Context, c *container) error {
	if c.mounted {
		return nil
	}
	var err error
	if c.remapped() {
		err = e.mountRemapped(ctx, c)
	} else {
		err = e.overlay(c, c.lowest())
	}
	if err != nil {
		return err
	}
	c.mounted = true
	return nil
}

// overlay mounts the writable layer over others.
func (e *Engine) overlay(c *container, layers []string) error {
	err := e.ns.do(func() error { return mountOverlay(c.rootfs(), c.path("upper"), c.path("work"), layers) })
	if err != nil {
		return fmt.Errorf("mount the root file system: %w", err)
	}
	return nil
}

// lowest are the directories below the writable layer: those of the image, or an empty one for an image without any.
func (c *container) lowest() []string {
	if len(c.rec.Layers) == 0 {
		return []string{c.path("empty")}
	}
	return c.rec.Layers
}

// rootfs is where the container's root is mounted in our namespace.
func (c *container) rootfs() string {
	if c.remapped() {
		return c.root
	}
	return c.path("rootfs")
}

// unmountRootfs takes all mounts of a container out of our namespace.
func (e *Engine) unmountRootfs(c *container) error {
	err := e.unmountRun(c)
	if c.mounted {
		if uerr := e.ns.unmount(c.rootfs()); uerr != nil {
			return errors.Join(err, uerr)
		}
		c.mounted = false
	}
	return err
}

// unmountRun takes away the mounts that belong to one run of the process.
func (e *Engine) unmountRun(c *container) error {
	var errs []error
	if c.shm {
		errs = append(errs, e.ns.unmount(c.path("shm")))
		c.shm = false
	}
	for _, b := range c.binds {
		errs = append(errs, e.ns.unmount(b))
	}
	c.binds = nil
	return errors.Join(errs...)
}

// mountOverlay names every directory by its descriptor: the options must fit into a page, of which 128 layers with long
// names would take several, and a path may hold the characters that separate options. The descriptors must be opened in
// the namespace in which is mounted.
func mountOverlay(target, upper, work string, layers []string) error {
	var files []*os.File
	defer func() {
		for _, f := range files {
			_ = f.Close()
		}
	}()
	open := func(dir string) (string, error) {
		fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return "", &os.PathError{Op: "open", Path: dir, Err: err}
		}
		files = append(files, os.NewFile(uintptr(fd), dir))
		return fmt.Sprintf("/proc/self/fd/%d", fd), nil
	}
	var lower []string
	for i := range layers {
		p, err := open(layers[len(layers)-1-i]) // overlay wants the topmost first
		if err != nil {
			return err
		}
		lower = append(lower, p)
	}
	u, err := open(upper)
	if err != nil {
		return err
	}
	w, err := open(work)
	if err != nil {
		return err
	}
	options := "lowerdir=" + strings.Join(lower, ":") + ",upperdir=" + u + ",workdir=" + w
	if err := unix.Mount("overlay", target, "overlay", 0, options); err != nil {
		return &os.PathError{Op: "mount overlay", Path: target, Err: err}
	}
	return nil
}

// rootDir opens the merged tree so that it can be read from any thread.
func (e *Engine) rootDir(c *container) (*os.File, error) {
	var f *os.File
	err := e.ns.do(func() (err error) {
		fd, err := unix.Open(c.rootfs(), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err == nil {
			f = os.NewFile(uintptr(fd), c.rootfs())
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open the root file system: %w", err)
	}
	return f, nil
}

// fdPath names an open directory. The link in /proc leads to it whatever mount namespace the reader is in.
func fdPath(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

// makeShm makes the /dev/shm of a container that shares it: a tmpfs in our namespace, from where the joiners' binds
// take it. It lives until the container ends.
func (e *Engine) makeShm(c *container) (string, error) {
	dir := c.path("shm")
	if c.shm {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make /dev/shm: %w", err)
	}
	size := ocispec.ShmOptions(c.rec.Container.Spec.Mounts.ShmSize.Value)
	var data []string
	if c.remapped() {
		uid, gid := c.rec.IDs.RootPair()
		data = append(data, fmt.Sprintf("uid=%d,gid=%d", uid, gid))
	}
	for _, o := range size {
		if strings.Contains(o, "=") {
			data = append(data, o)
		}
	}
	err := e.ns.do(func() error {
		return unix.Mount("shm", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, strings.Join(data, ","))
	})
	if err != nil {
		return "", fmt.Errorf("mount /dev/shm: %w", err)
	}
	c.shm = true
	return dir, nil
}

// removeAll deletes files of the engine below the container's directory; it must not run into a mount.
func (c *container) removeAll() error {
	var errs []error
	for _, p := range []string{c.path("rootfs"), c.path("shm"), c.path("lower"), c.root} {
		// rmdir, not RemoveAll: what is mounted there must not be emptied.
		if err := os.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove container: %w", err)
	}
	for _, d := range []string{"upper", "work", "empty", "net", recordFile} {
		errs = append(errs, os.RemoveAll(c.path(d)))
	}
	// Half-written records of a supervisor that was killed.
	halves, _ := filepath.Glob(filepath.Join(escapeGlob(c.dir), "."+recordFile+".*"))
	for _, h := range halves {
		errs = append(errs, os.Remove(h))
	}
	errs = append(errs, os.RemoveAll(c.run))
	_ = os.Remove(c.dir) // the supervisor's own files may be there
	return errors.Join(errs...)
}

// escapeGlob makes a directory's name stand for itself in a pattern.
func escapeGlob(dir string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}
