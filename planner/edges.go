package planner

import (
	"fmt"
	"slices"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/planner/graph"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// The codes of the planner.
const (
	CodeUnknownContainer diag.Code = "unknown-container"
	CodeUnknownName      diag.Code = "unknown-name"
	CodeCycle            diag.Code = "dependency-cycle"
	CodeJobCondition     diag.Code = "job-condition"
)

func init() {
	diag.Register(diag.Info{
		Code:    CodeUnknownContainer,
		Meaning: "An option names a container that is neither in the file nor known to the project.",
		Cure:    "Correct the name, or add the container to the file.",
		Example: "containers:\n  web:\n    image: busybox\n    link: [db]\n",
	})
	diag.Register(diag.Info{
		Code:    CodeCycle,
		Meaning: "Containers wait for each other, so none of them can start first.",
		Cure:    "Drop one of the references, or share files through a named volume instead of volumes-from.",
		Example: "containers:\n  a: {image: busybox, depends-on: [b]}\n  b: {image: busybox, depends-on: [a]}\n",
	})
	diag.Register(diag.Info{
		Code:    CodeJobCondition,
		Meaning: "A depends-on condition does not fit the other container's role: only what has a check gets healthy or ready, and a service never completes.",
		Cure:    "Give the other container a health-cmd or ready probe, or wait for another condition.",
		Example: "containers:\n  a:\n    image: busybox\n    depends-on: {b: {condition: healthy}}\n  b: {image: busybox, detach: true}\n",
	})
	diag.Register(diag.Info{
		Code:    CodeUnknownName,
		Meaning: "A container named on the command line is not in the file.",
		Cure:    "Correct the name; `runfile plan` lists all containers.",
		Command: "plan webb",
		Example: "containers:\n  web: {image: busybox}\n",
	})
}

// pass turns one kind of reference into edges.
type pass struct {
	option string
	// condition that the other container must have reached before this one starts.
	condition func(from, to *schema.Container, at diag.Range) value.Condition
	// soft edges order containers where they can and are dropped where they would close a cycle.
	soft func(from *schema.Container) bool
}

// findEdges walks all references of the project, one kind after the other. Soft edges come last, so that the hard ones
// are all known when they are checked against them.
func (m *maker) findEdges() {
	hard := func(*schema.Container) bool { return false }
	passes := []pass{
		{"depends-on", m.declared, hard},
		{"volumes-from", filled, hard},
		{"network", up, hard},
		{"pid", up, hard},
		{"ipc", up, hard},
		{"link", up, onUserNetwork},
	}
	g := new(graph.Graph[string])
	references := make([][]schema.Reference, len(m.project.Containers))
	for i, c := range m.project.Containers {
		references[i] = schema.References(c)
	}
	var soft []edge
	for _, p := range passes {
		for i, c := range m.project.Containers {
			for _, r := range references[i] {
				if r.Option != p.option {
					continue
				}
				to := m.resolve(c, r)
				if to == nil {
					continue
				}
				e := edge{from: c, to: to, cause: r.Option, at: r.At, condition: p.condition(c, to, r.At)}
				if p.soft(c) {
					soft = append(soft, e)
					continue
				}
				m.connect(g, e)
			}
		}
	}
	// Where links go both ways, a job that names a service waits for it rather than the other way round.
	slices.SortStableFunc(soft, func(a, b edge) int { return towardsService(a) - towardsService(b) })
	for _, e := range soft {
		if !g.Reaches(e.to.Key, e.from.Key) {
			m.connect(g, e)
		}
	}
}

func (m *maker) connect(g *graph.Graph[string], e edge) {
	m.edges = append(m.edges, e)
	m.needs[e.from.Key] = append(m.needs[e.from.Key], e)
	m.neededBy[e.to.Key] = append(m.neededBy[e.to.Key], e)
	g.Connect(e.from.Key, e.to.Key)
}

func towardsService(e edge) int {
	if !e.from.IsService() && e.to.IsService() {
		return 0
	}
	return 1
}

// resolve finds the container of a reference. A container that exists in the project but not in the file needs no edge;
// one that is nowhere is an error.
func (m *maker) resolve(c *schema.Container, r schema.Reference) *schema.Container {
	to := m.find(r.Target)
	if to == nil && !m.exists(r.Target) {
		whose := r.Option
		if r.At.File != schema.CommandLine { // where the container has a key that nobody has written
			whose += fmt.Sprintf(" of container %q", c.Key)
		}
		d := m.diags.Errorf(CodeUnknownContainer, r.At, "%s names %q, which does not exist", whose, r.Target)
		m.suggest(d, r.Target, c.Key)
	}
	return to
}

// up: the other one runs, and is ready or healthy if it has a check.
func up(_, to *schema.Container, _ diag.Range) value.Condition {
	if check := checkOf(to); check != "" {
		return check
	}
	return value.Started
}

// filled: volumes exist once the other one is created; a job has to end first, since it is run to fill them.
func filled(_, to *schema.Container, _ diag.Range) value.Condition {
	if to.IsService() {
		return value.Created
	}
	return value.Completed
}

// declared takes the condition of a depends-on entry, by role where it says none.
func (m *maker) declared(from, to *schema.Container, at diag.Range) value.Condition {
	for _, d := range from.Lifecycle.DependsOn {
		if d.At != at {
			continue
		}
		switch d.Value.Condition {
		case value.Auto:
			if to.IsService() {
				return up(from, to, at)
			}
			return value.Completed
		case value.Healthy, value.Ready:
			if (d.Value.Condition == value.Healthy && !hasHealth(to)) || (d.Value.Condition == value.Ready && !to.Lifecycle.Ready.Set) {
				m.unfit(from, to, at, d.Value.Condition, "has no check for it", "add "+checks[d.Value.Condition]+" to %q, or wait until it is started")
			}
		case value.Completed, value.Exited:
			if to.IsService() {
				m.unfit(from, to, at, d.Value.Condition, "is a service and runs until it is stopped", "wait until %q is started, ready or healthy")
			}
		case value.Created, value.Started:
		}
		return d.Value.Condition
	}
	return value.Started
}

// checks are the options that let a container reach a condition.
var checks = map[value.Condition]string{value.Healthy: "health-cmd", value.Ready: "ready"}

func (m *maker) unfit(from, to *schema.Container, at diag.Range, c value.Condition, why, help string) {
	m.diags.Errorf(CodeJobCondition, at, "%q waits until %q is %s, but %q %s", from.Key, to.Key, c, to.Key, why).
		Also(to.At, "declared here").WithHelp(help, to.Key)
}

// checkOf is the condition under which a container counts as usable, or "" if it has no check. The image's own
// HEALTHCHECK is not known when planning; only what the file says counts.
func checkOf(c *schema.Container) value.Condition {
	switch {
	case c.Lifecycle.Ready.Set:
		return value.Ready
	case hasHealth(c):
		return value.Healthy
	default:
		return ""
	}
}

func hasHealth(c *schema.Container) bool {
	return c.Health.Cmd.Set && !c.Health.Disable.Value
}

// onUserNetwork: a link between containers of a user-defined network is a DNS alias, which may name a container that
// does not run yet; on the default bridge the target must run (spec/options-network-storage-images.md A8).
func onUserNetwork(c *schema.Container) bool {
	return len(c.Network.Networks) > 0 && c.Network.Networks[0].Value.Mode == value.NetworkUser
}
