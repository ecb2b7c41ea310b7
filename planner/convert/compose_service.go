package convert

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/runfile/runfile/manifest"
)

// serviceKeys are the keys of a service whose values are not docker run's; the others are in plainKeys.
var serviceKeys map[string]keyHandler

func init() { // the handlers refer to the table
	serviceKeys = map[string]keyHandler{
		"attach":            (*composer).attach,
		"blkio_config":      (*composer).blkio,
		"build":             (*composer).build,
		"credential_spec":   (*composer).credentials,
		"depends_on":        (*composer).dependsOn,
		"deploy":            (*composer).deploy,
		"devices":           (*composer).devices,
		"env_file":          (*composer).envFile,
		"environment":       (*composer).environment,
		"extra_hosts":       (*composer).extraHosts,
		"gpus":              (*composer).gpus,
		"healthcheck":       (*composer).healthcheck,
		"ipc":               namespace("ipc"),
		"logging":           (*composer).logging,
		"network_mode":      (*composer).networkMode,
		"networks":          (*composer).serviceNetworks,
		"pid":               namespace("pid"),
		"ports":             (*composer).ports,
		"pull_policy":       (*composer).pullPolicy,
		"restart":           (*composer).restart,
		"scale":             (*composer).scale,
		"secrets":           mountFiles("secrets", "/run/secrets/"),
		"configs":           mountFiles("configs", "/"),
		"stop_grace_period": (*composer).grace,
		"umask":             (*composer).umask,
		"ulimits":           (*composer).ulimits,
		"volumes":           (*composer).serviceVolumes,
		"volumes_from":      (*composer).volumesFrom,
	}
}

// build names the image as compose names the one that it builds.
func (c *composer) build(s *service, e manifest.Entry) {
	if s.node.Get("image") != nil {
		c.leave(e, "build the image first; the runfile takes the one that image names")
		return
	}
	project := keyOf(strings.ToLower(filepath.Base(c.dir)))
	if c.project != nil {
		project = c.project.Text
	}
	s.set("image", textNode(project+"-"+s.key, e.Value.Range))
	c.leave(e, "build it first: docker compose build gives the image the name "+project+"-"+s.key)
}

func (c *composer) credentials(s *service, e manifest.Entry) {
	for _, k := range entries(e.Value) {
		if k.Key != "file" && k.Key != "registry" {
			c.leave(k, "")
			continue
		}
		c.give(s, "security-opt", "credentialspec="+k.Key+"://"+k.Value.Text, k.Value.Range)
	}
}

// conditions are compose's with ours.
var conditions = map[string]string{
	"service_started": "started", "service_healthy": "healthy", "service_completed_successfully": "completed",
}

func (c *composer) dependsOn(s *service, e manifest.Entry) {
	deps := mapNode(e.Value.Range)
	for _, n := range e.Value.Items {
		deps.Entries = append(deps.Entries, manifest.Entry{Key: n.Text, KeyRange: n.Range, Value: c.condition(n.Text, "service_started", n)})
	}
	for _, d := range e.Value.Entries {
		condition := d.Value.Get("condition")
		if condition == nil {
			condition = textNode("service_started", d.KeyRange)
		}
		entry := manifest.Entry{Key: d.Key, KeyRange: d.KeyRange, Value: c.condition(d.Key, condition.Text, condition)}
		for _, k := range entries(d.Value) {
			switch {
			case k.Key == "condition":
			case k.Key == "required" && isTrue(k.Value) || k.Key == "restart" && isFalse(k.Value): // the default
			default:
				entry.Value.Entries = append(entry.Value.Entries, k)
			}
		}
		deps.Entries = append(deps.Entries, entry)
	}
	s.set("depends-on", deps)
}

