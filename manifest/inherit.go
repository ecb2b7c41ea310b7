package manifest

import (
	"slices"

	"github.com/runfile/runfile/manifest/diag"
)

// inheritance works out defaults, templates and extends.
type inheritance struct {
	l         *loader
	merger    *merger
	templates map[string]*Node
	names     []string
	done      map[string]*Node // templates with what they extend
	open      []Entry          // extends being followed: template names and where each was named
	budget    budget
	reported  map[diag.Range]bool
}

// inherit returns the containers with everything merged in.
func (l *loader) inherit(all *sections) []Entry {
	h := &inheritance{
		l: l, merger: &merger{repeatable: l.o.Repeatable}, templates: map[string]*Node{}, done: map[string]*Node{},
		reported: map[diag.Range]bool{},
	}
	for _, t := range all.templates {
		h.templates[t.Key] = t.Value
		h.names = append(h.names, t.Key)
	}
	for _, name := range h.names { // also those that nothing extends, for their mistakes
		h.template(Entry{Key: name})
	}
	var out []Entry
	for _, c := range all.containers {
		base := &Node{Kind: Map}
		for _, d := range slices.Backward(c.defaults) {
			base = h.merger.merge(base, h.flatten(d))
		}
		base = h.extended(base, c.Value)
		h.checkOverrides(base, c.Value)
		merged := h.merger.merge(base, c.Value)
		merged.Range = c.Value.Range
		merged.Entries = slices.DeleteFunc(merged.Entries, func(e Entry) bool {
			return e.Key == keyExtends || e.Key == keyOverride
		})
		if h.tooMuch(h.budget.tree(merged, 3), c.KeyRange) {
			return out
		}
		out = append(out, Entry{Key: c.Key, KeyRange: c.KeyRange, Value: merged})
	}
	return out
}

// flatten returns a template or defaults section with what it extends; `override` stays in it, for what it is itself
// laid over.
func (h *inheritance) flatten(n *Node) *Node {
	if n.Get(keyExtends) == nil {
		return n
	}
	out := h.merger.merge(h.extended(&Node{Kind: Map}, n), n)
	out.Entries = slices.DeleteFunc(out.Entries, func(e Entry) bool { return e.Key == keyExtends })
	return out
}

// extended lays the templates that n extends over base, in the order of the list.
func (h *inheritance) extended(base, n *Node) *Node {
	for _, name := range h.l.texts(n.Get(keyExtends), "`extends`") {
		t := h.template(Entry{Key: name.Text, KeyRange: name.Range})
		switch {
		case t == nil: // what it would have brought is not missing
			broken := *base
			broken.Broken = true
			base = &broken
		case !h.tooMuch("", name.Range):
			base = h.merger.merge(base, t)
		}
	}
	return base
}

// template returns a template with what it extends, nil if it cannot be used. The range of name is where it is named.
func (h *inheritance) template(name Entry) *Node {
	if n, ok := h.done[name.Key]; ok {
		return n
	}
	n, ok := h.templates[name.Key]
	if !ok {
		h.unknown(name)
		return nil
	}
	if i := slices.IndexFunc(h.open, func(e Entry) bool { return e.Key == name.Key }); i >= 0 {
		h.cycle(append(slices.Clone(h.open[i+1:]), name))
		return nil
	}
	h.open = append(h.open, name)
	out := h.flatten(n)
	h.open = h.open[:len(h.open)-1]
	// Templates may double one another; what is too large for one container is not carried on.
	h.tooMuch((&budget{}).tree(out, 1), n.Range)
	h.done[name.Key] = out
	return out
}

// tooMuch reports the first limit that merging passes, and whether one has been passed.
func (h *inheritance) tooMuch(why string, at diag.Range) bool {
	if why == "" && h.merger.work > maxWork {
		why = tooManyNodes
	}
	if why != "" && !h.reported[diag.Range{}] {
		h.reported[diag.Range{}] = true
		h.l.diags.Errorf(CodeLimit, at, "%s", why).WithHelp("let templates and defaults say less")
	}
	h.budget.spent = h.budget.spent || why != ""
	return h.budget.spent
}

func (h *inheritance) unknown(name Entry) {
	if h.reported[name.KeyRange] {
		return
	}
	h.reported[name.KeyRange] = true
	d := h.l.diags.Errorf(CodeUnknownTemplate, name.KeyRange, "there is no template %q", name.Key)
	if near, ok := h.l.nearest(name.Key, h.names); ok {
		d.WithHelp("did you mean %q?", near)
	} else {
		d.WithHelp("add it under `templates`")
	}
}

// cycle reports templates that extend each other; each entry says where the next one is named.
func (h *inheritance) cycle(path []Entry) {
	first := path[len(path)-1]
	if h.reported[first.KeyRange] {
		return
	}
	d := h.l.diags.Errorf(CodeTemplateCycle, first.KeyRange, "the template %q extends itself", first.Key).
		WithHelp("drop one of the `extends`")
	for _, e := range path {
		h.reported[e.KeyRange] = true
		if e.KeyRange != first.KeyRange {
			d.Also(e.KeyRange, "through %q", e.Key)
		}
	}
}

// checkOverrides reports names in a container's `override` that replace nothing and are nothing.
func (h *inheritance) checkOverrides(base, n *Node) {
	names := h.l.texts(n.Get(keyOverride), "`override`")
	if len(names) == 0 {
		return
	}
	there := map[string]bool{}
	var known []string
	for _, e := range append(slices.Clone(n.Entries), base.Entries...) {
		there[e.Key] = true
		known = append(known, e.Key)
	}
	for _, name := range names {
		if there[name.Text] {
			continue
		}
		d := h.l.diags.Errorf(CodeBadOverride, name.Range, "`override` names %q, which this container neither has nor inherits", name.Text)
		if near, ok := h.l.nearest(name.Text, known); ok {
			d.WithHelp("did you mean %q?", near)
		}
	}
}
