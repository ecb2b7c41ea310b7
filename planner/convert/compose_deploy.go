package convert

import (
	"slices"
	"strconv"
	"strings"

	"github.com/runfile/runfile/manifest"
)

// deploy carries what compose honours of it on one machine.
func (c *composer) deploy(s *service, e manifest.Entry) {
	for _, k := range entries(e.Value) {
		switch k.Key {
		case "resources":
			c.resources(s, k)
		case "replicas":
			c.scale(s, k)
		case "restart_policy":
			c.restartPolicy(s, k)
		default:
			c.leave(k, "it is about a cluster")
		}
	}
}

// limits are keys of deploy.resources.limits and reservations with their options.
var limits = map[string]string{
	"limits.cpus": "cpus", "limits.memory": "memory", "limits.pids": "pids-limit", "reservations.memory": "memory-reservation",
}

func (c *composer) resources(s *service, e manifest.Entry) {
	for _, group := range entries(e.Value) {
		for _, k := range entries(group.Value) {
			option := limits[group.Key+"."+k.Key]
			switch {
			case option != "" && c.elsewhere(s, k, option):
			case option != "":
				c.give(s, option, k.Value.Text, k.Value.Range)
			case group.Key == "reservations" && k.Key == "devices":
				c.reservedDevices(s, k)
			default:
				c.leave(k, "")
			}
		}
	}
}

// limitKeys are the keys of a service that say the same as a limit of deploy.
var limitKeys = map[string]string{
	"cpus": "cpus", "memory": "mem_limit", "pids-limit": "pids_limit", "memory-reservation": "mem_reservation",
}

// elsewhere says that a limit stands beside deploy, too. Compose takes both only if they are equal.
func (c *composer) elsewhere(s *service, k manifest.Entry, option string) bool {
	other := s.node.Get(limitKeys[option])
	if other == nil || other.Kind != manifest.Scalar {
		return false
	}
	if other.Text != k.Value.Text {
		c.leave(k, "the service says "+limitKeys[option]+": "+other.Text+", and compose wants both to be equal")
	}
	return true
}

// reservedDevices are GPUs, as far as docker run knows.
func (c *composer) reservedDevices(s *service, e manifest.Entry) {
	for _, n := range e.Value.Items {
		if capabilities := n.Get("capabilities"); capabilities != nil && slices.ContainsFunc(capabilities.Items,
			func(item *manifest.Node) bool { return item.Text == "gpu" }) {
			c.gpu(s, n)
			continue
		}
		c.lose(n.Range, "not carried").WithHelp("only GPUs can be reserved")
	}
}

var restartConditions = map[string]string{"none": "no", "any": "always"}

// restartPolicy replaces what the key restart says, as it does in compose.
func (c *composer) restartPolicy(s *service, e manifest.Entry) {
	text, at := "always", e.KeyRange
	if n := e.Value.Get("condition"); n != nil {
		text, at = n.Text, n.Range
		if word := restartConditions[text]; word != "" {
			text = word
		}
	}
	for _, k := range entries(e.Value) {
		switch {
		case k.Key == "condition":
		case k.Key == "max_attempts" && text == "on-failure":
			text += ":" + k.Value.Text
		case k.Key == "max_attempts":
			c.leave(k, "attempts are counted with on-failure only")
		default:
			c.leave(k, "")
		}
	}
	c.give(s, "restart", text, at)
}

// ports carries the short form as it is, and the long form as text.
func (c *composer) ports(s *service, e manifest.Entry) {
	for _, n := range e.Value.Items {
		for _, k := range entries(n) {
			switch k.Key {
			case "target", "published", "host_ip", "protocol", "mode": // host and ingress are the same on one machine
			default:
				c.leave(k, "")
			}
		}
		c.give(s, "publish", portText(n), n.Range)
	}
}

// portText is an entry of ports in docker run's words.
func portText(n *manifest.Node) string {
	if n.Kind == manifest.Scalar {
		return n.Text
	}
	var host, published, target, proto string
	for _, k := range entries(n) {
		switch k.Key {
		case "target":
			target = k.Value.Text
		case "published":
			published = k.Value.Text + ":"
		case "host_ip":
			host = bracketed(k.Value.Text) + ":"
		case "protocol":
			proto = "/" + k.Value.Text
		}
	}
	if host != "" && published == "" {
		published = ":"
	}
	return host + published + target + proto
}

func bracketed(ip string) string {
	if strings.Contains(ip, ":") && !strings.HasPrefix(ip, "[") {
		return "[" + ip + "]"
	}
	return ip
}

