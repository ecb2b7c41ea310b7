package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// errIncomplete says that something of an image is not in the store (any more).
var errIncomplete = errors.New("the image is not complete")

// platformError says that the store has the image, but not for the platform that was asked for.
type platformError struct{ text, platform string }

func (e *platformError) Error() string {
	return fmt.Sprintf("image with reference %s was found but does not provide the specified platform (%s)", e.text, e.platform)
}

// maxDocument bounds manifests, indexes and configurations; real ones have some kilobytes.
const maxDocument = 8 << 20

// document is an image's manifest and configuration.
type document struct {
	manifest v1.Descriptor
	configID digest.Digest
	config   configFile
	layers   []v1.Descriptor
	chains   []digest.Digest // of layers
}

// configFile is an image configuration as docker writes it.
type configFile struct {
	Created *time.Time `json:"created"`
	v1.Platform
	Config Config    `json:"config"`
	RootFS v1.RootFS `json:"rootfs"`
}

// blobPath is where a blob lies in the layout. It refuses digests that are no file names.
func (s *Store) blobPath(d digest.Digest) (string, error) {
	if err := d.Validate(); err != nil {
		return "", fmt.Errorf("blob %q: %w", d, err)
	}
	return filepath.Join(s.images, v1.ImageBlobsDir, d.Algorithm().String(), d.Encoded()), nil
}

// readBlob returns a small blob. One that does not have its digest is removed, so that it can be fetched again.
func (s *Store) readBlob(desc v1.Descriptor) ([]byte, error) {
	path, err := s.blobPath(desc.Digest)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s is missing", errIncomplete, desc.Digest)
	}
	if err != nil {
		return nil, fmt.Errorf("image store: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("image store: %w", err)
	}
	if len(data) > maxDocument {
		return nil, fmt.Errorf("image store: %s is too big for a manifest or configuration", desc.Digest)
	}
	if desc.Digest.Algorithm().FromBytes(data) != desc.Digest {
		_ = os.Remove(path) // if it stays, the next reader says the same
		return nil, fmt.Errorf("%w: %s was damaged", errIncomplete, desc.Digest)
	}
	return data, nil
}

// read follows a descriptor of a manifest or an index down to the configuration for the request's platform. get returns
// the content of a small blob.
func (r *request) read(desc v1.Descriptor, get func(v1.Descriptor) ([]byte, error)) (*document, error) {
	for depth := 0; images.IsIndexType(desc.MediaType); depth++ {
		if depth == 3 {
			return nil, fmt.Errorf("image %s: indexes are nested too deeply", r.text)
		}
		var idx v1.Index
		if err := r.readJSON(desc, get, &idx); err != nil {
			return nil, err
		}
		var err error
		if desc, err = r.choose(idx.Manifests); err != nil {
			return nil, err
		}
	}
	if !images.IsManifestType(desc.MediaType) {
		return nil, fmt.Errorf("image %s: %s is of type %q, which is no image that can be run", r.text, desc.Digest, desc.MediaType)
	}
	return r.readManifest(desc, get)
}

func (r *request) readJSON(desc v1.Descriptor, get func(v1.Descriptor) ([]byte, error), v any) error {
	data, err := get(desc)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("image %s: %s: %w", r.text, desc.Digest, err)
	}
	return nil
}

