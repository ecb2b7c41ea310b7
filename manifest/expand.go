package manifest

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/runfile/runfile/manifest/diag"
)

// maxNesting bounds ${A:-${B:-...}}.
const maxNesting = 16

// expandTree replaces ${...} in all scalars of a tree, in place. Keys are never touched.
func (l *loader) expandTree(n *Node, f *file, s *scope) {
	switch n.Kind {
	case Scalar:
		if !strings.Contains(n.Text, "${") {
			return
		}
		if text, ok := l.expandText(n, f, s); ok {
			n.Text = text
		} else {
			n.Broken = true
		}
		n.Type, n.Expanded = String, true
	case List:
		for _, it := range n.Items {
			l.expandTree(it, f, s)
		}
	case Map:
		for _, e := range n.Entries {
			l.expandTree(e.Value, f, s)
		}
	case Null:
	}
}

// expandText returns the text of a scalar with ${...} replaced. It is false when a diagnostic was given.
func (l *loader) expandText(n *Node, f *file, s *scope) (string, bool) {
	if !strings.Contains(n.Text, "${") {
		return n.Text, true
	}
	x := &expander{l: l, node: n, file: f, scope: s, ok: true}
	if l.expanded > maxText || len(l.diags) > maxFindings {
		return n.Text, false
	}
	out, _ := x.text(0, 0, true)
	if len(out) > maxScalar {
		x.fail(CodeLimit, 0, len(n.Text), "with its variables this value is longer than %d KiB", maxScalar>>10)
	}
	if l.expanded += len(out); l.expanded > maxText {
		x.fail(CodeLimit, 0, len(n.Text), "the values of the runfile are longer than %d MiB together", maxText>>20)
	}
	return out, x.ok
}

// expander replaces the variables of one scalar.
type expander struct {
	l     *loader
	node  *Node
	file  *file
	scope *scope // nil where no variable may be used
	ok    bool
}

// fail reports a problem with the bytes from..to of the scalar's text.
func (x *expander) fail(code diag.Code, from, to int, format string, args ...any) *diag.Diagnostic {
	x.ok = false
	return x.l.diags.Errorf(code, x.place(from, to), format, args...)
}

// place finds bytes of the text in the source. The text differs from the source by quotes, escapes and folding, but the
// dollar signs keep their order; where one was written as an escape, the whole scalar is the place.
func (x *expander) place(from, to int) diag.Range {
	at := x.node.Range
	s := x.l.sources[at.File]
	if s == nil || at.Start.Line == 0 {
		return at
	}
	begin := s.offset(at.Start)
	raw := s.text[begin:max(begin, s.offset(at.End))]
	if bytes.Count(raw, []byte("$")) != strings.Count(x.node.Text, "$") {
		return at
	}
	offset := -1
	for range strings.Count(x.node.Text[:from], "$") + 1 {
		i := bytes.IndexByte(raw[offset+1:], '$')
		if i < 0 {
			return at
		}
		offset += 1 + i
	}
	start := begin + offset
	if want := x.node.Text[from:to]; bytes.HasPrefix(s.text[start:], []byte(want)) {
		return s.span(start, start+len(want))
	}
	return s.span(start, start+len("${"))
}

// text expands from an offset to the end, or to the closing brace when depth > 0, and returns the offset of that end. In
// a part that is not used (live is false) only the form is checked.
func (x *expander) text(from, depth int, live bool) (string, int) {
	in := x.node.Text
	var out strings.Builder
	for i := from; i < len(in); {
		switch {
		case depth > 0 && in[i] == '}':
			return out.String(), i
		case strings.HasPrefix(in[i:], "$${"):
			out.WriteString("${")
			i += len("$${")
		case strings.HasPrefix(in[i:], "${"):
			text, end := x.reference(i, depth, live)
			if end < 0 {
				return "", len(in)
			}
			out.WriteString(text)
			if i = end; out.Len() > maxScalar || len(x.l.diags) > maxFindings {
				return out.String(), len(in)
			}
		default:
			out.WriteByte(in[i])
			i++
		}
	}
	return out.String(), len(in)
}

// operators come after a name; the longer form of each first.
var operators = []string{":-", ":?", ":+", "-", "+"}

const knownForms = "write ${NAME}, ${NAME:-default}, ${NAME:?message} or ${NAME:+text}; a literal ${ is $${"

// reference expands the ${...} at an offset and returns the offset behind it, -1 after an error of form.
func (x *expander) reference(at, depth int, live bool) (string, int) {
	in := x.node.Text
	name, operator, i, ok := x.head(at, depth)
	if !ok {
		return "", -1
	}
	x.noteUse(name, at, i)
	got := x.lookup(name, at, i, operator, live)
	if operator == "" {
		return x.plain(got, name, at, i+1, live), i + 1
	}
	useArg := got.takesArg(operator)
	arg, end := x.text(i+len(operator), depth+1, live && useArg)
	if end >= len(in) || in[end] != '}' {
		if x.ok {
			x.unclosed(at, len(in))
		}
		return "", -1
	}
	switch {
	case operator == ":?" && useArg && live:
		x.missing(name, arg, at, end+1)
		return "", end + 1
	case useArg:
		return arg, end + 1
	case strings.HasSuffix(operator, "+"):
		return "", end + 1
	default:
		return got.text, end + 1
	}
}

