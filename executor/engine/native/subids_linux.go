package native

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/user"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/ocispec"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/schema"
)

const (
	// remapOption is the key of the runfile that errors about mappings blame.
	remapOption = "userns-remap"
	// defaultRemap is whom userns-remap: default means, docker's word for it.
	defaultRemap = "dockremap"
	// firstSubID and subIDs are the range that is proposed where there is none: what useradd(8) would choose.
	firstSubID, subIDs = 100000, 65536
)

// subIDFiles say which ranges of ids are whose (subuid(5), subgid(5)).
type subIDFiles struct{ uids, gids string }

var hostSubIDs = subIDFiles{uids: "/etc/subuid", gids: "/etc/subgid"}

// noRange is what the files lack, and the lines that mend it.
type noRange struct{ lacks, lines []string }

func (e *noRange) problem() string { return strings.Join(e.lacks, ", ") }

func (e *noRange) fix() string { return "add " + strings.Join(e.lines, " and ") }

// Error implements error.
func (e *noRange) Error() string { return e.problem() + "; " + e.fix() }

// mapping is what userns-remap means: the ranges of a user become the container's ids, one after the other from 0 on.
func (f subIDFiles) mapping(remap string) (user.IdentityMapping, error) {
	who, group, hasGroup := strings.Cut(remap, ":")
	if who == "default" {
		who = defaultRemap
	}
	owners := accountNames(who)
	groupOwners := owners
	if hasGroup {
		groupOwners = groupNames(group)
	} else {
		group = who
	}
	var ids user.IdentityMapping
	missing := &noRange{}
	for _, one := range []struct {
		file, who string
		names     []string
		to        *[]user.IDMap
	}{{f.uids, who, owners, &ids.UIDMaps}, {f.gids, group, groupOwners, &ids.GIDMaps}} {
		ranges, err := rangesOf(one.file, one.names)
		if err != nil {
			return ids, remapError("%w", err)
		}
		if *one.to = ranges; len(ranges) == 0 {
			missing.lacks = append(missing.lacks, fmt.Sprintf("%s has no range of ids for %q", one.file, one.who))
			missing.lines = append(missing.lines, fmt.Sprintf("the line %s:%d:%d to %s", one.who, f.free(), subIDs, one.file))
		}
	}
	if len(missing.lacks) > 0 {
		return ids, remapError("%w", missing)
	}
	return ids, nil
}

func remapError(format string, args ...any) error {
	return &ocispec.Error{Option: remapOption, Err: fmt.Errorf(format, args...)}
}

// rangesOf reads the ranges of an owner, who may stand there by name or by number.
func rangesOf(file string, names []string) ([]user.IDMap, error) {
	entries, err := readSubIDs(file, func(e user.SubID) bool {
		return slices.Contains(names, e.Name)
	})
	if err != nil {
		return nil, err
	}
	var out []user.IDMap
	next := int64(0)
	for _, e := range entries {
		switch {
		case e.Count <= 0:
			continue // a line that is none
		case e.SubID <= 0:
			return nil, fmt.Errorf("the range %s:%d:%d in %s would make the containers' root the host's", e.Name, e.SubID, e.Count, file)
		}
		out = append(out, user.IDMap{ID: next, ParentID: e.SubID, Count: e.Count})
		next += e.Count
	}
	return out, nil
}

func readSubIDs(file string, want func(user.SubID) bool) ([]user.SubID, error) {
	entries, err := user.ParseSubIDFileFilter(file, want)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return entries, nil
}

// free is the first id above all ranges of both files.
func (f subIDFiles) free() int64 {
	free := int64(firstSubID)
	for _, file := range []string{f.uids, f.gids} {
		entries, _ := readSubIDs(file, nil) // it is only a proposal
		for _, e := range entries {
			free = max(free, e.SubID+e.Count)
		}
	}
	return free
}

// accountNames are the ways in which a user may stand in the files: name and number.
func accountNames(who string) []string {
	find := user.LookupUser
	if uid, err := strconv.Atoi(who); err == nil {
		find = func(string) (user.User, error) { return user.LookupUid(uid) }
	}
	if u, err := find(who); err == nil {
		return []string{u.Name, strconv.Itoa(u.Uid)}
	}
	return []string{who} // the files may know more than this host's user database
}

func groupNames(who string) []string {
	find := user.LookupGroup
	if gid, err := strconv.Atoi(who); err == nil {
		find = func(string) (user.Group, error) { return user.LookupGid(gid) }
	}
	if g, err := find(who); err == nil {
		return []string{g.Name, strconv.Itoa(g.Gid)}
	}
	return []string{who}
}

// remapProblems: the container's users need ids that the host has set aside.
func remapProblems(c *schema.Container) []schema.HostProblem {
	remap := c.Namespaces.Remap
	if !remap.Set {
		return nil
	}
	_, err := hostSubIDs.mapping(remap.Value)
	var missing *noRange
	var refused *ocispec.Error
	switch {
	case errors.As(err, &missing):
		return []schema.HostProblem{{Option: remapOption, Text: missing.problem(), Help: missing.fix(), Refused: true}}
	case errors.As(err, &refused):
		return []schema.HostProblem{{Option: remapOption, Text: refused.Err.Error(), Help: "correct the file", Refused: true}}
	}
	return nil
}

// checkRemap says whose ids userns-remap could use and what that costs.
func checkRemap(paths state.Paths) engine.Check {
	var owners []string
	entries, _ := readSubIDs(hostSubIDs.uids, nil) // what cannot be read is nobody's
	for _, e := range entries {
		if ids, err := hostSubIDs.mapping(e.Name); err == nil && !ids.Empty() && !slices.Contains(owners, e.Name) {
			owners = append(owners, e.Name)
		}
	}
	if len(owners) == 0 {
		return warn(remapOption, "nobody has a range of ids: containers cannot have other users than the host", (&noRange{
			lines: []string{fmt.Sprintf("the line %s:%d:%d to %s and to %s", defaultRemap, hostSubIDs.free(), subIDs, hostSubIDs.uids, hostSubIDs.gids)},
		}).fix())
	}
	detail := "ranges of ids: " + strings.Join(owners, ", ")
	if os.Geteuid() != 0 {
		return ok(remapOption, detail)
	}
	if err := tryMapping(paths.Layers()); err != nil {
		return ok(remapOption, detail+"; the layers of images are copied, once for each range")
	}
	return ok(remapOption, detail+"; the layers of images need not be copied")
}
