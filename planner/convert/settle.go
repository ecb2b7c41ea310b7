package convert

import (
	"bytes"
	"slices"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
)

// spot is what stands at a place of the written draft.
type spot struct {
	at    diag.Range // of the input
	part  *part      // that it belongs to
	whole bool       // drop leaves out the part
	drop  func()     // leaves it out of the draft; nil if the draft would mean nothing without it
}

// settle reads the draft as any runfile is read, leaves out what is wrong with it and reports that at its place in the
// input, until the rest is right.
func (d *draft) settle(src diag.Sources) *Result {
	d.prune()
	d.follow()
	for _, c := range d.containers {
		plainDependencies(c)
	}
	d.diags = append(d.diags, d.prune()...)
	p, _, spots := d.examine()
	for i := range d.diags {
		if path := d.where[startOf(d.diags[i].Subject)]; path != "" {
			d.diags[i].Summary = path + ": " + d.diags[i].Summary
		}
	}
	r := &Result{Root: d.tree(), Project: p, Lost: d.lost, Sources: src, spots: spots}
	if len(d.containers) == 0 {
		r.Project = nil
		for i := range d.diags {
			d.diags[i].Severity = diag.Error
		}
	}
	d.diags.Sort()
	r.Diags = d.diags
	return r
}

// prune leaves out what is wrong until nothing is, and returns what is to be said about the rest.
func (d *draft) prune() diag.List {
	for { // each round leaves something out
		_, diags, spots := d.examine()
		again, rest := d.leaveOut(diags, spots)
		if !again {
			return rest
		}
	}
}

// examine writes the draft, reads it, and says what is wrong and what stands where.
func (d *draft) examine() (*schema.Project, diag.List, map[diag.Pos]spot) {
	if len(d.containers) == 0 {
		return nil, nil, nil
	}
	root := d.tree()
	var text bytes.Buffer
	if err := schema.WriteTree(&text, root, "yaml"); err != nil { // not UTF-8, which the readers refuse
		var l diag.List
		l.Errorf(CodeNotCarried, diag.Range{}, "%v", err)
		return nil, l, nil
	}
	doc, diags := manifest.Load(manifest.Options{
		Files: []string{"-"}, Stdin: bytes.NewReader(text.Bytes()), Dir: d.dir, Repeatable: schema.Repeatable,
	})
	p, more := schema.Decode(doc)
	references := slices.DeleteFunc(planner.Check(p, more), func(x diag.Diagnostic) bool { return x.Code == schema.CodeNotYet })
	diags = slices.Concat(diags, more, references, notYet(p))
	written, _ := manifest.ParseYAML("-", text.Bytes())
	spots := map[diag.Pos]spot{}
	d.mark(spots, written, root)
	return p, diags, spots
}

// refusedLater is the label of what is carried although runfile refuses to run it.
const refusedLater = "carried, but runfile up refuses it"

// notYet warns of what is carried although runfile refuses to run it.
func notYet(p *schema.Project) diag.List {
	var l diag.List
	for _, c := range p.Containers {
		l = append(l, schema.NotYet(c)...)
	}
	for _, v := range p.Volumes {
		l = append(l, schema.NotYetVolume(v)...)
	}
	for i := range l {
		l[i].Severity, l[i].Label = diag.Warning, refusedLater
	}
	return l
}

// mark says for each place of the written text which part of the draft stands there. What the text lacks, as the second
// of two equal keys, stands nowhere.
func (d *draft) mark(spots map[diag.Pos]spot, written, root *manifest.Node) {
	for _, e := range root.Entries {
		w := written.Entry(e.Key)
		if w == nil {
			continue
		}
		switch e.Key {
		case "vars":
			for _, v := range e.Value.Entries {
				both(spots, w.Value.Entry(v.Key), spot{at: v.KeyRange})
			}
		case "networks":
			d.markParts(spots, w.Value, &d.networks)
		case "volumes":
			d.markParts(spots, w.Value, &d.volumes)
		case "containers":
			d.markParts(spots, w.Value, &d.containers)
		case "project":
			both(spots, w, spot{at: e.Value.Range, drop: func() { d.project = nil }})
		default:
			both(spots, w, spot{at: e.Value.Range})
		}
	}
}

func both(spots map[diag.Pos]spot, w *manifest.Entry, s spot) {
	if w != nil {
		spots[w.Value.Range.Start] = s
		spots[w.KeyRange.Start] = s
	}
}

func (d *draft) markParts(spots map[diag.Pos]spot, written *manifest.Node, list *[]*part) {
	for _, p := range slices.Clone(*list) {
		w := written.Entry(p.key)
		if w == nil {
			continue
		}
		whole := spot{at: p.at, part: p, whole: true, drop: func() {
			*list = slices.DeleteFunc(*list, func(o *part) bool { return o == p })
		}}
		both(spots, w, whole)
		for _, e := range slices.Clone(p.entries) {
			s := spot{at: e.Value.Range, part: p, drop: func() { p.drop(e.Key) }}
			if e.Key == "image" || e.Key == "command" || e.Key == "entrypoint" {
				s.drop, s.whole = whole.drop, true // without it something else would run
			}
			both(spots, w.Value.Entry(e.Key), s)
			if o, known := schema.Lookup(e.Key); !known || o.Kind != schema.Words {
				markInside(spots, w.Value.Get(e.Key), e.Value, p, s.drop)
			}
		}
	}
}

