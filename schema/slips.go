package schema

import (
	"errors"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/schema/value"
)

// The functions of this file know values of the right words in the wrong shape, and say how to write them.

// slipOfItem reports an item `NAME: VALUE` of a list that is neither a value's map form nor meant to be one.
func slipOfItem[T any](d *decoder, o *Option, item *manifest.Node, p value.Parser[T], form mapForm) bool {
	if item.Kind != manifest.Map || len(item.Entries) != 1 && (form.sep == "" || p.Fields != nil) {
		return false
	}
	if isMapForm(o, item, p) {
		return false
	}
	if len(item.Entries) > 1 {
		d.wrongType(o, item, "one value").Help = []string{"write a map instead of the list: " + spellingAt(item.Range).line(o.Name, item)}
		return true
	}
	e := item.Entries[0]
	if e.Value.Kind == manifest.Null {
		return slipOfColon(d, o, item, p, form)
	}
	s := spellingAt(item.Range)
	if form.name != "" && e.Value.Kind == manifest.Map {
		if _, ok := readMapEntry(&decoder{}, o, e, e.Value, p, form); !ok {
			return false
		}
		whole := &manifest.Node{Kind: manifest.Map, Entries: item.Entries}
		d.wrongType(o, item, "an entry of a list").Help = []string{"write a map instead of the list: " + s.line(o.Name, whole)}
		return true
	}
	sep := form.sep
	if sep == "" {
		sep = ":"
	}
	if strings.Contains(e.Key, sep) && sep == "=" {
		sep = ": " // the value holds a colon and a blank
	}
	if _, err := p.Parse(e.Key + sep + e.Value.Text); err != nil || e.Value.Kind != manifest.Scalar {
		return false
	}
	d.wrongType(o, item, "one value").Help = []string{"write " + s.text(e.Key+sep+e.Value.Text)}
	return true
}

// isMapForm reports whether a map is right as a value.
func isMapForm[T any](o *Option, n *manifest.Node, p value.Parser[T]) bool {
	if p.Fields == nil {
		return false
	}
	_, ok := readFields(&decoder{}, o, n, p)
	return ok
}

// slipOfColon reports an item that ends with a colon, which makes a key of it: - c:\foo:d:
func slipOfColon[T any](d *decoder, o *Option, item *manifest.Node, p value.Parser[T], form mapForm) bool {
	s, key := spellingAt(item.Range), item.Entries[0].Key
	texts := []string{key + ":", key}
	if form.sep == "=" {
		texts = texts[1:] // a colon would belong to the name
	}
	for _, text := range texts {
		_, err := p.Parse(text)
		var e *value.Error
		switch {
		case err == nil:
			d.wrongType(o, item, "one value").Help = []string{"write " + s.text(text)}
			return true
		case errors.As(err, &e) && e.Windows:
			d.bad(o, item, err)
			return true
		}
	}
	return false
}

// withCommas are the lists whose values have parts between commas.
var withCommas = []string{"volume", "mount", "tmpfs", "network"}

// slipOfCommas reports a value with commas that stands without quotes in brackets, where each of its commas ends an item:
// [./src:/src:ro,z]. It returns how many of the items behind the first belong to the value.
func slipOfCommas[T any](d *decoder, o *Option, items []*manifest.Node, p value.Parser[T]) int {
	if len(items) < 2 || !slices.Contains(withCommas, o.Name) || !adjacent(items[0], items[1]) {
		return 0
	}
	whole, bad := "", false
	for i, item := range items[:min(len(items), maxCommas)] {
		if !unquoted(item) || i > 0 && !adjacent(items[i-1], item) {
			return 0
		}
		_, err := p.Parse(item.Text)
		bad = bad || err != nil
		whole += strings.Repeat(",", min(i, 1)) + item.Text
		if i == 0 || !bad {
			continue
		}
		if _, err := p.Parse(whole); err == nil {
			d.diags.Errorf(CodeBadValue, span(items[0].Range, item.Range), "%s, %s: inside [ ] each comma ends an item", d.who, o.Name).
				WithHelp("quote the value: %s", quoted(whole))
			return i
		}
	}
	return 0
}

