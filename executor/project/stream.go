package project

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// After an answer of 101 the connection of exec and attach carries frames in both directions: one byte channel, four
// bytes length (big endian), payload. Every length is bounded, so a reader needs one buffer.
//
//	channel         from     payload
//	0 stdin         client   bytes
//	1 stdout        server   bytes
//	2 stderr        server   bytes
//	3 stdin-close   client   empty: no more input; the process sees end of file
//	4 resize        client   columns, rows: two bytes each
//	5 exit          server   JSON WaitResponse; the last frame
//	6 error         server   JSON ErrorResponse; the last frame
//	7 detach        client   empty: the client leaves and the process goes on
type channel byte

const (
	chanStdin channel = iota
	chanStdout
	chanStderr
	chanStdinClose
	chanResize
	chanExit
	chanError
	chanDetach
	channels
)

const (
	headerSize = 5
	// maxFrame is the largest payload in bytes; more is sent as several frames.
	maxFrame = 64 << 10
	// streamProtocol is the value of the Upgrade header.
	streamProtocol = "runfile-stream/1"
)

// errFrame marks a peer that does not speak the protocol; the connection is of no more use.
var errFrame = errors.New("malformed frame")

// frameReader reads frames one after the other.
type frameReader struct {
	r   io.Reader
	buf [headerSize + maxFrame]byte
}

// next returns the next frame; the payload is valid until the following call. io.EOF means the peer closed the
// connection between two frames.
func (f *frameReader) next() (channel, []byte, error) {
	head := f.buf[:headerSize]
	if _, err := io.ReadFull(f.r, head); err != nil {
		return 0, nil, err
	}
	ch, size := channel(head[0]), binary.BigEndian.Uint32(head[1:])
	if err := checkFrame(ch, size); err != nil {
		return 0, nil, err
	}
	payload := f.buf[headerSize : headerSize+size]
	if _, err := io.ReadFull(f.r, payload); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return ch, payload, nil
}

func checkFrame(ch channel, size uint32) error {
	switch {
	case ch >= channels:
		return fmt.Errorf("%w: unknown channel %d", errFrame, ch)
	case size > maxFrame:
		return fmt.Errorf("%w: length %d exceeds %d", errFrame, size, maxFrame)
	case ch == chanResize && size != 4:
		return fmt.Errorf("%w: resize with %d bytes, not 4", errFrame, size)
	case (ch == chanStdinClose || ch == chanDetach) && size != 0:
		return fmt.Errorf("%w: channel %d carries no payload, got %d bytes", errFrame, ch, size)
	}
	return nil
}

// frameWriter writes frames; it may be used by several goroutines.
type frameWriter struct {
	mu  sync.Mutex
	w   io.Writer
	buf [headerSize + maxFrame]byte // guarded by mu
}

// write sends p, in several frames if it is long. Each frame is one Write, so that a frame is never torn by another
// goroutine's and costs one system call.
func (f *frameWriter) write(ch channel, p []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		n := copy(f.buf[headerSize:], p)
		f.buf[0] = byte(ch)
		binary.BigEndian.PutUint32(f.buf[1:], uint32(n))
		if _, err := f.w.Write(f.buf[:headerSize+n]); err != nil {
			return err
		}
		if p = p[n:]; len(p) == 0 {
			return nil
		}
	}
}

// writeJSON sends v in one frame. What does not fit is replaced by an error that says so.
func (f *frameWriter) writeJSON(ch channel, v any) error {
	p, err := json.Marshal(v)
	if err == nil && len(p) > maxFrame {
		ch = chanError
		p, err = json.Marshal(ErrorResponse{Message: "the answer is too long", ExitCode: exitOurs})
	}
	if err != nil {
		return err
	}
	return f.write(ch, p)
}

// resize sends the terminal's new size in cells.
func (f *frameWriter) resize(columns, rows uint16) error {
	var p [4]byte
	binary.BigEndian.PutUint16(p[:2], columns)
	binary.BigEndian.PutUint16(p[2:], rows)
	return f.write(chanResize, p[:])
}

// decodeResize is the inverse of resize; the length has been checked by the reader.
func decodeResize(p []byte) (columns, rows uint16) {
	return binary.BigEndian.Uint16(p[:2]), binary.BigEndian.Uint16(p[2:])
}

// stream is a channel of a frameWriter as an io.Writer.
type stream struct {
	f  *frameWriter
	ch channel
}

// Write implements io.Writer; an empty write sends nothing.
func (s stream) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := s.f.write(s.ch, p); err != nil {
		return 0, err
	}
	return len(p), nil
}
