package logs

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestReopenAfterTornRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	write(t, path, nil, numbered(1, 3))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data[:len(data)-10], 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, path, nil, numbered(4, 5))
	skipped := 0
	got := text(read(t, path, ReadOptions{Skipped: func(n int) { skipped = n }}))
	if want := numbered(1, 2) + numbered(4, 5); got != want || skipped != 1 {
		t.Errorf("got %q, skipped %d", got, skipped)
	}
	if got := text(read(t, path, ReadOptions{Tail: 3})); got != numbered(2, 2)+numbered(4, 5) {
		t.Errorf("tail 3 = %q", got)
	}
}

func TestReadReportsDamage(t *testing.T) {
	good := string(appendRecord(nil, Entry{Time: time.Now(), Stream: Stdout, Line: []byte("ok")}, nil))
	for name, c := range map[string]struct {
		file          string
		good, skipped int
	}{
		"empty":             {"", 0, 0},
		"torn at the end":   {good + good[:20], 1, 1},
		"torn in between":   {good + good[:20] + "\n" + good, 2, 1},
		"glued":             {good + good[:20] + good + good, 2, 1},
		"whole, no newline": {good + strings.TrimSuffix(good, "\n"), 2, 0},
		"blank lines":       {"\n" + good + "\n\n" + good, 2, 0},
		"zeros":             {good + strings.Repeat("\x00", 5000) + "\n" + good, 2, 1},
		"no time":           {`{"log":"x\n","stream":"stdout"}` + "\n" + good, 1, 1},
		"endless":           {strings.Repeat("x", 3*maxRecord) + "\n" + good, 1, 1},
		"endless at end":    {good + strings.Repeat("x", 3*maxRecord), 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
			skipped := 0
			if got := read(t, path, ReadOptions{Skipped: func(n int) { skipped = n }}); len(got) != c.good || skipped != c.skipped {
				t.Errorf("%d entries, %d skipped; want %d, %d", len(got), skipped, c.good, c.skipped)
			}
			if got := read(t, path, ReadOptions{Tail: 100}); len(got) != c.good {
				t.Errorf("tail: %d entries, want %d", len(got), c.good)
			}
		})
	}
}

func TestReadMissing(t *testing.T) {
	if got := read(t, filepath.Join(t.TempDir(), "none"), ReadOptions{Tail: 5}); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestReadStopsWithError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	write(t, path, nil, numbered(1, 3))
	stop := errors.New("stop")
	n := 0
	err := Read(t.Context(), path, ReadOptions{}, func(Entry) error { n++; return stop })
	if !errors.Is(err, stop) || n != 1 {
		t.Errorf("%v after %d", err, n)
	}
}

// Docker's rule, measured: a file is left for a new one by the first record that finds it at or above max-size.
func TestRotation(t *testing.T) {
	for name, c := range map[string]struct {
		opts  map[string]string
		files []string
	}{
		"one file":   {map[string]string{"max-size": "1k"}, []string{"log"}},
		"three":      {map[string]string{"max-size": "1k", "max-file": "3"}, []string{"log", "log.1", "log.2"}},
		"compressed": {map[string]string{"max-size": "1k", "max-file": "3", "compress": "true"}, []string{"log", "log.1.gz", "log.2.gz"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "log")
			write(t, path, c.opts, numbered(1, 100))
			var names []string
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				names = append(names, e.Name())
			}
			if !slices.Equal(names, c.files) {
				t.Fatalf("files %v, want %v", names, c.files)
			}
			for _, name := range names[1:] {
				if n := len(content(t, filepath.Join(dir, name))); n < 1000 || n >= 1100 {
					t.Errorf("%s holds %d bytes", name, n)
				}
			}
			got := text(read(t, path, ReadOptions{}))
			if !strings.HasSuffix(numbered(1, 100), got) || got == "" || !strings.HasSuffix(got, "line 100\n") {
				t.Errorf("read back %q", got)
			}
			lines := strings.Count(got, "\n")
			for _, tail := range []int{1, 3, lines - 1, lines, lines + 5} {
				want := numbered(100-min(tail, lines)+1, 100)
				if got := text(read(t, path, ReadOptions{Tail: tail})); got != want {
					t.Errorf("tail %d = %q", tail, got)
				}
			}
			if got := read(t, path, ReadOptions{Tail: TailNone}); len(got) != 0 {
				t.Errorf("tail none = %v", got)
			}
		})
	}
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(path, gzipExt) {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if data, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

func TestOpenFinishesCompression(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	write(t, path+".1", nil, numbered(1, 2))
	if err := os.WriteFile(path+".1.gz.tmp", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, path, map[string]string{"max-size": "1k", "max-file": "2", "compress": "true"}, numbered(3, 3))
	if _, err := os.Stat(path + ".1"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("plain file: %v", err)
	}
	if got := text(read(t, path, ReadOptions{})); got != numbered(1, 3) {
		t.Errorf("got %q", got)
	}
}

func TestDamagedArchive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	write(t, path, nil, numbered(3, 4))
	if err := os.WriteFile(path+".1.gz", []byte("not gzip"), 0o600); err != nil {
		t.Fatal(err)
	}
	skipped := 0
	got := text(read(t, path, ReadOptions{Tail: 10, Skipped: func(n int) { skipped = n }}))
	if got != numbered(3, 4) || skipped != 1 {
		t.Errorf("got %q, skipped %d", got, skipped)
	}
}

