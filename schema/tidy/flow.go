package tidy

import "strings"

// flow reads a collection in brackets.
func (r *yamlReader) flow(n *node) {
	n.flow = true
	n.kind = list
	closing := byte(']')
	if r.peek() == '{' {
		n.kind, closing = mapping, '}'
	}
	r.at++
	n.open = r.skip()
	for r.at < len(r.text) && r.peek() != closing {
		it, start := r.begin(), r.at
		it.gap = false
		r.flowItem(it, n.kind)
		r.comma(it)
		r.moved(start)
		n.items = append(n.items, it)
	}
	n.foot = r.take(-1)
	r.gap = false
	r.at++
}

// comma goes past what separates items; the comment of the line is the item's.
func (r *yamlReader) comma(it *item) {
	it.tail = r.skip()
	if r.peek() != ',' {
		return
	}
	r.at++
	switch second := r.skip(); {
	case it.tail.text == "":
		it.tail = second
	case second.text != "":
		r.lead = append([]comment{second}, r.lead...)
	}
}

// flowItem reads one entry: in a map a key and what belongs to it, in a list a value, or a map of one entry without
// braces.
func (r *yamlReader) flowItem(it *item, of kind) {
	if r.peek() == '?' {
		r.at++
		r.pass(it)
	}
	first := r.flowValue()
	at, lead, gap := r.at, r.lead, r.gap
	tail := r.skip()
	switch {
	case r.peek() == ':':
		it.lead = appendComment(it.lead, tail)
		r.at++
		r.pass(it)
		entry := it
		if of == list {
			entry = &item{}
			it.value = &node{kind: mapping, flow: true, items: []*item{entry}}
		}
		entry.key, entry.value = first, r.flowValue()
		return
	case of == mapping:
		it.key, it.value = first, &node{}
	default:
		it.value = first
	}
	r.at, r.lead, r.gap = at, lead, gap // what was passed belongs to what follows
}

// pass moves to the next token; comments on the way are put above the item.
func (r *yamlReader) pass(it *item) {
	it.lead = appendComment(it.lead, r.skip())
	it.lead = append(it.lead, r.take(-1)...)
}

func appendComment(list []comment, c comment) []comment {
	if c.text != "" {
		list = append(list, c)
	}
	return list
}

// flowValue reads one value in brackets; nothing, where none is written.
func (r *yamlReader) flowValue() *node {
	n := &node{}
	for r.peek() == '&' || r.peek() == '!' {
		n.tags = append(n.tags, r.word(" \t\n,[]{}"))
		n.before = appendComment(n.before, r.skip())
	}
	n.before = append(n.before, r.take(-1)...)
	switch c := r.peek(); {
	case c == '[' || c == '{':
		r.flow(n)
	case c == '"' || c == '\'':
		n.kind, n.lines = scalar, r.quoted()
	case strings.IndexByte(",:]}\x00", c) >= 0:
	default:
		n.kind, n.lines = scalar, r.flowPlain()
	}
	return n
}

// flowPlain reads plain text in brackets, which may go on over lines.
func (r *yamlReader) flowPlain() []string {
	lines := []string{r.plainLine(true)}
	for {
		at := r.at
		blank := 0
		r.spaces()
		for r.peek() == '\n' {
			r.at++
			blank++
			r.spaces()
		}
		if c := r.peek(); blank == 0 || strings.IndexByte(",:?[]{}#\x00", c) >= 0 {
			r.at = at
			return lines
		}
		lines = append(lines, make([]string, blank-1)...)
		lines = append(lines, r.plainLine(true))
	}
}
