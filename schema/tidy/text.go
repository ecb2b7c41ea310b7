package tidy

import (
	"strings"

	"github.com/runfile/runfile/schema"
)

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
	case schema.PlainYAML(text, flow):
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
