package supervise

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/schema/value"
)

const (
	// firstReadyDelay and maxReadyDelay space ready probes that give no interval: often at first, since many services
	// are up after some tens of milliseconds, and then ever less, to cost little.
	firstReadyDelay = 50 * time.Millisecond
	maxReadyDelay   = time.Second
	// attemptLimit is how long one ready probe may take.
	attemptLimit = 5 * time.Second
)

// WaitReady probes a container until it is ready, and returns nil then. The first probe is made at once, the next
// ones every probe.Interval, or, without one, after 50 ms and ever later up to a second. The probe's own Timeout is the
// caller's business: it limits the whole wait. When ctx ends, the error says what the last attempt found.
func WaitReady(ctx context.Context, p engine.Process, probe value.Probe, lines *LineWatch) error {
	if probe.Log != "" {
		return lines.wait(ctx)
	}
	last := errors.New("no attempt has ended")
	for delay := firstReadyDelay; ; delay = min(2*delay, maxReadyDelay) {
		attempt, cancel := context.WithTimeout(ctx, attemptLimit)
		err := tryReady(attempt, p, probe)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		if probe.Interval > 0 {
			delay = probe.Interval
		}
		if !sleep(ctx, delay) {
			return fmt.Errorf("not ready: %w", last)
		}
	}
}

func tryReady(ctx context.Context, p engine.Process, probe value.Probe) error {
	switch {
	case probe.TCP != 0:
		conn, err := p.Dial(ctx, probe.TCP)
		if err != nil {
			return err
		}
		_ = conn.Close() // that it opened is all we asked
		return nil
	case probe.HTTP != "":
		return tryHTTP(ctx, p, probe.HTTP)
	case len(probe.Exec) > 0:
		out := new(limitedBuffer)
		exit, err := runProbe(ctx, p, probe.Exec, attemptLimit, out)
		if err == nil && exit.Code != 0 {
			err = fmt.Errorf("%s: exit %d: %s", strings.Join(probe.Exec, " "), exit.Code, strings.TrimSpace(out.String()))
		}
		return err
	}
	return nil
}

// tryHTTP asks for PORT/PATH or :PORT/PATH and is content with any status from 200 to 399.
func tryHTTP(ctx context.Context, p engine.Process, target string) error {
	port, path, _ := strings.Cut(strings.TrimPrefix(target, ":"), "/")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return fmt.Errorf("%q has no port: %w", target, err)
	}
	conn, err := p.Dial(ctx, uint16(n))
	if err != nil {
		return err
	}
	// Closing is what ends a read that would go on for ever.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		stop()
		_ = conn.Close()
	}()
	return getHTTP(conn, port, path)
}

func getHTTP(conn io.ReadWriter, port, path string) error {
	req, err := http.NewRequest(http.MethodGet, "http://localhost:"+port+"/"+path, http.NoBody)
	if err != nil {
		return err
	}
	req.Close = true
	if err := req.Write(conn); err != nil {
		return fmt.Errorf("send the request: %w", err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 399 {
		return fmt.Errorf("status %s", resp.Status)
	}
	return nil
}

// LineWatch waits for a line of output that matches. The zero value and nil match nothing.
type LineWatch struct {
	expr    *regexp.Regexp
	once    sync.Once
	matched chan struct{}
}

// NewLineWatch compiles the expression of a log probe.
func NewLineWatch(expr string) (*LineWatch, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, fmt.Errorf("ready log: %w", err)
	}
	return &LineWatch{expr: re, matched: make(chan struct{})}, nil
}

// Line looks at one line without its newline.
func (w *LineWatch) Line(line []byte) {
	if w == nil || w.expr == nil {
		return
	}
	select {
	case <-w.matched: // look no more once it has matched
		return
	default:
	}
	if w.expr.Match(line) {
		w.once.Do(func() { close(w.matched) })
	}
}

func (w *LineWatch) wait(ctx context.Context) error {
	if w == nil || w.expr == nil {
		return errors.New("not ready: the output is not watched")
	}
	select {
	case <-w.matched:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("not ready: no line of output matches %q", w.expr)
	}
}
