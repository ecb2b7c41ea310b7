package diag

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Longest stretch of a source line that is printed, in cells of a terminal; half of it may stand before the subject.
// Files of generated JSON are one line of a megabyte.
// The shortest stretch is for terminals in which nothing fits.
const maxSnippet, minSnippet = 200, 20

// tabCells is how many cells a tab may take.
const tabCells = 8

// snippet returns a printable form of a line, the white space that leads to the range's start and the carets under the
// range. A range that goes on in later lines is marked to the end of this one. Where the line has more than room cells,
// the part around the subject is shown, so that a terminal does not break it and the carets stand below.
func snippet(line string, r Range, room int) (code, pad, carets string) {
	runes := []rune(line)
	start := min(max(r.Start.Column-1, 0), len(runes))
	end := len([]rune(strings.TrimRight(line, " \t")))
	if r.End.Line == r.Start.Line {
		end = min(r.End.Column-1, len(runes))
	}

	from, to := window(runes, start, room)
	var c, p, m strings.Builder
	if from > 0 {
		c.WriteString("…")
		p.WriteByte(' ')
	}
	for i := from; i < to; i++ {
		text, cells := cell(runes[i])
		c.WriteString(text)
		switch {
		case i < start && runes[i] == '\t':
			p.WriteByte('\t') // as wide as in the line above, whatever the terminal's tab stops are
		case i < start:
			p.WriteString(strings.Repeat(" ", cells))
		case i < end:
			m.WriteString(strings.Repeat("^", cells))
		}
	}
	if to < len(runes) {
		c.WriteString("…")
	}
	if m.Len() == 0 {
		m.WriteByte('^')
	}
	return c.String(), p.String(), m.String()
}

// window is the part of a line that is shown: all of it if it fits, else as much before the subject as behind.
func window(runes []rune, start, room int) (from, to int) {
	if fitting(runes, room) == len(runes) {
		return 0, len(runes)
	}
	room -= 2 // the marks of what is left out
	before := slices.Clone(runes[max(0, start-room):start])
	slices.Reverse(before)
	from = start - fitting(before, room/2)
	return from, from + fitting(runes[from:], room)
}

// fitting is how many code points fit into a number of cells.
func fitting(runes []rune, room int) int {
	for i, r := range runes {
		_, cells := cell(r)
		if r == '\t' {
			cells = tabCells
		}
		if room -= cells; room < 0 {
			return i
		}
	}
	return len(runes)
}

// cell returns what is printed for a code point of a source and how many terminal cells it takes. Control characters
// become their Unicode pictures, and what could reorder or hide text becomes a replacement character.
func cell(r rune) (string, int) {
	switch {
	case r == '\t':
		return "\t", 1
	case r < 0x20:
		return string(0x2400 + r), 1
	case r == 0x7f:
		return "\u2421", 1
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
		return "\ufffd", 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return string(r), 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return string(r), 2
	default:
		return string(r), 1
	}
}

// visible makes a message printable in the same way; lines says whether line breaks are kept.
func visible(s string, lines bool) string {
	clean := true
	for _, r := range s {
		if r < 0x20 || r >= 0x7f {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if r == '\n' && lines {
			b.WriteByte('\n')
			continue
		}
		text, _ := cell(r)
		if r == '\t' {
			text = " "
		}
		b.WriteString(text)
	}
	return b.String()
}
