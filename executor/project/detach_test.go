package project

import (
	"bytes"
	"slices"
	"testing"
)

func TestDetacher(t *testing.T) {
	for _, c := range []struct {
		name, keys string
		typed      []string
		want       string
		detached   bool
	}{
		{"keys alone", "\x10\x11", []string{"\x10", "\x11"}, "", true},
		{"keys in one read", "\x10\x11", []string{"ab\x10\x11cd"}, "ab", true},
		{"first key only", "\x10\x11", []string{"\x10", "a"}, "\x10a", false},
		{"held at the end", "\x10\x11", []string{"a\x10"}, "a\x10", false},
		{"first key twice", "\x10\x11", []string{"\x10", "\x10", "\x11"}, "\x10", true},
		{"overlapping beginnings", "aab", []string{"aaab"}, "a", true},
		{"false start inside", "aab", []string{"a", "b", "aa", "b"}, "ab", true},
		{"no keys", "", []string{"\x10\x11"}, "\x10\x11", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &detacher{keys: []byte(c.keys)}
			var got []byte
			detached := false
			for _, p := range c.typed {
				var out []byte
				out, detached = d.filter([]byte(p))
				got = append(got, out...)
				if detached {
					break
				}
			}
			if !detached {
				got = append(got, d.rest()...)
			}
			if string(got) != c.want || detached != c.detached {
				t.Errorf("passed on %q, detached %t; want %q, %t", got, detached, c.want, c.detached)
			}
		})
	}
}

func FuzzDetacher(f *testing.F) {
	f.Add([]byte("aab"), []byte("aaab"), 2)
	f.Fuzz(func(t *testing.T, keys, typed []byte, cut int) {
		if len(keys) == 0 {
			return
		}
		d := &detacher{keys: slices.Clone(keys)}
		cut = min(max(cut, 0), len(typed))
		got, detached := d.filter(slices.Clone(typed[:cut]))
		got = slices.Clone(got)
		if !detached {
			var more []byte
			more, detached = d.filter(slices.Clone(typed[cut:]))
			got = append(got, more...)
		}
		at := bytes.Index(typed, keys)
		switch {
		case detached != (at >= 0):
			t.Fatalf("keys %q in %q: detached %t", keys, typed, detached)
		case detached && !bytes.Equal(got, typed[:at]):
			t.Fatalf("keys %q in %q: passed on %q", keys, typed, got)
		case !detached && !bytes.Equal(append(got, d.rest()...), typed):
			t.Fatalf("keys %q, typed %q: lost something: %q", keys, typed, got)
		}
	})
}
