package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// importer copies an image from a file or directory into the store.
type importer struct {
	store  *Store
	blobs  content.Store
	req    *request
	src    source
	report func(Progress)
}

// importLocal brings the blobs of an image on disk into the store. Nothing in the source is trusted: contents have to
// have the digests they are listed under, and names have no meaning but within the source.
func (s *Store) importLocal(ctx context.Context, r *request, report func(Progress)) (v1.Descriptor, error) {
	blobs, err := s.content()
	if err != nil {
		return v1.Descriptor{}, fmt.Errorf("image store: %w", err)
	}
	report(Progress{Detail: "importing"})
	im := &importer{store: s, blobs: blobs, req: r, report: report}
	if r.scheme == schemeOCI {
		var root *os.Root
		if root, err = os.OpenRoot(r.path); err == nil {
			im.src = layoutDir{root}
		}
	} else {
		im.src, err = openTar(r.path, filepath.Join(s.images, tmpDir))
	}
	if err != nil {
		return v1.Descriptor{}, fmt.Errorf("image %s: %w", r.text, err)
	}
	defer im.src.Close()
	var desc v1.Descriptor
	if r.scheme == schemeDockerArchive {
		desc, err = im.dockerArchive(ctx)
	} else {
		desc, err = im.layout(ctx)
	}
	var platform *platformError
	if err != nil && !errors.As(err, &platform) {
		return desc, fmt.Errorf("image %s: %w", r.text, err)
	}
	return desc, err
}

// layout imports from an OCI image layout.
func (im *importer) layout(ctx context.Context) (v1.Descriptor, error) {
	var version v1.ImageLayout
	if err := im.readJSON(v1.ImageLayoutFile, &version); err != nil {
		return v1.Descriptor{}, fmt.Errorf("not an OCI image layout: %w", err)
	}
	if version.Version != v1.ImageLayoutVersion {
		return v1.Descriptor{}, fmt.Errorf("OCI image layout of version %q; only %s is known", version.Version, v1.ImageLayoutVersion)
	}
	var idx v1.Index
	if err := im.readJSON(v1.ImageIndexFile, &idx); err != nil {
		return v1.Descriptor{}, err
	}
	desc, err := im.pick(idx.Manifests)
	if err != nil {
		return desc, err
	}
	doc, err := im.req.read(desc, func(d v1.Descriptor) ([]byte, error) {
		if err := im.copyBlob(ctx, d); err != nil {
			return nil, err
		}
		return im.store.readBlob(d)
	})
	if err != nil {
		return desc, err
	}
	for i, layer := range doc.layers {
		im.report(Progress{Detail: fmt.Sprintf("importing layer %d of %d", i+1, len(doc.layers))})
		if err := im.copyBlob(ctx, layer); err != nil {
			return desc, err
		}
	}
	return desc, nil
}

// pick finds the image that the reference names, or the only one.
func (im *importer) pick(list []v1.Descriptor) (v1.Descriptor, error) {
	want := im.req.inner
	var found, all []v1.Descriptor
	var names []string
	for _, desc := range list {
		if desc.Annotations["vnd.docker.reference.type"] != "" {
			continue
		}
		all = append(all, desc)
		name := nameOf(desc)
		names = append(names, name)
		full := desc.Annotations[annotationImageName]
		if name == want || full == want || strings.HasSuffix(full, ":"+want) || strings.HasSuffix(name, ":"+want) {
			found = append(found, desc)
		}
	}
	if want == "" {
		found = all
	}
	found = slices.CompactFunc(found, func(a, b v1.Descriptor) bool { return a.Digest == b.Digest })
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return v1.Descriptor{}, fmt.Errorf("no image %q in it; there %s", want, listNames(names))
	case !slices.ContainsFunc(found, func(d v1.Descriptor) bool { return d.Platform == nil }):
		return im.req.choose(found) // one image, for several platforms
	default:
		return v1.Descriptor{}, fmt.Errorf("it holds several images: name one of them; there %s", listNames(names))
	}
}

func listNames(names []string) string {
	names = slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == "" })
	slices.Sort(names)
	names = slices.Compact(names)
	switch len(names) {
	case 0:
		return "are no names"
	case 1:
		return "is " + names[0]
	default:
		return "are " + strings.Join(names, ", ")
	}
}

// dockerManifest is an entry of manifest.json in a docker-archive.
type dockerManifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// dockerArchive imports what docker save wrote. The archive has no manifests as registries know them, so one is made.
func (im *importer) dockerArchive(ctx context.Context) (v1.Descriptor, error) {
	var list []dockerManifest
	if err := im.readJSON("manifest.json", &list); err != nil {
		return v1.Descriptor{}, fmt.Errorf("not a docker archive: %w", err)
	}
	entry, err := im.pickDocker(list)
	if err != nil {
		return v1.Descriptor{}, err
	}
	config, err := im.readSmall(entry.Config)
	if err != nil {
		return v1.Descriptor{}, err
	}
	m := v1.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest}
	if m.Config, err = im.put(ctx, v1.MediaTypeImageConfig, config); err != nil {
		return v1.Descriptor{}, err
	}
	m.Layers = []v1.Descriptor{}
	for i, name := range entry.Layers {
		im.report(Progress{Detail: fmt.Sprintf("importing layer %d of %d", i+1, len(entry.Layers))})
		layer, err := im.putLayer(ctx, name)
		if err != nil {
			return v1.Descriptor{}, fmt.Errorf("%s: %w", name, err)
		}
		m.Layers = append(m.Layers, layer)
	}
	data, err := json.Marshal(m)
	if err != nil {
		return v1.Descriptor{}, err
	}
	desc, err := im.put(ctx, v1.MediaTypeImageManifest, data)
	if err != nil {
		return desc, err
	}
	_, err = im.req.read(desc, im.store.readBlob)
	return desc, err
}

