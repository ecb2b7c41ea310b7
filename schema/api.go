package schema

import (
	"strings"

	"github.com/runfile/runfile/manifest/diag"
)

// Reference is a mention of another container.
type Reference struct {
	Option string     // the option that mentions it
	Target string     // the other container: a key of the file, or a name or id on the host
	Kind   string     // link, volumes-from, network, pid, ipc or depends-on
	At     diag.Range // where
}

// References lists the containers that c refers to, in the order of the table.
func References(c *Container) []Reference {
	var out []Reference
	for i := range rows {
		r := &rows[i]
		if r.refs == nil {
			continue
		}
		for _, v := range r.refs(c) {
			out = append(out, Reference{Option: r.Name, Target: v.Text, Kind: r.Ref, At: v.At})
		}
	}
	return out
}

// Values returns the canonical texts of an option that c sets, with their positions; nil if it is not set.
func Values(c *Container, name string) []Value {
	if r := rowByName[name]; r != nil {
		return r.values(c)
	}
	if remap := c.Namespaces.Remap; name == remapKey && remap.Set { // the policy's, which holds for this container
		return []Value{{Text: remap.Value, At: remap.At}}
	}
	return nil
}

// Canonical returns the canonical text of every option that makes a difference to a container that exists, by name:
// switches that are off, and options that matter to the plan only, are left out, and so are positions. What files say
// is part of the text, so that a changed env-file, label-file or seccomp profile shows.
func Canonical(c *Container) map[string]string {
	out := map[string]string{}
	for i := range rows {
		r := &rows[i]
		if r.NoDiff {
			continue
		}
		var texts []string
		for _, v := range r.values(c) {
			texts = append(texts, v.Text)
		}
		text := strings.Join(texts, "\n")
		if texts == nil || r.isDefault(text) {
			continue
		}
		out[r.Name] = text
	}
	for _, kv := range c.Process.Env { // the printed form hides what came from the environment
		if kv.Value.Inherited {
			out["env"] += "\n" + kv.Value.Key + "=" + kv.Value.Value
		}
	}
	for _, kv := range c.Process.EnvFromFiles {
		out["env-file"] += "\n" + kv.Key + "=" + kv.Value
	}
	for _, kv := range c.Metadata.LabelsFromFiles {
		out["label-file"] += "\n" + kv.Key + "=" + kv.Value
	}
	if c.Security.SeccompProfile != "" {
		out["security-opt"] += "\n" + c.Security.SeccompProfile
	}
	if c.Namespaces.Remap.Set {
		out[remapKey] = c.Namespaces.Remap.Value
	}
	return out
}

// NamedValue is the canonical text of a key of a network, a volume or the policy, and where it stands.
type NamedValue struct {
	Name   string
	Switch bool
	Value
}

// NetworkValues returns what an entry of the section networks says, in the order of its keys.
func NetworkValues(n *NetworkDef) []NamedValue { return namedValues(networkRows, n) }

// VolumeValues returns what an entry of the section volumes says, in the order of its keys.
func VolumeValues(v *VolumeDef) []NamedValue { return namedValues(volumeRows, v) }

// PolicyValues returns what the section policy says, in the order of its keys.
func PolicyValues(p *Policy) []NamedValue { return namedValues(policyRows, p) }

func namedValues[C any](table []row[C], c *C) []NamedValue {
	var out []NamedValue
	for i := range table {
		for _, v := range table[i].values(c) {
			out = append(out, NamedValue{Name: table[i].Name, Switch: table[i].Kind == Switch, Value: v})
		}
	}
	return out
}

// Reads reports whether the canonical text of an option's value means that value as text, too: some values can be
// written as a map only.
func Reads(name, text string) bool {
	r := rowByName[name]
	if r == nil {
		return false
	}
	c := &Container{}
	err := r.flag(c, text, diag.Range{})
	values := r.values(c)
	return err == nil && len(values) == 1 && values[0].Text == text
}
