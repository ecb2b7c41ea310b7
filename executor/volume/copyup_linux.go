package volume

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	continuity "github.com/containerd/continuity/fs"
	"github.com/containerd/continuity/sysx"
	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/state"
)

// The files of a volume that is being filled.
const (
	lockFile   = "lock"
	copyDir    = "copy"   // the image's files, until they are in _data
	copiedFile = "copied" // exists once copyDir is complete
)

// CopyUp fills an empty volume with what the image has at its place: the files below from, and from's own owner, mode,
// times and extended attributes. A volume that holds anything is left alone. The path from must stay inside the image;
// its last component may be a symbolic link (/proc/self/fd/N).
//
// The files are copied beside the volume and then moved in, so a crash leaves a volume that is empty or complete, or
// that the next CopyUp completes. Nothing that a container has written is ever deleted.
func (s *Store) CopyUp(ctx context.Context, v *Volume, from string) error {
	lock, err := state.Lock(ctx, filepath.Join(v.dir, lockFile))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	if err := v.copyUp(from); err != nil {
		return fmt.Errorf("copy the image's files into volume %q: %w", v.Name, err)
	}
	return nil
}

// Give makes an empty volume the property of a user and group, if it is still the host's root's as all are made. It is
// for containers whose root is another user: without it they could not write.
func (s *Store) Give(ctx context.Context, v *Volume, uid, gid int) error {
	lock, err := state.Lock(ctx, filepath.Join(v.dir, lockFile))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	var st unix.Stat_t
	if err := unix.Stat(v.Path(), &st); err != nil {
		return &fs.PathError{Op: "stat", Path: v.Path(), Err: err}
	}
	entries, err := os.ReadDir(v.Path())
	if err != nil || len(entries) > 0 || st.Uid != 0 || st.Gid != 0 {
		return err
	}
	return os.Chown(v.Path(), uid, gid)
}

func (v *Volume) copyUp(from string) error {
	copied := filepath.Join(v.dir, copiedFile)
	if _, err := os.Lstat(copied); errors.Is(err, fs.ErrNotExist) {
		entries, err := os.ReadDir(v.Path())
		if err != nil || len(entries) > 0 {
			return err
		}
		if err := v.makeCopy(from); err != nil {
			return errors.Join(err, os.RemoveAll(filepath.Join(v.dir, copyDir)))
		}
		// The marker keeps the times of the image's directory, which moving its files would change.
		if err := errors.Join(os.WriteFile(copied, nil, 0o600), copyTime(copied, filepath.Join(v.dir, copyDir))); err != nil {
			return errors.Join(err, os.Remove(copied))
		}
	} else if err != nil {
		return err
	}
	if err := v.moveIn(); err != nil {
		return err
	}
	if err := copyTime(v.Path(), copied); err != nil {
		return err
	}
	return os.Remove(copied)
}

// makeCopy fills copyDir anew.
func (v *Volume) makeCopy(from string) error {
	tmp := filepath.Join(v.dir, copyDir)
	if err := os.RemoveAll(tmp); err != nil { // left by one that was killed
		return err
	}
	from += "/." // so that a link that stands for an open directory is followed for its attributes, too
	// Labels of SELinux and marks of overlayfs belong to the place a file is in.
	err := continuity.CopyDir(tmp, from, continuity.WithXAttrExclude("security.selinux", "trusted.overlay.opaque"))
	if err != nil {
		return err
	}
	return copyTimes(tmp, from)
}

// copyTimes gives directories the times of their originals once they are filled; filling changed them.
func copyTimes(to, from string) error {
	return filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(to, path)
		if err != nil {
			return err
		}
		return copyTime(path, filepath.Join(from, rel))
	})
}

func copyTime(to, from string) error {
	var st unix.Stat_t
	if err := unix.Stat(from, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: from, Err: err}
	}
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, to, []unix.Timespec{st.Atim, st.Mtim}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &fs.PathError{Op: "utimes", Path: to, Err: err}
	}
	return nil
}

// moveIn moves the complete copy into _data, which a container may have mounted already, so it cannot be replaced as a
// whole. What a container has put there meanwhile stays.
func (v *Volume) moveIn() error {
	tmp := filepath.Join(v.dir, copyDir)
	entries, err := os.ReadDir(tmp)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a crash came after everything was done
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		err := unix.Renameat2(unix.AT_FDCWD, filepath.Join(tmp, e.Name()),
			unix.AT_FDCWD, filepath.Join(v.Path(), e.Name()), unix.RENAME_NOREPLACE)
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return &fs.PathError{Op: "rename", Path: e.Name(), Err: err}
		}
	}
	if err := copyAttributes(v.Path(), tmp); err != nil {
		return err
	}
	return os.RemoveAll(tmp)
}

// copyAttributes gives a directory the owner, mode and extended attributes of another one.
func copyAttributes(to, from string) error {
	var st unix.Stat_t
	if err := unix.Stat(from, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: from, Err: err}
	}
	if err := unix.Chown(to, int(st.Uid), int(st.Gid)); err != nil {
		return &fs.PathError{Op: "chown", Path: to, Err: err}
	}
	if err := unix.Chmod(to, st.Mode&0o7777); err != nil { // after chown, which clears setuid and setgid
		return &fs.PathError{Op: "chmod", Path: to, Err: err}
	}
	names, err := sysx.LListxattr(from)
	if errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	if err != nil {
		return &fs.PathError{Op: "listxattr", Path: from, Err: err}
	}
	for _, name := range names {
		value, err := sysx.LGetxattr(from, name)
		if err == nil {
			err = sysx.LSetxattr(to, name, value, 0)
		}
		if err != nil {
			return &fs.PathError{Op: "copy attribute " + name, Path: to, Err: err}
		}
	}
	return nil
}
