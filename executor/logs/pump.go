package logs

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"
	"unicode/utf8"
)

// Lossy is implemented by what Pump returns.
type Lossy interface {
	// Lost says how many entries the driver refused (disk full) and the last reason.
	Lost() (entries int64, last error)
}

// batcher is a driver that stores several entries with one system call.
type batcher interface {
	writeBatch([]Entry) error
}

// Pump returns a writer that cuts what it is given into lines and stores them as entries of the stream. A line of more
// than 16 KiB becomes several partial entries with the same time, never cut inside a UTF-8 character. Close stores an
// unfinished last line; it does not close the driver, which both streams of a container share.
//
// Write always takes everything and returns no error: a container must not be stopped by a full disk. What the driver
// refused is counted (see Lossy) and reported by Close.
func Pump(stream string, d Driver) io.WriteCloser {
	return &pump{stream: stream, driver: d}
}

type pump struct {
	stream string
	driver Driver

	mu      sync.Mutex
	rest    []byte    // an unfinished line, shorter than maxPiece
	started time.Time // of the line that rest belongs to, if a piece of it was stored; else zero
	entries []Entry
	lost    int64
	lastErr error
}

// Write implements io.Writer.
func (p *pump) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	n := len(b)
	if len(p.rest) > 0 {
		p.rest = append(p.rest, b...)
		b = p.rest
	}
	for {
		end := bytes.IndexByte(b[:min(len(b), maxPiece)], '\n')
		if end >= 0 {
			p.line(b[:end], now)
			b = b[end+1:]
		} else if len(b) >= maxPiece {
			b = p.piece(b, now)
		} else {
			break
		}
	}
	p.flush()                         // before rest is reused: entries point into it
	p.rest = append(p.rest[:0], b...) // b may be the end of rest; append moves overlapping memory correctly
	return n, nil
}

// piece queues the first part of b, which holds at least maxPiece bytes without a newline, and returns the remainder.
func (p *pump) piece(b []byte, now time.Time) []byte {
	if p.started.IsZero() {
		p.started = now
	}
	cut := wholeRunes(b[:maxPiece])
	p.entries = append(p.entries, Entry{Time: p.started, Stream: p.stream, Line: b[:cut], Partial: true})
	return b[cut:]
}

// wholeRunes is the length of b without a character that is cut off at its end.
func wholeRunes(b []byte) int {
	for back := 1; back < utf8.UTFMax && back <= len(b); back++ {
		i := len(b) - back
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return i
			}
			break
		}
	}
	return len(b)
}

// line queues the end of a line, or a whole one.
func (p *pump) line(b []byte, now time.Time) {
	if !p.started.IsZero() {
		now, p.started = p.started, time.Time{}
	}
	p.entries = append(p.entries, Entry{Time: now, Stream: p.stream, Line: b})
}

// flush stores what is queued. All entries of one read go to the kernel in one write.
func (p *pump) flush() {
	if len(p.entries) == 0 {
		return
	}
	if err := store(p.driver, p.entries); err != nil {
		p.lost += lostOf(err, len(p.entries))
		p.lastErr = err
	}
	p.entries = p.entries[:0]
}

// Close implements io.Closer.
func (p *pump) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.rest) > 0 {
		t := p.started
		if t.IsZero() {
			t = time.Now()
		}
		p.entries = append(p.entries, Entry{Time: t, Stream: p.stream, Line: p.rest, Partial: true})
		p.flush()
		p.rest, p.started = nil, time.Time{}
	}
	if p.lost > 0 {
		return fmt.Errorf("%d lines of %s could not be logged: %w", p.lost, p.stream, p.lastErr)
	}
	return nil
}

// Lost implements Lossy.
func (p *pump) Lost() (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost, p.lastErr
}
