package logs

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// decoder turns records back into entries. It keeps the memory of the last entry's line.
type decoder struct{ line []byte }

// decode reads one record, without its newline, into e. It reports false for what is not a whole record. The entry's
// line is valid until the next call.
func (d *decoder) decode(record []byte, e *Entry) bool {
	if !d.decodeFast(record, e) && !d.decodeAny(record, e) {
		return false
	}
	e.Partial = true
	if n := len(e.Line); n > 0 && e.Line[n-1] == '\n' {
		e.Line, e.Partial = e.Line[:n-1], false
	}
	return true
}

// decodeFast understands exactly what appendRecord writes without attrs. Anything else is for decodeAny.
func (d *decoder) decodeFast(b []byte, e *Entry) bool {
	b, ok := bytes.CutPrefix(b, []byte(`{"log":"`))
	if !ok {
		return false
	}
	line, b, ok := unescape(d.line[:0], b)
	d.line = line
	if !ok {
		return false
	}
	if b, ok = bytes.CutPrefix(b, []byte(`,"stream":"`)); !ok {
		return false
	}
	switch {
	case bytes.HasPrefix(b, []byte(`stdout"`)):
		e.Stream = Stdout
	case bytes.HasPrefix(b, []byte(`stderr"`)):
		e.Stream = Stderr
	default:
		return false
	}
	if b, ok = bytes.CutPrefix(b[len(`stdout"`):], []byte(`,"time":"`)); !ok {
		return false
	}
	if b, ok = bytes.CutSuffix(b, []byte(`"}`)); !ok {
		return false
	}
	t, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil || t.IsZero() {
		return false
	}
	e.Time, e.Line = t, line
	return true
}

// unescape appends the JSON string that starts at b, after its opening quote, to dst, and returns what follows the
// closing quote. It gives up on what JSON forbids or what needs repair.
func unescape(dst, b []byte) (out, rest []byte, ok bool) {
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c == '"':
			return append(dst, b[:i]...), b[i+1:], true
		case c == '\\':
			dst = append(dst, b[:i]...)
			r, size := unescapeOne(b[i:])
			if size == 0 {
				return dst, nil, false
			}
			dst = utf8.AppendRune(dst, r)
			b, i = b[i+size:], 0
		case c < ' ':
			return dst, nil, false
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && size == 1 {
				return dst, nil, false
			}
			i += size
		}
	}
	return dst, nil, false
}

// unescapeOne decodes the escape sequence at the start of b; size 0 means that it is none.
func unescapeOne(b []byte) (r rune, size int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\', '/':
		return rune(b[1]), 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'u':
		if len(b) < 6 {
			return 0, 0
		}
		n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
		if err != nil || utf16.IsSurrogate(rune(n)) {
			return 0, 0
		}
		return rune(n), 6
	default:
		return 0, 0
	}
}

// decodeAny understands any record of docker's format.
func (d *decoder) decodeAny(b []byte, e *Entry) bool {
	var r struct {
		Log    string    `json:"log"`
		Stream string    `json:"stream"`
		Time   time.Time `json:"time"`
	}
	if json.Unmarshal(b, &r) != nil || r.Time.IsZero() {
		return false
	}
	d.line = append(d.line[:0], r.Log...)
	e.Time, e.Stream, e.Line = r.Time, r.Stream, d.line
	return true
}
