package convert

import (
	"slices"
	"strings"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/schema/value"
)

// step is what a script does with a container: it runs it or waits for its end. The order of a script's lines means
// something: a line waits for the end of the job before it, and a job finds the services that were started before it.
type step struct {
	c       *part
	runs    bool // else it only waits
	job     bool // the script goes on when it has ended
	failing bool // whether or not it succeeded
	behind  bool // the script does not wait for the job
}

// follow makes containers depend on what the script has done before they start.
func (d *draft) follow() {
	var job *step
	var services []*part
	for i := range d.steps {
		s := &d.steps[i]
		if !slices.Contains(d.containers, s.c) {
			continue // left out
		}
		if s.runs && job != nil {
			depend(s.c, job)
		}
		if s.runs && s.job {
			for _, on := range services {
				depend(s.c, &step{c: on})
			}
		}
		switch {
		case s.behind:
		case s.job:
			job, services = s, nil
		default:
			services = append(services, s.c)
		}
	}
}

// depend adds to depends-on what no other option says already.
func depend(c *part, on *step) {
	if !on.failing && refers(c, on.c.key) {
		return
	}
	e := manifest.Entry{Key: on.c.key, KeyRange: c.at, Value: mapNode(c.at)}
	if on.failing {
		e.Value.Entries = append(e.Value.Entries, entry("condition", textNode(string(value.Exited), c.at)))
	}
	if c.get("depends-on") == nil {
		c.set("depends-on", mapNode(c.at))
	}
	all := c.get("depends-on")
	all.Entries = append(all.Entries, e)
}

// plainDependencies writes depends-on as a list where no entry says more than a name.
func plainDependencies(c *part) {
	n := c.get("depends-on")
	if n == nil || n.Kind != manifest.Map || slices.ContainsFunc(n.Entries, func(e manifest.Entry) bool { return len(e.Value.Entries) > 0 }) {
		return
	}
	var names []*manifest.Node
	for _, e := range n.Entries {
		names = append(names, textNode(e.Key, e.KeyRange))
	}
	c.set("depends-on", listNode(names, n.Range))
}

// refers reports whether an option of the container names another one.
func refers(c *part, key string) bool {
	for _, option := range []string{"link", "volumes-from", "network", "pid", "ipc"} {
		n := c.get(option)
		if n == nil {
			continue
		}
		for _, item := range append([]*manifest.Node{n}, n.Items...) {
			name, _, _ := strings.Cut(strings.TrimPrefix(item.Text, "container:"), ":")
			if name == key && (option == "link" || option == "volumes-from" || strings.HasPrefix(item.Text, "container:")) {
				return true
			}
		}
	}
	return false
}
