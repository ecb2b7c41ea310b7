package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/format"
	"github.com/runfile/runfile/cmd/runfile/internal/cli/progress"
	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/project"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/manifest/diag"
)

// defaultProject is where `runfile run` puts containers.
const defaultProject = "default"

// needRoot refuses what only root on Linux can do.
func needRoot(verb string) error {
	switch {
	case runtime.GOOS != "linux":
		return (&failure{code: exitOurs, err: fmt.Errorf("runfile %s needs Linux: containers do not run on %s yet", verb, runtime.GOOS)}).
			next("validate, plan and config work here")
	case os.Geteuid() != 0:
		return (&failure{code: exitOurs, err: fmt.Errorf("runfile %s needs root: containers are made by root only", verb)}).
			next("try: sudo runfile %s ...", verb)
	}
	return nil
}

// projectName is the project that a verb without names is about: the one asked for, else the one of the runfile here,
// else the one that `runfile run` uses. A runfile with mistakes still has a name, so that down works beside it.
func (a *app) project() (string, error) {
	name, _, err := a.home()
	return name, err
}

// home is the project and whether anybody has named it: false means that there is no runfile here.
func (a *app) home() (name string, named bool, err error) {
	if a.g.projectName != "" {
		return a.g.projectName, true, nil
	}
	doc, diags, err := a.document()
	if err != nil {
		return "", false, err
	}
	if len(doc.Files) > 0 && doc.Name != "" {
		return doc.Name, true, nil
	}
	if len(a.g.files) > 0 { // one was named and cannot be read
		return "", false, a.report(diags, doc.Sources, exitUsage)
	}
	return defaultProject, false, nil
}

// sayEmpty tells why there is nothing to be seen: a project without containers looks like one that was not found.
func (a *app) sayEmpty(name string, named bool) {
	if a.g.progress == string(progress.Quiet) {
		return
	}
	if named {
		fmt.Fprintf(a.stderr, "project %s has no containers\n", name)
		return
	}
	fmt.Fprintf(a.stderr, "there is no runfile here or above, and project %s, where runfile run puts containers, has none\n"+
		"  see all projects: runfile ps -a --all-projects\n", name)
}

// records reads the records of a project. A damaged one is moved aside and said; it does not hide the others.
func (a *app) records(name string) ([]executor.Record, error) {
	records, err := project.Records(a.paths, name)
	if errors.Is(err, state.ErrCorrupt) {
		fmt.Fprintf(a.stderr, "runfile: warning: project %s: %v\n  clear it away: runfile down\n", name, err)
		err = nil
	}
	return records, err
}

// target is a container that exists, in whichever project.
type target struct {
	project string
	record  executor.Record
}

// targets finds the containers that refs mean: keys, names, ids or unique beginnings of ids of this project, or, if this
// one has no such container and was not asked for by its name, names and ids of other projects. No refs mean all
// containers of this project.
func (a *app) targets(refs []string) ([]target, error) {
	home, named, err := a.home()
	if err != nil {
		return nil, err
	}
	records, err := a.records(home)
	if err != nil {
		return nil, err
	}
	if len(refs) == 0 {
		if len(records) == 0 {
			a.sayEmpty(home, named)
		}
		var out []target
		for _, r := range records {
			out = append(out, target{home, r})
		}
		return out, nil
	}
	var out []target
	for _, ref := range refs {
		found, err := match(home, records, ref)
		if err == nil && found == nil && a.g.projectName == "" {
			found, err = a.elsewhere(home, ref)
		}
		if err != nil {
			return nil, err
		}
		if found == nil {
			return nil, unknownContainer(home, records, ref)
		}
		out = append(out, *found)
	}
	return out, nil
}

// one finds exactly one container.
func (a *app) one(ref string) (*target, error) {
	found, err := a.targets([]string{ref})
	if err != nil {
		return nil, err
	}
	return &found[0], nil
}

