package gen

import (
	"maps"
	"slices"

	"github.com/runfile/runfile/schema"
)

// mapKeys are the keys of an option's value in its map form, with what they are for: those that must be there first.
func mapKeys(o *schema.Option) []Fact {
	var out []Fact
	add := func(name string, s any) {
		if known := slices.ContainsFunc(out, func(f Fact) bool { return f.Label == name }); known {
			return // another shape of the value has it, too
		}
		text, _ := s.(map[string]any)["description"].(string)
		out = append(out, Fact{name, text})
	}
	objects(o.Schema(), func(properties map[string]any, required []any) {
		for _, name := range required {
			add(name.(string), properties[name.(string)]) //nolint:forcetypeassert // names
		}
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			add(name, properties[name])
		}
	})
	return out
}

// objects visits the maps with a closed set of keys in a schema.
func objects(s any, visit func(properties map[string]any, required []any)) {
	switch s := s.(type) {
	case map[string]any:
		if properties, ok := s["properties"].(map[string]any); ok {
			required, _ := s["required"].([]any)
			visit(properties, required)
			return
		}
		for _, name := range slices.Sorted(maps.Keys(s)) {
			objects(s[name], visit)
		}
	case []any:
		for _, item := range s {
			objects(item, visit)
		}
	}
}
