package schema

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/schema/value"
)

// object is an ordered map of bool, int64, string, []any and object.
type object []member

type member struct {
	key   string
	value any
}

// WriteManifest writes the project as a manifest in yaml, toml or json. Reading the result gives an equal project,
// apart from positions. Options that were not given are left out; variables that came from the environment are written
// without their values; paths are absolute.
func WriteManifest(w io.Writer, p *Project, format string) error {
	return writeTree(w, manifestTree(p), format)
}

// WriteTree writes a map as a manifest in yaml, toml or json. Texts stay as they are, so `${NAME}` is a variable and
// `$${` a literal; whole numbers and booleans, by their type, stand without quotes.
func WriteTree(w io.Writer, root *manifest.Node, format string) error {
	tree, _ := treeOfNode(root).(object)
	return writeTree(w, tree, format)
}

func treeOfNode(n *manifest.Node) any {
	switch n.Kind {
	case manifest.Map:
		out := object{}
		for _, e := range n.Entries {
			out = append(out, member{e.Key, treeOfNode(e.Value)})
		}
		return out
	case manifest.List:
		out := []any{}
		for _, item := range n.Items {
			out = append(out, treeOfNode(item))
		}
		return out
	case manifest.Null:
		return object{}
	case manifest.Scalar:
	}
	switch n.Type {
	case manifest.Bool:
		return n.Text == "true"
	case manifest.Int:
		if i, err := strconv.ParseInt(n.Text, 10, 64); err == nil {
			return i
		}
	case manifest.Float, manifest.String:
	}
	return n.Text
}

func writeTree(w io.Writer, tree object, format string) error {
	if err := checkText(tree); err != nil {
		return err
	}
	var text string
	switch format {
	case "yaml", "":
		text = yamlManifest(tree)
	case "toml":
		text = tomlManifest(tree)
	case "json":
		var b strings.Builder
		jsonValue(&b, tree, "")
		text = b.String() + "\n"
	default:
		return fmt.Errorf("format %q is not one of yaml, toml, json", format)
	}
	_, err := io.WriteString(w, text)
	return err
}

// checkText refuses what no manifest can say: the arguments of a command line may be any bytes.
func checkText(v any) error {
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			return fmt.Errorf("%q is not UTF-8 text and cannot stand in a manifest", v)
		}
	case []any:
		for _, item := range v {
			if err := checkText(item); err != nil {
				return err
			}
		}
	case object:
		for _, m := range v {
			if err := checkText(m.value); err != nil {
				return fmt.Errorf("%s: %w", m.key, err)
			}
		}
	}
	return nil
}

func manifestTree(p *Project) object {
	root := object{{"version", int64(1)}}
	if p.Name != "" {
		root = append(root, member{"project", p.Name})
	}
	if o := rowTree(policyRows, &p.Policy); len(o) > 0 {
		root = append(root, member{"policy", o})
	}
	var networks, volumes, secrets, containers object
	for _, n := range p.Networks {
		if !n.Implicit {
			networks = append(networks, member{n.Key, rowTree(networkRows, n)})
		}
	}
	for _, v := range p.Volumes {
		if !v.Implicit {
			volumes = append(volumes, member{v.Key, rowTree(volumeRows, v)})
		}
	}
	for _, d := range p.Secrets {
		secrets = append(secrets, member{d.Key, rowTree(secretRows, d)})
	}
	for _, c := range p.Containers {
		containers = append(containers, member{c.Key, containerTree(c)})
	}
	for _, s := range []member{{"networks", networks}, {"volumes", volumes}, {"secrets", secrets}, {"containers", containers}} {
		if o := s.value.(object); len(o) > 0 { //nolint:forcetypeassert // made above
			root = append(root, s)
		}
	}
	return root
}

// containerTree puts the image and the command first, then the options in the order of the table.
func containerTree(c *Container) object {
	all := rowTree(rows, c)
	var first, rest object
	for _, name := range []string{"image", "command"} {
		for _, m := range all {
			if m.key == name {
				first = append(first, m)
			}
		}
	}
	for _, m := range all {
		if m.key != "image" && m.key != "command" {
			rest = append(rest, m)
		}
	}
	return append(first, rest...)
}

func rowTree[C any](table []row[C], c *C) object {
	var out object
	for i := range table {
		if v := table[i].tree(c); v != nil {
			out = append(out, member{table[i].Name, escape(v)})
		}
	}
	return out
}

// escape keeps ${ in values from being read as a variable.
func escape(v any) any {
	switch v := v.(type) {
	case string:
		return escapeText(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = escape(v[i])
		}
		return out
	case object:
		out := make(object, len(v))
		for i := range v {
			out[i] = member{v[i].key, escape(v[i].value)}
		}
		return out
	}
	return v
}

func escapeText(s string) string { return strings.ReplaceAll(s, "${", "$${") }

// dependencyTree writes depends-on as a list, or as a map as soon as one entry has a condition.
func dependencyTree(c *Container) any {
	var list []any
	var byName object
	conditions := false
	for _, d := range c.Lifecycle.DependsOn {
		entry := object{}
		if d.Value.Condition != value.Auto {
			conditions = true
			entry = object{{"condition", string(d.Value.Condition)}}
		}
		list = append(list, d.Value.Container)
		byName = append(byName, member{d.Value.Container, entry})
	}
	switch {
	case list == nil:
		return nil
	case conditions:
		return byName
	}
	return list
}
