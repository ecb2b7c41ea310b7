// Package progress shows how a run goes: a live table on a terminal, one line per change elsewhere, JSON lines for
// programs, or failures only. It also prints the containers' output and the summary at the end.
//
// Everything it shows comes from executor events, so that `up` here and `up` after a re-attach look the same.
package progress

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/schema/value"
)

// Entry announces a container of a run.
type Entry struct {
	Key     string
	Service bool
}

// phase is how far a container is, as far as its mark and the head line are concerned.
type phase int

const (
	waiting phase = iota
	busy          // being prepared
	running
	ready
	done
	failed
	skipped
	stopped
)

// row is a line of the live table.
type row struct {
	Entry
	phase   phase
	state   string // "running", "exit 0", "waiting"
	detail  string
	started time.Time
	ended   time.Time
}

// model is what the events so far say.
type model struct {
	project string
	rows    []*row
	byKey   map[string]*row
	start   time.Time
}

func newModel(project string, entries []Entry) *model {
	m := &model{project: project, byKey: map[string]*row{}}
	for _, e := range entries {
		r := &row{Entry: e, state: "waiting"}
		m.rows = append(m.rows, r)
		m.byKey[e.Key] = r
	}
	return m
}

// change is an event put into words, one line of plain or JSON progress.
type change struct {
	time   time.Time
	id     string // container key, or the network, volume or image
	kind   string // container, network, volume, image, run
	state  string // one word where possible
	detail string
	origin string
	fail   bool
	code   *int
}

// observe takes an event into the model and returns the line it is worth, ok false for none.
func (m *model) observe(ev executor.Event) (c change, ok bool) {
	if m.start.IsZero() {
		m.start = ev.Time
	}
	c = change{time: ev.Time, id: ev.Container, kind: "container", detail: terminal.Clean(ev.Detail), origin: ev.Origin}
	if c.id == "" {
		c.id, c.kind = ev.Object, "object"
	}
	r := m.byKey[ev.Container]
	if r == nil {
		r = &row{} // an event that concerns no row changes nothing that is shown
	}
	if ok = describe(&c, ev); ok {
		r.apply(ev, c)
	}
	return c, ok
}

// words are the states of the events that are shown and need no more than a word.
var words = map[executor.EventType]string{
	executor.EventPullStart: "pulling", executor.EventProgress: "pulling", executor.EventStepDone: "done",
	executor.EventCreate: "created", executor.EventStart: "started", executor.EventReady: "ready",
	executor.EventHealth: "health", executor.EventDie: "exited", executor.EventOOM: "out of memory",
	executor.EventRestart: "restarting", executor.EventStop: "stopped", executor.EventKill: "signal",
	executor.EventDestroy: "removed", executor.EventFail: "failed", executor.EventSkip: "skipped",
	executor.EventWarning: "warning",
}

// describe puts an event into words; false for the events that are not shown: plan, output, done.
func describe(c *change, ev executor.Event) (shown bool) {
	c.state, shown = words[ev.Type]
	switch ev.Type {
	case executor.EventPullStart:
		c.id, c.kind = ev.Object, "image"
	case executor.EventProgress:
		c.id, c.kind, c.detail = ev.Object, "image", pullDetail(ev)
	case executor.EventStepDone:
		c.id = ev.Object
		describeStep(c)
	case executor.EventHealth:
		c.state, c.detail = c.detail, ""
	case executor.EventDie:
		c.code = ev.ExitCode
		if ev.ExitCode != nil {
			c.state = "exit " + strconv.Itoa(*ev.ExitCode)
		}
		c.detail = afterState(c.detail, c.state)
	case executor.EventRestart:
		c.detail = delayOnly(c.detail)
	case executor.EventKill:
		describeSignal(c)
	case executor.EventFail:
		c.fail, c.code = true, ev.ExitCode
	case executor.EventSkip:
		c.detail = "needs " + ev.Because
	default: // the word says it all
	}
	return shown
}

