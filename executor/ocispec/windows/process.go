package windows

import (
	"strings"

	"github.com/containerd/containerd/v2/pkg/oci"
)

// process fills in what is run. The environment gets no defaults: Windows has its own.
func (b *builder) process() error {
	e := b.Effective
	b.add(oci.WithProcessCwd(e.Workdir), oci.WithEnv(e.Env))
	if e.ArgsEscaped {
		b.add(edit(func(s *oci.Spec) { s.Process.CommandLine = commandLine(e.Args) }))
	} else {
		b.add(oci.WithProcessArgs(e.Args...))
	}
	if b.c.Stdio.TTY.Value {
		b.add(oci.WithTTY)
	}
	// oci.WithUsername would give the user Linux's group 0 as well.
	b.add(edit(func(s *oci.Spec) { s.Process.User.Username = e.User }))
	return nil
}

// commandLine joins arguments of which the first is a piece of a command line as it stands.
func commandLine(args []string) string {
	words := []string{args[0]}
	for _, a := range args[1:] {
		words = append(words, escape(a))
	}
	return strings.Join(words, " ")
}

// escape quotes an argument so that programs for Windows, which split their command line themselves, read it as one. A
// backslash is a letter except in front of a quotation mark.
func escape(arg string) string {
	if arg != "" && !strings.ContainsAny(arg, " \t\"") {
		return arg
	}
	quoted := arg == "" || strings.ContainsAny(arg, " \t")
	var out strings.Builder
	backslashes := 0
	for _, c := range []byte(arg) {
		switch c {
		case '\\':
			backslashes++
		case '"':
			out.WriteString(strings.Repeat(`\`, backslashes+1))
			backslashes = 0
		default:
			backslashes = 0
		}
		out.WriteByte(c)
	}
	if !quoted {
		return out.String()
	}
	return `"` + out.String() + strings.Repeat(`\`, backslashes) + `"`
}
