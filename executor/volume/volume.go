// Package volume keeps named and anonymous volumes: directories that outlive containers
// (spec/options-network-storage-images.md B1 and B9).
//
// A volume NAME is the directory ROOT/NAME (0701) with _data (what containers see), meta.json (what it was made with) and
// refs (an empty file for each container that uses it). There is no index. Making ends with a rename; removing begins with
// the removal of refs, which fails as long as a container is in it; using adds a file to refs, which fails once refs is
// gone. A volume without refs is therefore one whose removal was interrupted, and as good as removed.
//
// Names that begin with a dot are ours: volumes that are being made or removed. That happens under the lock ROOT.lock,
// which is held for microseconds. Copy-up has a lock for each volume: two containers may start together on a new one.
package volume

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/runfile/runfile/executor/state"
)

// The errors of the store.
var (
	// ErrInUse: a container uses the volume.
	ErrInUse = errors.New("volume is in use")
	// ErrNotFound: there is no volume of that name.
	ErrNotFound = errors.New("no such volume")
)

// The files of a volume, and what its directory is called before and after.
const (
	dataDir    = "_data"
	refsDir    = "refs"
	metaFile   = "meta.json"
	newPrefix  = ".new-"
	gonePrefix = ".gone-"
)

// localDriver is the driver of directories on this host, docker's default.
const localDriver = "local"

// isAnonymous reports whether a name is one that an anonymous volume was given: 64 hex digits.
func isAnonymous(name string) bool {
	return len(name) == 64 && strings.Trim(name, "0123456789abcdef") == ""
}

// Store is a directory of volumes. It holds no state and is safe for many goroutines and processes.
type Store struct{ root string }

