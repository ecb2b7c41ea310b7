// Package gen writes what is derived from the option table: the JSON schema of runfiles for editors, the reference of
// all options and the reference of all error codes. The committed copies are compared with it by a test.
package gen

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// ref points at a definition.
func ref(name string) map[string]any { return map[string]any{"$ref": "#/definitions/" + name} }

func typed(kind string) map[string]any { return map[string]any{"type": kind} }

func described(s map[string]any, text string) map[string]any {
	out := maps.Clone(s)
	out["description"], out["markdownDescription"] = strings.ReplaceAll(text, "`", ""), text
	return out
}

// key is a schema with the description of a key of the file.
func key(s map[string]any, name string) map[string]any {
	k := schema.KeyOf(name)
	return exemplified(described(s, k.Doc), k.Example, name)
}

// exemplified is a schema with the value that the last part of a key's name has in a piece of a runfile.
func exemplified(s map[string]any, yaml, name string) map[string]any {
	var root any
	if err := json.Unmarshal([]byte(schema.ToJSON(yaml)), &root); err != nil {
		return s
	}
	if v, ok := find(root, name[strings.LastIndexByte(name, '.')+1:]); ok {
		s["examples"] = []any{v}
	}
	return s
}

// find looks for a key in a tree.
func find(tree any, key string) (any, bool) {
	switch tree := tree.(type) {
	case map[string]any:
		if v, ok := tree[key]; ok {
			return v, true
		}
		for _, name := range slices.Sorted(maps.Keys(tree)) {
			if v, ok := find(tree[name], key); ok {
				return v, true
			}
		}
	case []any:
		for _, item := range tree {
			if v, ok := find(item, key); ok {
				return v, true
			}
		}
	}
	return nil, false
}

