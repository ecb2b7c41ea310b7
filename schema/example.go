package schema

import (
	"strings"

	"github.com/runfile/runfile/manifest"
)

// LineTOML is the option with its example as a line of TOML.
func (o *Option) LineTOML() string { return spelledTOML.example(o) }

// LineFlag is the option with its example as a flag of `runfile run`, "" if it is none or takes no text.
func (o *Option) LineFlag() string {
	name, text := "--"+o.Name, o.Example
	switch {
	case o.NoFlag || o.Group == "" || o.Kind == Object:
		return ""
	case o.Kind == Switch && o.Example != "true":
		return name + "=" + o.Example
	case o.Kind == Words:
		text = o.firstWord()
	}
	if o.Short != "" {
		name = "-" + o.Short
	}
	if o.Kind == Switch {
		return name
	}
	return name + " " + shellQuote(text)
}

// firstWord is an example that is a command as a flag can say it: of a list the first argument.
func (o *Option) firstWord() string {
	root, diags := manifest.ParseYAML("", []byte(o.Line()))
	if diags.HasErrors() || len(root.Entries) != 1 {
		return o.Example
	}
	v := root.Entries[0].Value
	if v.Kind == manifest.List && len(v.Items) > 0 {
		v = v.Items[0]
	}
	return v.Text
}

// ToTOML writes a piece of a runfile that is YAML as TOML, "" if it is none.
func ToTOML(yaml string) string { return strings.TrimSpace(rewritten(yaml, "toml")) }

// ToJSON writes it as JSON.
func ToJSON(yaml string) string { return rewritten(yaml, "json") }

func rewritten(yaml, format string) string {
	root, diags := manifest.ParseYAML("", []byte(yaml))
	if diags.HasErrors() {
		return ""
	}
	var b strings.Builder
	if err := WriteTree(&b, root, format); err != nil {
		return ""
	}
	return b.String()
}
