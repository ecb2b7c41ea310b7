package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/distribution/reference"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runfile/runfile/executor/state"
)

// ErrInUse says that containers need the image.
var ErrInUse = errors.New("image is in use")

// List returns the images of the store, each once, ordered by name. Images that are not unpacked have no Layers.
func (s *Store) List(ctx context.Context) ([]Image, error) {
	idx, err := s.readIndex()
	if err != nil {
		return nil, err
	}
	var list []Image
	seen := map[string]bool{}
	for _, desc := range idx.entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		img, _, err := s.inspect(desc, hostRequest())
		if err != nil || seen[img.Target] {
			continue // of another platform, or damaged; Ensure says which when it is wanted
		}
		seen[img.Target] = true
		names := idx.namesOf(img)
		name := ""
		if len(names) > 0 {
			name = names[0]
		}
		img.Name, img.Names = name, names
		list = append(list, *img)
	}
	return list, nil
}

// Get returns an image by a name, as docker completes it, or by the start of its id. ErrNotFound if there is none.
func (s *Store) Get(_ context.Context, nameOrID string) (*Image, error) {
	idx, err := s.readIndex()
	if err != nil {
		return nil, err
	}
	desc, _, err := s.find(idx, nameOrID)
	if err != nil {
		return nil, err
	}
	img, _, err := s.inspect(desc, hostRequest())
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", nameOrID, err)
	}
	return img.named(nameOf(desc), idx), nil
}

// find returns the entry that a name or an id stands for.
func (s *Store) find(idx *index, nameOrID string) (desc v1.Descriptor, byName bool, err error) {
	if desc, ok := idx.byName[nameOrID]; ok {
		return desc, true, nil
	}
	if named, err := reference.ParseDockerRef(nameOrID); err == nil {
		if desc, ok := idx.byName[named.String()]; ok {
			return desc, true, nil
		}
	}
	desc, err = s.byID(idx, nameOrID)
	return desc, false, err
}

// Remove takes a name away from its image, or with an id all names. An image without a name goes, unless a container
// uses it (ErrInUse, and nothing is changed). ErrNotFound if there is none.
func (s *Store) Remove(ctx context.Context, nameOrID string) error {
	idx, err := s.readIndex()
	if err != nil {
		return err
	}
	target, byName, err := s.find(idx, nameOrID)
	if err != nil {
		return err
	}
	goes := func(d v1.Descriptor) bool {
		return d.Digest == target.Digest && (!byName || nameOf(d) == nameOf(target))
	}
	left := slices.ContainsFunc(idx.entries, func(d v1.Descriptor) bool { return d.Digest == target.Digest && !goes(d) })
	if !left {
		users, err := s.usersOf(target)
		if err != nil {
			return err
		}
		if len(users) > 0 {
			return fmt.Errorf("%w: %s, by container %s", ErrInUse, nameOrID, strings.Join(users, ", "))
		}
	}
	if _, err := s.updateIndex(ctx, func(list []v1.Descriptor) []v1.Descriptor { return slices.DeleteFunc(list, goes) }); err != nil {
		return err
	}
	lock, err := state.TryLock(s.lockPath("gc"))
	if errors.Is(err, state.ErrLocked) {
		return nil // something is being pulled; the next Prune frees the space
	}
	if err != nil {
		return err
	}
	defer lock.Unlock()
	return s.sweep(ctx)
}

// Prune deletes everything that no name and no container needs: blobs, unpacked layers, and what killed processes left.
// It waits for pulls that are under way.
func (s *Store) Prune(ctx context.Context) error {
	if _, err := os.Lstat(s.images); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	lock, err := state.Lock(ctx, s.lockPath("gc"))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	return s.sweep(ctx)
}

// imageRef is REFS/<container>.
type imageRef struct {
	Target v1.Descriptor `json:"target"`
	Layers []string      `json:"layers"` // base names in the layers directory
}

// AddRef notes that a container uses the image, so that it is not removed before DropRef. ErrNotFound says that it has
// just been removed, and has to be ensured again.
func (s *Store) AddRef(ctx context.Context, containerID string, img *Image) error {
	path, err := s.refPath(containerID)
	if err != nil {
		return err
	}
	lock, err := lockShared(ctx, s.lockPath("gc"))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	idx, err := s.readIndex()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(idx.entries, func(d v1.Descriptor) bool { return d.Digest.String() == img.Target })
	if i < 0 {
		return fmt.Errorf("%w: %s", ErrNotFound, img.Name)
	}
	ref := imageRef{Target: idx.entries[i]}
	ref.Target.Annotations = nil
	for _, dir := range img.Layers {
		if _, err := os.Lstat(dir); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrNotFound, img.Name, err)
		}
		ref.Layers = append(ref.Layers, filepath.Base(filepath.Dir(dir)))
	}
	return state.WriteJSON(path, ref)
}

func (s *Store) refPath(containerID string) (string, error) {
	if containerID == "" || strings.Trim(strings.ToLower(containerID), "0123456789abcdefghijklmnopqrstuvwxyz_-") != "" {
		return "", fmt.Errorf("%q is not a container's id", containerID)
	}
	return filepath.Join(s.images, refsDir, containerID), nil
}

