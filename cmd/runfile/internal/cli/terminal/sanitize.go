package terminal

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Filter is a Writer that passes on text for a terminal with every control sequence made visible except newline, tab
// and SGR ("colour") sequences. A container can therefore neither move the cursor, set the clipboard, rename the
// window nor hide a line (reliability.md T11). It keeps incomplete sequences until the next Write; Flush emits them.
type Filter struct {
	w       io.Writer
	pending []byte
}

// NewFilter returns a Filter in front of w.
func NewFilter(w io.Writer) *Filter { return &Filter{w: w} }

// Write implements io.Writer; it always takes all of p unless the writer below fails.
func (f *Filter) Write(p []byte) (int, error) {
	in := p
	if len(f.pending) > 0 {
		in = append(f.pending, p...)
		f.pending = nil
	}
	out, rest := neutralise(make([]byte, 0, len(in)+16), in, false)
	f.pending = append([]byte(nil), rest...)
	if _, err := f.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes an incomplete sequence that is still held back, made visible.
func (f *Filter) Flush() error {
	if len(f.pending) == 0 {
		return nil
	}
	out, _ := neutralise(nil, f.pending, true)
	f.pending = nil
	_, err := f.w.Write(out)
	return err
}

// Clean makes one piece of text safe to print anywhere: no control sequence survives, colours neither.
func Clean(s string) string {
	if !strings.ContainsFunc(s, unsafeRune) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if sgr := sgrLength([]byte(s[i:])); sgr > 0 {
			i += sgr
			continue
		}
		b.WriteString(visible(r, n == 1))
		i += n
	}
	return b.String()
}

// maxSGR bounds how long a colour sequence may be before it counts as something else.
const maxSGR = 64

// neutralise appends the safe form of in to out. Unless final, it stops before a trailing incomplete rune or sequence,
// which it returns as rest.
func neutralise(out, in []byte, final bool) (safe, rest []byte) {
	for i := 0; i < len(in); {
		tail := in[i:]
		if !final && incomplete(tail) {
			return out, tail
		}
		if n := sgrLength(tail); n > 0 {
			out = append(out, tail[:n]...)
			i += n
			continue
		}
		if len(tail) > 1 && tail[0] == '\r' && tail[1] == '\n' {
			i++ // a terminal container ends its lines so
			continue
		}
		r, n := utf8.DecodeRune(tail)
		out = append(out, visible(r, n == 1)...)
		i += n
	}
	return out, nil
}

// incomplete reports whether b may be the beginning of a rune, a colour sequence or a CR LF.
func incomplete(b []byte) bool {
	switch {
	case len(b) == 1 && b[0] == '\r', !utf8.FullRune(b):
		return true
	case b[0] != 0x1b || len(b) > maxSGR:
		return false
	case len(b) == 1:
		return true
	case b[1] != '[':
		return false
	}
	for _, c := range b[2:] {
		if !sgrParameter(c) {
			return false
		}
	}
	return true
}

// sgrLength returns the length of the colour sequence at the start of b, or 0.
func sgrLength(b []byte) int {
	if len(b) < 3 || b[0] != 0x1b || b[1] != '[' {
		return 0
	}
	for i := 2; i < len(b) && i < maxSGR; i++ {
		if b[i] == 'm' {
			return i + 1
		}
		if !sgrParameter(b[i]) {
			return 0
		}
	}
	return 0
}

func sgrParameter(c byte) bool { return c >= '0' && c <= '9' || c == ';' || c == ':' }

// visible is the printable form of one rune: itself, caret notation, or its code point.
func visible(r rune, single bool) string {
	switch {
	case r == utf8.RuneError && single:
		return "\uFFFD"
	case !unsafeRune(r):
		return string(r)
	case r == 0x7f:
		return "^?"
	case r < 0x20:
		return "^" + string(r+0x40)
	default:
		return fmt.Sprintf("<U+%04X>", r)
	}
}

// unsafeRune reports whether a rune steers a terminal or reorders the text around it.
func unsafeRune(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < 0x20, r >= 0x7f && r < 0xa0: // C0, DEL, C1
		return true
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // bidirectional overrides
		return true
	case r == 0x2028 || r == 0x2029: // line and paragraph separators
		return true
	}
	return false
}
