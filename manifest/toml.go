package manifest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/runfile/runfile/manifest/diag"
)

// ParseTOML reads one TOML text into the same tree that ParseYAML gives for the same content. Numbers and dates keep the
// text of the file. On errors the tree holds what could be read, or is nil.
//
// Two libraries take part: one gives positions and raw text but checks little; the other knows all rules of TOML but
// not where a value stands. Both do quadratic work on deep keys, so depth is checked before either sees the text.
func ParseTOML(file string, src []byte) (*Node, diag.List) {
	s := newSource(file, bytes.TrimPrefix(src, byteOrderMark))
	if d := checkSize(s); d.HasErrors() {
		return nil, d
	}
	if d := s.checkText(); d.HasErrors() {
		return nil, d
	}
	if at := tomlTooDeep(s.text); at >= 0 {
		var d diag.List
		d.Errorf(CodeLimit, s.span(at, at+1), "%s", tooDeep)
		return nil, d
	}
	invalid := make(chan error, 1)
	go func() { invalid <- checkTOML(string(s.text)) }() // each of the two takes as long as the other
	r := &tomlReader{src: s, tables: map[*Node]*tomlTable{}}
	if d := r.read(); d.HasErrors() {
		return nil, append(r.diags, d...) // what had been read is no base for further complaints
	}
	if r.diags.HasErrors() {
		return r.root, r.diags
	}
	if err := <-invalid; err != nil {
		return r.root, tomlInvalid(s, err)
	}
	return r.root, r.diags
}

// checkTOML applies the rules of TOML that the reader of positions does not know.
func checkTOML(text string) (err error) {
	defer func() {
		if p := recover(); p != nil { // nobody else could: this runs beside its caller
			err = fmt.Errorf("unknown problem: %v", p)
		}
	}()
	_, err = toml.Decode(text, &map[string]any{})
	return err
}

// tomlTooDeep returns the offset where brackets, or the parts of a dotted key, pass maxDepth, or -1. It knows strings
// and comments and nothing else of TOML.
func tomlTooDeep(text []byte) int {
	brackets, dots := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"', '\'':
			i = tomlStringEnd(text, i) - 1
		case '#':
			if end := bytes.IndexByte(text[i:], '\n'); end >= 0 {
				i += end - 1
			} else {
				return -1
			}
		case '[', '{':
			brackets++
			dots = 0
		case ']', '}':
			brackets--
		case '=', ',', '\n':
			dots = 0
		case '.':
			dots++
		}
		if brackets > maxDepth || dots >= maxDepth {
			return i
		}
	}
	return -1
}

// tomlStringEnd returns the offset behind the string that starts at i; an open one-line string ends with its line.
func tomlStringEnd(text []byte, i int) int {
	quote := text[i]
	triple := bytes.HasPrefix(text[i:], bytes.Repeat([]byte{quote}, 3))
	if triple {
		i += 2
	}
	for i++; i < len(text); i++ {
		switch {
		case quote == '"' && text[i] == '\\':
			i++
		case text[i] == quote && !triple:
			return i + 1
		case text[i] == quote && bytes.HasPrefix(text[i:], bytes.Repeat([]byte{quote}, 3)):
			for i < len(text) && text[i] == quote {
				i++
			}
			return i
		case text[i] == '\n' && !triple:
			return i
		}
	}
	return len(text)
}

// tomlTable says how a table came to be, which decides what may still be added to it.
type tomlTable struct {
	at     diag.Range
	header bool // by its own [header]
	dotted bool // by a dotted key
	array  bool // a list made by [[header]]
	// index holds the places of the entries by key, for tables with more than a few.
	index map[string]int
}

// tomlReader builds the tree from the expressions of the file.
type tomlReader struct {
	src    *source
	diags  diag.List
	budget budget
	root   *Node
	tables map[*Node]*tomlTable // of Maps that may grow, and of lists of [[tables]]
	table  *Node                // the open [header]; nil after a header that is wrong
	depth  int                  // of table
}

// read builds the tree. A text that is no TOML is what it returns; anything else goes to r.diags.
func (r *tomlReader) read() diag.List {
	r.root = r.newTable(r.src.span(0, len(r.src.text)))
	r.table, r.depth = r.root, 1
	p := &unstable.Parser{}
	p.Reset(r.src.text)
	for p.NextExpression() && !r.budget.spent {
		switch e := p.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			r.header(e)
		case unstable.KeyValue:
			if r.table != nil {
				r.keyValue(r.table, e, r.depth)
			}
		default: // a comment
		}
	}
	if err := p.Error(); err != nil {
		return tomlSyntax(r.src, p, err)
	}
	return nil
}

