package terminal

import (
	"bytes"
	"testing"
)

func TestFilterNeutralises(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "hello\tworld\n", "hello\tworld\n"},
		{"colour stays", "\x1b[1;31mred\x1b[0m\n", "\x1b[1;31mred\x1b[0m\n"},
		{"clear screen", "\x1b[2Jx", "^[[2Jx"},
		{"clipboard", "\x1b]52;c;aGk=\x07", "^[]52;c;aGk=^G"},
		{"carriage return", "real\rfake\n", "real^Mfake\n"},
		{"terminal line end", "a\r\nb\r\n", "a\nb\n"},
		{"bidi", "a\u202eb", "a<U+202E>b"},
		{"c1 csi", "a\u009b2Jb", "a<U+009B>2Jb"},
		{"invalid", "a\xffb", "a\uFFFDb"},
		{"backspace", "a\bb", "a^Hb"},
		{"unicode", "größe ✔ 漢字", "größe ✔ 漢字"},
		{"cursor with m later", "\x1b[5Am", "^[[5Am"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, 2, 3, len(tt.in)} { // however the stream is cut
				var out bytes.Buffer
				f := NewFilter(&out)
				for rest := []byte(tt.in); len(rest) > 0; {
					n := min(size, len(rest))
					if _, err := f.Write(rest[:n]); err != nil {
						t.Fatal(err)
					}
					rest = rest[n:]
				}
				if err := f.Flush(); err != nil {
					t.Fatal(err)
				}
				if out.String() != tt.want {
					t.Errorf("in pieces of %d: got %q, want %q", size, out.String(), tt.want)
				}
			}
		})
	}
}

func FuzzFilter(f *testing.F) {
	f.Add([]byte("\x1b[31mx\x1b[2J\r\n"), 1)
	f.Add([]byte("\xc2\x9b"), 1)
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		var out bytes.Buffer
		w := NewFilter(&out)
		cut = max(0, min(cut, len(in)))
		_, _ = w.Write(in[:cut])
		_, _ = w.Write(in[cut:])
		_ = w.Flush()
		for rest := out.Bytes(); ; {
			i := bytes.IndexAny(rest, "\x1b\r\x07\x08")
			if i < 0 {
				break
			}
			n := sgrLength(rest[i:])
			if n == 0 {
				t.Fatalf("control sequence survives in %q", out.Bytes())
			}
			rest = rest[i+n:]
		}
	})
}

func TestClean(t *testing.T) {
	if got := Clean("\x1b[31mred\x1b[0m \x1b[2Jx"); got != "red ^[[2Jx" {
		t.Errorf("got %q", got)
	}
}

func TestColour(t *testing.T) {
	tests := []struct {
		mode string
		env  map[string]string
		want bool
	}{
		{"always", map[string]string{"NO_COLOR": "1"}, true},
		{"never", map[string]string{"FORCE_COLOR": "1"}, false},
		{"auto", nil, false}, // a buffer is no terminal
		{"auto", map[string]string{"FORCE_COLOR": "1"}, true},
		{"auto", map[string]string{"CLICOLOR_FORCE": "1"}, true},
		{"auto", map[string]string{"CLICOLOR_FORCE": "0"}, false},
		{"auto", map[string]string{"FORCE_COLOR": "1", "NO_COLOR": "1"}, false},
	}
	for _, tt := range tests {
		got := Colour(tt.mode, &bytes.Buffer{}, func(k string) string { return tt.env[k] })
		if got != tt.want {
			t.Errorf("Colour(%s, %v) = %v", tt.mode, tt.env, got)
		}
	}
}
