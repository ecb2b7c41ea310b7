package manifest

import (
	"bytes"
	"strings"

	"github.com/runfile/runfile/manifest/diag"
)

// tomlGuesses look at the line where a TOML parser gave up; last is the byte of the line at which it did.
var tomlGuesses = []guesser{
	mergeConflict, yamlText, noBreakSpace, slashBehindValue, semicolon, typographicQuotes, colonForEquals, sectionWithColon,
	missingEquals, listInBraces, pairsInBrackets, headerWithBlanks, openListAbove, openTomlQuote, escapeInPath, noValueBehind,
	behindTomlQuote, bareValue, bareItem,
}

var yamlLine1 = lazyRegexp(`^(---|- |[\w-]+:(\s|$))`)

// yamlText finds a file that is YAML from its first line on.
func yamlText(s *source, line, _ int) *guess {
	n := 0
	for n < len(s.starts)-1 && s.blank(n) {
		n++
	}
	if n != line || !yamlLine1().Match(s.line(n)) {
		return nil
	}
	if m := colonPair().FindSubmatch(s.code(n)); m != nil && n+1 < len(s.starts) && bytes.IndexByte(s.text[s.starts[n+1]:], '=') >= 0 {
		return nil // one wrong line of TOML
	}
	return &guess{
		at: s.lineSpan(n), summary: "this is YAML, and it is read as TOML",
		help: "give the file a name that ends with .yaml, or write TOML: `name = value`",
	}
}

func slashBehindValue(s *source, line, at int) *guess {
	text := s.line(line)
	if at < len(text) && (bytes.HasPrefix(text[at:], []byte("//")) || bytes.HasPrefix(text[at:], []byte("/*"))) {
		return s.part(line, at, at+2, "a comment does not begin like this", "begin it with #")
	}
	return nil
}

func noBreakSpace(s *source, line, at int) *guess {
	const blank = "\u00a0"
	if text := s.line(line); at < len(text) && bytes.HasPrefix(text[at:], []byte(blank)) {
		return s.part(line, at, at+len(blank), noBreakSummary, "type an ordinary space")
	}
	return nil
}

func semicolon(s *source, line, at int) *guess {
	if text := s.code(line); at < len(text) && string(text[at:]) == ";" {
		return s.part(line, at, at+1, "a semicolon follows the value", "remove it; the end of the line ends a value")
	}
	return nil
}

var quotePairs = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "‘", "'", "’", "'", "«", `"`, "»", `"`)

const typographicSummary = "these quotes are typographic ones, which quote nothing"

var typographic = lazyRegexp(`[“„«‘][^“”„«»‘’]*[”“»’]`)

// typographicQuotes finds the quotes of word processors.
func typographicQuotes(s *source, line, _ int) *guess {
	text := s.line(line)
	m := typographic().FindIndex(text)
	if m == nil || inQuotes(text, m[0]) {
		return nil
	}
	return s.part(line, m[0], m[1], typographicSummary, "write %s", quotePairs.Replace(string(text[m[0]:m[1]])))
}

var (
	colonPair  = lazyRegexp(`^\s*([\w-]+)\s*:\s+(\S.*)$`)
	twoWords   = lazyRegexp(`^\s*([\w-]+(?: +[\w-]+)+)\s*=\s*(.*)$`)
	noEquals   = lazyRegexp(`^\s*(\w[\w-]*)\s+([^\s=].*)$`)
	equalsPair = lazyRegexp(`^\s*([\w."'-]+)\s*=\s*(\S.*)$`)
	pairInMap  = lazyRegexp(`[{,]\s*([\w-]+)\s*:\s*("[^"]*"|'[^']*'|[^,}\s]+)`)
	number     = lazyRegexp(`^[+-]?[0-9][0-9_]*(\.[0-9]+)?$`)
)

