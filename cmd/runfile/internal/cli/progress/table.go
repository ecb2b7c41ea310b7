package progress

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
)

// look says how a frame is drawn.
type look struct {
	colour, utf8  bool
	columns, rows int
}

var marks = map[phase]struct {
	utf8, ascii string
	style       terminal.Style
}{
	waiting: {"○", ".", terminal.Dim},
	busy:    {"◌", "~", terminal.Cyan},
	running: {"●", "*", terminal.Cyan},
	ready:   {"●", "*", terminal.Green},
	done:    {"✔", "+", terminal.Green},
	failed:  {"✖", "x", terminal.Red},
	skipped: {"⊘", "-", terminal.Yellow},
	stopped: {"■", "=", terminal.Dim},
}

// frame draws the table: a head line and one line per container, none wider or more than the terminal has room for.
func (m *model) frame(now time.Time, l look) []string {
	rows := m.rows
	room := max(l.rows-2, 1) // the head line, and one for the cursor
	hidden := 0
	if len(rows) > room {
		rows = mostInteresting(rows, room-1)
		hidden = len(m.rows) - len(rows)
	}
	width := 4
	for _, r := range rows {
		width = max(width, utf8.RuneCountInString(r.Key))
	}
	lines := []string{clip(m.head(now), l.columns)}
	for _, r := range rows {
		lines = append(lines, r.line(now, width, l))
	}
	if hidden > 0 {
		lines = append(lines, clip(fmt.Sprintf(" ... %d more", hidden), l.columns))
	}
	return lines
}

// mostInteresting keeps n rows in their order: what runs, is being prepared or has failed before what waits or is over.
func mostInteresting(rows []*row, n int) []*row {
	keep := map[*row]bool{}
	for _, wanted := range [][]phase{{failed}, {busy, running, ready}, {waiting}, {skipped, stopped, done}} {
		for _, r := range rows {
			for _, p := range wanted {
				if r.phase == p && len(keep) < n {
					keep[r] = true
				}
			}
		}
	}
	var out []*row
	for _, r := range rows {
		if keep[r] {
			out = append(out, r)
		}
	}
	return out
}

func (m *model) head(now time.Time) string {
	count := map[string]int{}
	for _, r := range m.rows {
		switch r.phase {
		case running, ready:
			count["running"]++
		case busy:
			count["starting"]++
		case done, stopped:
			count["done"]++
		case failed:
			count["failed"]++
		case skipped:
			count["skipped"]++
		default:
			count["waiting"]++
		}
	}
	var parts []string
	for _, word := range []string{"running", "starting", "done", "failed", "skipped", "waiting"} {
		if count[word] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[word], word))
		}
	}
	elapsed := time.Duration(0)
	if !m.start.IsZero() {
		elapsed = now.Sub(m.start)
	}
	return fmt.Sprintf("%s · %s · %s   %s", m.project, Plural(len(m.rows), "container"), Clock(elapsed),
		strings.Join(parts, "  "))
}

func (r *row) line(now time.Time, width int, l look) string {
	mark := marks[r.phase]
	sign := mark.ascii
	if l.utf8 {
		sign = mark.utf8
	}
	role := "job"
	if r.Service {
		role = "service"
	}
	clock := ""
	switch {
	case r.started.IsZero():
	case !r.ended.IsZero():
		clock = Clock(r.ended.Sub(r.started))
	default:
		clock = Clock(now.Sub(r.started))
	}
	text := fmt.Sprintf(" %-*s  %-7s  %-11s  %6s  %s", width, r.Key, role, r.state, clock, headline(r.detail))
	text = strings.TrimRight(clip(text, l.columns-2), " ")
	return " " + terminal.Paint(l.colour, mark.style, sign) + text
}

// headline is the first line of a text, without the colon that announces the others.
func headline(s string) string {
	first, rest, _ := strings.Cut(s, "\n")
	if rest != "" {
		first = strings.TrimRight(first, "\r: ")
	}
	return first
}

// Plural is a count with its noun: 1 job, 2 jobs.
func Plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// clip shortens text to a number of cells. Wide characters count as two.
func clip(s string, cells int) string {
	if cells <= 0 {
		return ""
	}
	used := 0
	for i, r := range s {
		w := 1
		if wide(r) {
			w = 2
		}
		if used+w > cells {
			return s[:i]
		}
		used += w
	}
	return s
}

// wide reports whether a terminal gives a rune two cells: East Asian wide blocks and emoji.
func wide(r rune) bool {
	return unicode.Is(wideRunes, r)
}

var wideRunes = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x1100, 0x115f, 1},
		{0x2e80, 0xa4cf, 1},
		{0xac00, 0xd7a3, 1},
		{0xf900, 0xfaff, 1},
		{0xfe30, 0xfe6f, 1},
		{0xff00, 0xff60, 1},
		{0xffe0, 0xffe6, 1},
	},
	R32: []unicode.Range32{
		{0x1f300, 0x1faff, 1},
		{0x20000, 0x3fffd, 1},
	},
}
