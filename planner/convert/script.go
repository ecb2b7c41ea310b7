package convert

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/planner/convert/shell"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// Script writes a project as a POSIX shell script of docker run lines in the order in which its containers start: jobs
// are waited for, services run in the background and are left running. A container without a name gets its key as one,
// so that the others find it. What docker run cannot say stands in the script as comments and in the list. Paths are
// absolute. Secrets are hidden as mask says; one in the environment is left to the script's. A project whose containers
// wait for each other has no order: that gives errors and no script.
func Script(w io.Writer, p *schema.Project, mask schema.Mask) (diag.List, error) {
	keys, edges, diags := planner.Sequence(p)
	if diags.HasErrors() {
		return diags, nil
	}
	s := &script{p: p, mask: mask, edges: edges}
	s.line("#!/bin/sh")
	s.line("# The containers of project %s, written by runfile convert --to docker-run.", oneLine(p.Name))
	s.line("set -e")
	s.policy()
	s.line("")
	for _, n := range p.Networks {
		s.network(n)
	}
	for _, v := range p.Volumes {
		s.volume(v)
	}
	for _, key := range keys {
		s.container(p.Container(key))
	}
	s.ending()
	s.diags.Sort()
	_, err := io.WriteString(w, s.out.String())
	return s.diags, err
}

// script is a shell script that is being written.
type script struct {
	p      *schema.Project
	mask   schema.Mask
	edges  []planner.Edge
	out    strings.Builder
	diags  diag.List
	notes  []string // comments for what is written next
	behind []string // jobs that run in the background and are waited for at the end
	up     []string // services that the script leaves running
}

func (s *script) line(format string, args ...any) {
	fmt.Fprintf(&s.out, format+"\n", args...)
}

// unsaid notes what docker run cannot say.
func (s *script) unsaid(at diag.Range, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.diags.Warnf(CodeNotCarried, at, "%s", text)
	s.notes = append(s.notes, oneLine(text))
}

