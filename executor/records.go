package executor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/executor/supervise"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

func recordPath(paths state.Paths, project, id string) string {
	return filepath.Join(paths.Container(project, id), "container.json")
}

// ReadRecords reads the records of a project from disk, sorted by key. No supervisor is needed: of a record that says
// its container runs, the process is looked for, and without it the state is exited with an unknown status, or created
// if there has not been one. Damaged records are moved aside and left out; the error then says so, and the other records
// are still returned.
func ReadRecords(paths state.Paths, project string) ([]Record, error) {
	records, _, err := readRecords(paths, project)
	for i := range records {
		r := &records[i]
		switch {
		case r.State == Running && r.Status.PID == 0: // its start is under way, or was when its supervisor ended
			r.State = Created
		case r.State == Running && !r.Status.Alive():
			r.State, r.Exit = Exited, &engine.Exit{Code: supervise.UnknownExit, Unknown: true}
		}
	}
	return records, err
}

// readRecords returns the records as they are, and the ids of containers whose record is damaged or missing.
func readRecords(paths state.Paths, project string) (records []Record, lost []string, err error) {
	entries, err := os.ReadDir(paths.Containers(project))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list the containers of project %q: %w", project, err)
	}
	var errs []error
	for _, e := range entries {
		r, err := state.ReadJSON[Record](recordPath(paths, project, e.Name()))
		if err == nil && (r.ID != e.Name() || r.Spec == nil) {
			err = fmt.Errorf("the record of container %.12s does not describe it: %w", e.Name(), state.ErrCorrupt)
		}
		if err != nil {
			lost = append(lost, e.Name())
			if !errors.Is(err, os.ErrNotExist) {
				errs = append(errs, err)
			}
			continue
		}
		records = append(records, r)
	}
	slices.SortFunc(records, func(a, b Record) int { return strings.Compare(a.Key, b.Key) })
	return records, lost, errors.Join(errs...)
}

// Observe tells the planner what exists.
func Observe(records []Record) []planner.Observed {
	var out []planner.Observed
	for _, r := range records {
		o := planner.Observed{
			Key: r.Key, Name: r.Name, ID: r.ID, Config: r.Config,
			Running: r.State == Running || r.State == Restarting, Service: r.Spec.IsService(),
		}
		if r.Effective != nil {
			o.ImageID = r.Effective.ImageID
		}
		out = append(out, o)
	}
	return out
}

// resources are the networks and volumes that runs of the project have made. They are noted before they are made, so
// that Down finds them without the manifest.
type resources struct {
	Networks []string `json:"networks,omitempty"`
	Volumes  []string `json:"volumes,omitempty"`
}

func (m *Manager) resourcesPath() string {
	return filepath.Join(m.cfg.Paths.Project(m.cfg.Project), "resources.json")
}

// remember notes a network or volume before it is made.
func (m *Manager) remember(kind planner.Kind, key string) error {
	return m.changeResources(func(r *resources) {
		list := &r.Networks
		if kind == planner.Volume {
			list = &r.Volumes
		}
		if !slices.Contains(*list, key) {
			*list = append(slices.Clone(*list), key)
		}
	})
}

// forget notes that a network or volume is gone.
func (m *Manager) forget(kind planner.Kind, key string) error {
	return m.changeResources(func(r *resources) {
		list := &r.Networks
		if kind == planner.Volume {
			list = &r.Volumes
		}
		*list = slices.DeleteFunc(slices.Clone(*list), func(k string) bool { return k == key })
	})
}

func (m *Manager) changeResources(f func(*resources)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.resources.Networks) + len(m.resources.Volumes)
	f(&m.resources)
	switch len(m.resources.Networks) + len(m.resources.Volumes) {
	case before:
		return nil
	case 0: // nothing is left: an empty project leaves no file
		if err := os.Remove(m.resourcesPath()); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	return state.WriteJSON(m.resourcesPath(), m.resources)
}

// referencesOf lists the containers whose id a declaration needs: link, volumes-from, network, pid and ipc.
func referencesOf(c *schema.Container) []string {
	var out []string
	add := func(name string) {
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, l := range c.Network.Links.Values() {
		add(l.Container)
	}
	for _, v := range c.Mounts.VolumesFrom.Values() {
		add(v.Container)
	}
	for _, n := range c.Network.Networks.Values() {
		if n.Mode == value.NetworkContainer {
			add(n.Name)
		}
	}
	for _, name := range processDonors(c) {
		add(name)
	}
	return out
}

// processDonors lists the containers whose namespaces a declaration joins that end with their process: PID and IPC.
func processDonors(c *schema.Container) []string {
	var out []string
	for _, ns := range []value.NamespaceMode{c.Namespaces.PID.Value, c.Namespaces.IPC.Value} {
		if ns.Mode == "container" {
			out = append(out, ns.Container)
		}
	}
	return out
}

// peersOf resolves the references of a declaration to ids. A reference that names nothing is left out; the engine says
// which option it is that cannot work.
func (m *Manager) peersOf(c *schema.Container) map[string]string {
	peers := map[string]string{}
	for _, ref := range referencesOf(c) {
		if other, err := m.find(ref); err == nil {
			peers[ref] = other.id
		}
	}
	return peers
}

// levels groups containers by what they need among themselves, from their references and depends-on: those of a level
// need only earlier levels. What closes a circle (containers of different versions of a file may) is ignored.
func levels(containers []*container) [][]*container {
	level := map[*container]int{}
	var visit func(c *container, path []*container) int
	visit = func(c *container, path []*container) int {
		if n, ok := level[c]; ok {
			return n
		}
		n := 0
		path = append(path, c)
		for _, other := range needsAmong(c, containers) {
			if !slices.Contains(path, other) {
				n = max(n, visit(other, path)+1)
			}
		}
		level[c] = n
		return n
	}
	var out [][]*container
	for _, c := range containers {
		n := visit(c, nil)
		for len(out) <= n {
			out = append(out, nil)
		}
		out[n] = append(out[n], c)
	}
	return slices.DeleteFunc(out, func(l []*container) bool { return len(l) == 0 })
}

func needsAmong(c *container, containers []*container) []*container {
	names := referencesOf(c.spec)
	for _, d := range c.spec.Lifecycle.DependsOn.Values() {
		names = append(names, d.Container)
	}
	var out []*container
	for _, other := range containers {
		if other != c && (slices.Contains(names, other.key) || slices.Contains(names, other.name)) {
			out = append(out, other)
		}
	}
	return out
}