func TestSinceUntil(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	d, err := Open("", nil, path)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 10 {
		e := Entry{Time: start.Add(time.Duration(i) * time.Second), Stream: Stderr, Line: fmt.Appendf(nil, "line %d", i)}
		if err := d.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	o := ReadOptions{Since: start.Add(3 * time.Second), Until: start.Add(5 * time.Second)}
	if got := text(read(t, path, o)); got != numbered(3, 5) {
		t.Errorf("got %q", got)
	}
	o.Tail, o.Until = 2, time.Time{}
	if got := text(read(t, path, o)); got != numbered(8, 9) {
		t.Errorf("with tail: %q", got)
	}
}

// Every entry is seen once and in order while the log rotates under the reader.
func TestFollow(t *testing.T) {
	for name, opts := range map[string]map[string]string{
		"one file":   nil,
		"rotating":   {"max-size": "2k", "max-file": "1000"},
		"compressed": {"max-size": "20k", "max-file": "1000", "compress": "true"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			write(t, path, opts, numbered(1, 100))
			done := make(chan struct{})
			var seen atomic.Int64
			result := make(chan string)
			go func() {
				var got []Entry
				err := Read(t.Context(), path, ReadOptions{Follow: true, Done: done}, func(e Entry) error {
					e.Line = bytes.Clone(e.Line)
					got = append(got, e)
					seen.Add(1)
					return nil
				})
				result <- fmt.Sprint(text(got), err)
			}()
			d, err := Open("", opts, path)
			if err != nil {
				t.Fatal(err)
			}
			p := Pump(Stdout, d)
			for i := 101; i <= 5000; i += 7 {
				to := min(i+6, 5000)
				if _, err := p.Write([]byte(numbered(i, to))); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(p.Close(), d.Close()); err != nil {
				t.Fatal(err)
			}
			close(done)
			if got, want := <-result, numbered(1, 5000)+"<nil>"; got != want {
				t.Errorf("%d of 5000 lines seen, %d bytes of %d", seen.Load(), len(got), len(want))
			}
		})
	}
}

func TestFollowWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "log") // does not exist yet
		ctx, cancel := context.WithCancel(t.Context())
		lines := make(chan string)
		ended := make(chan error)
		go func() {
			ended <- Read(ctx, path, ReadOptions{Follow: true, Tail: TailNone}, func(e Entry) error {
				lines <- string(e.Line)
				return nil
			})
		}()
		synctest.Wait() // it polls by now
		write(t, path, nil, "one\n")
		if got := <-lines; got != "one" {
			t.Errorf("got %q", got)
		}
		write(t, path, nil, "two\n")
		if got := <-lines; got != "two" {
			t.Errorf("got %q", got)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Read = %v", err)
		}
	})
}

func TestFollowUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "log")
		write(t, path, nil, "one\n")
		got := read(t, path, ReadOptions{Follow: true, Until: time.Now().Add(time.Hour)})
		if len(got) != 1 {
			t.Errorf("got %v", got)
		}
	})
}

