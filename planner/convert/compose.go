package convert

import (
	"path/filepath"
	"strings"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema"
)

// Compose converts a compose file. It is read with our own reader, which keeps the places of all values, rather than with
// the compose library, which does not. Relative paths stay as they are and count from dir, the file's directory.
//
// A service is a service of the runfile, detached, unless another one waits for its successful end. Services that name no
// network share one, as compose gives them, so that they find each other by name.
func Compose(file string, text []byte, dir string) *Result {
	src := diag.Sources{file: text}
	if d := unreadable(file, text); d != nil {
		return &Result{Diags: d, Sources: src}
	}
	root, diags := manifest.ParseYAML(file, text)
	if root == nil || root.Get("services") == nil || root.Get("services").Kind != manifest.Map {
		if !diags.HasErrors() {
			diags.Errorf(CodeNoInput, diag.Range{File: file}, "there is no section services, which a compose file has")
		}
		return &Result{Diags: diags, Sources: src}
	}
	c := newComposer(file, dir, src)
	c.diags, c.lost = diags, diags.HasErrors()
	c.paths("", root)
	c.overridden(root)
	c.dotenv()
	c.interpolate(root)
	c.straighten("", root)
	c.file(root)
	return c.settle(src)
}

// composer turns a compose file into a draft.
type composer struct {
	*draft
	name     string // of the file, as it is shown
	sources  diag.Sources
	origins  map[string]*origin // other files, by path
	vars     *values
	netNames map[string]string // name in the compose file -> key of the network
	volNames map[string]string
	files    map[string]map[string]*manifest.Node // secrets and configs: name -> its file
	jobs     map[string]bool                      // services whose end another one waits for
	checks   map[string]*manifest.Node            // healthcheck of each service
	shared   string                               // the network of those that name none
}

// service is an entry of services.
type service struct {
	*part
	node *manifest.Node
}

// keyHandler carries one key of a service.
type keyHandler func(c *composer, s *service, e manifest.Entry)

func newComposer(file, dir string, src diag.Sources) *composer {
	d := &draft{dir: dir, where: map[inputPos]string{}}
	return &composer{
		name: file, sources: src, origins: map[string]*origin{},
		draft: d, vars: newValues(d), netNames: map[string]string{}, volNames: map[string]string{},
		files: map[string]map[string]*manifest.Node{}, jobs: map[string]bool{}, checks: map[string]*manifest.Node{},
	}
}

// paths notes what stands where, for messages.
func (c *composer) paths(path string, n *manifest.Node) {
	for i, item := range n.Items {
		at := path + "[" + itoa(i) + "]"
		c.where[startOf(item.Range)] = at
		c.paths(at, item)
	}
	for _, e := range n.Entries {
		at := strings.TrimPrefix(path+"."+e.Key, ".")
		if e.Value.Kind != manifest.Map { // a map in block style begins where its first key does
			c.where[startOf(e.Value.Range)] = at
		}
		c.where[startOf(e.KeyRange)] = at
		c.paths(at, e.Value)
	}
}

// overridden reports the file that compose adds to one with a name of those that it looks for.
func (c *composer) overridden(root *manifest.Node) {
	base, ext := filepath.Base(c.name), filepath.Ext(c.name)
	if base != "compose"+ext && base != "docker-compose"+ext {
		return
	}
	for _, ext := range []string{".yaml", ".yml"} {
		for _, name := range []string{"compose.override", "docker-compose.override"} {
			if _, err := c.peek(name + ext); err == nil {
				c.lose(root.Entries[0].KeyRange, "%s is not carried, which compose adds to this file", name+ext).
					WithHelp("let compose write both as one file, and convert that: docker compose config")
				return
			}
		}
	}
}

// leave reports a key that has no counterpart. Extensions mean nothing to compose.
func (c *composer) leave(e manifest.Entry, why string) {
	if strings.HasPrefix(e.Key, "x-") {
		return
	}
	d := c.lose(e.KeyRange, "not carried")
	if why != "" {
		d.WithHelp("%s", why)
	}
}

// file carries the whole file.
func (c *composer) file(root *manifest.Node) {
	for _, e := range root.Entries {
		c.topLevel(e)
	}
	all := root.Get("services")
	if len(all.Entries) == 0 && !c.lost {
		c.diags.Errorf(CodeNoInput, all.Range, "there are no services")
	}
	list := c.extendAll(all)
	c.waits(list)
	for _, e := range list {
		if len(c.containers) == maxContainers || len(c.draft.vars) > maxVariables {
			c.lose(e.KeyRange, "only %d services and %d variables are carried", maxContainers, maxVariables)
			break
		}
		c.service(&service{part: c.addContainer(e.Key, e.KeyRange), node: e.Value})
	}
	if len(c.draft.vars) == 0 {
		c.varsFile = nil
	}
}

