package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// yamlManifest prints block style, with short lists of plain text in flow style.
func yamlManifest(root object) string {
	var b strings.Builder
	yamlObject(&b, root, "")
	return b.String()
}

func yamlObject(b *strings.Builder, o object, pad string) {
	for _, m := range o {
		b.WriteString(pad + yamlScalar(m.key) + ":")
		switch v := m.value.(type) {
		case object:
			if len(v) == 0 || pad != "" && yamlFlat(v) {
				b.WriteString(" " + yamlFlow(v) + "\n")
				continue
			}
			b.WriteString("\n")
			yamlObject(b, v, pad+"  ")
		case []any:
			yamlList(b, v, pad, yamlScalar(m.key)+": ")
		default:
			b.WriteString(" " + yamlBlockScalar(v) + "\n")
		}
	}
}

// fits reports whether a line with a list is short enough, as the normal form of runfile fmt has it.
func fits(line string) bool { return utf8.RuneCountInString(line) <= 100 }

// yamlList prints a list on one line if it is short.
func yamlList(b *strings.Builder, list []any, pad, key string) {
	flow := yamlFlow(list)
	if fits(pad + key + flow) {
		b.WriteString(" " + flow + "\n")
		return
	}
	b.WriteString("\n")
	for _, v := range list {
		item := yamlBlockScalar(v)
		if item == "" {
			item = yamlFlow(v)
		}
		b.WriteString(pad + "  - " + item + "\n")
	}
}

// yamlFlat reports whether a map is short enough for one line: ready and the entries of depends-on.
func yamlFlat(o object) bool {
	for _, m := range o {
		if _, nested := m.value.(object); nested {
			return false
		}
	}
	return len(yamlFlow(o)) <= 60
}

func yamlFlow(v any) string {
	var parts []string
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			parts = append(parts, yamlFlow(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case object:
		for _, m := range v {
			parts = append(parts, yamlScalar(m.key)+": "+yamlFlow(m.value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return yamlScalar(v)
}

// yamlScalar is a scalar that stands in brackets or is a key; yamlBlockScalar one that stands alone.
func yamlScalar(v any) string { return scalarText(v, true) }

func yamlBlockScalar(v any) string { return scalarText(v, false) }

func scalarText(v any, inBrackets bool) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case string:
		if PlainYAML(v, inBrackets) {
			return v
		}
		return quoted(v)
	}
	return ""
}

// quoted is a double-quoted text that YAML and TOML read alike, and JSON as well unless it holds characters beyond the
// basic plane that are not printable.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func jsonValue(b *strings.Builder, v any, pad string) {
	switch v := v.(type) {
	case object:
		if len(v) == 0 {
			b.WriteString("{}")
			return
		}
		b.WriteString("{")
		for i, m := range v {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString("\n" + pad + "  " + quoted(m.key) + ": ")
			jsonValue(b, m.value, pad+"  ")
		}
		b.WriteString("\n" + pad + "}")
	case []any:
		b.WriteString("[")
		for i, item := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			jsonValue(b, item, pad)
		}
		b.WriteString("]")
	case string:
		b.WriteString(quoted(v))
	default:
		b.WriteString(yamlScalar(v))
	}
}

// tomlManifest prints a table for each section and each of its entries.
func tomlManifest(root object) string {
	var b strings.Builder
	tomlTable(&b, root, "")
	return b.String()
}

func tomlTable(b *strings.Builder, o object, path string) {
	for _, m := range o {
		if !isTable(path, m) {
			tomlPair(b, tomlKey(m.key)+" = ", m.value)
		}
	}
	for _, m := range o {
		if !isTable(path, m) {
			continue
		}
		name := tomlKey(m.key)
		if path != "" {
			name = path + "." + name
		}
		sub := m.value.(object) //nolint:forcetypeassert // isTable
		if path != "" || len(sub) == 0 || slices.ContainsFunc(sub, func(m member) bool { return !isTable(name, m) }) {
			b.WriteString("\n[" + name + "]\n")
		}
		tomlTable(b, sub, name)
	}
}

// tomlPair prints a key and its value; a list that is too long for one line has each item on its own.
func tomlPair(b *strings.Builder, key string, v any) {
	text := tomlValue(v)
	list, ok := v.([]any)
	if !ok || fits(key+text) {
		b.WriteString(key + text + "\n")
		return
	}
	b.WriteString(key + "[\n")
	for _, item := range list {
		b.WriteString("  " + tomlValue(item) + ",\n")
	}
	b.WriteString("]\n")
}

// isTable reports whether a member gets a [table] of its own: sections and their entries do, maps inside are inline.
func isTable(path string, m member) bool {
	_, ok := m.value.(object)
	return ok && !strings.Contains(path, ".") && path != "policy"
}

var tomlBare = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-]+$`) })

func tomlKey(s string) string {
	if tomlBare().MatchString(s) {
		return s
	}
	return quoted(s)
}

func tomlValue(v any) string {
	var parts []string
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			parts = append(parts, tomlValue(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case object:
		for _, m := range v {
			parts = append(parts, tomlKey(m.key)+" = "+tomlValue(m.value))
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	case string:
		return quoted(v)
	}
	return yamlScalar(v)
}
