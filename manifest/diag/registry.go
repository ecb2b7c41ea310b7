package diag

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"sync"
)

// Info explains one code; `runfile explain CODE` and docs/errors.md print it.
type Info struct {
	Code    Code
	Meaning string // when it occurs, one or two sentences
	// Example is the smallest runfile, in YAML, that gives the code when it stands in a directory as runfile.yaml, alone
	// or beside Files.
	Example string
	Files   map[string]string // by name
	// Command is what stands behind `runfile` to provoke the code where `runfile validate` does not.
	Command string
	Cure    string // what to do about it
	// NoExample says why there is neither an Example nor a Command.
	NoExample string
}

var registry = struct {
	sync.Mutex
	infos map[Code]Info
}{infos: map[Code]Info{}}

var codeForm = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// Register makes a code known. It is called from package initialisation, and an entry that is incomplete or that
// another package has taken already is a mistake in the program, so it panics.
func Register(i Info) {
	registry.Lock()
	defer registry.Unlock()
	switch {
	case !codeForm.MatchString(string(i.Code)):
		panic(fmt.Sprintf("diag: code %q is not kebab-case", i.Code))
	case registry.infos[i.Code].Code != "":
		panic(fmt.Sprintf("diag: code %q is registered twice", i.Code))
	case i.Meaning == "" || i.Cure == "":
		panic(fmt.Sprintf("diag: code %q needs a meaning and a cure", i.Code))
	case (i.Example+i.Command == "") == (i.NoExample == ""):
		panic(fmt.Sprintf("diag: code %q needs an example or the reason why there is none", i.Code))
	}
	registry.infos[i.Code] = i
}

// Lookup returns what is registered about a code.
func Lookup(c Code) (Info, bool) {
	registry.Lock()
	defer registry.Unlock()
	i, ok := registry.infos[c]
	return i, ok
}

// Codes returns all registered codes in alphabetical order.
func Codes() []Info {
	registry.Lock()
	defer registry.Unlock()
	out := make([]Info, 0, len(registry.infos))
	for _, i := range registry.infos {
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b Info) int { return cmp.Compare(a.Code, b.Code) })
	return out
}
