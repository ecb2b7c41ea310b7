package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runfile/runfile/schema/value"
)

// file is an entry of a test layer. The zero type is a regular file, or a directory if the name ends in a slash.
type file struct {
	name, content, link string
	kind                byte
	mode                int64
	uid                 int
	pax                 map[string]string
}

// layerTar writes a layer.
func layerTar(t testing.TB, files ...file) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		hdr := &tar.Header{
			Name: f.name, Typeflag: f.kind, Linkname: f.link, Mode: f.mode, Uid: f.uid, Gid: f.uid,
			Size: int64(len(f.content)), ModTime: time.Unix(1700000000, 0), PAXRecords: f.pax,
		}
		if hdr.Typeflag == 0 {
			hdr.Typeflag = tar.TypeReg
			if strings.HasSuffix(f.name, "/") {
				hdr.Typeflag = tar.TypeDir
			}
		}
		if hdr.Mode == 0 {
			hdr.Mode = 0o644
			if hdr.Typeflag == tar.TypeDir {
				hdr.Mode = 0o755
			}
		}
		if err := w.WriteHeader(hdr); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// fixture is a set of blobs, as a registry or a layout holds them.
type fixture struct {
	t     testing.TB
	blobs map[digest.Digest][]byte
	types map[digest.Digest]string
}

func newFixture(t testing.TB) *fixture {
	return &fixture{t, map[digest.Digest][]byte{}, map[digest.Digest]string{}}
}

func (f *fixture) put(mediaType string, data []byte) v1.Descriptor {
	d := digest.FromBytes(data)
	f.blobs[d], f.types[d] = data, mediaType
	return v1.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(data))}
}

func (f *fixture) putJSON(mediaType string, v any) v1.Descriptor {
	f.t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.put(mediaType, data)
}

// image adds an image of gzipped layers. config is the value of the configuration's key "config".
func (f *fixture) image(platform, config string, layers ...[]byte) v1.Descriptor {
	f.t.Helper()
	m := v1.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest}
	m.Layers = []v1.Descriptor{}
	for _, layer := range layers {
		m.Layers = append(m.Layers, f.put(v1.MediaTypeImageLayerGzip, gzipped(f.t, layer)))
	}
	m.Config = f.put(v1.MediaTypeImageConfig, configJSON(f.t, platform, config, layers))
	return f.putJSON(v1.MediaTypeImageManifest, m)
}

func configJSON(t testing.TB, platform, config string, layers [][]byte) []byte {
	t.Helper()
	os, arch, _ := strings.Cut(platform, "/")
	arch, variant, _ := strings.Cut(arch, "/")
	if config == "" {
		config = "{}"
	}
	var ids []string
	for _, layer := range layers {
		ids = append(ids, digest.FromBytes(layer).String())
	}
	data, err := json.Marshal(map[string]any{
		"created": "2026-01-02T03:04:05Z", "os": os, "architecture": arch, "variant": variant,
		"config": json.RawMessage(config), "rootfs": map[string]any{"type": "layers", "diff_ids": ids},
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// index adds an index of manifests by platform.
func (f *fixture) index(manifests map[string]v1.Descriptor) v1.Descriptor {
	idx := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex}
	for platform, m := range manifests {
		os, arch, _ := strings.Cut(platform, "/")
		arch, variant, _ := strings.Cut(arch, "/")
		m.Platform = &v1.Platform{OS: os, Architecture: arch, Variant: variant}
		idx.Manifests = append(idx.Manifests, m)
	}
	return f.putJSON(v1.MediaTypeImageIndex, idx)
}

// layout writes an OCI layout; tags name what its index lists.
func (f *fixture) layout(dir string, tags map[string]v1.Descriptor) {
	f.t.Helper()
	idx := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}}
	for tag, desc := range tags {
		if tag != "" {
			desc.Annotations = map[string]string{v1.AnnotationRefName: tag}
		}
		idx.Manifests = append(idx.Manifests, desc)
	}
	for name, v := range map[string]any{v1.ImageLayoutFile: v1.ImageLayout{Version: v1.ImageLayoutVersion}, v1.ImageIndexFile: idx} {
		data, err := json.Marshal(v)
		if err != nil {
			f.t.Fatal(err)
		}
		writeFile(f.t, filepath.Join(dir, name), data)
	}
	for d, data := range f.blobs {
		writeFile(f.t, filepath.Join(dir, v1.ImageBlobsDir, d.Algorithm().String(), d.Encoded()), data)
	}
}

func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	// Replaced, as tools do it: the inode changes.
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// archiveOf packs a directory.
func archiveOf(t testing.TB, dir string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// dockerImage is an image of a docker-archive.
type dockerImage struct {
	tags   []string
	config string
	layers [][]byte
}

// dockerArchive writes what docker save writes: layers uncompressed, each in a directory of its own.
func dockerArchive(t testing.TB, list ...dockerImage) []byte {
	t.Helper()
	var files []file
	var manifest []dockerManifest
	for n, img := range list {
		config := configJSON(t, "linux/amd64", img.config, img.layers)
		m := dockerManifest{Config: digest.FromBytes(config).Encoded() + ".json", RepoTags: img.tags}
		files = append(files, file{name: m.Config, content: string(config)})
		for i, layer := range img.layers {
			name := fmt.Sprintf("%d-%d/layer.tar", n, i)
			files = append(files, file{name: name, content: string(layer)})
			m.Layers = append(m.Layers, name)
		}
		manifest = append(manifest, m)
	}
	data, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	return layerTar(t, append(files, file{name: "manifest.json", content: string(data)})...)
}

// newStore opens an empty store that does not wait long between tries.
func newStore(t testing.TB) *Store {
	t.Helper()
	dir := t.TempDir()
	s := Open(filepath.Join(dir, "images"), filepath.Join(dir, "layers"))
	s.backoff = time.Millisecond
	return s
}

// again opens the same store as another process would.
func again(s *Store) *Store {
	o := Open(s.images, s.layers)
	o.backoff = s.backoff
	return o
}

func ref(t testing.TB, text string) value.ImageRef {
	t.Helper()
	r, err := value.ParseImage(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func ensure(t testing.TB, s *Store, text string) *Image {
	t.Helper()
	img, err := s.Ensure(t.Context(), ref(t, text), PullOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// tree lists what is below a directory: "path mode uid content".
func tree(t testing.TB, root string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text := ""
		switch {
		case info.Mode().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text = " " + string(data)
		case info.Mode()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			text = " -> " + link
		}
		list = append(list, strings.TrimPrefix(path, root+"/")+" "+info.Mode().String()+text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