// JSONSchema returns the schema of a runfile in the subset of draft-07 that editors understand. It knows the shape and
// the syntax of values; rules between options are beyond it, so it accepts some files that Decode refuses, and never
// refuses one that Decode accepts.
func JSONSchema() ([]byte, error) {
	definitions := map[string]any{}
	container := map[string]any{}
	for name, s := range properties(schema.Options()) {
		definitions["option-"+name] = s // both forms of a file refer to it
		container[name] = ref("option-" + name)
	}
	container["extends"] = key(value.OneOrMany(typed("string")), "extends")
	container["override"] = key(value.OneOrMany(typed("string")), "override")

	top := topLevel()
	single := maps.Clone(container)
	maps.Copy(single, top)
	delete(single, "containers")
	extension := map[string]any{"^x-": map[string]any{}}

	maps.Copy(definitions, map[string]any{
		"container": map[string]any{"type": "object", "properties": container, "additionalProperties": false},
		"runfile": map[string]any{
			"type": "object", "properties": top, "additionalProperties": false, "patternProperties": extension,
		},
		"single": map[string]any{
			"type": "object", "properties": single, "additionalProperties": false, "patternProperties": extension,
			"required": []any{"image"},
		},
		"variable": map[string]any{
			"type": "string", "pattern": `^$|\$\{`,
			"description": "text with a variable, or nothing, which leaves the option out",
		},
	})
	for _, s := range schema.Sections() {
		definitions[s.Name] = map[string]any{
			"type": []any{"object", "null"}, "properties": properties(s.Options), "additionalProperties": false,
		}
	}
	root := map[string]any{
		"$schema":     "http://json-schema.org/draft-07/schema#",
		"title":       "runfile",
		"description": "docker run, written down",
		"type":        "object",
		"if":          map[string]any{"required": []any{"image"}},
		"then":        ref("single"),
		"else":        ref("runfile"),
		"definitions": definitions,
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(root) // keys of maps come out sorted, so the text is always the same
	return out.Bytes(), err
}

// properties are the schemas of options by name.
func properties(options []schema.Option) map[string]any {
	out := map[string]any{}
	for _, o := range options {
		text := o.Help
		if o.Doc != "" {
			text += "\n\n" + o.Doc
		}
		if o.Syntax != "" && o.Kind != schema.Switch {
			text += "\n\nSyntax: `" + o.Syntax + "`"
		}
		if o.NotYet != "" {
			text += "\n\nNot honoured yet: " + o.NotYet + "."
		}
		s := described(withVariables(inWords(o.Schema(), "write "+o.Syntax)), text)
		if o.NotYet != "" {
			s["x-not-yet"] = o.NotYet
		}
		if e := example(o); e != nil {
			s["examples"] = []any{e}
		} else {
			s = exemplified(s, o.Line(), o.Name)
		}
		out[o.Name] = s
	}
	return out
}

// example is the option's example as JSON: in a list for what may be repeated.
func example(o schema.Option) any {
	switch o.Kind {
	case schema.Switch:
		return o.Example == "true"
	case schema.List, schema.Map:
		return []any{o.Example}
	case schema.Scalar:
		return o.Example
	case schema.Words, schema.Object:
	}
	return nil // text of YAML
}

// longPattern is the length from which nobody reads an expression, in bytes.
const longPattern = 60

// inWords adds words beside long expressions: editors show them in place of the expression.
func inWords(s map[string]any, words string) map[string]any {
	out := maps.Clone(s)
	if p, ok := s["pattern"].(string); ok && len(p) > longPattern {
		out["patternErrorMessage"] = words
	}
	for key, v := range s {
		switch inner := v.(type) {
		case []any: // anyOf
			list := slices.Clone(inner)
			for i, item := range list {
				if m, ok := item.(map[string]any); ok {
					list[i] = inWords(m, words)
				}
			}
			out[key] = list
		case map[string]any:
			if key != "properties" {
				out[key] = inWords(inner, words) // items, propertyNames, additionalProperties
				continue
			}
			keys := map[string]any{}
			for name, k := range inner {
				k := k.(map[string]any)               //nolint:forcetypeassert // schemas are maps
				about, _ := k["description"].(string) // the keys of a value have one
				keys[name] = inWords(k, about)
			}
			out[key] = keys
		}
	}
	return out
}

// withVariables lets ${NAME} stand wherever a value has a form of its own.
func withVariables(s map[string]any) map[string]any {
	out := maps.Clone(s)
	for key, v := range out {
		if key == "not" || key == "propertyNames" {
			continue // what a value is not: a variable has its own alternative beside it; no variable is a key
		}
		switch v := v.(type) {
		case map[string]any:
			if key == "properties" {
				inner := map[string]any{}
				for name, p := range v {
					inner[name] = withVariables(p.(map[string]any)) //nolint:forcetypeassert // schemas are maps
				}
				out[key] = inner
				continue
			}
			out[key] = withVariables(v)
		case []any:
			list := make([]any, len(v))
			for i, item := range v {
				list[i] = item
				if m, ok := item.(map[string]any); ok {
					list[i] = withVariables(m)
				}
			}
			out[key] = list
		}
	}
	if !restricts(s) {
		return out
	}
	either := map[string]any{"anyOf": []any{out, ref("variable")}}
	if text, ok := out["description"]; ok { // of the key, whatever its value
		delete(out, "description")
		either["description"] = text
	}
	return either
}

// restricts reports whether a schema is a single value of which some texts are refused.
func restricts(s map[string]any) bool {
	if _, ok := s["enum"]; ok {
		return true
	}
	if _, ok := s["pattern"]; ok {
		return true
	}
	if _, ok := s["format"]; ok {
		return true
	}
	switch t := s["type"].(type) {
	case string:
		return t == "integer" || t == "number" || t == "boolean"
	case []any:
		for _, one := range t {
			if one == "string" || one == "object" || one == "array" {
				return false
			}
		}
		return true
	}
	return false
}

// named is a section of entries by name.
func named(entry map[string]any) map[string]any {
	return map[string]any{
		"type": []any{"object", "null"}, "additionalProperties": false,
		"patternProperties": map[string]any{value.KeyPattern: entry},
	}
}

// topLevel are the keys at the top of a file.
func topLevel() map[string]any {
	text := map[string]any{"type": []any{"string", "number", "boolean"}}
	declaration := map[string]any{
		"type": "object", "additionalProperties": false,
		"properties": map[string]any{
			"default": key(text, "vars.default"), "required": key(typed("boolean"), "vars.required"),
			"enum": key(value.OneOrMany(text), "vars.enum"), "pattern": key(text, "vars.pattern"),
			"secret": key(typed("boolean"), "vars.secret"), "help": key(text, "vars.help"),
		},
	}
	inclusion := map[string]any{
		"type": "object", "additionalProperties": false, "required": []any{"file"},
		"properties": map[string]any{
			"file": key(typed("string"), "include.file"), "as": key(text, "include.as"),
			"vars":     key(map[string]any{"type": []any{"object", "null"}, "additionalProperties": text}, "include.vars"),
			"profiles": key(value.OneOrMany(text), "include.profiles"),
		},
	}
	containers := named(map[string]any{"anyOf": []any{ref("container"), typed("null")}})
	out := map[string]any{
		"version": key(map[string]any{"enum": []any{1, "1"}}, "version"),
		"project": key(typed("string"), "project"),
		"vars": key(map[string]any{
			"type": []any{"object", "null"}, "additionalProperties": map[string]any{"anyOf": []any{text, typed("null"), declaration}},
		}, "vars"),
		"vars-file": key(value.OneOrMany(typed("string")), "vars-file"),
		"include": key(map[string]any{"anyOf": []any{
			typed("string"), inclusion,
			map[string]any{"type": "array", "items": map[string]any{"anyOf": []any{typed("string"), inclusion}}},
		}}, "include"),
		"defaults":   key(map[string]any{"anyOf": []any{ref("container"), typed("null")}}, "defaults"),
		"templates":  key(containers, "templates"),
		"containers": key(containers, "containers"),
	}
	for _, s := range schema.Sections() {
		entry := ref(s.Name)
		if s.Named {
			entry = named(entry)
		}
		if !s.Named {
			entry = map[string]any{"allOf": []any{entry}} // keywords beside $ref are ignored in draft-07
		}
		out[s.Name] = exemplified(described(entry, s.Doc), s.Example, s.Name)
	}
	return out
}
