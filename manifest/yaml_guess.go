package manifest

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/runfile/runfile/manifest/diag"
)

// guess is what the author of a broken line probably meant.
type guess struct {
	at            diag.Range
	summary, help string
	value         diag.Range // with other text there the line is right; the zero Range if it is not only about a value
}

// A guesser looks at the lines, counted from 0, where a YAML parser gave up: line is its own word for the place, last
// what it had read. It returns nil if the lines are not of its kind. A guess has to be sure: none beats a wrong one.
type guesser func(s *source, line, last int) *guess

// yamlGuesses are tried in this order whatever the parser says, before those of its complaint.
var yamlGuesses = []guesser{
	mergeConflict, tomlText, tabBehindDash, slashComment, unquotedValue, unquotedItem, templateBraces, hashInBrackets,
	escapedPaths, behindQuote, listBehindKey, blockNotIndented,
}

// maxGuessLine bounds the lines that are looked through for brackets outside of quotes, place by place.
const maxGuessLine = 2000

func lazyRegexp(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// guess asks several guessers.
func (s *source) guess(guesses []guesser, line, last int) *guess {
	line = min(max(line, 0), len(s.starts)-1)
	for _, g := range guesses {
		if found := g(s, line, last); found != nil {
			return found
		}
	}
	return nil
}

// part is a guess at a part of a line.
func (s *source) part(line, from, to int, summary, help string, args ...any) *guess {
	start := s.starts[line]
	return &guess{at: s.span(start+from, start+to), summary: summary, help: fmt.Sprintf(help, args...)}
}

// badValue is a guess at a value.
func (s *source) badValue(line, from, to int, summary, help string, args ...any) *guess {
	g := s.part(line, from, to, summary, help, args...)
	g.value = g.at
	return g
}

// indent is the white space before a line's text, in bytes.
func (s *source) indent(line int) int {
	text := s.line(line)
	return len(text) - len(bytes.TrimLeft(text, " "))
}

// code is a line without its comment and the blanks at its end.
func (s *source) code(line int) []byte {
	text := s.line(line)
	open := byte(0)
	for i, c := range text {
		switch {
		case c == open:
			open = 0
		case open == 0 && (c == '"' || c == '\''):
			open = c
		case open == 0 && c == '#' && (i == 0 || text[i-1] == ' ' || text[i-1] == '\t'):
			return bytes.TrimRight(text[:i], " \t")
		}
	}
	return bytes.TrimRight(text, " \t")
}

// above is the closest line before another one that holds something, -1 if there is none.
func (s *source) above(line int) int {
	for line--; line >= 0 && s.blank(line); line-- { // the loop is the search
	}
	return line
}

// quoteText puts text into quotes that YAML takes as they are, double ones only where single ones would need care.
func quoteText(text string) string {
	if strings.Contains(text, "'") && !strings.ContainsAny(text, `"\`) {
		return `"` + text + `"`
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

func mergeConflict(s *source, _, _ int) *guess {
	for n := range s.starts {
		if text := s.line(n); bytes.HasPrefix(text, []byte("<<<<<<< ")) || bytes.HasPrefix(text, []byte(">>>>>>> ")) {
			return s.part(n, 0, len(text), "a merge left both versions in this file", "keep one of the two and remove the marks around them")
		}
	}
	return nil
}

var tomlLine = lazyRegexp(`^(\[\[?[\w."-]+\]\]?$|[\w-]+\s*=)`)

// tomlText finds a file that is TOML from its first line on.
func tomlText(s *source, _, _ int) *guess {
	n := 0
	for n < len(s.starts)-1 && s.blank(n) {
		n++
	}
	if !tomlLine().Match(s.code(n)) {
		return nil
	}
	at := s.lineSpan(n)
	return &guess{at: at, summary: "this is TOML, and it is read as YAML", help: "give the file a name that ends with .toml, or write YAML: `name: value`"}
}

var tabbed = lazyRegexp(`^[ -]*-(\t)`)

func tabBehindDash(s *source, _, last int) *guess {
	m := tabbed().FindSubmatchIndex(s.code(last))
	if m == nil {
		return nil
	}
	return s.part(last, m[2], m[3], "a tab may not stand behind a dash", "put a space there")
}

func slashComment(s *source, line, last int) *guess {
	for n := last; n >= line; n-- {
		text := bytes.TrimLeft(s.code(n), " ")
		if bytes.HasPrefix(text, []byte("//")) || bytes.HasPrefix(text, []byte("/*")) {
			return s.part(n, s.indent(n), s.indent(n)+2, "a comment does not begin like this", "begin it with #")
		}
	}
	return nil
}

// keyedValue is a line `key: value` or `- value` with a value that plain YAML takes for something else.
var keyedValue = lazyRegexp(`^\s*(?:(?:- +)+(?:[\w.-]+:\s+)?|[\w.-]+:\s+)((?:\[[0-9A-Fa-f:.]*\]:|[*@%,\]}` + "`" + `]|[A-Za-z]:\\).*)$`)

// unquotedValue finds a value of docker run that needs quotes in YAML: [::1]:80:80, *.txt, @name, c:\dir:d:.
func unquotedValue(s *source, line, last int) *guess {
	for n := last; n >= line; n-- {
		if m := keyedValue().FindSubmatchIndex(s.code(n)); m != nil {
			return s.badValue(n, m[2], m[3], "this value means something else in YAML", "quote the value: %s", quoteText(string(s.code(n)[m[2]:m[3]])))
		}
	}
	return nil
}

func escapedPaths(s *source, line, last int) *guess {
	for n := last; n >= line; n-- {
		if g := escapeInPath(s, n, 0); g != nil {
			return g
		}
	}
	return nil
}

var quotedStart = lazyRegexp(`(?:^|[:-] +)(["'])`)

// behindQuote finds text behind the quote that ends a value: 'it's', "a" b.
func behindQuote(s *source, line, last int) *guess {
	for n := last; n >= line; n-- {
		text := s.code(n)
		for _, m := range quotedStart().FindAllSubmatchIndex(text, -1) {
			if g := s.behindQuoteAt(n, m[2]); g != nil {
				return g
			}
		}
	}
	return nil
}

// behindQuoteAt looks behind the quoted text that begins at a place of a line.
func (s *source) behindQuoteAt(n, from int) *guess {
	text := s.code(n)
	end := from + 1
	for end < len(text) && text[end] != text[from] {
		if text[from] == '"' && text[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(text) {
		return nil
	}
	rest := text[end+1:]
	switch trimmed := bytes.TrimLeft(rest, " "); {
	case len(trimmed) == 0 || trimmed[0] == ':':
		return nil
	case bytes.IndexByte([]byte(",]}"), trimmed[0]) >= 0 && bytes.ContainsAny(text[:from], "[{"): // of a list or map
		return nil
	case string(rest) == ",":
		return s.part(n, end+1, end+2, "a comma follows this value", "remove it; only a map in braces { } has commas")
	}
	whole := string(text[from:])
	if quotedWords().MatchString(whole) {
		return s.part(n, from, len(text), "several values need brackets around them", "write [%s]", strings.Join(strings.Fields(whole), ", "))
	}
	inner := whole
	if whole[len(whole)-1] == whole[0] {
		inner = whole[1 : len(whole)-1]
	}
	return s.part(n, end+1, end+1+len(rest), "something follows the quote that ends this value", "quote all of it: %s", quoteText(inner))
}

var listAfterKey = lazyRegexp(`^\s*([\w-]+):\s+(- +(.*))$`)

// listBehindKey finds `key: - item`.
func listBehindKey(s *source, line, _ int) *guess {
	m := listAfterKey().FindSubmatchIndex(s.code(line))
	if m == nil {
		return nil
	}
	text := string(s.code(line))
	return s.part(line, m[4], m[5], "a list may not begin behind its key", "write %s: [%s], or begin each item on a line of its own",
		text[m[2]:m[3]], text[m[6]:m[7]])
}

var blockSign = lazyRegexp(`:\s+[|>][+-]?$`)

// blockNotIndented finds a line that ends the text behind `key: |` too early.
func blockNotIndented(s *source, line, last int) *guess {
	for _, n := range []int{line, last} {
		above := s.above(n)
		for above >= 0 && s.indent(above) > s.indent(n) {
			above = s.above(above)
		}
		if above < 0 || !blockSign().Match(s.code(above)) {
			continue
		}
		return &guess{
			at: s.lineSpan(n), summary: "this line is not indented enough to belong to the text behind | or >",
			help: fmt.Sprintf("indent it like the rest of the text, by at least %d spaces", s.indent(above)+1),
		}
	}
	return nil
}

// missingDash finds a line among the items of a list that begins without a dash.
func missingDash(s *source, line, _ int) *guess {
	above := s.above(line)
	if above < 0 || s.indent(line) != s.indent(above) || !bytes.HasPrefix(s.code(above)[s.indent(above):], []byte("- ")) {
		return nil
	}
	at, text := s.lineSpan(line), s.code(line)[s.indent(line):]
	if bytes.HasPrefix(text, []byte("-")) || bytes.Contains(text, []byte(": ")) || bytes.HasSuffix(text, []byte(":")) {
		return nil
	}
	return &guess{at: at, summary: dashSummary, help: fmt.Sprintf("write - %s", bytes.TrimRight(text, " "))}
}

var pairAlone = lazyRegexp(`^\s*([^\s:=]+[:=]\S+)$`)

// dashesMissing finds the lines of a list that begin without dashes, where a comment ends the text that YAML makes of them.
func dashesMissing(s *source, line, last int) *guess {
	for n := last; n > line; n-- {
		above := s.above(n)
		if above < 1 || s.indent(above) != s.indent(n) {
			continue
		}
		key := s.above(above)
		m := pairAlone().FindSubmatchIndex(s.code(above))
		if m == nil || key < 0 || !pairAlone().Match(s.code(n)) || s.indent(key) >= s.indent(n) || !bytes.HasSuffix(s.code(key), []byte(":")) {
			continue
		}
		return s.part(above, m[2], m[3], dashSummary, "write - %s", s.code(above)[m[2]:m[3]])
	}
	return nil
}

const dashSummary = "an item of the list without its dash"

var (
	noSpace   = lazyRegexp(`^(\s*(?:- +)?)([A-Za-z][\w-]*)(\s*=\s*|:|\s+)(\S.*)$`)
	wordAlone = lazyRegexp(`^\s*([A-Za-z][\w.-]*)$`)
)

// wrongSeparator finds a key that is not followed by a colon and a space: memory:512m, memory = 512m, memory 512m.
func wrongSeparator(s *source, line, last int) *guess {
	for _, n := range []int{line, s.above(line), s.above(last)} {
		if n < 0 {
			continue
		}
		if above := s.above(n); above >= 0 && s.indent(n) > s.indent(above) && keyAndValue().Match(s.code(above)) {
			continue // goes on with the value above
		}
		text := s.code(n)
		if m := wordAlone().FindSubmatchIndex(text); m != nil && n < last {
			return s.part(n, m[2], m[3], "a key without `:`", "write %s:", text[m[2]:m[3]])
		}
		m := noSpace().FindSubmatchIndex(text)
		if m == nil || bytes.Contains(text[m[4]:], []byte(": ")) || bytes.HasSuffix(text, []byte(":")) {
			continue
		}
		summary, value := "a key without `:`", string(text[m[8]:m[9]])
		if text[m[6]] == ':' {
			summary = "a space is missing behind the colon"
		} else if inner := strings.Trim(value, `"`); plainWord().MatchString(inner) {
			value = inner
		}
		return s.part(n, m[4], m[9], summary, "write %s: %s", text[m[4]:m[5]], value)
	}
	return nil
}

// plainWord is text that needs no quotes in YAML for certain.
var plainWord = lazyRegexp(`^[A-Za-z0-9_./-]+$`)

var keyAndValue = lazyRegexp(`^\s*(?:- +)?([\w.-]+):\s+\S`)

// deeperThanAbove finds a line that is indented deeper than one whose value is complete.
func deeperThanAbove(s *source, _, last int) *guess {
	text := string(s.code(last))
	above := s.above(last)
	if above < 0 || s.indent(last) <= s.indent(above) || strings.Count(text+" ", ": ") != 1 {
		return nil
	}
	m := keyAndValue().FindSubmatch(s.code(above))
	if m == nil {
		return nil
	}
	column := bytes.Index(s.code(above), m[1])
	return &guess{
		at: s.lineSpan(last), summary: "this line is indented deeper than the one above it, which is complete",
		help: fmt.Sprintf("begin it where %s begins, in column %d", m[1], column+1),
	}
}

var firstWord = lazyRegexp(`^\s*((?:- )?[^\s:]*)`)

// notAligned finds a line that begins between the columns of the sections around it. The parser may have read one line
// more.
func notAligned(s *source, _, last int) *guess {
	if n := s.above(last); n > 0 && s.indent(n) < s.indent(last) && s.indent(n) < s.indent(max(s.above(n), 0)) {
		if g := s.misaligned(n); g != nil {
			return g
		}
	}
	return s.misaligned(last)
}

func (s *source) misaligned(last int) *guess {
	own := s.indent(last)
	nearest := -1
	for n, most := s.above(last), 1<<30; n >= 0 && most > 0; n = s.above(n) {
		indent := s.indent(n)
		if indent >= most {
			continue
		}
		if most = indent; indent == own {
			return nil
		}
		if nearest < 0 || distance(indent, own) < distance(s.indent(nearest), own) {
			nearest = n
		}
	}
	if nearest < 0 {
		return nil
	}
	return &guess{
		at: s.lineSpan(last), summary: "this line is not aligned with those around it",
		help: fmt.Sprintf("begin it where %q begins, in column %d", firstWord().FindSubmatch(s.code(nearest))[1], s.indent(nearest)+1),
	}
}

func distance(a, b int) int { return max(a-b, b-a) }

// itemNotAligned finds an item of a list that does not begin in the column of the one above it; the parser gives up at the
// line behind it.
func itemNotAligned(s *source, _, last int) *guess {
	n := s.above(last)
	above := s.above(max(n, 0))
	if n < 0 || above < 0 || s.indent(n) >= s.indent(above) || s.indent(n) != s.indent(last) {
		return nil
	}
	for _, line := range []int{n, above} {
		if !bytes.HasPrefix(s.code(line)[s.indent(line):], []byte("- ")) {
			return nil
		}
	}
	return &guess{
		at: s.lineSpan(n), summary: "this item is not aligned with the one above it",
		help: fmt.Sprintf("begin its dash in column %d", s.indent(above)+1),
	}
}

// secondColon finds a value that holds a colon and a space.
func secondColon(s *source, _, last int) *guess {
	text := s.code(last)
	first := bytes.Index(text, []byte(": "))
	if first < 0 {
		return nil
	}
	from := first + len(": ")
	for from < len(text) && text[from] == ' ' {
		from++
	}
	i := bytes.Index(append(bytes.Clone(text[from:]), ' '), []byte(": "))
	if i < 0 || bytes.IndexByte([]byte(`"'[{`), text[from]) >= 0 {
		return nil
	}
	g := s.part(last, from+i, from+i+1, "a second `: ` in one line", "quote the value: %s", quoteText(string(text[from:])))
	g.value = s.span(s.starts[last]+from, s.starts[last]+len(text))
	return g
}

// tabOnEmptyLine finds a tab on an empty line, or before a comment, beside the last line that was read.
func tabOnEmptyLine(s *source, _, last int) *guess {
	for _, step := range []int{1, -1} {
		for n := last + step; n >= 0 && n < len(s.starts) && s.blank(n); n += step {
			if i := tabIndent(s.line(n)); i >= 0 {
				return s.part(n, i, i+1, "a tab stands on a line without a key", "remove it, or use spaces")
			}
		}
	}
	return nil
}
