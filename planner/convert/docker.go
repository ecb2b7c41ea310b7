package convert

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/planner/convert/shell"
)

// Scripts and compose files are written by people. The limits keep what is not from taking for ever.
const (
	maxInput      = 256 << 10 // bytes
	maxContainers = 1000
	maxVariables  = 1000
)

// DockerRun converts the docker run lines of a text: a command line, a shell script, or a manual with examples in code
// blocks or behind prompts. Positions name the file; relative paths stay as they are and count from dir.
func DockerRun(file string, text []byte, dir string) *Result {
	src := diag.Sources{file: text}
	if d := unreadable(file, text); d != nil {
		return &Result{Diags: d, Sources: src}
	}
	r := newDockerReader(dir)
	marks := examples(string(text))
	if marks == nil {
		r.script = true
		p := shell.New(file, text)
		p.Windows = fromWindows(file, string(text))
		for p.Next() <= p.Lines() {
			r.line(p)
		}
		return r.finish(file, src)
	}
	r.manual(shell.New(file, secondPrompt().ReplaceAll(text, []byte("$1 "))), marks)
	return r.finish(file, src)
}

// fromWindows reports whether a script was written for PowerShell or cmd: by its name, or by a docker line that goes on
// as theirs do.
func fromWindows(file, text string) bool {
	switch strings.ToLower(path.Ext(file)) {
	case ".ps1", ".psm1", ".bat", ".cmd":
		return true
	}
	for line := range strings.Lines(text) {
		if prompt().MatchString(line) && continuesInWindows(line) {
			return true
		}
	}
	return false
}

// continuesInWindows reports whether a line ends as one of PowerShell or cmd does that goes on in the next. A backtick
// may also end a command of a POSIX shell that stands in two of them.
func continuesInWindows(line string) bool {
	line = strings.TrimRight(line, "\r\n")
	return strings.HasSuffix(line, " ^") || strings.HasSuffix(line, " `") && strings.Count(line, "`")%2 == 1
}

// line handles the line that comes next. One that the shell could not read has no meaning.
func (r *dockerReader) line(p *shell.Parser) {
	commands := p.Line()
	r.diags = append(r.diags, p.Notes...)
	p.Notes = nil
	if len(p.Diags) > 0 {
		r.diags = append(r.diags, p.Diags...)
		r.lost, p.Diags = true, nil
		return
	}
	r.commands(p, commands)
}

// secondPrompt is what a shell prints before the rest of a command.
var secondPrompt = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(\\\r?\n)>`) })

func unreadable(file string, text []byte) (d diag.List) {
	switch {
	case len(text) > maxInput:
		d.Errorf(CodeNoInput, diag.Range{File: file}, "this file is larger than %d KiB", maxInput>>10)
	case !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0:
		d.Errorf(CodeNoInput, diag.Range{File: file}, "this file is not UTF-8 text")
	}
	return d
}

// CommandLine converts one command line that a shell has split already. Positions are those in the line
// "runfile convert WORDS...".
func CommandLine(words []string, dir string) *Result {
	const before = "runfile convert"
	line := before
	cmd := shell.Simple{}
	for _, w := range words {
		quoted := strings.ReplaceAll(shell.Quote(w), "\n", " ")
		at := utf8.RuneCountInString(line) + 2
		line += " " + quoted
		cmd.Words = append(cmd.Words, shell.Word{
			Parts: []shell.Part{{Kind: shell.Literal, Text: w, Quoted: true}},
			Range: diag.Range{
				File: commandLine, Start: diag.Pos{Line: 1, Column: at},
				End: diag.Pos{Line: 1, Column: at + utf8.RuneCountInString(quoted)},
			},
		})
	}
	cmd.Range = diag.Range{File: commandLine, Start: diag.Pos{Line: 1, Column: len(before) + 2}, End: diag.Pos{Line: 1, Column: utf8.RuneCountInString(line) + 1}}
	r := newDockerReader(dir)
	r.command(nil, cmd)
	return r.finish(commandLine, diag.Sources{commandLine: []byte(line)})
}

// commandLine is the file name of positions in arguments.
const commandLine = "<command line>"

// dockerReader collects the containers of docker run lines.
type dockerReader struct {
	*draft
	vars   *values
	script bool // the commands run one after the other

	created map[string]*part // by docker create, not started yet
	asked   []*part          // volumes that only have been looked at
}

func newDockerReader(dir string) *dockerReader {
	d := &draft{dir: dir}
	return &dockerReader{draft: d, vars: newValues(d), created: map[string]*part{}}
}

func (r *dockerReader) finish(file string, src diag.Sources) *Result {
	for _, c := range r.containers {
		if created := r.created[c.key]; created == c {
			r.change(c.at, "%s is made and not started here; runfile up starts every container", c.key)
		}
	}
	if len(r.containers) == 0 && !r.lost {
		r.lose(diag.Range{File: file}, "there is no docker run line").
			WithHelp("write docker run [OPTIONS] IMAGE [COMMAND] [ARG...], or say what the file is with --from")
		r.diags[len(r.diags)-1].Code = CodeNoInput
	}
	r.declared()
	return r.settle(src)
}

// declared says which volumes have to exist, and leaves out networks and volumes that runfile makes anyway: those
// without options that a container uses.
func (r *dockerReader) declared() {
	for _, v := range r.asked {
		if find(r.volumes, v.key) == nil {
			v.set("external", boolNode(true, v.at))
			r.volumes = append(r.volumes, v)
		}
	}
	uses := func(c *part, option, key string) bool {
		n := c.get(option)
		return n != nil && slices.ContainsFunc(n.Items, func(item *manifest.Node) bool {
			return item.Text == key || strings.HasPrefix(item.Text, key+":") || strings.HasPrefix(item.Text, "name="+key+",")
		})
	}
	needless := func(option string) func(*part) bool {
		return func(p *part) bool {
			return len(p.entries) == 0 && slices.ContainsFunc(r.containers, func(c *part) bool { return uses(c, option, p.key) })
		}
	}
	r.networks = slices.DeleteFunc(r.networks, needless("network"))
	r.volumes = slices.DeleteFunc(r.volumes, needless("volume"))
}

// prompt is what stands before a command in a manual, a bullet or number of a list included.
var prompt = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*(?:[$#>%]\s+|(PS [^>]*>|[A-Za-z]:\\[^>]*>)\s*)?(?:sudo\s+(?:-\S+\s+)*)?(?:docker|podman|nerdctl)\s`)
})

