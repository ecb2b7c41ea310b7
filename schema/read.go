package schema

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema/value"
)

// decoder collects what is wrong while a document becomes a project. Reading goes on after every mistake.
type decoder struct {
	diags diag.List
	who   string // what the keys belong to, for messages: container "web"
	dir   string // what relative paths of nodes without a file count from
	env   func(string) (string, bool)
	// mistaken are the options that the container gives under a wrong name: they do not count as missing.
	mistaken []string
}

// scalar returns the text of a single value.
func (d *decoder) scalar(o *Option, n *manifest.Node, falseWord string) (string, bool) {
	switch {
	case n.Kind == manifest.Null:
		d.noValue(o, n.Range)
	case n.Kind != manifest.Scalar:
		diagnostic := d.wrongType(o, n, "one value")
		if n.Kind == manifest.List && len(n.Items) == 1 && n.Items[0].Kind == manifest.Scalar {
			text, _ := spellingAt(n.Range).value(n.Items[0])
			if o.Kind == Scalar {
				text = spellingAt(n.Range).pair(o.Name, text)
			}
			diagnostic.Help = []string{"write " + text}
		}
	case n.Type == manifest.Bool && strings.EqualFold(n.Text, "false") && falseWord != "":
		return falseWord, true
	case n.Type == manifest.Bool:
		d.wrongType(o, n, "text").WithHelp("quote it if you mean the word: %s", spellingAt(n.Range).pair(o.Name, quoted(n.Text)))
	default:
		return n.Text, true
	}
	return "", false
}

// toggle reads a switch: an unquoted true or false, or a variable that stands for one.
func (d *decoder) toggle(o *Option, n *manifest.Node) (v, ok bool) {
	if n.Kind == manifest.Null {
		d.noValue(o, n.Range)
		return false, false
	}
	word := strings.ToLower(n.Text) // YAML takes True and TRUE, too
	boolean := n.Kind == manifest.Scalar && (n.Type == manifest.Bool || n.Expanded)
	if n.Expanded && word == "" {
		return false, false
	}
	if boolean && (word == "true" || word == "false") {
		return word == "true", true
	}
	diagnostic := d.wrongType(o, n, "true or false")
	if meant := switchWords[word]; meant != "" && n.Kind == manifest.Scalar {
		diagnostic.Help = []string{"write " + spellingAt(n.Range).pair(o.Name, meant)}
	}
	return false, false
}

// readOne reads the value of an option that is given once; ok is false for an error and for empty text, which is the
// same as leaving the option out.
func readOne[T any](d *decoder, o *Option, n *manifest.Node, p value.Parser[T]) (v T, ok bool) {
	switch {
	case n.Broken && n.Kind == manifest.Scalar: // reported by the loader
		return v, false
	case n.Kind == manifest.Map && p.Fields != nil:
		return readFields(d, o, n, p)
	}
	if p.Schema == nil && n.Kind != manifest.Null { // a map is the only form
		_, err := p.Parse(n.Text)
		d.noMap(o, n, err)
		return v, false
	}
	if p.False != "" && n.Kind == manifest.Scalar && n.Type == manifest.Bool && !strings.EqualFold(n.Text, "false") {
		d.wrongType(o, n, "one of "+strings.Join(p.Words, ", "))
		return v, false
	}
	text, ok := d.scalar(o, n, p.False)
	if !ok || text == "" {
		return v, false
	}
	v, err := p.Parse(text)
	if err != nil {
		d.bad(o, n, err)
		return v, false
	}
	return v, true
}

// noMap reports a value that must be a map; err is what the option's parser says of the text.
func (d *decoder) noMap(o *Option, n *manifest.Node, err error) {
	diagnostic := d.wrongType(o, n, "a map")
	var e *value.Error
	if n.Kind == manifest.Scalar && errors.As(err, &e) && e.Fix != "" {
		diagnostic.Help = []string{e.Fix}
	}
}

