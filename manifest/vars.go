package manifest

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/runfile/runfile/manifest/diag"
)

// declaration is one entry of a `vars` section.
type declaration struct {
	name     string
	at       diag.Range // of the name
	file     *file
	fallback *Node // default; nil if there is none
	required bool
	secret   bool
	enum     []string
	pattern  *regexp.Regexp
	help     string
}

// scope is what the variables of a file mean: its own declarations, then those of the files that include it.
type scope struct {
	parent *scope
	decls  map[string]*declaration
	order  []string
	bound  map[string]dotValue // by `vars` of the include; nothing overrides these, as arguments of a call
	files  map[string]dotValue // of vars-file
	known  map[string]*variable
}

func newScope(parent *scope) *scope {
	return &scope{
		parent: parent, decls: map[string]*declaration{}, bound: map[string]dotValue{},
		files: map[string]dotValue{}, known: map[string]*variable{},
	}
}

// find returns a declaration and the scope that holds it.
func (s *scope) find(name string) (*declaration, *scope) {
	for ; s != nil; s = s.parent {
		if d := s.decls[name]; d != nil {
			return d, s
		}
	}
	return nil, nil
}

// names lists all declared names, nearest scope first.
func (s *scope) names() []string {
	var out []string
	for ; s != nil; s = s.parent {
		out = append(out, s.order...)
	}
	return out
}

// variable is the value of a declaration once it has been looked up.
type variable struct {
	text      string
	set       bool
	from      Source
	broken    bool // a diagnostic was given
	resolving bool
}

// cliValues are the values of --vars-file.
type cliValues struct {
	values map[string]dotValue
}

func (l *loader) commandLineVars() *cliValues {
	c := &cliValues{values: map[string]dotValue{}}
	for _, name := range l.o.VarsFiles {
		at := diag.Range{File: commandLine}
		maps.Copy(c.values, l.varsFile(Absolute(l.dir, name), at))
	}
	return c
}

// varsFile reads one dotenv file that is named at a place.
func (l *loader) varsFile(abs string, at diag.Range) map[string]dotValue {
	name := l.shown(abs)
	text, why := readFile(abs, at.File == commandLine)
	if why != "" {
		l.diags.Errorf(CodeUnreadableFile, at, "the vars-file %s cannot be read: %s", name, why).
			WithHelp("correct the path, or create the file")
		return nil
	}
	s := newSource(name, text)
	l.doc.Sources[name] = text
	if d := checkSize(s); d.HasErrors() {
		l.diags = append(l.diags, d...)
		return nil
	}
	values, d := readDotenv(s)
	l.diags = append(l.diags, d...)
	return values
}

