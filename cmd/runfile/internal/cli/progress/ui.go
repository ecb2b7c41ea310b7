package progress

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
	"github.com/runfile/runfile/executor"
)

// Mode is a value of --progress.
type Mode string

// The modes. Auto becomes TTY or Plain before a UI is made.
const (
	Auto  Mode = "auto"
	TTY   Mode = "tty"
	Plain Mode = "plain"
	JSON  Mode = "json"
	Quiet Mode = "quiet"
)

// Modes are the accepted words of --progress.
func Modes() []string {
	return []string{string(Auto), string(TTY), string(Plain), string(JSON), string(Quiet)}
}

// Options of a UI.
type Options struct {
	Out          io.Writer // where progress goes, standard error
	Mode         Mode
	Colour, UTF8 bool
	Project      string
	Entries      []Entry
	// Size of the terminal in cells; asked at every redraw. Only for TTY.
	Size func() (columns, rows int)
}

// UI shows progress. All methods may be called at the same time from several goroutines.
type UI struct {
	o Options

	mu      sync.Mutex
	model   *model
	drawn   int  // lines of the live table that are on the screen now
	broken  bool // the output above the table ended within a line
	dirty   bool
	stop    chan struct{}
	ticker  sync.WaitGroup
	closing sync.Once
}

// refresh is how often the live table is redrawn at most.
const refresh = 100 * time.Millisecond

// New returns a UI that shows nothing yet.
func New(o Options) *UI {
	u := &UI{o: o, model: newModel(o.Project, o.Entries), stop: make(chan struct{})}
	if o.Mode == TTY {
		u.ticker.Go(u.tick)
	}
	return u
}

func (u *UI) tick() {
	t := time.NewTicker(refresh)
	defer t.Stop()
	second := time.Time{}
	for {
		select {
		case <-u.stop:
			return
		case now := <-t.C:
			u.mu.Lock()
			if clock := now.Truncate(time.Second); u.dirty || u.drawn == 0 || !clock.Equal(second) {
				second = clock
				u.redraw(now)
			}
			u.mu.Unlock()
		}
	}
}

// Observe shows an event. It implements executor.Observer.
func (u *UI) Observe(ev executor.Event) {
	u.mu.Lock()
	defer u.mu.Unlock()
	c, ok := u.model.observe(ev)
	if !ok {
		return
	}
	switch u.o.Mode {
	case TTY:
		u.dirty = true
		if ev.Type == executor.EventWarning || c.fail {
			u.erase()
			u.printPlain(c)
		}
	case JSON:
		u.printJSON(c)
	case Quiet:
		if c.fail {
			u.printPlain(c)
		}
	default:
		if ev.Type != executor.EventProgress || retried(ev) {
			u.printPlain(c)
		}
	}
}

// retried reports whether a progress event says more than "so many bytes": plain progress prints only those.
func retried(ev executor.Event) bool {
	return ev.Progress != nil && strings.HasPrefix(ev.Progress.Detail, "retry")
}

func (u *UI) printPlain(c change) {
	state := c.state
	style := terminal.Style("")
	switch {
	case c.fail:
		style = terminal.Red
	case c.state == "warning", c.state == "skipped":
		style = terminal.Yellow
	}
	if style != "" {
		state = terminal.Paint(u.o.Colour, style, state)
	}
	line := fmt.Sprintf("%7.1fs  %s  %s", max(c.time.Sub(u.model.start), 0).Seconds(), c.id, state)
	if c.detail != "" {
		line += "  " + headline(c.detail) // the summary quotes the rest
	}
	if c.origin != "" && (c.fail || c.state == "warning") {
		line += "  (" + c.origin + ")"
	}
	_, _ = fmt.Fprintln(u.o.Out, line)
}

// printJSON writes the versioned progress object of spec manifest-and-cli 3.
func (u *UI) printJSON(c change) {
	_ = json.NewEncoder(u.o.Out).Encode(struct {
		Version  int       `json:"v"`
		Time     time.Time `json:"time"`
		ID       string    `json:"id"`
		Kind     string    `json:"kind"`
		State    string    `json:"state"`
		Detail   string    `json:"detail,omitempty"`
		ExitCode *int      `json:"exitCode,omitempty"`
		Origin   string    `json:"origin,omitempty"`
	}{1, c.time, c.id, c.kind, c.state, c.detail, c.code, c.origin})
}

// Above runs write, which prints container output on the same terminal, with the table out of its way. endsLine says
// whether the output now stands at the beginning of a line; until it does the table stays away.
func (u *UI) Above(write func() (endsLine bool)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.o.Mode == TTY {
		u.erase()
	}
	u.broken = !write()
}

// erase takes the live table off the screen; the cursor is then where the table began.
func (u *UI) erase() {
	if u.drawn > 0 {
		_, _ = fmt.Fprintf(u.o.Out, "\x1b[%dA\r\x1b[J", u.drawn)
		u.drawn = 0
	}
	u.dirty = true
}

func (u *UI) redraw(now time.Time) {
	if u.broken {
		return
	}
	columns, rows := u.o.Size()
	lines := u.model.frame(now, look{colour: u.o.Colour, utf8: u.o.UTF8, columns: columns, rows: rows})
	var b strings.Builder
	if u.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r", u.drawn)
	}
	for _, line := range lines {
		b.WriteString("\x1b[2K" + line + "\n")
	}
	b.WriteString("\x1b[J")
	_, _ = io.WriteString(u.o.Out, b.String())
	u.drawn, u.dirty = len(lines), false
}

// Say prints a line of ours above the table; quiet and JSON progress leave it out.
func (u *UI) Say(format string, args ...any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.o.Mode == Quiet || u.o.Mode == JSON {
		return
	}
	if u.o.Mode == TTY {
		u.erase()
	}
	if u.broken {
		_, _ = fmt.Fprintln(u.o.Out)
		u.broken = false
	}
	_, _ = fmt.Fprintf(u.o.Out, format+"\n", args...)
}

// Close stops redrawing and takes the table away, so that what follows stands on clean lines.
func (u *UI) Close() {
	u.closing.Do(func() {
		close(u.stop)
		u.ticker.Wait()
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.o.Mode != TTY {
			return
		}
		u.erase()
		if u.broken {
			_, _ = fmt.Fprintln(u.o.Out)
		}
	})
}
