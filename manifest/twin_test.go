package manifest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/runfile/runfile/manifest/diag"
)

// The generators draw a document and its two spellings together: for each value the style is drawn, too.

// maxDrawn is how deep drawn documents are.
const maxDrawn = 4

const letters = "ab1 '\"\\#:,$ä日😀{}[]&*!%@`-=|>~.\t\n"

var (
	genText   = rapid.StringOfN(rapid.RuneFrom([]rune(letters)), 0, 12, -1)
	genNumber = rapid.SampledFrom([]string{"0", "7", "-3", "1_000", "0x1F", "0o17", "+5", "1.10", "-0.5", "1e3", "6.02e23"})
	genKey    = rapid.OneOf(rapid.StringMatching(`[a-z][a-z0-9_-]{0,6}`), rapid.StringOfN(rapid.RuneFrom([]rune("a b.ä日'\"#:")), 1, 5, -1))
)

func genNode(depth int) *rapid.Generator[*Node] {
	return rapid.Custom(func(t *rapid.T) *Node {
		kind := rapid.SampledFrom([]int{4, 5, 0, 6, 2, 3, 5, 1}).Draw(t, "kind")
		if depth == 0 {
			kind = min(kind, 3)
		}
		switch {
		case kind <= 1:
			return &Node{Kind: Scalar, Text: genText.Draw(t, "text")}
		case kind == 2:
			text := genNumber.Draw(t, "number")
			n := &Node{Kind: Scalar, Text: text, Type: Int}
			if strings.ContainsAny(text, ".e") {
				n.Type = Float
			}
			return n
		case kind == 3:
			return &Node{Kind: Scalar, Type: Bool, Text: strconv.FormatBool(rapid.Bool().Draw(t, "bool"))}
		case kind == 4:
			return &Node{Kind: List, Items: rapid.SliceOfN(genNode(depth-1), 0, 5).Draw(t, "items")}
		default:
			return genMap(t, depth)
		}
	})
}

func genMap(t *rapid.T, depth int) *Node {
	n := &Node{Kind: Map}
	least := 0
	if depth == maxDrawn { // rapid prefers small documents, which prove little
		least = 3
	}
	for _, k := range rapid.SliceOfNDistinct(genKey, least, 6, rapid.ID[string]).Draw(t, "keys") {
		n.Entries = append(n.Entries, Entry{Key: k, Value: genNode(depth-1).Draw(t, "value")})
	}
	return n
}

var doubleEscapes = strings.NewReplacer("\\", "\\\\", "\"", "\\\"", "\n", "\\n", "\t", "\\t")

// quotedText writes a text in a style that both formats have.
func quotedText(t *rapid.T, s string, single string) string {
	if !strings.Contains(s, "\n") && rapid.Bool().Draw(t, "single") && (single != "" || !strings.Contains(s, "'")) {
		return "'" + strings.ReplaceAll(s, "'", single) + "'"
	}
	return `"` + doubleEscapes.Replace(s) + `"`
}

func bare(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z'
		inner := r >= '0' && r <= '9' || r == '-' || r == '_'
		if !letter && (i == 0 || !inner) {
			return false
		}
	}
	return s != "" && s != "true" && s != "false" && s != "null"
}

func yamlScalar(t *rapid.T, n *Node, indent string) string {
	switch {
	case n.Type != String:
		return n.Text
	case bare(n.Text) && rapid.Bool().Draw(t, "plain"):
		return n.Text
	case indent != "" && strings.HasSuffix(n.Text, "\n") && strings.Trim(n.Text, " \n\t") != "" &&
		!strings.ContainsAny(n.Text[:1], " \n\t") && rapid.Bool().Draw(t, "block"):
		chomp := "|"
		if strings.HasSuffix(n.Text, "\n\n") {
			chomp = "|+"
		}
		body := strings.TrimSuffix(n.Text, "\n")
		return chomp + "\n" + indent + strings.ReplaceAll(body, "\n", "\n"+indent)
	default:
		return quotedText(t, n.Text, "''")
	}
}

func yamlKey(t *rapid.T, k string) string {
	if bare(k) {
		return k
	}
	return quotedText(t, k, "''")
}

