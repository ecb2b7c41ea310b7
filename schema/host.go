package schema

import (
	"strings"

	"github.com/runfile/runfile/manifest/diag"
)

// HostProblem is what an engine's host cannot do of what a container asks for, found before anything is made.
type HostProblem struct {
	Option  string // "" = no single option
	Entry   string // canonical text of the entry of a list that is meant; "" = the option as a whole
	Text    string // a clause that does not name the option: "this kernel does not account for swap"
	Help    string // what to do; "" = remove the option
	Refused bool   // the container cannot run; otherwise it runs without the option
}

// HostDiagnostics points at the lines of what a host cannot do: an error for what is refused, and a warning for what is
// left out.
func HostDiagnostics(c *Container, problems []HostProblem) diag.List {
	var l diag.List
	for _, p := range problems {
		at := c.At
		for i, v := range Values(c, p.Option) {
			if (i == 0 || v.Text == p.Entry) && !v.At.IsZero() { // the environment is no place
				at = v.At
			}
		}
		what := strings.TrimSpace(p.Option + " " + p.Entry)
		var d *diag.Diagnostic
		switch {
		case p.Refused && p.Option == "":
			d = l.Errorf(CodeHostRefuses, at, "%s: %s", who(c), p.Text)
		case p.Refused:
			d = l.Errorf(CodeHostRefuses, at, "%s, %s: %s", who(c), p.Option, p.Text)
		default:
			d = l.Warnf(CodeHostLacks, at, "%s: %s has no effect here: %s", who(c), what, p.Text)
		}
		switch {
		case p.Help != "":
			d.WithHelp("%s", p.Help)
		case !p.Refused:
			d.WithHelp("remove %s; with --strict this is an error", what)
		}
	}
	return l
}
