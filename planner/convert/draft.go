package convert

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema"
)

// draft is a runfile that is being put together. Its texts are those of a runfile: ${NAME} is a variable, $${ is not.
type draft struct {
	dir        string // absolute; what relative paths count from
	project    *manifest.Node
	varsFile   *manifest.Node
	vars       []*variable
	networks   []*part
	volumes    []*part
	containers []*part

	diags diag.List
	lost  bool
	apart bool                // the containers have nothing to do with each other
	steps []step              // of a script, in its order
	where map[inputPos]string // what stands at a place of the input, for messages: services.web.ports[0]
}

// inputPos is where a value of the input starts.
type inputPos struct {
	file string
	pos  diag.Pos
}

func startOf(r diag.Range) inputPos { return inputPos{r.File, r.Start} }

// part is a container, or an entry of networks or volumes.
type part struct {
	key     string
	at      diag.Range
	entries []manifest.Entry
}

// variable is an entry of vars.
type variable struct {
	name     string
	value    string // default
	without  bool   // has no default
	required bool
	help     string
	at       diag.Range  // where it is set, or used first
	used     bool        // by a container, directly or through others
	uses     []*variable // of which its value is made
	note     diag.List   // to be reported once it is used
}

func textNode(s string, at diag.Range) *manifest.Node {
	return &manifest.Node{Kind: manifest.Scalar, Text: s, Range: at}
}

func boolNode(on bool, at diag.Range) *manifest.Node {
	return &manifest.Node{Kind: manifest.Scalar, Type: manifest.Bool, Text: strconv.FormatBool(on), Range: at}
}

func listNode(items []*manifest.Node, at diag.Range) *manifest.Node {
	return &manifest.Node{Kind: manifest.List, Items: items, Range: at}
}

func mapNode(at diag.Range, entries ...manifest.Entry) *manifest.Node {
	return &manifest.Node{Kind: manifest.Map, Entries: entries, Range: at}
}

func entry(key string, value *manifest.Node) manifest.Entry {
	return manifest.Entry{Key: key, KeyRange: value.Range, Value: value}
}

// lose reports a part of the input that is not in the runfile.
func (d *draft) lose(at diag.Range, format string, args ...any) *diag.Diagnostic {
	d.lost = true
	for _, o := range d.diags {
		if o.Code == CodeNotCarried && o.Subject == at {
			return &diag.Diagnostic{} // two services have it from the same lines
		}
	}
	return d.diags.Warnf(CodeNotCarried, at, format, args...)
}

// change reports a part of the input that the runfile says in another way.
func (d *draft) change(at diag.Range, format string, args ...any) *diag.Diagnostic {
	return d.diags.Warnf(CodeChanged, at, format, args...)
}

func (d *draft) container(key string) *part {
	return find(d.containers, key)
}

func find(list []*part, key string) *part {
	if i := slices.IndexFunc(list, func(p *part) bool { return p.key == key }); i >= 0 {
		return list[i]
	}
	return nil
}

// addContainer makes a container with a key of its own.
func (d *draft) addContainer(key string, at diag.Range) *part {
	key = unique(keyOf(key), "-", func(s string) bool { return d.container(s) != nil })
	c := &part{key: key, at: at}
	d.containers = append(d.containers, c)
	return c
}

