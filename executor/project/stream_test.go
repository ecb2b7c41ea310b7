package project

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
)

func frame(ch byte, size uint32, payload string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{ch}, size), payload...)
}

func TestFramesSurviveTheWire(t *testing.T) {
	var wire bytes.Buffer
	out := &frameWriter{w: &wire}
	big := bytes.Repeat([]byte("0123456789"), 20_000) // four frames
	if err := errors.Join(out.write(chanStdin, []byte("a")), out.write(chanStdout, big), out.resize(80, 25),
		out.write(chanStdinClose, nil), out.writeJSON(chanExit, WaitResponse{ExitCode: 7})); err != nil {
		t.Fatal(err)
	}
	in := &frameReader{r: &wire}
	var got []channel
	var stdout []byte
	for {
		ch, p, err := in.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ch)
		switch ch {
		case chanStdout:
			stdout = append(stdout, p...)
		case chanResize:
			if c, r := decodeResize(p); c != 80 || r != 25 {
				t.Errorf("resize = %d, %d", c, r)
			}
		case chanExit:
			var w WaitResponse
			if err := json.Unmarshal(p, &w); err != nil || w.ExitCode != 7 {
				t.Errorf("exit = %+v, %v", w, err)
			}
		default: // their order is all that counts
		}
	}
	want := []channel{
		chanStdin, chanStdout, chanStdout, chanStdout, chanStdout, chanResize, chanStdinClose, chanExit,
	}
	if !slices.Equal(got, want) || !bytes.Equal(stdout, big) {
		t.Errorf("channels %v, want %v; %d bytes of output, want %d", got, want, len(stdout), len(big))
	}
}

func TestFrameReaderRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		wire []byte
		want error
	}{
		"nothing":                {nil, io.EOF},
		"half a header":          {[]byte{0, 0}, io.ErrUnexpectedEOF},
		"half a payload":         {frame(0, 5, "abc"), io.ErrUnexpectedEOF},
		"no payload":             {frame(0, 5, ""), io.ErrUnexpectedEOF},
		"unknown channel":        {frame(byte(channels), 0, ""), errFrame},
		"too long":               {frame(1, maxFrame+1, strings.Repeat("x", maxFrame+1)), errFrame},
		"absurdly long":          {frame(1, 1<<32-1, ""), errFrame},
		"resize of three bytes":  {frame(byte(chanResize), 3, "abc"), errFrame},
		"stdin-close with bytes": {frame(byte(chanStdinClose), 1, "a"), errFrame},
		"detach with bytes":      {frame(byte(chanDetach), 1, "a"), errFrame},
	} {
		t.Run(name, func(t *testing.T) {
			in := &frameReader{r: bytes.NewReader(c.wire)}
			if ch, p, err := in.next(); !errors.Is(err, c.want) {
				t.Errorf("got %d %q %v, want %v", ch, p, err, c.want)
			}
		})
	}
}

// TestWritersDoNotTearFrames lets two streams share a writer, as stdout and stderr do.
func TestWritersDoNotTearFrames(t *testing.T) {
	r, w := io.Pipe()
	out := &frameWriter{w: w}
	var g sync.WaitGroup
	for _, ch := range []channel{chanStdout, chanStderr} {
		g.Go(func() {
			for range 200 {
				if _, err := (stream{out, ch}).Write(bytes.Repeat([]byte{byte(ch)}, 777)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() { g.Wait(); w.Close() }()
	in := &frameReader{r: r}
	frames := 0
	for ; ; frames++ {
		ch, p, err := in.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || !bytes.Equal(p, bytes.Repeat([]byte{byte(ch)}, 777)) {
			t.Fatalf("frame %d of channel %d is torn: %v", frames, ch, err)
		}
	}
	if frames != 400 {
		t.Errorf("%d frames, want 400", frames)
	}
}

func TestLongJSONBecomesAnError(t *testing.T) {
	var wire bytes.Buffer
	out := &frameWriter{w: &wire}
	if err := out.writeJSON(chanExit, WaitResponse{Error: strings.Repeat("x", maxFrame)}); err != nil {
		t.Fatal(err)
	}
	ch, p, err := (&frameReader{r: &wire}).next()
	var e ErrorResponse
	if err != nil || ch != chanError || json.Unmarshal(p, &e) != nil || e.Message == "" {
		t.Errorf("got channel %d, %q, %v", ch, p, err)
	}
}

func FuzzFrameReader(f *testing.F) {
	f.Add(frame(1, 3, "abc"))
	f.Add(append(frame(byte(chanResize), 4, "abcd"), frame(5, 2, "{}")...))
	f.Add(frame(0, 1<<31, "x"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		in := &frameReader{r: bytes.NewReader(wire)}
		var again bytes.Buffer
		out := &frameWriter{w: &again}
		for {
			ch, p, err := in.next()
			if err != nil {
				break
			}
			if ch >= channels || len(p) > maxFrame {
				t.Fatalf("channel %d with %d bytes got through", ch, len(p))
			}
			if err := out.write(ch, p); err != nil {
				t.Fatal(err)
			}
		}
		// What was understood is written again as it was.
		if !bytes.HasPrefix(wire, again.Bytes()) {
			t.Fatalf("%x was understood as %x", wire, again.Bytes())
		}
	})
}
