package manifest

import (
	"slices"
	"strings"
)

// The keys of a container that this package acts on and removes.
const (
	keyExtends  = "extends"
	keyOverride = "override"
)

// merger lays maps over each other by the rule that Load documents.
type merger struct {
	repeatable func(key string) bool
	work       int // entries and items copied
}

// merge returns over laid over base; neither is changed, and values may be shared.
func (m *merger) merge(base, over *Node) *Node {
	out := &Node{Kind: Map, Range: over.Range, Broken: base.Broken || over.Broken, Entries: make([]Entry, 0, len(base.Entries)+len(over.Entries))}
	out.Entries = append(out.Entries, base.Entries...)
	index := make(map[string]int, len(out.Entries))
	for i, e := range out.Entries {
		index[e.Key] = i
	}
	replaced := overrides(over)
	m.work += len(base.Entries) + len(over.Entries)
	for _, e := range over.Entries {
		i, there := index[e.Key]
		switch {
		case !there:
			out.Entries = append(out.Entries, e)
		case replaced[e.Key]:
			out.Entries[i] = e
		default:
			out.Entries[i] = Entry{Key: e.Key, KeyRange: e.KeyRange, Value: m.value(e.Key, out.Entries[i].Value, e.Value)}
		}
	}
	if len(replaced) > 0 {
		own := map[string]bool{}
		for _, e := range over.Entries {
			own[e.Key] = true
		}
		out.Entries = slices.DeleteFunc(out.Entries, func(e Entry) bool {
			return replaced[e.Key] && !own[e.Key]
		})
	}
	return out
}

// value combines the values of one key.
func (m *merger) value(key string, base, over *Node) *Node {
	adds := key == keyExtends || key == keyOverride || m.repeatable(key)
	switch {
	case base.Kind == Map && over.Kind == Map:
		return m.merge(base, over)
	case !adds || base.Kind == Null:
		return over
	case over.Kind == Null:
		return base
	case base.Kind == Map:
		if byName(key, base) {
			return m.merge(base, namesAsMap(over))
		}
		return m.joined(pairsAsList(base), over)
	case over.Kind == Map:
		if byName(key, over) {
			return m.merge(namesAsMap(base), over)
		}
		return m.joined(base, pairsAsList(over))
	default:
		return m.joined(base, over)
	}
}

// joined appends two lists, for each of which a single value may stand.
func (m *merger) joined(a, b *Node) *Node {
	out := &Node{Kind: List, Range: b.Range}
	for _, n := range []*Node{a, b} {
		if n.Kind == List {
			out.Items = append(out.Items, n.Items...)
		} else {
			out.Items = append(out.Items, n)
		}
	}
	m.work += len(out.Items)
	return out
}

// byName reports whether the list form of a key holds names that are the keys of the map form, as with depends-on,
// rather than K=V pairs.
func byName(key string, n *Node) bool {
	return key == "depends-on" || slices.ContainsFunc(n.Entries, func(e Entry) bool {
		return e.Value.Kind == Map || e.Value.Kind == List
	})
}

// pairsAsList turns {K: V} into [K=V], and {K: } into [K].
func pairsAsList(n *Node) *Node {
	out := &Node{Kind: List, Range: n.Range}
	for _, e := range n.Entries {
		item := &Node{Kind: Scalar, Text: e.Key, Range: e.Value.Range, Expanded: e.Value.Expanded}
		if e.Value.Kind == Scalar {
			item.Text += "=" + e.Value.Text
		}
		out.Items = append(out.Items, item)
	}
	return out
}

// namesAsMap turns [a, b] into {a: , b: }.
func namesAsMap(n *Node) *Node {
	items := []*Node{n}
	if n.Kind == List {
		items = n.Items
	}
	out := &Node{Kind: Map, Range: n.Range}
	seen := keySet{}
	for _, it := range items {
		e := Entry{Key: it.Text, KeyRange: it.Range, Value: &Node{Kind: Null, Range: it.Range}}
		if it.Kind == Scalar {
			out.Entries = append(out.Entries, seen.missing([]Entry{e})...)
		}
	}
	return out
}

// overrides are the option names in a container's `override`.
func overrides(n *Node) map[string]bool {
	o := n.Get(keyOverride)
	if o == nil {
		return nil
	}
	items := []*Node{o}
	if o.Kind == List {
		items = o.Items
	}
	out := map[string]bool{}
	for _, it := range items {
		if it.Kind == Scalar {
			out[it.Text] = true
		}
	}
	return out
}

// topLevel are the sections of a file; x- keys come on top.
var topLevel = []string{
	"version", "project", "vars", "vars-file", "include", "defaults", "templates", "containers",
	"networks", "volumes", "secrets", "policy",
}

func isTopLevel(key string) bool {
	return slices.Contains(topLevel, key) || strings.HasPrefix(key, "x-")
}
