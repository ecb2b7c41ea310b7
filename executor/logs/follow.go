package logs

import (
	"fmt"
	"os"
	"time"
)

// The pause between two looks at a file that does not grow: short after an entry, longer while nothing comes. Polling
// costs a stat each time, works on every file system, and needs no watch that could be exhausted.
const (
	minPause = 2 * time.Millisecond
	maxPause = 100 * time.Millisecond
)

// follow delivers entries as they come. r.files holds the current file, or nothing while there is none yet.
func (r *reader) follow() error {
	pause := minPause
	for {
		// Read the signal first: all that was written before it is then seen below.
		done := closed(r.opts.Done) || (!r.opts.Until.IsZero() && time.Now().After(r.opts.Until))
		grown, err := r.catchUp(done)
		if err != nil || done {
			return err
		}
		if grown {
			pause = minPause
			continue
		}
		select {
		case <-r.ctx.Done():
			return r.ctx.Err()
		case <-r.opts.Done: // nil blocks for ever
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// catchUp delivers what has been written, moving on to newer files after a rotation. It reports whether there was
// anything. final says that nothing will follow.
func (r *reader) catchUp(final bool) (grown bool, err error) {
	if len(r.files) == 0 {
		if r.files, err = openAll(r.path, nil); err != nil || len(r.files) == 0 {
			return false, err
		}
	}
	for {
		s := r.files[0]
		// Ask whether a newer file exists before reading on: what is in this one then is all it will ever have.
		newer := len(r.files) > 1
		if !newer {
			if newer, err = r.rotated(s); err != nil {
				return grown, err
			}
		}
		if err := s.shrunk(); err != nil {
			return grown, fmt.Errorf("read log: %w", err)
		}
		before := s.offset
		if err := r.readRest(s, newer || final); err != nil {
			return grown, err
		}
		grown = grown || s.offset != before
		if !newer {
			return grown, nil
		}
		grown = true
		if len(r.files) == 1 {
			if moved, err := r.reopen(s); !moved {
				return grown, err
			}
		} else {
			r.files = r.files[1:]
		}
		s.close()
	}
}

// rotated reports whether the log's current file is another one than s.
func (r *reader) rotated(s *source) (bool, error) {
	now, err := os.Stat(r.path)
	if os.IsNotExist(err) {
		return false, nil // between two renames, or removed: there is nothing newer to read
	}
	if err != nil {
		return false, fmt.Errorf("read log: %w", err)
	}
	mine, err := s.file.Stat()
	if err != nil {
		return false, fmt.Errorf("read log: %w", err)
	}
	return !os.SameFile(now, mine), nil
}

// reopen replaces the finished file old by those written after it, and reports whether there are any. If old is not
// among the files any more, it has been rotated out of existence, and all of them are newer.
func (r *reader) reopen(old *source) (moved bool, err error) {
	info, err := old.file.Stat()
	if err != nil {
		return false, fmt.Errorf("read log: %w", err)
	}
	files, err := openAll(r.path, info)
	if err != nil {
		return false, fmt.Errorf("read log: %w", err)
	}
	if len(files) > 0 && files[0].holds(info) {
		files[0].close()
		files = files[1:]
	}
	if len(files) == 0 {
		return false, nil
	}
	r.files = files
	return true, nil
}

// shrunk goes back to the end of a file that became shorter: its writer cut off a record that it could not finish.
func (s *source) shrunk() error {
	info, err := s.file.Stat()
	if err != nil || s.packed || info.Size() >= s.offset {
		return err
	}
	return s.seek(info.Size())
}