// readItems reads a list, or one bare value as a list of one.
func readItems[T any](d *decoder, o *Option, n *manifest.Node, p value.Parser[T], form mapForm) Items[T] {
	nodes := n.Items
	switch n.Kind {
	case manifest.Null:
		d.noValue(o, n.Range)
		return nil
	case manifest.Scalar, manifest.Map:
		if slipOfText(d, o, n, p) {
			return nil
		}
		nodes = []*manifest.Node{n}
	case manifest.List:
	}
	var out Items[T]
	for i := 0; i < len(nodes); i++ {
		item := nodes[i]
		if more := slipOfCommas(d, o, nodes[i:], p); more > 0 {
			i += more
			continue
		}
		if n.Kind == manifest.List && item.Kind == manifest.Scalar && item.Text == "" {
			d.bad(o, item, &value.Error{Problem: "an entry is empty"})
			continue
		}
		if n.Kind == manifest.List && slipOfItem(d, o, item, p, form) {
			continue
		}
		if v, ok := readOne(d, o, item, p); ok {
			out = append(out, Item[T]{Value: v, At: item.Range})
		}
	}
	return out
}

// readMap reads a map from the first part of each value to the rest.
func readMap[T any](d *decoder, o *Option, n *manifest.Node, p value.Parser[T], form mapForm) Items[T] {
	var out Items[T]
	for _, e := range n.Entries {
		nodes := []*manifest.Node{e.Value}
		if e.Value.Kind == manifest.List && form.many {
			nodes = e.Value.Items
		}
		for _, item := range nodes {
			if v, ok := readMapEntry(d, o, e, item, p, form); ok {
				out = append(out, Item[T]{Value: v, At: span(e.KeyRange, item.Range)})
			}
		}
	}
	return out
}

func readMapEntry[T any](d *decoder, o *Option, e manifest.Entry, n *manifest.Node, p value.Parser[T], form mapForm,
) (v T, ok bool) {
	var err error
	switch {
	case n.Kind == manifest.Null && form.null:
		v, err = p.Parse(e.Key)
	case n.Kind == manifest.Null:
		d.noValue(o, e.KeyRange)
		return v, false
	case n.Kind == manifest.Scalar && form.sep != "" && (n.Type != manifest.Bool || form.boolean):
		if form.sep == "=" && strings.Contains(e.Key, "=") {
			d.bad(o, &manifest.Node{Range: e.KeyRange}, &value.Error{Problem: fmt.Sprintf("the name %q holds an equals sign", e.Key)})
			return v, false
		}
		v, err = p.Parse(e.Key + form.sep + n.Text)
	case n.Kind == manifest.Map && form.name != "":
		return readFields(d, o, n, p, value.Field{Name: form.name, Text: e.Key})
	default:
		d.wrongEntry(o, e, n, form)
		return v, false
	}
	if err != nil {
		d.bad(o, &manifest.Node{Range: span(e.KeyRange, n.Range)}, err)
		return v, false
	}
	return v, true
}

// wrongEntry reports an entry of a map whose value has the wrong shape.
func (d *decoder) wrongEntry(o *Option, e manifest.Entry, n *manifest.Node, form mapForm) {
	want := "text"
	if form.name != "" {
		want = "a map"
	}
	diagnostic := d.wrongType(o, n, want+" for "+e.Key)
	s := spellingAt(n.Range)
	if o.Name == "depends-on" && n.Kind == manifest.Scalar {
		condition := &manifest.Node{Kind: manifest.Map, Entries: []manifest.Entry{{Key: "condition", Value: n}}}
		whole := &manifest.Node{Kind: manifest.Map, Entries: []manifest.Entry{{Key: e.Key, Value: condition}}}
		diagnostic.Help = []string{"write " + s.line(o.Name, whole)}
	}
	if name, inner := dottedName(e); s == spelledTOML && name != "" && form.sep == "=" {
		diagnostic.Help = []string{"a dot makes a map of it; quote the name: " + s.quotedPair(name, inner)}
	}
}

