package tidy

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// yamlDoc is one document.
type yamlDoc struct {
	prolog []string // up to and with the line ---
	root   *node
	foot   []comment // behind everything
	epilog []string  // from the line ... on
}

func (d *yamlDoc) comments() []string {
	out := d.root.comments(nil)
	out = texts(out, d.foot)
	for _, line := range append(append([]string(nil), d.prolog...), d.epilog...) {
		if strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}

// errOddForm is about what is valid and yet not understood; nothing but a first value on the line of the --- is known.
var errOddForm = errors.New("it is written in a form that fmt does not know")

// yamlReader walks a text that is valid YAML, so it has no errors to find; what it gets wrong shows when the result is
// compared. Texts are walked by bytes: everything that means something in YAML is ASCII.
type yamlReader struct {
	text string
	at   int
	lead []comment // comment lines since the last token
	gap  bool      // a blank line since then
	lost bool      // the text is not what this reader takes it for
}

// moved ends the reading if nothing was read since at.
func (r *yamlReader) moved(at int) {
	if r.at <= at {
		r.lost, r.at = true, len(r.text)
	}
}

func readYAML(text string) (*yamlDoc, error) {
	r := &yamlReader{text: text}
	d := &yamlDoc{}
	if !r.prolog(d) {
		return nil, errOddForm
	}
	r.skip()
	d.root = r.value(-1, false, true)
	d.foot = given(r.skip())
	d.foot = append(d.foot, r.take(-1)...)
	if r.marker() {
		d.epilog = tidyLines(r.text[r.at:])
	} else if r.at < len(r.text) {
		r.lost = true
	}
	if r.lost {
		return nil, errOddForm
	}
	return d, nil
}

// prolog reads up to the line --- if there is one before the first value.
func (r *yamlReader) prolog(d *yamlDoc) bool {
	at := 0
	for line := range strings.Lines(r.text) {
		at += len(line)
		word := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "---") && (len(line) == len("---") || ends(line[len("---")])):
			rest := strings.TrimSpace(line[len("---"):])
			d.prolog = tidyLines(r.text[:at])
			r.at = at
			return rest == "" || rest[0] == '#'
		case word != "" && word[0] != '#' && line[0] != '%':
			return true
		}
	}
	return true
}

// tidyLines are lines without white space at their ends and with single blank lines between them.
func tidyLines(text string) []string {
	var out []string
	for line := range strings.Lines(strings.TrimSpace(text)) {
		line = strings.TrimSpace(line)
		if line != "" || out[len(out)-1] != "" {
			out = append(out, line)
		}
	}
	return out
}

func (r *yamlReader) peek() byte { return r.byteAt(r.at) }

func (r *yamlReader) byteAt(i int) byte {
	if i < len(r.text) {
		return r.text[i]
	}
	return 0
}

// col is the column of the current place, which has only ASCII before it, -1 at the end of the text.
func (r *yamlReader) col() int {
	if r.at >= len(r.text) || r.marker() {
		return -1
	}
	return r.at - (strings.LastIndexByte(r.text[:r.at], '\n') + 1)
}

// marker reports whether the document ends here.
func (r *yamlReader) marker() bool {
	if r.at > 0 && r.text[r.at-1] != '\n' || !strings.HasPrefix(r.text[r.at:], "...") && !strings.HasPrefix(r.text[r.at:], "---") {
		return false
	}
	return ends(r.byteAt(r.at + len("...")))
}

// ends reports whether a byte ends an indicator: white space or the end of the text.
func ends(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == 0 }

func (r *yamlReader) spaces() {
	for r.peek() == ' ' || r.peek() == '\t' {
		r.at++
	}
}

// word reads up to one of the bytes of stop, or the end.
func (r *yamlReader) word(stop string) string {
	end := strings.IndexAny(r.text[r.at:], stop)
	if end < 0 {
		end = len(r.text) - r.at
	}
	out := r.text[r.at : r.at+end]
	r.at += end
	return out
}

