package executor

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// historySize is how large the file of events may grow before it is begun anew; the one before is kept beside it. An
// event takes about 300 bytes.
const historySize = 1 << 20

// history stores the events of a project as JSON lines, so that `runfile events` can say why something happened after
// the supervisor has gone. A nil history stores nothing. It is used under the hub's lock.
type history struct {
	path string
	file *os.File
	size int64
}

func newHistory(dir string) *history { return &history{path: filepath.Join(dir, "events.jsonl")} }

// read returns the last events that were stored. Lines that are torn or damaged are passed over.
func (s *history) read() ([]Event, error) {
	var out []Event
	for _, path := range []string{s.path + ".1", s.path} {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return out, fmt.Errorf("read the events: %w", err)
		}
		for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
			var e Event
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				out = append(out, e)
			}
		}
	}
	return out[max(0, len(out)-keptEvents):], nil
}

// append stores one event. Events are a record for people and nothing is decided by them, so a disk that is full loses
// them silently instead of stopping containers.
func (s *history) append(e Event) {
	if s == nil {
		return
	}
	line, err := json.Marshal(e)
	if err != nil || s.open() != nil {
		return
	}
	n, _ := s.file.Write(slices.Concat(line, []byte{'\n'}))
	if s.size += int64(n); s.size > historySize {
		s.close()
		_ = os.Rename(s.path, s.path+".1")
	}
}

func (s *history) open() error {
	if s.file != nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(s.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return err
	}
	s.file, s.size = f, info.Size()
	return nil
}

func (s *history) close() {
	if s != nil && s.file != nil {
		_ = s.file.Close() // every line was written when it was appended
		s.file = nil
	}
}

// remove deletes what is stored; the next event begins anew.
func (s *history) remove() {
	if s == nil {
		return
	}
	s.close()
	_ = os.Remove(s.path)
	_ = os.Remove(s.path + ".1")
}
