package schema

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema/value"
)

// Decode turns a loaded document into a project and checks it, reporting all mistakes. Files that options name
// (env-file, seccomp profiles) are read, and variables without a value are taken from the process's environment. The
// project is never nil; after errors it holds what could be read. A user-defined network or named volume that a container mentions and no section declares is
// added with Implicit set.
func Decode(doc *manifest.Document) (*Project, diag.List) {
	d := &decoder{dir: doc.Dir, env: lookupEnv}
	p := &Project{Name: doc.Name, Dir: doc.Dir, Files: doc.Files}
	found := false
	for _, e := range doc.Root.Entries {
		switch e.Key {
		case "version":
			d.version(e)
		case "project": // the manifest's reader has used it for the document's name
		case "containers":
			found = true
			p.Containers = d.containers(e.Value)
		case "networks":
			p.Networks = section(d, e, "network", networkRows, networkLater,
				func(key string, at diag.Range) *NetworkDef { return &NetworkDef{Key: key, At: at} })
		case "volumes":
			p.Volumes = section(d, e, "volume", volumeRows, slices.Concat([]string{"size"}),
				func(key string, at diag.Range) *VolumeDef { return &VolumeDef{Key: key, At: at} })
		case "secrets":
			p.Secrets = section(d, e, "secret", secretRows, nil,
				func(key string, at diag.Range) *SecretDef { return &SecretDef{Key: key, At: at} })
			d.secrets(p.Secrets)
		case "policy":
			d.who = "policy"
			if d.isMap(e.Value, "policy") {
				readKeys(d, &p.Policy, e.Value, policyRows, policyLater)
			}
		default:
			d.topLevel(p, e)
		}
	}
	if !found && !d.diags.HasErrors() {
		at := doc.Root.Range
		if len(doc.Files) > 0 {
			at = diag.Range{File: doc.Files[0]}
		}
		d.diags.Errorf(CodeNoContainers, at, "there are no containers").
			WithHelp("add `containers: {NAME: {image: IMAGE}}`, or `image: IMAGE` at the top for a single container")
	}
	p.addImplicit()
	p.applyRemap()
	diags := append(d.diags, Check(p)...)
	diags.Sort()
	return p, diags
}

func (d *decoder) version(e manifest.Entry) {
	if e.Value.Kind != manifest.Scalar || e.Value.Text != "1" {
		d.diags.Errorf(CodeBadVersion, e.Value.Range, "this runfile reads version 1 of the format").
			WithHelp("write version: 1")
	}
}

func (d *decoder) isMap(n *manifest.Node, what string) bool {
	if n.Kind == manifest.Map || n.Kind == manifest.Null {
		return true
	}
	d.diags.Errorf(CodeWrongType, n.Range, "%s: this is %s, not a map", what, shape(n))
	return false
}

// containers reads the section of that name.
func (d *decoder) containers(n *manifest.Node) []*Container {
	if !d.isMap(n, "containers") {
		return nil
	}
	var out []*Container
	for _, e := range n.Entries {
		d.who = fmt.Sprintf("container %q", e.Key)
		d.checkKey(e, "container")
		c := &Container{Key: e.Key, At: e.KeyRange}
		out = append(out, c)
		if !d.isMap(e.Value, d.who) {
			continue
		}
		d.mistaken = nil
		d.options(c, e.Value)
		if d.lacksImage(e.Value) {
			d.diags.Errorf(CodeNoImage, e.KeyRange, "%s has no image", d.who).
				WithHelp("add %s", spellingAt(e.KeyRange).pair("image", spellingAt(e.KeyRange).text("NAME")))
		}
		d.finish(c)
	}
	return out
}

// lacksImage reports whether a container has no image, as far as its file could be understood.
func (d *decoder) lacksImage(n *manifest.Node) bool {
	image := n.Get("image")
	if image == nil {
		return !n.Broken && !slices.Contains(d.mistaken, "image")
	}
	return image.Kind == manifest.Scalar && image.Text == ""
}

// checkKey demands a name that files, networks and host names can carry.
func (d *decoder) checkKey(e manifest.Entry, what string) {
	if _, err := value.ProfileName().Parse(e.Key); err != nil {
		advise(d.diags.Errorf(CodeBadName, e.KeyRange, "%q is not a name for a %s", e.Key, what), nil, err)
	}
}