// topLevel carries a section other than the services.
func (c *composer) topLevel(e manifest.Entry) {
	switch {
	case e.Key == "services" || e.Key == "version" || strings.HasPrefix(e.Key, "x-"):
	case e.Key == "name" && e.Value.Kind == manifest.Null: // nothing is said
	case e.Key == "name":
		c.project = textNode(e.Value.Text, e.Value.Range)
	case e.Key == "networks":
		c.each(e, c.addNetwork)
	case e.Key == "volumes":
		c.each(e, c.addVolume)
	case e.Key == "secrets" || e.Key == "configs":
		c.files[e.Key] = map[string]*manifest.Node{}
		c.each(e, func(entry manifest.Entry) { c.secretFile(e.Key, entry) })
	default:
		_, help := schema.Foreign(e.Key)
		c.leave(e, help)
	}
}

func (c *composer) each(section manifest.Entry, f func(manifest.Entry)) {
	for _, e := range section.Value.Entries {
		f(e)
	}
}

// waits finds the services that are jobs, since another one waits for their success, and those with a check.
func (c *composer) waits(services []manifest.Entry) {
	for _, e := range services {
		c.checks[e.Key] = e.Value.Get("healthcheck")
		for _, dep := range entries(e.Value.Get("depends_on")) {
			if n := dep.Value.Get("condition"); n != nil && n.Text == "service_completed_successfully" {
				c.jobs[dep.Key] = true
			}
		}
	}
}

// entries are those of a map, none of anything else.
func entries(n *manifest.Node) []manifest.Entry {
	if n == nil {
		return nil
	}
	return n.Entries
}

// service carries one service.
func (c *composer) service(s *service) {
	if !c.jobs[s.key] {
		s.set("detach", boolNode(true, s.at))
	}
	for _, e := range s.node.Entries {
		if strings.HasPrefix(e.Key, "x-") || e.Key == "extends" {
			continue
		}
		if e.Value.Kind == manifest.Null && e.Key != "command" && e.Key != "entrypoint" {
			continue // compose takes the default
		}
		if carry := serviceKeys[e.Key]; carry != nil {
			carry(c, s, e)
			continue
		}
		if option := plainKeys[e.Key]; option != "" {
			c.plain(s, e, option)
			continue
		}
		c.leave(e, unknownKey(e.Key))
	}
	if nets := s.node.Get("networks"); s.node.Get("network_mode") == nil && (nets == nil || len(nets.Items)+len(nets.Entries) == 0) {
		s.add("network", textNode(c.sharedNetwork(), s.at))
	}
}

// sharedNetwork is the network of the services that name none. Compose calls it default, a word that docker run has for
// its bridge.
func (c *composer) sharedNetwork() string {
	if c.shared == "" {
		c.shared = unique("shared", "-", func(s string) bool { return find(c.networks, s) != nil })
	}
	return c.shared
}

// plain carries a key whose values are docker run's.
func (c *composer) plain(s *service, e manifest.Entry, option string) {
	o, _ := schema.Lookup(option)
	switch {
	case o.Kind == schema.Words:
		c.words(s, e, option)
	case o.Kind == schema.List || o.Kind == schema.Map:
		for _, n := range c.texts(e) {
			s.give(o, n.Text, n.Range)
		}
	case e.Value.Kind != manifest.Scalar:
		c.leave(e, "it has the wrong shape for "+o.Name)
	case o.Kind == schema.Switch:
		c.onOff(s, o, e)
	default:
		s.give(o, e.Value.Text, e.Value.Range)
	}
}

// give is part.give by the option's name.
func (c *composer) give(s *service, option, text string, at diag.Range) {
	if o, ok := schema.Lookup(option); ok {
		s.give(o, text, at)
		return
	}
	c.lose(at, "not carried").WithHelp("docker run has no option %s", option)
}

// texts are the entries of a list, or of a map as NAME=VALUE. What has another shape is reported.
func (c *composer) texts(e manifest.Entry) []*manifest.Node {
	switch e.Value.Kind {
	case manifest.Scalar:
		return []*manifest.Node{e.Value}
	case manifest.List:
		var out []*manifest.Node
		for _, item := range e.Value.Items {
			if item.Kind != manifest.Scalar {
				c.lose(item.Range, "not carried").WithHelp("this has the wrong shape")
				continue
			}
			out = append(out, item)
		}
		return out
	case manifest.Map:
		return c.pairs(e.Value)
	case manifest.Null:
	}
	return nil
}

// pairs writes a map as NAME=VALUE; NAME alone where there is no value.
func (c *composer) pairs(m *manifest.Node) []*manifest.Node {
	var out []*manifest.Node
	for _, e := range m.Entries {
		switch e.Value.Kind {
		case manifest.Null:
			out = append(out, textNode(literal(e.Key), e.KeyRange))
		case manifest.Scalar:
			out = append(out, textNode(literal(e.Key)+"="+scalarText(e.Value), e.KeyRange))
		default:
			c.leave(e, "this has the wrong shape")
		}
	}
	return out
}

// words carries a command: a list as it is, text split as compose does it.
func (c *composer) words(s *service, e manifest.Entry, option string) {
	switch e.Value.Kind {
	case manifest.Null: // the image's own
	case manifest.List:
		if len(e.Value.Items) == 0 {
			c.emptyWords(s, e, option)
			return
		}
		s.set(option, e.Value)
	case manifest.Scalar:
		if e.Value.Text == "" {
			c.emptyWords(s, e, option)
			return
		}
		c.splitWords(s, e, option)
	case manifest.Map:
		c.leave(e, "this has the wrong shape")
	}
}
