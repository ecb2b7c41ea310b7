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
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error is the one to report
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
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
			return zero, fmt.Errorf("read %s: %w: %v; it could not be moved aside: %w", path, ErrCorrupt, err, rerr)
		}
		return zero, fmt.Errorf("read %s: %w (kept as %s): %v", path, ErrCorrupt, aside, err)
	}
	return v, nil
}

// NewID returns 64 random hex digits, the form of docker's container ids.
func NewID() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand crashes the program instead)
	return hex.EncodeToString(b[:])
}
