// Package volume keeps named and anonymous volumes: directories that outlive containers
// (spec/options-network-storage-images.md B1 and B9).
//
// A volume NAME is the directory ROOT/NAME (0701) with _data (what containers see), meta.json (what it was made with) and
// refs (an empty file for each container that uses it). There is no index and no lock on the store: making is a rename,
// removing begins with the removal of refs, which fails as long as a container is in it, and using adds a file to refs,
// which fails once refs is gone. Only copy-up takes a lock, since two containers may start together on a new volume.
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
	"time"

	cfs "github.com/containerd/continuity/fs"

	"github.com/runfile/runfile/executor/state"
)

// The errors of the store.
var (
	// ErrInUse: a container uses the volume.
	ErrInUse = errors.New("volume is in use")
	// ErrNotFound: there is no volume of that name.
	ErrNotFound = errors.New("no such volume")
)

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
func (v *Volume) Path() string { return filepath.Join(v.dir, "_data") }

// Open names a store; the directory is made with the first volume.
func Open(root string) *Store { return &Store{root: root} }

func (s *Store) dir(name string) string { return filepath.Join(s.root, name) }

// Ensure returns the volume of that name, making it if needed. An existing volume with another driver or other options
// is an error: it would not be what the caller wants.
func (s *Store) Ensure(ctx context.Context, spec Spec) (*Volume, error) {
	if spec.Driver == "" {
		spec.Driver = "local"
	}
	if spec.Driver != "local" {
		return nil, fmt.Errorf("volume driver %q is not known; runfile has the driver local", spec.Driver)
	}
	if len(spec.Options) > 0 {
		return nil, fmt.Errorf("volume %q: runfile does not honour driver options yet (got %s)", spec.Name, slices.Sorted(maps.Keys(spec.Options))[0])
	}
	if spec.Anonymous && spec.Name == "" {
		spec.Name = randomName()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	v, err := s.Get(ctx, spec.Name)
	if errors.Is(err, ErrNotFound) {
		v, err = s.create(spec)
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

// create makes the volume beside its place and renames it there, so that nobody sees half of it.
func (s *Store) create(spec Spec) (*Volume, error) {
	if !filepath.IsLocal(spec.Name) || filepath.Base(spec.Name) != spec.Name {
		return nil, fmt.Errorf("%q is not a volume's name", spec.Name)
	}
	if err := os.MkdirAll(s.root, 0o711); err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp(s.root, ".new-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	v := &Volume{Spec: spec, Created: time.Now().UTC(), dir: s.dir(spec.Name)}
	if err := populate(tmp, v); err != nil {
		return nil, fmt.Errorf("make volume %q: %w", spec.Name, err)
	}
	if err := os.Rename(tmp, v.dir); err != nil {
		if _, statErr := os.Stat(v.dir); statErr == nil { // somebody else was faster
			return s.Get(context.Background(), spec.Name) //nolint:forbidigo // reads one small file
		}
		return nil, err
	}
	return v, nil
}

func populate(dir string, v *Volume) error {
	// 0701: paths below work for users of the host that know them; nobody can list.
	if err := os.Chmod(dir, 0o701); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "refs"), 0o700); err != nil {
		return err
	}
	data := filepath.Join(dir, "_data")
	if err := os.Mkdir(data, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(data, 0o755); err != nil { // whatever the umask is
		return err
	}
	return state.WriteJSON(filepath.Join(dir, "meta.json"), v)
}

// Get returns a volume or ErrNotFound.
func (s *Store) Get(_ context.Context, name string) (*Volume, error) {
	v, err := state.ReadJSON[Volume](filepath.Join(s.dir(name), "meta.json"))
	switch {
	case errors.Is(err, fs.ErrNotExist) || name == "":
		return nil, fmt.Errorf("%w: %s", ErrNotFound, name)
	case err != nil:
		return nil, fmt.Errorf("volume %q: %w", name, err)
	}
	v.dir = s.dir(name)
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

// CopyUp fills an empty volume with what the image has at its place, owner, mode, times and extended attributes of the
// directory itself included (spec B1.4). A volume that holds anything is left alone. After a crash in the middle the
// next call begins again.
func (s *Store) CopyUp(ctx context.Context, v *Volume, from string) error {
	lock, err := state.Lock(ctx, filepath.Join(v.dir, "lock"))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	marker := filepath.Join(v.dir, "copying")
	_, err = os.Stat(marker)
	interrupted := err == nil
	entries, err := os.ReadDir(v.Path())
	if err != nil {
		return err
	}
	if len(entries) > 0 && !interrupted {
		return nil
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(v.Path(), e.Name())); err != nil {
			return err
		}
	}
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		return err
	}
	if err := cfs.CopyDir(v.Path(), from); err != nil {
		return fmt.Errorf("copy the image's files into volume %q: %w", v.Name, err)
	}
	return os.Remove(marker)
}

// AddRef notes that a container uses the volume. Again is no error. ErrNotFound: it was removed meanwhile.
func (s *Store) AddRef(name, containerID string) error {
	f, err := os.OpenFile(filepath.Join(s.dir(name), "refs", containerID), os.O_CREATE|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// DropRef notes that a container no longer uses the volume, and reports whether it was the last one. A volume or
// reference that is gone is no error.
func (s *Store) DropRef(name, containerID string) (last bool, err error) {
	refs := filepath.Join(s.dir(name), "refs")
	if err := os.Remove(filepath.Join(refs, containerID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	entries, err := os.ReadDir(refs)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return len(entries) == 0, err
}

// Remove deletes a volume with its content. ErrInUse while containers use it; a volume that does not exist is no error.
func (s *Store) Remove(_ context.Context, name string) error {
	if name == "" {
		return nil
	}
	// From here on nobody can begin to use it: AddRef needs this directory.
	err := os.Remove(filepath.Join(s.dir(name), "refs"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s", ErrInUse, name)
	}
	gone := filepath.Join(s.root, ".gone-"+randomName())
	if err := os.Rename(s.dir(name), gone); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return os.RemoveAll(gone)
}
