package image

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	continuity "github.com/containerd/continuity/fs"
	"github.com/containerd/continuity/sysx"
	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/state"
)

// nobody is the host's id for what has none in a mapping, which the kernel shows as nobody's inside, too.
const nobody = 65534

// Shifted returns copies of unpacked layers (Image.Layers) whose files belong to the users that ids maps their owners
// to. It is for hosts whose kernel cannot map the owners of a mount. A copy is made once for each layer and mapping, and
// lives as long as its layer.
func (s *Store) Shifted(ctx context.Context, layers []string, ids user.IdentityMapping) ([]string, error) {
	text, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("shift the owners of layers: %w", err)
	}
	sum := sha256.Sum256(text)
	name := "fs-" + hex.EncodeToString(sum[:6])
	var out []string
	for _, layer := range layers {
		shifted := filepath.Join(filepath.Dir(layer), name)
		if err := s.shiftOnce(ctx, layer, shifted, ids); err != nil {
			return nil, fmt.Errorf("shift the owners of layer %.12s: %w", filepath.Base(filepath.Dir(layer)), err)
		}
		out = append(out, shifted)
	}
	return out, nil
}

// shiftOnce makes a copy under another name, which it gets when it is complete. Others that want the same one wait.
func (s *Store) shiftOnce(ctx context.Context, layer, shifted string, ids user.IdentityMapping) error {
	if _, err := os.Lstat(shifted); err == nil {
		return nil
	}
	dir := filepath.Dir(layer)
	lock, err := state.Lock(ctx, filepath.Join(s.layers, locksDir, filepath.Base(dir)))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	if _, err := os.Lstat(shifted); err == nil {
		return nil
	}
	// The name is the lock owner's alone: what is there was left by one that was killed.
	tmp := filepath.Join(dir, tmpPrefix+filepath.Base(shifted))
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	err = continuity.CopyDir(tmp, layer)
	if err == nil {
		err = shiftTree(tmp, ids)
	}
	if err == nil {
		err = os.Rename(tmp, shifted)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	return nil
}

// shiftTree gives every file below root, and root itself, the owner that ids maps its owner to.
func shiftTree(root string, ids user.IdentityMapping) error {
	seen := map[[2]uint64]bool{} // files with several names
	return filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return &fs.PathError{Op: "stat", Path: path, Err: err}
		}
		if key := [2]uint64{st.Dev, st.Ino}; st.Nlink > 1 && st.Mode&unix.S_IFMT != unix.S_IFDIR {
			if seen[key] {
				return nil
			}
			seen[key] = true
		}
		return shiftFile(path, &st, ids)
	})
}

// capability is the extended attribute of a program that runs with capabilities.
const capability = "security.capability"

// shiftFile changes the owner and puts back what the kernel takes away with that: the setuid and setgid bits and the
// capabilities.
func shiftFile(path string, st *unix.Stat_t, ids user.IdentityMapping) error {
	regular := st.Mode&unix.S_IFMT == unix.S_IFREG
	var caps []byte
	if regular {
		var err error
		if caps, err = sysx.LGetxattr(path, capability); err != nil && !errors.Is(err, unix.ENODATA) && !errors.Is(err, unix.ENOTSUP) {
			return &fs.PathError{Op: "getxattr", Path: path, Err: err}
		}
	}
	uid, gid := hostID(st.Uid, ids.UIDMaps), hostID(st.Gid, ids.GIDMaps)
	if err := unix.Lchown(path, uid, gid); err != nil {
		return &fs.PathError{Op: "chown", Path: path, Err: err}
	}
	if regular && st.Mode&(unix.S_ISUID|unix.S_ISGID) != 0 {
		if err := unix.Chmod(path, st.Mode&0o7777); err != nil {
			return &fs.PathError{Op: "chmod", Path: path, Err: err}
		}
	}
	if len(caps) == 0 {
		return nil
	}
	if err := sysx.LSetxattr(path, capability, shiftCapability(caps, ids.UIDMaps), 0); err != nil {
		return &fs.PathError{Op: "setxattr", Path: path, Err: err}
	}
	return nil
}

// shiftCapability says whose capabilities those of a file are: revision 2 of struct vfs_cap_data means the host's root,
// revision 3 (linux/capability.h) ends with the root that is meant.
func shiftCapability(caps []byte, uids []user.IDMap) []byte {
	const (
		size2, size3 = 20, 24
		revision     = 0xff000000
		revision3    = 0x03000000
	)
	root := uint32(0)
	switch len(caps) {
	case size2:
	case size3:
		root = binary.LittleEndian.Uint32(caps[size2:])
	default:
		return caps // revision 1, which the kernel does not obey in user namespaces
	}
	out := make([]byte, size3)
	copy(out, caps[:size2])
	binary.LittleEndian.PutUint32(out, binary.LittleEndian.Uint32(caps)&^revision|revision3)
	binary.LittleEndian.PutUint32(out[size2:], uint32(hostID(root, uids)))
	return out
}

// hostID maps one id.
func hostID(id uint32, maps []user.IDMap) int {
	for _, m := range maps {
		if int64(id) >= m.ID && int64(id) < m.ID+m.Count {
			return int(m.ParentID + int64(id) - m.ID)
		}
	}
	return nobody
}
