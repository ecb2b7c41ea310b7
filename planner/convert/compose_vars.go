package convert

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

func itoa(n int) string { return strconv.Itoa(n) }

// interpolate rewrites compose's variables as a runfile has them, in all values.
func (c *composer) interpolate(n *manifest.Node) {
	if n.Kind == manifest.Scalar && strings.Contains(n.Text, "$") {
		x := &interpolation{c: c, at: n.Range, in: n.Text}
		n.Text = x.text(false)
	}
	for _, item := range n.Items {
		c.interpolate(item)
	}
	for _, e := range n.Entries {
		c.interpolate(e.Value)
	}
}

// interpolation reads $NAME, ${NAME}, ${NAME:-text} and $$ in one value.
type interpolation struct {
	c  *composer
	at diag.Range
	in string // what is still to be read
}

// text reads up to the end, or to the brace that closes a ${ around it.
func (x *interpolation) text(nested bool) string {
	var out []string
	var plain strings.Builder
	add := func(text string) { out = x.c.vars.join(out, text, x.at) }
	flush := func() {
		if plain.Len() > 0 {
			add(literal(plain.String()))
			plain.Reset()
		}
	}
	for x.in != "" {
		switch {
		case nested && x.in[0] == '}':
			flush()
			return strings.Join(out, "")
		case strings.HasPrefix(x.in, "$$"):
			plain.WriteByte('$')
			x.in = x.in[2:]
		case x.in[0] == '$':
			before := x.in
			text, ok := x.reference()
			if !ok {
				plain.WriteByte('$')
				x.in = before[1:]
				continue
			}
			flush()
			add(text)
		default:
			plain.WriteByte(x.in[0])
			x.in = x.in[1:]
		}
	}
	flush()
	return strings.Join(out, "")
}

// reference reads the variable that begins here; ok is false for a dollar sign alone. Compose refuses a brace behind it
// without a name or an end.
func (x *interpolation) reference() (text string, ok bool) {
	rest, braced := strings.CutPrefix(x.in, "${")
	if !braced {
		rest = x.in[1:]
	}
	n := 0
	for n < len(rest) && plainVariable().MatchString(rest[:n+1]) {
		n++
	}
	if n == 0 {
		if braced {
			x.unknown("$${")
		}
		return "", false
	}
	name := rest[:n]
	x.in = rest[n:]
	if !braced {
		return "${" + x.use(name, "") + "}", true
	}
	for _, op := range []string{":-", ":?", ":+", "-", "?", "+"} {
		if !strings.HasPrefix(x.in, op) {
			continue
		}
		x.in = x.in[len(op):]
		arg := x.text(true)
		if !strings.HasPrefix(x.in, "}") {
			x.unknown("${" + name + op + "text}")
		}
		x.in = strings.TrimPrefix(x.in, "}")
		return "${" + x.use(name, manifestOps[op]) + manifestOps[op] + arg + "}", true
	}
	if !strings.HasPrefix(x.in, "}") {
		x.unknown("${" + name + "} or ${" + name + ":-default}")
	}
	if _, behind, closed := strings.Cut(x.in, "}"); closed {
		x.in = behind
	}
	return "${" + x.use(name, "") + "}", true
}

// use refers to a variable. The name of the project is one that both sides set.
func (x *interpolation) use(name, op string) string {
	if name == "COMPOSE_PROJECT_NAME" {
		return "project"
	}
	return x.c.vars.use(name, op, x.at)
}

// unknown reports a form that compose does not know either.
func (x *interpolation) unknown(better string) {
	x.c.lose(x.at, "this form of ${...} is not carried").WithHelp("write %s", better)
}

var dotenvName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)$`)
})

// dotenv notes what the file .env sets, which compose reads unasked.
func (c *composer) dotenv() {
	text, err := c.peek(".env")
	if err != nil {
		return
	}
	c.varsFile = listNode([]*manifest.Node{textNode(".env", diag.Range{})}, diag.Range{})
	for _, m := range dotenvName().FindAllSubmatch(text, -1) {
		c.vars.given[string(m[1])] = string(m[2])
	}
}

// environment carries variables. A name alone takes its value from the environment in a runfile, too, but not from .env.
func (c *composer) environment(s *service, e manifest.Entry) {
	o, _ := schema.Lookup("env")
	for _, n := range c.texts(e) {
		text := n.Text
		if _, given := c.vars.given[text]; given {
			text += "=${" + c.vars.use(text, "", n.Range) + "}"
		}
		s.give(o, text, n.Range)
	}
}

// emptyWords is a command that replaces the image's by none.
func (c *composer) emptyWords(s *service, e manifest.Entry, option string) {
	if option == "entrypoint" {
		s.set(option, textNode("", e.Value.Range))
		return
	}
	c.leave(e, "a runfile cannot take the image's command away; name the whole command, or set entrypoint")
}

// splitWords carries a command in one text. A runfile splits the text of a command itself, but not that of an entrypoint.
func (c *composer) splitWords(s *service, e manifest.Entry, option string) {
	if option == "command" {
		s.set(option, e.Value)
		return
	}
	words, err := value.SplitCommand(e.Value.Text)
	if err != nil || len(words) == 0 || spacedReference().MatchString(e.Value.Text) {
		c.leave(e, "write it as a list")
		return
	}
	if strings.Contains(quotedText().ReplaceAllLiteralString(e.Value.Text, ""), "${") {
		c.change(e.Value.Range, "a variable in it stays one word").WithHelp("compose splits its value at blanks; if it has any, write the entrypoint as a list")
	}
	var items []*manifest.Node
	for _, w := range words {
		items = append(items, textNode(w, e.Value.Range))
	}
	s.set(option, listNode(items, e.Value.Range))
}

var quotedText = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`"[^"]*"|'[^']*'`) })

// spacedReference is a variable with a default that holds blanks.
var spacedReference = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$\{[^}]*\s`) })
