package logs

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
)

// maxRecord is the longest record in bytes that is taken for one: 16 KiB of text, each byte escaped as \u00XX, and
// attrs. Without a limit a damaged file could take all memory.
const maxRecord = 1 << 20

// errDamaged stands for a record that is too long, or for the unreadable end of a compressed file.
var errDamaged = errors.New("damaged record")

// source is one file of a log, read record by record.
type source struct {
	file   *os.File
	in     io.Reader // file, or what decompresses it
	packed bool      // compressed: no seeking, no growing

	buf        []byte
	start, end int // unread bytes of buf
	offset     int64
	overlong   bool // inside a record of more than maxRecord bytes
}

func newSource(f *os.File) *source { return &source{file: f, in: f} }

func (s *source) close() { _ = s.file.Close() }

// next returns the next record without its newline, valid until the next call. io.EOF means that no whole record is
// there; a file that grows may have one later.
func (s *source) next() ([]byte, error) {
	scanned := 0
	for {
		if i := bytes.IndexByte(s.buf[s.start+scanned:s.end], '\n'); i >= 0 {
			record := s.buf[s.start : s.start+scanned+i]
			s.start += scanned + i + 1
			if s.overlong {
				s.overlong = false
				return nil, errDamaged
			}
			return record, nil
		}
		scanned = s.end - s.start
		if scanned >= maxRecord {
			s.overlong = true
			s.start, s.end, scanned = 0, 0, 0
		}
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
}

// fill reads more bytes behind the unread ones.
func (s *source) fill() error {
	if s.start > 0 {
		s.end = copy(s.buf, s.buf[s.start:s.end])
		s.start = 0
	}
	if s.end == len(s.buf) {
		s.buf = append(s.buf, make([]byte, max(64<<10, len(s.buf)))...)
	}
	n, err := s.in.Read(s.buf[s.end:])
	s.end += n
	s.offset += int64(n)
	if n > 0 {
		return nil
	}
	if err != nil && err != io.EOF && s.packed { // gzip and files return io.EOF itself
		s.in = failing{io.EOF}
		s.start, s.end = 0, 0
		return errDamaged
	}
	return err
}

// holds reports whether the source is the file of info, or was made from it by compression. An inode number is enough
// for the newest source that has it: it is not given away again while the caller has the file open.
func (s *source) holds(info os.FileInfo) bool {
	if s.packed {
		z, ok := s.in.(*gzip.Reader)
		return ok && z.Comment != "" && z.Comment == originOf(info)
	}
	mine, err := s.file.Stat()
	return err == nil && os.SameFile(mine, info)
}

// unfinished takes what follows the last newline.
func (s *source) unfinished() []byte {
	rest := s.buf[s.start:s.end]
	s.start = s.end
	if s.overlong {
		return []byte{0} // not a record; counted as a damaged one
	}
	return rest
}

// rewind starts a compressed file from its beginning. One that is damaged from there on is taken as a single damaged
// record.
func (s *source) rewind() error {
	if err := s.seek(0); err != nil {
		return err
	}
	z, err := gzip.NewReader(s.file)
	if err != nil {
		s.in = failing{err}
		return nil
	}
	s.in = z
	return nil
}

// failing is a reader without anything to read.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// seek continues at the offset.
func (s *source) seek(offset int64) error {
	s.start, s.end, s.offset, s.overlong = 0, 0, offset, false
	_, err := s.file.Seek(offset, io.SeekStart)
	return err
}
