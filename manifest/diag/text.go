package diag

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// TextOptions shape WriteText.
type TextOptions struct {
	Color bool // add ANSI colours; the text stays the same
	Max   int  // how many diagnostics are shown, the rest is counted; 0 = 20, negative = all
	// Width is how many cells a line of the terminal has; 0 = unknown.
	Width int
	// Undone is what has not happened because of errors, for the last line; "" = nothing was started.
	Undone string
}

// defaultMax keeps the cause of a long list on one screen.
const defaultMax = 20

// The colours, as SGR sequences.
const (
	red    = "\x1b[1;31m"
	yellow = "\x1b[1;33m"
	blue   = "\x1b[34m"
	cyan   = "\x1b[36m"
	bold   = "\x1b[1m"
	reset  = "\x1b[0m"
)

// WriteText writes the list for people: what is wrong, where, the source line with carets, what to do, and at the end
// one line with the count. It writes nothing for an empty list. Nothing that came out of a source can reach the terminal
// as a control sequence. When the list is longer than o.Max, errors are shown before warnings.
func WriteText(w io.Writer, l List, src Sources, o TextOptions) error {
	if len(l) == 0 {
		return nil
	}
	out := bufio.NewWriter(w)
	p := textPrinter{w: out, lines: newLineCache(src), color: o.Color, width: o.Width}
	l = l.sorted()
	shown := l.shown(o.Max)
	for _, d := range shown {
		p.diagnostic(d)
	}
	if hidden := len(l) - len(shown); hidden > 0 {
		fmt.Fprintf(out, "... and %d more\n\n", hidden)
	}
	fmt.Fprintln(out, l.count(o.Undone))
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write diagnostics: %w", err)
	}
	return nil
}

// shown picks what is printed of a sorted list: the first errors, then warnings as far as there is room.
func (l List) shown(limit int) List {
	if limit == 0 {
		limit = defaultMax
	}
	if limit < 0 || len(l) <= limit {
		return l
	}
	errors, warnings := 0, 0
	for _, d := range l {
		if d.Severity == Error {
			errors++
		}
	}
	errors = min(errors, limit)
	warnings = limit - errors
	out := make(List, 0, limit)
	for _, d := range l {
		left := &warnings
		if d.Severity == Error {
			left = &errors
		}
		if *left > 0 {
			*left--
			out = append(out, d)
		}
	}
	return out
}

// count is the closing line: how many, where, and what has not happened.
func (l List) count(undone string) string {
	files := map[string]bool{}
	errors, warnings, last := 0, 0, ""
	for _, d := range l {
		if d.Severity == Error {
			errors++
		} else {
			warnings++
		}
		if d.Subject.File != "" {
			files[d.Subject.File], last = true, d.Subject.File
		}
	}
	var parts []string
	if errors > 0 {
		parts = append(parts, plural(errors, "error"))
	}
	if warnings > 0 {
		parts = append(parts, plural(warnings, "warning"))
	}
	line := strings.Join(parts, " and ")
	switch len(files) {
	case 0:
	case 1:
		line += " in " + visible(last, false)
	default:
		line += fmt.Sprintf(" in %d files", len(files))
	}
	if errors > 0 {
		if undone == "" {
			undone = "nothing was started"
		}
		line += "; " + undone
	}
	return line
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// textPrinter prints one list. Write errors stick in the bufio.Writer and come out of its Flush.
type textPrinter struct {
	w     *bufio.Writer
	lines *lineCache
	color bool
	width int
}

// paint wraps text in a colour.
func (p *textPrinter) paint(color, text string) string {
	if !p.color || text == "" {
		return text
	}
	return color + text + reset
}

func (p *textPrinter) diagnostic(d Diagnostic) {
	tone := red
	if d.Severity == Warning {
		tone = yellow
	}
	head := d.Severity.String()
	if d.Code != "" {
		head += "[" + string(d.Code) + "]"
	}
	fmt.Fprintf(p.w, "%s%s\n", p.paint(tone, head), p.paint(bold, ": "+visible(d.Summary, false)))

	// One gutter width for all snippets of a diagnostic, at least 2, so that they line up.
	width := 2
	for _, r := range append([]Label{{Range: d.Subject}}, d.Related...) {
		width = max(width, len(strconv.Itoa(r.Range.Start.Line)))
	}
	p.place(Label{Range: d.Subject, Text: d.Label}, width, tone)
	for _, r := range d.Related {
		p.place(r, width, tone)
	}
	for _, h := range d.Help {
		lines := strings.Split(h, "\n")
		fmt.Fprintf(p.w, "%*s %s %s\n", width, "", p.paint(blue, "="), p.paint(cyan, "help: ")+visible(lines[0], false))
		for _, more := range lines[1:] {
			fmt.Fprintf(p.w, "%*s         %s\n", width, "", visible(more, false))
		}
	}
	fmt.Fprintln(p.w)
}

// place prints one position with its source line, or what is known of it.
func (p *textPrinter) place(at Label, width int, tone string) {
	text := visible(at.Text, false)
	if at.Range.File != "" {
		fmt.Fprintf(p.w, "%*s%s %s\n", width, "", p.paint(blue, "-->"), visible(at.Range.String(), false))
	}
	line, ok := p.lines.get(at.Range)
	if !ok {
		if text != "" {
			fmt.Fprintf(p.w, "%*s %s %s\n", width, "", p.paint(blue, "="), text)
		}
		return
	}
	room := maxSnippet
	if p.width > 0 {
		room = min(room, max(p.width-width-len("  | "), minSnippet))
	}
	code, pad, carets := snippet(line, at.Range, room)
	if text != "" {
		carets += " " + text
	}
	bar := p.paint(blue, "|")
	fmt.Fprintf(p.w, "%*s %s\n", width, "", bar)
	fmt.Fprintf(p.w, "%s %s %s\n", p.paint(blue, fmt.Sprintf("%*d", width, at.Range.Start.Line)), bar, code)
	fmt.Fprintf(p.w, "%*s %s %s%s\n", width, "", bar, pad, p.paint(tone, carets))
}

// lineCache finds lines of sources without scanning a source again for each diagnostic.
type lineCache struct {
	src   Sources
	lines map[string][][]byte
}

func newLineCache(src Sources) *lineCache { return &lineCache{src: src, lines: map[string][][]byte{}} }

// get returns the line on which a range starts.
func (c *lineCache) get(r Range) (string, bool) {
	src, ok := c.src[r.File]
	if !ok || r.Start.Line < 1 {
		return "", false
	}
	lines, ok := c.lines[r.File]
	if !ok {
		lines = bytes.Split(src, []byte("\n"))
		c.lines[r.File] = lines
	}
	if r.Start.Line > len(lines) {
		return "", false
	}
	return string(bytes.TrimSuffix(lines[r.Start.Line-1], []byte("\r"))), true
}