// condition is the value of a depends-on entry. It is left open where a runfile waits for the same by itself.
func (c *composer) condition(target, condition string, at *manifest.Node) *manifest.Node {
	n := mapNode(at.Range)
	known, ok := conditions[condition]
	if !ok {
		known = condition // reported when the draft is read
	}
	auto := "started"
	switch {
	case c.jobs[target]:
		auto = "completed"
	case c.hasCheck(target):
		auto = "healthy"
	}
	if known != auto {
		n.Entries = []manifest.Entry{entry("condition", textNode(known, at.Range))}
	}
	return n
}

func (c *composer) hasCheck(service string) bool {
	n := c.checks[service]
	return n != nil && n.Get("test") != nil && !isTrue(n.Get("disable")) && !disables(n.Get("test"))
}

// disables reports whether a test is NONE.
func disables(test *manifest.Node) bool {
	return test.Kind == manifest.List && len(test.Items) > 0 && test.Items[0].Text == "NONE"
}

func (c *composer) healthcheck(s *service, e manifest.Entry) {
	if test := e.Value.Get("test"); isTrue(e.Value.Get("disable")) || test != nil && disables(test) {
		s.set("no-healthcheck", boolNode(true, e.KeyRange))
		return
	}
	for _, k := range entries(e.Value) {
		switch k.Key {
		case "test":
			c.test(s, k)
		case "disable": // false
		case "retries":
			c.give(s, "health-retries", k.Value.Text, k.Value.Range)
		case "interval", "timeout", "start_period", "start_interval":
			c.give(s, "health-"+strings.ReplaceAll(k.Key, "_", "-"), composeTime(k.Value.Text), k.Value.Range)
		default:
			c.leave(k, "")
		}
	}
}

func (c *composer) test(s *service, k manifest.Entry) {
	switch items := k.Value.Items; {
	case k.Value.Kind == manifest.Null:
	case k.Value.Kind == manifest.Scalar && k.Value.Text != "":
		s.set("health-cmd", k.Value)
	case len(items) == 2 && items[0].Text == "CMD-SHELL":
		s.set("health-cmd", items[1])
	case len(items) > 1 && items[0].Text == "CMD":
		s.set("health-cmd", listNode(items[1:], k.Value.Range))
	default:
		c.leave(k, "the test is CMD and words, CMD-SHELL and one text, or NONE")
	}
}

// envFile carries env files. Compose understands quotes and variables in them, docker run takes them verbatim.
func (c *composer) envFile(s *service, e manifest.Entry) {
	items := e.Value.Items
	if e.Value.Kind != manifest.List {
		items = []*manifest.Node{e.Value}
	}
	for _, n := range items {
		path, optional := c.envFileEntry(n)
		if path == nil {
			c.lose(n.Range, "not carried").WithHelp("there is no path")
			continue
		}
		text, err := c.peek(path.Text)
		if optional && err != nil {
			c.lose(path.Range, "not carried").WithHelp("the file is not here")
			continue
		}
		c.give(s, "env-file", c.home(path), path.Range)
		if err == nil && strings.ContainsAny(string(text), `"'$`) {
			c.change(path.Range, "this file is read as docker run reads it").
				WithHelp("quotes belong to the values, and nothing is replaced in them; look through %s", path.Text)
		}
	}
}

// peek reads the beginning of a regular file; opening anything else might wait for ever.
func (c *composer) peek(path string) ([]byte, error) {
	path = manifest.Absolute(c.dir, path)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, os.ErrNotExist
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxInput))
}

// envFileEntry reads one entry of env_file: a path, or a map with one.
func (c *composer) envFileEntry(n *manifest.Node) (path *manifest.Node, optional bool) {
	path = n
	for _, k := range entries(n) {
		switch {
		case k.Key == "path":
			path = k.Value
		case k.Key == "required" && isFalse(k.Value):
			optional = true
			c.leave(k, "an env-file of a runfile has to be there")
		case k.Key == "required" && isTrue(k.Value), k.Key == "format" && k.Value.Text == "raw":
		default:
			c.leave(k, "")
		}
	}
	if path.Kind != manifest.Scalar || path.Text == "" {
		return nil, false
	}
	return path, optional
}

