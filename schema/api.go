package schema

import (
	"io"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
)

// Options returns the rows of the table.
func Options() []Option { return nil }

// Lookup returns the row of that long name.
func Lookup(name string) (*Option, bool) { return nil, false }

// Decode turns a loaded document into a project.
func Decode(doc *manifest.Document) (*Project, diag.List) { return &Project{Name: doc.Name}, nil }

// RunFlags are the flags of `runfile run` that are not options of a container.
type RunFlags struct {
	Print      bool
	Project    string
	Files      []string
	Progress   string
	Quiet      bool
	Help       bool
	SigProxy   bool
	DetachKeys string
	Format     string
}

// FromFlags reads the arguments of `runfile run`.
func FromFlags(args []string, dir string) (*Container, RunFlags, diag.List) {
	return &Container{}, RunFlags{}, nil
}

// Check applies the rules between options and between containers.
func Check(p *Project) diag.List { return nil }

// Canonical returns the canonical text of every option that is set.
func Canonical(c *Container) map[string]string { return nil }

// WriteManifest writes the project as yaml, toml or json.
func WriteManifest(w io.Writer, p *Project, format string) error { return nil }

// Reference is a mention of another container.
type Reference struct {
	Option string
	Target string
	Kind   string
	At     diag.Range
}

// References lists the containers that c refers to.
func References(c *Container) []Reference { return nil }

// RunUsage prints the help of `runfile run`.
func RunUsage(w io.Writer) {}