// readFields reads the map form of a single value.
func readFields[T any](d *decoder, o *Option, n *manifest.Node, p value.Parser[T], extra ...value.Field) (v T, ok bool) {
	fields, ok := fieldsOf(d, o, n)
	if !ok {
		return v, false
	}
	fields = append(extra, fields...)
	var reported bool
	for range maxUnknownFields {
		v, err := p.Fields(fields)
		var e *value.Error
		unknown := errors.As(err, &e) && e.UnknownField
		for _, f := range extra { // known, and not for the map to say
			if unknown {
				e.Words = slices.DeleteFunc(slices.Clone(e.Words), func(w string) bool { return w == f.Name })
			}
		}
		switch {
		case err == nil:
			return v, !reported
		case !reported || unknown || e != nil && n.Entry(e.Field) != nil: // else it is missing for the reason reported
			d.bad(o, n, err)
		}
		if !unknown {
			return v, false
		}
		reported = true
		fields = withoutField(fields, e)
	}
	return v, false
}

// fieldsOf lists the keys of a map and their values. It is false after a mistake, and where a value is missing that has been
// reported.
func fieldsOf(d *decoder, o *Option, n *manifest.Node) (fields []value.Field, ok bool) {
	for _, e := range n.Entries {
		if e.Value.Broken || slices.ContainsFunc(e.Value.Items, func(item *manifest.Node) bool { return item.Broken }) {
			return nil, false
		}
		switch e.Value.Kind {
		case manifest.Null:
			fields = append(fields, value.Field{Name: e.Key, Null: true})
		case manifest.Scalar:
			fields = append(fields, value.Field{Name: e.Key, Text: e.Value.Text})
		case manifest.List:
			for _, item := range e.Value.Items {
				if item.Kind != manifest.Scalar {
					d.wrongType(o, item, "text")
					return nil, false
				}
				fields = append(fields, value.Field{Name: e.Key, Text: item.Text, InList: true})
			}
		case manifest.Map:
			diagnostic := d.wrongType(o, e.Value, "text for "+e.Key)
			if o.Name == "network" { // compose's map of networks
				diagnostic.Help = []string{advice["networks"]}
			}
			return nil, false
		}
	}
	return fields, true
}

// maxUnknownFields bounds how many unknown keys of one map are reported.
const maxUnknownFields = 20

// withoutField drops a key that is not known, or gives it the name that was meant, so that the others can be checked.
func withoutField(fields []value.Field, e *value.Error) []value.Field {
	meant := e.Meant
	var out []value.Field
	for _, f := range fields {
		switch {
		case f.Name != e.Field:
		case meant == "" || slices.ContainsFunc(fields, func(g value.Field) bool { return g.Name == meant }):
			continue
		default:
			f.Name = meant
		}
		out = append(out, f)
	}
	return out
}

// readWords reads text, or a list of texts.
func readWords(d *decoder, o *Option, n *manifest.Node) (words []string, isList, ok bool) {
	switch {
	case n.Kind == manifest.Null:
		d.noValue(o, n.Range)
		return nil, false, false
	case n.Kind == manifest.Map:
		d.wrongType(o, n, "text or a list")
		return nil, false, false
	case n.Kind == manifest.Scalar:
		text, ok := d.scalar(o, n, "")
		return []string{text}, false, ok && d.withoutNUL(o, n)
	case len(n.Items) == 0:
		d.bad(o, n, &value.Error{Problem: "the list is empty", Fix: "remove the key"})
		return nil, true, false
	}
	ok = true
	for _, item := range n.Items {
		// An argument may be `true` without quotes, as on a command line; null and lists are slips.
		if item.Kind != manifest.Scalar {
			d.wrongType(o, item, "text")
			ok = false
			continue
		}
		ok = d.withoutNUL(o, item) && ok
		words = append(words, item.Text)
	}
	return words, true, ok
}

// withoutNUL reports a byte that no argument of a program can hold.
func (d *decoder) withoutNUL(o *Option, n *manifest.Node) bool {
	if !strings.ContainsRune(n.Text, 0) {
		return true
	}
	d.bad(o, n, &value.Error{Problem: fmt.Sprintf("%q holds a NUL byte", n.Text)})
	return false
}

