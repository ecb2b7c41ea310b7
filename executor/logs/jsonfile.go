package logs

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
)

var errClosed = errors.New("the log is closed")

// partialError says how many entries of a batch were not stored.
type partialError struct {
	lost int
	err  error
}

func (e *partialError) Error() string { return e.err.Error() }
func (e *partialError) Unwrap() error { return e.err }

// store gives entries to a driver, all at once if it can, and returns a *partialError if some were refused.
func store(d Driver, entries []Entry) error {
	if b, ok := d.(batcher); ok {
		return b.writeBatch(entries)
	}
	var failed partialError
	for _, e := range entries {
		if err := d.Write(e); err != nil {
			failed.lost++
			failed.err = err
		}
	}
	if failed.lost > 0 {
		return &failed
	}
	return nil
}

// lostOf is the number of entries that did not get stored when a batch of n failed with err.
func lostOf(err error, n int) int64 {
	var p *partialError
	if errors.As(err, &p) {
		return int64(p.lost)
	}
	return int64(n)
}

// jsonFile is log-driver json-file.
type jsonFile struct {
	path string
	cfg  jsonFileConfig

	mu       sync.Mutex
	file     *os.File // nil after Close
	size     int64    // of file
	buf      []byte   // records on their way to the file
	torn     bool     // the file ends in part of a record
	compress sync.WaitGroup
}

func openJSONFile(path string, cfg jsonFileConfig) (*jsonFile, error) {
	f, err := openAppend(path)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	d := &jsonFile{path: path, cfg: cfg, file: f}
	if err := d.inspect(); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("open log: %w", err)
	}
	if cfg.compress {
		d.compressRotated() // what a killed predecessor left
	}
	return d, nil
}

// openAppend opens a log file. It is readable so that its last byte can be looked at.
func openAppend(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
}

// inspect finds out the size, and whether the last record is whole.
func (d *jsonFile) inspect() error {
	info, err := d.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", d.path)
	}
	d.size = info.Size()
	if d.size == 0 {
		return nil
	}
	var last [1]byte
	if _, err := d.file.ReadAt(last[:], d.size-1); err != nil {
		return err
	}
	d.torn = last[0] != '\n'
	return nil
}

// Write implements Driver.
func (d *jsonFile) Write(e Entry) error { return d.writeBatch([]Entry{e}) }

// writeBatch stores all entries with one write(2), or one per file where rotation is due in between.
func (d *jsonFile) writeBatch(entries []Entry) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file == nil {
		return errClosed
	}
	var failed partialError
	queued := 0 // entries in buf
	write := func() {
		if lost, err := d.writeOut(); err != nil {
			failed.lost += min(lost, queued)
			failed.err = err
		}
		queued = 0
	}
	d.buf = d.buf[:0]
	for _, e := range entries {
		if d.torn && len(d.buf) == 0 {
			d.buf = append(d.buf, '\n')
		}
		// As docker: a record never makes a file rotate, the one after it does.
		if d.cfg.maxSize > 0 && d.size+int64(len(d.buf)) >= d.cfg.maxSize {
			write()
			if err := d.rotate(); err != nil {
				failed.err = err // go on in the old file: a big log is better than none
			}
		}
		d.buf = appendRecord(d.buf, e, d.cfg.attrs)
		queued++
	}
	write()
	if cap(d.buf) > 1<<20 {
		d.buf = nil
	}
	if failed.err != nil {
		return &failed
	}
	return nil
}

// writeOut writes buf and empties it. On failure it says how many records did not reach the file whole, and cuts off a
// torn one, so that the next record starts on a line of its own.
func (d *jsonFile) writeOut() (lost int, err error) {
	if len(d.buf) == 0 {
		return 0, nil
	}
	n, err := d.file.Write(d.buf)
	rest := d.buf[n:]
	d.buf = d.buf[:0]
	if err == nil {
		d.size += int64(n)
		d.torn = false
		return 0, nil
	}
	whole := d.buf[:n]
	keep := bytes.LastIndexByte(whole, '\n') + 1
	d.torn = d.torn && keep == 0
	if terr := d.file.Truncate(d.size + int64(keep)); terr != nil {
		d.torn = d.torn || keep < n
		keep = n
	}
	d.size += int64(keep)
	return bytes.Count(rest, []byte{'\n'}), fmt.Errorf("write log: %w", err)
}

// rotate starts a new file. With one file only the old content is given up; the file is replaced and not truncated, so
// that a reader which has it open can finish it. The new file is made first: if that fails, nothing has been moved.
func (d *jsonFile) rotate() error {
	d.compress.Wait()
	tmp := d.path + ".new"
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("rotate log: %w", err)
	}
	if d.cfg.maxFiles > 1 {
		err = d.shift()
	}
	if err == nil {
		err = os.Rename(tmp, d.path)
	}
	if err != nil {
		_ = f.Close()
		return fmt.Errorf("rotate log: %w", err)
	}
	_ = d.file.Close() // everything is written; nothing was buffered
	d.file, d.size, d.torn = f, 0, false
	if d.cfg.compress {
		d.compressRotated()
	}
	return nil
}

// shift renames PATH to PATH.1, PATH.1 to PATH.2 and so on; the oldest is overwritten.
func (d *jsonFile) shift() error {
	ext := ""
	if d.cfg.compress {
		ext = gzipExt
	}
	free := 1 // the first unused number, or the oldest file's
	for free < d.cfg.maxFiles-1 {
		if _, err := os.Lstat(rotatedName(d.path, free) + ext); err != nil {
			break
		}
		free++
	}
	for i := free; i > 1; i-- {
		if err := os.Rename(rotatedName(d.path, i-1)+ext, rotatedName(d.path, i)+ext); err != nil {
			return err
		}
	}
	if err := os.Rename(d.path, rotatedName(d.path, 1)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

const gzipExt = ".gz"

func rotatedName(path string, i int) string { return path + "." + strconv.Itoa(i) }

// compressRotated turns PATH.1 into PATH.1.gz beside the writing of the log. On failure the plain file stays, and
// readers read that.
func (d *jsonFile) compressRotated() {
	d.compress.Go(func() { _ = compressFile(rotatedName(d.path, 1)) })
}

func compressFile(path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	tmp := path + gzipExt + ".tmp"
	out, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	z := gzip.NewWriter(out)
	if info, serr := in.Stat(); serr == nil {
		z.Comment = originOf(info) // lets a follower of the plain file find its place
	}
	_, err = io.Copy(z, in)
	err = errors.Join(err, z.Close(), out.Close())
	if err == nil {
		err = os.Rename(tmp, path+gzipExt)
	}
	if err != nil {
		_ = os.Remove(tmp)
		return err
	}
	return os.Remove(path)
}

// Close implements Driver. It waits for a compression that is under way.
func (d *jsonFile) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file == nil {
		return nil
	}
	err := d.file.Close()
	d.file = nil
	d.compress.Wait()
	return err
}
