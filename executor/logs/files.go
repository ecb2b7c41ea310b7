package logs

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"
)

// openAll opens the log's files, oldest first. Everything is open before anything is read, so that rotation cannot take
// a file away.
//
// The writer rotates by renaming one file after the other, without asking readers. What was opened counts only if the
// names still stand for the same files afterwards, and if no name is missing in between, which happens in the middle of
// a rotation. Otherwise the opening starts over, for at most a tenth of a second: a writer that was killed in the middle
// leaves a gap that stays.
func openAll(path string) ([]*source, error) {
	for try := 0; ; try++ {
		files, gap, err := openOnce(path)
		if err != nil {
			return nil, err
		}
		if try == 100 || (!gap && unchanged(path, files)) {
			files = slices.DeleteFunc(files, func(s *source) bool { return s == nil })
			slices.Reverse(files)
			return files, nil
		}
		closeAll(files)
		<-time.After(time.Millisecond)
	}
}

func closeAll(files []*source) {
	for _, s := range files {
		if s != nil {
			s.close()
		}
	}
}

// openOnce opens the current file and the rotated ones by number; nil stands for one that is missing (gap) although an
// older one exists.
func openOnce(path string) (files []*source, gap bool, err error) {
	missing := 0
	for i := 0; missing < 2; i++ {
		s, err := openNth(path, i)
		switch {
		case err == nil:
			gap = gap || missing > 0
			missing = 0
		case errors.Is(err, fs.ErrNotExist):
			missing++
		default:
			closeAll(files)
			return nil, false, err
		}
		files = append(files, s)
	}
	return files[:len(files)-missing], gap, nil
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

// unchanged reports whether each name still stands for the file that was opened by it, and no file was added.
func unchanged(path string, files []*source) bool {
	for i := range len(files) + 1 {
		now, err := statNth(path, i)
		if i == len(files) {
			return errors.Is(err, fs.ErrNotExist)
		}
		if err != nil {
			return false
		}
		opened, err := files[i].file.Stat()
		if err != nil || !os.SameFile(now, opened) {
			return false
		}
	}
	return true
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
