package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/runfile/runfile/manifest/diag"
)

// byteOrderMark is what some editors put before UTF-8; columns do not count it.
var byteOrderMark = []byte("\xef\xbb\xbf")

// ParseYAML reads one YAML or JSON text into a tree. Scalars keep the text of the file. An empty text is an empty Map.
// On errors the tree holds what could be read, or is nil.
func ParseYAML(file string, src []byte) (*Node, diag.List) {
	s := newSource(file, bytes.TrimPrefix(src, byteOrderMark))
	if d := checkSize(s); d.HasErrors() {
		return nil, d
	}
	if d := s.checkText(); d.HasErrors() {
		return nil, d
	}
	r := &yamlReader{src: s, active: map[*yaml.Node]bool{}}
	doc, err := r.document()
	if err != nil {
		return nil, yamlSyntax(s, err)
	}
	if r.diags.HasErrors() {
		return nil, r.diags
	}
	if doc == nil {
		return &Node{Kind: Map, Range: s.span(0, 0)}, nil
	}
	root, _ := r.convert(doc, 1)
	if root != nil && root.Kind == Null {
		root = &Node{Kind: Map, Range: root.Range}
	}
	return root, r.diags
}

// yamlReader turns the library's tree, in which aliases are links and ends are missing, into ours.
type yamlReader struct {
	src    *source
	diags  diag.List
	budget budget
	active map[*yaml.Node]bool // anchors being expanded, to find cycles
}

