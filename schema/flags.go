package schema

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema/value"
)

// CommandLine is the file name of positions in the arguments of `runfile run`.
const CommandLine = "<command line>"

// RunFlags are the flags of `runfile run` that are not options of a container.
type RunFlags struct {
	Print    bool     // write the equivalent runfile instead of running
	Project  string   // project the container belongs to; "" = default
	Files    []string // runfiles whose networks and volumes are used, too
	Progress string   // auto, tty, plain, json or quiet; "" = auto
	Quiet    bool     // show no progress of pulls
	Help     bool     // of the option help: print the usage
	Format   string   // yaml, toml or json, for Print
	Strict   bool     // warnings are errors
}

// runFlag is a flag that fills RunFlags.
type runFlag struct {
	name, short, arg, help, def string
	own                         bool
	set                         func(f *RunFlags, text string) error
}

var runFlags = []runFlag{
	{
		name: "quiet", short: "q", help: "Suppress the pull output",
		set: func(f *RunFlags, s string) error { return setBool(&f.Quiet, s) },
	},
	{
		name: "print", help: "Write the equivalent runfile instead of running", own: true,
		set: func(f *RunFlags, s string) error { return setBool(&f.Print, s) },
	},
	{
		name: "format", arg: "string", help: "Format of --print: yaml, toml or json", def: `"yaml"`, own: true,
		set: func(f *RunFlags, s string) error { return setWord(&f.Format, s, "yaml", "toml", "json") },
	},
	{
		name: "file", arg: "value", help: "Runfile whose networks and volumes are used", own: true,
		set: func(f *RunFlags, s string) error { f.Files = append(f.Files, s); return nil },
	},
	{
		name: "progress", arg: "string", help: "How progress is shown: auto, tty, plain, json or quiet", def: `"auto"`, own: true,
		set: func(f *RunFlags, s string) error {
			return setWord(&f.Progress, s, "auto", "tty", "plain", "json", "quiet")
		},
	},
	{
		name: "strict", help: "Take warnings for errors", own: true,
		set: func(f *RunFlags, s string) error { return setBool(&f.Strict, s) },
	},
	{
		name: "project", arg: "string", help: "Project that the container belongs to", def: `"default"`, own: true,
		set: func(f *RunFlags, s string) error { return setText(&f.Project, s) },
	},
}

func setText(to *string, s string) error { *to = s; return nil }

func setBool(to *bool, s string) (err error) {
	*to, err = value.Bool(s)
	return err
}

func setWord(to *string, s string, words ...string) error {
	if !slices.Contains(words, s) {
		return &value.Error{Problem: fmt.Sprintf("%q is not one of %s", s, strings.Join(words, ", ")), Got: s, Words: words}
	}
	*to = s
	return nil
}

// flagSpec is what reading the command line needs to know of a flag.
type flagSpec struct {
	name   string
	option *Option // for help; nil for flags of RunFlags
	isBool bool
	set    func(text string, at diag.Range) error
}

// flagReader reads the arguments of `runfile run` as docker reads those of docker run.
type flagReader struct {
	d     *decoder
	args  []string
	start []int // column of each argument
	c     *Container
	flags *RunFlags
	split *splitter // SplitRun; nil = values are parsed and set
}

// FromFlags reads the arguments of `runfile run`: docker run's flags, then IMAGE [COMMAND] [ARG...]. Relative paths
// count from dir, which must be absolute. Positions are those in CommandLineText(args). The container's key is its
// name, or main. With --help the rest is not looked at.
func FromFlags(args []string, dir string) (*Container, RunFlags, diag.List) {
	r, rest := readFlags(args, dir, Opt[string]{})
	if r.c.OS() == windows { // the platform decides how other options are written, and may stand behind them
		r, rest = readFlags(args, dir, r.c.Image.Platform)
	}
	flags := *r.flags
	if flags.Help = r.c.Metadata.Help.Value; flags.Help {
		return r.c, flags, nil
	}
	r.positional(rest)
	if n := r.c.Metadata.Name; n.Set {
		r.c.Key = n.Value
	}
	r.d.finish(r.c)
	r.d.diags.Sort()
	return r.c, flags, r.d.diags
}

