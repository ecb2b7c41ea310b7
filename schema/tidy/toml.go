package tidy

import "strings"

// tomlDoc is a TOML text: the keys before the first header, then the tables.
type tomlDoc struct {
	tables []*tomlTable
	foot   []comment
}

// tomlTable is a header and the keys below it.
type tomlTable struct {
	above  item   // the comments of the header
	header string // "" for the keys before the first
	path   []string
	keys   []*item
}

func (d *tomlDoc) comments() (out []string) {
	for _, t := range d.tables {
		out = t.above.comments(out)
		for _, it := range t.keys {
			out = it.comments(out)
		}
	}
	return texts(out, d.foot)
}

// tomlReader walks valid TOML. Comments and blank lines are the same as in YAML, so its means are used for them.
type tomlReader struct{ yamlReader }

func readTOML(text string) *tomlDoc {
	r := &tomlReader{yamlReader{text: text}}
	table := &tomlTable{}
	d := &tomlDoc{tables: []*tomlTable{table}}
	for r.skip(); r.at < len(r.text); {
		it := r.begin()
		if r.peek() == '[' {
			table = &tomlTable{above: *it}
			d.tables = append(d.tables, table)
			brackets := 1
			if r.byteAt(r.at+1) == '[' {
				brackets = 2
			}
			r.at += brackets
			table.path = r.keyParts("]")
			r.at += brackets
			table.header = strings.Repeat("[", brackets) + tomlKey(table.path) + strings.Repeat("]", brackets)
			table.above.tail = r.skip()
			continue
		}
		r.pair(it)
		it.tail = r.skip()
		table.keys = append(table.keys, it)
	}
	d.foot = r.take(-1)
	return d
}

// keyParts reads a dotted key up to one of the bytes of stop.
func (r *tomlReader) keyParts(stop string) (parts []string) {
	for {
		r.spaces()
		if c := r.peek(); c == '"' || c == '\'' {
			parts = append(parts, r.quotedTOML())
			r.spaces()
		} else {
			parts = append(parts, strings.TrimRight(r.word("."+stop), " \t"))
		}
		if r.peek() != '.' {
			return parts
		}
		r.at++
	}
}

// pair reads key = value.
func (r *tomlReader) pair(it *item) {
	it.key = &node{kind: scalar, lines: r.keyParts("=")} // the parts of the key
	r.at++
	r.spaces()
	it.value = r.value()
}

func (r *tomlReader) value() *node {
	switch c := r.peek(); c {
	case '[':
		return r.collection(list, ']')
	case '{':
		return r.collection(mapping, '}')
	case '"', '\'':
		text := r.quotedTOML()
		if strings.Contains(text, "\n") {
			return &node{kind: literal, lines: strings.Split(text, "\n")}
		}
		return &node{kind: scalar, lines: []string{text}}
	}
	return &node{kind: scalar, lines: []string{strings.TrimRight(r.word(",]}#\n"), " \t")}}
}

// quotedTOML reads any of the four sorts of strings, with its quotes.
func (r *tomlReader) quotedTOML() string {
	start, quote := r.at, r.text[r.at:r.at+1]
	if strings.HasPrefix(r.text[r.at:], quote+quote+quote) {
		quote = strings.Repeat(quote, 3)
	}
	for r.at += len(quote); r.at < len(r.text); r.at++ {
		switch {
		case quote[0] == '"' && r.text[r.at] == '\\':
			r.at++
		case strings.HasPrefix(r.text[r.at:], quote):
			r.at += len(quote)
			for len(quote) == 3 && r.peek() == quote[0] { // quotes that belong to the text
				r.at++
			}
			return r.text[start:r.at]
		}
	}
	return r.text[start:]
}

// collection reads an array or an inline table.
func (r *tomlReader) collection(of kind, closing byte) *node {
	n := &node{kind: of, flow: true}
	start := r.at
	r.at++
	n.open = r.skip()
	for r.at < len(r.text) && r.peek() != closing {
		it, start := r.begin(), r.at
		it.gap = false
		if of == mapping {
			r.pair(it)
		} else {
			it.value = r.value()
		}
		r.comma(it)
		r.moved(start)
		n.items = append(n.items, it)
	}
	n.foot = r.take(-1)
	r.gap = false
	r.at++
	if of == mapping { // has to be on one line except for arrays in it; with comments in those it is printed as it was
		n.lines = strings.Split(r.text[start:r.at], "\n")
	}
	return n
}

// arrange puts the keys of each table in order, and writes lists of one as lists.
func (d *tomlDoc) arrange(sort bool) {
	b := &arranger{allRules(), sort}
	for _, t := range d.tables {
		var path []string
		for _, part := range t.path {
			path = append(path, unquote(part))
		}
		b.toml(t.keys, path)
	}
}

func (b *arranger) toml(items []*item, path []string) {
	if r := b.at(path); r != nil && b.sort {
		sortItems(items, r.rank)
	}
	for _, it := range items {
		full := path
		for _, part := range it.key.lines {
			full = append(full[:len(full):len(full)], unquote(part))
		}
		last := len(full) - 1
		if r := b.at(full[:last]); r != nil && r.lists[full[last]] {
			it.value = asList(it.value)
		}
		if it.value.kind == mapping {
			b.toml(it.value.items, full)
		}
	}
}
