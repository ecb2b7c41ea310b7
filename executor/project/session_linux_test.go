package project

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/schema/value"
)

// withSleeper starts a service that sleeps and returns a client of its supervisor.
func withSleeper(t *testing.T) (*supervisor, *Client) {
	t.Helper()
	v, c := startSupervisor(t)
	up(t, c, UpRequest{Plan: makePlan(t, "p", service("web", "sleep", "1000"))})
	return v, c
}

func TestExec(t *testing.T) {
	_, c := withSleeper(t)
	for _, e := range []struct {
		script, stdin  string
		code           int
		stdout, stderr string
	}{
		{"echo out; echo err >&2; exit 5", "", 5, "out\n", "err\n"},
		{"cat; exit 2", "typed\n", 2, "typed\n", ""},
		{"true", "", 0, "", ""},
	} {
		var stdout, stderr bytes.Buffer
		r := ExecRequest{Container: "web", Args: []string{"sh", "-c", e.script}, Stdin: e.stdin != ""}
		code, err := c.Exec(t.Context(), r, Streams{Stdin: strings.NewReader(e.stdin), Stdout: &stdout, Stderr: &stderr})
		if err != nil || code != e.code || stdout.String() != e.stdout || stderr.String() != e.stderr {
			t.Errorf("%q: %d, %v, %q, %q", e.script, code, err, stdout.String(), stderr.String())
		}
	}
	_, err := c.Exec(t.Context(), ExecRequest{Container: "web", Args: []string{"nonsense"}}, Streams{})
	if engine.ExitCode(err) != 127 {
		t.Errorf("a command that does not exist: %v (exit %d)", err, engine.ExitCode(err))
	}
	if _, err := c.Exec(t.Context(), ExecRequest{Container: "web"}, Streams{}); engine.ExitCode(err) != 2 {
		t.Errorf("no command: %v", err)
	}
}

// TestExecCarriesEveryByte sends more than any buffer holds through the process and back.
func TestExecCarriesEveryByte(t *testing.T) {
	_, c := withSleeper(t)
	sent := bytes.Repeat([]byte("\x00\x10\x11\x1b[2J\r\n\xff0123456789abcdef"), 200_000) // 5 MB, detach keys among them
	var got bytes.Buffer
	r := ExecRequest{Container: "web", Args: []string{"cat"}, Stdin: true}
	code, err := c.Exec(t.Context(), r, Streams{Stdin: bytes.NewReader(sent), Stdout: &got})
	if err != nil || code != 0 || !bytes.Equal(got.Bytes(), sent) {
		t.Errorf("exit %d, %v; %d of %d bytes came back", code, err, got.Len(), len(sent))
	}
}

// TestExecDiesWithItsClient lets the client go while the command takes no input, so that only the hang-up tells.
func TestExecDiesWithItsClient(t *testing.T) {
	v, c := withSleeper(t)
	ctx, leave := context.WithCancel(t.Context())
	input := bytes.NewReader(make([]byte, 64<<20)) // fills every buffer: nobody reads it
	var once sync.Once
	r := ExecRequest{Container: "web", Args: []string{"sh", "-c", "echo up; sleep 1000"}, Stdin: true}
	_, err := c.Exec(ctx, r, Streams{Stdin: input, Stdout: writerFunc(func([]byte) { once.Do(leave) })})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("exec: %v", err)
	}
	_ = c.Close()
	c = connect(t, v.paths, "p")
	if err := c.Stop(t.Context(), StopRequest{}); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	<-v.ended // it would not end while the exec did
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

func TestExecReportsABrokenOutput(t *testing.T) {
	_, c := withSleeper(t)
	r, w := io.Pipe()
	_ = r.Close()
	_, err := c.Exec(t.Context(), ExecRequest{Container: "web", Args: []string{"echo", "x"}}, Streams{Stdout: w})
	if !errors.Is(err, io.ErrClosedPipe) || errors.Is(err, ErrLost) {
		t.Errorf("got %v", err)
	}
}

