package state

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrCorrupt is what ReadJSON answers for a file that is not the JSON it should be. The file has been moved aside.
var ErrCorrupt = errors.New("state file is damaged")

// WriteJSON replaces the file by v, making its directory if needed. A reader, or a process that goes on after this one
// was killed, sees the old content or the new, never a part. Two writers of one file at a time do not mix; the last
// rename wins.
func WriteJSON(path string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	f, err := createTemp(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(append(data, '\n'))
	// Close before rename: a full disk may show only here (delayed allocation on network file systems).
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = replace(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error is the one to report
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// UpdateJSON is WriteJSON for a file that has one writer at a time, for ever: it writes into the file that the last
// UpdateJSON has replaced (PATH~) and exchanges the two, so that a record that changes often costs no new file each
// time. On ext4 making files is what a save costs: 50 containers took 69 ms in the kernel with WriteJSON and take 25 ms.
func UpdateJSON(path string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	spare := path + "~"
	if err := overwrite(spare, append(data, '\n')); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := swap(spare, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// overwrite gives a file new content without emptying it first: ext4 writes a file that was emptied to disk at once.
func overwrite(path string, data []byte) error {
	f, err := open(path, os.O_WRONLY|os.O_CREATE)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Truncate(int64(len(data)))
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// open opens a file (0600) and makes its directory only when it is missing, which saves a system call for each of many
// writes.
func open(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag, 0o600)
	if !errors.Is(err, os.ErrNotExist) {
		return f, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(path, flag, 0o600)
}

// createTemp makes a file (0600, as os.CreateTemp does) beside path; the directory is made only when it is missing,
// which saves a system call for each of many writes.
func createTemp(path string) (*os.File, error) {
	dir, pattern := filepath.Dir(path), "."+filepath.Base(path)+".*.tmp"
	f, err := os.CreateTemp(dir, pattern)
	if !errors.Is(err, os.ErrNotExist) {
		return f, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return os.CreateTemp(dir, pattern)
}

// ReadJSON reads what WriteJSON wrote. A missing file is os.ErrNotExist. A file that cannot be decoded is moved to
// PATH.corrupt, replacing an earlier one, so that it can be looked at and does not stop the next reader; the error is
// then ErrCorrupt.
func ReadJSON[T any](path string) (T, error) {
	var v T
	data, err := os.ReadFile(path)
	if err != nil {
		return v, fmt.Errorf("read state: %w", err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		var zero T
		aside := path + ".corrupt"
		if rerr := os.Rename(path, aside); rerr != nil {
			return zero, fmt.Errorf("read %s: %w: %w; it could not be moved aside: %w", path, ErrCorrupt, err, rerr)
		}
		return zero, fmt.Errorf("read %s: %w (kept as %s): %w", path, ErrCorrupt, aside, err)
	}
	return v, nil
}

// NewID returns 64 random hex digits, the form of docker's container ids.
func NewID() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand crashes the program instead)
	return hex.EncodeToString(b[:])
}
