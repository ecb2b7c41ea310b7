// Package convert turns other descriptions of containers into runfiles and back: docker run lines, alone or in scripts
// and manuals; compose files; and from a runfile a shell script of docker run lines.
//
// Everything becomes a draft first: the tree of a runfile in which each value keeps the place of the input that it came
// from (draft.go). The draft is written, read and checked as any other runfile (settle.go), and what is wrong with it is
// reported where the input says it; such values are left out, so that what comes out is valid. Nothing goes missing
// without a diagnostic.
//
// The package stands above the planner, since only the planner knows whether references lead anywhere and in which
// order a script has to start containers.
package convert

import (
	"fmt"
	"io"
	"strings"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema"
)

// The codes of this package.
const (
	CodeNotCarried diag.Code = "not-carried"
	CodeChanged    diag.Code = "carried-differently"
	CodeNeedsValue diag.Code = "needs-value"
	CodeNoInput    diag.Code = "nothing-to-convert"
)

func init() {
	const foreign = "it is about what `runfile convert` reads"
	for _, i := range []diag.Info{
		{
			Code:    CodeNotCarried,
			Meaning: "A part of what `runfile convert` read is not in what it wrote, because the other side cannot say it.",
			Cure:    "Look whether it matters. Do by hand what the message advises.",
		},
		{
			Code:    CodeChanged,
			Meaning: "A part of what `runfile convert` read is written in another way, which is not the same in every case.",
			Cure:    "Look whether the difference matters.",
		},
		{
			Code:    CodeNeedsValue,
			Meaning: "A script takes a value from its environment or from a command; in the runfile it is a variable without a default.",
			Cure:    "Give it with --var NAME=VALUE, in the environment or in a vars-file, or write a default into `vars`.",
		},
		{
			Code:    CodeNoInput,
			Meaning: "`runfile convert` found nothing that it can convert.",
			Cure:    "Give it docker run lines, a compose file or a runfile; --from says what it is.",
		},
	} {
		i.NoExample = foreign
		diag.Register(i)
	}
}

// Result is a runfile that was made from something else.
type Result struct {
	// Root is the runfile; the ranges of its nodes point into the input.
	Root *manifest.Node
	// Project is Root, read and checked. It is nil if there is nothing to write, and incomplete while variables lack
	// a value (CodeNeedsValue).
	Project *schema.Project
	// Diags say what was not carried, and why, in the order of the input. Errors among them mean that nothing is
	// written, or that the input itself could not be read as a whole.
	Diags diag.List
	// Lost says that a part of the input is not in the runfile.
	Lost bool
	// Sources are the texts that Diags point into.
	Sources diag.Sources

	spots map[diag.Pos]spot
}

// Write writes the runfile as yaml, toml or json.
func (r *Result) Write(w io.Writer, format string) error { return schema.WriteTree(w, r.Root, format) }

// literal writes text so that a runfile does not take a part of it for a variable.
func literal(s string) string { return strings.ReplaceAll(s, "${", "$${") }

// excerpt is text for a message: one line, and not too much of it.
func excerpt(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 60 {
		s = string(r[:57]) + "..."
	}
	return s
}

// unique makes a name that is not taken: name, name-2, name-3, ...
func unique(name, sep string, taken func(string) bool) string {
	out := name
	for n := 2; taken(out); n++ {
		out = fmt.Sprintf("%s%s%d", name, sep, n)
	}
	return out
}