// rootScope declares the variables of all files that the user named, later ones replacing earlier ones.
func (l *loader) rootScope(files []*file) *scope {
	s := newScope(nil)
	l.scopes = append(l.scopes, s)
	for _, f := range files {
		l.declare(f, s)
	}
	return s
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// declare reads the `vars` and `vars-file` sections of a file into a scope.
func (l *loader) declare(f *file, s *scope) {
	if vars := f.root.Get("vars"); vars != nil && l.isMap(vars, "`vars`", "NAME: default") {
		for _, e := range vars.Entries {
			d := l.declaration(f, e)
			if s.decls[d.name] == nil {
				s.order = append(s.order, d.name)
			}
			s.decls[d.name] = d
		}
	}
	for _, n := range l.texts(f.root.Get("vars-file"), "`vars-file`") {
		// No variable has a value yet; only ${env.NAME} and ${runfile.dir} make sense in these paths.
		path, ok := l.expandText(n, f, nil)
		if ok {
			maps.Copy(s.files, l.varsFile(Absolute(f.dir, path), n.Range))
		}
	}
}

var declarationKeys = []string{"default", "required", "enum", "pattern", "secret", "help"}

func (l *loader) declaration(f *file, e Entry) *declaration {
	d := &declaration{name: e.Key, at: e.KeyRange, file: f}
	l.declared[e.Key] = true
	switch {
	case !variableName.MatchString(e.Key):
		l.diags.Errorf(CodeBadVariable, e.KeyRange, "%q cannot name a variable", e.Key).
			WithHelp("use letters, digits and _, with no digit first")
	case e.Key == "project":
		l.diags.Errorf(CodeBadVariable, e.KeyRange, "the name project is taken: ${project} is the project's name")
	}
	switch e.Value.Kind {
	case Scalar:
		d.fallback = e.Value
	case Null:
	case Map:
		for _, k := range e.Value.Entries {
			l.declarationKey(d, k)
		}
	default:
		l.diags.Errorf(CodeBadVariable, e.Value.Range, "a variable is one text, not a list").
			WithHelp("write the default, or a map of %s", strings.Join(declarationKeys, ", "))
	}
	return d
}

// notSwitch reports a value that has to be true or false.
func (l *loader) notSwitch(k Entry) {
	d := l.diags.Errorf(CodeBadVariable, k.Value.Range, "%s is true or false", k.Key)
	word := strings.ToLower(k.Value.Text)
	switch {
	case word == "true" || word == "false":
		d.WithHelp("write %s, without quotes", word)
	case switchWords[word] != "":
		d.WithHelp("write %s", switchWords[word])
	}
}

// declarationKey reads one key of {default, required, enum, pattern, secret, help}.
func (l *loader) declarationKey(d *declaration, k Entry) {
	v := k.Value
	switch k.Key {
	case "default":
		if l.isText(k) {
			d.fallback = v
		}
	case "required", "secret":
		if v.Kind != Scalar || v.Type != Bool {
			l.notSwitch(k)
			return
		}
		yes := strings.EqualFold(v.Text, "true")
		if k.Key == "secret" {
			d.secret = yes
		} else {
			d.required = yes
		}
	case "enum":
		for _, it := range l.texts(v, "enum") {
			d.enum = append(d.enum, it.Text)
		}
	case "pattern":
		if !l.isText(k) {
			return
		}
		p, err := regexp.Compile(`^(?:` + v.Text + `)$`)
		if err != nil {
			l.diags.Errorf(CodeBadVariable, v.Range, "this is not a regular expression")
			return
		}
		d.pattern = p
	case "help":
		if l.isText(k) {
			d.help = v.Text
		}
	default:
		out := l.diags.Errorf(CodeBadVariable, k.KeyRange, "the declaration of a variable has no key %q", k.Key)
		if near, ok := l.nearest(k.Key, declarationKeys); ok {
			out.WithHelp("did you mean %q?", near)
		} else {
			out.WithHelp("known are %s", strings.Join(declarationKeys, ", "))
		}
	}
}

func (l *loader) isText(k Entry) bool {
	if k.Value.Kind == Scalar {
		return true
	}
	l.diags.Errorf(CodeBadVariable, k.Value.Range, "%s is one value, this is %s", k.Key, k.Value.kindName())
	return false
}

// value looks a declared variable up: argument of the include, --var, --vars-file, environment, vars-file, default.
func (l *loader) value(d *declaration, s *scope, use diag.Range) *variable {
	v := s.known[d.name]
	if v != nil {
		if v.resolving {
			v.broken = true
			l.diags.Errorf(CodeVariableCycle, use, "the variable %q depends on itself", d.name).
				Also(d.at, "declared here").WithHelp("give it a default of its own")
		}
		return v
	}
	v = &variable{resolving: true}
	s.known[d.name] = v
	at := diag.Range{}
	fromCLI, inCLI := l.o.Vars[d.name]
	fromEnv, inEnv := l.o.LookupEnv(d.name)
	switch {
	case has(s.bound, d.name, v, &at):
		v.from = FromInclude
	case inCLI:
		v.text, v.set, v.from = fromCLI, true, FromVar
	case has(l.cli.values, d.name, v, &at):
		v.from = FromVarsFlag
	case inEnv:
		v.text, v.set, v.from = fromEnv, true, FromEnvironment
	case has(s.files, d.name, v, &at):
		v.from = FromVarsFile
	case d.fallback != nil:
		ok := false
		v.text, ok = l.expandText(d.fallback, d.file, s)
		v.set, v.from, v.broken, at = true, FromDefault, v.broken || !ok, d.fallback.Range
	}
	v.resolving = false
	if !v.broken {
		l.checkValue(d, v, at)
	}
	if d.secret && v.text != "" && !l.secrets[v.text] {
		l.secrets[v.text] = true
		l.doc.Secrets = append(l.doc.Secrets, v.text)
	}
	return v
}

// has takes a value from a map of values.
func has(values map[string]dotValue, name string, v *variable, at *diag.Range) bool {
	found, ok := values[name]
	if ok {
		v.text, v.set, *at = found.text, true, found.at
	}
	return ok
}

// checkValue applies required, enum and pattern.
func (l *loader) checkValue(d *declaration, v *variable, at diag.Range) {
	why := ""
	switch {
	case !v.set && d.required:
		v.broken = true
		l.diags.Errorf(CodeMissingVariable, d.at, "the variable %q must be given", d.name).
			WithHelp("set it with --var %s=VALUE, in the environment or in a vars-file", d.name)
		return
	case !v.set:
		return
	case len(d.enum) > 0 && !slices.Contains(d.enum, v.text):
		why = "allowed are " + strings.Join(d.enum, ", ")
	case d.pattern != nil && !d.pattern.MatchString(v.text):
		why = "it must match " + plainPattern(d.pattern)
	default:
		return
	}
	v.broken = true
	shown := ""
	if !d.secret {
		shown = " " + quoted(v.text)
	}
	if from := v.from.words(); from != "" {
		shown += " from " + from
	}
	if at.IsZero() {
		l.diags.Errorf(CodeVariableValue, d.at, "the value%s is not allowed for %q", shown, d.name).WithHelp("%s", why)
		return
	}
	l.diags.Errorf(CodeVariableValue, at, "the value%s is not allowed for %q", shown, d.name).
		Also(d.at, "declared here").WithHelp("%s", why)
}

// plainPattern is a pattern as the file has it.
func plainPattern(p *regexp.Regexp) string {
	return strings.TrimSuffix(strings.TrimPrefix(p.String(), "^(?:"), ")$")
}

// quoted shortens a value for a message.
func quoted(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return `"` + s + `"`
}

// checkVars looks up every declared variable, so that a missing or forbidden value is found even where it is not used.
func (l *loader) checkVars(s *scope) {
	for _, name := range s.order {
		l.value(s.decls[name], s, s.decls[name].at)
	}
}

// unusedFlags reports --var for names that no file declares.
func (l *loader) unusedFlags(s *scope) {
	for _, name := range slices.Sorted(maps.Keys(l.o.Vars)) {
		if l.declared[name] {
			continue
		}
		d := l.diags.Errorf(CodeUnknownVariable, diag.Range{File: commandLine}, "--var sets %q, which no file declares", name)
		if near, ok := l.nearest(name, s.names()); ok {
			d.WithHelp("did you mean %q?", near)
		} else {
			d.WithHelp("declare it: vars: {%s: default}", name)
		}
	}
}
