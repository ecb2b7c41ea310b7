package gen

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/runfile/runfile/schema"
)

// Topic is everything about one key of a runfile, as the manual pages and `runfile explain` show it.
type Topic struct {
	Name    string         // as explain takes it: cpu-shares, networks.subnet, policy, vars.default
	Heading string         // of the list that it belongs to
	Option  *schema.Option // nil for what is no option and no key of a section
	Kind    string         // list, value, ...; "section" for a section
	Help    string         // docker's text in its lines, or one sentence
	Doc     string         // Markdown, may be ""
	Facts   []Fact
	YAML    string   // an example
	TOML    string   // the same
	Flag    string   // the same as a flag of `runfile run`, "" if there is none
	Keys    []string // topics below a section
	MapKeys []Fact   // keys of the value where it is a map, with what they are for
}

// Fact is one line of what is known about a key.
type Fact struct{ Label, Text string }

// Topics returns all topics: the keys of a file, the sections and their keys, and the options of a container.
func Topics() []Topic { return slices.Clone(topics()) }

var topics = sync.OnceValue(allTopics)

func allTopics() []Topic {
	var out []Topic
	for _, k := range schema.Keys() {
		out = append(out, keyTopic(k))
	}
	for _, s := range schema.Sections() {
		section := Topic{Name: s.Name, Heading: "Keys of a file", Kind: "section", Help: s.Doc, YAML: s.Example, TOML: schema.ToTOML(s.Example)}
		for i := range s.Options {
			t := optionTopic(&s.Options[i])
			section.Keys = append(section.Keys, s.Name+"."+t.Name)
			t.YAML, t.TOML = inSection(s, t)
			t.Name, t.Heading = s.Name+"."+t.Name, "Keys of the section "+s.Name
			out = append(out, t)
		}
		out = append(out, section)
	}
	options := schema.Options()
	for _, g := range groupOrder {
		for i := range options {
			if options[i].Group == g {
				t := optionTopic(&options[i])
				t.Heading = string(g)
				out = append(out, t)
			}
		}
	}
	return out
}

// Find returns the topic of that name.
func Find(name string) (Topic, bool) {
	all := topics()
	i := slices.IndexFunc(all, func(t Topic) bool { return t.Name == name })
	if i < 0 {
		return Topic{}, false
	}
	return all[i], true
}

func keyTopic(k schema.Key) Topic {
	t := Topic{
		Name: k.Name, Heading: "Keys of a file", Kind: "key of a runfile", Help: k.Doc, YAML: k.Example,
		TOML: schema.ToTOML(k.Example), Facts: []Fact{{"Syntax", k.Syntax}},
	}
	for _, other := range schema.Keys() {
		if strings.HasPrefix(other.Name, k.Name+".") {
			t.Keys = append(t.Keys, other.Name)
		}
	}
	if section, _, ok := strings.Cut(k.Name, "."); ok {
		t.Heading = "Keys of " + section
	}
	if k.Name == "extends" || k.Name == "override" {
		t.Heading = "Keys of a container that are no options"
	}
	return t
}

func optionTopic(o *schema.Option) Topic {
	t := Topic{
		Name: o.Name, Option: o, Kind: o.Kind.String(), Help: o.Help, Doc: strings.TrimSpace(o.Doc),
		YAML: o.Line(), TOML: o.LineTOML(), Flag: o.LineFlag(), MapKeys: mapKeys(o),
	}
	fact := func(label, text string) {
		if text != "" {
			t.Facts = append(t.Facts, Fact{label, text})
		}
	}
	fact("Flag", flagText(o))
	fact("Aliases", flagNames(o.Aliases))
	fact("Syntax", o.Syntax)
	if o.Default != "[]" && o.Default != "map[]" {
		fact("Default", strings.Trim(o.Default, `"`))
	}
	fact("Platform", platformText(o.OS))
	for _, text := range excluded(o) {
		fact("Excludes", text)
	}
	fact("Needs", o.Needs)
	fact("Refers to", refText(o.Ref))
	if o.NoDiff && o.Group != "" {
		fact("Change", "takes effect without making the container anew")
	}
	fact("Group", string(o.Group))
	fact("Not yet", o.NotYet)
	return t
}

func flagText(o *schema.Option) string {
	switch {
	case o.Group == "":
		return ""
	case o.NoFlag:
		return "none; it is a key of runfiles only"
	}
	text := "--" + o.Name
	if o.Short != "" {
		text = "-" + o.Short + ", " + text
	}
	if arg := strings.TrimPrefix(o.Arg, "="); arg != "" && !strings.HasPrefix(o.Arg, "=") {
		text += " " + arg
	}
	if o.Own {
		text += " (docker run has none)"
	}
	return text
}

func flagNames(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = "--" + n
	}
	return strings.Join(out, ", ")
}

func platformText(os string) string {
	if os == "" {
		return ""
	}
	return strings.ToUpper(os[:1]) + os[1:] + " containers only"
}

// excluded says which options cannot stand beside this one.
func excluded(o *schema.Option) []string {
	var out []string
	if o.Group == "" {
		return nil
	}
	for _, x := range schema.Exclusions() {
		value := ""
		switch {
		case x.Is != "":
			value = ": " + x.Is
		case x.Not != "":
			value = " other than " + x.Not
		}
		switch o.Name {
		case x.A:
			out = append(out, fmt.Sprintf("%s%s (%s)", x.B, value, x.Why))
		case x.B:
			out = append(out, fmt.Sprintf("%s (%s)", x.A, x.Why))
		}
	}
	return out
}

// refText says what a value may name.
func refText(kind string) string {
	switch kind {
	case "":
		return ""
	case "depends-on":
		return "other containers, which have to be there first"
	case "volumes-from":
		return "other containers, which are made first; jobs have to have succeeded"
	case "link":
		return "other containers, which start first"
	}
	return "another container, as container:NAME, which starts first"
}

// inSection is the example of a key in its section.
func inSection(s schema.Section, t Topic) (yaml, toml string) {
	yaml = s.Name + ":\n  " + t.YAML
	if s.Named {
		yaml = s.Name + ":\n  NAME:\n    " + t.YAML
	}
	return yaml, schema.ToTOML(yaml)
}

// Summary is the first line of the help without Markdown and full stop.
func (t Topic) Summary() string {
	first, _, _ := strings.Cut(t.Help, "\n")
	first, _, _ = strings.Cut(first, ". ")
	first, _, _ = strings.Cut(first, " (default [])")
	return strings.TrimSuffix(strings.ReplaceAll(first, "`", ""), ".")
}