// readFlags reads the flags and returns the index of the first argument that is none.
func readFlags(args []string, dir string, platform Opt[string]) (*flagReader, int) {
	c := &Container{Key: "main"}
	c.Image.Platform = platform
	r := &flagReader{
		d:    &decoder{dir: dir, who: "runfile run", env: lookupEnv},
		args: args, start: columns(args), c: c, flags: &RunFlags{},
	}
	return r, r.read()
}

// CommandLineText is the text that positions of FromFlags refer to: the arguments behind `runfile run`, quoted where a
// shell would need it.
func CommandLineText(args []string) string {
	var b strings.Builder
	b.WriteString("runfile run")
	for _, a := range args {
		b.WriteString(" " + shellQuote(a))
	}
	return b.String()
}

func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,@%+[]", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(strings.ReplaceAll(s, "\n", " "), "'", `'\''`) + "'"
}

func columns(args []string) []int {
	out := make([]int, len(args))
	at := len("runfile run") + 2
	for i, a := range args {
		out[i] = at
		at += utf8.RuneCountInString(shellQuote(a)) + 1
	}
	return out
}

// at is the place of an argument.
func (r *flagReader) at(i int) diag.Range {
	if r.split != nil {
		return r.split.at(i)
	}
	if i >= len(r.args) {
		end := len("runfile run") + 1
		if n := len(r.args); n > 0 {
			end = r.start[n-1] + utf8.RuneCountInString(shellQuote(r.args[n-1]))
		}
		return diag.Range{File: CommandLine, Start: diag.Pos{Line: 1, Column: end}, End: diag.Pos{Line: 1, Column: end + 1}}
	}
	end := r.start[i] + utf8.RuneCountInString(shellQuote(r.args[i]))
	return diag.Range{File: CommandLine, Start: diag.Pos{Line: 1, Column: r.start[i]}, End: diag.Pos{Line: 1, Column: end}}
}

// read handles the flags and returns the index of the first argument that is none.
func (r *flagReader) read() int {
	for i := 0; i < len(r.args); i++ {
		a := r.args[i]
		switch {
		case a == "--":
			return i + 1
		case strings.HasPrefix(a, "--"):
			i = r.long(i)
		case len(a) > 1 && a[0] == '-':
			i = r.short(i)
		default:
			return i
		}
	}
	return len(r.args)
}

// long handles --name, --name=text and --name text and returns the index of the last argument used.
func (r *flagReader) long(i int) int {
	name, text, hasText := strings.Cut(r.args[i][2:], "=")
	f := r.find(name)
	switch {
	case f == nil:
		r.unknown(i, "--"+name)
		return r.split.behind(i, name, hasText)
	case hasText:
		r.apply(f, text, i)
		return i
	case f.isBool:
		r.apply(f, "true", i)
		return i
	}
	return r.applyNext(f, "--"+name, i)
}

// short handles -i, -it, -p8080:80, -p=8080:80 and -p 8080:80.
func (r *flagReader) short(i int) int {
	for rest := r.args[i][1:]; rest != ""; {
		letter, size := utf8.DecodeRuneInString(rest) // any bytes may come in
		rest = rest[size:]
		f := r.findShort(string(letter))
		switch {
		case f == nil:
			r.unknown(i, "-"+string(letter))
			return i
		case strings.HasPrefix(rest, "="):
			r.apply(f, rest[1:], i)
			return i
		case f.isBool:
			r.apply(f, "true", i)
		case rest != "":
			r.apply(f, rest, i)
			return i
		default:
			return r.applyNext(f, "-"+string(letter), i)
		}
	}
	return i
}

func (r *flagReader) applyNext(f *flagSpec, name string, i int) int {
	if i+1 >= len(r.args) {
		r.d.diags.Errorf(CodeBadFlag, r.at(i), "%s needs a value", name)
		return i
	}
	r.apply(f, r.args[i+1], i+1)
	return i + 1
}

// apply sets a flag from the argument at i.
func (r *flagReader) apply(f *flagSpec, text string, i int) {
	if r.split != nil {
		r.split.flags = append(r.split.flags, Flag{Name: f.name, Text: text, Arg: i})
		return
	}
	if err := f.set(text, r.at(i)); err != nil {
		if f.option == nil {
			advise(r.d.diags.Errorf(CodeBadFlag, r.at(i), "--%s: %v", f.name, err), nil, err)
			return
		}
		r.d.bad(f.option, &manifest.Node{Range: r.at(i)}, err)
	}
}

// find returns the flag of that long name, or nil.
func (r *flagReader) find(name string) *flagSpec {
	for k := range rows {
		o := &rows[k]
		if o.NoFlag || o.Name != name && !slices.Contains(o.Aliases, name) {
			continue
		}
		return &flagSpec{
			name: o.Name, option: &o.Option, isBool: o.Kind == Switch,
			set: func(text string, at diag.Range) error { return o.flag(r.c, text, at) },
		}
	}
	for _, f := range runFlags {
		if f.name == name {
			return &flagSpec{
				name: f.name, isBool: f.arg == "",
				set: func(text string, _ diag.Range) error { return f.set(r.flags, text) },
			}
		}
	}
	return nil
}

func (r *flagReader) findShort(letter string) *flagSpec {
	if name := shortName(letter); name != "" {
		return r.find(name)
	}
	for _, f := range runFlags {
		if f.short == letter {
			return r.find(f.name)
		}
	}
	return nil
}

func (r *flagReader) unknown(i int, name string) {
	diagnostic := r.d.diags.Errorf(CodeUnknownFlag, r.at(i), "%s has no flag %s", r.d.who, name)
	var names []string
	for _, o := range rows {
		if !o.NoFlag {
			names = append(names, o.Name)
		}
	}
	for _, f := range runFlags {
		names = append(names, f.name)
	}
	key := strings.TrimLeft(name, "-")
	if plain := plainName(key, func(s string) bool { return slices.Contains(names, s) }); plain != "" {
		diagnostic.WithHelp("write --%s", plain)
	} else if r.areShort(key) {
		diagnostic.WithHelp("did you mean -%s?", key)
	} else if near, ok := diag.Nearest(key, names); ok {
		diagnostic.WithHelp("did you mean --%s?", near)
	}
}

// areShort says whether a word is several one-letter flags, as in --it.
func (r *flagReader) areShort(word string) bool {
	for i, letter := range word {
		if f := r.findShort(string(letter)); f == nil || i < len(word)-1 && !f.isBool {
			return false
		}
	}
	return len(word) > 1
}

// positional reads IMAGE [COMMAND] [ARG...], the arguments from index i on.
func (r *flagReader) positional(i int) {
	if i >= len(r.args) || r.args[i] == "" {
		if !r.d.diags.HasErrors() {
			r.d.diags.Errorf(CodeBadFlag, r.at(i), "there is no image").
				WithHelp("write runfile run [OPTIONS] IMAGE [COMMAND] [ARG...]")
		}
		return
	}
	r.c.At = r.at(i)
	image := rowByName["image"]
	if err := image.flag(r.c, r.args[i], r.at(i)); err != nil {
		r.d.bad(&image.Option, &manifest.Node{Range: r.at(i)}, err)
	}
	if i+1 < len(r.args) {
		at := r.at(i + 1)
		at.End = r.at(len(r.args) - 1).End
		r.c.Process.Command = Opt[[]string]{Value: slices.Clone(r.args[i+1:]), Set: true, At: at}
	}
}