// skip moves to the next token, keeps the comment lines it passes, and returns the comment at the end of this line.
func (r *yamlReader) skip() (tail comment) {
	fresh := r.at == 0 || r.text[r.at-1] == '\n'
	for {
		start := r.at
		r.spaces()
		switch r.peek() {
		case '#':
			c := comment{col: utf8.RuneCountInString(r.text[strings.LastIndexByte(r.text[:r.at], '\n')+1 : r.at]), gap: r.gap}
			c.text = strings.TrimRight(r.word("\n"), " \t")
			if fresh {
				r.lead, r.gap = append(r.lead, c), false
			} else {
				tail = c
				tail.gap = false
			}
		case '\n':
			if fresh {
				r.gap = true
			}
		default:
			if r.peek() == 0 {
				r.at = len(r.text)
			} else if fresh && r.marker() {
				r.at = start
			}
			return tail
		}
		if r.peek() == '\n' {
			r.at++
		}
		fresh = true
	}
}

// take returns the comment lines passed so far, as long as they are at least as far to the right as col.
func (r *yamlReader) take(col int) []comment {
	n := 0
	for n < len(r.lead) && r.lead[n].col >= col {
		n++
	}
	out := r.lead[:n:n]
	r.lead = r.lead[n:]
	return out
}

// begin starts an item with the comments above it.
func (r *yamlReader) begin() *item {
	it := &item{lead: r.take(-1), gap: r.gap}
	r.gap = false
	return it
}

// dash reports whether an item of a list starts here.
func (r *yamlReader) dash() bool { return r.peek() == '-' && ends(r.byteAt(r.at+1)) && !r.marker() }

// question reports whether an explicit key starts here.
func (r *yamlReader) question() bool { return r.peek() == '?' && ends(r.byteAt(r.at+1)) }

// value reads what stands behind a key or a dash. parent is the column of the collection it belongs to, inMap says that
// this is a map, below whose keys lists may start in the same column. block says that a collection may start here.
func (r *yamlReader) value(parent int, inMap, block bool) *node {
	n := &node{}
	for {
		r.spaces()
		switch c := r.peek(); {
		case block && r.dash():
			return r.list(n, r.col(), r.col() == parent)
		case block && (r.question() || r.startsKey()):
			return r.mapping(n, r.col())
		case c == '&' || c == '!':
			r.settle(n)
			n.tags = append(n.tags, r.word(" \t\n"))
			block = false
		case c == '#' || c == '\n' || c == 0:
			n.open = r.skip()
			if !r.goesOn(parent, inMap) {
				n.foot = r.take(parent + 1)
				return n
			}
			block = true
		default:
			return r.leaf(n, parent)
		}
	}
}

// goesOn reports whether what stands on a line of its own is the value of a key or dash in column parent.
func (r *yamlReader) goesOn(parent int, inMap bool) bool {
	if col := r.col(); col != parent {
		return col > parent
	}
	return inMap && r.dash() || r.peek() == '|' || r.peek() == '>' // the library takes a block scalar in that column, too
}

// settle gives a node the comments between its key and the place that has been reached.
func (r *yamlReader) settle(n *node) {
	n.before = append(append(n.before, given(n.open)...), r.take(-1)...)
	n.open, r.gap = comment{}, false
}

// leaf reads a scalar, an alias or a collection in brackets.
func (r *yamlReader) leaf(n *node, parent int) *node {
	r.settle(n)
	switch r.peek() {
	case '|', '>':
		r.literal(n, parent)
	case '[', '{':
		r.flow(n)
	default:
		n.kind = scalar
		n.lines = r.scalar(parent)
	}
	return n
}

// list reads the items of a block list in column col; shared says that this is also the column of the map around it.
func (r *yamlReader) list(n *node, col int, shared bool) *node {
	n.kind = list
	for r.col() == col && r.dash() {
		it := r.begin()
		r.at++ // the dash
		it.value = r.value(col, false, true)
		it.tail = r.skip()
		n.items = append(n.items, it)
	}
	if shared {
		col++
	}
	n.foot = r.take(col)
	return n
}