// elsewhere finds a container of another project by what is its own on this machine: its name, or its id as long as
// runfile shows it. A key is not, and a short text is as likely a word: who means the db of this project must not stop
// that of another.
func (a *app) elsewhere(home, ref string) (*target, error) {
	projects, err := project.Projects(a.paths)
	if err != nil {
		return nil, err
	}
	var found []target
	for _, name := range projects {
		if name == home {
			continue
		}
		records, err := a.records(name)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			if isNamed(&r, ref) || len(ref) >= format.ShortIDLength && strings.HasPrefix(r.ID, ref) {
				found = append(found, target{name, r})
			}
		}
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return &found[0], nil
	}
	var where []string
	for _, t := range found {
		where = append(where, t.project)
	}
	return nil, usagef("%q is a container of several projects: %s", ref, strings.Join(where, ", ")).
		next("say which one: --project-name %s", where[0])
}

// isNamed reports whether ref is the container's name; docker shows names with a slash before them, too.
func isNamed(r *executor.Record, ref string) bool { return r.Name == ref || "/"+r.Name == ref }

// match finds a container by key, name, id, or a beginning of its id that only it has.
func match(project string, records []executor.Record, ref string) (*target, error) {
	for i := range records {
		if r := &records[i]; r.Key == ref || r.ID == ref || isNamed(r, ref) {
			return &target{project, *r}, nil
		}
	}
	var found []*executor.Record
	for i := range records {
		if strings.HasPrefix(records[i].ID, ref) {
			found = append(found, &records[i])
		}
	}
	switch {
	case len(ref) < 2 || len(found) == 0:
		return nil, nil
	case len(found) == 1:
		return &target{project, *found[0]}, nil
	}
	return nil, usagef("several container ids of project %q begin with %q", project, ref).
		next("type more of it; %s and %s are two of them", format.ShortID(found[0].ID), format.ShortID(found[1].ID))
}

func unknownContainer(project string, records []executor.Record, ref string) error {
	f := &failure{code: exitNotFound, err: fmt.Errorf("no container %q in project %q", ref, project)}
	var known []string
	for _, r := range records {
		known = append(known, r.Key, r.Name)
	}
	slices.Sort(known)
	if near, ok := diag.Nearest(ref, slices.Compact(known)); ok {
		f.next("did you mean %q?", near)
	}
	return f.next("see what there is: runfile ps -a")
}

// connect opens a connection to a project's supervisor, starting one if there is none: it takes over what runs.
func (a *app) connect(ctx context.Context, name string) (*project.Client, error) {
	return project.Connect(ctx, a.paths, name, true)
}

// eachProject calls fn once for every project that targets belong to, with the ids of its containers in their order.
func (a *app) eachProject(ctx context.Context, targets []target, fn func(c *project.Client, name string, ids []string) error) error {
	var order []string
	ids := map[string][]string{}
	for _, t := range targets {
		if ids[t.project] == nil {
			order = append(order, t.project)
		}
		ids[t.project] = append(ids[t.project], t.record.ID)
	}
	var errs []error
	for _, name := range order {
		client, err := a.connect(ctx, name)
		if err != nil {
			return err
		}
		errs = append(errs, fn(client, name, ids[name]), client.Close())
	}
	return errors.Join(errs...)
}

// each does the same thing to every named container, one after the other, and prints each name when it is done, as
// docker does. What fails, or does not exist, is reported at once and does not keep the rest from being tried.
func (a *app) each(ctx context.Context, refs []string, fn func(c *project.Client, id string) error) error {
	code := 0
	failed := func(err error) { code = cmp.Or(code, a.finish(err)) }
	var targets []target
	named := map[string]string{}
	for _, ref := range refs {
		t, err := a.one(ref)
		if err != nil {
			failed(err)
			continue
		}
		named[t.record.ID] = ref
		targets = append(targets, *t)
	}
	err := a.eachProject(ctx, targets, func(c *project.Client, _ string, ids []string) error {
		for _, id := range ids {
			if err := fn(c, id); err != nil {
				failed(err)
				continue
			}
			if _, err := fmt.Fprintln(a.stdout, named[id]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return exit(code)
}
