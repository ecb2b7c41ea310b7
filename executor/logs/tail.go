package logs

import (
	"bytes"
	"errors"
	"io"
	"math"
)

// seekTail drops and forwards files so that what is left to read is the newest opts.Tail entries.
func (r *reader) seekTail() error {
	need := r.opts.Tail
	if need == 0 || need == -1 {
		return nil
	}
	need = max(need, 0)
	for i := len(r.files) - 1; i >= 0; i-- {
		s := r.files[i]
		var found int
		var err error
		if s.packed {
			found, err = r.tailPacked(s, need)
		} else {
			found, err = r.tailPlain(s, need)
		}
		if err != nil {
			return err
		}
		if need -= found; need == 0 {
			for _, older := range r.files[:i] {
				older.close()
			}
			r.files = r.files[i:]
			return nil
		}
	}
	return nil
}

// tailPlain looks for the newest need records from the end of the file and seeks to the first of them. It returns how
// many there are.
func (r *reader) tailPlain(s *source, need int) (found int, err error) {
	info, err := s.file.Stat()
	if err != nil {
		return 0, err
	}
	pos := info.Size()
	if need == 0 {
		return 0, s.seek(pos)
	}
	var buf []byte // the file from pos up to the end of a record that is not yet judged
	var e Entry
	for {
		i := bytes.LastIndexByte(buf, '\n')
		if i >= 0 || pos == 0 {
			if r.dec.decode(buf[i+1:], &e) {
				if found++; found == need {
					return found, s.seek(pos + int64(i+1))
				}
			}
			if i < 0 {
				return found, s.seek(0)
			}
			buf = buf[:i]
			continue
		}
		if len(buf) > maxRecord {
			buf = nil // not a record, whatever it is
		}
		n := min(pos, 64<<10)
		block := make([]byte, n, int(n)+len(buf))
		if _, err := s.file.ReadAt(block, pos-n); err != nil && !errors.Is(err, io.EOF) {
			return found, err
		}
		buf, pos = append(block, buf...), pos-n
	}
}

// tailPacked counts the records of a compressed file, starts it again and passes over all but the newest need. It
// returns how many are left.
func (r *reader) tailPacked(s *source, need int) (left int, err error) {
	if need == 0 {
		s.in = failing{io.EOF}
		return 0, nil
	}
	total := r.pass(s, math.MaxInt)
	if err := s.rewind(); err != nil {
		return 0, err
	}
	r.pass(s, max(0, total-need))
	return min(total, need), nil
}

// pass reads up to n whole records and returns how many there were. Damage is counted when the rest is read.
func (r *reader) pass(s *source, n int) (passed int) {
	var e Entry
	for passed < n {
		record, err := s.next()
		switch {
		case errors.Is(err, errDamaged):
		case err != nil:
			return passed
		case r.dec.decode(record, &e):
			passed++
		}
	}
	return passed
}
