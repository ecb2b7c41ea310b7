package schema

import (
	"strings"

	"github.com/runfile/runfile/manifest"
)

// LineTOML is the option with its example as a line of TOML.
func (o *Option) LineTOML() string {
	root, diags := manifest.ParseYAML("", []byte(o.Line()))
	if diags.HasErrors() || len(root.Entries) != 1 {
		return ""
	}
	return tomlKey(o.Name) + " = " + tomlValue(treeOfNode(root.Entries[0].Value))
}

// LineFlag is the option with its example as a flag of `runfile run`, "" if it is none.
func (o *Option) LineFlag() string {
	name := "--" + o.Name
	if o.Short != "" {
		name = "-" + o.Short
	}
	switch {
	case o.NoFlag || o.Group == "":
		return ""
	case o.Kind == Switch && o.Example == "true":
		return name
	case o.Kind == Switch:
		return "--" + o.Name + "=" + o.Example
	case o.Kind == Object:
		return name + " " + o.Arg
	}
	return name + " " + shellQuote(o.firstWord())
}

// firstWord is the example as a flag can say it: of a list of arguments the first.
func (o *Option) firstWord() string {
	root, diags := manifest.ParseYAML("", []byte(o.Line()))
	if o.Kind != Words || diags.HasErrors() || len(root.Entries) != 1 {
		return o.Example
	}
	if v := root.Entries[0].Value; v.Kind == manifest.List && len(v.Items) > 0 {
		return v.Items[0].Text
	}
	return root.Entries[0].Value.Text
}

// ToTOML writes a piece of a runfile that is YAML as TOML, "" if it is none.
func ToTOML(yaml string) string {
	root, diags := manifest.ParseYAML("", []byte(yaml))
	if diags.HasErrors() {
		return ""
	}
	var b strings.Builder
	if err := WriteTree(&b, root, "toml"); err != nil {
		return ""
	}
	return strings.TrimSpace(b.String())
}
