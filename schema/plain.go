package schema

import (
	"regexp"
	"strings"
	"sync"
)

// PlainYAML reports whether a text may stand in YAML without quotes: YAML 1.1 and 1.2 both read it as this text. In
// brackets words with spaces keep quotes, for the eye.
func PlainYAML(text string, inBrackets bool) bool {
	p := plainForms()
	return p.plain.MatchString(text) && !strings.HasSuffix(text, ":") && !strings.Contains(text, ": ") &&
		!p.word.MatchString(text) && !p.number.MatchString(text) && (!inBrackets || !strings.Contains(text, " "))
}

// plainForms: runfiles are read as YAML 1.2, but editors and other tools that see them are not all so young, so what
// either version takes for a number, a date, a boolean or nothing is not plain.
var plainForms = sync.OnceValue(func() (p struct{ plain, word, number *regexp.Regexp }) {
	p.plain = regexp.MustCompile(`^-{0,2}[A-Za-z0-9_./~]([A-Za-z0-9_./=+@:~-]*|[A-Za-z0-9_./=+@:~ -]*[A-Za-z0-9_./=+@~-])$`)
	p.word = regexp.MustCompile(`(?i)^(y|n|yes|no|on|off|true|false|null|~)$`)
	p.number = regexp.MustCompile(`(?i)^([-+]?([0-9][0-9_]*)?(\.[0-9_]*)?(e[-+]?[0-9]+)?|[-+]?[0-9][0-9_]*(:[0-9]+)+(\.[0-9_]*)?|` +
		`[-+]?0[xob][0-9a-f_]*|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*|[-+]?\.(inf|nan))$`)
	return p
})
