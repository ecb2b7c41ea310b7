package planner

import (
	"maps"
	"slices"
	"strings"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// addSteps writes the plan: images, networks and volumes first, then the containers in dependency order, then what is
// no longer wanted.
func (m *maker) addSteps() {
	keys := m.graph().Order()
	m.plan.Edges = m.planEdges()
	m.addOrphans()
	containers := make([]*schema.Container, len(keys))
	for i, key := range keys {
		containers[i] = m.byKey[key]
	}
	m.addImages(containers)
	m.addNetworks(containers)
	m.addVolumes(containers)
	for _, c := range containers {
		m.addContainer(c)
	}
}

// planEdges are the edges of those who take part.
func (m *maker) planEdges() []Edge {
	var out []Edge
	for _, e := range m.edges {
		if m.selected[e.from.Key] {
			out = append(out, Edge{
				From: e.from.Key, To: e.to.Key, Cause: e.cause, Condition: string(e.condition), Origin: e.at.String(),
			})
		}
	}
	return out
}

func (m *maker) add(s Step) string {
	s.ID = strings.TrimSpace(string(s.Kind) + " " + s.Object + " " + s.Condition)
	m.plan.Steps = append(m.plan.Steps, s)
	m.ids[s.ID] = true
	return s.ID
}

// addOrphans removes containers that were made from an earlier version of the file.
func (m *maker) addOrphans() {
	if m.options.KeepOthers || len(m.options.Names) > 0 {
		return
	}
	for _, o := range m.options.Observed {
		if m.byKey[o.Key] == nil {
			m.add(Step{Kind: Remove, Object: o.Key, Reason: "no longer in the file"})
		}
	}
}

func (m *maker) addImages(cs []*schema.Container) {
	users := newGroups()
	for _, c := range cs {
		if reason, _ := m.action(c); reason != "" {
			users.add(c.Image.Ref.Value.Text, c.Key, c.Image.Ref.At.String())
		}
	}
	users.each(func(image string, keys []string, origin string) {
		m.add(Step{Kind: Pull, Object: image, Reason: "needed by " + strings.Join(keys, ", "), Origin: origin})
	})
}

func (m *maker) addNetworks(cs []*schema.Container) {
	users := newGroups()
	for _, c := range cs {
		for _, n := range c.Network.Networks {
			if n.Value.Mode == value.NetworkUser {
				users.add(n.Value.Name, c.Key, n.At.String())
			}
		}
	}
	users.each(func(network string, keys []string, origin string) {
		m.add(Step{Kind: Network, Object: network, Reason: "used by " + strings.Join(keys, ", "), Origin: origin})
	})
}

func (m *maker) addVolumes(cs []*schema.Container) {
	users := newGroups()
	for _, c := range cs {
		for _, v := range c.Mounts.Volumes {
			if v.Value.Type == value.Volume && v.Value.Source != "" {
				users.add(v.Value.Source, c.Key, v.At.String())
			}
		}
	}
	users.each(func(volume string, keys []string, origin string) {
		m.add(Step{Kind: Volume, Object: volume, Reason: "used by " + strings.Join(keys, ", "), Origin: origin})
	})
}

// action decides what becomes of a container: the reason to (re)create it, or "" to keep it, and whether an old one is
// in the way.
func (m *maker) action(c *schema.Container) (reason string, replace bool) {
	o := m.observed[c.Key]
	switch {
	case o == nil:
		return "not there yet", false
	case !c.IsService():
		return "a job runs anew", true
	case m.options.ForceRecreate:
		return "recreation was asked for", true
	}
	if changed := changedKeys(o.Config, schema.Canonical(c)); len(changed) > 0 {
		return strings.Join(changed, ", ") + " changed", true
	}
	if !o.Running {
		return "it has stopped", true
	}
	return "", false
}

// changedKeys names the options whose canonical text differs, sorted.
func changedKeys(old, now map[string]string) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(now)) {
		if was, ok := old[k]; !ok || was != now[k] {
			out = append(out, k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(old)) {
		if _, ok := now[k]; !ok {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

func (m *maker) addContainer(c *schema.Container) {
	origin := c.At.String()
	reason, replace := m.action(c)
	if reason == "" {
		keep := m.add(Step{Kind: Keep, Object: c.Key, Reason: "running as wanted", Origin: origin})
		m.addAwaits(c, keep)
		return
	}
	var before []string
	if replace {
		before = append(before, m.add(Step{Kind: Remove, Object: c.Key, Reason: reason, Origin: origin}))
	}
	create := m.add(Step{Kind: Create, Object: c.Key, Reason: m.why(c, reason), Origin: origin, After: append(before, m.prerequisites(c)...)})
	after := []string{create}
	causes := newGroups()
	for _, e := range m.needs[c.Key] {
		if id := m.reached(e); !slices.Contains(after, id) {
			after = append(after, id)
		}
		causes.add(e.to.Key+" "+string(e.condition), e.cause, "")
	}
	reason = role(c)
	causes.each(func(reached string, because []string, _ string) {
		reason += ", after " + reached + " (" + strings.Join(because, ", ") + ")"
	})
	start := m.add(Step{Kind: Start, Object: c.Key, Reason: reason, Origin: origin, After: after})
	m.addAwaits(c, start)
}

// why adds to a reason that the container takes part only because another one needs it.
func (m *maker) why(c *schema.Container, reason string) string {
	if by, ok := m.pulledIn[c.Key]; ok && (len(m.options.Names) > 0 || len(c.Lifecycle.Profiles) > 0) {
		return reason + ", needed by " + by
	}
	return reason
}

func role(c *schema.Container) string {
	if c.IsService() {
		return "service"
	}
	return "job"
}

// prerequisites are the steps that must be done before a container can be created: its image, networks and volumes, and
// the containers it refers to, whose ids it needs.
func (m *maker) prerequisites(c *schema.Container) []string {
	out := []string{string(Pull) + " " + c.Image.Ref.Value.Text}
	for _, n := range c.Network.Networks {
		if n.Value.Mode == value.NetworkUser {
			out = append(out, string(Network)+" "+n.Value.Name)
		}
	}
	for _, v := range c.Mounts.Volumes {
		if v.Value.Type == value.Volume && v.Value.Source != "" {
			out = append(out, string(Volume)+" "+v.Value.Source)
		}
	}
	for _, e := range m.needs[c.Key] {
		if e.cause != "depends-on" {
			out = append(out, m.existing(e.to))
		}
	}
	return unique(out)
}

// existing is the step after which a container exists.
func (m *maker) existing(c *schema.Container) string {
	return m.stepOr(Keep, Create, c.Key)
}

// stepOr is the id of a container's step of the first kind if there is one, else of the second. Steps are written in
// dependency order, so those of a needed container are there already.
func (m *maker) stepOr(first, second Kind, key string) string {
	id := string(first) + " " + key
	if m.ids[id] {
		return id
	}
	return string(second) + " " + key
}

// reached is the step after which an edge's condition holds.
func (m *maker) reached(e edge) string {
	switch e.condition {
	case value.Created:
		return m.existing(e.to)
	case value.Started:
		return m.stepOr(Keep, Start, e.to.Key)
	default:
		return string(Await) + " " + e.to.Key + " " + string(e.condition)
	}
}

// addAwaits adds the waits for a container: until a service is usable, a job has ended, and whatever else depends-on
// asks for.
func (m *maker) addAwaits(c *schema.Container, after string) {
	var conditions []value.Condition
	switch check := checkOf(c); {
	case !c.IsService():
		conditions = append(conditions, value.Completed)
	case check != "":
		conditions = append(conditions, check)
	}
	waiting := make(map[value.Condition][]string)
	for _, e := range m.neededBy[c.Key] {
		if !m.selected[e.from.Key] {
			continue
		}
		switch e.condition {
		case value.Healthy, value.Ready, value.Completed, value.Exited:
			waiting[e.condition] = append(waiting[e.condition], e.from.Key)
			if !slices.Contains(conditions, e.condition) {
				conditions = append(conditions, e.condition)
			}
		default: // created and started are steps of their own
		}
	}
	for _, cond := range conditions {
		reason := "the run waits for it"
		switch w := unique(waiting[cond]); len(w) {
		case 0:
		case 1:
			reason = w[0] + " waits for it"
		default:
			reason = strings.Join(w, ", ") + " wait for it"
		}
		m.add(Step{Kind: Await, Object: c.Key, Condition: string(cond), Reason: reason, Origin: c.At.String(), After: []string{after}})
	}
}

func unique(in []string) []string {
	var out []string
	seen := make(map[string]bool, len(in))
	for _, s := range in {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// groups collects who uses a thing, in order of first use. Whoever uses a thing twice says so in one go.
type groups struct {
	names   []string
	users   map[string][]string
	origins map[string]string
}

func newGroups() *groups {
	return &groups{users: make(map[string][]string), origins: make(map[string]string)}
}

func (g *groups) add(name, user, origin string) {
	if _, ok := g.users[name]; !ok {
		g.names = append(g.names, name)
		g.origins[name] = origin
	}
	if u := g.users[name]; len(u) == 0 || u[len(u)-1] != user {
		g.users[name] = append(u, user)
	}
}

func (g *groups) each(f func(name string, users []string, origin string)) {
	for _, n := range g.names {
		f(n, g.users[n], g.origins[n])
	}
}
