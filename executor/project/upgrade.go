package project

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/runfile/runfile/schema/value"
)

// Streams are the caller's ends of an Exec or Attach.
type Streams struct {
	// Stdin is read until its end if the request asks for stdin. A Read that blocks when the call returns goes on
	// blocking, and what it then reads is lost: give a reader that can be closed, or end the program soon.
	Stdin          io.Reader
	Stdout, Stderr io.Writer // nil = dropped
	// Resize carries new sizes of the terminal: columns, rows.
	Resize <-chan [2]uint16
	// DetachKeys end the call with ErrDetached when typed; nil means ctrl-p ctrl-q, empty means none. They count only
	// where the process has a terminal and stdin is sent; otherwise every byte is passed on.
	DetachKeys []byte
}

// Exec runs a command in a running container and returns its exit status. When ctx ends or the connection breaks the
// command is killed; after the detach keys (ErrDetached) it goes on.
func (c *Client) Exec(ctx context.Context, r ExecRequest, s Streams) (int, error) {
	conn, tty, err := c.upgrade(ctx, "/v1/exec", r)
	if err != nil {
		return 0, err
	}
	return c.converse(ctx, conn, s, r.Stdin, tty)
}

// Attach connects to the standard streams of a container until its next exit, and returns that exit's status. When ctx
// ends, the connection breaks or the detach keys are typed (ErrDetached), the container goes on.
func (c *Client) Attach(ctx context.Context, r AttachRequest, s Streams) (int, error) {
	conn, tty, err := c.upgrade(ctx, "/v1/attach", r)
	if err != nil {
		return 0, err
	}
	return c.converse(ctx, conn, s, r.Stdin, tty)
}

// upgrade sends a request that turns its connection into a framed stream, and says whether the process has a terminal.
func (c *Client) upgrade(ctx context.Context, path string, in any) (io.ReadWriteCloser, bool, error) {
	data, err := json.Marshal(in)
	if err != nil {
		return nil, false, fmt.Errorf("encode the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://supervisor"+path, bytes.NewReader(data))
	if err != nil {
		return nil, false, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", streamProtocol)
	resp, err := c.send(req)
	if err != nil {
		return nil, false, err
	}
	conn, ok := resp.Body.(io.ReadWriteCloser)
	if resp.StatusCode != http.StatusSwitchingProtocols || !ok {
		_ = resp.Body.Close()
		return nil, false, fmt.Errorf("POST %s: the supervisor answered %s instead of a stream", path, resp.Status)
	}
	return conn, resp.Header.Get(ttyHeader) == "true", nil
}

// conversation is one framed stream as the client sees it.
type conversation struct {
	conn io.Closer
	out  *frameWriter
	s    Streams
	done chan struct{} // closed at the end; releases the senders
	// leave carries ErrDetached when the keys were typed.
	leave chan error
}

func (c *Client) converse(ctx context.Context, conn io.ReadWriteCloser, s Streams, stdin, tty bool) (int, error) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // releases the read below
	defer stop()
	v := &conversation{conn: conn, out: &frameWriter{w: conn}, s: s, done: make(chan struct{}), leave: make(chan error, 1)}
	defer close(v.done)
	if s.Resize != nil {
		go v.sendSizes()
	}
	if stdin && s.Stdin != nil {
		keys := s.DetachKeys
		if keys == nil {
			keys = value.DetachBytes(value.DefaultDetachKeys)
		}
		if !tty {
			keys = nil
		}
		go v.sendInput(&detacher{keys: keys})
	} else if stdin {
		_ = v.out.write(chanStdinClose, nil) // a broken connection shows when reading
	}
	code, err := c.receive(ctx, conn, s)
	select {
	case left := <-v.leave:
		return 0, left
	default:
		return code, err
	}
}

// receive copies output until the exit status or an error arrives.
func (c *Client) receive(ctx context.Context, conn io.Reader, s Streams) (int, error) {
	in := &frameReader{r: conn}
	for {
		ch, p, err := in.next()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, c.broken(ctx, err)
		}
		switch ch {
		case chanStdout:
			err = emit(s.Stdout, p)
		case chanStderr:
			err = emit(s.Stderr, p)
		case chanExit:
			var w WaitResponse
			if err := json.Unmarshal(p, &w); err != nil {
				return 0, fmt.Errorf("read the exit status: %w", err)
			}
			return w.ExitCode, nil
		case chanError:
			var e ErrorResponse
			if err := json.Unmarshal(p, &e); err != nil {
				return 0, fmt.Errorf("read the supervisor's error: %w", err)
			}
			return 0, asError(0, e)
		case chanStdin, chanStdinClose, chanResize, chanDetach, channels:
			err = fmt.Errorf("%w: the supervisor sent channel %d", errFrame, ch)
		}
		if err != nil {
			return 0, err
		}
	}
}

func emit(w io.Writer, p []byte) error {
	if w == nil {
		return nil
	}
	if _, err := w.Write(p); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}

func (v *conversation) sendSizes() {
	for {
		select {
		case size, ok := <-v.s.Resize:
			if !ok || v.out.resize(size[0], size[1]) != nil {
				return
			}
		case <-v.done:
			return
		}
	}
}

// sendInput copies stdin and its end. Failures to send show on the receiving side and are not reported twice.
func (v *conversation) sendInput(d *detacher) {
	buf := make([]byte, 32<<10)
	for {
		n, err := v.s.Stdin.Read(buf)
		out, detached := d.filter(buf[:n])
		if len(out) > 0 && v.out.write(chanStdin, out) != nil {
			return
		}
		if detached {
			v.leave <- ErrDetached
			_ = v.out.write(chanDetach, nil) // what was sent before the close arrives
			_ = v.conn.Close()
			return
		}
		if err == nil {
			continue
		}
		if rest := d.rest(); len(rest) > 0 {
			_ = v.out.write(chanStdin, rest)
		}
		_ = v.out.write(chanStdinClose, nil)
		return
	}
}
