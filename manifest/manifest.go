// Package manifest reads runfiles: it finds the files, turns YAML and TOML into one tree of located nodes, and resolves
// everything that works on text or on whole sections: includes, variables, defaults, templates.
//
// Vocabulary: a file is one YAML or TOML text; a Node is one value in it with its place; a Document is what all files
// together say. Flow: find, parse each file (yaml*.go, toml*.go), replace ${...} with values (vars.go, expand.go), merge
// (include.go, templates.go), count against the limits.
//
// The package knows the top-level sections but no option of a container, except that references between containers
// have to follow when an include renames them. What a container may say is package schema's business.
package manifest

import (
	"io"

	"github.com/runfile/runfile/manifest/diag"
)

// Options say what Load reads and which values variables have.
type Options struct {
	// Files are the runfiles; relative names count from Dir, "-" is standard input. Later files are laid over earlier
	// ones as docker compose does it: containers of the same name merge as with a template (see Load). Empty = search
	// runfile.yaml, .yml, .toml in Dir and its parents.
	Files []string
	// Dir is where the search starts, and what standard input's relative paths count from; "" = working directory.
	Dir       string
	Stdin     io.Reader
	Vars      map[string]string // values of declared variables, highest precedence
	VarsFiles []string          // dotenv files, second precedence; relative names count from Dir
	// LookupEnv reads the environment; nil means an empty one.
	LookupEnv func(string) (string, bool)
	// Repeatable reports whether a container's option takes several values, which then add up over defaults and
	// templates; nil means that none does.
	Repeatable  func(key string) bool
	ProjectName string // overrides `project`
}

// Document is a loaded manifest.
type Document struct {
	// Root is a Map, possibly empty after errors, never nil.
	Root *Node
	// Files are all files that were read, as the user may open them from the working directory; the first is the
	// main one.
	Files   []string
	Dir     string // absolute directory of the main file
	Name    string // of the project: lower case letters, digits, - and _
	Sources diag.Sources
	// Secrets are the values of variables that are declared secret, for masking output.
	Secrets []string
	// Variables are those that the files declare and those they use, for `runfile vars`.
	Variables []Variable
}