// slipOfText reports several values in one text, as in cap-add: NET_ADMIN, SYS_TIME.
func slipOfText[T any](d *decoder, o *Option, n *manifest.Node, p value.Parser[T]) bool {
	if n.Kind != manifest.Scalar || n.Broken || !strings.ContainsAny(n.Text, ", ") {
		return false
	}
	if _, err := p.Parse(n.Text); err == nil {
		return false
	}
	list := &manifest.Node{Kind: manifest.List}
	for _, part := range strings.FieldsFunc(n.Text, func(r rune) bool { return r == ',' || r == ' ' }) {
		if _, err := p.Parse(part); err != nil {
			return false
		}
		list.Items = append(list.Items, &manifest.Node{Kind: manifest.Scalar, Text: part})
	}
	if len(list.Items) < 2 {
		return false
	}
	d.diags.Errorf(CodeBadValue, n.Range, "%s, %s: these are several values in one text", d.who, o.Name).
		WithHelp("write %s", spellingAt(n.Range).line(o.Name, list))
	return true
}

// maxCommas is how many parts a value is put together from at most.
const maxCommas = 10

// unquoted reports whether a single value stands in the file as it is.
func unquoted(n *manifest.Node) bool {
	return n.Kind == manifest.Scalar && n.Range.End.Column-n.Range.Start.Column == utf8.RuneCountInString(n.Text)
}

// adjacent reports whether only a comma, and perhaps a blank, is between two items.
func adjacent(a, b *manifest.Node) bool {
	return a.Range.End.Line == b.Range.Start.Line && b.Range.Start.Column-a.Range.End.Column <= 2
}

// slipOfMap reports a map where an option takes a list of texts.
func slipOfMap[T any](d *decoder, o *Option, n *manifest.Node, p value.Parser[T]) bool {
	if isMapForm(o, n, p) {
		return false
	}
	list := &manifest.Node{Kind: manifest.List}
	for _, e := range n.Entries {
		text := e.Key
		switch {
		case e.Value.Kind == manifest.Scalar && e.Value.Type == manifest.Bool && strings.EqualFold(e.Value.Text, "true"):
		case e.Value.Kind == manifest.Scalar:
			text += ":" + e.Value.Text
		case e.Value.Kind != manifest.Null:
			text = ""
		}
		if _, err := p.Parse(text); err != nil {
			list = nil
			break
		}
		list.Items = append(list.Items, &manifest.Node{Kind: manifest.Scalar, Text: text})
	}
	if list == nil && p.Fields != nil {
		return false
	}
	diagnostic := d.wrongType(o, n, "a list")
	if list != nil && len(list.Items) > 0 {
		diagnostic.Help = []string{"write " + spellingAt(n.Range).line(o.Name, list)}
	}
	return true
}

// dottedName is the name that was meant by com.example.team = "x" in TOML, where dots make maps.
func dottedName(e manifest.Entry) (string, *manifest.Node) {
	name, n := e.Key, e.Value
	for n.Kind == manifest.Map && len(n.Entries) == 1 {
		name, n = name+"."+n.Entries[0].Key, n.Entries[0].Value
	}
	if n.Kind != manifest.Scalar || name == e.Key {
		return "", nil
	}
	return name, n
}

var shells = []string{"sh", "ash", "bash", "dash", "zsh", "busybox", "env"}

// shellVariable warns of $NAME in a command that no shell will see.
func (d *decoder) shellVariable(o *Option, n *manifest.Node) {
	if o.Name != "command" || n.Expanded {
		return
	}
	program, _, _ := strings.Cut(strings.TrimSpace(n.Text), " ")
	m := dollarName().FindStringSubmatchIndex(n.Text)
	if m == nil || slices.Contains(shells, path.Base(program)) || strings.Count(n.Text[:m[2]], "'")%2 == 1 {
		return
	}
	s := spellingAt(n.Range)
	list := &manifest.Node{Kind: manifest.List, Items: []*manifest.Node{
		{Kind: manifest.Scalar, Text: "sh"}, {Kind: manifest.Scalar, Text: "-c"}, {Kind: manifest.Scalar, Text: n.Text},
	}}
	d.diags.Warnf(CodeOddValue, n.Range, "%s, command: the program gets $%s as it stands, since no shell replaces it", d.who, n.Text[m[2]:m[3]]).
		WithHelp("write %s, or ${env.%s} for the value that runfile has", s.line(o.Name, list), n.Text[m[2]:m[3]])
}