// span covers a key and its value if they stand on one line, else the key alone.
func span(key, val diag.Range) diag.Range {
	if key.File == val.File && key.Start.Line == val.End.Line && val.End.Column > key.Start.Column {
		key.End = val.End
	}
	return key
}

// wrongType reports a value of the wrong shape.
func (d *decoder) wrongType(o *Option, n *manifest.Node, want string) *diag.Diagnostic {
	if n.Broken {
		return new(diag.Diagnostic) // reported by the loader
	}
	return d.diags.Errorf(CodeWrongType, n.Range, "%s, %s: this is %s, not %s", d.who, o.Name, shape(n), want).
		WithHelp("for example: %s", spellingAt(n.Range).example(o))
}

func (d *decoder) noValue(o *Option, at diag.Range) {
	d.diags.Errorf(CodeNoValue, at, "%s: %s has no value", d.who, o.Name).
		WithHelp("give it one, or remove the key; for example: %s", spellingAt(at).example(o))
}

// shape names what a node is, in words for people.
func shape(n *manifest.Node) string {
	switch n.Kind {
	case manifest.Null:
		return "nothing"
	case manifest.List:
		return "a list"
	case manifest.Map:
		return "a map"
	case manifest.Scalar:
	}
	switch n.Type {
	case manifest.Bool:
		return n.Text
	case manifest.Int, manifest.Float:
		return "the number " + n.Text
	case manifest.String:
	}
	return fmt.Sprintf("the text %q", n.Text)
}

// bad reports a value that breaks its syntax, at the exact place of the map form's key if it is one.
func (d *decoder) bad(o *Option, n *manifest.Node, err error) {
	if n.Broken {
		return // reported by the loader
	}
	at, code := n.Range, CodeBadValue
	var e *value.Error
	if errors.As(err, &e) {
		if entry := n.Entry(e.Field); entry != nil && e.Field != "" {
			at = entry.KeyRange
			if !e.UnknownField && !e.NotYet && entry.Value.Kind != manifest.Null {
				at = entry.Value.Range
			}
		}
		switch {
		case e.NotYet:
			code = CodeNotYet
		case e.UnknownField:
			code = CodeUnknownKey
		}
	}
	diagnostic := d.diags.Errorf(code, at, "%s, %s: %s", d.who, o.Name, err)
	if help := dollarHelp(n.Text); help != "" && o.Kind != Words {
		diagnostic.WithHelp("%s", help)
		return
	}
	advise(diagnostic, o, err)
}

// advise adds the help of a value error: its own fix, else the nearest word, else all words if they are few, else the
// option's example.
func advise(diagnostic *diag.Diagnostic, o *Option, err error) {
	var e *value.Error
	if !errors.As(err, &e) {
		return
	}
	if e.Fix != "" {
		diagnostic.WithHelp("%s", e.Fix)
	}
	if e.Windows {
		diagnostic.WithHelp("for a Windows container add %s", assign(diagnostic.Subject, "platform", "windows/amd64"))
	}
	if len(e.Words) > 0 {
		if near, ok := diag.Nearest(e.Got, e.Words); ok {
			diagnostic.WithHelp("did you mean %q?", near)
			return
		}
		if word, ok := onlyBeginning(e.Got, e.Words); ok {
			diagnostic.WithHelp("did you mean %q?", word)
			return
		}
		if len(e.Words) <= 8 {
			diagnostic.WithHelp("accepted: %s", strings.Join(e.Words, ", "))
			return
		}
	}
	if e.Fix == "" && !e.NotYet && o != nil {
		diagnostic.WithHelp("for example: %s", spellingAt(diagnostic.Subject).example(o))
	}
}

// onlyBeginning finds the only word that begins with what was written.
func onlyBeginning(text string, words []string) (string, bool) {
	found := ""
	for _, w := range words {
		switch {
		case text == "" || !strings.HasPrefix(w, text):
		case found != "":
			return "", false
		default:
			found = w
		}
	}
	return found, found != ""
}
