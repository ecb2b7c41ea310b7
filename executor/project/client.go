package project

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/runfile/runfile/executor"
)

// Client talks to the supervisor of one project. It keeps one connection open for its whole life, and as long as that
// is so the supervisor does not leave. It is safe for concurrent use. Close it.
type Client struct {
	project string
	http    *http.Client
	lease   net.Conn

	mu  sync.Mutex
	run string // guarded by mu; the run that Up started last, for StopRun
}

// Close gives the supervisor back its freedom to end. A foreground run of this client that is still going on is
// stopped by it.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return c.lease.Close()
}

// Up runs a plan and hands every event to observe, in order. An error of observe ends the call, and with it a
// foreground run; so does ctx. The containers named by WaitAttach may be attached to from the first event (of type
// "plan") on.
func (c *Client) Up(ctx context.Context, r UpRequest, observe func(executor.Event) error) (*executor.Result, error) {
	resp, err := c.open(ctx, http.MethodPost, "/v1/up", r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	c.mu.Lock()
	c.run = resp.Header.Get(runHeader)
	c.mu.Unlock()

	var result *executor.Result
	err = c.lines(ctx, resp.Body, func(line []byte) error {
		var e executor.Event
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("read the run's events: %w", err)
		}
		if e.Type == executor.EventDone {
			result = e.Result
		}
		return observe(e)
	})
	if err == nil && result == nil {
		err = c.lost()
	}
	return result, err
}

// StopRun ends the run that Up started last on this client, or all foreground runs of the project if there was none:
// gracefully in reverse order, or with kill all at once. It returns when the supervisor has taken note; Up returns when
// the run has ended.
func (c *Client) StopRun(ctx context.Context, kill bool) error {
	c.mu.Lock()
	run := c.run
	c.mu.Unlock()
	return c.call(ctx, http.MethodPost, "/v1/stop-run", StopRunRequest{Run: run, Kill: kill}, nil)
}

// LeaveRun lets the run that Up started last go on when this client goes away.
func (c *Client) LeaveRun(ctx context.Context) error {
	c.mu.Lock()
	run := c.run
	c.mu.Unlock()
	return c.call(ctx, http.MethodPost, "/v1/stop-run", StopRunRequest{Run: run, Leave: true}, nil)
}

// Info returns who the supervisor is and what it knows.
func (c *Client) Info(ctx context.Context) (Info, error) {
	var info Info
	err := c.call(ctx, http.MethodGet, "/v1/info", nil, &info)
	return info, err
}

// Records returns all containers of the project.
func (c *Client) Records(ctx context.Context) ([]executor.Record, error) {
	info, err := c.Info(ctx)
	return info.Records, err
}

// Stop stops containers and returns when they have ended.
func (c *Client) Stop(ctx context.Context, r StopRequest) error {
	return c.call(ctx, http.MethodPost, "/v1/stop", r, nil)
}

// Start starts stopped containers.
func (c *Client) Start(ctx context.Context, r StopRequest) error {
	return c.call(ctx, http.MethodPost, "/v1/start", r, nil)
}

// Restart stops and starts containers.
func (c *Client) Restart(ctx context.Context, r StopRequest) error {
	return c.call(ctx, http.MethodPost, "/v1/restart", r, nil)
}

// Kill sends a signal to containers; signal 0 means SIGKILL.
func (c *Client) Kill(ctx context.Context, r StopRequest) error {
	return c.call(ctx, http.MethodPost, "/v1/kill", r, nil)
}