// afterState takes the state off the beginning of a detail that repeats it: "exit 1, restart on-failure".
func afterState(detail, state string) string {
	if rest, ok := strings.CutPrefix(detail, state); ok && (rest == "" || strings.HasPrefix(rest, ", ")) {
		return strings.TrimPrefix(strings.TrimPrefix(rest, ", "), "and ")
	}
	return detail
}

// delayOnly leaves of "exit 1, restart on-failure, in 100ms" what the line of the exit before it has not said.
func delayOnly(detail string) string {
	if i := strings.LastIndex(detail, ", in "); i >= 0 && strings.HasPrefix(detail, "exit ") {
		return detail[i+len(", "):]
	}
	return detail
}

// describeSignal says "killed" only of the signal that kills: "signal 9, still running after 2s". Others are asked for
// by their name, which the container may ignore.
func describeSignal(c *change) {
	number, why, _ := strings.Cut(strings.TrimPrefix(c.detail, "signal "), ", ")
	signal, err := value.ParseSignal(number)
	if err != nil {
		return
	}
	c.state, c.detail = "got "+signal.Name, why
	if signal.Name == "SIGKILL" {
		c.state = "killed"
	}
}

// describeStep says which kind of object a step was about, from the step's own words: "network back".
func describeStep(c *change) {
	made := map[string]string{"pull": "pulled", "network": "ready", "volume": "ready"} // they may have been there before
	if kind, _, ok := strings.Cut(c.detail, " "); ok && made[kind] != "" {
		c.kind, c.state, c.detail = kind, made[kind], kind
		if kind == "pull" {
			c.kind, c.detail = "image", ""
		}
	}
}

// phases are where an event brings a container whatever its details.
var phases = map[executor.EventType]phase{
	executor.EventPullStart: busy, executor.EventProgress: busy, executor.EventCreate: busy,
	executor.EventStart: running, executor.EventHealth: running, executor.EventReady: ready,
	executor.EventRestart: busy, executor.EventFail: failed, executor.EventSkip: skipped,
}

func (r *row) apply(ev executor.Event, c change) {
	if p, ok := phases[ev.Type]; ok {
		r.phase = p
	}
	switch ev.Type {
	case executor.EventDestroy, executor.EventStop, executor.EventKill:
		if r.phase == failed || r.phase == done || r.phase == skipped {
			return // how it ended is what people want to see, not that it was cleared away
		}
		r.phase = stopped
	case executor.EventStart:
		c.state, r.started, r.ended = "running", ev.Time, time.Time{}
	case executor.EventHealth:
		if c.state == "healthy" {
			r.phase = ready
		}
	case executor.EventDie:
		r.ended = ev.Time
		r.phase = exitPhase(ev.ExitCode, r.Service)
	default: // phases says it all
	}
	r.state, r.detail = c.state, c.detail
}

func exitPhase(code *int, service bool) phase {
	switch {
	case code != nil && *code == 0:
		return done
	case service:
		return stopped // how it ended counts only if nobody asked it to; the summary says so
	default:
		return failed
	}
}

func pullDetail(ev executor.Event) string {
	p := ev.Progress
	if p == nil {
		return terminal.Clean(ev.Detail)
	}
	s := terminal.Clean(p.Detail)
	if p.Total > 0 {
		s = fmt.Sprintf("%s %d%% of %s", s, p.Current*100/p.Total, Bytes(p.Total))
	} else if p.Current > 0 {
		s = fmt.Sprintf("%s %s", s, Bytes(p.Current))
	}
	return s
}

// Bytes prints a size as people read it, in steps of 1000 as docker does: 148MB, 1.2kB.
func Bytes(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB", "PB"}
	f, i := float64(n), 0
	for f >= 1000 && i < len(units)-1 {
		f /= 1000
		i++
	}
	return fmt.Sprintf("%.4g%s", f, units[i])
}

// Clock prints a duration as m:ss, or h:mm:ss from an hour on.
func Clock(d time.Duration) string {
	s := int(d / time.Second)
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
