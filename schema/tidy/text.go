package tidy

import (
	"regexp"
	"strings"
)

// Words that YAML 1.1 or 1.2 reads as something else than text. Runfiles are read as YAML 1.2, but editors and other
// tools that see them are not all so young, so quotes around these stay.
var (
	otherWord   = regexp.MustCompile(`(?i)^(y|n|yes|no|on|off|true|false|null|~|=|<<)$`)
	otherNumber = regexp.MustCompile(`(?i)^([-+]?[0-9._:,]*(e[-+]?[0-9]+)?|[-+]?0[xob][0-9a-f_]*|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*|[-+]?\.(inf|nan))$`)
	bareText    = regexp.MustCompile(`^[A-Za-z0-9_./~]([A-Za-z0-9_./=+@:~-]*|[A-Za-z0-9_./=+@:~ -]*[A-Za-z0-9_./=+@~-])$`)
)

// bare reports whether a text needs no quotes. In brackets words with spaces keep them, for the eye.
func bare(text string, flow bool) bool {
	return bareText.MatchString(text) && !strings.HasSuffix(text, ":") && !strings.Contains(text, ": ") &&
		!otherWord.MatchString(text) && !otherNumber.MatchString(text) && (!flow || !strings.Contains(text, " "))
}

// unquote returns the text of a scalar of one line; what has escapes stays as it is.
func unquote(raw string) string {
	switch {
	case len(raw) < 2 || raw[0] != raw[len(raw)-1]:
		return raw
	case raw[0] == '\'':
		return strings.ReplaceAll(raw[1:len(raw)-1], "''", "'")
	case raw[0] == '"' && !strings.Contains(raw, `\`):
		return raw[1 : len(raw)-1]
	}
	return raw
}

// yamlText is the normal form of a scalar of one line: without quotes where nothing needs them, else in double quotes
// unless that takes escapes.
func yamlText(raw string, flow bool) string {
	if raw == "" || raw[0] != '"' && raw[0] != '\'' {
		if flow && (strings.ContainsAny(raw, flowSigns) || strings.HasPrefix(raw, ":")) { // plain in a block
			return doubleQuoted(raw, "'"+strings.ReplaceAll(raw, "'", "''")+"'")
		}
		return raw
	}
	text := unquote(raw)
	switch {
	case text == raw, strings.Contains(text, "${"):
		return raw
	case bare(text, flow):
		return text
	}
	return doubleQuoted(text, raw)
}

// doubleQuoted is the text in double quotes, or other where that would take escapes.
func doubleQuoted(text, other string) string {
	if strings.ContainsAny(text, `"\`) {
		return other
	}
	return `"` + text + `"`
}