func (im *importer) pickDocker(list []dockerManifest) (dockerManifest, error) {
	var tags []string
	for _, e := range list {
		tags = append(tags, e.RepoTags...)
		if im.req.inner != "" && slices.ContainsFunc(e.RepoTags, func(tag string) bool { return sameReference(tag, im.req.inner) }) {
			return e, nil
		}
	}
	switch {
	case im.req.inner != "":
		return dockerManifest{}, fmt.Errorf("no image %q in it; there %s", im.req.inner, listNames(tags))
	case len(list) == 0:
		return dockerManifest{}, errors.New("no image in it")
	case slices.ContainsFunc(list, func(e dockerManifest) bool { return e.Config != list[0].Config }):
		return dockerManifest{}, fmt.Errorf("it holds several images: name one of them; there %s", listNames(tags))
	default:
		return list[0], nil
	}
}

// sameReference compares two references as docker understands them: "busybox" is "docker.io/library/busybox:latest".
func sameReference(a, b string) bool {
	x, errX := reference.ParseDockerRef(a)
	y, errY := reference.ParseDockerRef(b)
	return a == b || (errX == nil && errY == nil && x.String() == y.String())
}

func (im *importer) readSmall(name string) ([]byte, error) {
	f, err := im.src.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err == nil && len(data) > maxDocument {
		err = fmt.Errorf("%s is too big", name)
	}
	return data, err
}

func (im *importer) readJSON(name string, v any) error {
	data, err := im.readSmall(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// copyBlob copies a blob of a layout that is not in the store yet.
func (im *importer) copyBlob(ctx context.Context, desc v1.Descriptor) error {
	if err := desc.Digest.Validate(); err != nil {
		return fmt.Errorf("blob %q: %w", desc.Digest, err)
	}
	if _, err := im.blobs.Info(ctx, desc.Digest); err == nil {
		return nil
	}
	f, err := im.src.open(path.Join(v1.ImageBlobsDir, desc.Digest.Algorithm().String(), desc.Digest.Encoded()))
	if err != nil {
		return err
	}
	defer f.Close()
	return im.write(ctx, contextReader{ctx, f}, v1.Descriptor{Digest: desc.Digest, Size: desc.Size})
}

// put stores a small blob.
func (im *importer) put(ctx context.Context, mediaType string, data []byte) (v1.Descriptor, error) {
	desc := v1.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	return desc, im.write(ctx, bytes.NewReader(data), desc)
}

// putLayer stores a layer file, whose digest is only known afterwards.
func (im *importer) putLayer(ctx context.Context, name string) (v1.Descriptor, error) {
	f, err := im.src.open(name)
	if err != nil {
		return v1.Descriptor{}, err
	}
	defer f.Close()
	sum := digest.Canonical.Digester()
	var head headWriter
	size := int64(0)
	in := io.TeeReader(contextReader{ctx, f}, io.MultiWriter(sum.Hash(), &head, (*countWriter)(&size)))
	if err := im.write(ctx, in, v1.Descriptor{}); err != nil {
		return v1.Descriptor{}, err
	}
	media := v1.MediaTypeImageLayer
	switch compression.DetectCompression(head) {
	case compression.Gzip:
		media = v1.MediaTypeImageLayerGzip
	case compression.Zstd:
		media = v1.MediaTypeImageLayerZstd
	case compression.Uncompressed, compression.Unknown:
	}
	return v1.Descriptor{MediaType: media, Digest: sum.Digest(), Size: size}, nil
}

// write stores a blob. The ingest's name is ours alone, by the lock on the request's name; what a killed import left
// under it may be of an earlier version of the file and is dropped.
func (im *importer) write(ctx context.Context, r io.Reader, desc v1.Descriptor) error {
	ref := "import-" + shortHash(im.req.key())
	if err := im.blobs.Abort(ctx, ref); err != nil && !isNotFound(err) {
		return fmt.Errorf("image store: %w", err)
	}
	if err := content.WriteBlob(ctx, im.blobs, ref, r, desc); err != nil {
		return errors.Join(fmt.Errorf("store %s: %w", desc.Digest, err), ignoreNotFound(im.blobs.Abort(ctx, ref)))
	}
	return nil
}

// contextReader ends a long copy when ctx does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// headWriter keeps the first bytes it is given, enough to tell a compression.
type headWriter []byte

func (h *headWriter) Write(p []byte) (int, error) {
	if len(*h) < 16 {
		*h = append(*h, p[:min(len(p), 16)]...)
	}
	return len(p), nil
}

type countWriter int64

func (c *countWriter) Write(p []byte) (int, error) {
	*c += countWriter(len(p))
	return len(p), nil
}

func isNotFound(err error) bool { return errors.Is(err, fs.ErrNotExist) || errdefs.IsNotFound(err) }

func ignoreNotFound(err error) error {
	if isNotFound(err) {
		return nil
	}
	return err
}
