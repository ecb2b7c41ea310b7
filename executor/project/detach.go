package project

import (
	"bytes"
	"errors"
)

// ErrDetached is what Exec and Attach answer when the user typed the detach keys: the process goes on.
var ErrDetached = errors.New("detached")

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
