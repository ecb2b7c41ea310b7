package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/progress"
	"github.com/runfile/runfile/executor/project"
	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/schema"
)

// completion is what a shell may put at the cursor.
type completion func(toComplete string) ([]string, cobra.ShellCompDirective)

// flagCompletions are those of flags, by VERB.FLAG, or FLAG for all verbs that have it. Flags with a value that are not
// here have nothing to complete.
func (a *app) flagCompletions() map[string]completion {
	return map[string]completion{
		"file":               fileNames("yaml", "yml", "toml"),
		"directory":          func(string) ([]string, cobra.ShellCompDirective) { return nil, cobra.ShellCompDirectiveFilterDirs },
		"vars-file":          anyFile,
		"project-name":       a.choose(a.projects),
		"profile":            a.choose(a.profiles),
		"var":                a.choose(a.variableNames),
		"progress":           fixed(progress.Modes()...),
		"color":              fixed("auto", "always", "never"),
		"ci":                 fixed("auto", "none", "github", "gitlab"),
		"diagnostics":        fixed("text", "json", "github"),
		"format":             fixed("json", "yaml"),
		"config.format":      fixed("yaml", "json", "toml"),
		"convert.from":       fixed(convertFrom...),
		"convert.to":         fixed(convertTo...),
		"events.format":      fixed("json"),
		"explain.format":     fixed("text", "json"),
		"images.format":      fixed("table", "json", "yaml"),
		"logs.format":        fixed("text", "json"),
		"plan.format":        fixed("text", "json", "dot", "mermaid"),
		"ps.format":          fixed("table", "json", "yaml"),
		"vars.format":        fixed("table", "json", "yaml"),
		"kill.signal":        fixed(optionWords("stop-signal")...),
		"logs.tail":          fixed("all", "10", "100"),
		"pull.platform":      fixed(optionWords("platform")...),
		"pull.policy":        fixed("always", "missing"),
		"exec.env":           anything,
		"workdir":            anything,
		"exec.user":          anything,
		"attach.detach-keys": fixed(optionWords("detach-keys")...),
		"exec.detach-keys":   fixed(optionWords("detach-keys")...),
	}
}

// completeFlags gives the flags of a command their completions.
func completeFlags(cmd *cobra.Command, known map[string]completion) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		c := known[cmd.Name()+"."+f.Name]
		if c == nil {
			c = known[f.Name]
		}
		if c == nil {
			c = anything
		}
		if f.Value.Type() == "bool" {
			return
		}
		_ = cmd.RegisterFlagCompletionFunc(f.Name, func(_ *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			return c(toComplete)
		})
	})
}

func optionWords(name string) []string {
	o, _ := schema.Lookup(name)
	return o.Words
}

// anything completes nothing, not even files.
func anything(string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveNoFileComp
}

func anyFile(string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

func fileNames(extensions ...string) completion {
	return func(string) ([]string, cobra.ShellCompDirective) {
		return extensions, cobra.ShellCompDirectiveFilterFileExt
	}
}

// fixed completes with words that are always the same.
func fixed(list ...string) completion {
	return func(toComplete string) ([]string, cobra.ShellCompDirective) { return begun(list, toComplete) }
}

// choose completes with words that are looked up when they are asked for.
func (a *app) choose(list func() []string) completion {
	return func(toComplete string) ([]string, cobra.ShellCompDirective) { return begun(list(), toComplete) }
}

// begun returns the words that go on from what is written. A word that is only a beginning gets no blank behind it.
func begun(list []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	out, directive := names(list, toComplete, nil)
	if slices.ContainsFunc(out, func(s string) bool { return strings.ContainsAny(s[len(s)-1:], "=:,") }) {
		directive |= cobra.ShellCompDirectiveNoSpace
	}
	return out, directive
}

// names are words as the shell wants them: those that go on from what is written and are not taken.
func names(list []string, toComplete string, taken []string) ([]string, cobra.ShellCompDirective) {
	out := slices.DeleteFunc(slices.Clone(list), func(s string) bool {
		word, _, _ := strings.Cut(s, "\t")
		return !strings.HasPrefix(word, toComplete) || slices.Contains(taken, word)
	})
	return out, cobra.ShellCompDirectiveNoFileComp
}

// sections are the entries of a section of the runfile, as far as it can be read.
func (a *app) section(name string) []string {
	var out []string
	if n := a.readable().Root.Get(name); n != nil {
		for _, e := range n.Entries {
			out = append(out, e.Key)
		}
	}
	return out
}

// readable is the runfile that a completion is about; mistakes in it are not its business.
func (a *app) readable() *manifest.Document {
	_ = a.checkGlobals() // for what comes from the environment
	doc, _, err := a.document()
	if err != nil {
		return &manifest.Document{Root: &manifest.Node{Kind: manifest.Map}}
	}
	return doc
}

// keys are the containers that the runfile declares.
func (a *app) keys() []string { return a.section("containers") }

// profiles are those that containers of the runfile name.
func (a *app) profiles() []string {
	var out []string
	containers := a.readable().Root.Get("containers")
	if containers == nil {
		return nil
	}
	for _, c := range containers.Entries {
		p := c.Value.Get("profiles")
		if p == nil {
			continue
		}
		for _, n := range append(p.Items, p) {
			if n.Kind == manifest.Scalar && !slices.Contains(out, n.Text) {
				out = append(out, n.Text)
			}
		}
	}
	return out
}

// variableNames are NAME= for each declared variable, and all of NAME=VALUE where the values are a closed set.
func (a *app) variableNames() []string {
	var out []string
	for _, v := range a.readable().Variables {
		switch {
		case !v.Declared:
		case len(v.Enum) > 0:
			for _, value := range v.Enum {
				out = append(out, v.Name+"="+value)
			}
		default:
			out = append(out, v.Name+"=")
		}
	}
	return out
}

func (a *app) projects() []string {
	out, err := project.Projects(a.paths)
	if err != nil {
		return nil
	}
	return out
}

// containerNames are the containers of a project, by name.
func (a *app) containerNames(name string) []string {
	var out []string
	records, err := project.Records(a.paths, name)
	if err != nil {
		return nil
	}
	for _, r := range records {
		out = append(out, r.Name)
	}
	slices.Sort(out)
	return out
}

// completeKeys completes with the containers of the runfile.
func (a *app) completeKeys(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	return names(a.keys(), toComplete, args)
}

// completeContainers completes with the containers that exist, and with those of the runfile if none can be seen.
func (a *app) completeContainers(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	_ = a.checkGlobals()
	if name, err := a.project(); err == nil {
		if list := a.containerNames(name); len(list) > 0 {
			return names(list, toComplete, args)
		}
	}
	return names(a.keys(), toComplete, args)
}

// completeContainer completes the first argument with a container, and those behind it as a shell does.
func (a *app) completeContainer(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return a.completeContainers(cmd, args, toComplete)
}
