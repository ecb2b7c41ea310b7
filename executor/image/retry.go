package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	remoteerrors "github.com/containerd/containerd/v2/core/remotes/errors"
)

// maxBackoff bounds the wait between two tries, also where a registry asks for more.
const maxBackoff = time.Minute

// busyError is an answer that says: not now.
type busyError struct {
	status string
	after  time.Duration // Retry-After; 0 = not said
}

func (e *busyError) Error() string { return "the registry answers " + e.status }

// temporaryError is any other error that another try may cure.
type temporaryError struct{ error }

func (e *temporaryError) Unwrap() error { return e.error }

// retry runs try until it succeeds, fails for good, or has failed as often as the request allows. The waits double and
// vary by half, so that many processes that failed together do not come back together.
func (p *puller) retry(ctx context.Context, try func() error) error {
	backoff := p.store.backoff
	for n := 1; ; n++ {
		err := try()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !transient(err) {
			return err
		}
		if n >= p.req.attempts {
			return fmt.Errorf("%w (tried %d times)", err, n)
		}
		wait := backoff/2 + rand.N(backoff) //nolint:gosec // jitter, not a secret
		var busy *busyError
		if errors.As(err, &busy) && busy.after > 0 {
			wait = busy.after
		}
		wait = min(wait, maxBackoff)
		p.report(Progress{
			Detail:  fmt.Sprintf("retry in %s: %s", wait.Round(100*time.Millisecond), rootCause(err)),
			Current: min(p.got.Load(), p.total.Load()), Total: p.total.Load(),
		})
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
		backoff *= 2
	}
}

// transient tells errors of the network and of overloaded servers from answers that will be the same next time.
func transient(err error) bool {
	var busy *busyError
	var temp *temporaryError
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &busy), errors.As(err, &temp):
		return true
	case errors.As(err, &dns):
		return dns.IsTemporary || dns.IsTimeout
	case errors.As(err, &timeout) && timeout.Timeout():
		return true
	default:
		return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
			errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EPIPE)
	}
}

// rootCause is the innermost message, which is what fits on a progress line.
func rootCause(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// statusOf is the HTTP status that a registry refused with, or 0.
func statusOf(err error) int {
	var status remoteerrors.ErrUnexpectedStatus
	if errors.As(err, &status) {
		return status.StatusCode
	}
	return 0
}

// patientTransport turns answers that ask to come back later into errors. containerd's client would repeat the request
// at once, up to five times, which is the last thing a busy registry needs.
type patientTransport struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t patientTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		_ = resp.Body.Close()
		return nil, &busyError{resp.Status, retryAfter(resp.Header.Get("Retry-After"))}
	default:
		return resp, nil
	}
}

// retryAfter reads a number of seconds or a date.
func retryAfter(header string) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil && seconds > 0 {
		return min(time.Duration(min(seconds, 3600))*time.Second, maxBackoff)
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