// document parses the text and returns its one document's value, nil if there is none.
func (r *yamlReader) document() (node *yaml.Node, err error) {
	defer func() {
		// The library panics on a few malformed inputs that it takes for impossible.
		if p := recover(); p != nil {
			err = fmt.Errorf("unknown problem: %v", p)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(withoutVersion(r.src.text)))
	var first, second yaml.Node
	if err := dec.Decode(&first); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, err
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		r.secondDocument(&second)
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	if len(first.Content) == 0 {
		return nil, nil
	}
	return first.Content[0], nil
}

var yamlVersion = lazyRegexp(`^(?:[ \t]*(?:#[^\n]*)?\n)*%YAML 1\.\d`)

// withoutVersion makes a comment of the line %YAML 1.2 before a document, of which the library knows 1.1 only.
func withoutVersion(text []byte) []byte {
	if at := yamlVersion().FindIndex(text); at != nil {
		text = bytes.Clone(text)
		text[bytes.LastIndexByte(text[:at[1]], '%')] = '#'
	}
	return text
}

func (r *yamlReader) secondDocument(doc *yaml.Node) {
	line := doc.Line - 1
	if len(doc.Content) > 0 && doc.Content[0].Line > 0 {
		line = doc.Content[0].Line - 1
	}
	line = min(max(line, 0), len(r.src.starts)-1)
	for line > 0 && !bytes.HasPrefix(r.src.line(line), []byte("---")) {
		line--
	}
	r.diags.Errorf(CodeSeveralDocuments, r.src.lineSpan(line), "a second document starts here; a runfile is one document").
		WithHelp("put the containers of both under one `containers` section, or into two files and use `include`")
}

// offset is where a node's text starts, its anchor and tag left out.
func (r *yamlReader) offset(n *yaml.Node) int {
	at := r.src.offset(diag.Pos{Line: n.Line, Column: n.Column})
	for r.src.at(at) == '&' || r.src.at(at) == '!' {
		if n.Kind == yaml.ScalarNode && n.Anchor == "" && n.Style&yaml.TaggedStyle == 0 && r.src.at(at) == '&' {
			return at
		}
		for at < len(r.src.text) && bytes.IndexByte([]byte(" \t\r\n,[]{}"), r.src.text[at]) < 0 {
			at++
		}
		at = r.src.skip(at, " \t\r\n")
	}
	return at
}

// convert returns the tree of n and the offset behind n's text, which for an alias is the alias itself, while the tree
// keeps the places of the anchor. It returns nil when a limit has been passed or n is unusable.
func (r *yamlReader) convert(n *yaml.Node, depth int) (*Node, int) {
	if n.Kind == yaml.AliasNode {
		return r.alias(n, depth)
	}
	start := r.offset(n)
	if why := r.budget.node(len(n.Value), depth); why != "" {
		r.limit(start, why)
		return nil, start
	}
	if !r.checkTag(n, start) {
		return nil, start
	}
	switch n.Kind {
	case yaml.MappingNode:
		return r.mapping(n, start, depth)
	case yaml.SequenceNode:
		return r.sequence(n, start, depth)
	default:
		return r.scalar(n, start)
	}
}

func (r *yamlReader) limit(at int, why string) {
	r.diags.Errorf(CodeLimit, r.src.span(at, at+1), "%s", why).
		WithHelp("split the file, or write less with anchors")
}

func (r *yamlReader) alias(n *yaml.Node, depth int) (*Node, int) {
	start := r.src.offset(diag.Pos{Line: n.Line, Column: n.Column})
	end := start + 1 + len(n.Value)
	if r.active[n.Alias] {
		r.diags.Errorf(CodeAliasCycle, r.src.span(start, end), "the alias *%s stands inside its own anchor", n.Value).
			Also(r.src.span(r.offset(n.Alias), r.offset(n.Alias)+1), "&%s starts here", n.Value).
			WithHelp("move the shared part out, for example into a template")
		return nil, end
	}
	r.active[n.Alias] = true
	defer delete(r.active, n.Alias)
	out, _ := r.convert(n.Alias, depth)
	return out, end
}

// knownTags are the tags that mean what the format gives without them.
var knownTags = map[yaml.Kind][]string{
	yaml.MappingNode:  {"!!map"},
	yaml.SequenceNode: {"!!seq"},
	yaml.ScalarNode:   {"!!str", "!!int", "!!float", "!!bool", "!!null"},
}

func (r *yamlReader) checkTag(n *yaml.Node, start int) bool {
	if n.Style&yaml.TaggedStyle == 0 || slices.Contains(knownTags[n.Kind], n.ShortTag()) {
		return true
	}
	at := r.src.offset(diag.Pos{Line: n.Line, Column: n.Column})
	end := at
	for at < start && end < start && bytes.IndexByte([]byte(" \t\r\n"), r.src.text[end]) < 0 {
		end++
	}
	r.diags.Errorf(CodeUnknownTag, r.src.span(at, end), "the tag %s means nothing in a runfile", n.Tag).
		WithHelp("remove the tag; quote the value if it should start with an exclamation mark")
	return false
}

func (r *yamlReader) scalar(n *yaml.Node, start int) (*Node, int) {
	end := r.scalarEnd(n, start)
	out := &Node{Kind: Scalar, Text: n.Value, Range: r.src.span(start, end)}
	before := len(r.diags)
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		r.src.checkEscapes(&r.diags, start, end)
	case n.Style&(yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0:
		r.checkPlain(n.Value, start, end)
	}
	out.Broken = len(r.diags) > before
	switch n.ShortTag() {
	case "!!null":
		out.Kind, out.Text = Null, ""
	case "!!int":
		out.Type = Int
	case "!!float":
		out.Type = Float
	case "!!bool":
		out.Type = Bool
	}
	return out, end
}

// checkPlain reports text without quotes that is correct YAML and never meant: quotes of a word processor, and dashes that
// begin no item.
func (r *yamlReader) checkPlain(text string, start, end int) {
	if text == "" {
		return
	}
	line := r.src.lineOf(start)
	switch last := r.src.lineOf(max(end-1, start)); {
	case text[0] >= utf8.RuneSelf && typographic().FindString(text) == text:
		r.diags.Errorf(CodeSyntax, r.src.span(start, end), typographicSummary).WithHelp("write %s", quotePairs.Replace(text))
	case text[0] == '-' && len(text) > 1 && (text[1]|0x20 >= 'a' && text[1]|0x20 <= 'z') && r.src.starts[line]+r.src.indent(line) == start:
		d := r.diags.Errorf(CodeSyntax, r.src.span(start, start+1), "a space is missing behind this dash")
		word, _, _ := strings.Cut(text[1:], " ")
		d.WithHelp("write - %s", word)
	case last > line:
		for n := line + 1; n <= last; n++ {
			if at := r.src.starts[n] + r.src.indent(n); bytes.HasPrefix(r.src.text[at:], []byte("- ")) {
				r.diags.Errorf(CodeSyntax, r.src.span(at, at+1), "this dash begins no item: its line goes on with the value above").
					WithHelp("begin it in the same column as the dashes of the other items")
				return
			}
		}
		r.checkDashes(start, line, last)
	}
}

// checkDashes reports lines that were meant as items of a list: each is a word such as A=1 or 80:80, and YAML makes one
// text of them.
func (r *yamlReader) checkDashes(start, line, last int) {
	at := -1 // where the first dash is missing
	for n := line; n <= last; n++ {
		from := max(start, r.src.starts[n]+r.src.indent(n))
		word := r.src.code(n)[from-r.src.starts[n]:]
		if !bytes.ContainsAny(word, "=:") || bytes.ContainsAny(word, " \t") {
			return
		}
		if at < 0 && from == r.src.starts[n]+r.src.indent(n) {
			at = from
		}
	}
	n := r.src.lineOf(at)
	word := r.src.code(n)[at-r.src.starts[n]:]
	r.diags.Errorf(CodeSyntax, r.src.span(at, at+len(word)), "%s", dashSummary).WithHelp("write - %s", word)
}

func (r *yamlReader) sequence(n *yaml.Node, start, depth int) (*Node, int) {
	out := &Node{Kind: List}
	end := start + 1
	for _, c := range n.Content {
		item, itemEnd := r.convert(c, depth+1)
		if r.budget.spent {
			return nil, end
		}
		end = max(end, itemEnd)
		if item != nil {
			out.Items = append(out.Items, item)
		}
	}
	end = r.collectionEnd(start, end)
	out.Range = r.src.span(start, end)
	return out, end
}

func (r *yamlReader) mapping(n *yaml.Node, start, depth int) (*Node, int) {
	out := &Node{Kind: Map}
	end := start
	count := len(n.Content) / 2
	if count > maxKeys {
		r.budget.spent = true
		r.limit(start, tooManyKeys)
		return nil, end
	}
	keys := make(keySet, count)
	out.Entries = make([]Entry, 0, count)
	var merged []Entry
	mergeAt := -1
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		key, keyEnd, ok := r.key(k)
		end = max(end, keyEnd)
		value, valueEnd := r.convert(v, depth+1)
		if r.budget.spent {
			return nil, end
		}
		if value != nil && value.Kind == Null && v.Value == "" {
			value.Range, valueEnd = key.KeyRange, keyEnd // an absent value is shown at its key
		}
		end = max(end, valueEnd)
		if len(r.diags) > maxFindings {
			r.budget.spent = true
		}
		out.Broken = out.Broken || !ok
		if !ok || !keys.add(key, &r.diags) || value == nil {
			continue
		}
		if k.Kind == yaml.ScalarNode && k.Tag == "!!merge" {
			merged, mergeAt = r.merge(key, value), len(out.Entries)
			continue
		}
		key.Value = value
		out.Entries = append(out.Entries, key)
	}
	if mergeAt >= 0 {
		delete(keys, "<<")
		out.Entries = slices.Insert(out.Entries, mergeAt, keys.missing(merged)...)
		if len(out.Entries) > maxKeys {
			r.budget.spent = true
			r.limit(start, tooManyKeys)
			return nil, end
		}
	}
	end = r.collectionEnd(start, end)
	out.Range = r.src.span(start, end)
	return out, end
}