func TestAttach(t *testing.T) {
	_, c := startSupervisor(t)
	web := interactive(job("web", "cat"))
	var stdout bytes.Buffer
	attached := make(chan error, 1)
	result, err := c.Up(t.Context(), UpRequest{
		Plan: makePlan(t, "p", web), Foreground: true, WaitAttach: []string{"web"}, Output: []string{},
	}, func(e executor.Event) error {
		if e.Type == executor.EventPlan {
			go func() {
				r := AttachRequest{Container: "web", Stdin: true, Stdout: true, Stderr: true}
				code, err := c.Attach(t.Context(), r, Streams{Stdin: strings.NewReader("hello\x10\x11\n"), Stdout: &stdout})
				if code != 0 {
					t.Errorf("exit status %d", code)
				}
				attached <- err
			}()
		}
		return nil
	})
	if err := errors.Join(err, <-attached); err != nil {
		t.Fatal(err)
	}
	if result.ExitCode != 0 || stdout.String() != "hello\x10\x11\n" {
		t.Errorf("result %+v, output %q", result, stdout.String())
	}
}

// TestDetachKeys types them at a container with a terminal: the client ends, the container goes on and can be attached
// to again.
func TestDetachKeys(t *testing.T) {
	_, c := startSupervisor(t)
	web := terminal(service("web", "cat"))
	up(t, c, UpRequest{Plan: makePlan(t, "p", web)})
	request := AttachRequest{Container: "web", Stdin: true, Stdout: true, Columns: 80, Rows: 25}
	for keys, typed := range map[string]string{"": "one\n\x10\x11", "ctrl-a,d": "one\n\x10\x11\x01d"} {
		input, send := script(t)
		streams := Streams{Stdin: input}
		if keys != "" {
			streams.DetachKeys = value.DetachBytes(keys)
		}
		go send(typed)
		if _, err := c.Attach(t.Context(), request, streams); !errors.Is(err, ErrDetached) {
			t.Errorf("keys %q: %v", keys, err)
		}
		if got := states(t, c); got != "web running" {
			t.Errorf("keys %q: %s", keys, got)
		}
	}
	input, send := script(t)
	go send("bye\n")
	var output bytes.Buffer
	request.Columns = 0
	code, err := c.Attach(t.Context(), request, Streams{Stdin: input, DetachKeys: []byte{}, Stdout: writerFunc(func(p []byte) {
		output.Write(p)
		if strings.HasSuffix(output.String(), "bye\n") {
			if err := c.Kill(t.Context(), StopRequest{Containers: []string{"web"}}); err != nil {
				t.Error(err)
			}
		}
	})})
	if err != nil || code != 137 {
		t.Errorf("attached again: %d, %v, %q", code, err, output.String())
	}
}

func TestExecDetaches(t *testing.T) {
	_, c := withSleeper(t)
	input, send := script(t)
	go send("\x10\x11")
	r := ExecRequest{Container: "web", Args: []string{"sh", "-c", "sleep 0.2; touch /done; sleep 1000"}, TTY: true, Stdin: true}
	if _, err := c.Exec(t.Context(), r, Streams{Stdin: input}); !errors.Is(err, ErrDetached) {
		t.Fatalf("exec: %v", err)
	}
	// It went on without its client: it comes to what it does after the client has left.
	for {
		code, err := c.Exec(t.Context(), ExecRequest{Container: "web", Args: []string{"test", "-e", "/done"}}, Streams{})
		if err != nil {
			t.Fatal(err)
		}
		if code == 0 {
			break
		}
	}
}

func TestResizeReachesTheContainer(t *testing.T) {
	_, c := startSupervisor(t)
	up(t, c, UpRequest{Plan: makePlan(t, "p", terminal(service("web", "cat")))})
	if err := c.Resize(t.Context(), "web", 132, 43); err != nil {
		t.Errorf("resize: %v", err)
	}
	sizes := make(chan [2]uint16, 1)
	sizes <- [2]uint16{100, 40}
	close(sizes)
	input, send := script(t)
	go send("\x10\x11")
	r := AttachRequest{Container: "web", Stdin: true, Stdout: true}
	if _, err := c.Attach(t.Context(), r, Streams{Stdin: input, Resize: sizes}); !errors.Is(err, ErrDetached) {
		t.Errorf("attach: %v", err)
	}
}
