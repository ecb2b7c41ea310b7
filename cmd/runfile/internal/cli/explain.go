package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/gen"
)

func (a *app) explainVerb() *cobra.Command {
	var form string
	cmd := &cobra.Command{
		Use: "explain [OPTIONS] [CODE|KEY]", Short: "Explain an error code or a key of the runfile", GroupID: "about",
		Long: "Explains a key of a container (publish, -p, or another tool's name for it), a section or a key in it (networks.subnet,\n" +
			"policy, vars.default), or the code of an error. Without an argument all of them are listed.",
		Example: "  runfile explain cpu-shares\n  runfile explain -p\n  runfile explain networks.subnet\n  runfile explain unknown-option",
		ValidArgsFunction: func(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return names(explainable(), toComplete, nil)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("runfile explain takes one code or key, got %d", len(args))
			}
			if err := oneOf("format", form, []string{"text", "json"}); err != nil {
				return err
			}
			word := strings.TrimLeft(strings.Join(args, ""), "-")
			switch {
			case form == "json":
				return a.explainJSON(word)
			case word == "":
				return a.explainAll()
			}
			return a.explain(word)
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		var unknown *pflag.NotExistError
		if errors.As(err, &unknown) && form == "text" { // -p and --publish are what it is asked about
			return a.explain(unknown.GetSpecifiedName())
		}
		return cmd.Parent().FlagErrorFunc()(cmd, err)
	})
	cmd.Flags().StringVar(&form, "format", "text", "text, or json: everything about the key or code, or about all of them")
	return cmd
}

// explainable are the words that can be explained.
func explainable() []string {
	var out []string
	for _, t := range gen.Topics() {
		out = append(out, t.Name)
	}
	for _, info := range diag.Codes() {
		if !slices.Contains(out, string(info.Code)) {
			out = append(out, string(info.Code))
		}
	}
	return out
}

func (a *app) explain(word string) error {
	topic, isTopic := gen.Find(word)
	info, isCode := diag.Lookup(diag.Code(word))
	if isTopic {
		a.explainTopic(topic)
	}
	if isTopic && isCode {
		fmt.Fprintln(a.stdout)
	}
	if isCode {
		a.explainCode(info)
	}
	if isTopic || isCode {
		return nil
	}
	name, note := meant(word)
	if note == "" {
		return a.notExplainable(word)
	}
	fmt.Fprintln(a.stdout, note)
	if topic, ok := gen.Find(name); ok {
		fmt.Fprintln(a.stdout)
		a.explainTopic(topic)
	}
	return nil
}

// meant is the topic that a word means which is no topic itself: a short flag, another spelling of a flag, or another
// tool's name; note says so, and is all there is where several options are needed.
func meant(word string) (name, note string) {
	for _, o := range schema.Options() {
		if o.Short == word {
			return o.Name, fmt.Sprintf("-%s is short for --%s.", word, o.Name)
		}
		if slices.Contains(o.Aliases, word) {
			return o.Name, fmt.Sprintf("--%s is another spelling of --%s; a runfile has the latter.", word, o.Name)
		}
	}
	if outer, inner, ok := strings.Cut(word, "."); ok {
		t, _ := gen.Find(outer)
		if slices.ContainsFunc(t.MapKeys, func(k gen.Fact) bool { return k.Label == inner }) {
			return outer, fmt.Sprintf("%s is a key of %s, where that is a map.", inner, outer)
		}
	}
	option, help := schema.Foreign(word)
	if section := schema.ForeignSection(word); section != "" && option == "" {
		option = section
	}
	switch {
	case help != "":
		return "", fmt.Sprintf("A runfile has no key %q: %s.", word, help)
	case option != "":
		return option, fmt.Sprintf("A runfile has no key %q; it is called %s.", word, option)
	}
	return inSections(word)
}

// inSections is the topic of a word that is a key of sections alone: networks.subnet for subnet.
func inSections(word string) (name, note string) {
	var places []string
	for _, t := range gen.Topics() {
		if strings.HasSuffix(t.Name, "."+word) {
			places = append(places, t.Name)
		}
	}
	switch len(places) {
	case 0:
		return "", ""
	case 1:
		return places[0], fmt.Sprintf("%s is a key of %s.", word, strings.TrimSuffix(places[0], "."+word))
	}
	return "", fmt.Sprintf("%s is a key in several places: %s.", word, strings.Join(places, ", "))
}

func (a *app) notExplainable(word string) error {
	f := usagef("there is neither a key nor an error code %q", word)
	if near, ok := diag.Nearest(word, explainable()); ok {
		f.next("did you mean: runfile explain %s", near)
	}
	return f.next("see all of them: runfile explain")
}