// home replaces a tilde, which compose does and a runfile does not.
func (c *composer) home(n *manifest.Node) string {
	if n.Text == "~" || strings.HasPrefix(n.Text, "~/") || strings.HasPrefix(n.Text, "~:") {
		return "${" + c.vars.use("HOME", "", n.Range) + "}" + n.Text[1:]
	}
	return n.Text
}

func (c *composer) extraHosts(s *service, e manifest.Entry) {
	if e.Value.Kind != manifest.Map {
		for _, n := range c.texts(e) {
			first, others, _ := strings.Cut(n.Text, ",")
			c.give(s, "add-host", first, n.Range)
			for ip := range strings.SplitSeq(others, ",") {
				if at := strings.IndexAny(first, "=:"); ip != "" && at >= 0 {
					c.give(s, "add-host", first[:at+1]+ip, n.Range)
				}
			}
		}
		return
	}
	for _, h := range e.Value.Entries {
		items := h.Value.Items
		if len(items) == 0 && h.Value.Kind != manifest.Scalar {
			c.leave(h, "there is no address")
		}
		if h.Value.Kind == manifest.Scalar {
			items = []*manifest.Node{h.Value}
		}
		for _, ip := range items {
			c.give(s, "add-host", h.Key+":"+ip.Text, ip.Range)
		}
	}
}

// namespace carries a mode that may name a service.
func namespace(option string) keyHandler {
	return func(c *composer, s *service, e manifest.Entry) {
		text := e.Value.Text
		if name, ok := strings.CutPrefix(text, "service:"); ok {
			text = "container:" + name
		}
		c.give(s, option, text, e.Value.Range)
	}
}