func (r *tomlReader) newTable(at diag.Range) *Node {
	n := &Node{Kind: Map, Range: at}
	r.tables[n] = &tomlTable{at: at}
	return n
}

// keyParts returns the parts of a dotted key and the offset behind the last.
func (r *tomlReader) keyParts(it unstable.Iterator) (parts []Entry, end int) {
	for it.Next() {
		k := it.Node()
		from := int(k.Raw.Offset)
		end = from + int(k.Raw.Length)
		parts = append(parts, Entry{Key: string(k.Data), KeyRange: r.src.span(from, end)})
	}
	return parts, end
}

// count charges one value to the budget and reports whether it may be added.
func (r *tomlReader) count(text, depth int, at diag.Range) bool {
	if why := r.budget.node(text, depth); why != "" {
		r.diags.Errorf(CodeLimit, at, "%s", why)
	}
	return !r.budget.spent
}

// add puts an entry into a table, or reports that the key is there.
func (r *tomlReader) add(table *Node, e Entry) bool {
	t := r.tables[table]
	if len(table.Entries) >= maxKeys {
		r.budget.spent = true
		r.diags.Errorf(CodeLimit, e.KeyRange, "%s", tooManyKeys)
		return false
	}
	if len(e.Key) > maxKeyLength {
		r.diags.Errorf(CodeLimit, e.KeyRange, "this key is longer than %d bytes", maxKeyLength)
		return false
	}
	if len(r.diags) > maxFindings {
		r.budget.spent = true
	}
	if i := r.find(table, e.Key); i >= 0 {
		duplicateKey(&r.diags, e, table.Entries[i])
		return false
	}
	table.Entries = append(table.Entries, e)
	switch n := len(table.Entries); {
	case t.index != nil:
		t.index[e.Key] = n - 1
	case n > fewKeys:
		t.index = make(map[string]int, 2*n)
		for i := range table.Entries {
			t.index[table.Entries[i].Key] = i
		}
	}
	return true
}

// fewKeys is how many keys of a table are looked through one by one, which is cheaper than an index for them.
const fewKeys = 8

// find returns the place of a key in a table, -1 if it has no such key.
func (r *tomlReader) find(table *Node, key string) int {
	if index := r.tables[table].index; index != nil {
		if i, ok := index[key]; ok {
			return i
		}
		return -1
	}
	return slices.IndexFunc(table.Entries, func(e Entry) bool { return e.Key == key })
}

// child returns the value of a table's key.
func (r *tomlReader) child(table *Node, key string) *Node {
	if i := r.find(table, key); i >= 0 {
		return table.Entries[i].Value
	}
	return nil
}

// step goes from a table into the table of a key, which it makes where there is none. It returns nil, with a
// diagnostic, where the key holds something else.
func (r *tomlReader) step(table *Node, part Entry, depth int, dotted bool) *Node {
	next := r.child(table, part.Key)
	if next == nil {
		next = r.newTable(part.KeyRange)
		r.tables[next].dotted = dotted
		part.Value = next
		if !r.count(0, depth, part.KeyRange) || !r.add(table, part) {
			return nil
		}
		return next
	}
	t := r.tables[next]
	if t != nil && t.array && !dotted {
		return next.Items[len(next.Items)-1]
	}
	if t == nil || t.array || next.Kind != Map {
		r.taken(part, next, "%q already has a value, which cannot be added to", part.Key)
		return nil
	}
	return next
}

func (r *tomlReader) taken(part Entry, first *Node, format string, args ...any) {
	r.diags.Errorf(CodeDuplicateKey, part.KeyRange, format, args...).
		Also(first.Range, "first here").
		WithHelp("keep one of the two")
}

// header opens [a.b] or [[a.b]].
func (r *tomlReader) header(e *unstable.Node) {
	parts, _ := r.keyParts(e.Key())
	table := r.root
	r.table = nil
	for i, part := range parts[:len(parts)-1] {
		if table = r.step(table, part, i+2, false); table == nil {
			return
		}
	}
	last, depth := parts[len(parts)-1], len(parts)+1
	r.depth = depth
	if e.Kind == unstable.ArrayTable {
		r.table = r.appendTable(table, last, depth)
		return
	}
	known := r.child(table, last.Key) != nil
	next := r.step(table, last, depth, false)
	if next == nil {
		return
	}
	t := r.tables[next]
	switch {
	case known && (t.header || t.dotted || r.tables[r.child(table, last.Key)].array):
		r.taken(last, r.child(table, last.Key), "the section %q stands here twice", last.Key)
		return
	case known:
		next.Range = last.KeyRange // implied by a longer header so far; this is where it is written
	}
	t.header = true
	r.table = next
}

