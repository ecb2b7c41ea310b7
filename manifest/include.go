package manifest

import (
	"maps"
	"slices"
)

// inclusion is one entry of `include`.
type inclusion struct {
	path     *Node // where the path stands
	as       string
	vars     map[string]dotValue
	varNames []Entry
	profiles []*Node
}

var inclusionKeys = []string{"file", "as", "vars", "profiles"}

// includes reads the files of an `include` section and what they include in turn.
func (l *loader) includes(n *Node, f *file, s *scope, stack []*file) []*sections {
	if n == nil || n.Kind == Null {
		return nil
	}
	items := []*Node{n}
	if n.Kind == List {
		items = n.Items
	}
	var out []*sections
	for _, item := range items {
		inc := l.inclusion(item)
		if inc == nil {
			continue
		}
		child := l.include(inc, f, stack)
		if child == nil {
			continue
		}
		inner := newScope(s)
		l.scopes = append(l.scopes, inner)
		l.declare(child, inner)
		for _, e := range inc.varNames {
			if inner.decls[e.Key] == nil {
				d := l.diags.Errorf(CodeUnknownVariable, e.KeyRange, "%s does not declare the variable %q", child.name, e.Key)
				if near, ok := l.nearest(e.Key, inner.order); ok {
					d.WithHelp("did you mean %q?", near)
				}
			}
		}
		maps.Copy(inner.bound, inc.vars)
		got := l.sections(child, inner, append(slices.Clone(stack), child))
		l.checkVars(inner)
		if inc.as != "" {
			got.rename(inc.as)
		}
		got.addProfiles(inc.profiles)
		out = append(out, got)
	}
	return out
}

// include opens the file of one entry.
func (l *loader) include(inc *inclusion, f *file, stack []*file) *file {
	abs := Absolute(f.dir, inc.path.Text)
	for i, open := range stack {
		if open.abs != abs {
			continue
		}
		d := l.diags.Errorf(CodeIncludeCycle, inc.path.Range, "%s includes itself", open.name).
			WithHelp("drop one of the includes")
		for _, between := range stack[i+1:] {
			d.Also(between.at, "through %s", between.name)
		}
		return nil
	}
	if l.read++; l.read > maxFiles {
		if l.read == maxFiles+1 {
			l.diags.Errorf(CodeLimit, inc.path.Range, "the runfile includes more than %d files", maxFiles)
		}
		return nil
	}
	child := &file{at: inc.path.Range, abs: abs, name: l.shown(abs), dir: Absolute(abs, "..")}
	text, why := readFile(abs, false)
	if why != "" {
		l.diags.Errorf(CodeUnreadableFile, inc.path.Range, "%s cannot be read: %s", child.name, why).
			WithHelp("correct the path; it counts from the directory of this file")
		return nil
	}
	return l.parse(child, text)
}

// inclusion reads one entry: a path, or {file, as, vars, profiles}.
func (l *loader) inclusion(n *Node) *inclusion {
	inc := &inclusion{vars: map[string]dotValue{}}
	before := len(l.diags)
	switch n.Kind {
	case Scalar:
		inc.path = n
	case Map:
		for _, e := range n.Entries {
			l.inclusionKey(inc, e)
		}
	default:
		l.diags.Errorf(CodeBadInclude, n.Range, "`include` takes paths, this is %s", n.kindName()).
			WithHelp("write the path, or {file: PATH, as: PREFIX}")
		return nil
	}
	if inc.path == nil || inc.path.Text == "" {
		if len(l.diags) == before { // else the mistake may well be about the file
			l.diags.Errorf(CodeBadInclude, n.Range, "this entry names no file").WithHelp("write {file: PATH}")
		}
		return nil
	}
	return inc
}

func (l *loader) inclusionKey(inc *inclusion, e Entry) {
	switch e.Key {
	case "file", "as":
		if e.Value.Kind != Scalar {
			l.diags.Errorf(CodeBadInclude, e.Value.Range, "%s is one value, this is %s", e.Key, e.Value.kindName())
			return
		}
		if e.Key == "file" {
			inc.path = e.Value
		} else if inc.as = e.Value.Text; !prefixForm.MatchString(inc.as) {
			l.diags.Errorf(CodeBadInclude, e.Value.Range, "%s cannot be put before names", quoted(inc.as)).
				WithHelp("use letters, digits, - and _, with a letter or digit first")
		}
	case "vars":
		if !l.isMap(e.Value, "`vars`", "NAME: value") {
			return
		}
		for _, v := range e.Value.Entries {
			if v.Value.Kind != Scalar {
				l.diags.Errorf(CodeBadInclude, v.Value.Range, "a variable is one text, this is %s", v.Value.kindName())
				continue
			}
			inc.vars[v.Key] = dotValue{text: v.Value.Text, at: v.Value.Range}
			inc.varNames = append(inc.varNames, v)
		}
	case "profiles":
		inc.profiles = l.texts(e.Value, "`profiles`")
	default:
		d := l.diags.Errorf(CodeBadInclude, e.KeyRange, "an entry of `include` has no key %q", e.Key)
		if near, ok := l.nearest(e.Key, inclusionKeys); ok {
			d.WithHelp("did you mean %q?", near)
		} else {
			d.WithHelp("known are file, as, vars and profiles")
		}
	}
}

// addProfiles puts the containers of an included file that name no profile into those of the include.
func (s *sections) addProfiles(profiles []*Node) {
	if len(profiles) == 0 {
		return
	}
	list := &Node{Kind: List, Items: profiles, Range: profiles[0].Range}
	for i, c := range s.containers {
		if c.Value.Get("profiles") == nil {
			n := *c.Value
			n.Entries = append(slices.Clone(n.Entries), Entry{Key: "profiles", KeyRange: list.Range, Value: list})
			s.containers[i].Value = &n
		}
	}
}