// markInside marks the entries of a list or map; empty is called when none is left.
func markInside(spots map[diag.Pos]spot, written, n *manifest.Node, p *part, empty func()) {
	if written == nil {
		return
	}
	for i, item := range slices.Clone(n.Items[:min(len(n.Items), len(written.Items))]) {
		drop := func() {
			if n.Items = slices.DeleteFunc(n.Items, func(o *manifest.Node) bool { return o == item }); len(n.Items) == 0 {
				empty()
			}
		}
		spots[written.Items[i].Range.Start] = spot{at: item.Range, part: p, drop: drop}
		markInside(spots, written.Items[i], item, p, drop)
	}
	for _, e := range slices.Clone(n.Entries) {
		drop := func() {
			n.Entries = slices.DeleteFunc(n.Entries, func(o manifest.Entry) bool { return o.Key == e.Key })
			if len(n.Entries) == 0 {
				empty()
			}
		}
		both(spots, written.Entry(e.Key), spot{at: e.Value.Range, part: p, drop: drop})
		inside := drop
		if e.Value.Kind == manifest.Map {
			inside = func() {} // NAME: {} still means something
		}
		markInside(spots, written.Get(e.Key), e.Value, p, inside)
	}
}

// leaveOut reports errors and takes what they are about out of the draft; again says that there were any. The rest is
// what stays.
func (d *draft) leaveOut(diags diag.List, spots map[diag.Pos]spot) (again bool, rest diag.List) {
	gone := map[*part]bool{}
	for _, found := range diags {
		if s := nearest(found.Subject, spots); found.Severity == diag.Error && s.whole && !lacksValue(found) {
			gone[s.part] = true
		}
	}
	for _, found := range diags {
		if lacksValue(found) {
			continue
		}
		others := others(found, spots)
		s := locate(&found, spots)
		switch {
		case stays(&found):
			rest = append(rest, found)
		case s.drop == nil || found.Code == manifest.CodeLimit: // the sum is too much, not this part of it
			d.lost = true
			rest = append(rest, found)
		case d.apart && d.separate(found, append(others, s.part)):
			again = true
		default:
			again, d.lost = true, true
			d.takeOut(found, s, gone[s.part])
		}
	}
	return again, rest
}

// lacksValue reports whether a diagnostic is about a variable that is declared without a default. It stays, and has been
// reported where it is used first.
func lacksValue(found diag.Diagnostic) bool {
	return found.Code == manifest.CodeMissingVariable || found.Code == manifest.CodeUndefinedVariable
}

// stays reports whether a value is right as far as the input goes: files that it names may come later.
func stays(found *diag.Diagnostic) bool {
	if found.Code == schema.CodeBadFile || found.Code == schema.CodeEnvFileLine {
		found.Severity, found.Label = diag.Warning, "carried, and to be put right before runfile up"
	}
	return found.Severity == diag.Warning
}

// takeOut drops what is wrong. If the part that it belongs to goes as a whole, that is all that has to be said.
func (d *draft) takeOut(found diag.Diagnostic, s spot, partGoes bool) {
	if s.whole || !partGoes {
		d.leftOut(found)
	}
	if s.whole { // how it would have been carried does not matter any more
		d.diags = slices.DeleteFunc(d.diags, func(o diag.Diagnostic) bool { return o.Code == CodeChanged && o.Subject == s.part.at })
	}
	s.drop()
}

// leftOut reports once what is wrong with a value that is not carried.
func (d *draft) leftOut(found diag.Diagnostic) {
	if slices.ContainsFunc(d.diags, func(o diag.Diagnostic) bool {
		return o.Code == found.Code && o.Summary == found.Summary && o.Subject.Start.Line == found.Subject.Start.Line
	}) {
		return
	}
	found.Severity = diag.Warning
	if found.Label == "" {
		found.Label = "left out"
	}
	d.diags = append(d.diags, found)
}

// separate gives containers that cannot run at the same time a profile each. It is false where that does not help.
func (d *draft) separate(found diag.Diagnostic, parts []*part) bool {
	if found.Code != schema.CodeTwoTerminals && found.Code != schema.CodeDuplicatePort {
		return false
	}
	done := false
	for _, p := range parts {
		if p == nil || p.get("profiles") != nil {
			continue
		}
		done = true
		p.set("profiles", listNode([]*manifest.Node{textNode(p.key, p.at)}, p.at))
		d.change(p.at, "%s has a profile of its own, since it cannot run beside others: %s", p.key, found.Summary).
			WithHelp("run it: runfile up %s", p.key)
	}
	return done
}

// others are the parts that a diagnostic mentions besides its own.
func others(found diag.Diagnostic, spots map[diag.Pos]spot) []*part {
	var out []*part
	for _, r := range found.Related {
		out = append(out, nearest(r.Range, spots).part)
	}
	return out
}

// locate moves a diagnostic from the written draft to the input, and returns what it is about.
func locate(found *diag.Diagnostic, spots map[diag.Pos]spot) spot {
	s := nearest(found.Subject, spots)
	if found.Subject.File == "-" {
		found.Subject = s.at
	}
	for i := range found.Related {
		if r := &found.Related[i].Range; r.File == "-" {
			*r = nearest(*r, spots).at
		}
	}
	return s
}

// Locate moves diagnostics about what Write writes as yaml, read as standard input, to the places in the input.
func (r *Result) Locate(l diag.List) {
	for i := range l {
		locate(&l[i], r.spots)
	}
}

// nearest is what stands at the start of a range, or what it is a part of.
func nearest(at diag.Range, spots map[diag.Pos]spot) spot {
	if s, ok := spots[at.Start]; ok || at.File != "-" {
		return s
	}
	var best diag.Pos
	for pos := range spots {
		if before(pos, at.Start) && before(best, pos) {
			best = pos
		}
	}
	return spots[best]
}

func before(a, b diag.Pos) bool { return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column }
