package schema

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema/value"
)

// The functions of this file make rows. Each ties an option to a field of C and a value syntax; generics make the
// compiler check that the three fit. C is Container for the option table, and the type of an entry for the sections
// networks, volumes and policy.

// opt is an option that may be given once.
func opt[C, T any](o Option, at func(*C) *Opt[T], p value.Parser[T]) row[C] {
	o.Kind = Scalar
	o.Schema = p.Schema
	if p.Schema == nil {
		o.Kind, o.Schema = Object, p.FieldsSchema
	}
	o.Syntax, o.Words = p.Syntax, p.Words
	return row[C]{
		Option: o,
		read: func(d *decoder, c *C, e manifest.Entry) {
			if v, ok := readOne(d, &o, e.Value, p); ok {
				*at(c) = Opt[T]{Value: v, Set: true, At: e.Value.Range}
			}
		},
		flag: func(c *C, text string, pos diag.Range) error {
			if text == "" {
				*at(c) = Opt[T]{} // docker: an empty value is no value
				return nil
			}
			v, err := p.Parse(text)
			if err == nil {
				*at(c) = Opt[T]{Value: v, Set: true, At: pos}
			}
			return err
		},
		values: func(c *C) []Value {
			if v := at(c); v.Set {
				return []Value{{Text: p.Text(v.Value), At: v.At}}
			}
			return nil
		},
		tree: func(c *C) any {
			if v := at(c); v.Set {
				return treeOf(p, v.Value)
			}
			return nil
		},
	}
}

// toggle is an option that is on or off.
func toggle[C any](o Option, at func(*C) *Opt[bool]) row[C] {
	o.Kind = Switch
	o.Schema = func() map[string]any { return map[string]any{"type": "boolean"} }
	o.Syntax, o.Words = "true | false", []string{"true", "false"}
	return row[C]{
		Option: o,
		read: func(d *decoder, c *C, e manifest.Entry) {
			if v, ok := d.toggle(&o, e.Value); ok {
				*at(c) = Opt[bool]{Value: v, Set: true, At: e.Value.Range}
			}
		},
		flag: func(c *C, text string, pos diag.Range) error {
			v, err := value.Bool(text)
			if err == nil {
				*at(c) = Opt[bool]{Value: v, Set: true, At: pos}
			}
			return err
		},
		values: func(c *C) []Value {
			if v := at(c); v.Set {
				return []Value{{Text: strconv.FormatBool(v.Value), At: v.At}}
			}
			return nil
		},
		tree: func(c *C) any {
			if v := at(c); v.Set {
				return v.Value
			}
			return nil
		},
	}
}

// list is an option that may be given many times.
func list[C, T any](o Option, at func(*C) *Items[T], p value.Parser[T]) row[C] {
	o.Kind = List
	o.Schema = func() map[string]any { return value.OneOrMany(itemSchema(p)) }
	return repeatable(o, at, p, func(d *decoder, o *Option, n *manifest.Node) Items[T] {
		if n.Kind == manifest.Map && slipOfMap(d, o, n, p) {
			return nil
		}
		return readItems(d, o, n, p, mapForm{})
	})
}

// keyed is a list whose entries may also be written as a map from their first part to the rest.
func keyed[C, T any](o Option, at func(*C) *Items[T], p value.Parser[T], form mapForm) row[C] {
	o.Kind = Map
	o.Schema = func() map[string]any {
		name, rest := p.Entry()
		entries := map[string]any{"type": "object", "propertyNames": name, "additionalProperties": form.schema(rest, p.FieldsSchema)}
		return value.OneOrMany(p.Schema(), entries)
	}
	return repeatable(o, at, p, func(d *decoder, o *Option, n *manifest.Node) Items[T] {
		if n.Kind == manifest.Map {
			return readMap(d, o, n, p, form)
		}
		return readItems(d, o, n, p, form)
	})
}

// pairs is a list of K=V, or a map.
func pairs[C any](o Option, at func(*C) *Items[value.KeyValue], p value.Parser[value.KeyValue]) row[C] {
	return keyed(o, at, p, mapForm{sep: "=", null: true, boolean: true})
}

// mapForm says how an entry NAME: X of a map becomes a value.
type mapForm struct {
	sep     string // X is text: parse NAME sep X; "" = text is not allowed
	null    bool   // X may be absent: parse NAME
	boolean bool   // X may be an unquoted true or false
	many    bool   // X may be a list: one entry each
	name    string // X is a map: its fields plus this one, which holds NAME; "" = not allowed
}

// schema is that of X, whose text has the schema rest and whose map has fields.
func (f mapForm) schema(rest map[string]any, fields func() map[string]any) map[string]any {
	var choices []any
	if f.sep != "" {
		choices = append(choices, rest)
	}
	if f.boolean {
		choices = append(choices, map[string]any{"type": "boolean"})
	}
	if f.null {
		choices = append(choices, map[string]any{"type": "null"})
	}
	if f.many {
		choices = append(choices, map[string]any{"type": "array", "items": rest})
	}
	if f.name != "" {
		choices = append(choices, fields())
	}
	return map[string]any{"anyOf": choices}
}