// appendTable adds an element to the list of [[tables]] of a key.
func (r *tomlReader) appendTable(table *Node, part Entry, depth int) *Node {
	list := r.child(table, part.Key)
	if list == nil {
		list = &Node{Kind: List, Range: part.KeyRange}
		r.tables[list] = &tomlTable{at: part.KeyRange, array: true}
		e := part
		e.Value = list
		if !r.count(0, depth, part.KeyRange) || !r.add(table, e) {
			return nil
		}
	}
	if t := r.tables[list]; t == nil || !t.array {
		r.taken(part, list, "%q already has a value, which [[%s]] cannot be added to", part.Key, part.Key)
		return nil
	}
	if !r.count(0, depth+1, part.KeyRange) {
		return nil
	}
	item := r.newTable(part.KeyRange)
	r.tables[item].header = true
	list.Items = append(list.Items, item)
	r.depth = depth + 1
	return item
}

// keyValue adds `a.b = value` to a table.
func (r *tomlReader) keyValue(table *Node, e *unstable.Node, depth int) {
	parts, at := r.keyParts(e.Key())
	for _, part := range parts[:len(parts)-1] {
		depth++
		if table = r.step(table, part, depth, true); table == nil {
			return
		}
		if t := r.tables[table]; t.header {
			r.taken(part, table, "the section %q is complete and cannot be added to", part.Key)
			return
		}
	}
	at = r.src.skip(at, " \t=")
	last := parts[len(parts)-1]
	last.Value, _ = r.value(e.Value(), at, depth+1)
	if last.Value != nil {
		r.add(table, last)
	}
}

// value converts a value that starts at an offset and returns it with the offset behind it.
func (r *tomlReader) value(v *unstable.Node, at, depth int) (*Node, int) {
	if r.budget.spent {
		return nil, at
	}
	switch v.Kind {
	case unstable.Array:
		return r.array(v, at, depth)
	case unstable.InlineTable:
		return r.inlineTable(v, at, depth)
	default: // a scalar
	}
	from, end := int(v.Raw.Offset), int(v.Raw.Offset+v.Raw.Length)
	n := &Node{Kind: Scalar, Text: string(v.Data), Range: r.src.span(from, end)}
	switch v.Kind {
	case unstable.Integer:
		n.Type = Int
	case unstable.Float:
		n.Type = Float
	case unstable.Bool:
		n.Type = Bool
	case unstable.String:
		if bytes.Contains(r.src.text[from:end], []byte("\r\n")) {
			n.Text = strings.ReplaceAll(n.Text, "\r\n", "\n") // as YAML reads line ends; escapes stay what they are
		}
		before := len(r.diags)
		r.src.checkEscapes(&r.diags, from, end)
		n.Broken = len(r.diags) > before
	default: // dates and times stay text
	}
	if !r.count(len(n.Text), depth, n.Range) {
		return nil, end
	}
	return n, end
}

func (r *tomlReader) array(v *unstable.Node, at, depth int) (*Node, int) {
	n := &Node{Kind: List}
	if !r.count(0, depth, r.src.span(at, at+1)) {
		return nil, at
	}
	end := at + 1
	for it := v.Children(); it.Next(); {
		var item *Node
		item, end = r.value(it.Node(), r.src.skip(end, " \t\r\n,"), depth+1)
		if item == nil {
			return nil, end
		}
		n.Items = append(n.Items, item)
	}
	end = r.src.skip(end, " \t\r\n,") + 1
	n.Range = r.src.span(at, end)
	return n, end
}

func (r *tomlReader) inlineTable(v *unstable.Node, at, depth int) (*Node, int) {
	n := r.newTable(r.src.span(at, at+1))
	if !r.count(0, depth, n.Range) {
		return nil, at
	}
	end := at + 1
	for it := v.Children(); it.Next(); {
		kv := it.Node()
		r.keyValue(n, kv, depth)
		end = int(kv.Raw.Offset + kv.Raw.Length)
	}
	end = r.src.skip(end, " \t\r\n,") + 1
	n.Range = r.src.span(at, end)
	r.tables[n].header = true // complete: nothing may be added from outside
	return n, end
}
