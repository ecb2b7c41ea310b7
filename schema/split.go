package schema

import (
	"github.com/runfile/runfile/manifest/diag"
)

// Flag is a flag of a docker run command line as it was written.
type Flag struct {
	Name string // the long name
	Text string // the value, not parsed; "true" for a switch that has none
	Arg  int    // index of the argument that holds the value
}

// Syntax is how SplitRun reads a command line.
type Syntax struct {
	Who string // whose flags they are, for messages: docker run
	// At is the place of an argument, also of the one behind the last.
	At func(i int) diag.Range
	// Valued reports whether a flag that the option table does not have takes a value.
	Valued func(name string) bool
}

// splitter collects flags instead of setting them.
type splitter struct {
	Syntax
	flags []Flag
}

func (s *splitter) at(i int) diag.Range { return s.At(i) }

// behind is the index of the last argument of an unknown flag.
func (s *splitter) behind(i int, name string, hasText bool) int {
	if s != nil && !hasText && s.Valued(name) {
		return i + 1
	}
	return i
}

// SplitRun takes the arguments of docker run apart without looking at values: its flags, and the index of IMAGE, which
// is len(args) or more where there is none.
func SplitRun(args []string, syntax Syntax) (flags []Flag, image int, diags diag.List) {
	s := &splitter{Syntax: syntax}
	r := &flagReader{d: &decoder{who: syntax.Who}, args: args, c: &Container{}, flags: &RunFlags{}, split: s}
	image = r.read()
	return s.flags, image, r.d.diags
}
