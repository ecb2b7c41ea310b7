package convert

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/planner/convert/shell"
)

// here is how a runfile says the directory in which a script is run.
const here = "${runfile.dir}"

// values knows what the variables of a script stand for.
type values struct {
	d       *draft
	current map[string]*variable    // by the script's name; a name that is set again has a new variable
	lists   map[string][]shell.Word // of bash
	keys    map[string]string       // variables that hold the id of a container, with its key
	owner   *variable               // whose value is being read; nil for a container's
	given   map[string]string       // what a vars-file sets, as it stands there
}

func newValues(d *draft) *values {
	return &values{d: d, current: map[string]*variable{}, lists: map[string][]shell.Word{}, keys: map[string]string{}, given: map[string]string{}}
}

// declare makes a variable with a name of its own.
func (v *values) declare(name string, at diag.Range) *variable {
	x := &variable{name: unique(name, "_", v.taken), at: at}
	v.d.vars = append(v.d.vars, x)
	return x
}

func (v *values) taken(name string) bool {
	return name == "project" || slices.ContainsFunc(v.d.vars, func(x *variable) bool { return x.name == name })
}

// assign keeps what a script sets a variable to.
func (v *values) assign(a shell.Assignment) {
	delete(v.keys, a.Name)
	delete(v.lists, a.Name)
	if a.IsList {
		v.lists[a.Name] = a.List
		return
	}
	x := &variable{at: a.Range}
	before, outer := v.current[a.Name], v.owner
	if own := ownDefault(a); own != nil && before == nil {
		a.Value.Parts = own // the environment goes before the default of a variable, as here
	}
	v.owner = x
	if a.Append && before != nil {
		x.value = before.value
		x.uses = slices.Clone(before.uses)
	}
	x.value += v.text(a.Value)
	v.owner = outer
	if before != nil && !before.used && !before.without && !slices.Contains(x.uses, before) {
		v.d.vars = slices.DeleteFunc(v.d.vars, func(o *variable) bool { return o == before }) // nobody has seen it
	}
	x.name = unique(a.Name, "_", v.taken)
	v.d.vars = append(v.d.vars, x)
	v.current[a.Name] = x
}

// assignDefaults handles what : ${NAME:=text} does.
func (v *values) assignDefaults(words []shell.Word) {
	for _, w := range words {
		for _, p := range w.Parts {
			if p.Kind == shell.Variable && (p.Op == ":=" || p.Op == "=") {
				v.assign(shell.Assignment{Name: p.Text, Value: shell.Word{Parts: []shell.Part{p}, Range: w.Range}, Range: w.Range})
			}
		}
	}
}

// ownDefault is what follows the operator in NAME=${NAME:-text}, nil for any other assignment.
func ownDefault(a shell.Assignment) []shell.Part {
	if len(a.Value.Parts) != 1 || a.Append {
		return nil
	}
	p := a.Value.Parts[0]
	if p.Kind == shell.Variable && p.Text == a.Name && (manifestOps[p.Op] == ":-" || manifestOps[p.Op] == "-") {
		return append([]shell.Part{}, p.Arg...)
	}
	return nil
}

// use refers to a variable of the script or of its environment. With an operator such as :- it may lack a value.
func (v *values) use(name, op string, at diag.Range) string {
	x := v.current[name]
	if x == nil {
		x = v.declare(name, at)
		x.without = true
		v.current[name] = x
	}
	if x.without && !x.required && (op == "" || op == ":?") {
		x.required = op == ""
		if text, ok := v.given[name]; ok {
			v.fromFile(x, text)
			return x.name
		}
		x.note.Warnf(CodeNeedsValue, at, "%s has no value here", name).
			WithHelp("give it with --var %s=VALUE, in the environment, or write a default into vars", x.name)
	}
	v.touch(x)
	return x.name
}

// fromFile uses a variable that a vars-file sets.
func (v *values) fromFile(x *variable, text string) {
	if strings.Contains(text, "$") && !strings.HasPrefix(text, "'") {
		x.note.Warnf(CodeChanged, x.at, "the value of %s is taken as .env has it", x.name).
			WithHelp("nothing is replaced in it: write out what its $ stands for, or give it with --var %s=VALUE", x.name)
	}
	v.touch(x)
}

