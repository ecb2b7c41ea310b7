package ocispec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/user"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// maxUserFile bounds /etc/passwd and /etc/group of an image, which may be hostile.
const maxUserFile = 10 << 20

// maxID is the highest uid or gid that can be asked for.
const maxID = math.MaxInt32

// userDB is a resolved user.
type userDB struct {
	uid, gid uint32
	groups   []uint32
	home     string
}

// user resolves the effective user and the groups of group-add in the image's own user database.
func (b *builder) user() error {
	u, home, err := ResolveUser(b.in.RootfsDir, b.in.Effective.User, b.c.Process.GroupAdd.Values())
	if err != nil {
		return err
	}
	b.home, b.spec.Process.User = home, u
	return nil
}

// ResolveUser finds text ("name", "uid", "user:group", ":group", "" = root) and further groups (names or numbers) in the
// user database of the tree at rootfs ("" = there is none). home is the user's home directory, / if unknown.
func ResolveUser(rootfs, text string, more []string) (u specs.User, home string, err error) {
	passwd, err := readUserFile(rootfs, "etc/passwd")
	if err != nil {
		return u, "", err
	}
	groups, err := readUserFile(rootfs, "etc/group")
	if err != nil {
		return u, "", err
	}
	db := &userDB{home: "/"}
	if err := db.resolve(text, passwd, groups); err != nil {
		return u, "", err
	}
	for _, name := range more {
		gid, err := findGroup("group-add", name, groups)
		if err != nil {
			return u, "", err
		}
		if !slices.Contains(db.groups, gid) {
			db.groups = append(db.groups, gid)
		}
	}
	return specs.User{UID: db.uid, GID: db.gid, AdditionalGids: db.groups}, db.home, nil
}

func (db *userDB) resolve(text string, passwd, groups []byte) error {
	name, group, hasGroup := strings.Cut(text, ":")
	if err := db.findUser(name, passwd); err != nil {
		return err
	}
	if !hasGroup || group == "" {
		return db.findGroups(name, passwd, groups)
	}
	gid, err := findGroup("user", group, groups)
	db.gid, db.groups = gid, []uint32{gid}
	return err
}

// findUser accepts a name or a number. A number is never looked up as a name, so that an image cannot give "1000" the
// id 0; a number without an entry has group 0.
func (db *userDB) findUser(name string, passwd []byte) error {
	if name == "" {
		name = "0"
	}
	id, numeric, err := parseID("user", name)
	if err != nil {
		return err
	}
	found, err := user.ParsePasswdFilter(bytes.NewReader(passwd), func(u user.User) bool {
		if numeric {
			return u.Uid == int(id)
		}
		return u.Name == name
	})
	if err != nil {
		return refuse("user", "the image's /etc/passwd cannot be read: %w", err)
	}
	if len(found) == 0 {
		if !numeric {
			return refuse("user", "no such user in the image's /etc/passwd: %q. Use a numeric uid or add the user to the image", name)
		}
		db.uid = id
		return nil
	}
	u := found[0]
	if u.Uid < 0 || u.Uid > maxID || u.Gid < 0 || u.Gid > maxID {
		return refuse("user", "user %q has an id outside 0 to %d in the image's /etc/passwd", name, maxID)
	}
	db.uid, db.gid = uint32(u.Uid), uint32(u.Gid)
	if u.Home != "" {
		db.home = u.Home
	}
	return nil
}

// findGroups collects the groups that /etc/group gives the user, the primary one first.
func (db *userDB) findGroups(name string, passwd, groups []byte) error {
	db.groups = []uint32{db.gid}
	names := []string{name}
	if _, numeric, _ := parseID("user", name); numeric || name == "" {
		found, err := user.ParsePasswdFilter(bytes.NewReader(passwd), func(u user.User) bool { return u.Uid == int(db.uid) })
		if err != nil || len(found) == 0 {
			return nil // findUser has read the same bytes
		}
		names = []string{found[0].Name}
	}
	found, err := user.ParseGroupFilter(bytes.NewReader(groups), func(g user.Group) bool {
		return slices.ContainsFunc(g.List, func(m string) bool { return slices.Contains(names, m) })
	})
	if err != nil {
		return refuse("user", "the image's /etc/group cannot be read: %w", err)
	}
	for _, g := range found {
		if g.Gid >= 0 && g.Gid <= maxID && !slices.Contains(db.groups, uint32(g.Gid)) {
			db.groups = append(db.groups, uint32(g.Gid))
		}
	}
	return nil
}

// findGroup is the number of a group that option names.
func findGroup(option, name string, groups []byte) (uint32, error) {
	id, numeric, err := parseID(option, name)
	if err != nil || numeric {
		return id, err
	}
	found, err := user.ParseGroupFilter(bytes.NewReader(groups), func(g user.Group) bool { return g.Name == name })
	if err != nil {
		return 0, refuse(option, "the image's /etc/group cannot be read: %w", err)
	}
	if len(found) == 0 || found[0].Gid < 0 || found[0].Gid > maxID {
		return 0, refuse(option, "no such group in the image's /etc/group: %q. Use a numeric gid or add the group to the image", name)
	}
	return uint32(found[0].Gid), nil
}

// parseID reads a number. Anything of digits, also with a sign, is a number and must be in range: it must not fall
// back to a name (CVE-2026-46680).
func parseID(option, text string) (id uint32, numeric bool, err error) {
	digits := strings.TrimLeft(text, "+-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > maxID {
		return 0, true, refuse(option, "%s is outside 0 to %d", text, maxID)
	}
	return uint32(n), true, nil
}

// readUserFile reads a file of the image. A missing one is empty; one that is no regular file or is too large is an
// error, since a FIFO or a huge sparse file would block or fill us.
func readUserFile(rootfs, name string) ([]byte, error) {
	if rootfs == "" {
		return nil, nil
	}
	f, err := OpenInRoot(rootfs, name, unix.O_RDONLY|unix.O_NONBLOCK)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, refuse("user", "the image's /%s cannot be read: %w", name, err)
	}
	defer f.Close() // read only
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read /%s of the image: %w", name, err)
	}
	if !st.Mode().IsRegular() || st.Size() > maxUserFile {
		return nil, refuse("user", "the image's /%s is not a regular file of at most 10 MiB", name)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxUserFile))
	if err != nil {
		return nil, fmt.Errorf("read /%s of the image: %w", name, err)
	}
	return data, nil
}

// OpenInRoot opens name below root as a process chrooted there would: symbolic links, absolute ones too, cannot leave
// root, and magic links of /proc are refused. root itself is followed normally.
func OpenInRoot(root, name string, flags int) (*os.File, error) {
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: root, Err: err}
	}
	defer unix.Close(dir)       // O_PATH
	if flags&unix.O_PATH == 0 { // with it the kernel refuses flags that mean nothing
		flags |= unix.O_NOCTTY
	}
	how := unix.OpenHow{
		Flags:   uint64(flags | unix.O_CLOEXEC),
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	var fd int
	for range 128 {
		fd, err = unix.Openat2(dir, name, &how)
		// EAGAIN: something was renamed while the kernel walked; EINTR: a signal. Both just mean "again", but a
		// container that renames all the time must not hold us for ever.
		if !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			break
		}
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}
