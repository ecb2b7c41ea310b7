package project

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// ErrDetached is what Exec and Attach answer when the user typed the detach keys: the process goes on.
var ErrDetached = errors.New("detached")

// DefaultDetachKeys is docker's ctrl-p,ctrl-q.
const DefaultDetachKeys = "ctrl-p,ctrl-q"

// ParseDetachKeys turns docker's notation into the bytes a terminal sends: elements separated by commas, each a single
// character, DEL, or ctrl- with one of a-z @ [ \ ] ^ _. The empty string gives no keys: nothing detaches.
func ParseDetachKeys(text string) ([]byte, error) {
	keys := []byte{}
	if text == "" {
		return keys, nil
	}
	for _, element := range strings.Split(text, ",") {
		key, ok := detachKey(element)
		if !ok {
			return nil, fmt.Errorf("detach-keys: %q is no key; write one character, DEL, or ctrl- followed by a-z @ [ \\ ] ^ _", element)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func detachKey(element string) (byte, bool) {
	if element == "DEL" {
		return 127, true
	}
	if len(element) == 1 {
		return element[0], true
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

// detacher looks for the detach keys in typed input. Bytes that may be their beginning are held back until the next
// ones tell.
type detacher struct {
	keys []byte
	held []byte // always a proper prefix of keys
}

// filter returns what of p is to be sent, after what was held back, and whether the keys were completed; what follows
// them is dropped.
func (d *detacher) filter(p []byte) (out []byte, detached bool) {
	if len(d.keys) == 0 {
		return p, false
	}
	for _, b := range p {
		d.held = append(d.held, b)
		for !bytes.HasPrefix(d.keys, d.held) {
			out = append(out, d.held[0])
			d.held = d.held[1:]
		}
		if len(d.held) == len(d.keys) {
			return out, true
		}
	}
	return out, false
}

// rest returns what was held back when the input ended.
func (d *detacher) rest() []byte {
	out := d.held
	d.held = nil
	return out
}
