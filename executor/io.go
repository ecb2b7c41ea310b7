package executor

import (
	"bytes"
	"io"
	"slices"
	"sync"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/supervise"
)

const (
	tailLines = 20
	// lineLimit cuts lines for the tail and for ready's log probe; the log has them whole.
	lineLimit = 4096
)

// output is where a container's streams meet: the log, attached clients, subscriptions, the tail for a failure's
// summary, and the watch of ready's log probe. It outlives the runs of the process.
type output struct {
	c *container

	mu       sync.Mutex
	clients  []*client     // guarded by mu
	attached chan struct{} // closed when the first client comes
	tail     []string      // guarded by mu; at most tailLines
	stdin    *stdinPipe    // guarded by mu; of the current or the next run; nil if none was needed yet
}

// client is an attached client.
type client struct {
	stdout, stderr io.Writer // nil = not wanted
}

func newOutput(c *container) *output { return &output{c: c, attached: make(chan struct{})} }

func (o *output) attach(cl *client) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clients = append(slices.Clone(o.clients), cl)
	select {
	case <-o.attached:
	default:
		close(o.attached)
	}
}

func (o *output) detach(cl *client) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clients = slices.DeleteFunc(slices.Clone(o.clients), func(other *client) bool { return other == cl })
}

func (o *output) lastLines() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.tail)
}

// pipe is the standard input of the current or the next run, nil unless the container is interactive.
func (o *output) pipe() *stdinPipe {
	if !o.c.spec.Stdio.Interactive.Value {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stdin == nil {
		r, w := io.Pipe()
		o.stdin = &stdinPipe{r: r, w: w}
	}
	return o.stdin
}

// stdinPipe leads from attached clients to a process. Its ends close with the run.
type stdinPipe struct {
	r *io.PipeReader
	w *io.PipeWriter
}

// streams are the streams of one run of the process.
type streams struct {
	out            *output
	watch          *supervise.LineWatch
	stdin          *stdinPipe
	stdout, stderr *streamWriter
}

// open connects a run; the logs may be nil.
func (o *output) open(stdout, stderr io.WriteCloser, watch *supervise.LineWatch) *streams {
	s := &streams{out: o, watch: watch, stdin: o.pipe()}
	s.stdout = &streamWriter{streams: s, name: "stdout", log: stdout}
	s.stderr = &streamWriter{streams: s, name: "stderr", log: stderr}
	return s
}

// stdio is what the engine gets. Without `interactive` the process reads /dev/null.
func (s *streams) stdio(columns, rows uint16) engine.Stdio {
	io := engine.Stdio{Stdout: s.stdout, Stderr: s.stderr, Columns: columns, Rows: rows}
	if s.stdin != nil {
		io.Stdin = s.stdin.r
	}
	return io
}

// close ends a run whose process has ended and whose output is drained.
func (s *streams) close() {
	for _, w := range []*streamWriter{s.stdout, s.stderr} {
		w.close()
	}
	if s.stdin == nil {
		return
	}
	_ = s.stdin.r.Close() // a client that writes now gets an error; pipes cannot fail to close
	_ = s.stdin.w.Close()
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	if s.out.stdin == s.stdin {
		s.out.stdin = nil
	}
}

// streamWriter takes one stream from the engine. It never fails: an error would end the engine's copying.
type streamWriter struct {
	*streams
	name string

	mu      sync.Mutex
	log     io.WriteCloser // guarded by mu; nil = none
	failed  bool           // guarded by mu; a log that failed was reported
	partial []byte         // guarded by mu; a line without its end
}

// Write implements io.Writer. The log comes first: what a client has seen can be found there.
func (w *streamWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	if w.log != nil {
		if _, err := w.log.Write(p); err != nil && !w.failed {
			w.failed = true
			w.out.c.m.warn(w.out.c, "its output cannot be logged: %v", err)
		}
	}
	w.splitLocked(p)
	w.mu.Unlock()
	w.toClients(p)
	w.out.c.m.hub.output(w.out.c, w.name, p)
	return len(p), nil
}

// toClients writes without holding a lock, since a client may take as long as it likes.
func (w *streamWriter) toClients(p []byte) {
	w.out.mu.Lock()
	clients := w.out.clients
	w.out.mu.Unlock()
	for _, cl := range clients {
		to := cl.stdout
		if w.name == "stderr" {
			to = cl.stderr
		}
		if to == nil {
			continue
		}
		if _, err := to.Write(p); err != nil {
			w.out.detach(cl)
		}
	}
}

func (w *streamWriter) splitLocked(p []byte) {
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		line := p
		if i >= 0 {
			line, p = p[:i], p[i+1:]
		} else {
			p = nil
		}
		w.partial = append(w.partial, line[:min(len(line), lineLimit-len(w.partial))]...)
		if i >= 0 {
			w.endLineLocked()
		}
	}
}

func (w *streamWriter) endLineLocked() {
	line := bytes.TrimSuffix(w.partial, []byte("\r"))
	w.watch.Line(line)
	w.out.addLine(string(line))
	w.partial = w.partial[:0]
}

func (o *output) addLine(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.tail) == tailLines {
		o.tail = append(o.tail[:0], o.tail[1:]...)
	}
	o.tail = append(o.tail, line)
}

func (w *streamWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.partial) > 0 {
		w.endLineLocked()
	}
	if w.log == nil {
		return
	}
	if err := w.log.Close(); err != nil && !w.failed {
		w.out.c.m.warn(w.out.c, "its log cannot be closed: %v", err)
	}
	w.log = nil
}