func (r *request) readManifest(desc v1.Descriptor, get func(v1.Descriptor) ([]byte, error)) (*document, error) {
	var m v1.Manifest
	if err := r.readJSON(desc, get, &m); err != nil {
		return nil, err
	}
	if !images.IsConfigType(m.Config.MediaType) {
		return nil, fmt.Errorf("image %s is no container image: its configuration is of type %q", r.text, m.Config.MediaType)
	}
	d := &document{manifest: desc, configID: m.Config.Digest, layers: m.Layers}
	if err := r.readJSON(m.Config, get, &d.config); err != nil {
		return nil, err
	}
	if len(d.config.RootFS.DiffIDs) != len(m.Layers) {
		return nil, fmt.Errorf("image %s: its configuration lists %d layers, its manifest %d",
			r.text, len(d.config.RootFS.DiffIDs), len(m.Layers))
	}
	for _, id := range d.config.RootFS.DiffIDs {
		if err := id.Validate(); err != nil {
			return nil, fmt.Errorf("image %s: layer %q: %w", r.text, id, err)
		}
	}
	// A single manifest is what it is; only a platform that was asked for by name is insisted on, as docker does.
	if r.platform != "" && !r.matcher.Match(platforms.Normalize(d.config.Platform)) {
		return nil, &platformError{r.text, r.platform}
	}
	d.chains = identity.ChainIDs(slices.Clone(d.config.RootFS.DiffIDs))
	return d, nil
}

// choose picks the manifest of an index that fits the request's platform best.
func (r *request) choose(list []v1.Descriptor) (v1.Descriptor, error) {
	var fit []v1.Descriptor
	for _, desc := range list {
		if desc.Annotations["vnd.docker.reference.type"] != "" {
			continue // an attestation about another manifest
		}
		if desc.Platform == nil || r.matcher.Match(platforms.Normalize(*desc.Platform)) {
			fit = append(fit, desc)
		}
	}
	if len(fit) == 0 {
		platform := r.platform
		if platform == "" {
			platform = platforms.Format(platforms.DefaultSpec())
		}
		return v1.Descriptor{}, &platformError{r.text, platform}
	}
	slices.SortStableFunc(fit, func(a, b v1.Descriptor) int {
		switch {
		case a.Platform == nil || b.Platform == nil:
			return boolCompare(a.Platform == nil, b.Platform == nil)
		case r.matcher.Less(*a.Platform, *b.Platform):
			return -1
		case r.matcher.Less(*b.Platform, *a.Platform):
			return 1
		default:
			return 0
		}
	})
	return fit[0], nil
}

// boolCompare orders false before true.
func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// load returns the image of a descriptor if all its layers are unpacked, else errIncomplete.
func (s *Store) load(desc v1.Descriptor, r *request) (*Image, error) {
	key := desc.Digest.String() + " " + r.platform
	s.mu.Lock()
	img := s.loaded[key]
	s.mu.Unlock()
	if img != nil {
		for _, dir := range img.Layers {
			if _, err := os.Lstat(dir); err != nil {
				return nil, errIncomplete // pruned by another process
			}
		}
		return img, nil
	}
	img, unpacked, err := s.inspect(desc, r)
	if err != nil {
		return nil, err
	}
	if !unpacked {
		return nil, errIncomplete
	}
	s.mu.Lock()
	s.loaded[key] = img
	s.mu.Unlock()
	return img, nil
}

// inspect describes the image of a descriptor, unpacked or not. If a layer is not unpacked, Layers is nil and Size that
// of the compressed layers.
func (s *Store) inspect(desc v1.Descriptor, r *request) (img *Image, unpacked bool, err error) {
	d, err := r.read(desc, s.readBlob)
	if err != nil {
		return nil, false, err
	}
	img = &Image{
		ID: d.configID.String(), Manifest: d.manifest.Digest.String(), Target: desc.Digest.String(),
		Config: d.config.Config, Platform: platforms.Format(platforms.Normalize(d.config.Platform)),
	}
	if d.config.Created != nil {
		img.Created = *d.config.Created
	}
	for _, chain := range d.chains {
		info, err := s.readLayer(chain)
		if err != nil {
			img.Layers, img.Size = nil, 0
			for _, layer := range d.layers {
				img.Size += layer.Size
			}
			return img, false, nil
		}
		img.Layers = append(img.Layers, s.layerRoot(chain))
		img.Size += info.Size
	}
	return img, true, nil
}

// hostRequest is a request for whatever fits this host, for looking at images without wanting a certain one.
func hostRequest() *request {
	return &request{text: "in the store", policy: policyNever, matcher: platforms.Only(platforms.DefaultSpec())}
}