var notKey = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[^a-zA-Z0-9_.-]+`) })

// keyOf makes a container's key of any text.
func keyOf(s string) string {
	s = strings.TrimLeft(notKey().ReplaceAllString(s, "-"), "-._")
	if s = strings.TrimRight(s, "-"); s == "" {
		return "main"
	}
	return s
}

// imageKey is the last part of an image's name: nginx of docker.io/library/nginx:1.27@sha256:...
func imageKey(image string) string {
	image, _, _ = strings.Cut(image, "@")
	image = image[strings.LastIndex(image, "/")+1:]
	image, _, _ = strings.Cut(image, ":")
	if len(image) == 1 {
		return image + "-1" // it can become a name, which has two letters at least
	}
	return image
}

// get returns the value of an option, or nil.
func (p *part) get(option string) *manifest.Node {
	for i := range p.entries {
		if p.entries[i].Key == option {
			return p.entries[i].Value
		}
	}
	return nil
}

// set gives an option its value, in place of the one it has.
func (p *part) set(option string, value *manifest.Node) {
	p.drop(option)
	p.entries = append(p.entries, entry(option, value))
}

func (p *part) drop(option string) {
	p.entries = slices.DeleteFunc(p.entries, func(e manifest.Entry) bool { return e.Key == option })
}

// add adds a value to an option that takes several.
func (p *part) add(option string, value *manifest.Node) {
	if list := p.get(option); list != nil {
		list.Items = append(list.Items, value)
		return
	}
	p.set(option, listNode([]*manifest.Node{value}, value.Range))
}

// give gives a container's option a value as the command line has it; repeated values add up where the option allows
// it, else the last one counts. The option must be one of the table.
func (p *part) give(o *schema.Option, text string, at diag.Range) {
	switch {
	case o.Kind == schema.Switch:
		if n, ok := switchNode(text, at); ok {
			p.set(o.Name, n)
		} else {
			p.set(o.Name, textNode(text, at)) // reported when the draft is read
		}
	case o.Kind == schema.List || o.Kind == schema.Map:
		p.add(o.Name, valueNode(o, text, at))
	case text == "" && o.Name != "entrypoint":
		p.drop(o.Name) // docker: an empty value is no value
	case o.Name == "entrypoint" && text != "":
		p.set(o.Name, listNode([]*manifest.Node{textNode(text, at)}, at))
	default:
		p.set(o.Name, valueNode(o, text, at))
	}
}

// switchNode reads a boolean as Go's and docker's flags do; a variable stays one.
func switchNode(text string, at diag.Range) (*manifest.Node, bool) {
	if strings.HasPrefix(text, "${") {
		return textNode(text, at), true
	}
	on, err := strconv.ParseBool(text)
	return boolNode(on, at), err == nil
}

// valueNode is text, or a number without quotes where the option's schema knows whole numbers.
func valueNode(o *schema.Option, text string, at diag.Range) *manifest.Node {
	n := textNode(text, at)
	if i, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(i, 10) == text && takesInteger(o.Schema()) {
		n.Type = manifest.Int
	}
	return n
}

func takesInteger(s map[string]any) bool {
	choices, _ := s["anyOf"].([]any)
	for _, c := range choices {
		if m, ok := c.(map[string]any); ok && takesInteger(m) {
			return true
		}
	}
	switch t := s["type"].(type) {
	case string:
		return t == "integer"
	case []any:
		return slices.ContainsFunc(t, func(v any) bool { return v == "integer" })
	}
	return false
}

// sectionOption finds a key of an entry of networks or volumes.
func sectionOption(section, key string) *schema.Option {
	for _, s := range schema.Sections() {
		if i := slices.IndexFunc(s.Options, func(o schema.Option) bool { return o.Name == key }); s.Name == section && i >= 0 {
			return &s.Options[i]
		}
	}
	return nil
}

// tree is the runfile: sections in the order in which people read them, options in the order of the table.
func (d *draft) tree() *manifest.Node {
	root := mapNode(diag.Range{}, entry("version", &manifest.Node{Kind: manifest.Scalar, Type: manifest.Int, Text: "1"}))
	add := func(key string, n *manifest.Node) {
		if n != nil && (n.Kind != manifest.Map || len(n.Entries) > 0) {
			root.Entries = append(root.Entries, entry(key, n))
		}
	}
	add("project", d.project)
	add("vars-file", d.varsFile)
	vars := mapNode(diag.Range{})
	for _, v := range d.vars {
		if v.used {
			vars.Entries = append(vars.Entries, manifest.Entry{Key: v.name, KeyRange: v.at, Value: v.node()})
		}
	}
	add("vars", vars)
	add("networks", section(d.networks))
	add("volumes", section(d.volumes))
	for _, c := range d.containers {
		slices.SortStableFunc(c.entries, func(a, b manifest.Entry) int { return place(a.Key) - place(b.Key) })
	}
	add("containers", section(d.containers))
	return root
}

func section(parts []*part) *manifest.Node {
	n := mapNode(diag.Range{})
	for _, p := range parts {
		n.Entries = append(n.Entries, manifest.Entry{Key: p.key, KeyRange: p.at, Value: mapNode(p.at, p.entries...)})
	}
	return n
}

func (v *variable) node() *manifest.Node {
	if !v.without {
		return textNode(v.value, v.at)
	}
	n := mapNode(v.at)
	if v.required {
		n.Entries = append(n.Entries, entry("required", boolNode(true, v.at)))
	}
	if v.help != "" {
		n.Entries = append(n.Entries, entry("help", textNode(v.help, v.at)))
	}
	return n
}

var places = sync.OnceValue(func() map[string]int {
	m := map[string]int{}
	for i, o := range schema.Options() {
		m[o.Name] = i
	}
	m["image"], m["command"] = -2, -1
	return m
})

// place orders the options of a container: what runs first, the rest as in docker's help.
func place(option string) int {
	if i, ok := places()[option]; ok {
		return i
	}
	return len(places())
}
