package schema

import (
	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
)

// Kind says which shapes an option's value may have in a manifest.
type Kind uint8

// The kinds. A List takes one bare scalar for a list of one; a Map takes a list of K=V or a map. Words is a command:
// text that is split or handed to a shell, or a list of arguments. Object is a map with keys of its own.
const (
	Switch Kind = iota
	Scalar
	List
	Map
	Words
	Object
)

// String names the kind as the documentation does.
func (k Kind) String() string {
	return [...]string{"switch", "value", "list", "list or map", "text or list", "map"}[k]
}

// Group orders options by subject; it is the heading in the documentation.
type Group string

// The groups, in the order of the documentation.
const (
	GroupImage      Group = "Image and command"
	GroupProcess    Group = "Process"
	GroupResources  Group = "Resources"
	GroupDevices    Group = "Devices"
	GroupNamespaces Group = "Namespaces"
	GroupSecurity   Group = "Security"
	GroupNetwork    Group = "Network"
	GroupMounts     Group = "Storage"
	GroupLogging    Group = "Logging"
	GroupHealth     Group = "Health"
	GroupLifecycle  Group = "Lifecycle"
	GroupStdio      Group = "Terminal and streams"
	GroupMetadata   Group = "Name and labels"
	GroupWindows    Group = "Windows"
)

// Option is one row of the table: everything about an option except where its value goes.
type Option struct {
	Name    string   // long name, as docker run spells it
	Short   string   // one letter, or ""
	Aliases []string // hidden other spellings, accepted as flags of `runfile run` and answered with Name in manifests
	Group   Group
	Kind    Kind
	Arg     string // docker's word for the argument; "" for switches. "=10" is how docker prints stop-timeout
	Help    string // docker's sentence; lines are separated by \n
	Default string // what docker prints as (default ...)
	Doc     string // what runfile adds: Markdown, may be ""
	Example string // a value that parses, in its text form; for Object and Words it is YAML flow text
	OS      string // "" = every container, else linux or windows
	Needs   string // an option without which this one is refused or does nothing; "" = none
	Ref     string // what the value refers to: link, volumes-from, network, pid, ipc, depends-on; "" = nothing
	Own     bool   // runfile's key, not docker's
	NoFlag  bool   // a key of manifests only
	NoDiff  bool   // a change of it does not make a running container outdated
	NotYet  string // why runfile does not honour it yet; it is read and checked, and refused when planned. "" = honoured

	Syntax string                // the value's syntax in one line
	Schema func() map[string]any // makes the draft-07 schema of the whole value, all shapes; editors and pages need it, runs do not
	Words  []string              // completion of the value
}

// Value is the canonical text of a value that was given, and where.
type Value struct {
	Text string
	At   diag.Range
}

// row ties an option to the field of C that it fills.
type row[C any] struct {
	Option
	read   func(d *decoder, c *C, e manifest.Entry)
	flag   func(c *C, text string, at diag.Range) error
	values func(c *C) []Value // nil when the option was not given
	tree   func(c *C) any     // what WriteManifest writes: bool, int64, string, []any or object
	refs   func(c *C) []Value // names of other containers, for Ref
}
