package manifest

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/runfile/runfile/manifest/diag"
)

// The guessers of this file look at what stands in brackets and braces.

var itemInBrackets = lazyRegexp(`(?:[\[,]\s*|[{,]\s*[\w-]+:\s+)((?:[*@%|>:` + "`" + `]|\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]:)[^,\]}]*)`)

// unquotedItem finds such a value in a list in brackets.
func unquotedItem(s *source, line, last int) *guess {
	for n := last; n >= line; n-- {
		text := s.code(n)
		if m := itemInBrackets().FindSubmatchIndex(text); m != nil && !inQuotes(text, m[2]) {
			value := strings.TrimRight(string(text[m[2]:m[3]]), " ")
			return s.badValue(n, m[2], m[2]+len(value), "this value means something else in YAML", "quote the value: %s", quoteText(value))
		}
	}
	return nil
}

// inQuotes reports whether a place of a line stands between quotes.
func inQuotes(text []byte, at int) bool {
	open := byte(0)
	for _, c := range text[:at] {
		switch {
		case open == 0 && (c == '"' || c == '\''):
			open = c
		case c == open:
			open = 0
		}
	}
	return open != 0
}

// inYAMLQuotes is inQuotes where a quote counts only at the beginning of a value: A="b" has none.
func inYAMLQuotes(text []byte, at int) bool {
	open := byte(0)
	for i, c := range text[:at] {
		switch {
		case open == 0 && (c == '"' || c == '\'') && (i == 0 || bytes.IndexByte([]byte(" \t[{,"), text[i-1]) >= 0):
			open = c
		case c == open:
			open = 0
		}
	}
	return open != 0
}

var bracesExpr = lazyRegexp(`[^\s\[,{]*\{\{\s*([\w.]*)[^}]*\}\}[^\s\],]*`)

// templateBraces finds {{ name }}, the variables of other tools.
func templateBraces(s *source, line, last int) *guess {
	for n := last; n >= line; n-- {
		text := s.code(n)
		if m := bracesExpr().FindSubmatchIndex(text); m != nil && !inQuotes(text, m[0]) {
			return s.badValue(n, m[0], m[1], "braces begin a map in YAML", "%s", bracesHelp(string(text[m[0]:m[1]]), string(text[m[2]:m[3]])))
		}
	}
	return nil
}

func bracesHelp(text, name string) string {
	help := "quote the value if the program needs the braces: " + quoteText(text)
	if variableName.MatchString(name) {
		help += fmt.Sprintf("; a variable of the runfile is written ${%s}", name)
	}
	return help
}

var endOfValue = lazyRegexp(`["}\]\w]$`)

// commaMissing finds a line of JSON behind which a comma is missing: the next one begins with a quote.
func commaMissing(s *source, _, last int) *guess {
	if s.at(s.skip(0, " \t\r\n")) != '{' {
		return nil
	}
	for n := last; n > 0; n-- {
		above := s.above(n)
		if above < 0 || !bytes.HasPrefix(bytes.TrimLeft(s.code(n), " \t"), []byte(`"`)) {
			continue
		}
		if text := s.code(above); endOfValue().Match(text) {
			return s.part(above, len(text)-1, len(text), "a comma is missing behind this", "put a comma there")
		}
	}
	return nil
}

var variableStart = lazyRegexp(`\$\{`)

// variableInBrackets finds ${NAME} without quotes in a list in brackets or a map in braces, where its brace begins a map.
func variableInBrackets(s *source, line, last int) *guess {
	for n := last; n >= line; n-- {
		text := s.code(n)
		if len(text) > maxGuessLine {
			continue
		}
		for _, m := range variableStart().FindAllIndex(text, -1) {
			at := m[0]
			if inYAMLQuotes(text, at) || n <= line+1 && !bytes.ContainsAny(text[:at], "[{") { // the list begins there at the earliest
				continue
			}
			from, end := itemAround(text, at)
			g := s.badValue(n, from, end, "inside [ ] and { } the brace of a variable begins a map", "quote the value: %s", quoteText(string(text[from:end])))
			if bytes.Count(text[from:end], []byte("{")) != bytes.Count(text[from:end], []byte("}")) {
				g.value = diag.Range{}
			}
			return g
		}
	}
	return nil
}

// itemAround is the item of a list in brackets, or the value of a map in braces, that holds a variable.
func itemAround(text []byte, at int) (from, end int) {
	from = at
	for from > 0 && bytes.IndexByte([]byte("[,{"), text[from-1]) < 0 && !bytes.HasSuffix(text[:from], []byte(": ")) {
		from--
	}
	for from < at && text[from] == ' ' {
		from++
	}
	depth := 0
	for end = at; end < len(text) && (depth > 0 || bytes.IndexByte([]byte(",]}"), text[end]) < 0); end++ {
		switch text[end] {
		case '{':
			depth++
		case '}':
			depth--
		}
	}
	return from, from + len(bytes.TrimRight(text[from:end], " "))
}

// hashInBrackets finds an item that begins with #, which cuts the rest of the line off.
func hashInBrackets(s *source, line, last int) *guess {
	for n := last; n >= line; n-- {
		text := s.line(n)
		hash := bytes.Index(text, []byte(" #"))
		if hash < 0 || inQuotes(text, hash) || bytes.IndexByte(text[:hash], '[') < 0 || bytes.IndexByte(text[hash:], ']') < 0 ||
			bytes.IndexByte(text[:hash], ']') >= 0 {
			continue
		}
		end := hash + 1
		for end < len(text) && bytes.IndexByte([]byte(",] "), text[end]) < 0 {
			end++
		}
		return s.part(n, hash+1, end, "# begins a comment, so the list is never closed", "quote the value: %s", quoteText(string(text[hash+1:end])))
	}
	return nil
}

var startsKey = lazyRegexp(`^\s*[\w.-]+:(?: |$)`)

// openBracket finds the bracket that is not closed before the next key.
func openBracket(s *source, line, last int) *guess {
	for n := max(line, 0); n < last; n++ {
		text := s.code(n)
		if len(text) > maxGuessLine {
			return nil
		}
		from := -1
		for i, c := range text {
			switch {
			case c != '[' && c != '{' && c != ']' && c != '}' || inYAMLQuotes(text, i):
			case c == '[' || c == '{':
				from = max(from, i)
			default:
				from = -1
			}
		}
		if from < 0 {
			continue
		}
		next := n + 1
		for next < last && s.blank(next) {
			next++
		}
		if !startsKey().Match(s.code(next)) || s.indent(next) > s.indent(n) {
			return nil
		}
		closing := map[byte]string{'[': "]", '{': "}"}[text[from]]
		return s.part(n, from, len(text), openSummary, "end it with `%s`", closing)
	}
	return nil
}

const openSummary = "this bracket is never closed"
