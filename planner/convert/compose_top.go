package convert

import (
	"strings"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/schema"
)

// define gives an entry of networks or volumes a value, or reports that a runfile has no such key.
func (c *composer) define(p *part, section, key string, e manifest.Entry, help string) {
	o := sectionOption(section, key)
	if o == nil || e.Value.Kind == manifest.Map && o.Kind != schema.Map {
		c.leave(e, help)
		return
	}
	for _, n := range c.texts(e) {
		if on, ok := truth(n); ok && o.Kind == schema.Switch {
			n = boolNode(on, n.Range)
		}
		p.give(o, n.Text, n.Range)
	}
}

// external reads external: true, and the old external: {name: NAME}. It returns the name that the thing has outside.
func external(e manifest.Entry) (name string, is bool) {
	n := e.Value.Get("external")
	if n == nil || n.Kind == manifest.Scalar && !isTrue(n) {
		return "", false
	}
	for _, at := range []*manifest.Node{e.Value, n} {
		if own := at.Get("name"); own != nil {
			return own.Text, true
		}
	}
	return e.Key, true
}

func (c *composer) addVolume(e manifest.Entry) {
	p := &part{key: e.Key, at: e.KeyRange}
	name, isExternal := external(e)
	if isExternal {
		p.key = name // a runfile has no other name for it
		c.volNames[e.Key] = name
	}
	for _, k := range entries(e.Value) {
		switch {
		case strings.HasPrefix(k.Key, "x-"), k.Key == "external" && !isExternal, k.Key == "name" && isExternal:
		case k.Key == "external":
			p.set("external", boolNode(true, k.Value.Range))
		case isExternal:
			c.leave(k, "the volume is there already, with what it was made with")
		case k.Key == "driver_opts":
			c.volumeOptions(p, e.Value, k)
		case k.Key == "labels":
			c.define(p, "volumes", "label", k, "")
		case k.Key == "name":
			c.leave(k, "a runfile names volumes itself; make the volume first and declare it external to keep the name")
		default:
			c.define(p, "volumes", k.Key, k, "")
		}
	}
	if find(c.volumes, p.key) == nil && (len(p.entries) > 0 || len(entries(e.Value)) == 0) {
		c.volumes = append(c.volumes, p)
	}
}

// volumeOptions carries driver_opts. The directory that a volume shows counts from the file's own in compose.
func (c *composer) volumeOptions(p *part, volume *manifest.Node, e manifest.Entry) {
	driver, o, device := volume.Get("driver"), e.Value.Get("o"), e.Value.Get("device")
	if driver != nil && driver.Text == "local" && o != nil && o.Text == "bind" && device != nil {
		if path := c.home(device); !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "${") {
			device.Text = here + "/" + strings.TrimPrefix(path, "./")
		}
	}
	c.define(p, "volumes", "opt", e, "")
}

func (c *composer) addNetwork(e manifest.Entry) {
	p := &part{key: e.Key, at: e.KeyRange}
	if p.key == "default" {
		p.key = c.sharedNetwork()
	}
	if name, is := external(e); is && sectionOption("networks", "external") != nil {
		p.key = name
	}
	c.netNames[e.Key] = p.key
	for _, k := range entries(e.Value) {
		if !strings.HasPrefix(k.Key, "x-") {
			c.networkEntry(p, k)
		}
	}
	if find(c.networks, p.key) == nil && (len(p.entries) > 0 || len(entries(e.Value)) == 0) {
		c.networks = append(c.networks, p)
	}
}

// networkEntry carries one key of a network.
func (c *composer) networkEntry(p *part, k manifest.Entry) {
	switch {
	case k.Key == "driver" && k.Value.Text == "bridge", k.Key == "external" && !isExternal(k): // as usual
	case k.Key == "external":
		yes := manifest.Entry{Key: k.Key, KeyRange: k.KeyRange, Value: boolNode(true, k.Value.Range)}
		c.define(p, "networks", "external", yes, "the runfile's network is a new one, and nobody outside of the file is in it")
	case k.Key == "enable_ipv6":
		c.define(p, "networks", "ipv6", k, "")
	case k.Key == "labels":
		c.define(p, "networks", "label", k, "")
	case k.Key == "driver_opts":
		c.bridgeOptions(p, k)
	case k.Key == "ipam":
		c.ipam(p, k)
	case k.Key == "name":
		c.leave(k, "a runfile names networks itself")
	default:
		c.define(p, "networks", strings.ReplaceAll(k.Key, "_", "-"), k, "")
	}
}

