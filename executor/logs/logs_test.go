package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// recorder is a driver that remembers.
type recorder struct {
	entries []string
	closed  bool
}

func (r *recorder) Write(e Entry) error {
	end := "|"
	if e.Partial {
		end = "~"
	}
	r.entries = append(r.entries, e.Stream+":"+string(e.Line)+end)
	return nil
}

func (r *recorder) Close() error { r.closed = true; return nil }

func TestPumpCutsLines(t *testing.T) {
	long := strings.Repeat("x", maxPiece)
	for name, c := range map[string]struct {
		writes, want []string
	}{
		"lines":              {[]string{"a\nb\n\n"}, []string{"a|", "b|", "|"}},
		"across writes":      {[]string{"a", "b", "c\nd", "\n"}, []string{"abc|", "d|"}},
		"no newline at end":  {[]string{"a\nb"}, []string{"a|", "b~"}},
		"carriage return":    {[]string{"a\r\n"}, []string{"a\r|"}},
		"one short of limit": {[]string{long[1:] + "\n"}, []string{long[1:] + "|"}},
		"exactly the limit":  {[]string{long + "\n"}, []string{long + "~", "|"}},
		"above the limit":    {[]string{long + "y\nz\n"}, []string{long + "~", "y|", "z|"}},
		"limit over writes":  {[]string{long[:100], long[100:], "y", "\n"}, []string{long + "~", "y|"}},
		"twice the limit":    {[]string{long + long + "y"}, []string{long + "~", long + "~", "y~"}},
		"character on the limit": {
			[]string{long[1:] + "é\n"},
			[]string{long[1:] + "~", "é|"},
		},
		"not UTF-8 on the limit": {
			[]string{long[1:] + "\xff\xff\n"},
			[]string{long[1:] + "\xff~", "\xff|"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var r recorder
			p := Pump(Stdout, &r)
			for _, w := range c.writes {
				if n, err := p.Write([]byte(w)); n != len(w) || err != nil {
					t.Fatalf("Write = %d, %v", n, err)
				}
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			for i, want := range c.want {
				if i >= len(r.entries) || r.entries[i] != "stdout:"+want {
					t.Fatalf("entry %d of %d is wrong", i, len(r.entries))
				}
			}
			if len(r.entries) != len(c.want) || r.closed {
				t.Fatalf("%d entries, want %d; driver closed: %v", len(r.entries), len(c.want), r.closed)
			}
		})
	}
}

func TestPiecesOfALineShareItsTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	write(t, path, nil, strings.Repeat("x", 3*maxPiece)+"\nnext\n")
	got := read(t, path, ReadOptions{})
	if len(got) != 5 {
		t.Fatalf("%d entries, want 5", len(got))
	}
	if !got[0].Time.Equal(got[3].Time) || !got[0].Partial || got[3].Partial {
		t.Errorf("pieces: %v %v", got[0].Time, got[3].Time)
	}
}

// failing drivers must not stop a container.
type broken struct{ err error }

func (b broken) Write(Entry) error { return b.err }
func (broken) Close() error        { return nil }

func TestPumpSurvivesDriver(t *testing.T) {
	cause := errors.New("no space")
	p := Pump(Stderr, broken{cause})
	if n, err := p.Write([]byte("a\nb\nc")); n != 5 || err != nil {
		t.Fatalf("Write = %d, %v", n, err)
	}
	if n, err := p.(Lossy).Lost(); n != 2 || !errors.Is(err, cause) {
		t.Errorf("Lost = %d, %v", n, err)
	}
	if err := p.Close(); !errors.Is(err, cause) || !strings.Contains(err.Error(), "3 lines of stderr") {
		t.Errorf("Close = %v", err)
	}
}

