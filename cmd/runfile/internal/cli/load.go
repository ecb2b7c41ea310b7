package cli

import (
	"fmt"
	"os"
	"slices"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
)

// document reads the manifest as the global flags say.
func (a *app) document() (*manifest.Document, diag.List, error) {
	vars, err := a.variables()
	if err != nil {
		return nil, nil, err
	}
	doc, diags := manifest.Load(manifest.Options{
		Files: a.g.files, Dir: a.g.dir, Stdin: a.stdin, Vars: vars, VarsFiles: a.g.varsFiles, LookupEnv: os.LookupEnv,
		ProjectName: a.g.projectName, Repeatable: repeatable,
	})
	return doc, diags, nil
}

func repeatable(key string) bool {
	o, ok := schema.Lookup(key)
	return ok && (o.Kind == schema.List || o.Kind == schema.Map)
}

// load reads and checks the manifest and reports everything that is wrong with it. After errors it returns an error
// that needs no further words.
func (a *app) load() (*schema.Project, *manifest.Document, error) { return a.read(false) }

// read is load. With everything it also checks how containers depend on each other, whatever their profiles; otherwise
// it does so only beside other mistakes, since planning would report these the next time.
func (a *app) read(everything bool) (*schema.Project, *manifest.Document, error) {
	doc, diags, err := a.document()
	if err != nil {
		return nil, nil, err
	}
	var p *schema.Project
	if !diags.HasErrors() || doc.Root.Get("containers") != nil {
		more := diag.List(nil)
		p, more = schema.Decode(doc)
		if manifest.Whole(diags) && (everything || diags.HasErrors() || more.HasErrors()) {
			more = append(more, planner.Check(p, more)...)
		}
		diags = append(diags, more...)
	}
	return p, doc, a.report(diags, doc.Sources, exitUsage)
}

// remap applies the host's setting of user namespaces to a project that has none. What does not go with it is not the
// file's mistake.
func (a *app) remap(p *schema.Project, src diag.Sources) error {
	diags, err := p.Remap(a.getenv(schema.RemapVariable))
	if err != nil {
		return &failure{code: exitOurs, err: fmt.Errorf("%s: %w", schema.RemapVariable, err)}
	}
	return a.report(diags, src, exitOurs)
}

// report writes diagnostics and returns the exit status they mean: nil if there is no error among them.
func (a *app) report(diags diag.List, src diag.Sources, code int) error {
	if len(diags) == 0 {
		return nil
	}
	if a.g.strict {
		diags = slices.Clone(diags)
		for i := range diags {
			diags[i].Severity = diag.Error
		}
	}
	var err error
	switch a.g.diagnostics {
	case "json":
		err = diag.WriteJSON(a.stderr, diags)
	case "github":
		err = diag.WriteGitHub(a.stderr, diags)
	default:
		err = diag.WriteText(a.stderr, diags, src, diag.TextOptions{Color: a.colour(a.stderr), Width: a.width(), Undone: a.undone})
		if a.ciSystem() == "github" && err == nil {
			err = diag.WriteGitHub(a.stderr, diags)
		}
	}
	if err != nil {
		return fmt.Errorf("write diagnostics: %w", err)
	}
	if diags.HasErrors() {
		return exit(code)
	}
	return nil
}