// tomlWritten is text as a value of TOML.
func tomlWritten(text string) string {
	switch {
	case text == "true" || text == "false" || number().MatchString(text) && (text[0] != '0' || len(text) == 1):
		return text
	case strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{") || strings.HasPrefix(text, `"`) || strings.HasPrefix(text, "'"):
		return text
	case strings.ContainsAny(text, `"\`) && !strings.Contains(text, "'"):
		return "'" + text + "'"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// colonForEquals finds `name: value`.
func colonForEquals(s *source, line, _ int) *guess {
	text := s.code(line)
	m := colonPair().FindSubmatchIndex(text)
	if m == nil {
		m = pairInMap().FindSubmatchIndex(text)
	}
	if m == nil || inQuotes(text, m[2]) {
		return nil
	}
	return s.part(line, m[2], m[5], "a key without `=`", "write %s = %s", text[m[2]:m[3]], tomlWritten(string(text[m[4]:m[5]])))
}

var (
	colonAlone  = lazyRegexp(`^\s*([\w-]+):$`)
	tableHeader = lazyRegexp(`^\s*\[([\w.-]+)\]$`)
)

// sectionWithColon finds `name:` as in YAML, below the header of a section.
func sectionWithColon(s *source, line, _ int) *guess {
	m := colonAlone().FindSubmatchIndex(s.code(line))
	if m == nil {
		return nil
	}
	name := string(s.code(line)[m[2]:m[3]])
	for n := s.above(line); n >= 0; n = s.above(n) {
		if header := tableHeader().FindSubmatch(s.code(n)); header != nil {
			name = string(header[1]) + "." + name
			break
		}
	}
	return s.part(line, m[2], m[3]+1, "a section does not begin like this", "write [%s]", name)
}

var namedItems = lazyRegexp(`\[(\s*[\w.-]+\s*=\s*("[^"]*"|'[^']*'|[\w.]+)(\s*,\s*[\w.-]+\s*=\s*("[^"]*"|'[^']*'|[\w.]+))*\s*)\]`)

// pairsInBrackets finds [ A = "b" ].
func pairsInBrackets(s *source, line, _ int) *guess {
	text := s.code(line)
	m := namedItems().FindSubmatchIndex(text)
	if m == nil || inQuotes(text, m[0]) || !bytes.ContainsAny(text[m[4]:m[5]], `"'`) {
		return nil
	}
	return s.part(line, m[0], m[1], "brackets hold values alone, and these have names", "write {%s}", text[m[2]:m[3]])
}

// missingEquals finds `name value`, and `two words = value`.
func missingEquals(s *source, line, _ int) *guess {
	text := s.code(line)
	if m := twoWords().FindSubmatchIndex(text); m != nil {
		key := strings.Join(strings.Fields(string(text[m[2]:m[3]])), "-")
		return s.part(line, m[2], m[3], "a key has no blanks", "write %s = %s", key, text[m[4]:m[5]])
	}
	if m := wordAlone().FindSubmatchIndex(text); m != nil {
		return s.part(line, m[2], m[3], "a key without `=`", "write %s = VALUE", text[m[2]:m[3]])
	}
	m := noEquals().FindSubmatchIndex(text)
	if m == nil {
		return nil
	}
	return s.part(line, m[2], m[5], "a key without `=`", "write %s = %s", text[m[2]:m[3]], tomlWritten(string(text[m[4]:m[5]])))
}

var onlyValues = lazyRegexp(`\{\s*((?:"[^"]*"|'[^']*')(?:\s*,\s*(?:"[^"]*"|'[^']*'))*)\s*,?\s*\}`)

// listInBraces finds { "a", "b" }.
func listInBraces(s *source, line, _ int) *guess {
	text := s.line(line)
	m := onlyValues().FindSubmatchIndex(text)
	if m == nil {
		return nil
	}
	return s.part(line, m[0], m[1], "braces hold `name = value`, and these are values alone", "write a list: [%s]", text[m[2]:m[3]])
}

var blankHeader = lazyRegexp(`^\s*(\[+)([\w-]+)\.([\w-]+(?: +[\w-]+)+)(\]+)$`)

// headerWithBlanks finds [containers.my web].
func headerWithBlanks(s *source, line, _ int) *guess {
	text := s.code(line)
	m := blankHeader().FindSubmatchIndex(text)
	if m == nil {
		return nil
	}
	return s.part(line, m[6], m[7], "a name has no blanks", "write %s%s.%s%s", text[m[2]:m[3]], text[m[4]:m[5]],
		strings.Join(strings.Fields(string(text[m[6]:m[7]])), "-"), text[m[8]:m[9]])
}

var opensList = lazyRegexp(`^\s*[\w.-]+\s*=\s*[\[{]`)

// openListAbove finds the list that was never closed where a key stands in place of an item.
func openListAbove(s *source, line, at int) *guess {
	text := s.code(line)
	if m := equalsPair().FindSubmatchIndex(text); m == nil || at > m[2] || text[m[2]] == '"' || text[m[2]] == '\'' {
		return nil
	}
	n := s.above(line)
	for n >= 0 && !opensList().Match(s.code(n)) {
		if text := s.code(n); len(text) > 0 && bytes.IndexByte([]byte(`"'`), text[s.indent(n)]) < 0 && equalsPair().Match(text) {
			return nil // complete, and no item such as "A=1"
		}
		n = s.above(n)
	}
	if n < 0 {
		return nil
	}
	text = s.code(n)
	from := bytes.IndexAny(text, "[{")
	closing := map[byte]string{'[': "]", '{': "}"}[text[from]]
	return s.part(n, from, len(text), openSummary, "end it with `%s`", closing)
}

// openTomlQuote points at the quote that is not closed on its line.
func openTomlQuote(s *source, line, at int) *guess {
	text := s.line(line)
	from := openQuote(text)
	if from < 0 || at <= from || bytes.HasPrefix(text[from:], bytes.Repeat(text[from:from+1], 3)) {
		return nil
	}
	return s.part(line, from, len(text), "this quote is not closed on its line", `end the text with the same quote, or use """ for text of several lines`)
}

// escapedPath is the double-quoted path of Windows in which an escape has become a control character.
var escapedPath = lazyRegexp(`^"[A-Za-z]:(?:\\[\w.-]+)*\\[abeftv0][\w.-]*(?:\\[\w.-]+)*(?::[^"\s]*)?"$`)

// checkEscapes reports a path such as "c:\temp", which is no mistake of form but never meant.
func (s *source) checkEscapes(d *diag.List, from, end int) {
	raw := s.text[from:end]
	if len(raw) > len(`"c:\`) && raw[2] == ':' && raw[3] == '\\' && len(raw) < maxKeyLength && escapedPath().Match(raw) {
		d.Errorf(CodeSyntax, s.span(from, end), "in double quotes a backslash begins an escape, such as \\t for a tab").
			WithHelp("use single quotes: '%s'", raw[1:len(raw)-1])
	}
}

var pathInQuotes = lazyRegexp(`"([A-Za-z]:\\[^"]*)"`)

// escapeInPath finds "c:\dir", in which the backslash begins an escape.
func escapeInPath(s *source, line, _ int) *guess {
	text := s.line(line)
	m := pathInQuotes().FindSubmatchIndex(text)
	if m == nil || bytes.Contains(text[m[2]:m[3]], []byte(`\\`)) {
		return nil
	}
	return s.badValue(line, m[0], m[1], `in double quotes a backslash begins an escape`, "use single quotes: '%s'", text[m[2]:m[3]])
}

var decimalComma = lazyRegexp(`^[0-9]+,[0-9]+$`)

// switchWords are the other spellings of true and false.
var switchWords = map[string]string{
	"True": "true", "TRUE": "true", "yes": "true", "Yes": "true", "on": "true", "False": "false", "FALSE": "false", "no": "false",
	"No": "false", "off": "false",
}

// noValueBehind finds a key with an equals sign and nothing behind it.
func noValueBehind(s *source, line, at int) *guess {
	text := s.code(line)
	if at < len(text) || !bytes.HasSuffix(text, []byte("=")) {
		return nil
	}
	from := s.indent(line)
	return s.part(line, from, len(text), "a value is missing behind `=`", "give it one, or remove the key")
}

// quotedWords are words in double quotes side by side.
var quotedWords = lazyRegexp(`^"[^"\s]*"(?:\s+"[^"\s]*")+$`)

// behindTomlQuote finds text behind the quote that ends a value: 'it's', "a", "b".
func behindTomlQuote(s *source, line, _ int) *guess {
	text := s.code(line)
	m := equalsPair().FindSubmatchIndex(text)
	if m == nil || text[m[4]] != '"' && text[m[4]] != '\'' {
		return nil
	}
	found := s.behindQuoteAt(line, m[4])
	switch rest := bytes.TrimSpace(text[tomlStringEnd(text, m[4]):]); {
	case found == nil || len(rest) == 0: // a text of several lines
		return nil
	case string(rest) == ",": // as in JSON
		return found
	case quotedWords().Match(text[m[4]:m[5]]):
		list := strings.Join(strings.Fields(string(text[m[4]:m[5]])), ", ")
		return s.part(line, m[4], m[5], "several values need brackets around them", "write %s = [%s]", text[m[2]:m[3]], list)
	case rest[0] == ',':
		return s.part(line, m[4], m[5], "several values need brackets around them", "write %s = [%s]", text[m[2]:m[3]], text[m[4]:m[5]])
	case bytes.IndexByte(rest, text[m[4]]) < 0:
		found.summary, found.help = "something follows the value here", "remove it; a comment begins with #"
	}
	return found
}

// bareValue finds a value that TOML wants in quotes or writes otherwise.
func bareValue(s *source, line, at int) *guess {
	text := s.code(line)
	m := equalsPair().FindSubmatchIndex(text)
	if m == nil || at < m[4] {
		return nil
	}
	key, value := text[m[2]:m[3]], string(text[m[4]:m[5]])
	if strings.ContainsAny(value[:1], "[{\"'") {
		return nil
	}
	summary, written := "this text needs quotes", tomlWritten(value)
	switch {
	case value == "null" || value == "None" || value == "nil" || value == "~":
		return s.part(line, m[4], m[5], "there is no such value in TOML", "remove the key to say nothing")
	case decimalComma().MatchString(value):
		summary, written = "a number has a point, not a comma", strings.Replace(value, ",", ".", 1)
	case switchWords[value] != "":
		summary, written = "a switch is true or false", switchWords[value]
	case value[0] == '.' && number().MatchString("0"+value):
		summary, written = "a number may not start with a point", "0"+value
	case number().MatchString(value): // a number all the same: the complaint is about something else
		return nil
	}
	return s.part(line, m[4], m[5], summary, "write %s = %s", key, written)
}

// bareItem finds such a value in a list or map.
func bareItem(s *source, line, at int) *guess {
	text := s.code(line)
	if m := equalsPair().FindSubmatchIndex(text); at >= len(text) || m != nil && at < m[4] {
		return nil // the end of the line, or a key: a bracket above is open
	}
	from := at
	for from > 0 && bytes.IndexByte([]byte("[,={ "), text[from-1]) < 0 {
		from--
	}
	end := at
	for end < len(text) && bytes.IndexByte([]byte(",]}\"' "), text[end]) < 0 {
		end++
	}
	word := string(text[from:end])
	if end == from || number().MatchString(word) || inQuotes(text, from) || bytes.IndexByte([]byte("=[]{}"), word[0]) >= 0 {
		return nil
	}
	if yes := switchWords[word]; yes != "" {
		return s.part(line, from, end, "a switch is true or false", "write %s", yes)
	}
	return s.part(line, from, end, "this text needs quotes", "write %s", tomlWritten(word))
}
