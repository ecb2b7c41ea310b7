package value

import "strings"

// DetachKeysSyntax is the syntax of detach-keys: elements separated by commas, each a single character, DEL, or ctrl-
// with one of a-z @ [ \ ] ^ _ (docker's notation).
func DetachKeysSyntax() Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			for element := range strings.SplitSeq(s, ",") {
				if _, ok := detachKey(element); !ok {
					return "", bad("%q is no key", element).fix(`write one character, DEL, or ctrl- followed by a-z @ [ \ ] ^ _: ctrl-p,ctrl-q`)
				}
			}
			return s, nil
		},
		Format: func(s string) string { return s },
		Schema: func() jsonSchema { return orNumber(0, 9, `^`+each(`([\x00-+\x2d-\x7f]|DEL|ctrl-[a-z@\[\\\]^_])`)+`$`) },
		Syntax: "KEY[,KEY...], KEY one character, DEL, or ctrl- followed by a-z @ [ \\ ] ^ _",
		Words:  []string{DefaultDetachKeys, "ctrl-a,d"},
	}
}

// DefaultDetachKeys is docker's sequence.
const DefaultDetachKeys = "ctrl-p,ctrl-q"

// DetachBytes are the bytes that a terminal sends for keys in the syntax of detach-keys; the empty text gives none.
func DetachBytes(keys string) []byte {
	out := []byte{}
	if keys == "" {
		return out
	}
	for element := range strings.SplitSeq(keys, ",") {
		if key, ok := detachKey(element); ok {
			out = append(out, key)
		}
	}
	return out
}

func detachKey(element string) (byte, bool) {
	if element == "DEL" {
		return 127, true
	}
	if len(element) == 1 {
		return element[0], element[0] < 0x80
	}
	name, isCtrl := strings.CutPrefix(element, "ctrl-")
	if !isCtrl || len(name) != 1 {
		return 0, false
	}
	switch c := name[0]; {
	case c >= 'a' && c <= 'z':
		return c - 'a' + 1, true
	case c == '@' || c >= '[' && c <= '_':
		return c - '@', true
	}
	return 0, false
}
