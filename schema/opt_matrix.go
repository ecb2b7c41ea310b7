package schema

import (
	"encoding/json"
	"strconv"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema/value"
)

var matrixOption = Option{
	Name: "matrix", Group: GroupLifecycle, Kind: Object, Arg: "matrix", Example: "{axes: {suite: [api, worker]}}",
	Own: true, NoFlag: true, NotYet: notBuilt,
	Help:   "Make one container for each combination of values",
	Doc:    "`axes` names the variables and their values, `include` and `exclude` add and drop combinations.",
	Syntax: "{axes: {NAME: [VALUE...]}, include: [{NAME: VALUE}], exclude: [{NAME: VALUE}], max-parallel: N}",
	Schema: matrixSchema,
}

// matrixRow is the only option that is a map of maps, so it reads its nodes itself.
var matrixRow = row[Container]{
	Option: matrixOption,
	read: func(d *decoder, c *Container, e manifest.Entry) {
		c.Lifecycle.Matrix = Opt[Matrix]{Value: d.matrix(e.Value), Set: true, At: e.Value.Range}
	},
	values: func(c *Container) []Value {
		m := c.Lifecycle.Matrix
		if !m.Set {
			return nil
		}
		b, _ := json.Marshal(m.Value) //nolint:errchkjson // strings always marshal
		return []Value{{Text: string(b), At: m.At}}
	},
	tree: func(c *Container) any {
		if m := c.Lifecycle.Matrix; m.Set {
			return matrixTree(m.Value)
		}
		return nil
	},
}

func matrixSchema() map[string]any {
	text := map[string]any{"type": []any{"string", "number", "boolean"}}
	axis := map[string]any{"anyOf": []any{text, map[string]any{"type": "array", "items": text, "minItems": int64(1)}}}
	combinations := map[string]any{"type": "array", "items": map[string]any{"type": "object", "additionalProperties": text}}
	return map[string]any{
		"type": "object", "additionalProperties": false, "required": []any{"axes"},
		"properties": map[string]any{
			"axes": value.Described(map[string]any{"type": "object", "additionalProperties": axis},
				"Variables with the values of each; one container for each combination."),
			"include":      value.Described(combinations, "Further combinations."),
			"exclude":      value.Described(combinations, "Combinations to leave out."),
			"max-parallel": value.Described(value.Int("min=1,max=1000").Schema(), "How many of the containers may run at once."),
		},
	}
}

// matrix reads the value of the option.
func (d *decoder) matrix(n *manifest.Node) Matrix {
	var m Matrix
	o := &matrixOption
	before := len(d.diags)
	if n.Kind != manifest.Map {
		d.wrongType(o, n, "a map")
		return m
	}
	known := []string{"axes", "include", "exclude", "max-parallel"}
	for _, e := range n.Entries {
		switch e.Key {
		case "axes":
			m.Axes = d.axes(o, e.Value)
		case "include":
			m.Include = d.combinations(o, e.Value)
		case "exclude":
			m.Exclude = d.combinations(o, e.Value)
		case "max-parallel":
			m.MaxParallel, _ = readOne(d, o, e.Value, value.Int("min=1,max=1000"))
		default:
			near, _ := diag.Nearest(e.Key, known)
			l := d.diags.Errorf(CodeUnknownKey, e.KeyRange, "%s, matrix: there is no key %q here", d.who, e.Key)
			if near != "" {
				l.WithHelp("did you mean %q?", near)
			}
		}
	}
	if n.Entry("axes") == nil && len(d.diags) == before {
		d.bad(o, n, &value.Error{Problem: "axes are missing"})
	}
	return m
}

func (d *decoder) axes(o *Option, n *manifest.Node) []Axis {
	if n.Kind != manifest.Map {
		d.wrongType(o, n, "a map from names to lists of values")
		return nil
	}
	var out []Axis
	for _, e := range n.Entries {
		if _, err := value.ProfileName().Parse(e.Key); err != nil {
			d.bad(o, &manifest.Node{Range: e.KeyRange}, err)
		}
		axis := Axis{Name: e.Key}
		nodes := e.Value.Items
		if e.Value.Kind != manifest.List {
			nodes = []*manifest.Node{e.Value}
		}
		for _, item := range nodes {
			if item.Kind != manifest.Scalar {
				d.wrongType(o, item, "text")
				continue
			}
			axis.Values = append(axis.Values, item.Text)
		}
		if len(nodes) == 0 {
			d.bad(o, e.Value, &value.Error{Problem: "the axis " + strconv.Quote(e.Key) + " has no values"})
		}
		out = append(out, axis)
	}
	return out
}

func (d *decoder) combinations(o *Option, n *manifest.Node) []map[string]string {
	if n.Kind != manifest.List {
		d.wrongType(o, n, "a list of maps")
		return nil
	}
	var out []map[string]string
	for _, item := range n.Items {
		if item.Kind != manifest.Map {
			d.wrongType(o, item, "a map")
			continue
		}
		one := map[string]string{}
		for _, e := range item.Entries {
			if e.Value.Kind != manifest.Scalar {
				d.wrongType(o, e.Value, "text")
				continue
			}
			one[e.Key] = e.Value.Text
		}
		out = append(out, one)
	}
	return out
}

func matrixTree(m Matrix) object {
	axes := object{}
	for _, a := range m.Axes {
		axes = append(axes, member{a.Name, texts(a.Values)})
	}
	out := object{{"axes", axes}}
	for _, l := range []struct {
		key  string
		list []map[string]string
	}{{"include", m.Include}, {"exclude", m.Exclude}} {
		var list []any
		for _, one := range l.list {
			o := object{}
			for _, k := range sortedKeys(one) {
				o = append(o, member{k, one[k]})
			}
			list = append(list, o)
		}
		if list != nil {
			out = append(out, member{l.key, list})
		}
	}
	if m.MaxParallel > 0 {
		out = append(out, member{"max-parallel", m.MaxParallel})
	}
	return out
}
