package logs

import (
	"time"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// plain says which ASCII bytes docker's encoder writes as they are; it escapes < > & as well, to be safe inside HTML.
var plain = func() (t [utf8.RuneSelf]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return t
}()

// appendRecord appends the entry as a line of docker's json-file format. attrs is the encoded value of the key attrs,
// or empty. Written by hand because encoding/json is ten times slower, and this is on the path of every line.
func appendRecord(dst []byte, e Entry, attrs []byte) []byte {
	dst = append(dst, `{"log":"`...)
	dst = appendEscaped(dst, e.Line)
	if !e.Partial {
		dst = append(dst, `\n`...)
	}
	dst = append(dst, `","stream":"`...)
	dst = append(dst, e.Stream...)
	dst = append(dst, '"')
	if len(attrs) > 0 {
		dst = append(dst, `,"attrs":`...)
		dst = append(dst, attrs...)
	}
	dst = append(dst, `,"time":"`...)
	dst = e.Time.UTC().AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"', '}', '\n')
}

// appendEscaped appends s as the inside of a JSON string, escaped exactly as docker does it. Bytes that are not UTF-8
// become U+FFFD: JSON has no way to hold them.
func appendEscaped(dst, s []byte) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if !plain[c] {
				dst = append(dst, s[start:i]...)
				dst = appendEscape(dst, c)
				start = i + 1
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, s[start:i]...)
			dst = append(dst, `\ufffd`...)
			start = i + size
		case r == '\u2028' || r == '\u2029': // line separators end a JavaScript string
			dst = append(dst, s[start:i]...)
			dst = append(dst, `\u202`...)
			dst = append(dst, hexDigits[r&0xf])
			start = i + size
		}
		i += size
	}
	return append(dst, s[start:]...)
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	default:
		return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
	}
}
