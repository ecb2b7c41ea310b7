package tidy

import (
	"slices"
	"strings"
)

// comment is one comment with its #, and where it stood.
type comment struct {
	text string
	col  int  // column of the #, from 0
	gap  bool // a blank line stands before it
}

type kind uint8

const (
	null    kind = iota // nothing is written
	scalar              // plain or quoted, or an alias
	literal             // a block scalar of YAML, a text of several lines in TOML
	list
	mapping
)

// node is one value.
type node struct {
	kind kind
	flow bool     // written in brackets
	tags []string // anchor and tag
	// lines are the text of a scalar with its quotes, continuation lines without their indentation; of a literal the
	// content, without the indentation.
	lines  []string
	header string    // of a literal: | or > and what follows
	before []comment // between the key and the value
	open   comment   // behind the key of a block, behind an opening bracket
	items  []*item
	foot   []comment // behind the last item, before the end
}

// item is one entry of a map, or one of a list, which has no key.
type item struct {
	lead  []comment // lines above
	gap   bool      // a blank line stands directly above, below lead
	key   *node
	value *node
	tail  comment // at the end of the line
}

// name is the key as text; "" for the items of a list.
func (it *item) name() string {
	if it.key == nil || len(it.key.lines) != 1 {
		return ""
	}
	return unquote(it.key.lines[0])
}

// hoisted takes the comments in places that the normal form does not have; they go above.
func (n *node) hoisted() []comment {
	out := n.before
	n.before = nil
	if n.flow && len(n.items) == 0 {
		out = append(append(out, given(n.open)...), n.foot...)
		n.open, n.foot = comment{}, nil
	}
	for i := range out {
		out[i].gap = false
	}
	return out
}

// hoist puts comments in places that the normal form does not have above the item.
func (it *item) hoist() {
	if it.value == nil {
		return
	}
	if up := it.value.hoisted(); len(up) > 0 {
		up[0].gap, it.gap = it.gap, false
		it.lead = append(it.lead, up...)
	}
}

// sortItems orders entries by rank, but never across a blank line or a comment line: people group lines with both, and a
// comment may be about one line below it or about several. For the same reason the lines below a comment stay, and so
// does what is fixed.
func sortItems(items []*item, rank func(key string) int) {
	for from := 0; from < len(items); {
		to := from + 1
		for to < len(items) && !items[to].gap && len(items[to].lead) == 0 {
			to++
		}
		group := items[from:to]
		if len(group[0].lead) == 0 && !slices.ContainsFunc(group, (*item).fixed) {
			gap := group[0].gap
			group[0].gap = false
			slices.SortStableFunc(group, func(a, b *item) int { return rank(a.name()) - rank(b.name()) })
			group[0].gap = gap
		}
		from = to
	}
}

// fixed reports whether the entry may not move: it holds an anchor, or a text to which blank lines below it would belong.
func (it *item) fixed() bool {
	return it.key != nil && it.key.fixed() || it.value != nil && it.value.fixed()
}

func (n *node) fixed() bool {
	return slices.ContainsFunc(n.tags, func(t string) bool { return t[0] == '&' }) || strings.Contains(n.header, "+") ||
		slices.ContainsFunc(n.items, (*item).fixed)
}

// comments appends all comments below a node, in order.
func (n *node) comments(out []string) []string {
	out = texts(out, n.before)
	out = texts(out, []comment{n.open})
	for _, it := range n.items {
		out = it.comments(out)
	}
	return texts(out, n.foot)
}

func (it *item) comments(out []string) []string {
	out = texts(out, it.lead)
	if it.value != nil {
		out = it.value.comments(out)
	}
	return texts(out, []comment{it.tail})
}

func texts(out []string, list []comment) []string {
	for _, c := range list {
		if c.text != "" {
			out = append(out, c.text)
		}
	}
	return out
}
