package manual

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/gen"
)

// Source is what the pages are made of.
type Source struct {
	Root    *cobra.Command
	Global  string // the annotation of flags that every command takes
	Date    string // of the pages, as in 2026-11-27
	Version string
}

// Pages returns the pages by file name, as in runfile-up.1.
func Pages(s Source) map[string]string {
	out := map[string]string{"runfile.1": s.main(), "runfile.5": s.format()}
	for _, cmd := range s.commands() {
		out["runfile-"+cmd.Name()+".1"] = s.command(cmd)
	}
	return out
}

// commands are those that the help lists.
func (s Source) commands() []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(s.Root.Commands()), func(c *cobra.Command) bool { return !c.IsAvailableCommand() })
}

// main is runfile(1).
func (s Source) main() string {
	p := newPage("runfile", 1, s.Date, s.Version, "docker run, written down")
	p.section("Synopsis")
	p.line(bold("runfile") + ` [\fIOPTIONS\fR] \fICOMMAND\fR [\fIARG\fR...]`)
	p.section("Description")
	p.text(mainText)
	p.section("Commands")
	for _, g := range s.Root.Groups() {
		p.subsection(g.Title)
		for _, cmd := range s.commands() {
			if cmd.GroupID == g.ID {
				p.item(bold("runfile-"+cmd.Name()) + "(1)")
				p.text(cmd.Short)
			}
		}
	}
	p.section("Options")
	p.line("Every command takes these options.")
	s.flags(p, s.Root, true)
	table(p, "Environment", environment)
	table(p, "Exit status", exitStatus)
	table(p, "Files", files)
	p.seeAlso("runfile(5)", "docker-run(1)")
	return p.b.String()
}

func table(p *page, title string, rows [][2]string) {
	p.section(title)
	for _, r := range rows {
		p.item(bold(r[0]))
		p.text(r[1])
	}
}

// command is the page of one command.
func (s Source) command(cmd *cobra.Command) string {
	p := newPage("runfile-"+cmd.Name(), 1, s.Date, s.Version, cmd.Short)
	p.section("Synopsis")
	name, args, _ := strings.Cut(cmd.Use, " ")
	p.line(strings.TrimSpace(bold("runfile "+name) + " " + plain(args)))
	p.section("Description")
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	p.text(text)
	if cmd.DisableFlagParsing {
		runOptions(p)
	} else {
		p.section("Options")
		s.flags(p, cmd, false)
		p.macro("PP")
		p.line("The options of every command are in " + bold("runfile") + "(1).")
	}
	if cmd.HasExample() {
		p.section("Examples")
		p.asIs(dedent(cmd.Example), 4)
	}
	p.seeAlso("runfile(1)", "runfile(5)")
	return p.b.String()
}

// dedent takes the two spaces away by which examples are indented in the help.
func dedent(text string) string {
	return strings.TrimPrefix(strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n  ", "\n"), "  ")
}

// flags lists a command's own flags, or those that every command takes.
func (s Source) flags(p *page, cmd *cobra.Command, global bool) {
	cmd.InitDefaultHelpFlag()
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if _, is := f.Annotations[s.Global]; is != global && cmd != s.Root || f.Hidden {
			return
		}
		arg, usage := pflag.UnquoteUsage(f)
		def := f.DefValue
		if def == "false" || def == "0" {
			def = ""
		}
		flag(p, schema.FlagUsage{Name: f.Name, Short: f.Shorthand, Arg: arg, Help: usage, Default: def})
	})
}

func flag(p *page, f schema.FlagUsage) {
	label := bold("--" + f.Name)
	if f.Short != "" {
		label = bold("-"+f.Short) + ", " + label
	}
	if arg := strings.TrimPrefix(f.Arg, "="); arg != "" {
		label += "=" + italic(arg)
	}
	p.item(label)
	p.lines(f.Help)
	if def := strings.Trim(f.Default, `"`); def != "" && def != "[]" && def != "map[]" {
		p.line("(default: " + plain(def) + ")")
	}
}

// runOptions lists the flags of `runfile run`, with what the table says beyond docker's sentence.
func runOptions(p *page) {
	p.section("Options")
	own := false
	for _, f := range schema.RunFlagUsages() {
		if f.Own && !own {
			own = true
			p.section("Options that docker run does not have")
		}
		flag(p, f)
		o, ok := schema.Lookup(f.Name)
		if !ok {
			continue
		}
		if o.Doc != "" {
			p.macro("sp")
			p.text(o.Doc)
		}
		if o.NotYet != "" {
			p.macro("sp")
			p.text("Not honoured yet: " + o.NotYet + ".")
		}
	}
}

// format is runfile(5).
func (s Source) format() string {
	p := newPage("runfile", 5, s.Date, s.Version, "containers, declared with the options of docker run")
	p.section("Description")
	p.text(formatText)
	p.macro("PP")
	p.asIs(formatExample, 4)
	p.macro("PP")
	p.line("The same in TOML:")
	p.macro("PP")
	p.asIs(schema.ToTOML(formatExample), 4)
	p.section("Variables")
	p.text(variablesText)
	p.section("Keys")
	topics := gen.Topics()
	for len(topics) > 0 {
		heading := topics[0].Heading
		p.subsection(heading)
		for _, t := range topics {
			if t.Heading == heading {
				topic(p, t)
			}
		}
		topics = slices.DeleteFunc(topics, func(t gen.Topic) bool { return t.Heading == heading })
	}
	p.seeAlso("runfile(1)", "runfile-run(1)", "runfile-explain(1)")
	return p.b.String()
}

func topic(p *page, t gen.Topic) {
	p.item(bold(t.Name) + " (" + plain(t.Kind) + ")")
	p.lines(strings.TrimSuffix(t.Help, ".") + ".")
	if t.Doc != "" {
		p.macro("sp")
		p.text(t.Doc)
	}
	for _, f := range t.Facts {
		if f.Label == "Group" {
			continue
		}
		p.macro("br")
		p.line(fmt.Sprintf("%s: %s", plain(f.Label), plain(f.Text)))
	}
	if len(t.MapKeys) > 0 {
		p.macro("br")
		p.line("Keys, where it is a map:")
	}
	for _, k := range t.MapKeys {
		p.macro("br")
		p.line(bold(k.Label) + ": " + plain(k.Text))
	}
	if t.YAML != "" {
		p.macro("sp")
		p.asIs(t.YAML, 11) // the label's indentation and four more
	}
}
