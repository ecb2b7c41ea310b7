package project

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/logs"
	"github.com/runfile/runfile/executor/state"
)

// mergeWait is how long a line waits for an earlier one of another container whose reader has nothing to give. Readers
// of stored lines give them faster than that; one that follows a quiet container gives nothing.
const mergeWait = 20 * time.Millisecond

// logRecord is a line of the answer to POST /v1/logs.
type logRecord struct {
	*LogLine
	End   bool           `json:"end,omitempty"`
	Error *ErrorResponse `json:"error,omitempty"`
}

// ReadLogs hands the stored lines of a project's containers to fn, merged by time, without a supervisor. It does not
// follow; for that, and to wait for containers that still run, use Client.Logs.
func ReadLogs(ctx context.Context, paths state.Paths, project string, r LogsRequest, fn func(LogLine) error) error {
	records, err := Records(paths, project)
	if err != nil && !errors.Is(err, state.ErrCorrupt) {
		return err // the log of a container whose record is damaged cannot be found; the others' can
	}
	chosen, err := choose(records, r.Containers)
	if err != nil {
		return err
	}
	r.Follow = false
	return mergeLogs(ctx, sources(paths, chosen, nil), r, fn)
}

// logSource is one container's log.
type logSource struct {
	container string
	path      string
	done      <-chan struct{} // closed when the container has ended for good; nil = it has
}

// sources lists the logs of containers. A record whose supervisor was killed during a start may not name its log yet; a
// log that does not exist is empty.
func sources(paths state.Paths, records []executor.Record, done func(executor.Record) <-chan struct{}) []logSource {
	list := make([]logSource, 0, len(records))
	for _, rec := range records {
		src := logSource{container: rec.Key, path: cmp.Or(rec.LogPath, logPath(paths, rec.Project, rec.ID))}
		if done != nil {
			src.done = done(rec)
		}
		list = append(list, src)
	}
	return list
}

// mergeLogs reads all sources at once and hands their lines to fn in the order of their times. Lines of one container
// keep their order, whatever their times say. A source that follows and falls silent has been read to its end; from
// then on its lines come as they are written, and nobody waits for it.
func mergeLogs(ctx context.Context, list []logSource, r LogsRequest, fn func(LogLine) error) error {
	g, ctx := errgroup.WithContext(ctx)
	m := merger{arrived: make(chan struct{}, 1)}
	for _, src := range list {
		f := &feed{lines: make(chan LogLine, 64), follows: r.Follow && src.done != nil}
		m.feeds = append(m.feeds, f)
		g.Go(func() error {
			defer m.note()
			defer close(f.lines)
			if err := m.read(ctx, src, r, f); err != nil {
				return fmt.Errorf("read the log of %q: %w", src.container, err)
			}
			return nil
		})
	}
	g.Go(func() error { return m.run(ctx, fn) })
	return g.Wait()
}

// feed is one source on its way to the merger.
type feed struct {
	lines   chan LogLine
	follows bool
	head    *LogLine // the next line; nil = not known
	silent  bool     // follows, and has given all that was stored
	ended   bool
}

func (f *feed) set(l LogLine, ok bool) {
	if !ok {
		f.ended = true
		return
	}
	f.head = &l
}

// poll takes a line if there is one and reports whether that decided anything.
func (f *feed) poll() bool {
	select {
	case l, ok := <-f.lines:
		f.set(l, ok)
		return true
	default:
		return false
	}
}

type merger struct {
	feeds   []*feed
	arrived chan struct{} // a note that some feed got a line or ended
}

func (m *merger) note() {
	select {
	case m.arrived <- struct{}{}:
	default:
	}
}

// read copies a source into its feed, and at its end a remark about records that could not be read.
func (m *merger) read(ctx context.Context, src logSource, r LogsRequest, f *feed) error {
	give := func(line LogLine) error {
		select {
		case f.lines <- line:
			m.note()
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	skipped := 0
	o := logs.ReadOptions{
		Follow: f.follows, Tail: r.Tail, Since: r.Since, Until: r.Until, Done: src.done,
		Skipped: func(n int) { skipped = n },
	}
	if o.Tail == 0 {
		o.Tail = logs.TailNone
	}
	err := logs.Read(ctx, src.path, o, func(e logs.Entry) error {
		line := LogLine{Container: src.container, Stream: e.Stream, Time: e.Time, Line: bytes.Clone(e.Line)}
		if !e.Partial {
			line.Line = append(line.Line, '\n')
		}
		return give(line)
	})
	if err != nil || skipped == 0 {
		return err
	}
	text := fmt.Sprintf("%d damaged records of the log were passed over\n", skipped)
	return give(LogLine{Container: src.container, Stream: "warning", Time: time.Now(), Line: []byte(text)})
}

// run gives away the earliest line until every feed has ended.
func (m *merger) run(ctx context.Context, fn func(LogLine) error) error {
	for {
		if err := m.fill(ctx); err != nil {
			return err
		}
		var first *feed
		live := false
		for _, f := range m.feeds {
			live = live || !f.ended
			if f.head != nil && (first == nil || f.head.Time.Before(first.head.Time)) {
				first = f
			}
		}
		switch {
		case first != nil:
			line := *first.head
			first.head = nil
			if err := fn(line); err != nil {
				return err
			}
		case !live:
			return nil
		default:
			select {
			case <-m.arrived:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// fill gets the next line of every feed. It waits for those that still read what is stored, for one that follows at
// most mergeWait.
func (m *merger) fill(ctx context.Context) error {
	var silence <-chan time.Time
	for _, f := range m.feeds {
		if f.head != nil || f.ended || f.poll() || f.silent {
			continue
		}
		var limit <-chan time.Time // nil = none
		if f.follows {
			if silence == nil {
				silence = time.After(mergeWait)
			}
			limit = silence
		}
		select {
		case l, ok := <-f.lines:
			f.set(l, ok)
		case <-limit:
			f.silent = true
			expired := make(chan time.Time)
			close(expired)
			silence = expired // the others had the same time
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
