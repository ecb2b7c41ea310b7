package cli

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
)

// askHost reports what the host cannot do of what those who take part ask for: nothing has been made yet. What one line
// asks for several containers is reported once.
func (a *app) askHost(plan *planner.Plan, src diag.Sources) error {
	var diags diag.List
	for _, c := range plan.Project.Containers {
		if !slices.Contains(plan.Selected, c.Key) {
			continue
		}
		for _, d := range schema.HostDiagnostics(c, append(preflight(c), cidfileProblems(c, plan)...)) {
			known := func(o diag.Diagnostic) bool { return o.Subject == d.Subject && o.Code == d.Code && !d.Subject.IsZero() }
			if !slices.ContainsFunc(diags, known) {
				diags = append(diags, d)
			}
		}
	}
	return a.report(diags, src, exitOurs)
}

// cidfileProblems finds files for ids that cannot be made. The file of a container that is to be replaced goes with it.
func cidfileProblems(c *schema.Container, plan *planner.Plan) []schema.HostProblem {
	file := c.Metadata.CIDFile.Value
	has := func(kind planner.Kind) bool {
		return slices.ContainsFunc(plan.Steps, func(s planner.Step) bool { return s.Kind == kind && s.Object == c.Key })
	}
	if file == "" || !has(planner.Create) {
		return nil
	}
	refused := schema.HostProblem{Option: "cidfile", Refused: true}
	dir, dirErr := os.Stat(filepath.Dir(file))
	_, err := os.Lstat(file)
	switch {
	case dirErr != nil:
		refused.Text, refused.Help = "the directory "+filepath.Dir(file)+" does not exist", "make the directory, or use another path"
	case !dir.IsDir():
		refused.Text, refused.Help = filepath.Dir(file)+" is not a directory", "use another path"
	case err == nil && !has(planner.Remove):
		refused.Text, refused.Help = file+" already exists", "remove it, or use another path"
	default:
		return nil
	}
	return []schema.HostProblem{refused}
}

// terminalFor refuses a container that wants our terminal where we have none (options-process.md 3).
func (a *app) terminalFor(c *schema.Container, src diag.Sources) error {
	if !c.Stdio.TTY.Value || !readsStdin(c) || terminal.Is(a.stdin) {
		return nil
	}
	return a.report(schema.HostDiagnostics(c, []schema.HostProblem{{
		Option: "tty", Refused: true, Text: "standard input is not a terminal, and tty with interactive needs one",
		Help: "drop tty to pass input on, or interactive to give the process a terminal nobody types at",
	}}), src, exitOurs)
}