// options reads the keys of a container, the platform first: it decides how some others are written.
func (d *decoder) options(c *Container, n *manifest.Node) {
	const first = "platform"
	if e := n.Entry(first); e != nil {
		rowByName[first].read(d, c, *e)
	}
	for _, e := range n.Entries {
		switch r := rowByName[e.Key]; {
		case r == nil:
			d.unknownOption(c, n, e)
		case e.Key != first:
			r.read(d, c, e)
		}
	}
}

// secrets demands one source for each secret.
func (d *decoder) secrets(list []*SecretDef) {
	for _, s := range list {
		given := 0
		for _, o := range []Opt[string]{s.File, s.Var, s.Env} {
			if o.Set {
				given++
			}
		}
		if given != 1 {
			d.diags.Errorf(CodeNeeds, s.At, "secret %q has %d sources, and one is needed", s.Key, given).
				WithHelp("give it one of file, var and env")
		}
		if s.File.Set {
			s.File.Value = d.absolute(s.File.Value, s.File.At)
		}
	}
}

// section reads a section of named entries.
func section[C any](d *decoder, e manifest.Entry, what string, table []row[C], later []string,
	make func(string, diag.Range) *C,
) []*C {
	if !d.isMap(e.Value, e.Key) {
		return nil
	}
	var out []*C
	for _, entry := range e.Value.Entries {
		d.who = fmt.Sprintf("%s %q", what, entry.Key)
		d.checkKey(entry, what)
		c := make(entry.Key, entry.KeyRange)
		out = append(out, c)
		if d.isMap(entry.Value, d.who) {
			readKeys(d, c, entry.Value, table, later)
		}
	}
	return out
}

// readKeys reads the keys of something that is not a container.
func readKeys[C any](d *decoder, c *C, n *manifest.Node, table []row[C], later []string) {
	names := make([]string, len(table))
	for i := range table {
		names[i] = table[i].Name
	}
	for _, e := range n.Entries {
		if i := slices.Index(names, e.Key); i >= 0 {
			table[i].read(d, c, e)
			continue
		}
		plain := plainName(e.Key, func(s string) bool { return slices.Contains(names, s) || slices.Contains(later, s) })
		if slices.Contains(later, e.Key) || slices.Contains(later, plain) {
			d.diags.Errorf(CodeNotYet, e.KeyRange, "%s: runfile does not honour %q yet", d.who, e.Key)
			continue
		}
		diagnostic := d.diags.Errorf(CodeUnknownKey, e.KeyRange, "%s has no key %q", d.who, e.Key)
		if plain != "" {
			diagnostic.WithHelp("write %s", plain)
		} else if near, ok := diag.Nearest(e.Key, names); ok {
			diagnostic.WithHelp("did you mean %q?", near)
		} else {
			diagnostic.WithHelp("accepted: %s", strings.Join(names, ", "))
		}
	}
}

// addImplicit declares the networks and named volumes that are used without being declared, in order of use.
func (p *Project) addImplicit() {
	networks, volumes := map[string]bool{}, map[string]bool{}
	for _, n := range p.Networks {
		networks[n.Key] = true
	}
	for _, v := range p.Volumes {
		volumes[v.Key] = true
	}
	for _, c := range p.Containers {
		for _, n := range c.Network.Networks {
			if name := n.Value.Name; n.Value.Mode == value.NetworkUser && !networks[name] {
				networks[name] = true
				p.Networks = append(p.Networks, &NetworkDef{Key: name, At: n.At, Implicit: true})
			}
		}
		for _, v := range c.Mounts.Volumes {
			if name := v.Value.Source; v.Value.Type == value.Volume && name != "" && !volumes[name] {
				volumes[name] = true
				p.Volumes = append(p.Volumes, &VolumeDef{Key: name, At: v.At, Implicit: true})
			}
		}
	}
}

// absolute makes a host path count from the directory of the file that holds it.
func (d *decoder) absolute(p string, at diag.Range) string {
	dir := d.dir
	if at.File != "" && at.File != "-" && at.File != CommandLine {
		if abs, err := filepath.Abs(filepath.Dir(at.File)); err == nil {
			dir = abs
		}
	}
	return manifest.Absolute(dir, p)
}