// explainTopic prints a key: what it does, its facts, examples, and the keys below it or of the same name.
func (a *app) explainTopic(t gen.Topic) {
	fmt.Fprintf(a.stdout, "%s (%s)\n\n%s", t.Name, t.Kind, wrapped(t.Help))
	if t.Doc != "" {
		fmt.Fprintf(a.stdout, "\n%s", wrapped(t.Doc))
	}
	if len(t.Facts) > 0 {
		fmt.Fprintln(a.stdout)
	}
	for _, f := range t.Facts {
		fmt.Fprintf(a.stdout, "  %-11s %s\n", f.Label, f.Text)
	}
	if len(t.Keys) > 0 {
		fmt.Fprintln(a.stdout)
	}
	for _, key := range t.Keys {
		if inner, ok := gen.Find(key); ok {
			fmt.Fprintf(a.stdout, "  %-24s %s\n", inner.Name, inner.Summary())
		}
	}
	if len(t.MapKeys) > 0 {
		fmt.Fprint(a.stdout, "\nKeys, where it is a map:\n")
	}
	for _, k := range t.MapKeys {
		fmt.Fprintf(a.stdout, "  %-16s %s\n", k.Label, strings.ReplaceAll(strings.TrimSpace(folded(k.Text, 81)), "\n", "\n"+strings.Repeat(" ", 19)))
	}
	flag := ""
	if t.Flag != "" {
		flag = "runfile run " + t.Flag + " IMAGE"
	}
	for _, example := range []struct{ title, text string }{{"YAML", t.YAML}, {"TOML", t.TOML}, {"Command line", flag}} {
		if example.text != "" {
			fmt.Fprintf(a.stdout, "\n%s:\n  %s\n", example.title, strings.ReplaceAll(example.text, "\n", "\n  "))
		}
	}
	if also := sameName(t); len(also) > 0 {
		fmt.Fprintf(a.stdout, "\nSee also: %s\n", strings.Join(also, ", "))
	}
}

// sameName are the topics of the same key in other places.
func sameName(t gen.Topic) []string {
	key := t.Name[strings.LastIndexByte(t.Name, '.')+1:]
	var out []string
	for _, other := range gen.Topics() {
		if name := other.Name; name != t.Name && (name == key || strings.HasSuffix(name, "."+key)) {
			out = append(out, name)
		}
	}
	return out
}

func (a *app) explainCode(info diag.Info) {
	fmt.Fprintf(a.stdout, "%s (error code)\n\n%s\n", info.Code, info.Meaning)
	if info.Example != "" {
		fmt.Fprintf(a.stdout, "\nThe smallest runfile with it:\n\n  %s\n", strings.ReplaceAll(strings.TrimSpace(info.Example), "\n", "\n  "))
	}
	for _, name := range slices.Sorted(maps.Keys(info.Files)) {
		fmt.Fprintf(a.stdout, "\nBeside it %s:\n\n  %s\n", name, strings.ReplaceAll(strings.TrimSpace(info.Files[name]), "\n", "\n  "))
	}
	if info.Command != "" {
		fmt.Fprintf(a.stdout, "\nA command with it:\n\n  runfile %s\n", info.Command)
	}
	if info.Cure != "" {
		fmt.Fprintf(a.stdout, "\n%s\n", info.Cure)
	}
}

// explainAll lists what can be explained, by heading.
func (a *app) explainAll() error {
	topics := gen.Topics()
	var headings []string
	for _, t := range topics {
		if !slices.Contains(headings, t.Heading) {
			headings = append(headings, t.Heading)
		}
	}
	for _, h := range headings {
		fmt.Fprintf(a.stdout, "%s:\n", h)
		for _, t := range topics {
			if t.Heading != h {
				continue
			}
			mark := ""
			if t.Option != nil && t.Option.NotYet != "" {
				mark = " (not yet)"
			}
			fmt.Fprintf(a.stdout, "  %-24s %s%s\n", t.Name, t.Summary(), mark)
		}
		fmt.Fprintln(a.stdout)
	}
	fmt.Fprintln(a.stdout, "Error codes:")
	for _, info := range diag.Codes() {
		fmt.Fprintf(a.stdout, "  %-24s %s\n", info.Code, firstSentence(info.Meaning))
	}
	_, err := fmt.Fprintln(a.stdout, "\nMore about one: runfile explain NAME")
	return err
}

// firstSentence is what fits on a line of a list.
func firstSentence(text string) string { return gen.Topic{Help: text}.Summary() }

// wrapped breaks the lines of a text at blanks, so that none is longer than a terminal is wide in most cases.
func wrapped(text string) string { return folded(text, 100) }

// folded breaks lines at blanks so that they have at most so many letters, where words allow it.
func folded(text string, most int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		column := 0
		for i, word := range strings.Split(strings.TrimRight(line, "\n"), " ") {
			width := utf8.RuneCountInString(word)
			switch {
			case i > 0 && column+1+width > most:
				b.WriteByte('\n')
				column = 0
			case i > 0:
				b.WriteByte(' ')
				column++
			}
			b.WriteString(word)
			column += width
		}
		b.WriteByte('\n')
	}
	return b.String()
}
