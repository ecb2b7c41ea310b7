package schema

import (
	"github.com/runfile/runfile/manifest"
)

// blockLines turns a block of a compose file, in which options are grouped, into the lines of a runfile. It returns nil
// for other keys, and for a block that says something else than usual.
func blockLines(key string, n *manifest.Node, s spelling) []string {
	if n.Kind != manifest.Map || s == spelledFlag {
		return nil
	}
	var names map[string]string
	switch key {
	case "healthcheck":
		return healthLines(n, s)
	case "networks":
		return networkLines(n, s)
	case "logging":
		names = map[string]string{"driver": "log-driver", "options": "log-opt"}
	case "deploy":
		if n = n.Get("resources"); n == nil || n.Kind != manifest.Map {
			return nil
		}
		fallthrough
	case "resources":
		if n = n.Get("limits"); n == nil || n.Kind != manifest.Map {
			return nil
		}
		names = map[string]string{"cpus": "cpus", "cpu": "cpus", "memory": "memory", "pids": "pids-limit"}
	default:
		return nil
	}
	return namedLines(n, s, names)
}

// namedLines writes each key of a block under its other name.
func namedLines(n *manifest.Node, s spelling, names map[string]string) []string {
	var out []string
	for _, e := range n.Entries {
		text, ok := s.value(e.Value)
		if names[e.Key] == "" || !ok || !readable(names[e.Key], e.Value) {
			return nil
		}
		out = append(out, s.pair(names[e.Key], text))
	}
	return out
}

// readable reports whether an option takes a value: what is advised must be right.
func readable(name string, n *manifest.Node) bool {
	r := rowByName[name]
	if r == nil {
		return false
	}
	d := &decoder{}
	r.read(d, &Container{}, manifest.Entry{Key: name, Value: n})
	return !d.diags.HasErrors()
}

// healthLines turns compose's healthcheck into the options of docker run.
func healthLines(n *manifest.Node, s spelling) []string {
	rest := &manifest.Node{Kind: manifest.Map}
	var out []string
	for _, e := range n.Entries {
		switch e.Key {
		case "test":
			test := e.Value
			if test.Kind == manifest.List && len(test.Items) > 0 {
				switch word := test.Items[0].Text; {
				case word == "NONE":
					return []string{s.on("no-healthcheck")}
				case word == "CMD-SHELL" && len(test.Items) == 2:
					test = test.Items[1]
				case word == "CMD":
					test = &manifest.Node{Kind: manifest.List, Items: test.Items[1:]}
				default:
					return nil
				}
			}
			text, ok := s.value(test)
			if !ok {
				return nil
			}
			out = append(out, s.pair("health-cmd", text))
		case "disable":
			if e.Value.Text == "true" {
				return []string{s.on("no-healthcheck")}
			}
		default:
			rest.Entries = append(rest.Entries, e)
		}
	}
	more := namedLines(rest, s, map[string]string{
		"interval": "health-interval", "timeout": "health-timeout", "retries": "health-retries",
		"start_period": "health-start-period", "start_interval": "health-start-interval",
	})
	if len(more) != len(rest.Entries) {
		return nil
	}
	return append(out, more...)
}

// networkKeys are compose's names for the keys of a network entry.
var networkKeys = map[string]string{
	"aliases": "alias", "ipv4_address": "ip", "ipv6_address": "ip6", "mac_address": "mac-address", "gw_priority": "gw-priority",
}

// networkLines turns the networks of a compose service into the option network.
func networkLines(n *manifest.Node, s spelling) []string {
	list := &manifest.Node{Kind: manifest.List}
	for _, e := range n.Entries {
		name := &manifest.Node{Kind: manifest.Scalar, Text: e.Key}
		if e.Value.Kind == manifest.Null || len(e.Value.Entries) == 0 {
			list.Items = append(list.Items, name)
			continue
		}
		item := &manifest.Node{Kind: manifest.Map, Entries: []manifest.Entry{{Key: "name", Value: name}}}
		for _, k := range e.Value.Entries {
			if networkKeys[k.Key] == "" {
				return nil
			}
			item.Entries = append(item.Entries, manifest.Entry{Key: networkKeys[k.Key], Value: k.Value})
		}
		list.Items = append(list.Items, item)
	}
	if text, ok := s.value(list); ok {
		return []string{s.pair("network", text)}
	}
	return nil
}