// Down stops everything in reverse order and removes containers and networks. A run that is going on is stopped first.
func (c *Client) Down(ctx context.Context, r DownRequest, observe func(executor.Event) error) error {
	resp, err := c.open(ctx, http.MethodPost, "/v1/down", r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var done, failed *executor.Event
	err = c.lines(ctx, resp.Body, func(line []byte) error {
		e := new(executor.Event)
		if err := json.Unmarshal(line, e); err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		if e.Type == executor.EventDone {
			done = e
			if e.Detail != "" {
				failed = e
			}
		}
		return observe(*e)
	})
	switch {
	case err != nil:
		return err
	case failed != nil:
		return asError(0, ErrorResponse{Message: failed.Detail, ExitCode: failed.Result.ExitCode})
	case done == nil:
		return c.lost()
	}
	return nil
}

// Remove removes containers.
func (c *Client) Remove(ctx context.Context, r RemoveRequest) error {
	return c.call(ctx, http.MethodPost, "/v1/remove", r, nil)
}

// Wait returns when the container has ended for good: no restart is due.
func (c *Client) Wait(ctx context.Context, container string) (WaitResponse, error) {
	var w WaitResponse
	err := c.call(ctx, http.MethodPost, "/v1/wait", WaitRequest{Container: container}, &w)
	return w, err
}

// Resize sets the size of a container's terminal, in cells.
func (c *Client) Resize(ctx context.Context, container string, columns, rows uint16) error {
	r := ResizeRequest{Container: container, Columns: columns, Rows: rows}
	return c.call(ctx, http.MethodPost, "/v1/resize", r, nil)
}

// Logs hands stored lines of one or more containers to fn, merged by time. With Follow it goes on until the containers
// have ended for good.
func (c *Client) Logs(ctx context.Context, r LogsRequest, fn func(LogLine) error) error {
	resp, err := c.open(ctx, http.MethodPost, "/v1/logs", r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	ended := false
	err = c.lines(ctx, resp.Body, func(line []byte) error {
		var l logRecord
		if err := json.Unmarshal(line, &l); err != nil {
			return fmt.Errorf("read log lines: %w", err)
		}
		switch {
		case l.Error != nil:
			return asError(0, *l.Error)
		case l.End:
			ended = true
			return nil
		case l.LogLine == nil:
			return fmt.Errorf("read log lines: an answer without one: %s", line)
		}
		return fn(*l.LogLine)
	})
	if err == nil && !ended {
		err = c.lost()
	}
	return err
}

// Events hands events to fn: those since a time that are still remembered (zero: none), then new ones until a time
// (zero: until ctx ends).
func (c *Client) Events(ctx context.Context, since, until time.Time, fn func(executor.Event) error) error {
	path := "/v1/events?since=" + queryTime(since) + "&until=" + queryTime(until)
	resp, err := c.open(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return c.lines(ctx, resp.Body, func(line []byte) error {
		var e executor.Event
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		return fn(e)
	})
}

// call sends a request and decodes the answer into out unless that is nil.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.open(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out != nil {
		if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
			return fmt.Errorf("read the supervisor's answer: %w", c.broken(ctx, err))
		}
	}
	_, _ = io.Copy(io.Discard, resp.Body) // read to the end, so that the connection can be used again
	return nil
}

// open sends a request and returns the answer if it is no error.
func (c *Client) open(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://supervisor"+path, body)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.send(req)
}

func (c *Client) send(req *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, c.broken(req.Context(), err))
	}
	if resp.StatusCode < http.StatusBadRequest {
		return resp, nil
	}
	defer resp.Body.Close()
	var refusal ErrorResponse
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	if err := json.Unmarshal(text, &refusal); err != nil || refusal.Message == "" {
		refusal.Message = fmt.Sprintf("%s %s: %s", req.Method, req.URL.Path, resp.Status)
	}
	return nil, asError(resp.StatusCode, refusal)
}

// lines calls fn for every line of a streamed answer. The end of the stream is no error.
func (c *Client) lines(ctx context.Context, body io.Reader, fn func([]byte) error) error {
	dec := json.NewDecoder(body)
	for {
		var line json.RawMessage
		err := dec.Decode(&line)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return c.broken(ctx, err)
		}
		if err := fn(line); err != nil {
			return err
		}
	}
}

// broken says what a failed read or write means: the caller gave up, or the supervisor has gone.
func (c *Client) broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if isGone(err) {
		return c.lost()
	}
	return err
}

func (c *Client) lost() error {
	return fmt.Errorf("project %q: %w; the next command takes over what runs", c.project, ErrLost)
}

func queryTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