var networkModes = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(bridge|host|none|default|(container|service):.*|\$\{.*)$`)
})

// networkMode carries a mode. Any other word is a network of the host for compose, by its real name.
func (c *composer) networkMode(s *service, e manifest.Entry) {
	if !networkModes().MatchString(e.Value.Text) {
		c.change(e.Value.Range, "this is a network of the runfile's own").
			WithHelp("compose takes one that the host has under the name %s", e.Value.Text)
	}
	namespace("network")(c, s, e)
}

// attach false keeps output off the screen of compose up.
func (c *composer) attach(_ *service, e manifest.Entry) {
	if !isTrue(e.Value) {
		c.leave(e, "runfile up shows the output of all; runfile up -d shows none")
	}
}

func (c *composer) logging(s *service, e manifest.Entry) {
	for _, k := range entries(e.Value) {
		switch k.Key {
		case "driver":
			c.give(s, "log-driver", k.Value.Text, k.Value.Range)
		case "options":
			for _, n := range c.texts(k) {
				c.give(s, "log-opt", n.Text, n.Range)
			}
		default:
			c.leave(k, "")
		}
	}
}

func (c *composer) pullPolicy(s *service, e manifest.Entry) {
	switch e.Value.Text {
	case "if_not_present":
		c.give(s, "pull", "missing", e.Value.Range)
	case "build":
		c.leave(e, "build the image first")
	default:
		c.give(s, "pull", e.Value.Text, e.Value.Range)
	}
}

// restart may be an unquoted no.
func (c *composer) restart(s *service, e manifest.Entry) {
	if s.node.Get("deploy").Get("restart_policy") != nil {
		c.leave(e, "deploy.restart_policy goes before it")
		return
	}
	text := e.Value.Text
	if e.Value.Type == manifest.Bool && strings.EqualFold(text, "false") {
		text = "no"
	}
	c.give(s, "restart", text, e.Value.Range)
}

func (c *composer) scale(s *service, e manifest.Entry) {
	if e.Value.Text == "1" {
		return
	}
	c.give(s, "replicas", e.Value.Text, e.Value.Range)
}

// grace writes a time as whole seconds, rounded up.
func (c *composer) grace(s *service, e manifest.Entry) {
	d, err := time.ParseDuration(composeTime(e.Value.Text))
	if strings.Contains(e.Value.Text, "${") {
		c.leave(e, "a runfile counts it in seconds: add stop-timeout with a variable that holds a number")
		return
	}
	if err != nil {
		c.leave(e, "write a time such as 1m30s")
		return
	}
	seconds := int((d + time.Second - 1) / time.Second)
	if time.Duration(seconds)*time.Second != d {
		c.change(e.Value.Range, "docker run counts this time in whole seconds").WithHelp("it has become %d", seconds)
	}
	c.give(s, "stop-timeout", itoa(seconds), e.Value.Range)
}

func (c *composer) ulimits(s *service, e manifest.Entry) {
	for _, u := range entries(e.Value) {
		text := u.Key + "=" + u.Value.Text
		if soft, hard := u.Value.Get("soft"), u.Value.Get("hard"); soft != nil && hard != nil {
			text = u.Key + "=" + soft.Text + ":" + hard.Text
		}
		c.give(s, "ulimit", text, u.KeyRange)
	}
}

func (c *composer) devices(s *service, e manifest.Entry) {
	for _, n := range e.Value.Items {
		text := n.Text
		if source := n.Get("source"); source != nil {
			parts := []string{source.Text}
			for _, key := range []string{"target", "permissions"} {
				if v := n.Get(key); v != nil {
					parts = append(parts, v.Text)
				} else if key == "target" {
					parts = append(parts, source.Text)
				}
			}
			text = strings.Join(parts, ":")
		}
		c.give(s, "device", text, n.Range)
	}
}

// blkio carries blkio_config, whose entries docker run has as flags.
func (c *composer) blkio(s *service, e manifest.Entry) {
	for _, k := range entries(e.Value) {
		option := strings.ReplaceAll(k.Key, "_", "-")
		if option == "weight" || option == "weight-device" {
			option = "blkio-" + option
		}
		if k.Value.Kind == manifest.Scalar {
			c.give(s, option, k.Value.Text, k.Value.Range)
			continue
		}
		for _, n := range k.Value.Items {
			amount := n.Get("rate")
			if amount == nil {
				amount = n.Get("weight")
			}
			if path := n.Get("path"); path != nil && amount != nil {
				c.give(s, option, path.Text+":"+amount.Text, n.Range)
			} else {
				c.lose(n.Range, "not carried").WithHelp("it needs a path and a rate or weight")
			}
		}
	}
}

// volumesFrom may name a container outside of the file as container:NAME.
func (c *composer) volumesFrom(s *service, e manifest.Entry) {
	for _, n := range c.texts(e) {
		c.give(s, "volumes-from", strings.TrimPrefix(n.Text, "container:"), n.Range)
	}
}

// gpus carries all, or a list of devices.
func (c *composer) gpus(s *service, e manifest.Entry) {
	if e.Value.Kind == manifest.Scalar {
		c.give(s, "gpus", e.Value.Text, e.Value.Range)
		return
	}
	for _, n := range e.Value.Items {
		c.gpu(s, n)
	}
}

func (c *composer) gpu(s *service, n *manifest.Node) {
	var ids []string
	count := "all"
	for _, k := range entries(n) {
		switch {
		case k.Key == "count":
			count = k.Value.Text
		case k.Key == "device_ids":
			for _, id := range c.texts(k) {
				ids = append(ids, id.Text)
			}
		case k.Key == "driver" && k.Value.Text == "nvidia", k.Key == "capabilities":
		default:
			c.leave(k, "")
		}
	}
	text := count
	if len(ids) > 0 {
		text = `"device=` + strings.Join(ids, ",") + `"`
	}
	c.give(s, "gpus", text, n.Range)
}