func TestRecordFormat(t *testing.T) {
	at := time.Date(2026, 11, 23, 1, 2, 3, 120000000, time.FixedZone("", 3600))
	for _, c := range []struct {
		entry Entry
		want  string
	}{
		{
			Entry{Time: at, Stream: Stdout, Line: []byte("hi")},
			`{"log":"hi\n","stream":"stdout","time":"2026-11-23T00:02:03.12Z"}`,
		},
		{
			Entry{Time: at, Stream: Stderr, Line: []byte("hi"), Partial: true},
			`{"log":"hi","stream":"stderr","time":"2026-11-23T00:02:03.12Z"}`,
		},
		{
			Entry{Time: at, Stream: Stdout, Line: []byte("a\"\\\t\r\x1b<&>\xff\u2028é"), Partial: true},
			`{"log":"a\"\\\u0009\r\u001b\u003c\u0026\u003e\ufffd\u2028é","stream":"stdout","time":"2026-11-23T00:02:03.12Z"}`,
		},
	} {
		if got := string(appendRecord(nil, c.entry, nil)); got != c.want+"\n" {
			t.Errorf("got  %swant %s", got, c.want)
		}
	}
	got := string(appendRecord(nil, Entry{Time: at, Stream: Stdout}, []byte(`{"tag":"x"}`)))
	if want := `{"log":"\n","stream":"stdout","attrs":{"tag":"x"},"time":"2026-11-23T00:02:03.12Z"}` + "\n"; got != want {
		t.Errorf("got  %swant %s", got, want)
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		driver string
		opts   map[string]string
		want   string // part of the error; "" = none
	}{
		{"", nil, ""},
		{"none", nil, ""},
		{"none", map[string]string{"max-size": "1k"}, "takes no log-opt"},
		{"local", nil, `"local" is not available`},
		{"json-file", map[string]string{"max-size": "10m", "max-file": "3", "compress": "true"}, ""},
		{"json-file", map[string]string{"max-sise": "1k"}, `no log-opt "max-sise"`},
		{"json-file", map[string]string{"max-size": "foo"}, "max-size=foo"},
		{"json-file", map[string]string{"max-size": "0"}, "max-size=0"},
		{"json-file", map[string]string{"max-size": "-1"}, "max-size=-1"},
		{"json-file", map[string]string{"max-file": "0"}, "max-file=0"},
		{"json-file", map[string]string{"compress": "true"}, "compress=true needs"},
		{"json-file", map[string]string{"compress": "maybe"}, "compress=maybe"},
		{"json-file", map[string]string{"mode": "fast"}, "mode=fast"},
		{"json-file", map[string]string{"mode": "non-blocking", "max-buffer-size": "4m"}, ""},
		{"json-file", map[string]string{"max-buffer-size": "4m"}, "needs mode=non-blocking"},
		{"json-file", map[string]string{"mode": "non-blocking", "max-buffer-size": "0"}, "max-buffer-size=0"},
		{"json-file", map[string]string{"labels-regex": "("}, "labels-regex"},
		{"json-file", map[string]string{"tag": "{{.Nope"}, "tag={{.Nope"},
	} {
		d, err := Open(c.driver, c.opts, filepath.Join(t.TempDir(), "log"))
		if c.want == "" {
			if err != nil {
				t.Errorf("%s %v: %v", c.driver, c.opts, err)
				continue
			}
			if err := d.Close(); err != nil {
				t.Errorf("%s %v: close: %v", c.driver, c.opts, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: %v, want %q", c.driver, c.opts, err, c.want)
		}
	}
}

func TestAttrs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	d, err := OpenFor(Info{
		ID: strings.Repeat("ab", 32), Name: "web", ImageName: "busybox",
		Labels: map[string]string{"a": "1", "app.x": "2", "b": "3"}, Env: []string{"LANG=C", "HOME=/"},
	}, "json-file", map[string]string{
		"labels": "a", "labels-regex": "^app", "env": "LANG", "tag": "{{.ImageName}}/{{.Name}}/{{.ID}}",
	}, path)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Write(Entry{Time: time.Now(), Stream: Stdout, Line: []byte("hi")}); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := `"attrs":{"LANG":"C","a":"1","app.x":"2","tag":"busybox/web/abababababab"}`
	if !strings.Contains(string(data), want) {
		t.Errorf("got %s, want %s", data, want)
	}
	if got := read(t, path, ReadOptions{}); len(got) != 1 || string(got[0].Line) != "hi" {
		t.Errorf("read back %+v", got)
	}
}

// write opens the log, pumps the text to stdout and closes it.
func write(t *testing.T, path string, opts map[string]string, text string) {
	t.Helper()
	d, err := Open("json-file", opts, path)
	if err != nil {
		t.Fatal(err)
	}
	p := Pump(Stdout, d)
	if _, err := p.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.Close(), d.Close()); err != nil {
		t.Fatal(err)
	}
}