func repeatable[C, T any](o Option, at func(*C) *Items[T], p value.Parser[T],
	read func(*decoder, *Option, *manifest.Node) Items[T],
) row[C] {
	o.Syntax, o.Words = p.Syntax, p.Words
	return row[C]{
		Option: o,
		read:   func(d *decoder, c *C, e manifest.Entry) { *at(c) = append(*at(c), read(d, &o, e.Value)...) },
		flag: func(c *C, text string, pos diag.Range) error {
			v, err := p.Parse(text)
			if err == nil {
				*at(c) = append(*at(c), Item[T]{Value: v, At: pos})
			}
			return err
		},
		values: func(c *C) []Value {
			var out []Value
			for _, it := range *at(c) {
				out = append(out, Value{Text: p.Text(it.Value), At: it.At})
			}
			return out
		},
		tree: func(c *C) any {
			var out []any
			for _, it := range *at(c) {
				out = append(out, treeOf(p, it.Value))
			}
			if out == nil {
				return nil
			}
			return out
		},
	}
}

// wording is how a command is kept: what text alone means, what a list means, and how it is written again.
type wording struct {
	text   func(string) ([]string, error)
	list   func([]string) ([]string, error)
	tree   func([]string) any
	syntax string
	empty  bool // empty text is a value
}

// command is an option whose value is the argument list of a program, given as text or as a list.
func command[C any](o Option, at func(*C) *Opt[[]string], w wording) row[C] {
	o.Kind = Words
	o.Syntax = w.syntax
	o.Schema = func() map[string]any {
		item := value.Text("").Schema()
		return map[string]any{"anyOf": []any{item, map[string]any{"type": "array", "items": item, "minItems": int64(1)}}}
	}
	set := func(c *C, args []string, err error, pos diag.Range) error {
		if err == nil {
			*at(c) = Opt[[]string]{Value: args, Set: true, At: pos}
		}
		return err
	}
	return row[C]{
		Option: o,
		read: func(d *decoder, c *C, e manifest.Entry) {
			args, isList, ok := readWords(d, &o, e.Value)
			if !ok || !isList && args[0] == "" && !w.empty {
				return
			}
			var err error
			if isList {
				args, err = w.list(args)
			} else {
				if args, err = w.text(args[0]); err == nil {
					d.shellVariable(&o, e.Value)
				}
			}
			if err := set(c, args, err, e.Value.Range); err != nil {
				d.bad(&o, e.Value, err)
			}
		},
		flag: func(c *C, text string, pos diag.Range) error {
			if text == "" && !w.empty {
				*at(c) = Opt[[]string]{}
				return nil
			}
			args, err := w.text(text)
			return set(c, args, err, pos)
		},
		values: func(c *C) []Value {
			if v := at(c); v.Set {
				b, _ := json.Marshal(v.Value) //nolint:errchkjson // strings always marshal
				return []Value{{Text: string(b), At: v.At}}
			}
			return nil
		},
		tree: func(c *C) any {
			if v := at(c); v.Set {
				return w.tree(v.Value)
			}
			return nil
		},
	}
}

// referring adds to a row how to find the names of other containers in its value.
func (r row[C]) referring(kind string, refs func(*C) []Value) row[C] {
	r.Ref, r.refs = kind, refs
	return r
}

// inWindows makes a row read and write as another one does in Windows containers. The platform of the container must
// have been read before.
func (r row[C]) inWindows(other row[C]) row[C] {
	l := r
	pick := func(c *C) *row[C] {
		if o, ok := any(c).(interface{ OS() string }); ok && o.OS() == windows {
			return &other
		}
		return &l
	}
	r.Schema = func() map[string]any { return map[string]any{"anyOf": []any{l.Schema(), other.Schema()}} }
	r.read = func(d *decoder, c *C, e manifest.Entry) { pick(c).read(d, c, e) }
	r.flag = func(c *C, text string, at diag.Range) error { return pick(c).flag(c, text, at) }
	r.values = func(c *C) []Value { return pick(c).values(c) }
	r.tree = func(c *C) any { return pick(c).tree(c) }
	return r
}

// written replaces how WriteManifest writes a row.
func (r row[C]) written(tree func(*C) any) row[C] {
	r.tree = tree
	return r
}

// names collects a name from each entry of a list; "" is none.
func names[C, T any](at func(*C) *Items[T], name func(T) string) func(*C) []Value {
	return func(c *C) []Value {
		var out []Value
		for _, it := range *at(c) {
			if n := name(it.Value); n != "" {
				out = append(out, Value{Text: n, At: it.At})
			}
		}
		return out
	}
}

// joined is the container of a namespace mode, if it is one.
func joined(at func(*Container) *Opt[value.NamespaceMode]) func(*Container) []Value {
	return func(c *Container) []Value {
		if v := at(c); v.Set && v.Value.Container != "" {
			return []Value{{Text: v.Value.Container, At: v.At}}
		}
		return nil
	}
}

// treeOf is how WriteManifest writes one value: whole numbers bare, else text, else the map form.
func treeOf[T any](p value.Parser[T], v T) any {
	if p.FormatFields != nil {
		if fields := p.FormatFields(v); fields != nil {
			return fieldTree(fields)
		}
	}
	if n, ok := any(v).(int64); ok && p.Text(v) == strconv.FormatInt(n, 10) {
		return n
	}
	return p.Text(v)
}

func fieldTree(fields []value.Field) object {
	var out object
	for _, f := range fields {
		var v any = f.Text
		if f.Text == "true" {
			v = true
		}
		if !f.InList {
			out = append(out, member{f.Name, v})
			continue
		}
		if i := slices.IndexFunc(out, func(m member) bool { return m.key == f.Name }); i >= 0 {
			out[i].value = append(out[i].value.([]any), f.Text) //nolint:forcetypeassert // put there below
		} else {
			out = append(out, member{f.Name, []any{f.Text}})
		}
	}
	return out
}

func itemSchema[T any](p value.Parser[T]) map[string]any {
	if p.FieldsSchema == nil {
		return p.Schema()
	}
	return map[string]any{"anyOf": []any{p.Schema(), p.FieldsSchema()}}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