// touch says that a container uses a variable, or that the variable does whose value is being read.
func (v *values) touch(x *variable) {
	if v.owner != nil {
		v.owner.uses = append(v.owner.uses, x)
		return
	}
	v.d.diags = append(v.d.diags, x.note...)
	x.note = nil
	if !x.used {
		x.used = true
		for _, o := range x.uses {
			v.touch(o)
		}
	}
}

// unknown makes a variable of what is not known here and says why: $(id -u), $1, ${NAME%.*}, <name>.
func (v *values) unknown(source, why string, at diag.Range) string {
	i := slices.IndexFunc(v.d.vars, func(x *variable) bool { return x.help == source && x.without })
	if i < 0 {
		x := v.declare(variableName(source), at)
		x.without, x.required, x.help = true, true, source
		x.note.Warnf(CodeNeedsValue, at, "%s %s", excerpt(source), why).
			WithHelp("give the value when you run it: --var %s=VALUE", x.name)
		i = len(v.d.vars) - 1
	}
	v.touch(v.d.vars[i])
	v.d.lost = v.d.lost || v.owner == nil
	return "${" + v.d.vars[i].name + "}"
}

// byShell is why most of what is unknown is so.
const byShell = "is worked out by the shell, and a runfile runs none"

var notName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[^A-Z0-9]+`) })

// variableName makes ID_U of $(id -u), ARG_1 of $1, and YOUR_PATH of <path>: the environment has a PATH.
func variableName(source string) string {
	s := strings.Trim(notName().ReplaceAllString(strings.ToUpper(source), "_"), "_")
	switch {
	case source == "$@" || source == "$*":
		return "ARGS"
	case s == "":
		return "VALUE"
	case s[0] >= '0' && s[0] <= '9':
		return "ARG_" + s
	case source[0] == '<' && !strings.HasPrefix(source, "<(") && !strings.HasPrefix(s, "YOUR_"):
		return "YOUR_" + s
	case len(s) > 30:
		return strings.TrimRight(s[:30], "_")
	}
	return s
}

// text writes a word as a text of the runfile.
func (v *values) text(w shell.Word) string {
	var out []string
	for i, p := range w.Parts {
		if i == 0 && p.Kind == shell.Literal && !p.Quoted && (p.Text == "~" || strings.HasPrefix(p.Text, "~/")) {
			out = append(out, "${"+v.use("HOME", "", w.Range)+"}")
			p.Text = p.Text[1:]
		}
		out = v.join(out, v.part(p, w.Range), w.Range)
	}
	return strings.Join(out, "")
}

// join puts a piece of text behind others. A dollar sign before ${ would make it literal, so it becomes a variable of its own.
func (v *values) join(pieces []string, text string, at diag.Range) []string {
	if n := len(pieces); n > 0 && strings.HasPrefix(text, "${") {
		if before, dollar := strings.CutSuffix(pieces[n-1], "$"); dollar {
			pieces[n-1] = before + "${" + v.dollar(at) + "}"
		}
	}
	return append(pieces, text)
}

// dollar is a variable that holds a dollar sign.
func (v *values) dollar(at diag.Range) string {
	i := slices.IndexFunc(v.d.vars, func(x *variable) bool { return x.value == "$" && !x.without })
	if i < 0 {
		v.declare("DOLLAR", at).value = "$"
		i = len(v.d.vars) - 1
	}
	v.touch(v.d.vars[i])
	return v.d.vars[i].name
}

func (v *values) part(p shell.Part, at diag.Range) string {
	switch p.Kind {
	case shell.Literal:
		return literal(p.Text)
	case shell.Command:
		if isHere(p.Text) {
			return here
		}
		return v.unknown(p.Source, byShell, at)
	case shell.Placeholder:
		return v.unknown(p.Source, "is for you to fill in", at)
	case shell.Variable:
	}
	return v.variable(p, at)
}

var scriptDir = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`dirname .*(\$0|BASH_SOURCE)`) })

// isHere reports whether a command prints the directory of the script or the one it runs in. A runfile that stands
// there calls both ${runfile.dir}.
func isHere(command string) bool {
	command = strings.TrimSpace(command)
	return command == "pwd" || command == "pwd -P" || command == "pwd -L" || scriptDir().MatchString(command)
}

var plainVariable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`) })

