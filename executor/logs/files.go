package logs

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"
)

// openAll opens the log's files, oldest first. Everything is open before anything is read, so that rotation cannot take
// a file away. Files older than old are left out; nil = none.
//
// The writer rotates by renaming one file after the other, without asking readers. What was opened counts only if the
// names still stand for the same files afterwards, and if no name is missing in between, which happens in the middle of
// a rotation. Otherwise the opening starts over, for at most a tenth of a second: a writer that was killed in the middle
// leaves a gap that stays.
func openAll(path string, old fs.FileInfo) ([]*source, error) {
	for try := 0; ; try++ {
		set, err := openOnce(path, old)
		if err != nil {
			return nil, err
		}
		if try == 100 || (!set.gap && set.unchanged(path)) {
			files := slices.DeleteFunc(set.files, func(s *source) bool { return s == nil })
			slices.Reverse(files)
			return files, nil
		}
		closeAll(set.files)
		<-time.After(time.Millisecond)
	}
}

// fileSet is a log's files by number, as one look found them.
type fileSet struct {
	files []*source // nil = missing
	gap   bool      // one is missing although an older one exists
	found bool      // the last one is the file that was looked for
}

func closeAll(files []*source) {
	for _, s := range files {
		if s != nil {
			s.close()
		}
	}
}

// openOnce opens the current file and the rotated ones by number, up to the one that is or was made from old. Going from
// the newest to the oldest matters: older archives may name the same inode, used before by another file.
func openOnce(path string, old fs.FileInfo) (set fileSet, err error) {
	missing := 0
	for i := 0; missing < 2 && !set.found; i++ {
		s, err := openNth(path, i)
		switch {
		case err == nil:
			set.gap = set.gap || missing > 0
			set.found = old != nil && s.holds(old)
			missing = 0
		case errors.Is(err, fs.ErrNotExist):
			missing++
		default:
			closeAll(set.files)
			return set, err
		}
		set.files = append(set.files, s)
	}
	set.files = set.files[:len(set.files)-missing]
	return set, nil
}

// openNth opens the current file (0) or a rotated one. The plain file comes first: while both exist it is the complete
// one.
func openNth(path string, i int) (*source, error) {
	if i == 0 {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		return newSource(f), nil
	}
	f, err := os.Open(rotatedName(path, i))
	if err == nil {
		return newSource(f), nil
	}
	if f, err = os.Open(rotatedName(path, i) + gzipExt); err != nil {
		return nil, err
	}
	s := newSource(f)
	s.packed = true
	if err := s.rewind(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// unchanged reports whether each name still stands for the file that was opened by it, and no older file was added.
func (set fileSet) unchanged(path string) bool {
	for i, s := range set.files {
		now, err := statNth(path, i)
		if err != nil {
			return false
		}
		opened, err := s.file.Stat()
		if err != nil || !os.SameFile(now, opened) {
			return false
		}
	}
	if set.found {
		return true
	}
	_, err := statNth(path, len(set.files))
	return errors.Is(err, fs.ErrNotExist)
}

func statNth(path string, i int) (fs.FileInfo, error) {
	if i == 0 {
		return os.Stat(path)
	}
	info, err := os.Stat(rotatedName(path, i))
	if err != nil {
		info, err = os.Stat(rotatedName(path, i) + gzipExt)
	}
	return info, err
}
