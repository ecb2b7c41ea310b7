package progress

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
)

// OutputOptions say how the output of containers is printed.
type OutputOptions struct {
	Stdout, Stderr io.Writer
	// Names are the containers in the order that decides their colours. With one name, output passes unchanged;
	// with more, each line is headed by the container's name.
	Names  []string
	Prefix bool
	Colour bool
	// Filter neutralises control sequences, for a terminal.
	Filter bool
	// CI defuses lines that a CI system would take as commands (reliability.md T11).
	CI bool
}

// Output prints what containers write, whole lines at a time when it heads them with names. Not for use by several
// goroutines at once.
type Output struct {
	o       OutputOptions
	streams map[streamKey]*stream
	heads   map[string]string
}

type streamKey struct{ container, stream string }

// stream is one output stream of one container.
type stream struct {
	w    io.Writer // the filter, or the destination itself
	line []byte    // begun and not yet printed, with prefixes only
	mid  bool      // what was printed last did not end a line
}

// longestLine is where a line without an end is broken when it must be headed by a name, in bytes.
const longestLine = 64 << 10

// NewOutput returns an Output.
func NewOutput(o OutputOptions) *Output {
	out := &Output{o: o, streams: map[streamKey]*stream{}, heads: map[string]string{}}
	width := 0
	for _, name := range o.Names {
		width = max(width, utf8.RuneCountInString(name))
	}
	for i, name := range o.Names {
		pad := strings.Repeat(" ", width-utf8.RuneCountInString(name))
		out.heads[name] = terminal.Paint(o.Colour, terminal.Nth(i), name+pad+" |") + " "
	}
	return out
}

// Write prints a piece of a container's output and reports whether the stream now stands at the beginning of a line.
// name is stdout or stderr.
func (o *Output) Write(container, name string, data []byte) (endsLine bool, err error) {
	s := o.stream(container, name)
	if !o.o.Prefix {
		if len(data) == 0 {
			return !s.mid, nil
		}
		s.mid = data[len(data)-1] != '\n'
		_, err = s.w.Write(data)
		return !s.mid, err
	}
	s.line = append(s.line, data...)
	for err == nil {
		end := bytes.IndexByte(s.line, '\n') + 1
		if end == 0 {
			if len(s.line) < longestLine {
				break
			}
			end = longestLine
		}
		err = o.printLine(s, container, s.line[:end])
		s.line = s.line[end:]
	}
	if len(s.line) == 0 {
		s.line = nil // give the memory back
	}
	return true, err
}

func (o *Output) head(container string) string {
	if h, ok := o.heads[container]; ok {
		return h
	}
	return container + " | "
}

func (o *Output) printLine(s *stream, container string, line []byte) error {
	line = bytes.TrimSuffix(line, []byte("\n"))
	if o.o.CI {
		line = defuse(line)
	}
	// One Write a line: lines of stdout and stderr that go to the same file must not be torn.
	buf := append([]byte(o.head(container)), line...)
	if o.o.Filter {
		buf = bytes.TrimSuffix(buf, []byte("\r"))
		if bytes.Contains(line, []byte("\x1b[")) {
			buf = append(buf, "\x1b[0m"...) // a colour ends with its line
		}
	}
	_, err := s.w.Write(append(buf, '\n'))
	return err
}

// defuse breaks the words with which CI systems take commands from a log.
func defuse(line []byte) []byte {
	for _, word := range []string{"##vso[", "##[", "::"} {
		if bytes.Contains(line, []byte(word)) {
			line = bytes.ReplaceAll(line, []byte(word), []byte(word[:1]+"\u200b"+word[1:]))
		}
	}
	return line
}

func (o *Output) stream(container, name string) *stream {
	key := streamKey{container, name}
	s := o.streams[key]
	if s == nil {
		s = &stream{w: o.o.Stdout}
		if name == "stderr" {
			s.w = o.o.Stderr
		}
		if o.o.Filter {
			s.w = terminal.NewFilter(s.w)
		}
		o.streams[key] = s
	}
	return s
}

// Flush prints lines that were begun and never ended.
func (o *Output) Flush() error {
	var first error
	for _, name := range o.o.Names {
		for _, which := range []string{"stdout", "stderr"} {
			s := o.streams[streamKey{name, which}]
			if s == nil {
				continue
			}
			var err error
			if len(s.line) > 0 {
				err = o.printLine(s, name, s.line)
				s.line = nil
			}
			if f, ok := s.w.(*terminal.Filter); ok && err == nil {
				err = f.Flush()
			}
			if first == nil {
				first = err
			}
		}
	}
	return first
}
