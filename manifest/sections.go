package manifest

import (
	"regexp"
	"slices"
	"strings"

	"github.com/runfile/runfile/manifest/diag"
)

// part is a container or template before its inheritance is worked out.
type part struct {
	Entry
	defaults []*Node // of its own file first, then of the files that include it
}

// sections is what a file and its includes say together.
type sections struct {
	version    *Entry
	containers []part
	templates  []part
	// named are networks, volumes, secrets and policy, whose entries belong to one file each.
	named map[string]*Entry
	other []Entry // x-*, and keys unknown here, which the schema reports
}

// namedSections in the order in which Root has them.
var namedSections = []string{"networks", "volumes", "secrets", "policy"}

// sections expands a file and merges it with what it includes. stack holds the files from the main one down to f.
func (l *loader) sections(f *file, s *scope, stack []*file) *sections {
	own, include, defaults := l.ownSections(f, s)
	out := &sections{named: map[string]*Entry{}}
	for _, child := range l.includes(include, f, s, stack) {
		l.combine(out, child)
	}
	l.combine(out, own)
	if defaults != nil {
		for i := range out.containers {
			out.containers[i].defaults = append(out.containers[i].defaults, defaults)
		}
	}
	return out
}

// ownSections expands a file and sorts its top level; includes and defaults are for the caller.
func (l *loader) ownSections(f *file, s *scope) (own *sections, include, defaults *Node) {
	own = &sections{named: map[string]*Entry{}}
	single := l.singleForm(f)
	main := &Node{Kind: Map, Range: f.root.Range}
	for _, e := range f.root.Entries {
		if !strings.HasPrefix(e.Key, "x-") && !slices.Contains([]string{"vars", "vars-file", "project"}, e.Key) {
			l.expandTree(e.Value, f, s)
		}
		if single != nil && !isTopLevel(e.Key) {
			main.Entries = append(main.Entries, e)
			continue
		}
		switch e.Key {
		case "include":
			include = e.Value
		case "defaults":
			if l.isMap(e.Value, "`defaults`", "OPTION: value") {
				defaults = e.Value
			}
		default:
			l.ownSection(own, e)
		}
	}
	if single != nil {
		own.containers = append(own.containers, part{Entry: l.single(single, main)})
	}
	return own, include, defaults
}

// ownSection puts one entry of a file's top level where it belongs.
func (l *loader) ownSection(own *sections, e Entry) {
	switch e.Key {
	case "version":
		own.version = &e
	case "containers":
		own.containers = l.parts(e.Value, "container")
	case "templates":
		own.templates = l.parts(e.Value, "template")
	case "networks", "volumes", "secrets", "policy":
		form := "NAME: {...}"
		if e.Key == "policy" {
			form = "KEY: value"
		}
		if l.isMap(e.Value, "`"+e.Key+"`", form) {
			own.named[e.Key] = &e
		}
	case "image": // of the mixed form, which singleForm has reported
	case "vars", "vars-file", "project": // read before
	default:
		own.other = append(own.other, e)
	}
}

// singleForm returns the image at the top of a file that is one container, nil for any other file.
func (l *loader) singleForm(f *file) *Entry {
	image, containers := f.root.Entry("image"), f.root.Entry("containers")
	if image == nil || containers == nil {
		return image
	}
	l.diags.Errorf(CodeMixedForm, image.KeyRange, "an image at the top makes the file one container, but it has a `containers` section").
		Also(containers.KeyRange, "this section").
		WithHelp("move the options at the top into an entry of `containers`")
	return nil
}

// single makes a file with an image at the top the container `main`, or its name.
func (l *loader) single(image *Entry, main *Node) Entry {
	e := Entry{Key: "main", KeyRange: image.KeyRange, Value: main}
	if name := main.Get("name"); name != nil && name.Kind == Scalar && name.Text != "" {
		e.Key, e.KeyRange = name.Text, name.Range
	}
	return e
}

// parts reads the entries of `containers` or `templates`.
func (l *loader) parts(section *Node, what string) []part {
	if !l.isMap(section, "`"+what+"s`", "NAME: {image: ...}") {
		return nil
	}
	nameless := section.Entry("image") != nil && section.Get("image").Kind == Scalar
	var out []part
	var open *Entry // the container above, if it is empty
	for _, e := range section.Entries {
		switch {
		case e.Value.Kind == Null:
			e.Value = &Node{Kind: Map, Range: e.KeyRange}
			out = append(out, part{Entry: e})
			open, nameless = &e, false
		case open != nil && l.beside(open, e, what):
			open.Value.Entries = append(open.Value.Entries, e)
		case nameless && e.Value.Kind != Map:
			if e.Key == "image" {
				l.noName(e, what)
			}
		case l.isMap(e.Value, "a "+what, partForm(e, what)):
			out, open = append(out, part{Entry: e}), nil
		}
	}
	return out
}

