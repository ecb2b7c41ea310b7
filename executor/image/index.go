package image

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	specs "github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runfile/runfile/executor/state"
)

// Annotations of the entries of index.json besides org.opencontainers.image.ref.name.
const (
	annotationImageName = "io.containerd.image.name" // the full name, where containerd's tools look for it
	annotationSource    = "io.runfile.image.source"  // fingerprint of the file that was imported
)

// index is index.json as read at one time. It is never changed.
type index struct {
	stamp   string // fingerprint of the file; "" = there is none
	damaged bool
	entries []v1.Descriptor
	byName  map[string]v1.Descriptor
}

func (idx *index) namesOf(img *Image) []string {
	var names []string
	for name, desc := range idx.byName {
		if d := desc.Digest.String(); d == img.Target || d == img.Manifest {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func nameOf(desc v1.Descriptor) string { return desc.Annotations[v1.AnnotationRefName] }

func (s *Store) indexPath() string { return filepath.Join(s.images, v1.ImageIndexFile) }

// readIndex returns the current index. While the file stays the same it is read once.
func (s *Store) readIndex() (*index, error) {
	info, err := os.Stat(s.indexPath())
	if errors.Is(err, fs.ErrNotExist) {
		return newIndex("", nil), nil
	}
	if err != nil {
		return nil, fmt.Errorf("image store: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if stamp := fingerprint(info); s.index == nil || s.index.stamp != stamp {
		data, err := os.ReadFile(s.indexPath())
		if err != nil {
			return nil, fmt.Errorf("image store: %w", err)
		}
		var file v1.Index
		if json.Unmarshal(data, &file) != nil {
			return &index{damaged: true}, nil // names are lost; the next who writes sets the file aside
		}
		// A newer file than the one looked at may have been read; then the stamp does not fit and it is read again.
		s.index = newIndex(stamp, file.Manifests)
	}
	return s.index, nil
}

func newIndex(stamp string, entries []v1.Descriptor) *index {
	idx := &index{stamp: stamp, entries: entries, byName: make(map[string]v1.Descriptor, len(entries))}
	for _, desc := range entries {
		if name := nameOf(desc); name != "" {
			idx.byName[name] = desc
		}
	}
	return idx
}

// updateIndex replaces the entries of index.json by what change makes of them.
func (s *Store) updateIndex(ctx context.Context, change func([]v1.Descriptor) []v1.Descriptor) (*index, error) {
	lock, err := state.Lock(ctx, s.lockPath("index"))
	if err != nil {
		return nil, err
	}
	defer lock.Unlock()
	file, err := state.ReadJSON[v1.Index](s.indexPath())
	// A damaged index is set aside by ReadJSON: names are lost, and everything can be pulled again.
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, state.ErrCorrupt) {
		return nil, err
	}
	file.Versioned = specs.Versioned{SchemaVersion: 2}
	file.MediaType = v1.MediaTypeImageIndex
	file.Manifests = change(file.Manifests)
	slices.SortStableFunc(file.Manifests, func(a, b v1.Descriptor) int { return cmp.Compare(nameOf(a), nameOf(b)) })
	if file.Manifests == nil {
		file.Manifests = []v1.Descriptor{} // the specification wants an array
	}
	if err := state.WriteJSON(s.indexPath(), file); err != nil {
		return nil, err
	}
	return newIndex("", file.Manifests), nil
}

// setName makes the name stand for the image, and for no other.
func (s *Store) setName(ctx context.Context, name string, desc v1.Descriptor, source string) (*index, error) {
	desc = v1.Descriptor{
		MediaType: desc.MediaType, Digest: desc.Digest, Size: desc.Size, Platform: desc.Platform,
		Annotations: map[string]string{v1.AnnotationRefName: name, annotationImageName: name},
	}
	if source != "" {
		desc.Annotations[annotationSource] = source
	}
	return s.updateIndex(ctx, func(entries []v1.Descriptor) []v1.Descriptor {
		entries = slices.DeleteFunc(entries, func(d v1.Descriptor) bool { return nameOf(d) == name })
		return append(entries, desc)
	})
}

// byID finds an image by the digest of its configuration or manifest, or by the start of one: "sha256:12ab", "12ab".
func (s *Store) byID(idx *index, id string) (v1.Descriptor, error) {
	hex := strings.TrimPrefix(id, "sha256:")
	if len(hex) < 2 || len(hex) > 64 || strings.Trim(hex, "0123456789abcdef") != "" {
		return v1.Descriptor{}, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	var found v1.Descriptor
	var foundID string
	for _, desc := range idx.entries {
		img, _, err := s.inspect(desc, hostRequest())
		if err != nil {
			continue
		}
		for _, d := range []string{img.ID, img.Manifest, img.Target} {
			if !strings.HasPrefix(strings.TrimPrefix(d, "sha256:"), hex) {
				continue
			}
			if foundID != "" && foundID != img.ID {
				return v1.Descriptor{}, fmt.Errorf("image id %s is ambiguous: it starts %s and %s", id, foundID, img.ID)
			}
			found, foundID = desc, img.ID
			break
		}
	}
	if foundID == "" {
		return v1.Descriptor{}, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	return found, nil
}