// key reads a map key: any scalar, or an alias of one.
func (r *yamlReader) key(k *yaml.Node) (Entry, int, bool) {
	at := r.src.offset(diag.Pos{Line: k.Line, Column: k.Column})
	end := at + 1 + len(k.Value)
	target := k
	switch k.Kind {
	case yaml.AliasNode:
		target = k.Alias
	case yaml.ScalarNode:
		at = r.offset(k)
		end = r.scalarEnd(k, at)
	default: // is refused below
	}
	e := Entry{Key: target.Value, KeyRange: r.src.span(at, end)}
	switch {
	case target.Kind != yaml.ScalarNode || target.ShortTag() == "!!null" || !r.checkTag(target, at):
		d := r.diags.Errorf(CodeBadKey, e.KeyRange, "a key must be a word")
		line := e.KeyRange.Start.Line - 1
		if g := templateBraces(r.src, line, line); g != nil {
			d.Summary, d.Subject = g.summary, g.at
			d.WithHelp("%s", g.help)
			return e, end, false
		}
		d.WithHelp("quote the value if this was meant as text, or write `name: value`")
		return e, end, false
	case len(target.Value) > maxKeyLength:
		r.diags.Errorf(CodeLimit, e.KeyRange, "this key is longer than %d bytes", maxKeyLength)
		return e, end, false
	}
	return e, end, true
}

// merge returns the entries that a `<<` key adds: those of a map, or of a list of maps of which the first that has a key
// wins.
func (r *yamlReader) merge(key Entry, value *Node) []Entry {
	maps := []*Node{value}
	if value.Kind == List {
		maps = value.Items
	}
	var out []Entry
	seen := keySet{}
	for _, m := range maps {
		if m.Kind != Map {
			r.diags.Errorf(CodeBadMerge, key.KeyRange, "`<<` takes a map or a list of maps").
				Also(m.Range, "this is %s", m.kindName()).
				WithHelp("write `<<: *name` where &name marks a map")
			return nil
		}
		out = append(out, seen.missing(m.Entries)...)
	}
	return out
}