// read returns all entries, with lines that outlive the call.
func read(t *testing.T, path string, o ReadOptions) []Entry {
	t.Helper()
	var got []Entry
	err := Read(t.Context(), path, o, func(e Entry) error {
		e.Line = bytes.Clone(e.Line)
		got = append(got, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// text joins lines as the container wrote them.
func text(entries []Entry) string {
	var b strings.Builder
	for _, e := range entries {
		b.Write(e.Line)
		if !e.Partial {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// numbered returns lines with the numbers from..to.
func numbered(from, to int) string {
	var b strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("hello"), true)
	f.Add([]byte("\x00\"\\\xff\u2028\xf0\x9f\x98\x80"), false)
	f.Fuzz(func(t *testing.T, line []byte, partial bool) {
		if bytes.IndexByte(line, '\n') >= 0 {
			return
		}
		at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
		record := appendRecord(nil, Entry{Time: at, Stream: Stdout, Line: line, Partial: partial}, nil)
		if !json.Valid(record) || bytes.Count(record, []byte{'\n'}) != 1 {
			t.Fatalf("%q is not one line of JSON", record)
		}
		var d decoder
		var e Entry
		if !d.decode(bytes.TrimSuffix(record, []byte{'\n'}), &e) {
			t.Fatalf("%q does not decode", record)
		}
		want := string([]rune(string(line))) // invalid bytes become U+FFFD one by one
		if string(e.Line) != want || e.Partial != partial || !e.Time.Equal(at) || e.Stream != Stdout {
			t.Fatalf("got %+v from %q", e, line)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"log":"hi\n","stream":"stdout","time":"2026-11-23T00:02:03.12Z"}`))
	f.Add([]byte(`{"log":"\ud83d\ude00","stream":"stderr","attrs":{"a":"b"},"time":"2026-11-23T00:02:03.12Z"}`))
	f.Add([]byte(`{"log":"a","stream":"stdout","time":"2026-11-2`))
	f.Fuzz(func(t *testing.T, record []byte) {
		var fast, slow decoder
		var a, b Entry
		if !fast.decodeFast(record, &a) {
			return
		}
		if !slow.decodeAny(record, &b) {
			t.Fatalf("only the fast path accepts %q", record)
		}
		if !bytes.Equal(a.Line, b.Line) || a.Stream != b.Stream || !a.Time.Equal(b.Time) || !utf8.Valid(a.Line) {
			t.Fatalf("%+v and %+v from %q", a, b, record)
		}
	})
}

func FuzzRead(f *testing.F) {
	good := `{"log":"hi\n","stream":"stdout","time":"2026-11-23T00:02:03.12Z"}` + "\n"
	f.Add([]byte(good+`{"log":"to`), 1)
	f.Add([]byte("\n\n"+good+"\x00\x00"+good), 2)
	f.Fuzz(func(t *testing.T, file []byte, tail int) {
		path := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		count := func(tail int) (n int) {
			err := Read(context.WithoutCancel(t.Context()), path, ReadOptions{Tail: tail}, func(Entry) error { n++; return nil })
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		all := count(0)
		if tail %= 100; tail > 0 {
			if got := count(tail); got != min(all, tail) {
				t.Fatalf("tail %d of %d gave %d", tail, all, got)
			}
		}
	})
}