// A writer that cannot finish a record cuts it off; the reader must not glue its start to the next one.
func TestFollowShrinkingFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "log")
		write(t, path, nil, "one\n")
		whole, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		lines := make(chan string)
		done := make(chan struct{})
		skipped := 0
		ended := make(chan error)
		go func() {
			o := ReadOptions{Follow: true, Done: done, Skipped: func(n int) { skipped = n }}
			ended <- Read(t.Context(), path, o, func(e Entry) error { lines <- string(e.Line); return nil })
		}()
		<-lines
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(`{"log":"half`); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Second) // fake: the reader has looked
		if err := errors.Join(f.Truncate(whole.Size()), f.Close()); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Second)
		write(t, path, nil, "two\n")
		if got := <-lines; got != "two" {
			t.Errorf("got %q", got)
		}
		close(done)
		if err := <-ended; err != nil || skipped != 0 {
			t.Errorf("Read = %v, skipped %d", err, skipped)
		}
	})
}

// TestKillLosesNothing kills a process that logs and compares what it had acknowledged with what is in the file.
func TestKillLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperWriter$")
	cmd.Env = append(os.Environ(), "LOGS_TEST_PATH="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acks := bufio.NewScanner(out)
	acked := 0
	for acks.Scan() {
		if acked++; acked == 500 {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	if got := len(read(t, path, ReadOptions{})); got < acked || acked < 500 {
		t.Errorf("%d lines in the log, %d acknowledged", got, acked)
	}
}

func TestHelperWriter(t *testing.T) {
	path := os.Getenv("LOGS_TEST_PATH")
	if path == "" {
		t.Skip("run by TestKillLosesNothing")
	}
	d, err := Open("", nil, path)
	if err != nil {
		t.Fatal(err)
	}
	p := Pump(Stdout, d)
	for i := 0; ; i++ {
		if _, err := fmt.Fprintf(p, "line %d\n", i); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stdout.WriteString("ack\n"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRing(t *testing.T) {
	gate := make(chan struct{})
	slow := &gated{gate: gate, entered: make(chan struct{}, 10)}
	r := newRing(slow, 10)
	entry := func(text string) error { return r.Write(Entry{Stream: Stdout, Line: []byte(text)}) }
	if err := entry("first"); err != nil {
		t.Fatal(err)
	}
	<-slow.entered // the driver hangs in it now
	for _, c := range []struct {
		text string
		want error
	}{{"12345", nil}, {"67890", nil}, {"x", errBufferFull}} {
		if err := entry(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.text, err, c.want)
		}
	}
	close(gate)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if want := []string{"stdout:first|", "stdout:12345|", "stdout:67890|"}; !slices.Equal(slow.entries, want) || !slow.closed {
		t.Errorf("got %v, closed %v", slow.entries, slow.closed)
	}
	if err := entry("late"); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v", err)
	}
}

type gated struct {
	recorder
	gate, entered chan struct{}
}

func (g *gated) Write(e Entry) error {
	g.entered <- struct{}{}
	<-g.gate
	return g.recorder.Write(e)
}

func TestConcurrentStreams(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	d, err := Open("", map[string]string{"max-size": "50k", "max-file": "100", "compress": "true"}, path)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	for _, stream := range []string{Stdout, Stderr} {
		go func() {
			p := Pump(stream, d)
			for i := range 2000 {
				fmt.Fprintf(p, "%s %d\n", stream, i)
			}
			ended <- p.Close()
		}()
	}
	if err := errors.Join(<-ended, <-ended, d.Close()); err != nil {
		t.Fatal(err)
	}
	next := map[string]int{}
	for _, e := range read(t, path, ReadOptions{}) {
		if want := fmt.Sprintf("%s %d", e.Stream, next[e.Stream]); string(e.Line) != want {
			t.Fatalf("got %q, want %q", e.Line, want)
		}
		next[e.Stream]++
	}
	if next[Stdout] != 2000 || next[Stderr] != 2000 {
		t.Errorf("got %v", next)
	}
}

func BenchmarkPump(b *testing.B) {
	path := filepath.Join(b.TempDir(), "log")
	d, err := Open("", map[string]string{"max-size": "64m"}, path)
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	p := Pump(Stdout, d)
	chunk := []byte(strings.Repeat("GET /index.html HTTP/1.1 200 612 \"Mozilla/5.0\" 0.004\n", 600))[:32<<10]
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	path := filepath.Join(b.TempDir(), "log")
	d, err := Open("", nil, path)
	if err != nil {
		b.Fatal(err)
	}
	chunk := []byte(strings.Repeat("GET /index.html HTTP/1.1 200 612 \"Mozilla/5.0\" 0.004\n", 20000))
	if _, err := Pump(Stdout, d).Write(chunk); err != nil {
		b.Fatal(err)
	}
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Read(b.Context(), path, ReadOptions{}, func(Entry) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