// Spec says what volume is wanted.
type Spec struct {
	Name    string            `json:"name"` // on disk; empty with Anonymous = 64 random hex digits
	Driver  string            `json:"driver,omitempty"`
	Options map[string]string `json:"options,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
	// Anonymous volumes are removed with their last container's `rm`.
	Anonymous bool   `json:"anonymous,omitempty"`
	Project   string `json:"project,omitempty"`
}

// Volume is a volume that exists.
type Volume struct {
	Spec
	Created time.Time `json:"created"`

	dir string
}

// Path is the directory that containers see.
func (v *Volume) Path() string { return filepath.Join(v.dir, dataDir) }

// Open names a store; the directory is made with the first volume.
func Open(root string) *Store { return &Store{root: root} }

// validName bounds what becomes a file name: docker's names for volumes, and ids of containers. It is no regular
// expression, since compiling one at start-up takes half a millisecond of every command.
func validName(name string) bool {
	const alnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return name != "" && len(name) <= 255 && strings.Contains(alnum, name[:1]) && strings.Trim(name, alnum+"_.-") == ""
}

// dir is the directory of a volume. The name is checked here, so that no method leaves the root.
func (s *Store) dir(name string) (string, error) {
	if !validName(name) {
		return "", fmt.Errorf("%q is not a volume's name: use letters, digits, '_', '.' and '-', and begin with a letter or digit", name)
	}
	return filepath.Join(s.root, name), nil
}

// Ensure returns the volume of that name, making it if needed. An existing volume with another driver or other options
// is an error: it would not be what the caller wants.
func (s *Store) Ensure(ctx context.Context, spec Spec) (*Volume, error) {
	if spec.Driver == "" {
		spec.Driver = localDriver
	}
	if spec.Driver != localDriver {
		return nil, fmt.Errorf("volume driver %q is not known; runfile has the driver local", spec.Driver)
	}
	if len(spec.Options) > 0 {
		return nil, fmt.Errorf("volume %q: the driver local does not take options yet (%s)", spec.Name,
			strings.Join(slices.Sorted(maps.Keys(spec.Options)), ", "))
	}
	if spec.Anonymous && spec.Name == "" {
		spec.Name = randomName()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	v, err := s.Get(ctx, spec.Name)
	if errors.Is(err, ErrNotFound) {
		v, err = s.create(ctx, spec)
	}
	if err != nil {
		return nil, err
	}
	if v.Driver != spec.Driver || !maps.Equal(v.Options, spec.Options) {
		return nil, fmt.Errorf("volume %q exists with driver %s and other options; remove it or choose another name", spec.Name, v.Driver)
	}
	return v, nil
}

func randomName() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// create makes the volume, unless somebody else has made it meanwhile. It is made beside its place and renamed there, so
// that nobody sees half of it.
func (s *Store) create(ctx context.Context, spec Spec) (*Volume, error) {
	dir, err := s.dir(spec.Name)
	if err != nil {
		return nil, err
	}
	lock, err := state.Lock(ctx, s.root+".lock")
	if err != nil {
		return nil, err
	}
	defer lock.Unlock()
	if v, err := s.Get(ctx, spec.Name); !errors.Is(err, ErrNotFound) {
		return v, err
	}
	if err := os.MkdirAll(s.root, 0o700); err != nil {
		return nil, fmt.Errorf("make volume %q: %w", spec.Name, err)
	}
	if err := s.sweep(); err != nil {
		return nil, fmt.Errorf("make volume %q: %w", spec.Name, err)
	}
	v := &Volume{Spec: spec, Created: time.Now().UTC(), dir: dir}
	tmp := filepath.Join(s.root, newPrefix+spec.Name)
	err = populate(tmp, v)
	if err == nil {
		_, err = s.hide(dir) // what an interrupted removal left
	}
	if err == nil {
		err = os.Rename(tmp, dir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make volume %q: %w", spec.Name, err), os.RemoveAll(tmp))
	}
	return v, nil
}

func populate(dir string, v *Volume) error {
	if err := os.Mkdir(dir, 0o701); err != nil {
		return err
	}
	// 0701: paths below work for users of the host that know them; nobody can list.
	if err := os.Chmod(dir, 0o701); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, refsDir), 0o700); err != nil {
		return err
	}
	data := filepath.Join(dir, dataDir)
	if err := os.Mkdir(data, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(data, 0o755); err != nil { // whatever the umask is
		return err
	}
	return state.WriteJSON(filepath.Join(dir, metaFile), v)
}

// Get returns a volume or ErrNotFound. One whose meta.json is lost or damaged is taken as made with all defaults: what it
// holds matters more.
func (s *Store) Get(_ context.Context, name string) (*Volume, error) {
	dir, err := s.dir(name)
	if err != nil {
		return nil, err
	}
	// A volume whose removal has begun is not there any more.
	info, err := os.Lstat(filepath.Join(dir, refsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	if err != nil {
		return nil, fmt.Errorf("volume %q: %w", name, err)
	}
	v, err := state.ReadJSON[Volume](filepath.Join(dir, metaFile))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, state.ErrCorrupt) {
		v, err = Volume{Spec: Spec{Driver: localDriver, Anonymous: isAnonymous(name)}, Created: info.ModTime()}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("volume %q: %w", name, err)
	}
	v.Name, v.dir = name, dir
	return &v, nil
}

// List returns all volumes, sorted by name. Volumes that are being made or removed are left out.
func (s *Store) List(ctx context.Context) ([]*Volume, error) {
	entries, err := os.ReadDir(s.root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var out []*Volume
	for _, e := range entries {
		if v, err := s.Get(ctx, e.Name()); err == nil {
			out = append(out, v)
		}
	}
	return out, nil
}

// AddRef notes that a container uses the volume. Again is no error. ErrNotFound: it was removed meanwhile.
func (s *Store) AddRef(name, containerID string) error {
	path, err := s.refPath(name, containerID)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	if err != nil {
		return fmt.Errorf("use volume %q: %w", name, err)
	}
	return f.Close()
}

func (s *Store) refPath(name, containerID string) (string, error) {
	dir, err := s.dir(name)
	if err != nil {
		return "", err
	}
	if !validName(containerID) {
		return "", fmt.Errorf("%q is not a container's id", containerID)
	}
	return filepath.Join(dir, refsDir, containerID), nil
}

// DropRef notes that a container no longer uses the volume, and reports whether it was the last one. A volume or
// reference that is gone is no error.
func (s *Store) DropRef(name, containerID string) (last bool, err error) {
	path, err := s.refPath(name, containerID)
	if err != nil {
		return false, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("volume %q: %w", name, err)
	}
	users, err := s.Refs(name)
	return len(users) == 0, err
}

// Refs returns the ids of the containers that use the volume, sorted; none for a volume that does not exist.
func (s *Store) Refs(name string) ([]string, error) {
	dir, err := s.dir(name)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Join(dir, refsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("volume %q: %w", name, err)
	}
	var users []string
	for _, e := range entries {
		users = append(users, e.Name())
	}
	return users, nil
}

// Remove deletes a volume with its content. ErrInUse while containers use it; a volume that does not exist is no error.
func (s *Store) Remove(ctx context.Context, name string) error {
	dir, err := s.dir(name)
	if err != nil {
		return err
	}
	gone, err := s.unlink(ctx, name, dir)
	if err == nil && gone != "" {
		err = os.RemoveAll(gone)
	}
	if err != nil && !errors.Is(err, ErrInUse) {
		return fmt.Errorf("remove volume %q: %w", name, err)
	}
	return err
}

// unlink gives the volume's name back and returns where its files are now, "" if there are none.
func (s *Store) unlink(ctx context.Context, name, dir string) (gone string, err error) {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	lock, err := state.Lock(ctx, s.root+".lock")
	if err != nil {
		return "", err
	}
	defer lock.Unlock()
	// From here on nobody can begin to use it: AddRef needs this directory.
	err = os.Remove(filepath.Join(dir, refsDir))
	switch {
	case errors.Is(err, syscall.ENOTEMPTY), errors.Is(err, syscall.EEXIST):
		return "", fmt.Errorf("%w: %s", ErrInUse, name)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	return s.hide(dir)
}

// hide renames the directory of a volume that has no refs. Deleting takes many steps; the name is free at once. The
// caller holds the lock.
func (s *Store) hide(dir string) (gone string, err error) {
	gone = filepath.Join(s.root, gonePrefix+randomName())
	err = os.Rename(dir, gone)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return gone, err
}

// sweep deletes what killed processes left half made or half deleted. The caller holds the lock, so nobody is making
// anything; what somebody is deleting just now may be deleted by two.
func (s *Store) sweep() error {
	entries, err := os.ReadDir(s.root)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), gonePrefix) || strings.HasPrefix(e.Name(), newPrefix) {
			errs = append(errs, os.RemoveAll(filepath.Join(s.root, e.Name())))
		}
	}
	return errors.Join(errs...)
}
