package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// TailNone as ReadOptions.Tail means: none of the entries that are there already.
const TailNone = -2

// ReadOptions says which entries to read.
type ReadOptions struct {
	// Follow goes on with entries as they are written, until Done is closed or ctx ends.
	Follow bool
	// Tail starts with the newest so many entries; 0 or -1 = all, TailNone = none.
	Tail int
	// Since and Until leave out entries before and after; zero = no limit. They apply after Tail, as docker does it.
	Since, Until time.Time
	// Done says that the writer has closed the log: Read then ends when it has seen everything. nil = never.
	Done <-chan struct{}
	// Skipped is called once, at the end, with the number of damaged records that were passed over, if there were any.
	Skipped func(records int)
}

// Read calls fn with the entries of the log at path, oldest first, across rotated and compressed files. A file that
// does not exist is an empty log. Read ends early with fn's error, or ctx's.
func Read(ctx context.Context, path string, o ReadOptions, fn func(Entry) error) error {
	r := &reader{ctx: ctx, path: path, opts: o, fn: fn}
	defer r.close()
	err := r.run()
	if r.skipped > 0 && o.Skipped != nil {
		o.Skipped(r.skipped)
	}
	return err
}

type reader struct {
	ctx  context.Context
	path string
	opts ReadOptions
	fn   func(Entry) error

	files   []*source // still to be read, oldest first; the last is the one being written
	dec     decoder
	skipped int
}

func (r *reader) run() error {
	var err error
	if r.files, err = openAll(r.path, nil); err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	if err := r.seekTail(); err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	for len(r.files) > 1 {
		if err := r.readRest(r.files[0], true); err != nil {
			return err
		}
		r.files[0].close()
		r.files = r.files[1:]
	}
	if r.opts.Follow {
		return r.follow()
	}
	if len(r.files) == 0 {
		return nil
	}
	return r.readRest(r.files[0], true)
}

func (r *reader) close() {
	for _, s := range r.files {
		s.close()
	}
}

// readRest delivers what the source has now. final says that it will never have more, so that an unfinished record at
// its end is damaged.
func (r *reader) readRest(s *source, final bool) error {
	for n := 0; ; n++ {
		if n%256 == 0 && r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		record, err := s.next()
		switch {
		case err == nil:
			if err := r.deliver(record); err != nil {
				return err
			}
		case errors.Is(err, errDamaged):
			r.skipped++
		case !errors.Is(err, io.EOF):
			return fmt.Errorf("read log: %w", err)
		case final:
			return r.deliver(s.unfinished())
		default:
			return nil
		}
	}
}

func (r *reader) deliver(record []byte) error {
	if len(record) == 0 {
		return nil // the newline that closes off a torn record
	}
	var e Entry
	if !r.dec.decode(record, &e) {
		r.skipped++
		return nil
	}
	if e.Time.Before(r.opts.Since) || (!r.opts.Until.IsZero() && e.Time.After(r.opts.Until)) {
		return nil
	}
	return r.fn(e)
}