// flush writes the notes as comments.
func (s *script) flush() {
	for _, n := range s.notes {
		s.line("# not carried: %s", n)
	}
	s.notes = nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// policy is about the run as a whole, which a script of docker run lines is not.
func (s *script) policy() {
	for _, v := range schema.PolicyValues(&s.p.Policy) {
		s.unsaid(v.At, "policy %s: %s", v.Name, v.Text)
	}
	s.flush()
}

// network makes a network unless it exists, as docker would fail then.
func (s *script) network(n *schema.NetworkDef) {
	args := s.create("network", schema.NetworkValues(n))
	s.flush()
	name := shell.Quote(n.Key)
	s.line("docker network inspect %s >/dev/null 2>&1 || docker network create%s %s", name, args, name)
}

// volume makes a volume that has options; docker run makes any other one. An external one has to be there.
func (s *script) volume(v *schema.VolumeDef) {
	name := shell.Quote(v.Key)
	if v.External.Value {
		s.line("docker volume inspect %s >/dev/null", name)
		return
	}
	args := s.create("volume", schema.VolumeValues(v))
	s.flush()
	if !v.Implicit {
		s.line("docker volume create%s %s >/dev/null", args, name)
	}
}

// create writes the flags of docker network create or docker volume create.
func (s *script) create(what string, values []schema.NamedValue) string {
	var b strings.Builder
	for _, v := range values {
		flag, text := v.Name, v.Text
		for option, name := range bridgeOptions {
			if what == "network" && name == v.Name {
				flag, text = "opt", option+"="+v.Text
			}
		}
		if v.Switch && flag != "opt" {
			if text == "true" {
				b.WriteString(" --" + flag)
			}
			continue
		}
		b.WriteString(" --" + flag + " " + shell.Quote(text))
	}
	return b.String()
}

// container writes the line of one container.
func (s *script) container(c *schema.Container) {
	words := []string{"docker run"}
	background := c.IsService()
	if !background && s.neededRunning(c) {
		background = true
		s.behind = append(s.behind, s.containerName(c))
	} else if background {
		s.up = append(s.up, s.containerName(c))
	}
	if background {
		words = append(words, "--detach")
	}
	words = append(words, "--name "+shell.Quote(s.containerName(c)))
	for _, o := range schema.Options() {
		words = append(words, s.option(c, &o, background)...)
	}
	words = slices.Concat(words, s.alias(c), s.shareable(c))
	s.conditions(c)
	s.line("")
	s.await(c)
	s.flush()
	image := schema.Values(c, "image")
	tail := []string{}
	for _, v := range image {
		tail = append(tail, shell.Quote(v.Text))
	}
	for _, arg := range arguments(c) {
		tail = append(tail, shell.Quote(s.hidden("command", arg, c.Process.Command.At)))
	}
	words = append(words, strings.Join(tail, " "))
	line := strings.Join(words, " ")
	if len(line) > 100 {
		line = strings.Join(words, " \\\n  ")
	}
	if s.mayFail(c) && !background {
		line += " || true"
	}
	s.line("%s", line)
}

// containerName is what other lines call a container: its name, else its key, else what runfile calls it, where a key is
// shorter than docker allows.
func (s *script) containerName(c *schema.Container) string {
	switch {
	case c.Metadata.Name.Set:
		return c.Metadata.Name.Value
	case len(c.Key) < 2:
		return s.p.Name + "-" + c.Key
	}
	return c.Key
}

// renamed replaces the key of another container, which a runfile refers to, by its name.
func (s *script) renamed(o *schema.Option, text string) string {
	before, ref := "", text
	if rest, ok := strings.CutPrefix(text, "container:"); ok {
		before, ref = "container:", rest
	} else if o.Ref != "link" && o.Ref != "volumes-from" {
		return text
	}
	key, behind, hasMore := strings.Cut(ref, ":")
	c := s.p.Container(key)
	if c == nil || s.containerName(c) == key {
		return text
	}
	if hasMore {
		behind = ":" + behind
	} else if o.Ref == "link" {
		behind = ":" + key // the alias is the name unless it is said
	}
	return before + s.containerName(c) + behind
}

// alias is the flag that lets others find a container by its key where it has another name. Docker's own bridge knows
// no names.
func (s *script) alias(c *schema.Container) []string {
	nets := c.Network.Networks
	if len(nets) == 0 || nets[0].Value.Mode != value.NetworkUser || s.containerName(c) == c.Key {
		return nil
	}
	if slices.Contains(c.Network.Aliases.Values(), c.Key) || slices.Contains(nets[0].Value.Aliases, c.Key) {
		return nil
	}
	return []string{"--network-alias " + shell.Quote(c.Key)}
}

// shareable lets another container join the IPC namespace, which a runfile allows by itself.
func (s *script) shareable(c *schema.Container) []string {
	joined := slices.ContainsFunc(s.edges, func(e planner.Edge) bool { return e.To == c.Key && e.Cause == "ipc" })
	if !joined || c.Namespaces.IPC.Set {
		return nil
	}
	return []string{"--ipc shareable"}
}

// neededRunning reports whether another container starts while this job runs.
func (s *script) neededRunning(c *schema.Container) bool {
	return slices.ContainsFunc(s.edges, func(e planner.Edge) bool {
		return e.To == c.Key && e.Condition != string(value.Completed) && e.Condition != string(value.Exited)
	})
}

// mayFail reports whether what comes after a job does not ask for its success.
func (s *script) mayFail(c *schema.Container) bool {
	return slices.ContainsFunc(s.edges, func(e planner.Edge) bool { return e.To == c.Key && e.Condition == string(value.Exited) })
}

// await waits for jobs in the background that must have ended before c starts.
func (s *script) await(c *schema.Container) {
	for _, e := range s.edges {
		if e.From != c.Key || e.Condition != string(value.Completed) && e.Condition != string(value.Exited) {
			continue
		}
		name := s.containerName(s.p.Container(e.To))
		if slices.Contains(s.behind, name) {
			s.line("docker wait %s", shell.Quote(name))
			s.behind = slices.DeleteFunc(s.behind, func(o string) bool { return o == name })
		}
	}
}

// conditions notes what a container waits for and a script does not.
func (s *script) conditions(c *schema.Container) {
	said := map[string]bool{} // one reference may make the edge of another, as a link beside depends-on
	for _, e := range s.edges {
		if e.From == c.Key && (e.Condition == string(value.Healthy) || e.Condition == string(value.Ready)) && !said[e.To+" "+e.Condition] {
			said[e.To+" "+e.Condition] = true
			s.unsaid(s.origin(c, e), "%s starts when %s is %s; the script does not wait for that", c.Key, e.To, e.Condition)
		}
	}
}

// origin is the place of the reference that made an edge.
func (s *script) origin(c *schema.Container, e planner.Edge) diag.Range {
	for _, r := range schema.References(c) {
		if r.At.String() == e.Origin {
			return r.At
		}
	}
	return c.At
}

// option writes the flags of one option.
func (s *script) option(c *schema.Container, o *schema.Option, background bool) []string {
	values := schema.Values(c, o.Name)
	switch o.Name {
	case "image", "command", "name", "detach", "depends-on":
		return nil
	case "entrypoint":
		return s.entrypoint(c)
	case "health-cmd":
		return s.healthCmd(c)
	}
	var out []string
	for _, v := range values {
		switch {
		case o.Name == "attach" && background:
			s.unsaid(v.At, "attach of %s: the script does not wait for it", c.Key)
		case o.Own:
			s.unsaid(v.At, "%s of %s: %s", o.Name, c.Key, v.Text)
		case o.Kind == schema.Switch && v.Text == "true":
			out = append(out, "--"+o.Name)
		case o.Kind == schema.Switch:
			out = append(out, "--"+o.Name+"=false")
		case !schema.Reads(o.Name, v.Text) && o.Name == "volume":
			out = append(out, s.mount(c, v)...)
		case !schema.Reads(o.Name, v.Text):
			s.unsaid(v.At, "%s of %s: docker run has no text for %s", o.Name, c.Key, v.Text)
		default:
			out = append(out, "--"+o.Name+" "+shell.Quote(s.renamed(o, s.hidden(o.Name, v.Text, v.At))))
		}
	}
	return out
}

// hidden is a value without secrets. A variable loses its value as a whole: docker run then takes it from its own
// environment.
func (s *script) hidden(option, text string, at diag.Range) string {
	out, found := s.mask.Hide(option, text)
	if !found {
		return text
	}
	at = diag.Range{File: at.File} // the line itself would show the secret
	if name, value, _ := strings.Cut(out, "="); option == "env" && value == s.mask.Text {
		s.diags.Warnf(CodeChanged, at, "%s is a secret: the script takes it from its environment", name)
		return name
	}
	s.diags.Warnf(CodeChanged, at, "a secret in %s is written as %s", option, s.mask.Text).WithHelp("put it in where the script runs")
	return out
}

// mount writes a volume that --volume has no words for as --mount.
func (s *script) mount(c *schema.Container, v schema.Value) []string {
	i := slices.IndexFunc(c.Mounts.Volumes, func(m schema.Item[value.Mount]) bool { return m.At == v.At })
	m := c.Mounts.Volumes[max(i, 0)].Value
	if m.Relabel != "" {
		s.unsaid(v.At, "volume of %s: --mount cannot set the label %s", c.Key, m.Relabel)
	}
	fields := []string{"type=" + string(m.Type)}
	for _, f := range []struct{ key, text string }{
		{"source", m.Source}, {"target", m.Target}, {"bind-propagation", m.Propagation},
	} {
		if f.text != "" {
			fields = append(fields, f.key+"="+f.text)
		}
	}
	if m.ReadOnly {
		fields = append(fields, "readonly")
	}
	if m.NoCopy {
		fields = append(fields, "volume-nocopy")
	}
	var b strings.Builder
	csvWriter := csv.NewWriter(&b)
	_ = csvWriter.Write(fields) // into memory
	csvWriter.Flush()
	return []string{"--mount " + shell.Quote(strings.TrimSuffix(b.String(), "\n"))}
}

// entrypoint writes the first word of an entrypoint, which is all that docker run takes; the others stand before the
// command.
func (s *script) entrypoint(c *schema.Container) []string {
	e := c.Process.Entrypoint
	switch {
	case !e.Set:
		return nil
	case len(e.Value) == 0:
		return []string{"--entrypoint ''"}
	}
	return []string{"--entrypoint " + shell.Quote(s.hidden("entrypoint", e.Value[0], e.At))}
}

func arguments(c *schema.Container) []string {
	if e := c.Process.Entrypoint.Value; len(e) > 1 {
		return slices.Concat(e[1:], c.Process.Command.Value)
	}
	return c.Process.Command.Value
}

// healthCmd writes the check as text, which docker run hands to a shell.
func (s *script) healthCmd(c *schema.Container) []string {
	h := c.Health.Cmd
	if !h.Set {
		return nil
	}
	text := h.Value[1]
	if h.Value[0] != "CMD-SHELL" {
		text = quoteAll(h.Value[1:])
		s.unsaid(h.At, "health-cmd of %s runs without a shell; docker run gives it to one", c.Key)
	}
	return []string{"--health-cmd " + shell.Quote(s.hidden("health-cmd", text, h.At))}
}

// ending waits for jobs in the background and says what is left.
func (s *script) ending() {
	s.line("")
	if len(s.behind) > 0 {
		s.line("docker wait %s", quoteAll(s.behind))
	}
	if len(s.up) > 0 {
		slices.Reverse(s.up)
		s.line("# runfile up would stop the services now: docker stop %s", quoteAll(s.up))
	}
}

func quoteAll(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = shell.Quote(w)
	}
	return strings.Join(out, " ")
}
