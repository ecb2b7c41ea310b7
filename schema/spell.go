package schema

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
)

// spelling is how the help for a mistake writes an option: as the place of the mistake does.
type spelling uint8

// The spellings: `memory: 512m`, `memory = "512m"` and `--memory 512m`.
const (
	spelledYAML spelling = iota
	spelledTOML
	spelledFlag
)

// spellingAt is the spelling of the place.
func spellingAt(at diag.Range) spelling {
	switch {
	case at.File == CommandLine:
		return spelledFlag
	case filepath.Ext(at.File) == ".toml":
		return spelledTOML
	}
	return spelledYAML
}

// pair is an option with a value that is spelled already.
func (s spelling) pair(name, value string) string {
	switch s {
	case spelledFlag:
		return "--" + name + " " + value
	case spelledTOML:
		return tomlKey(name) + " = " + value
	case spelledYAML:
	}
	return yamlScalar(name) + ": " + value
}

// on is a switch that is on.
func (s spelling) on(name string) string {
	if s == spelledFlag {
		return "--" + name
	}
	return s.pair(name, "true")
}

// quotedPair is an entry whose name needs quotes in TOML.
func (s spelling) quotedPair(name string, n *manifest.Node) string {
	text, _ := s.value(n)
	return s.pair(name, text)
}

// text is a text value.
func (s spelling) text(text string) string {
	switch s {
	case spelledFlag:
		return shellQuote(text)
	case spelledTOML:
		return quoted(text)
	case spelledYAML:
	}
	return yamlScalar(text)
}

// assign is an option with a text, or a list of texts, as the place spells it.
func assign(at diag.Range, name string, texts ...string) string {
	s := spellingAt(at)
	if len(texts) == 1 {
		return s.pair(name, s.text(texts[0]))
	}
	parts := make([]string, len(texts))
	for i, text := range texts {
		parts[i] = s.text(text)
	}
	return s.pair(name, "["+strings.Join(parts, ", ")+"]")
}

// entry is a key of an entry of a section: networks: {back: {subnet: ...}}.
func entry(at diag.Range, section, name, key, text string) string {
	s := spellingAt(at)
	if s == spelledTOML {
		return "[" + section + "." + tomlKey(name) + "] with " + assign(at, key, text)
	}
	return section + ": {" + yamlScalar(name) + ": {" + key + ": " + text + "}}"
}

// tomlNumber is a number that TOML reads as YAML does.
var tomlNumber = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?$`) })

// maxFlow is how many characters of a value fit on a line of help.
const maxFlow = 80

// value is a whole value on one line; ok is false for what is empty or too long.
func (s spelling) value(n *manifest.Node) (text string, ok bool) {
	var parts []string
	switch n.Kind {
	case manifest.Null:
		return "", false
	case manifest.Scalar:
		text = s.text(n.Text)
		if n.Type == manifest.Bool {
			text = strings.ToLower(n.Text)
		} else if n.Type != manifest.String && (s == spelledYAML || tomlNumber().MatchString(n.Text)) {
			text = n.Text
		}
	case manifest.List:
		for _, item := range n.Items {
			part, ok := s.value(item)
			if !ok {
				return "", false
			}
			parts = append(parts, part)
		}
		text = "[" + strings.Join(parts, ", ") + "]"
	case manifest.Map:
		for _, e := range n.Entries {
			part, ok := s.value(e.Value)
			if !ok {
				return "", false
			}
			parts = append(parts, s.pair(e.Key, part))
		}
		text = "{" + strings.Join(parts, ", ") + "}"
	}
	return text, len(text) <= maxFlow && !strings.Contains(text, "\n")
}

// line is an option with a value as it should be written, or the option alone if the value does not fit on a line.
func (s spelling) line(name string, n *manifest.Node) string {
	if s == spelledFlag {
		return s.pair(name, s.text(n.Text))
	}
	if text, ok := s.value(n); ok {
		return s.pair(name, text)
	}
	return name
}

// example is the example of an option.
func (s spelling) example(o *Option) string {
	if s == spelledYAML {
		return o.Line()
	}
	if s == spelledFlag {
		switch o.Kind {
		case Switch:
			return "--" + o.Name
		case Scalar, List, Map:
			return s.pair(o.Name, s.text(o.Example))
		case Words, Object:
		}
	}
	root, diags := manifest.ParseYAML("", []byte(o.Line()))
	if diags.HasErrors() || len(root.Entries) != 1 {
		return o.Line()
	}
	return s.line(o.Name, root.Entries[0].Value)
}

// Line is the option with its example as a line of YAML.
func (o *Option) Line() string {
	if o.Kind == List || o.Kind == Map {
		return o.Name + ": [" + yamlText(o.Example) + "]"
	}
	if o.Kind == Scalar {
		return o.Name + ": " + yamlText(o.Example)
	}
	return o.Name + ": " + o.Example
}

// yamlText quotes text that YAML would take for something else inside a flow list.
func yamlText(s string) string {
	if strings.ContainsAny(s, `:,[]{}#&*!|>'"%@`+"`") || s == "" {
		return quoted(s)
	}
	return s
}

// switchWords are what people write for true and false besides these.
var switchWords = map[string]string{
	"true": "true", "yes": "true", "on": "true", "y": "true", "1": "true", "enabled": "true",
	"false": "false", "no": "false", "off": "false", "n": "false", "0": "false", "disabled": "false",
}

// dollarName is a variable as a shell writes it, which a runfile takes literally.
var dollarName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?:^|[^$\\])\$([A-Za-z_][A-Za-z0-9_]*)`) })

// workingDir are the ways in which people write the working directory.
var workingDir = []string{"$PWD", "$(pwd)", "`pwd`", "%cd%", "$pwd"}

// dollarHelp is advice for a value that is wrong and holds a variable of a shell.
func dollarHelp(text string) string {
	for _, dir := range workingDir {
		if rest, ok := strings.CutPrefix(text, dir); ok {
			return "nothing is replaced here; the directory of the runfile is a dot: ." + rest
		}
	}
	if m := dollarName().FindStringSubmatch(text); m != nil {
		name := m[1]
		if slices.Contains([]string{"HOME", "USER", "PATH", "SHELL", "TMPDIR"}, name) {
			name = "env." + name
		}
		return "only a name in braces is replaced: write ${" + name + "}"
	}
	return ""
}