// DropRef ends AddRef. It is no error if there is no such reference.
func (s *Store) DropRef(containerID string) error {
	path, err := s.refPath(containerID)
	if err != nil {
		return err
	}
	return ignoreNotFound(os.Remove(path))
}

// refs returns what containers use, by container.
func (s *Store) refs() (map[string]imageRef, error) {
	entries, err := os.ReadDir(filepath.Join(s.images, refsDir))
	if err != nil {
		return nil, ignoreNotFound(err)
	}
	refs := map[string]imageRef{}
	for _, e := range entries {
		if strings.Contains(e.Name(), ".") {
			continue // being written, or set aside as damaged
		}
		ref, err := state.ReadJSON[imageRef](filepath.Join(s.images, refsDir, e.Name()))
		if err != nil && !isNotFound(err) {
			return nil, err // better to keep too much than to take a container's files away
		}
		refs[e.Name()] = ref
	}
	return refs, nil
}

func (s *Store) usersOf(desc v1.Descriptor) ([]string, error) {
	refs, err := s.refs()
	if err != nil {
		return nil, err
	}
	var users []string
	for container, ref := range refs {
		if ref.Target.Digest == desc.Digest {
			users = append(users, container[:min(12, len(container))])
		}
	}
	slices.Sort(users)
	return users, nil
}

// sweep deletes what is not reachable. The caller holds the gc lock alone.
func (s *Store) sweep(ctx context.Context) error {
	blobs, layers, err := s.mark()
	if err != nil {
		return err
	}
	s.mu.Lock()
	clear(s.loaded)
	s.mu.Unlock()
	var errs []error
	for _, algorithm := range []string{"sha256", "sha512"} {
		dir := filepath.Join(s.images, v1.ImageBlobsDir, algorithm)
		errs = append(errs, sweepDir(ctx, dir, func(name string) bool { return blobs[algorithm+":"+name] }))
	}
	nothing := func(string) bool { return false }
	errs = append(errs,
		s.hideLayers(func(name string) bool { return layers[name] || name == locksDir || isTemporary(name) }),
		sweepDir(ctx, s.layers, func(name string) bool { return !isTemporary(name) }),
		// Whoever held these locks or wrote to these files has ended: the gc lock is ours alone.
		sweepDir(ctx, filepath.Join(s.layers, locksDir), nothing),
		sweepDir(ctx, filepath.Join(s.images, locksDir), func(name string) bool { return name == "gc" || name == "index" }),
		sweepDir(ctx, filepath.Join(s.images, "ingest"), nothing),
		sweepDir(ctx, filepath.Join(s.images, tmpDir), nothing))
	return errors.Join(errs...)
}

// hideLayers renames the layers that are not kept. Deleting takes many steps, and a layer that is only partly there must
// not be taken for whole after a crash.
func (s *Store) hideLayers(keep func(name string) bool) error {
	entries, err := os.ReadDir(s.layers)
	if err != nil {
		return ignoreNotFound(err)
	}
	var errs []error
	for _, e := range entries {
		if !keep(e.Name()) {
			errs = append(errs, os.Rename(filepath.Join(s.layers, e.Name()), filepath.Join(s.layers, tmpPrefix+"old-"+e.Name())))
		}
	}
	return errors.Join(errs...)
}

// mark finds the blobs ("sha256:...") and layer directories that names and containers need.
func (s *Store) mark() (blobs, layers map[string]bool, err error) {
	idx, err := s.readIndex()
	if err != nil {
		return nil, nil, err
	}
	if idx.damaged {
		return nil, nil, fmt.Errorf("%s is damaged: nothing is deleted, because it cannot be told what is needed", s.indexPath())
	}
	refs, err := s.refs()
	if err != nil {
		return nil, nil, err
	}
	blobs, layers = map[string]bool{}, map[string]bool{}
	roots := slices.Clone(idx.entries)
	for _, ref := range refs {
		roots = append(roots, ref.Target)
		for _, name := range ref.Layers {
			layers[name] = true
		}
	}
	for _, desc := range roots {
		s.markTree(desc, blobs, layers, 0)
	}
	return blobs, layers, nil
}

// markTree marks a blob and what it refers to, of all platforms that are there. What cannot be read has nothing below.
func (s *Store) markTree(desc v1.Descriptor, blobs, layers map[string]bool, depth int) {
	if blobs[desc.Digest.String()] || depth > 4 {
		return
	}
	blobs[desc.Digest.String()] = true
	all := hostRequest()
	switch {
	case images.IsIndexType(desc.MediaType):
		var idx v1.Index
		if all.readJSON(desc, s.readBlob, &idx) == nil {
			for _, child := range idx.Manifests {
				s.markTree(child, blobs, layers, depth+1)
			}
		}
	case images.IsManifestType(desc.MediaType):
		doc, err := all.readManifest(desc, s.readBlob)
		if err != nil {
			return
		}
		blobs[doc.configID.String()] = true
		for i, layer := range doc.layers {
			blobs[layer.Digest.String()] = true
			layers[doc.chains[i].Encoded()] = true
		}
	}
}

// sweepDir deletes the entries of a directory that are not kept.
func sweepDir(ctx context.Context, dir string, keep func(name string) bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ignoreNotFound(err)
	}
	var errs []error
	for _, e := range entries {
		if keep(e.Name()) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return errors.Join(append(errs, err)...)
		}
		errs = append(errs, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return errors.Join(errs...)
}
