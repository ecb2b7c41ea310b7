package image

import (
	"archive/tar"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/containerd/v2/pkg/archive"
	continuity "github.com/containerd/continuity/fs"
	"golang.org/x/sys/unix"
)

// whiteouts turns a layer's marks of deleted files into overlayfs's: a character device 0:0, or the attribute "opaque"
// of a directory. A mark speaks of the layers below only, wherever it stands in the archive.
type whiteouts struct {
	root   string
	hidden []string // paths below root whose lower version is deleted
}

// convert is an archive.ConvertWhiteout. It returns true for what is no mark.
func (w *whiteouts) convert(hdr *tar.Header, path string) (bool, error) {
	base := filepath.Base(path)
	if base == whiteoutOpaque || !strings.HasPrefix(base, whiteoutPrefix) {
		return archive.OverlayConvertWhiteout(hdr, path)
	}
	hidden := filepath.Join(filepath.Dir(path), base[len(whiteoutPrefix):])
	rel, err := filepath.Rel(w.root, hidden)
	if err != nil {
		return false, err
	}
	w.hidden = append(w.hidden, rel)
	if _, err := os.Lstat(hidden); err == nil {
		return false, nil // the layer has a file of that name itself; it covers the lower one
	}
	return archive.OverlayConvertWhiteout(hdr, path)
}

// finish hides the lower content of directories that a layer deletes and makes anew; a file covers by itself.
func (w *whiteouts) finish() error {
	for _, rel := range w.hidden {
		// Resolved again: a later entry may have put a symbolic link into the path.
		dir, err := continuity.RootPath(w.root, filepath.Dir(rel))
		if err != nil {
			return err
		}
		path := filepath.Join(dir, filepath.Base(rel))
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) || (err == nil && !info.IsDir()) {
			continue
		}
		if err != nil {
			return err
		}
		if err := unix.Lsetxattr(path, "trusted.overlay.opaque", []byte("y"), 0); err != nil {
			return err
		}
	}
	return nil
}

// freeSpace is the number of bytes that can be written to the file system of a directory.
func freeSpace(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, &fs.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(min(st.Bavail, 1<<40)) * st.Bsize, nil //nolint:gosec // bounded
}