func isExternal(k manifest.Entry) bool {
	_, is := external(manifest.Entry{Value: mapNode(k.KeyRange, k)})
	return is
}

func (c *composer) bridgeOptions(p *part, e manifest.Entry) {
	for _, k := range entries(e.Value) {
		c.define(p, "networks", bridgeOptions[k.Key], k, "")
	}
}

func (c *composer) ipam(p *part, e manifest.Entry) {
	for _, k := range entries(e.Value) {
		switch {
		case k.Key == "config":
			for _, n := range k.Value.Items {
				for _, o := range entries(n) {
					c.define(p, "networks", strings.ReplaceAll(o.Key, "_", "-"), o, "")
				}
			}
		case k.Key == "driver" && k.Value.Text == "default":
		default:
			c.leave(k, "")
		}
	}
}

// networkFields are compose's keys of a service's network with those of the map form of network.
var networkFields = map[string]string{
	"aliases": "alias", "ipv4_address": "ip", "ipv6_address": "ip6", "mac_address": "mac-address", "gw_priority": "gw-priority",
	"link_local_ips": "link-local-ip",
}

func (c *composer) serviceNetworks(s *service, e manifest.Entry) {
	for _, n := range e.Value.Items {
		s.add("network", textNode(c.networkKey(n.Text), n.Range))
	}
	for _, net := range e.Value.Entries {
		key := textNode(c.networkKey(net.Key), net.KeyRange)
		m := mapNode(net.KeyRange, entry("name", key))
		for _, k := range entries(net.Value) {
			if field := networkFields[k.Key]; field != "" {
				m.Entries = append(m.Entries, manifest.Entry{Key: field, KeyRange: k.KeyRange, Value: k.Value})
			} else {
				c.leave(k, "")
			}
		}
		if len(m.Entries) == 1 {
			s.add("network", key)
		} else {
			s.add("network", m)
		}
	}
}

// networkKey is what the runfile calls a network of the compose file.
func (c *composer) networkKey(name string) string {
	if key := c.netNames[name]; key != "" {
		return key
	}
	if name == "default" {
		return c.sharedNetwork()
	}
	return name
}

// secretFile notes the file of an entry of secrets or configs. Compose mounts such files, and so can a runfile.
func (c *composer) secretFile(section string, e manifest.Entry) {
	for _, k := range entries(e.Value) {
		switch {
		case k.Key == "file":
			c.files[section][e.Key] = k.Value
		case strings.HasPrefix(k.Key, "x-"):
		default:
			c.leave(k, "only files are carried: they are mounted, as compose does it")
		}
	}
}

// mountFiles carries secrets and configs that are files.
func mountFiles(section, dir string) keyHandler {
	return func(c *composer, s *service, e manifest.Entry) {
		for _, n := range e.Value.Items {
			source, target := n, ""
			for _, k := range entries(n) {
				switch k.Key {
				case "source":
					source = k.Value
				case "target":
					target = k.Value.Text
				default:
					c.leave(k, "the file keeps its owner and mode")
				}
			}
			file := c.files[section][source.Text]
			if file == nil {
				c.lose(n.Range, "not carried").WithHelp("%s is no file: mount one, or give the value in the environment", source.Text)
				continue
			}
			if target == "" {
				target = source.Text
			}
			if !strings.HasPrefix(target, "/") {
				target = dir + target
			}
			c.give(s, "volume", relative(c.home(file))+":"+target+":ro", n.Range)
		}
	}
}

// relative writes a path so that docker run does not take it for the name of a volume.
func relative(path string) string {
	if isPath(path) || strings.HasPrefix(path, "${") {
		return path
	}
	return "./" + path
}