// serviceVolumes carries the short form as it is; names of volumes may have changed.
func (c *composer) serviceVolumes(s *service, e manifest.Entry) {
	for _, n := range e.Value.Items {
		switch {
		case n.Kind == manifest.Scalar:
			text := c.home(n)
			name, rest, _ := strings.Cut(text, ":")
			if key := c.volNames[name]; key != "" && rest != "" {
				text = key + ":" + rest
			}
			c.give(s, "volume", text, n.Range)
		case n.Get("type") != nil && n.Get("type").Text == "tmpfs":
			c.tmpfs(s, n)
		default:
			c.mount(s, n)
		}
	}
}

func (c *composer) tmpfs(s *service, n *manifest.Node) {
	text, sep := "", ":"
	if target := n.Get("target"); target != nil {
		text = target.Text
	}
	for _, k := range entries(n) {
		switch k.Key {
		case "type", "target", "consistency":
		case "read_only":
			if isTrue(k.Value) {
				text, sep = text+sep+"ro", ","
			}
		case "tmpfs":
			for _, o := range entries(k.Value) {
				if o.Key != "size" && o.Key != "mode" {
					c.leave(o, "")
					continue
				}
				text, sep = text+sep+o.Key+"="+c.tmpfsText(o), ","
			}
		default:
			c.leave(k, "")
		}
	}
	c.give(s, "tmpfs", text, n.Range)
}

// tmpfsText is the size or mode of a tmpfs. A mode is a number of YAML, octal with a leading 0 only; mount reads it as octal.
func (c *composer) tmpfsText(o manifest.Entry) string {
	text := o.Value.Text
	n, err := strconv.ParseUint(text, 0, 32)
	if err != nil || o.Key != "mode" || o.Value.Type != manifest.Int {
		return text
	}
	octal := strconv.FormatUint(n, 8)
	if !strings.HasPrefix(text, "0") {
		c.change(o.Value.Range, "compose reads %s as a decimal number", text).WithHelp("as octal it is %s; if %s was meant, write mode=%s in the runfile", octal, text, text)
	}
	return octal
}

// mount carries the long form of a bind mount or a volume as the map form of volume.
func (c *composer) mount(s *service, n *manifest.Node) {
	kind, source := "", n.Get("source")
	if t := n.Get("type"); t != nil {
		kind = t.Text
	}
	if problem := sourceProblem(kind, source); problem != "" {
		c.lose(n.Range, "not carried").WithHelp("%s", problem)
		return
	}
	out := mapNode(n.Range)
	put := func(k manifest.Entry, name string, value *manifest.Node) {
		out.Entries = append(out.Entries, manifest.Entry{Key: name, KeyRange: k.KeyRange, Value: value})
	}
	for _, k := range entries(n) {
		switch k.Key {
		case "type":
		case "source":
			text := c.home(k.Value)
			switch key := c.volNames[text]; {
			case kind == "bind":
				text = relative(text)
			case key != "":
				text = key
			}
			put(k, "source", textNode(text, k.Value.Range))
		case "target":
			put(k, "target", k.Value)
		case "read_only":
			if isTrue(k.Value) {
				put(k, "read-only", boolNode(true, k.Value.Range))
			}
		case "bind", "volume":
			c.mountOptions(k, put)
		case "consistency": // means nothing on Linux
		default:
			c.leave(k, "")
		}
	}
	s.add("volume", out)
}

func (c *composer) mountOptions(group manifest.Entry, put func(manifest.Entry, string, *manifest.Node)) {
	for _, k := range entries(group.Value) {
		switch {
		case k.Key == "propagation" || k.Key == "selinux":
			put(k, k.Key, k.Value)
		case k.Key == "nocopy":
			if isTrue(k.Value) {
				put(k, "nocopy", boolNode(true, k.Value.Range))
			}
		case k.Key == "create_host_path" && isTrue(k.Value): // as docker run does
		case k.Key == "create_host_path":
			c.leave(k, "docker run makes a path that does not exist")
		default:
			c.leave(k, "")
		}
	}
}

// sourceProblem is why the type of a mount and its source do not go together, "" if they do. A runfile tells the type from
// the source.
func sourceProblem(kind string, source *manifest.Node) string {
	switch {
	case kind != "" && kind != "bind" && kind != "volume":
		return "there is no mount of the type " + kind
	case kind == "bind" && (source == nil || source.Text == ""):
		return "a mount of the type bind has a source"
	case kind == "volume" && source != nil && isPath(source.Text):
		return "a volume has a name; for a path the type is bind"
	}
	return ""
}

func isPath(source string) bool {
	return strings.HasPrefix(source, "/") || strings.HasPrefix(source, ".") || strings.HasPrefix(source, "~")
}