// combine adds what another file says to into; the same name twice is an error.
func (l *loader) combine(into, from *sections) {
	if into.version == nil {
		into.version = from.version
	} else if from.version != nil && from.version.Value.Text != into.version.Value.Text {
		l.clash("version", *from.version, *into.version)
	}
	into.containers = l.combineParts("container", into.containers, from.containers)
	into.templates = l.combineParts("template", into.templates, from.templates)
	for _, key := range namedSections {
		a, b := into.named[key], from.named[key]
		if a == nil || b == nil {
			if b != nil {
				into.named[key] = b
			}
			continue
		}
		keys := keySet{}
		keys.missing(a.Value.Entries)
		merged := &Node{Kind: Map, Range: a.Value.Range, Entries: slices.Clone(a.Value.Entries)}
		for _, e := range b.Value.Entries {
			if first, found := keys[e.Key]; found {
				l.clash(strings.TrimSuffix(key, "s"), e, first)
				continue
			}
			merged.Entries = append(merged.Entries, e)
		}
		into.named[key] = &Entry{Key: key, KeyRange: a.KeyRange, Value: merged}
	}
	keys := keySet{}
	keys.missing(into.other)
	into.other = append(into.other, keys.missing(from.other)...)
}

func (l *loader) combineParts(what string, into, from []part) []part {
	keys := keySet{}
	for _, p := range into {
		keys[p.Key] = p.Entry
	}
	for _, p := range from {
		if first, found := keys[p.Key]; found {
			l.clash(what, p.Entry, first)
			continue
		}
		into = append(into, p)
	}
	return into
}

func (l *loader) clash(what string, e, first Entry) {
	l.diags.Errorf(CodeIncludeClash, e.KeyRange, "the %s %q is defined in two files", what, e.Key).
		Also(first.KeyRange, "first here").
		WithHelp("rename one, or include the file with `as: PREFIX`")
}

// overlay lays a later -f file over the earlier ones.
func (l *loader) overlay(into, from *sections) {
	m := &merger{repeatable: l.o.Repeatable}
	if from.version != nil {
		into.version = from.version
	}
	into.containers = overlayParts(m, into.containers, from.containers)
	into.templates = overlayParts(m, into.templates, from.templates)
	for _, key := range namedSections {
		a, b := into.named[key], from.named[key]
		switch {
		case b == nil:
		case a == nil:
			into.named[key] = b
		default:
			into.named[key] = &Entry{Key: key, KeyRange: a.KeyRange, Value: m.merge(a.Value, b.Value)}
		}
	}
	for _, e := range from.other {
		if i := slices.IndexFunc(into.other, func(o Entry) bool { return o.Key == e.Key }); i >= 0 {
			into.other[i] = e
			continue
		}
		into.other = append(into.other, e)
	}
}

func overlayParts(m *merger, into, from []part) []part {
	index := map[string]int{}
	for i, p := range into {
		index[p.Key] = i
	}
	for _, p := range from {
		i, there := index[p.Key]
		if !there {
			into = append(into, p)
			continue
		}
		into[i].Value = m.merge(into[i].Value, p.Value)
		into[i].defaults = append(slices.Clone(p.defaults), into[i].defaults...)
	}
	return into
}

// finish works inheritance out and puts Root together.
func (l *loader) finish(all *sections) {
	root := l.doc.Root
	add := func(e *Entry) {
		if e != nil {
			root.Entries = append(root.Entries, *e)
		}
	}
	add(all.version)
	add(l.projectEntry)
	if containers := l.inherit(all); len(containers) > 0 {
		section := &Node{Kind: Map, Range: containers[0].KeyRange, Entries: containers}
		add(&Entry{Key: "containers", KeyRange: containers[0].KeyRange, Value: section})
	}
	for _, key := range namedSections {
		add(all.named[key])
	}
	root.Entries = append(root.Entries, all.other...)
}

var (
	projectForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)
	notProject  = regexp.MustCompile(`[^a-z0-9_-]+`)
)

// resolveProject settles the project's name: the option, else `project` of the last file that has it, else the
// directory's name.
func (l *loader) resolveProject(files []*file, s *scope) {
	for _, f := range files {
		e := f.root.Entry("project")
		if e == nil {
			continue
		}
		l.projectEntry = e
		if e.Value.Kind != Scalar {
			l.diags.Errorf(CodeWrongShape, e.Value.Range, "`project` is one word, this is %s", e.Value.kindName())
			continue
		}
		text, ok := l.expandText(e.Value, f, s)
		switch {
		case !ok:
		case !projectForm.MatchString(text):
			l.badProject(e.Value.Range, text)
		default:
			l.project.text = text
		}
		e.Value.Text, e.Value.Type = text, String
	}
	if name := l.o.ProjectName; name != "" {
		l.project.text = name
		if !projectForm.MatchString(name) {
			l.badProject(diag.Range{File: commandLine}, name)
		}
	}
	if l.project.text == "" {
		l.project.text = projectOf(l.doc.Dir)
	}
	l.project.known = true
	l.doc.Name = l.project.text
}

func (l *loader) badProject(at diag.Range, name string) {
	d := l.diags.Errorf(CodeBadProjectName, at, "%s cannot name a project", quoted(name))
	if better := validProject(name); better != "" {
		d.WithHelp("write %q: lower-case letters, digits, - and _ are allowed", better)
	} else {
		d.WithHelp("use lower-case letters, digits, - and _, with a letter or digit first")
	}
}

func validProject(name string) string {
	return strings.Trim(notProject.ReplaceAllString(strings.ToLower(name), "-"), "-_")
}

// projectOf makes a project name of a directory's base name.
func projectOf(dir string) string {
	base := dir[strings.LastIndexAny(dir, `/\`)+1:]
	if name := validProject(base); name != "" {
		return name
	}
	return "runfile"
}