// yamlFlow writes a value in one line.
func yamlFlow(t *rapid.T, n *Node) string {
	var parts []string
	switch n.Kind {
	case List:
		for _, it := range n.Items {
			parts = append(parts, yamlFlow(t, it))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case Map:
		for _, e := range n.Entries {
			parts = append(parts, yamlKey(t, e.Key)+": "+yamlFlow(t, e.Value))
		}
		return "{ " + strings.Join(parts, " , ") + "}"
	default:
		return yamlScalar(t, n, "")
	}
}

// yamlBlock writes a value behind "key:" or "-", with everything on its own lines.
func yamlBlock(t *rapid.T, n *Node, indent string) string {
	if len(n.Items)+len(n.Entries) == 0 || rapid.Bool().Draw(t, "flow") {
		if n.Kind == Scalar {
			return " " + yamlScalar(t, n, indent+"  ") + "\n"
		}
		return " " + yamlFlow(t, n) + " # comment\n"
	}
	var b strings.Builder
	b.WriteString("\n")
	for _, it := range n.Items {
		b.WriteString(indent + "-" + yamlBlock(t, it, indent+"  "))
	}
	b.WriteString(yamlEntries(t, n, indent))
	return b.String()
}

func yamlEntries(t *rapid.T, n *Node, indent string) string {
	var b strings.Builder
	for _, e := range n.Entries {
		b.WriteString(indent + yamlKey(t, e.Key) + ":" + yamlBlock(t, e.Value, indent+"  "))
	}
	return b.String()
}

func tomlKey(t *rapid.T, k string) string {
	if bare(k) {
		return k
	}
	return quotedText(t, k, "")
}

func tomlValue(t *rapid.T, n *Node) string {
	var parts []string
	switch n.Kind {
	case List:
		for _, it := range n.Items {
			parts = append(parts, "\n "+tomlValue(t, it))
		}
		return "[" + strings.Join(parts, ", # c\n") + " ]"
	case Map:
		for _, e := range n.Entries {
			parts = append(parts, tomlKey(t, e.Key)+" = "+tomlValue(t, e.Value))
		}
		return "{ " + strings.Join(parts, " , ") + " }"
	default:
		if n.Type != String {
			return n.Text
		}
		return quotedText(t, n.Text, "")
	}
}

// tomlTable writes a map as lines; values come first, because a header ends the table before it. The order of the keys
// in n is changed to what was written, so that the YAML twin has the same.
func tomlTableText(t *rapid.T, n *Node, path string) string {
	var lines, tables strings.Builder
	var first, last []Entry
	for _, e := range n.Entries {
		key := tomlKey(t, e.Key)
		header := strings.TrimPrefix(path+"."+key, ".")
		switch {
		case e.Value.Kind == Map && rapid.Bool().Draw(t, "header"):
			tables.WriteString("[" + header + "]\n" + tomlTableText(t, e.Value, header))
			last = append(last, e)
		case e.Value.Kind == List && len(e.Value.Items) > 0 && onlyMaps(e.Value) && rapid.Bool().Draw(t, "headers"):
			for _, it := range e.Value.Items {
				tables.WriteString("[[" + header + "]]\n" + tomlTableText(t, it, header))
			}
			last = append(last, e)
		case e.Value.Kind == Map && len(e.Value.Entries) == 1 && rapid.Bool().Draw(t, "dotted"):
			inner := e.Value.Entries[0]
			lines.WriteString(key + "." + tomlKey(t, inner.Key) + " = " + tomlValue(t, inner.Value) + "\n")
			first = append(first, e)
		default:
			lines.WriteString(key + " = " + tomlValue(t, e.Value) + " # c\n")
			first = append(first, e)
		}
	}
	n.Entries = append(first, last...)
	return lines.String() + tables.String()
}

func onlyMaps(n *Node) bool {
	for _, it := range n.Items {
		if it.Kind != Map {
			return false
		}
	}
	return true
}

// shape prints a tree without positions.
func shape(n *Node) string {
	switch n.Kind {
	case List:
		var parts []string
		for _, it := range n.Items {
			parts = append(parts, shape(it))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case Map:
		var parts []string
		for _, e := range n.Entries {
			parts = append(parts, fmt.Sprintf("%q:%s", e.Key, shape(e.Value)))
		}
		return "{" + strings.Join(parts, ",") + "}"
	default:
		return fmt.Sprintf("%d%d%q", n.Kind, n.Type, n.Text)
	}
}

func before(a, b diag.Pos) bool { return a.Line < b.Line || a.Line == b.Line && a.Column <= b.Column }

// checkRanges demands of a YAML tree without aliases that parts lie in order inside the whole, and that scalars end
// where their text ends.
func checkRanges(t *rapid.T, s *source, n *Node) {
	last := n.Range.Start
	part := func(r diag.Range) {
		if !before(last, r.Start) || !before(r.Start, r.End) || !before(r.End, n.Range.End) {
			t.Fatalf("%v-%v is not behind %v inside %v-%v", r.Start, r.End, last, n.Range.Start, n.Range.End)
		}
		last = r.End
	}
	for _, it := range n.Items {
		part(it.Range)
		checkRanges(t, s, it)
	}
	for _, e := range n.Entries {
		part(e.KeyRange)
		part(e.Value.Range)
		checkRanges(t, s, e.Value)
	}
	if n.Kind != Scalar {
		return
	}
	raw := string(s.text[s.offset(n.Range.Start):s.offset(n.Range.End)])
	switch raw[0] {
	case '"', '\'':
		if len(raw) < 2 || raw[len(raw)-1] != raw[0] {
			t.Fatalf("%q is cut from %q", raw, n.Text)
		}
	case '|':
		if body := strings.TrimRight(n.Text, " \t\n"); !strings.HasSuffix(raw, body[strings.LastIndexAny(body, " \t\n")+1:]) {
			t.Fatalf("%q is cut from %q", raw, n.Text)
		}
	default:
		if raw != n.Text {
			t.Fatalf("%q is not %q", raw, n.Text)
		}
	}
}

// TestTwins writes random documents in both formats and demands the same tree, the drawn one.
func TestTwins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := genMap(t, maxDrawn)
		tomlText := tomlTableText(t, doc, "")
		yamlText := yamlEntries(t, doc, "")
		want := shape(doc)
		y, d := ParseYAML("f.yaml", []byte(yamlText))
		if len(d) > 0 {
			t.Fatalf("YAML: %s\n%s", texts(d), yamlText)
		}
		if got := shape(y); got != want {
			t.Fatalf("YAML gives\n%s\nwant\n%s\nof\n%s", got, want, yamlText)
		}
		if len(y.Entries) > 0 {
			checkRanges(t, newSource("f.yaml", []byte(yamlText)), y)
		}
		n, d := ParseTOML("f.toml", []byte(tomlText))
		if len(d) > 0 {
			t.Fatalf("TOML: %s\n%s", texts(d), tomlText)
		}
		if got := shape(n); got != want {
			t.Fatalf("TOML gives\n%s\nwant\n%s\nof\n%s", got, want, tomlText)
		}
	})
}
