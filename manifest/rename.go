package manifest

import (
	"regexp"
	"slices"
	"strings"
)

// prefixForm is what `as` of an include may be: the beginning of a container name.
var prefixForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

// renamer puts a prefix before the names that a file defines, where it defines them and where its containers refer to
// them. Names that the file does not define belong to somebody else and stay.
type renamer struct {
	prefix                                            string
	containers, templates, networks, volumes, secrets map[string]bool
	seen                                              map[*Node]bool // maps done; defaults hang on many containers
}

// rename applies `as: prefix` to an included file: name becomes prefix-name.
func (s *sections) rename(prefix string) {
	r := &renamer{prefix: prefix + "-", containers: map[string]bool{}, templates: map[string]bool{}, seen: map[*Node]bool{}}
	for _, p := range s.containers {
		r.containers[p.Key] = true
	}
	for _, p := range s.templates {
		r.templates[p.Key] = true
	}
	r.networks, r.volumes, r.secrets = s.keys("networks"), s.keys("volumes"), s.keys("secrets")
	for _, parts := range [][]part{s.containers, s.templates} {
		for i := range parts {
			parts[i].Key = r.prefix + parts[i].Key
			r.container(parts[i].Value)
			for _, d := range parts[i].defaults {
				r.container(d)
			}
		}
	}
	for _, key := range []string{"networks", "volumes", "secrets"} {
		if e := s.named[key]; e != nil {
			for i := range e.Value.Entries {
				e.Value.Entries[i].Key = r.prefix + e.Value.Entries[i].Key
			}
		}
	}
}

func (s *sections) keys(section string) map[string]bool {
	out := map[string]bool{}
	if e := s.named[section]; e != nil {
		for _, k := range e.Value.Entries {
			out[k.Key] = true
		}
	}
	return out
}

// to returns the new name of one of the names.
func (r *renamer) to(names map[string]bool, name string) string {
	if names[name] {
		return r.prefix + name
	}
	return name
}

// container renames what one container, template or defaults section refers to.
func (r *renamer) container(n *Node) {
	if r.seen[n] {
		return
	}
	r.seen[n] = true
	for _, e := range n.Entries {
		change := r.change(e.Key)
		if change == nil {
			continue
		}
		switch e.Value.Kind {
		case Scalar:
			e.Value.Text = change(e.Value.Text)
		case List:
			for _, it := range e.Value.Items {
				r.item(it, change)
			}
		case Map:
			if e.Key == "depends-on" {
				for i := range e.Value.Entries {
					e.Value.Entries[i].Key = change(e.Value.Entries[i].Key)
				}
			}
		case Null:
		}
	}
}

// item renames one item of a list: a text, or a map that names its source.
func (r *renamer) item(it *Node, change func(string) string) {
	if it.Kind == Map {
		it = it.Get("source")
	}
	if it != nil && it.Kind == Scalar && !r.seen[it] {
		r.seen[it] = true
		it.Text = change(it.Text)
	}
}

// change returns how the value of an option refers to names, nil if it does not. The forms are docker run's.
func (r *renamer) change(option string) func(string) string {
	switch option {
	case keyExtends:
		return func(s string) string { return r.to(r.templates, s) }
	case "depends-on":
		return func(s string) string { return r.to(r.containers, s) }
	case "volumes-from":
		return func(s string) string { return r.first(r.containers, s) }
	case "link":
		return r.link
	case "network", "net", "pid", "ipc", "uts":
		return r.network
	case "volume":
		return r.volume
	case "mount":
		return r.mount
	case "secret":
		return func(s string) string { return r.to(r.secrets, s) }
	default:
		return nil
	}
}

// first renames NAME in NAME or NAME:REST.
func (r *renamer) first(names map[string]bool, s string) string {
	name, rest, more := strings.Cut(s, ":")
	if more {
		rest = ":" + rest
	}
	return r.to(names, name) + rest
}

// link keeps the old name as the alias, which is the host name that the container uses.
func (r *renamer) link(s string) string {
	if r.containers[s] {
		return r.prefix + s + ":" + s
	}
	return r.first(r.containers, s)
}

// network renames container:NAME, NETWORK, and name=NETWORK among comma-separated fields.
func (r *renamer) network(s string) string {
	if name, ok := strings.CutPrefix(s, "container:"); ok {
		return "container:" + r.to(r.containers, name)
	}
	if !strings.Contains(s, "=") {
		return r.to(r.networks, s)
	}
	return fields(s, []string{"name"}, func(v string) string { return r.to(r.networks, v) })
}

// volume renames NAME:PATH; a lone PATH is an anonymous volume.
func (r *renamer) volume(s string) string {
	if !strings.Contains(s, ":") {
		return s
	}
	return r.first(r.volumes, s)
}

func (r *renamer) mount(s string) string {
	return fields(s, []string{"source", "src"}, func(v string) string { return r.to(r.volumes, v) })
}

// fields changes the value of some keys in key=value,key=value.
func fields(s string, keys []string, change func(string) string) string {
	parts := strings.Split(s, ",")
	for i, p := range parts {
		if k, v, ok := strings.Cut(p, "="); ok && slices.Contains(keys, k) {
			parts[i] = k + "=" + change(v)
		}
	}
	return strings.Join(parts, ",")
}