// mark is a line with an example.
type mark struct {
	line, column int // from 1
	windows      bool
	prompted     bool
}

// examples finds the command lines of a manual: in the code blocks of Markdown, or behind prompts. It is nil for a script.
func examples(text string) []mark {
	markdown := strings.HasPrefix(text, "```") || strings.Contains(text, "\n```")
	fenced := false
	out := []mark{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			continue
		}
		inCode := fenced || strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t")
		if m := prompt().FindStringSubmatchIndex(line); m != nil && (inCode || !markdown) {
			out = append(out, markAt(line, n, m))
		}
	}
	if markdown {
		return out
	}
	out = slices.DeleteFunc(out, func(m mark) bool { return !m.prompted })
	if len(out) == 0 {
		return nil
	}
	return out
}

// markAt is the place behind the prompt that was found on a line.
func markAt(line string, n int, found []int) mark {
	start := strings.LastIndexAny(line[:found[1]-1], "$#>%") + 1
	prompted := strings.Trim(line[:start], " \t#") != "" // a # alone begins a comment as well
	start += len(line[start:]) - len(strings.TrimLeft(line[start:], " \t"))
	return mark{line: n, column: utf8.RuneCountInString(line[:start]) + 1, windows: found[2] >= 0 || continuesInWindows(line), prompted: prompted}
}

// manual converts examples, each for itself.
func (r *dockerReader) manual(p *shell.Parser, marks []mark) {
	r.apart = true
	next := 0
	for _, m := range marks {
		if m.line < next {
			continue // the line belongs to the example before
		}
		p.Windows = m.windows
		p.Seek(m.line, m.column)
		r.line(p)
		next = p.Next()
	}
}

// reserved are the words of the shell's language that stand before commands.
var reserved = map[string]string{
	"if": "condition", "elif": "condition", "while": "loop", "until": "loop", "for": "loop", "case": "choice", "select": "loop",
	"then": "", "else": "", "fi": "", "do": "", "done": "", "esac": "", "{": "", "}": "", "!": "", "function": "function", "time": "",
}

// prefixes run the command behind them, with those of their flags that take a value.
var prefixes = map[string]string{"sudo": "ugpCDRrTUht", "exec": "", "command": "", "nohup": "", "env": "uC", "nice": "n"}

func (r *dockerReader) commands(p *shell.Parser, list []shell.Simple) {
	for _, cmd := range list {
		r.command(p, cmd)
	}
}

