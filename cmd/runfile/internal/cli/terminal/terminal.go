// Package terminal is what the command line knows of the user's terminal: whether there is one, how wide it is, whether
// to colour, raw mode, and the filter that keeps text written by a container from steering it.
package terminal

import (
	"io"
	"strings"

	"golang.org/x/term"
)

// fder is a stream with a file descriptor, *os.File in practice.
type fder interface{ Fd() uintptr }

// Is reports whether a stream is a terminal.
func Is(stream any) bool {
	f, ok := stream.(fder)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Size returns the columns and rows of a terminal, or 80 and 24 where that is not known.
func Size(stream any) (columns, rows int) {
	if f, ok := stream.(fder); ok {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
			return w, h
		}
	}
	return 80, 24
}

// Raw puts a terminal into raw mode and returns how to undo it. Where the stream is no terminal it does nothing.
func Raw(stream any) (restore func(), err error) {
	if !Is(stream) {
		return func() {}, nil
	}
	fd := int(stream.(fder).Fd())
	old, err := term.MakeRaw(fd)
	if err != nil {
		return func() {}, err
	}
	return func() { _ = term.Restore(fd, old) }, nil
}

// Colour decides whether to colour what is written to w. mode is auto, always or never; getenv reads the
// environment: NO_COLOR (not empty) beats FORCE_COLOR and CLICOLOR_FORCE, and the flag beats both.
func Colour(mode string, w io.Writer, getenv func(string) string) bool {
	switch mode {
	case "always":
		return true
	case "never":
		return false
	}
	if getenv("NO_COLOR") != "" {
		return false
	}
	for _, name := range []string{"FORCE_COLOR", "CLICOLOR_FORCE"} {
		if v := getenv(name); v != "" && v != "0" && v != "false" {
			return true
		}
	}
	return Is(w) && getenv("TERM") != "dumb"
}

// UTF8 reports whether the environment asks for UTF-8; without it progress uses ASCII marks.
func UTF8(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := getenv(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}

// Style is an SGR parameter list ("31" red, "1" bold).
type Style string

// The styles in use. The sixteen basic colours follow the user's own palette.
const (
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
	Cyan   Style = "36"
	Bold   Style = "1"
	Dim    Style = "2"
)

// prefixes are the colours that containers get by their position.
var prefixes = [...]Style{"36", "33", "32", "35", "34", "96", "93", "92", "95", "94"}

// Nth returns the colour of the n-th container of a project, n >= 0.
func Nth(n int) Style { return prefixes[n%len(prefixes)] }

// Paint wraps text in a style if on is true.
func Paint(on bool, s Style, text string) string {
	if !on || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}
