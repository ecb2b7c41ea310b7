package manifest

import (
	"slices"
	"strings"

	"github.com/runfile/runfile/manifest/diag"
)

// Variable is a variable that a file declares, or a name that a file uses and none declares.
type Variable struct {
	Name     string // env.NAME for what is read from the environment without being declared
	Declared bool
	At       diag.Range // of the declaration, or of the first use
	Help     string
	Required bool
	Secret   bool
	Enum     []string
	Pattern  string // a regular expression for the whole value; "" = any
	Set      bool   // there is a value; one that is not allowed is one, too
	Value    string
	Source   Source       // where the value comes from; "" if there is none
	Uses     []diag.Range // the places of ${NAME}, in the order of reading; of very many only the first
}

// Source is where the value of a variable comes from.
type Source string

// The sources, from the strongest to the weakest.
const (
	FromInclude     Source = "include" // the file that includes the one with the declaration
	FromVar         Source = "--var"
	FromVarsFlag    Source = "--vars-file"
	FromEnvironment Source = "environment"
	FromVarsFile    Source = "vars-file"
	FromDefault     Source = "default"
)

// words are how a message names a source that is not the file itself.
func (s Source) words() string {
	switch s {
	case FromInclude, FromEnvironment:
		return "the " + string(s)
	case FromVar, FromVarsFlag, FromVarsFile:
		return string(s)
	default:
		return ""
	}
}

// maxUses bounds the places that are kept: finding one takes time proportional to the length of its value.
const maxUses = 2_000

// usage collects where names are used.
type usage struct {
	declared   map[*declaration][]diag.Range
	undeclared map[string][]diag.Range
	order      []string // of the undeclared names
	count      int
}

// noteUse records a ${NAME}, whether or not its value matters.
func (x *expander) noteUse(name string, at, end int) {
	u := &x.l.uses
	if u.count++; u.count > maxUses || name == "project" || name == "runfile.dir" {
		return
	}
	if x.scope != nil {
		if d, _ := x.scope.find(name); d != nil {
			u.declared[d] = appendPlace(u.declared[d], x.place(at, end))
			return
		}
	}
	if u.undeclared[name] == nil {
		u.order = append(u.order, name)
	}
	u.undeclared[name] = appendPlace(u.undeclared[name], x.place(at, end))
}

// appendPlace adds a place that is not there yet: a value with an anchor is read once for each alias.
func appendPlace(list []diag.Range, at diag.Range) []diag.Range {
	if slices.Contains(list, at) {
		return list
	}
	return append(list, at)
}

// variables lists what the files declare, in the order of reading, and then what they use without declaring it.
func (l *loader) variables() []Variable {
	var out []Variable
	for _, s := range l.scopes {
		for _, name := range s.order {
			out = append(out, l.variable(s.decls[name], s.known[name]))
		}
	}
	for _, name := range l.uses.order {
		v := Variable{Name: name, Uses: l.uses.undeclared[name]}
		v.At = v.Uses[0]
		if env, ok := strings.CutPrefix(name, "env."); ok {
			if v.Value, v.Set = l.o.LookupEnv(env); v.Set {
				v.Source = FromEnvironment
			}
		}
		out = append(out, v)
	}
	return out
}

func (l *loader) variable(d *declaration, got *variable) Variable {
	v := Variable{
		Name: d.name, Declared: true, At: d.at, Help: d.help, Required: d.required, Secret: d.secret, Enum: d.enum,
		Uses: l.uses.declared[d],
	}
	if d.pattern != nil {
		v.Pattern = plainPattern(d.pattern)
	}
	if got != nil && got.set {
		v.Set, v.Value, v.Source = true, got.text, got.from
	}
	return v
}
