package gen

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema"
)

const generated = "<!-- Generated from the option table and the codes; refresh with: go test ./schema/gen -update -->\n\n"

// OptionsMarkdown returns the reference of all keys of a runfile.
func OptionsMarkdown() []byte {
	var b strings.Builder
	b.WriteString(generated + "# Options\n\n" +
		"The keys of a container are the long options of `docker run`, spelt and valued as there, and a few of runfile's own.\n" +
		"A list takes one bare value for a list of one; a list of `NAME=VALUE` may also be a map. Relative paths count from\n" +
		"the directory of the file that holds them. Empty text is the same as leaving the key out.\n")
	b.WriteString("\n## Keys of a file\n")
	for _, k := range schema.Keys() {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n- Syntax: `%s`\n\n```yaml\n%s\n```\n", k.Name, k.Doc, k.Syntax, k.Example)
	}
	var groups []schema.Group
	options := schema.Options()
	for _, o := range options {
		if !slices.Contains(groups, o.Group) {
			groups = append(groups, o.Group)
		}
	}
	slices.SortStableFunc(groups, func(a, c schema.Group) int { return slices.Index(groupOrder, a) - slices.Index(groupOrder, c) })
	for _, g := range groups {
		fmt.Fprintf(&b, "\n## %s\n", g)
		for _, o := range options {
			if o.Group == g {
				option(&b, o)
			}
		}
	}
	for _, s := range schema.Sections() {
		fmt.Fprintf(&b, "\n## Section `%s`\n\n%s\n\n```yaml\n%s\n```\n", s.Name, s.Doc, s.Example)
		for _, o := range s.Options {
			option(&b, o)
		}
	}
	later(&b)
	return []byte(b.String())
}

var groupOrder = []schema.Group{
	schema.GroupImage, schema.GroupProcess, schema.GroupNetwork, schema.GroupMounts, schema.GroupLifecycle,
	schema.GroupHealth, schema.GroupResources, schema.GroupSecurity, schema.GroupNamespaces, schema.GroupDevices,
	schema.GroupLogging, schema.GroupStdio, schema.GroupMetadata, schema.GroupWindows,
}

func option(b *strings.Builder, o schema.Option) {
	flag := ""
	switch {
	case o.NoFlag || o.Group == "":
	case o.Short != "":
		flag = fmt.Sprintf(" (`-%s`, `--%s`)", o.Short, o.Name)
	default:
		flag = fmt.Sprintf(" (`--%s`)", o.Name)
	}
	fmt.Fprintf(b, "\n### %s\n\n%s", o.Name, strings.TrimSpace(sentence(o.Help)+". "+o.Doc))
	fmt.Fprintf(b, "\n\n- Kind: %s%s", o.Kind, flag)
	if o.Own {
		b.WriteString("; runfile's own")
	}
	if o.Syntax != "" && o.Kind != schema.Switch {
		fmt.Fprintf(b, "\n- Syntax: `%s`", o.Syntax)
	}
	if keys := mapKeys(&o); len(keys) > 0 {
		b.WriteString("\n- Keys, where it is a map:")
		for _, k := range keys {
			fmt.Fprintf(b, "\n  - `%s`: %s", k.Label, k.Text)
		}
	}
	if o.Default != "" && o.Default != "[]" && o.Default != "map[]" {
		fmt.Fprintf(b, "\n- Default: `%s`", strings.Trim(o.Default, `"`))
	}
	if o.OS != "" {
		fmt.Fprintf(b, "\n- Only for: %s containers", o.OS)
	}
	for _, text := range excluded(&o) {
		fmt.Fprintf(b, "\n- Excludes: %s", text)
	}
	if o.Needs != "" {
		fmt.Fprintf(b, "\n- Needs: `%s`", o.Needs)
	}
	if o.NotYet != "" {
		fmt.Fprintf(b, "\n- Not honoured yet: %s", o.NotYet)
	}
	fmt.Fprintf(b, "\n\n```yaml\n%s\n```\n", o.Line())
}

// sentence is the first line of docker's help without its full stop.
func sentence(help string) string {
	first, _, _ := strings.Cut(help, "\n")
	first, _, _ = strings.Cut(first, " (default [])")
	return strings.TrimSuffix(first, ".")
}

func later(b *strings.Builder) {
	b.WriteString("\n## Not yet\n\nThese options are read and checked, and refused with the code `not-yet` when a container is planned:\n\n")
	for _, o := range schema.Options() {
		if o.NotYet != "" {
			fmt.Fprintf(b, "- `%s`: %s\n", o.Name, o.NotYet)
		}
	}
}

// codeExample prints the files and the command that give a code.
func codeExample(b *strings.Builder, i diag.Info) {
	if i.NoExample != "" {
		fmt.Fprintf(b, "No example: %s.\n\n", i.NoExample)
	}
	if i.Example != "" {
		if len(i.Example) > 400 {
			i.Example = i.Example[:60] + "... and so on"
		}
		text := strings.ToValidUTF8(strings.ReplaceAll(strings.TrimRight(i.Example, "\n"), "\x00", `\0`), "?")
		fmt.Fprintf(b, "```yaml\n%s\n```\n\n", text)
	}
	for _, name := range slices.Sorted(maps.Keys(i.Files)) {
		fmt.Fprintf(b, "Beside it `%s`:\n\n```\n%s\n```\n\n", name, strings.TrimRight(i.Files[name], "\n"))
	}
	if i.Command != "" {
		fmt.Fprintf(b, "```sh\nrunfile %s\n```\n\n", i.Command)
	}
}

// ErrorsMarkdown returns the reference of all codes that are registered in this program.
func ErrorsMarkdown() []byte {
	var b strings.Builder
	b.WriteString(generated + "# Error codes\n\nEvery message begins with its code in brackets. `runfile explain CODE` prints the same text.\n")
	for _, i := range diag.Codes() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", i.Code, i.Meaning)
		codeExample(&b, i)
		fmt.Fprintf(&b, "%s\n", i.Cure)
	}
	return []byte(b.String())
}