// mapping reads the entries of a block map in column col.
func (r *yamlReader) mapping(n *node, col int) *node {
	n.kind = mapping
	for r.col() == col && !r.dash() {
		it, start := r.begin(), r.at
		explicit := r.question()
		if explicit {
			r.at++
		}
		it.key = r.key()
		if c := r.skip(); c.text != "" { // only between `? key` and `: value`
			it.lead = append(it.lead, c)
		}
		it.lead = append(it.lead, r.take(-1)...)
		it.value = &node{}
		if r.peek() == ':' {
			r.at++
			it.value = r.value(col, true, explicit)
		}
		it.tail = r.skip()
		r.moved(start)
		n.items = append(n.items, it)
	}
	n.foot = r.take(col)
	return n
}

// key reads a key with its anchor and tag, up to the colon.
func (r *yamlReader) key() *node {
	k := &node{kind: scalar, tags: r.tags()}
	switch r.peek() {
	case '"', '\'':
		k.lines = r.quoted()
	default:
		k.lines = []string{r.plainLine(false)}
	}
	return k
}

// tags reads the anchor and tag of a key.
func (r *yamlReader) tags() (out []string) {
	for r.spaces(); r.peek() == '&' || r.peek() == '!'; r.spaces() {
		out = append(out, r.word(" \t\n"))
	}
	return out
}

// startsKey reports whether `key:` stands here.
func (r *yamlReader) startsKey() bool {
	at := r.at
	defer func() { r.at = at }()
	if r.tags(); strings.IndexByte("[{|>#\n\x00", r.peek()) >= 0 {
		return false
	}
	k := r.key()
	r.spaces()
	return len(k.lines) == 1 && r.peek() == ':' && ends(r.byteAt(r.at+1))
}

// scalar reads a plain or quoted scalar, or an alias.
func (r *yamlReader) scalar(parent int) []string {
	if c := r.peek(); c == '"' || c == '\'' {
		return r.quoted()
	}
	lines := []string{r.plainLine(false)}
	for {
		at := r.at
		blank := 0
		r.spaces()
		for r.peek() == '\n' {
			r.at++
			blank++
			r.spaces()
		}
		if c := r.peek(); blank == 0 || c == 0 || c == '#' || r.col() <= parent {
			r.at = at
			return lines
		}
		lines = append(lines, make([]string, blank-1)...)
		lines = append(lines, r.plainLine(false))
	}
}

// flowSigns end a plain scalar in brackets, for the library that reads runfiles.
const flowSigns = ",?[]{}"

// plainLine reads plain text up to a comment, a colon that ends a key, or the end of the line; in brackets also up to
// what means something there.
func (r *yamlReader) plainLine(flow bool) string {
	start := r.at
	for ; r.at < len(r.text) && r.text[r.at] != '\n'; r.at++ {
		c, next := r.text[r.at], r.byteAt(r.at+1)
		if c == ':' && ends(next) || flow && strings.IndexByte(flowSigns, c) >= 0 ||
			(c == ' ' || c == '\t') && next == '#' {
			break
		}
	}
	return strings.TrimRight(r.text[start:r.at], " \t")
}

// quoted reads to the closing quote.
func (r *yamlReader) quoted() []string {
	quote := r.peek()
	i := r.at + 1
	for ; i < len(r.text); i++ {
		switch {
		case quote == '"' && r.text[i] == '\\':
			i++
		case r.text[i] != quote:
		case quote == '\'' && r.byteAt(i+1) == quote:
			i++
		default:
			lines := strings.Split(r.text[r.at:i+1], "\n")
			for k := range lines[1:] {
				lines[k+1] = strings.TrimLeft(lines[k+1], " \t")
			}
			r.at = i + 1
			return lines
		}
	}
	r.at = len(r.text)
	return nil
}