// head reads "${NAME" and the operator after it; next is the offset of the operator or the closing brace.
func (x *expander) head(at, depth int) (name, operator string, next int, ok bool) {
	in := x.node.Text
	i := at + len("${")
	for i < len(in) && nameByte(in[i]) {
		i++
	}
	name = in[at+len("${") : i]
	switch {
	case depth >= maxNesting:
		x.fail(CodeBadInterpolation, at, i, "${...} is nested more than %d deep", maxNesting)
		return "", "", i, false
	case i >= len(in):
		x.unclosed(at, i)
		return "", "", i, false
	}
	for _, op := range operators {
		if strings.HasPrefix(in[i:], op) {
			operator = op
			break
		}
	}
	if name != "" && (operator != "" || in[i] == '}') {
		return name, operator, i, true
	}
	end := i
	if brace := strings.IndexByte(in[at:], '}'); brace >= 0 {
		end = at + brace + 1
	}
	x.fail(CodeBadInterpolation, at, end, "this is not a known form of ${...}").WithHelp(knownForms)
	return "", "", i, false
}

func (x *expander) unclosed(at, end int) {
	x.fail(CodeBadInterpolation, at, end, "this ${ is not closed").WithHelp(knownForms)
}

// takesArg reports whether the text after the operator is what counts: - and ? use it where there is no value, + where
// there is one, and a colon makes an empty value count as none.
func (f found) takesArg(operator string) bool {
	there := f.usable && (f.text != "" || !strings.HasPrefix(operator, ":"))
	return !f.broken && there == strings.HasSuffix(operator, "+")
}

func nameByte(c byte) bool {
	return c == '_' || c == '.' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// found is the outcome of a look-up.
type found struct {
	text   string
	usable bool         // there is a value
	broken bool         // a diagnostic was given
	decl   *declaration // nil for names with a dot and undeclared ones
}

// lookup finds the value of a name, which ends at end.
func (x *expander) lookup(name string, at, end int, operator string, live bool) found {
	if !live {
		return found{}
	}
	l := x.l
	switch {
	case name == "project":
		text, ok := l.project.get(x, at, end)
		return found{text: text, usable: ok, broken: !ok}
	case name == "runfile.dir":
		return found{text: Slashed(x.file.dir), usable: true}
	case strings.HasPrefix(name, "env.") && variableName.MatchString(name[len("env."):]):
		text, ok := l.o.LookupEnv(name[len("env."):])
		return found{text: text, usable: ok}
	case strings.Contains(name, ".") || !variableName.MatchString(name):
		d := x.fail(CodeBadInterpolation, at, end, "there is no ${%s}", name)
		if near, ok := l.nearest(name, []string{"runfile.dir"}); ok {
			d.WithHelp("did you mean ${%s}?", near)
		} else {
			d.WithHelp("with a dot there are ${env.NAME} and ${runfile.dir}")
		}
		return found{broken: true}
	case x.scope == nil:
		x.fail(CodeUndefinedVariable, at, end, "variables have no value yet here").
			WithHelp("use ${env.NAME} or ${runfile.dir}")
		return found{broken: true}
	}
	d, s := x.scope.find(name)
	if d == nil {
		_, inEnv := l.o.LookupEnv(name)
		if inEnv && operator != "" {
			l.diags.Warnf(CodeUndeclaredVariable, x.place(at, end), "%q is set in the environment but not declared, so it is not used", name).
				WithHelp("declare it: vars: {%s: default}, or write ${env.%s%s...}", name, name, operator)
		}
		return found{}
	}
	v := l.value(d, s, x.place(at, end))
	if v.broken {
		x.ok = false
	}
	return found{text: v.text, usable: v.set, broken: v.broken, decl: d}
}

// plain is the value of a ${NAME} without operator.
func (x *expander) plain(got found, name string, at, end int, live bool) string {
	if !live || got.broken || got.usable {
		return got.text
	}
	if env, isEnv := strings.CutPrefix(name, "env."); isEnv {
		x.fail(CodeUndefinedVariable, at, end, "%q is not set in the environment", env).
			WithHelp("set it, or give it a default: ${%s:-default}", name)
		return ""
	}
	if got.decl != nil {
		x.fail(CodeUndefinedVariable, at, end, "the variable %q has no value", name).
			Also(got.decl.at, "declared here without a default").
			WithHelp("set it with --var %s=VALUE, or give it a default: ${%s:-default}", name, name)
		return ""
	}
	d := x.fail(CodeUndefinedVariable, at, end, "the variable %q is not declared", name)
	_, inEnv := x.l.o.LookupEnv(name)
	near, isNear := x.l.nearest(name, append(x.scope.names(), "project"))
	switch {
	case isNear:
		d.WithHelp("did you mean ${%s}?", near)
	case name == "PWD":
		d.WithHelp("write a dot for the directory of the runfile, or ${env.PWD} for the one in which runfile is called")
	case inEnv:
		d.WithHelp("the environment has it: declare it with vars: {%s: }, or write ${env.%s}; for the container's shell write $${%s}", name, name, name)
	default:
		d.WithHelp("declare it: vars: {%s: default}; for the container's shell write $${%s}", name, name)
	}
	return ""
}

// missing reports ${NAME:?message}.
func (x *expander) missing(name, message string, at, end int) {
	text := fmt.Sprintf("%q is not set", name)
	if message != "" {
		text += ": " + message
	}
	d := x.fail(CodeMissingVariable, at, end, "%s", text)
	switch declared, _ := x.scope.find(name); {
	case strings.HasPrefix(name, "env."):
		d.WithHelp("set %s in the environment", name[len("env."):])
	case declared == nil:
		d.WithHelp("declare it: vars: {%s: default}", name)
	default:
		d.WithHelp("set it with --var %s=VALUE, in the environment or in a vars-file", name)
	}
}

// projectName is the project's name while and after it is worked out.
type projectName struct {
	text  string
	known bool
}

func (p *projectName) get(x *expander, at, end int) (string, bool) {
	if !p.known {
		x.fail(CodeVariableCycle, at, end, "the project's name is not known yet here").
			WithHelp("`project`, and what it uses, cannot depend on ${project}")
	}
	return p.text, p.known
}
