package project

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/runfile/runfile/executor/state"
)

const (
	// readyVariable names the descriptor on which a spawned supervisor reports that it listens.
	readyVariable = "RUNFILE_READY_FD"
	// pingLimit is how long a supervisor may take to answer at all. It answers before it has adopted anything, so only
	// a stopped or a starved one is that slow.
	pingLimit = 20 * time.Second
	// spawnTries bounds the races with supervisors that leave just then. Each try starts a process.
	spawnTries = 100
	// tailLines of a supervisor's log are shown when it fails to start.
	tailLines = 5
	// maxErrorBody bounds what is read of an answer that reports an error, in bytes.
	maxErrorBody = 1 << 20
)

// Connect connects to the project's supervisor. If none runs it starts one when spawn is set (this program again, with
// the arguments "supervise PROJECT", in a session of its own), else it answers ErrNoSupervisor. Every race with a
// supervisor that is about to leave ends with a connection to a living one: those are ordered by a lock, and one that
// leaves answers no new connection.
func Connect(ctx context.Context, paths state.Paths, project string, spawn bool) (*Client, error) {
	if err := checkName(project); err != nil {
		return nil, err
	}
	dir := paths.ProjectRun(project)
	for try := 0; ; try++ {
		lease, err := hello(ctx, dir)
		switch {
		case err == nil:
			return newClient(project, dir, lease), nil
		case ctx.Err() != nil:
			return nil, fmt.Errorf("connect to project %q: %w", project, ctx.Err())
		case errors.Is(err, syscall.EAGAIN): // its queue of connections is full
			if err := pause(ctx, time.Millisecond); err != nil {
				return nil, err
			}
			continue
		case !isGone(err):
			return nil, fmt.Errorf("connect to project %q: %w", project, err)
		case !spawn:
			return nil, fmt.Errorf("project %q: %w", project, ErrNoSupervisor)
		case try == spawnTries:
			return nil, fmt.Errorf("connect to project %q: %d supervisors in a row left before they answered: %w", project, try, err)
		}
		if err := spawnSupervisor(ctx, paths, project); err != nil {
			return nil, fmt.Errorf("start the supervisor of project %q: %w", project, err)
		}
	}
}

func newClient(project, dir string, lease net.Conn) *Client {
	return &Client{project: project, lease: lease, http: &http.Client{Transport: &http.Transport{
		DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return dialSocket(ctx, dir) },
		DisableCompression: true,
	}}}
}

// hello opens a connection and waits for the first answer on it. From then on the supervisor counts it and stays.
func hello(ctx context.Context, dir string) (net.Conn, error) {
	conn, err := dialSocket(ctx, dir)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(pingLimit))
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err = ping(conn)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = fmt.Errorf("the supervisor (process %s) does not answer: %w", listenerPID(conn), err)
		}
		return nil, err
	}
	return conn, conn.SetDeadline(time.Time{})
}

func ping(conn net.Conn) error {
	if _, err := io.WriteString(conn, "GET /v1/ping HTTP/1.1\r\nHost: supervisor\r\n\r\n"); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("unexpected answer to a ping: %s", resp.Status)
	}
	return nil
}

// spawnSupervisor starts a supervisor and returns when it listens, or when it has left in favour of another one.
func spawnSupervisor(ctx context.Context, paths state.Paths, project string) error {
	dir := paths.ProjectRun(project)
	if err := secureDir(dir); err != nil {
		return err
	}
	log, offset, err := openLog(filepath.Join(dir, logName))
	if err != nil {
		return err
	}
	defer log.Close()
	ready, childsEnd, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	cmd := supervisorCommand(paths, project, log, childsEnd)
	err = cmd.Start()
	_ = childsEnd.Close()
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // also reaps a supervisor that ends before this process does

	stop := context.AfterFunc(ctx, func() { _ = ready.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if n, _ := ready.Read(make([]byte, 1)); n == 1 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-ended:
		if err == nil {
			return nil // another one was there first
		}
		return fmt.Errorf("%w%s", err, logTail(log.Name(), offset))
	}
}

func supervisorCommand(paths state.Paths, project string, log, ready *os.File) *exec.Cmd {
	self, err := os.Executable()
	if err == nil {
		_, err = os.Stat(self)
	}
	if err != nil {
		self = "/proc/self/exe" // the file was replaced or removed while we run
	}
	cmd := exec.Command(self, "supervise", project)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{ready} // descriptor 3
	// The child computes its own paths. Ours are below one directory, or the host's, which an empty value means.
	root := filepath.Dir(paths.Root)
	if paths.Root != filepath.Join(root, "lib") || paths.Run != filepath.Join(root, "run") {
		root = ""
	}
	cmd.Env = append(os.Environ(), readyVariable+"=3", state.RootVariable+"="+root)
	closeOnExec()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// logTail is what the log got since offset: its last lines, for an error message.
func logTail(path string, offset int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, offset, maxLog))
	if err != nil || len(text) == 0 {
		return ""
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	lines = lines[max(0, len(lines)-tailLines):]
	return "\nthe end of " + path + ":\n  " + strings.Join(lines, "\n  ")
}

// listenerPID returns the process id of the supervisor at the other end, "?" if unknown.
func listenerPID(conn net.Conn) string {
	if u, ok := conn.(*net.UnixConn); ok {
		if cred, err := peer(u); err == nil {
			return fmt.Sprint(cred.Pid)
		}
	}
	return "?"
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