// manifestOps are the shell's operators with their counterparts in a runfile.
var manifestOps = map[string]string{":-": ":-", ":=": ":-", "-": "-", "=": "-", ":?": ":?", "?": ":?", ":+": ":+", "+": "+"}

// variable writes $NAME and ${NAME:-text}.
func (v *values) variable(p shell.Part, at diag.Range) string {
	op, known := manifestOps[p.Op]
	switch {
	case strings.EqualFold(p.Text, "PWD") && p.Op == "" && v.current[p.Text] == nil: // PowerShell takes either case
		return here
	case v.keys[p.Text] != "":
		return v.keys[p.Text]
	case !plainVariable().MatchString(p.Text) || p.Op != "" && !known:
		return v.unknown(p.Source, byShell, at)
	case p.Op == "":
		return "${" + v.use(p.Text, "", at) + "}"
	}
	var arg []string
	for _, a := range p.Arg {
		arg = v.join(arg, v.part(a, at), at)
	}
	if slices.ContainsFunc(p.Arg, func(a shell.Part) bool { return a.Kind == shell.Literal && strings.ContainsAny(a.Text, "{}") }) {
		return v.unknown(p.Source, byShell, at) // a brace in the text would end it
	}
	return "${" + v.use(p.Text, op, at) + op + strings.Join(arg, "") + "}"
}

// static is the text of a word if the script alone determines it.
func (v *values) static(w shell.Word) (string, bool) {
	var b strings.Builder
	for _, p := range w.Parts {
		switch x := v.current[p.Text]; {
		case p.Kind == shell.Literal:
			b.WriteString(p.Text)
		case p.Kind == shell.Variable && v.keys[p.Text] != "":
			b.WriteString(v.keys[p.Text])
		case p.Kind == shell.Variable && x != nil && !x.without && !strings.Contains(x.value, "${") && p.Op == "":
			b.WriteString(x.value)
		case p.Kind == shell.Variable && x == nil && (p.Op == ":-" || p.Op == "-"):
			text, ok := v.static(shell.Word{Parts: p.Arg})
			if !ok {
				return "", false
			}
			b.WriteString(text)
		default:
			return "", false
		}
	}
	return b.String(), true
}

// spread puts the words in place that the shell would make of a variable without quotes, or of a list.
func (v *values) spread(words []shell.Word) []shell.Word {
	var out []shell.Word
	for _, w := range words {
		if len(w.Parts) != 1 || w.Parts[0].Kind != shell.Variable || w.Parts[0].Op != "" {
			out = append(out, w)
			continue
		}
		p := w.Parts[0]
		name, isList := strings.CutSuffix(strings.NewReplacer("[*]", "[@]").Replace(p.Text), "[@]")
		if list, ok := v.lists[name]; ok && isList {
			out = append(out, v.spread(list)...)
			continue
		}
		text, ok := v.static(w)
		if !ok || p.Quoted || text != "" && text[0] != '-' && !strings.ContainsAny(text, " \t\n") {
			out = append(out, w)
			continue
		}
		for _, f := range strings.Fields(text) {
			out = append(out, shell.Word{Range: w.Range, Parts: []shell.Part{{Kind: shell.Literal, Text: f, Quoted: true}}})
		}
	}
	return out
}

// standsForFlags reports whether a word seems to be a variable that holds flags, whose text is not known.
func standsForFlags(w shell.Word) bool {
	if len(w.Parts) != 1 || w.Parts[0].Kind != shell.Variable || w.Parts[0].Quoted && !strings.HasSuffix(w.Parts[0].Text, "[@]") {
		return false
	}
	name := strings.ToUpper(w.Parts[0].Text)
	return strings.Contains(name, "OPT") || strings.Contains(name, "ARG") || strings.Contains(name, "FLAG") ||
		strings.Contains(name, "PARAM") || name == "@" || name == "*"
}
