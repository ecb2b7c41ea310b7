package planner

import (
	"slices"
	"strings"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/planner/graph"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// Options say what part of a project is wanted and what exists.
type Options struct {
	// Names selects containers by key or name, and with them whatever they need. Empty: all whose profiles are on.
	Names []string
	// Profiles that are on. A container without profiles takes part always.
	Profiles []string
	// Observed are the containers of the project that exist.
	Observed []Observed
	// ForceRecreate replaces running services even if nothing changed.
	ForceRecreate bool
	// KeepOthers leaves containers alone that exist but are no longer in the file: `runfile run` sets it, since its
	// project holds whatever was run before.
	KeepOthers bool
}

// Make plans a project. It reads nothing but its arguments and changes nothing but one default: a container whose IPC
// namespace another one joins becomes shareable if its file does not say otherwise.
//
// The passes run in this order, each relying on the one before: edges (one kind after the other), select, cycle check,
// what is not honoured yet, steps. With errors in the list the plan is nil.
func Make(p *schema.Project, o Options) (*Plan, diag.List) {
	m := newMaker(p, o)
	m.findEdges()
	m.selectContainers()
	m.checkCycle()
	m.refuseNotYet()
	if m.diags.HasErrors() {
		return nil, m.diags
	}
	m.shareIPC()
	m.addSteps()
	return &m.plan, m.diags
}

// Check says what planning would refuse of a project, whatever the profiles: references to nothing, cycles, and what is
// not honoured yet. Unlike Make it takes a project with mistakes in it, so that those of both kinds are reported together.
// Places of which found holds an error already are left out: a second reason for the same place would only puzzle.
func Check(p *schema.Project, found diag.List) diag.List {
	m := newMaker(p, Options{})
	m.selectAll()
	m.findEdges()
	m.checkCycle()
	m.refuseNotYet()
	places := map[diag.Range]bool{}
	for _, d := range found {
		places[d.Subject] = places[d.Subject] || d.Severity == diag.Error
	}
	return slices.DeleteFunc(m.diags, func(d diag.Diagnostic) bool { return places[d.Subject] })
}

func (m *maker) selectAll() {
	m.selected = map[string]bool{}
	for _, c := range m.project.Containers {
		m.selected[c.Key] = true
		m.plan.Selected = append(m.plan.Selected, c.Key)
	}
}

// Sequence returns the containers of a project in the order in which they start, whatever their profiles, and why: an
// edge for each reference. What runfile does not honour yet does not matter to it. With errors in the list there is no
// order.
func Sequence(p *schema.Project) (keys []string, edges []Edge, diags diag.List) {
	m := newMaker(p, Options{})
	m.selectAll()
	m.findEdges()
	m.checkCycle()
	if m.diags.HasErrors() {
		return nil, nil, m.diags
	}
	return m.graph().Sequence(), m.planEdges(), m.diags
}

// refuseNotYet reports what those who take part ask for and runfile does not honour yet.
func (m *maker) refuseNotYet() {
	for _, c := range m.project.Containers {
		if m.selected[c.Key] {
			m.diags = append(m.diags, schema.NotYet(c)...)
		}
	}
	for _, v := range m.project.Volumes {
		m.diags = append(m.diags, schema.NotYetVolume(v)...)
	}
}

func newMaker(p *schema.Project, o Options) *maker {
	m := &maker{
		project: p, options: o, observed: make(map[string]*Observed), byKey: make(map[string]*schema.Container, len(p.Containers)),
		byName: make(map[string]*schema.Container), needs: make(map[string][]edge), neededBy: make(map[string][]edge),
		ids: make(map[string]bool),
	}
	for _, c := range p.Containers {
		m.byKey[c.Key] = c
		if n := c.Metadata.Name; n.Set && m.byName[n.Value] == nil {
			m.byName[n.Value] = c
		}
	}
	for i := range o.Observed {
		m.observed[o.Observed[i].Key] = &o.Observed[i]
	}
	return m
}

// maker holds what the passes hand on to each other.
type maker struct {
	project       *schema.Project
	options       Options
	observed      map[string]*Observed
	byKey, byName map[string]*schema.Container
	diags         diag.List

	edges           []edge            // of all containers, selected or not
	needs, neededBy map[string][]edge // the same by the key of either end
	selected        map[string]bool
	pulledIn        map[string]string // key -> who needs it, for containers that were not asked for
	ids             map[string]bool   // of the steps of plan
	plan            Plan
}

// edge is an Edge that still knows its position.
type edge struct {
	from, to  *schema.Container
	cause     string
	condition value.Condition
	at        diag.Range
}

// find returns the container that a reference means: a key first, then a name.
func (m *maker) find(ref string) *schema.Container {
	if c := m.byKey[ref]; c != nil {
		return c
	}
	return m.byName[ref]
}

// exists reports whether a reference means a container that is not in the file but exists in the project.
func (m *maker) exists(ref string) bool {
	return slices.ContainsFunc(m.options.Observed, func(o Observed) bool {
		return o.Key == ref || o.Name == ref || (len(ref) >= 4 && strings.HasPrefix(o.ID, ref))
	})
}

// selectContainers decides who takes part: those asked for, or those whose profile is on, and whatever they need. A
// needed container is pulled in whether its profile is on or not (spec/manifest-and-cli.md 2 #14).
func (m *maker) selectContainers() {
	m.selected = make(map[string]bool)
	m.pulledIn = make(map[string]string)
	var queue []string
	want := func(c *schema.Container, because string) {
		if m.selected[c.Key] {
			return
		}
		m.selected[c.Key] = true
		if because != "" {
			m.pulledIn[c.Key] = because
		}
		queue = append(queue, c.Key)
	}
	for _, c := range m.wanted() {
		want(c, "")
	}
	for ; len(queue) > 0; queue = queue[1:] {
		for _, e := range m.needs[queue[0]] {
			want(e.to, e.from.Key)
		}
	}
	for _, c := range m.project.Containers {
		if m.selected[c.Key] {
			m.plan.Selected = append(m.plan.Selected, c.Key)
		}
	}
	m.plan.Project = m.project
}

// maxSuggestions is after how many mistakes names are no longer compared.
const maxSuggestions = 100

func (m *maker) wanted() []*schema.Container {
	var out []*schema.Container
	if len(m.options.Names) == 0 {
		for _, c := range m.project.Containers {
			on := func(p string) bool { return slices.Contains(m.options.Profiles, p) }
			if len(c.Lifecycle.Profiles) == 0 || slices.ContainsFunc(c.Lifecycle.Profiles.Values(), on) {
				out = append(out, c)
			}
		}
		return out
	}
	for _, name := range m.options.Names {
		if c := m.find(name); c != nil {
			out = append(out, c)
			continue
		}
		d := m.diags.Errorf(CodeUnknownName, diag.Range{}, "no container %q in project %q", name, m.project.Name)
		m.suggest(d, name, "")
	}
	return out
}

// suggest adds the nearest container key to a diagnostic, or the list of keys if there are few. Behind the first
// mistakes, which are all that is shown, comparing every wrong name with every container would only take time.
func (m *maker) suggest(d *diag.Diagnostic, name, except string) {
	if len(m.diags) > maxSuggestions {
		return
	}
	var keys []string
	for _, c := range m.project.Containers {
		if c.Key != except {
			keys = append(keys, c.Key)
		}
	}
	if near, ok := diag.Nearest(name, keys); ok {
		d.WithHelp("did you mean %q?", near)
	} else if len(keys) > 0 && len(keys) <= 8 {
		d.WithHelp("the containers here are: %s", strings.Join(keys, ", "))
	} else if len(keys) == 0 {
		d.WithHelp("the file has no other container; write one of that name into `containers`")
	}
}

// checkCycle reports one cycle with every line of it. Soft edges never close one (see findEdges).
func (m *maker) checkCycle() {
	g := m.graph()
	cycle := g.Cycle()
	if cycle == nil {
		return
	}
	var d *diag.Diagnostic
	for i, from := range cycle {
		to := cycle[(i+1)%len(cycle)]
		e := m.edge(from, to)
		label := quote(from) + " starts after " + quote(to)
		if d == nil {
			d = m.diags.Errorf(CodeCycle, e.at, "these containers wait for each other").WithLabel("%s", label)
			continue
		}
		d.Also(e.at, "%s", label)
	}
	d.WithHelp("drop one of these references, or move shared files into a named volume")
}

func quote(s string) string { return `"` + s + `"` }

// graph is the dependency graph of the selected containers.
func (m *maker) graph() *graph.Graph[string] {
	g := new(graph.Graph[string])
	for _, key := range m.plan.Selected {
		g.Add(key)
	}
	for _, e := range m.edges {
		if m.selected[e.from.Key] {
			g.Connect(e.from.Key, e.to.Key)
		}
	}
	return g
}

func (m *maker) edge(from, to string) edge {
	list := m.needs[from]
	return list[slices.IndexFunc(list, func(e edge) bool { return e.to.Key == to })]
}

// shareIPC makes the donors of `ipc: container:X` shareable where their file leaves it open (spec/options-process.md 6).
func (m *maker) shareIPC() {
	for _, e := range m.edges {
		if e.cause == "ipc" && !e.to.Namespaces.IPC.Set {
			e.to.Namespaces.IPC = schema.Opt[value.NamespaceMode]{Value: value.NamespaceMode{Mode: "shareable"}, Set: true, At: e.at}
		}
	}
}

// Order groups the selected containers by level: those of a level need only containers of earlier levels. Stopping
// goes through the levels backwards.
func (p *Plan) Order() [][]string {
	g := new(graph.Graph[string])
	for _, key := range p.Selected {
		g.Add(key)
	}
	for _, e := range p.Edges {
		g.Connect(e.From, e.To)
	}
	return g.Levels()
}
