package convert

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runfile/runfile/manifest"
)

// origin is a compose file with services that others extend.
type origin struct {
	file     string // as it is shown
	dir      string // counted from that of the file that is converted; "." is that one
	services *manifest.Node
	ready    map[string]bool           // services that have been prepared
	done     map[string]*manifest.Node // services with all that they extend
}

func newOrigin(file, dir string, services *manifest.Node) *origin {
	return &origin{file: file, dir: dir, services: services, ready: map[string]bool{}, done: map[string]*manifest.Node{}}
}

// extendAll returns the services with all that they extend merged in; those that are too many are left as they are.
func (c *composer) extendAll(all *manifest.Node) (list []manifest.Entry) {
	from := newOrigin("", ".", all)
	for i, e := range all.Entries {
		if i < maxContainers {
			e.Value = onceOnly(c.extended(from, e, nil))
		}
		list = append(list, e)
	}
	return list
}

// extended merges a service with the one that it extends. Those of seen extend it.
func (c *composer) extended(from *origin, e manifest.Entry, seen []string) *manifest.Node {
	ext := e.Value.Entry("extends")
	if ext == nil {
		return e.Value
	}
	if done := from.done[e.Key]; done != nil {
		return done
	}
	name, base := ext.Value, from
	if name.Kind == manifest.Map {
		if file := name.Entry("file"); file != nil {
			if base = c.open(from, *file); base == nil {
				return e.Value
			}
		}
		name = name.Get("service")
	}
	var target *manifest.Entry
	if name != nil {
		target = base.services.Entry(name.Text)
	}
	seen = append(seen, from.file+"\x00"+e.Key)
	if target == nil || target.Value.Kind != manifest.Map || slices.Contains(seen, base.file+"\x00"+target.Key) {
		c.leave(*ext, "there is no such service to extend")
		return e.Value
	}
	c.prepare(base, target)
	from.done[e.Key] = overlay("", c.extended(base, *target, seen), e.Value)
	return from.done[e.Key]
}

// open reads another compose file, once.
func (c *composer) open(from *origin, file manifest.Entry) *origin {
	name := file.Value.Text
	if !filepath.IsAbs(name) {
		name = path.Join(from.dir, name)
	}
	if o := c.origins[name]; o != nil {
		return o
	}
	text, err := c.peek(name)
	if err != nil {
		c.leave(file, "this file cannot be read")
		return nil
	}
	shown := name
	if !filepath.IsAbs(name) {
		shown = filepath.ToSlash(filepath.Join(filepath.Dir(c.name), name))
	}
	c.sources[shown] = text
	if d := unreadable(shown, text); d != nil {
		c.diags, c.lost = append(c.diags, d...), true
		return nil
	}
	root, diags := manifest.ParseYAML(shown, text)
	c.diags, c.lost = append(c.diags, diags...), c.lost || diags.HasErrors()
	if root.Get("services") == nil {
		c.leave(file, "there is no section services in it")
		return nil
	}
	c.paths("", root)
	o := newOrigin(shown, path.Dir(filepath.ToSlash(name)), root.Get("services"))
	c.origins[name] = o
	return o
}

// prepare makes a service of another file ready to be merged, once: its variables, shapes and paths.
func (c *composer) prepare(o *origin, e *manifest.Entry) {
	if o.file == "" || o.ready[e.Key] {
		return
	}
	o.ready[e.Key] = true
	c.interpolate(e.Value)
	c.straighten("services.*", e.Value)
	for _, k := range e.Value.Entries {
		switch k.Key {
		case "env_file", "label_file":
			for _, n := range append([]*manifest.Node{k.Value}, k.Value.Items...) {
				if p := n.Get("path"); p != nil {
					n = p
				}
				c.move(o, n, true)
			}
		case "volumes":
			for _, n := range k.Value.Items {
				if kind := n.Get("type"); kind != nil && n.Get("source") != nil {
					c.move(o, n.Get("source"), kind.Text == "bind")
				} else {
					c.move(o, n, false)
				}
			}
		}
	}
}

// move makes a path, alone or at the beginning of a volume, count from the directory of the file that is converted.
// Where a name may stand as well, a path is what begins with a dot.
func (c *composer) move(o *origin, n *manifest.Node, any bool) {
	switch text := n.Text; {
	case o.dir == "." || text == "" || strings.HasPrefix(text, "/") || strings.HasPrefix(text, "~"):
	case strings.HasPrefix(text, "${"):
		c.change(n.Range, "this path counts from the directory of %s", c.name).WithHelp("compose counts it from that of %s", o.file)
	case any || strings.HasPrefix(text, "."):
		source, rest, more := strings.Cut(text, ":")
		n.Text = relative(path.Join(o.dir, source))
		if more {
			n.Text += ":" + rest
		}
	}
}
