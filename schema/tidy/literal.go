package tidy

import (
	"strconv"
	"strings"
)

// literal reads a block scalar; parent is the column of the collection around it.
func (r *yamlReader) literal(n *node, parent int) {
	n.kind = literal
	n.header = r.word(" \t\n#")
	r.spaces()
	if r.peek() == '#' {
		n.open = comment{text: strings.TrimRight(r.word("\n"), " \t")}
	}
	r.word("\n")
	indent := 0
	if i := strings.IndexAny(n.header, "123456789"); i >= 0 {
		digit, _ := strconv.Atoi(n.header[i : i+1])
		indent = max(parent, 0) + digit
	}
	var blank []string
	for r.at+1 < len(r.text) {
		line, _, _ := strings.Cut(r.text[r.at+1:], "\n")
		width := len(line) - len(strings.TrimLeft(line, " "))
		if indent == 0 && width < len(line) && width > parent {
			indent = max(width, 1)
		}
		switch {
		case width == len(line) && (indent == 0 || width <= indent):
			blank = append(blank, "")
		case indent > 0 && width >= indent: // white space beyond the indentation is text
			n.lines, blank = append(append(n.lines, blank...), line[indent:]), nil
		default:
			r.literalEnd(n, blank)
			return
		}
		r.at += 1 + len(line)
	}
	switch unfinished := r.at == len(r.text); {
	case unfinished && len(blank) > 0: // white space without a line feed is no line
		blank = blank[1:]
	case unfinished: // no line feed ends the text, and none is added to it
		n.header = strings.Trim(n.header, "+-") + "-"
	}
	r.literalEnd(n, blank)
}

// literalEnd keeps the blank lines at the end where they belong to the text, and gives them back elsewhere.
func (r *yamlReader) literalEnd(n *node, blank []string) {
	if strings.Contains(n.header, "+") {
		n.lines = append(n.lines, blank...)
		r.at = min(r.at+1, len(r.text))
		return
	}
	r.gap = r.gap || len(blank) > 0
}
