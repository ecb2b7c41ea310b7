package tidy

import (
	"strings"
	"unicode/utf8"

	"github.com/runfile/runfile/schema"
)

// width is how long a line with a collection in brackets may be, in code points.
const width = 100

// line is one line of the result with its comment, which is printed when it is known where.
type line struct {
	text string
	tail comment
}

// printer collects lines.
type printer struct{ lines []line }

func (p *printer) add(text string) { p.lines = append(p.lines, line{text: text}) }

// gap adds a blank line, except at the start and after another.
func (p *printer) gap() {
	if n := len(p.lines); n > 0 && p.lines[n-1].text+p.lines[n-1].tail.text != "" {
		p.add("")
	}
}

// comments prints comment lines.
func (p *printer) comments(list []comment, pad string, first bool) {
	for i, c := range list {
		if c.gap && (i > 0 || !first) {
			p.gap()
		}
		p.add(pad + c.text)
	}
}

// String joins the lines. Comments that stood in one column on lines that follow each other stand in one column again.
func (p *printer) String() string {
	var b strings.Builder
	for from := 0; from < len(p.lines); {
		to, most := from, 0
		for to < len(p.lines) && p.lines[to].tail.text != "" && p.lines[to].tail.col == p.lines[from].tail.col {
			most = max(most, utf8.RuneCountInString(p.lines[to].text))
			to++
		}
		to = max(to, from+1)
		for _, l := range p.lines[from:to] {
			b.WriteString(l.text)
			if l.tail.text != "" {
				b.WriteString(strings.Repeat(" ", max(most-utf8.RuneCountInString(l.text), 0)) + " " + l.tail.text)
			}
			b.WriteByte('\n')
		}
		from = to
	}
	return b.String()
}

func (d *yamlDoc) print() string {
	p := &printer{}
	for _, l := range d.prolog {
		p.add(l)
	}
	n := d.root
	p.comments(n.hoisted(), "", true)
	p.comments(given(n.open), "", true)
	if len(n.tags) > 0 {
		p.add(strings.Join(n.tags, " "))
	}
	p.block(n, "")
	if n.kind == mapping && len(n.items) == 0 {
		p.add("{}")
	}
	p.comments(d.foot, "", false)
	for _, l := range d.epilog {
		p.add(l)
	}
	return p.String()
}

// given is a list of a comment, or of none.
func given(c comment) []comment { return appendComment(nil, c) }

// block prints the items of a list or map, each on lines of its own.
func (p *printer) block(n *node, pad string) {
	for i, it := range n.items {
		p.comments(it.lead, pad, i == 0)
		if it.gap && (i > 0 || len(it.lead) > 0) {
			p.gap()
		}
		if n.kind == mapping {
			p.entry(pad, it, strings.Join(append(it.key.tags, yamlKey(it.key)), " ")+":")
			continue
		}
		p.element(pad, it)
	}
	p.comments(n.foot, pad, false)
}

func yamlKey(k *node) string {
	text := unquote(k.lines[0])
	if schema.PlainYAML(text, true) {
		return text
	}
	return yamlText(k.lines[0], true)
}

// element prints an item of a list. A collection in it begins behind the dash if nothing stands between the two.
func (p *printer) element(pad string, it *item) {
	n := it.value
	inner := &printer{}
	if n.inBlock(pad+"- ") && len(n.tags) == 0 && n.open.text == "" {
		inner.block(n, pad+"  ")
		if c := it.tail; c.text != "" {
			inner.comments([]comment{c}, pad+"  ", true)
		}
		if first := inner.lines[0].text; !strings.HasPrefix(strings.TrimLeft(first, " "), "#") {
			inner.lines[0].text = pad + "- " + first[len(pad)+2:]
			p.lines = append(p.lines, inner.lines...)
			return
		}
		p.add(pad + "-")
		p.lines = append(p.lines, inner.lines...)
		return
	}
	p.entry(pad, it, "-")
}

// inBlock reports whether a collection is printed with each item on a line of its own.
func (n *node) inBlock(before string) bool {
	if n.kind != list && n.kind != mapping || len(n.items) == 0 {
		return false
	}
	if !n.flow {
		return true
	}
	text, ok := n.flowText()
	return !ok || utf8.RuneCountInString(before)+utf8.RuneCountInString(text) > width
}

// entry prints what stands behind a key or a dash.
func (p *printer) entry(pad string, it *item, mark string) {
	n := it.value
	opening := strings.Trim(strings.Join(append([]string{mark}, n.tags...), " "), " ")
	inner := pad + "  "
	switch {
	case n.inBlock(pad + mark + " "):
		p.lines = append(p.lines, line{pad + opening, n.open})
		p.block(n, inner)
		p.comments(given(it.tail), inner, true) // it stood behind the closing bracket
	case n.kind == literal:
		header := n.header
		if i := strings.IndexAny(header, "123456789"); i >= 0 {
			header = header[:i] + "2" + header[i+1:]
		}
		p.lines = append(p.lines, line{pad + behind(opening, header), n.open})
		for _, l := range n.lines {
			if l != "" {
				l = inner + l
			}
			p.add(l)
		}
	case n.kind == null:
		tail := it.tail
		if tail.text == "" {
			tail = n.open
		}
		p.lines = append(p.lines, line{pad + opening, tail})
		p.comments(n.foot, inner, true)
	case n.kind == scalar:
		p.scalar(pad, opening, it)
	default:
		text, _ := n.flowText() // has the tags
		p.lines = append(p.lines, line{pad + behind(mark, text), it.tail})
	}
}

// behind puts a value behind what opens its line, which may be nothing.
func behind(opening, text string) string { return strings.TrimPrefix(opening+" "+text, " ") }

func (p *printer) scalar(pad, opening string, it *item) {
	lines := it.value.lines
	if len(lines) == 1 {
		p.lines = append(p.lines, line{pad + behind(opening, yamlText(lines[0], false)), it.tail})
		return
	}
	p.add(pad + behind(opening, lines[0]))
	for _, l := range lines[1:] {
		if l != "" {
			l = pad + "  " + l
		}
		p.add(l)
	}
	p.lines[len(p.lines)-1].tail = it.tail
}

// flowText prints a value on one line; ok is false if comments or texts of several lines are in the way.
func (n *node) flowText() (text string, ok bool) {
	switch n.kind {
	case null:
		text, ok = "", true
	case scalar:
		if ok = len(n.lines) == 1; ok {
			text = yamlText(n.lines[0], true)
		}
	case list, mapping:
		text, ok = n.flowItems()
	case literal:
	}
	return strings.TrimSpace(strings.Join(append(n.tags, text), " ")), ok && len(n.before) == 0
}

func (n *node) flowItems() (string, bool) {
	if n.open.text != "" || len(n.foot) > 0 {
		return "", false
	}
	var parts []string
	for _, it := range n.items {
		text, ok := it.value.flowText()
		if !ok || len(it.lead) > 0 || it.tail.text != "" {
			return "", false
		}
		if n.kind == mapping {
			key, ok := it.key.flowText()
			if !ok {
				return "", false
			}
			text = key + ": " + text // a space stays behind the colon without a value: `a:}` is one word
		}
		parts = append(parts, text)
	}
	if n.kind == mapping {
		return "{" + strings.Join(parts, ", ") + "}", true
	}
	return "[" + strings.Join(parts, ", ") + "]", true
}
