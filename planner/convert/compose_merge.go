package convert

import (
	"path"
	"slices"
	"strings"

	"github.com/runfile/runfile/manifest"
)

// How compose merges two values of a key of a service where their shapes alone do not say it.
var (
	replacing = []string{"command", "entrypoint", "healthcheck.test"}
	asLists   = []string{
		"annotations", "dns", "dns_opt", "dns_search", "env_file", "environment", "extra_hosts", "label_file", "labels", "sysctls", "tmpfs",
	}
	asMaps = []string{"depends_on", "networks"}
)

// overlay lays a value over another one of the same key: maps merge, lists add up, the rest replaces.
func overlay(key string, base, over *manifest.Node) *manifest.Node {
	out := *over
	switch {
	case slices.Contains(replacing, key):
		return &out
	case over.Kind == manifest.Null:
		return base
	case slices.Contains(asLists, key) && (base.Kind != over.Kind || over.Kind == manifest.Scalar):
		base, out = asList(base), *asList(over)
	case slices.Contains(asMaps, key) && (base.Kind == manifest.List || over.Kind == manifest.List):
		base, out = asMap(key, base), *asMap(key, over)
	case base.Kind != over.Kind || key == "logging" && otherDriver(base, over):
		return &out
	}
	switch out.Kind {
	case manifest.List:
		out.Items = slices.Concat(base.Items, out.Items)
	case manifest.Map:
		out.Entries = overlayEntries(key, base.Entries, out)
	case manifest.Null, manifest.Scalar:
	}
	return &out
}

func overlayEntries(key string, base []manifest.Entry, over manifest.Node) (out []manifest.Entry) {
	for _, e := range base {
		if o := over.Entry(e.Key); o != nil {
			e = manifest.Entry{Key: e.Key, KeyRange: o.KeyRange, Value: overlay(strings.TrimPrefix(key+"."+e.Key, "."), e.Value, o.Value)}
		}
		out = append(out, e)
	}
	for _, e := range over.Entries {
		if !slices.ContainsFunc(base, func(b manifest.Entry) bool { return b.Key == e.Key }) {
			out = append(out, e)
		}
	}
	return out
}

// otherDriver says that the options of two drivers cannot be mixed.
func otherDriver(base, over *manifest.Node) bool {
	a, b := base.Get("driver"), over.Get("driver")
	return a != nil && b != nil && a.Text != b.Text
}

// asList is a map as a list of NAME=VALUE, and one value as a list of one.
func asList(n *manifest.Node) *manifest.Node {
	switch n.Kind {
	case manifest.Scalar:
		return listNode([]*manifest.Node{n}, n.Range)
	case manifest.Map:
		var items []*manifest.Node
		for _, e := range n.Entries {
			values := e.Value.Items
			switch e.Value.Kind {
			case manifest.Scalar:
				values = []*manifest.Node{e.Value}
			case manifest.Null:
				items = append(items, textNode(literal(e.Key), e.KeyRange))
			case manifest.List, manifest.Map:
			}
			for _, v := range values {
				items = append(items, textNode(literal(e.Key)+"="+scalarText(v), v.Range))
			}
		}
		return listNode(items, n.Range)
	case manifest.List, manifest.Null:
	}
	return n
}

// asMap is a list of names as a map, with what compose takes a name alone for.
func asMap(key string, n *manifest.Node) *manifest.Node {
	out := mapNode(n.Range, n.Entries...)
	for _, item := range n.Items {
		e := manifest.Entry{Key: item.Text, KeyRange: item.Range, Value: mapNode(item.Range)}
		if key == "depends_on" {
			e.Value.Entries = []manifest.Entry{entry("condition", textNode("service_started", item.Range))}
		}
		out.Entries = append(out.Entries, e)
	}
	return out
}

// identities say what makes two entries of a list one: the last of them counts, in the place of the first.
var identities = map[string]func(*manifest.Node) string{
	"annotations": beforeEquals, "cap_add": itself, "cap_drop": itself, "configs": fileTarget, "device_cgroup_rules": itself,
	"devices": mountTarget, "dns": itself, "dns_opt": itself, "dns_search": itself, "env_file": itself, "environment": beforeEquals,
	"expose": itself, "external_links": itself, "extra_hosts": itself, "group_add": itself, "labels": beforeEquals, "links": itself,
	"ports": portText, "profiles": itself, "secrets": fileTarget, "security_opt": itself, "sysctls": beforeEquals, "tmpfs": itself,
	"volumes": mountTarget, "volumes_from": itself,
}

func itself(n *manifest.Node) string {
	if p := n.Get("path"); p != nil {
		n = p
	}
	return n.Text
}

func beforeEquals(n *manifest.Node) string {
	name, _, _ := strings.Cut(n.Text, "=")
	return name
}

// mountTarget is where a volume or a device is to be seen.
func mountTarget(n *manifest.Node) string {
	if target := n.Get("target"); target != nil {
		return path.Clean(target.Text)
	}
	parts := strings.Split(n.Text, ":")
	if len(parts) == 1 || strings.Contains(n.Text, "${") {
		return n.Text
	}
	return path.Clean(parts[1])
}

// fileTarget is where a secret or config is to be seen.
func fileTarget(n *manifest.Node) string {
	for _, key := range []string{"target", "source"} {
		if v := n.Get(key); v != nil {
			return v.Text
		}
	}
	return n.Text
}

// onceOnly leaves of a service's lists what compose leaves of them.
func onceOnly(service *manifest.Node) *manifest.Node {
	out := *service
	out.Entries = slices.Clone(service.Entries)
	for i, e := range out.Entries {
		identity := identities[e.Key]
		if identity == nil || e.Value.Kind != manifest.List {
			continue
		}
		list := *e.Value
		list.Items = nil
		places := map[string]int{}
		for _, item := range e.Value.Items {
			id := identity(item)
			if at, twice := places[id]; twice && id != "" {
				list.Items[at] = item
				continue
			}
			places[id] = len(list.Items)
			list.Items = append(list.Items, item)
		}
		out.Entries[i].Value = &list
	}
	return &out
}
