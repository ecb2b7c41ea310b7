package project

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/schema"
)

// identity is project.json: whose project this is.
type identity struct {
	Dir   string   `json:"dir"`             // absolute directory of the manifest
	Files []string `json:"files,omitempty"` // as they were opened
}

func identityPath(paths state.Paths, project string) string {
	return filepath.Join(paths.Project(project), "project.json")
}

// Projects returns the names of the projects that have containers, sorted.
func Projects(paths state.Paths) ([]string, error) {
	entries, err := os.ReadDir(paths.Projects())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list the projects: %w", err)
	}
	names := []string{}
	for _, e := range entries {
		if !e.IsDir() || checkName(e.Name()) != nil {
			continue
		}
		containers, err := os.ReadDir(paths.Containers(e.Name()))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("list the containers of project %q: %w", e.Name(), err)
		}
		if len(containers) > 0 {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// Records reads the records of a project's containers from disk. It needs no supervisor: of a container whose record
// says that it runs it looks whether the process is still the one that was started.
func Records(paths state.Paths, project string) ([]executor.Record, error) {
	if err := checkName(project); err != nil {
		return nil, err
	}
	return executor.ReadRecords(paths, project)
}

// choose returns the records that refs name (key, name, id or a unique beginning of an id), all if there are none.
func choose(records []executor.Record, refs []string) ([]executor.Record, error) {
	if len(refs) == 0 {
		return records, nil
	}
	chosen := make([]executor.Record, 0, len(refs))
	for _, ref := range refs {
		i := find(records, ref)
		if i < 0 {
			return nil, refuse(http.StatusNotFound, exitOurs, "no container %q", ref)
		}
		if !slices.ContainsFunc(chosen, func(r executor.Record) bool { return r.ID == records[i].ID }) {
			chosen = append(chosen, records[i])
		}
	}
	return chosen, nil
}

// find returns the index of the record that ref means, -1 if none or several.
func find(records []executor.Record, ref string) int {
	if ref == "" {
		return -1
	}
	i := slices.IndexFunc(records, func(r executor.Record) bool { return r.Key == ref || r.Name == ref || r.ID == ref })
	if i >= 0 {
		return i
	}
	begins := func(r executor.Record) bool { return strings.HasPrefix(r.ID, ref) }
	i = slices.IndexFunc(records, begins)
	if i >= 0 && slices.ContainsFunc(records[i+1:], begins) {
		return -1
	}
	return i
}

// ownerDir returns the directory that the project belongs to, "" if none is known.
func ownerDir(paths state.Paths, project string) (string, error) {
	id, err := state.ReadJSON[identity](identityPath(paths, project))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, state.ErrCorrupt) {
		return "", nil // a damaged one has been moved aside; the next up writes it again
	}
	return id.Dir, err
}

// claim makes p the owner of the project's name. Containers that belong to a manifest in another directory stand
// against it; a run that comes from no manifest (`runfile run`) claims nothing.
func claim(paths state.Paths, project string, p *schema.Project, populated bool) error {
	if p.ManifestDir() == "" {
		return nil
	}
	owner, err := ownerDir(paths, project)
	if err != nil {
		return err
	}
	if owner == p.Dir {
		return nil
	}
	if owner != "" && populated {
		return refuse(http.StatusPreconditionFailed, exitOurs, "project %q of %s still has containers, and this runfile is "+
			"in %s: take the other one down first (runfile -C %s down) or give this one another name (project: in the file)",
			project, owner, p.Dir, owner)
	}
	return state.WriteJSON(identityPath(paths, project), identity{Dir: p.Dir, Files: p.Files})
}

// release forgets whose project it was, once nothing is left of it.
func release(paths state.Paths, project string) error {
	if err := os.Remove(identityPath(paths, project)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// Both go only when they are empty: logs or volumes of somebody else may be there.
	_ = os.Remove(paths.Containers(project))
	_ = os.Remove(paths.Project(project))
	return nil
}
