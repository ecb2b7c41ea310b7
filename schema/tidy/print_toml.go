package tidy

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// tomlKey joins the parts of a key, without quotes where nothing needs them.
func tomlKey(parts []string) string {
	out := make([]string, len(parts))
	for i, p := range parts {
		if out[i] = tomlText(p); bareKey.MatchString(unquote(p)) {
			out[i] = unquote(p)
		}
	}
	return strings.Join(out, ".")
}

// tomlText is a scalar of one line; strings stand in double quotes unless that takes escapes.
func tomlText(raw string) string {
	if raw[0] == '\'' && !strings.ContainsAny(raw, "\"\\\t") && !strings.HasPrefix(raw, "'''") {
		return `"` + raw[1:len(raw)-1] + `"`
	}
	return raw
}

func (d *tomlDoc) print() string {
	p := &printer{}
	for _, t := range d.tables {
		p.above(&t.above)
		if t.header != "" {
			p.lines = append(p.lines, line{t.header, t.above.tail})
		}
		for _, it := range t.keys {
			p.above(it)
			p.tomlValue(tomlKey(it.key.lines)+" = ", it.value, "", "")
			p.lines[len(p.lines)-1].tail = it.tail
		}
	}
	p.comments(d.foot, "", len(p.lines) == 0)
	return p.String()
}

func (p *printer) above(it *item) {
	p.comments(it.lead, "", len(p.lines) == 0)
	if it.gap {
		p.gap()
	}
}

// tomlValue prints a value behind what opens its line, and before what follows it. An array that is too long for one
// line, or has comments, has each of its items on a line.
func (p *printer) tomlValue(opening string, n *node, pad, after string) {
	text, ok := n.tomlLine()
	if ok && (n.kind != list || utf8.RuneCountInString(pad+opening+text+after) <= width || len(n.items) == 0) {
		p.add(pad + opening + text + after)
		return
	}
	if n.kind != list {
		p.add(pad + opening + n.lines[0])
		for _, l := range n.lines[1:] {
			p.add(l)
		}
		p.lines[len(p.lines)-1].text += after
		return
	}
	p.lines = append(p.lines, line{pad + opening + "[", n.open})
	for _, it := range n.items {
		p.comments(it.lead, pad+"  ", true)
		p.tomlValue("", it.value, pad+"  ", ",")
		p.lines[len(p.lines)-1].tail = it.tail
	}
	p.comments(n.foot, pad+"  ", true)
	p.add(pad + "]" + after)
}

// tomlLine prints a value on one line; ok is false if comments or texts of several lines are in the way.
func (n *node) tomlLine() (string, bool) {
	switch n.kind {
	case scalar:
		return tomlText(n.lines[0]), true
	case literal, null:
		return "", false
	case list, mapping:
	}
	if n.open.text != "" || len(n.foot) > 0 {
		return "", false
	}
	var parts []string
	for _, it := range n.items {
		text, ok := it.value.tomlLine()
		if !ok || len(it.lead) > 0 || it.tail.text != "" {
			return "", false
		}
		if n.kind == mapping {
			text = tomlKey(it.key.lines) + " = " + text
		}
		parts = append(parts, text)
	}
	joined := strings.Join(parts, ", ")
	switch {
	case n.kind == list:
		return "[" + joined + "]", true
	case joined == "":
		return "{}", true
	}
	return "{ " + joined + " }", true
}