// command handles one simple command; p may be nil where there is nothing to look into.
func (r *dockerReader) command(p *shell.Parser, cmd shell.Simple) {
	cmd = ofUnit(cmd)
	words := r.unwrap(cmd)
	for _, a := range cmd.Assign {
		if !r.containerOf(p, a) {
			r.vars.assign(a)
		}
	}
	if len(words) == 0 {
		return
	}
	name, _ := r.vars.static(words[0])
	name = strings.TrimSuffix(path.Base(name), ".exe")
	switch name {
	case "docker", "podman", "nerdctl":
		r.docker(name, cmd, words[1:])
	case ":":
		r.vars.assignDefaults(words[1:])
	case "set", "shopt", "true", "export", "readonly", "declare", "typeset", "local":
		// These change nothing but the script itself; assignments have been read.
	default:
		if !r.inside(p, words) {
			r.lose(cmd.Range, "%s is not a docker run line", excerpt(source(words)))
		}
	}
}

// ofUnit is the command of a line ExecStart=/usr/bin/docker run ... in a unit of systemd, any other as it is.
func ofUnit(cmd shell.Simple) shell.Simple {
	if len(cmd.Assign) != 1 || !strings.HasPrefix(cmd.Assign[0].Name, "Exec") || len(cmd.Words) == 0 {
		return cmd
	}
	program := cmd.Assign[0].Value
	text, ok := program.Static()
	if bare := strings.TrimLeft(text, "-@:+!"); ok && strings.HasPrefix(bare, "/") { // systemd's marks, and its full paths
		program = program.Cut(len(text) - len(bare))
		cmd.Words, cmd.Assign = append([]shell.Word{program}, cmd.Words...), nil
	}
	return cmd
}

// unwrap takes words of the shell's language, and sudo and its like, off a command.
func (r *dockerReader) unwrap(cmd shell.Simple) []shell.Word {
	words := cmd.Words
	for len(words) > 0 {
		text, ok := words[0].Static()
		what, isReserved := reserved[text]
		valued, isPrefix := prefixes[text]
		switch {
		case !ok:
			return words
		case isReserved && words[0].Bare(text):
			if what != "" {
				r.lose(words[0].Range, "the %s is not carried: what it runs stands in the runfile once", what)
			}
			if what == "loop" && text == "for" || what == "choice" || what == "loop" && text == "select" || what == "function" {
				return nil
			}
			words = words[1:]
		case isPrefix:
			words = afterFlags(words[1:], valued)
		default:
			return words
		}
	}
	return nil
}

// afterFlags skips the flags of sudo and its like; valued are the letters of those with a value.
func afterFlags(words []shell.Word, valued string) []shell.Word {
	for len(words) > 0 {
		text, _ := words[0].Static()
		name, _, isAssignment := strings.Cut(text, "=")
		switch {
		case len(text) == 2 && text[0] == '-' && strings.Contains(valued, text[1:]) && len(words) > 1:
			words = words[2:]
		case strings.HasPrefix(text, "-"), isAssignment && plainVariable().MatchString(name):
			words = words[1:]
		default:
			return words
		}
	}
	return nil
}

// source is what was written, near enough for a message.
func source(words []shell.Word) string {
	var out []string
	for _, w := range words {
		var b strings.Builder
		for _, p := range w.Parts {
			if b.WriteString(p.Source); p.Kind == shell.Literal {
				b.WriteString(p.Text)
			}
		}
		out = append(out, b.String())
	}
	return strings.Join(out, " ")
}

// containerOf handles ID=$(docker run ...): the variable stands for the container.
func (r *dockerReader) containerOf(p *shell.Parser, a shell.Assignment) bool {
	if p == nil || a.IsList || len(a.Value.Parts) != 1 || a.Value.Parts[0].Kind != shell.Command {
		return false
	}
	before := len(r.containers)
	if !r.inside(p, []shell.Word{a.Value}) {
		return false
	}
	if len(r.containers) > before {
		r.vars.keys[a.Name] = r.containers[len(r.containers)-1].key
	}
	return true
}

// inside handles docker run lines in the commands whose output becomes a part of words. It is false if there are none.
func (r *dockerReader) inside(p *shell.Parser, words []shell.Word) bool {
	found := false
	for _, w := range words {
		for _, part := range w.Parts {
			if part.Kind != shell.Command || p == nil || !dockerRun().MatchString(part.Text) {
				continue
			}
			found = true
			r.commands(p, p.Inside(part))
		}
	}
	return found
}

var dockerRun = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*(sudo\s+)?(docker|podman|nerdctl)\s+(container\s+)?(run|create)\s`)
})
