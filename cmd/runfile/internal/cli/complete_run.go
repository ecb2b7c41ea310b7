package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/schema"
)

// runPlace is where in the arguments of `runfile run` the cursor stands.
type runPlace struct {
	flag   string // the flag whose value is missing, by its long name; "" = none
	behind bool   // the image has been given: what follows is the container's
}

// place reads the arguments before the cursor as run does.
func place(args []string) runPlace {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return runPlace{behind: i+1 < len(args)}
		case !strings.HasPrefix(arg, "-") || arg == "-":
			return runPlace{behind: true}
		}
		name := waiting(arg)
		if name == "" {
			continue
		}
		if i++; i == len(args) {
			return runPlace{flag: name}
		}
	}
	return runPlace{}
}

// waiting is the flag of an argument that takes the next argument as its value, "" if none does.
func waiting(arg string) string {
	if name, ok := strings.CutPrefix(arg, "--"); ok {
		if f := runFlag(name); f != nil && f.Arg != "" { // NAME=VALUE is no name of a flag
			return f.Name
		}
		return ""
	}
	for i, letter := range arg[1:] {
		for _, f := range schema.RunFlagUsages() {
			if f.Short == string(letter) && f.Arg != "" {
				if i+2 == len(arg) {
					return f.Name
				}
				return "" // -p80:80
			}
		}
	}
	return ""
}

// runFlag finds a flag of run by its long name or another spelling of it.
func runFlag(name string) *schema.FlagUsage {
	if o, ok := schema.Lookup(name); !ok {
		for _, o := range schema.Options() {
			if slices.Contains(o.Aliases, name) {
				name = o.Name
			}
		}
	} else {
		name = o.Name
	}
	all := schema.RunFlagUsages()
	if i := slices.IndexFunc(all, func(f schema.FlagUsage) bool { return f.Name == name }); i >= 0 {
		return &all[i]
	}
	return nil
}

// completeRun completes the arguments of run: flags and their values from the option table, names from the runfile and
// from what exists on the host, images, and behind the image what a shell completes.
func (a *app) completeRun(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	at := place(args)
	switch {
	case at.flag != "":
		return a.completeValue(at.flag, toComplete)
	case at.behind:
		return nil, cobra.ShellCompDirectiveDefault
	}
	if flag, value, ok := strings.Cut(toComplete, "="); ok && strings.HasPrefix(flag, "--") {
		f := runFlag(strings.TrimPrefix(flag, "--"))
		if f == nil {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return a.completeValue(f.Name, value) // the shells' scripts put the flag before it
	}
	if !strings.HasPrefix(toComplete, "-") {
		return begun(a.imageNames(), toComplete)
	}
	var flags []string
	for _, f := range schema.RunFlagUsages() {
		help, _, _ := strings.Cut(f.Help, "\n")
		flags = append(flags, "--"+f.Name+"\t"+help)
		if f.Short != "" && len(toComplete) < 2 {
			flags = append(flags, "-"+f.Short+"\t"+help)
		}
	}
	return names(flags, toComplete, nil)
}

// completeValue completes the value of a flag of run.
func (a *app) completeValue(name, toComplete string) ([]string, cobra.ShellCompDirective) {
	switch name {
	case "project":
		return begun(a.projects(), toComplete)
	case "format":
		return a.flagCompletions()["config.format"](toComplete)
	case "progress", "file":
		return a.flagCompletions()[name](toComplete)
	}
	o, ok := schema.Lookup(name)
	if !ok {
		return nil, cobra.ShellCompDirectiveDefault
	}
	list := slices.Clone(o.Words)
	switch o.Ref {
	case "":
	case "link", "volumes-from":
		list = append(list, a.others()...)
	default:
		list = slices.DeleteFunc(list, func(s string) bool { return s == "container:" })
		for _, c := range a.others() {
			list = append(list, "container:"+c)
		}
	}
	switch name {
	case "network":
		list = append(list, a.section("networks")...)
	case "volume":
		for _, v := range a.section("volumes") {
			list = append(list, v+":")
		}
	}
	if out, directive := begun(list, toComplete); len(out) > 0 {
		return out, directive
	}
	return nil, cobra.ShellCompDirectiveDefault // files
}

// others are the containers that a new one may refer to: of the runfile, and of every project on the host.
func (a *app) others() []string {
	out := a.keys()
	for _, p := range a.projects() {
		out = append(out, a.containerNames(p)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// imageNames are the images of the runfile, and what an image may begin with.
func (a *app) imageNames() []string {
	var out []string
	if containers := a.readable().Root.Get("containers"); containers != nil {
		for _, c := range containers.Entries {
			if image := c.Value.Get("image"); image != nil && image.Text != "" {
				out = append(out, image.Text)
			}
		}
	}
	slices.Sort(out)
	return append(slices.Compact(out), optionWords("image")...)
}
