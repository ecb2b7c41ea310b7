package native

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/moby/sys/user"

	"github.com/runfile/runfile/executor/ocispec"
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
	var problems []string
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
			problems = append(problems, fmt.Sprintf("%s has no range of ids for %q; add the line %s:%d:%d to it",
				one.file, one.who, one.who, f.free(), subIDs))
		}
	}
	if len(problems) > 0 {
		return ids, remapError("%s", strings.Join(problems, ". "))
	}
	return ids, nil
}

func remapError(format string, args ...any) error {
	return &ocispec.Error{Option: remapOption, Err: fmt.Errorf(format, args...)}
}

// rangesOf reads the ranges of an owner, who may stand there by name or by number.
func rangesOf(file string, names []string) ([]user.IDMap, error) {
	entries, err := readSubIDs(file, func(e user.SubID) bool {
		for _, n := range names {
			if e.Name == n {
				return true
			}
		}
		return false
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
