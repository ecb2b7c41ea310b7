package tidy

import (
	"slices"
	"strings"
	"sync"

	"github.com/runfile/runfile/schema"
)

// sectionOrder is the order of the top level. A file that is one container has its options between policy and defaults.
var sectionOrder = []string{
	"version", "project", "vars", "vars-file", "include", "policy", "", "defaults", "templates", "networks", "volumes",
	"secrets", "containers",
}

// firstKeys are the keys with which a container begins; the table has the order of the others.
var firstKeys = []string{"image", "extends", "override", "command"}

// rules are what the table says about the keys of one map.
type rules struct {
	place map[string]int
	lists map[string]bool // takes several values: one value is a list of one
}

// rank is where a key stands among the others; those that are unknown come behind, in the order of the file.
func (r *rules) rank(key string) int {
	switch place, ok := r.place[key]; {
	case key == "<<":
		return -1
	case ok:
		return place
	case strings.HasPrefix(key, "x-"):
		return len(r.place) + 1
	}
	return len(r.place)
}

func newRules(first []string, options []schema.Option) *rules {
	r := &rules{place: map[string]int{}, lists: map[string]bool{"extends": true, "override": true}}
	for _, name := range first {
		r.place[name] = len(r.place)
	}
	for _, o := range options {
		if _, ok := r.place[o.Name]; !ok {
			r.place[o.Name] = len(r.place)
		}
		r.lists[o.Name] = o.Kind == schema.List || o.Kind == schema.Map
	}
	return r
}

// allRules is made once: the table does not change.
var allRules = sync.OnceValue(newRulebook)

// rulebook finds the rules of a map by the keys that lead to it.
type rulebook struct {
	top, container *rules
	sections       map[string]*rules // networks, volumes, policy
	named          map[string]bool   // sections whose entries have the keys
}

func newRulebook() *rulebook {
	options := schema.Options()
	b := &rulebook{container: newRules(firstKeys, options), sections: map[string]*rules{}, named: map[string]bool{}}
	for _, s := range schema.Sections() {
		b.sections[s.Name] = newRules(nil, s.Options)
		b.named[s.Name] = s.Named
	}
	inFile := slices.Index(sectionOrder, "")
	first := slices.Clone(sectionOrder[:inFile])
	first = append(first, firstKeys...)
	for _, o := range options {
		if !slices.Contains(first, o.Name) {
			first = append(first, o.Name)
		}
	}
	b.top = newRules(append(first, sectionOrder[inFile+1:]...), options)
	b.top.lists["include"], b.top.lists["vars-file"] = true, true
	return b
}

// at returns the rules of the map at a path; those of maps of names have no order.
func (b *rulebook) at(path []string) *rules {
	if len(path) == 0 {
		return b.top
	}
	switch section := path[0]; {
	case section == "containers" || section == "templates":
		if len(path) == 2 {
			return b.container
		}
	case section == "defaults":
		if len(path) == 1 {
			return b.container
		}
	case b.sections[section] != nil:
		if b.named[section] == (len(path) == 2) && len(path) <= 2 {
			return b.sections[section]
		}
	}
	return nil
}

// arrange puts the keys of a tree in order, and writes lists of one as lists.
func (d *yamlDoc) arrange(sort bool) { (&arranger{allRules(), sort}).yaml(d.root, nil) }

type arranger struct {
	*rulebook
	sort bool
}

func (b *arranger) yaml(n *node, path []string) {
	for _, it := range n.items {
		it.hoist() // before anything is sorted: a comment line holds what is below it in place
	}
	if n.kind == list {
		for _, it := range n.items {
			b.yaml(it.value, append(path, ""))
		}
	}
	if n.kind != mapping {
		return
	}
	r := b.at(path)
	if r != nil && b.sort {
		sortItems(n.items, r.rank)
	}
	for _, it := range n.items {
		name := it.name()
		if r != nil && r.lists[name] {
			it.value = asList(it.value)
		}
		b.yaml(it.value, append(path, name))
	}
}

// asList makes a list of one value; nothing, an alias, and what may turn out to be nothing stay.
func asList(n *node) *node {
	if n.kind != scalar || len(n.lines) != 1 || len(n.tags) > 0 || len(n.before) > 0 {
		return n
	}
	switch text := unquote(n.lines[0]); {
	case text == "" || n.lines[0][0] == '*' || strings.Contains(text, "${") || isNull(n.lines[0]):
		return n
	}
	return &node{kind: list, flow: true, items: []*item{{value: n}}}
}

func isNull(text string) bool { return text == "~" || strings.EqualFold(text, "null") }
