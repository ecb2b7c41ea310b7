package schema

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"gopkg.in/yaml.v3"
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
			yamlList(b, v, pad)
		default:
			b.WriteString(" " + yamlScalar(v) + "\n")
		}
	}
}

// yamlList prints a list on one line if it is short.
func yamlList(b *strings.Builder, list []any, pad string) {
	flow := yamlFlow(list)
	if len(pad)+len(flow) <= 100 {
		b.WriteString(" " + flow + "\n")
		return
	}
	b.WriteString("\n")
	for _, v := range list {
		b.WriteString(pad + "  - " + yamlFlow(v) + "\n")
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

// plainYAML is text that needs no quotes anywhere, as long as YAML does not read it as something else.
var plainYAML = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_./][A-Za-z0-9_./=+@-]*$`) })

func yamlScalar(v any) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case string:
		if plainYAML().MatchString(v) && yamlReads(v) {
			return v
		}
		return quoted(v)
	}
	return ""
}

// yamlReads reports whether YAML takes the bare word for text: not for a number, a boolean, a date or nothing. The
// words of YAML 1.1 are left out as well, for the sake of other readers.
func yamlReads(word string) bool {
	switch strings.ToLower(word) {
	case "yes", "no", "on", "off", "y", "n":
		return false
	}
	var n yaml.Node
	if yaml.Unmarshal([]byte(word), &n) != nil || len(n.Content) != 1 {
		return false
	}
	return n.Content[0].Tag == "!!str" && n.Content[0].Value == word
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
			b.WriteString(tomlKey(m.key) + " = " + tomlValue(m.value) + "\n")
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
		if path != "" || m.key == "policy" || len(sub) == 0 {
			b.WriteString("\n[" + name + "]\n")
		}
		tomlTable(b, sub, name)
	}
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
