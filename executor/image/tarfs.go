package image

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/containerd/containerd/v2/pkg/archive/compression"
)

// source is where an image on disk is read from: a directory or an archive.
type source interface {
	// open returns the content of a file, by its path within the source with slashes.
	open(name string) (io.ReadCloser, error)
	Close() error
}

// layoutDir is a directory. What leads out of it cannot be opened.
type layoutDir struct{ *os.Root }

func (d layoutDir) open(name string) (io.ReadCloser, error) {
	// A FIFO or device in the place of a blob would hang the import, from its opening on, or feed it without end.
	f, err := d.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		_ = f.Close()
		return nil, errors.Join(err, fmt.Errorf("%s is not a regular file", name))
	}
	return f, nil
}

// maxMembers bounds the files of an archive that holds images; layers are files within it, their content does not count.
const maxMembers = 100_000

// tarFile is an archive, indexed once so that its files can be read in any order.
type tarFile struct {
	file    *os.File
	members map[string]member
	links   map[string]string
}

type member struct{ offset, size int64 }

// openTar indexes an archive. A compressed one is unpacked into a nameless file in scratch first.
func openTar(name, scratch string) (*tarFile, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	f, err = plainFile(f, scratch)
	if err != nil {
		return nil, err
	}
	t := &tarFile{file: f, members: map[string]member{}, links: map[string]string{}}
	if err := t.scan(); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// plainFile returns f, or its decompressed copy.
func plainFile(f *os.File, scratch string) (*os.File, error) {
	head, err := bufio.NewReader(f).Peek(10)
	if err != nil && !errors.Is(err, io.EOF) {
		_ = f.Close()
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		_ = f.Close()
		return nil, err
	}
	if compression.DetectCompression(head) == compression.Uncompressed {
		return f, nil
	}
	defer f.Close()
	z, err := compression.DecompressStream(f)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	plain, err := os.CreateTemp(scratch, "archive-")
	if err != nil {
		return nil, err
	}
	// Without a name it is gone with the process, however that ends.
	err = os.Remove(plain.Name())
	if err == nil {
		_, err = io.Copy(plain, z)
	}
	if err == nil {
		_, err = plain.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = plain.Close()
		return nil, err
	}
	return plain, nil
}

// scan notes where each file is. tar.Reader reads headers only and seeks over contents, so after Next the file's
// position is where the content starts.
func (t *tarFile) scan() error {
	r := tar.NewReader(t.file)
	for {
		hdr, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(t.members)+len(t.links) == maxMembers {
			return fmt.Errorf("more than %d files", maxMembers)
		}
		name := memberName(hdr.Name)
		switch hdr.Typeflag {
		case tar.TypeReg:
			offset, err := t.file.Seek(0, io.SeekCurrent)
			if err != nil {
				return err
			}
			t.members[name] = member{offset, hdr.Size}
		case tar.TypeSymlink:
			t.links[name] = memberName(path.Join(path.Dir(name), hdr.Linkname))
		case tar.TypeLink:
			t.links[name] = memberName(hdr.Linkname)
		}
	}
}

func memberName(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

func (t *tarFile) open(name string) (io.ReadCloser, error) {
	name = memberName(name)
	for range 10 { // links of links; docker save wrote one for a layer that two images share
		if m, ok := t.members[name]; ok {
			return section{io.NewSectionReader(t.file, m.offset, m.size)}, nil
		}
		next, ok := t.links[name]
		if !ok {
			break
		}
		name = next
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// Close implements io.Closer.
func (t *tarFile) Close() error { return t.file.Close() }

type section struct{ *io.SectionReader }

func (section) Close() error { return nil }
