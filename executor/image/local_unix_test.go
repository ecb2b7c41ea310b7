//go:build unix

package image

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestLocalErrors(t *testing.T) {
	dir := t.TempDir()
	good := newFixture(t)
	image := good.image("linux/amd64", "", layerTar(t, file{name: "a", content: "a"}))

	layout := func(name string, change func(f *fixture, tags map[string]v1.Descriptor)) string {
		f := newFixture(t)
		for d, data := range good.blobs {
			f.put(good.types[d], data)
		}
		tags := map[string]v1.Descriptor{"x": image}
		change(f, tags)
		f.layout(filepath.Join(dir, name), tags)
		return "oci:" + filepath.Join(dir, name)
	}
	writeFile(t, filepath.Join(dir, "junk.tar"), []byte(strings.Repeat("junk", 1000)))
	writeFile(t, filepath.Join(dir, "empty.tar"), layerTar(t))
	drop := func(f *fixture, _ map[string]v1.Descriptor) { delete(f.blobs, image.Digest) }
	fifo, outside := layout("fifo", drop), layout("outside", drop)
	blob := func(where string) string {
		return filepath.Join(strings.TrimPrefix(where, "oci:"), "blobs/sha256", image.Digest.Encoded())
	}
	secret := filepath.Join(dir, "secret")
	writeFile(t, secret, good.blobs[image.Digest])
	if err := errors.Join(syscall.Mkfifo(blob(fifo), 0o600), os.Symlink(secret, blob(outside))); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"missing":         {"docker-archive:" + dir + "/none.tar", "no such file or directory"},
		"no tar":          {"docker-archive:" + dir + "/junk.tar", "invalid tar header"},
		"no manifest":     {"docker-archive:" + dir + "/empty.tar", "not a docker archive"},
		"no layout":       {"oci-archive:" + dir + "/empty.tar", "not an OCI image layout"},
		"no tag":          {layout("tag", func(*fixture, map[string]v1.Descriptor) {}) + ":nope", `no image "nope" in it; there is x`},
		"device as blob":  {fifo, "is not a regular file"},
		"link to outside": {outside, "path escapes from parent"},
		"wrong content": {layout("content", func(f *fixture, _ map[string]v1.Descriptor) {
			f.blobs[image.Digest] = append([]byte(" "), f.blobs[image.Digest]...)
		}), image.Digest.String()},
		"missing blob": {layout("blob", func(f *fixture, _ map[string]v1.Descriptor) {
			for d, kind := range f.types {
				if kind == v1.MediaTypeImageLayerGzip {
					delete(f.blobs, d)
				}
			}
		}), "no such file or directory"},
		"digest as path": {layout("path", func(_ *fixture, tags map[string]v1.Descriptor) {
			tags["x"] = v1.Descriptor{MediaType: v1.MediaTypeImageManifest, Digest: "sha256:../../../../secret", Size: 1}
		}), "invalid checksum digest"},
		"artifact": {layout("artifact", func(f *fixture, tags map[string]v1.Descriptor) {
			tags["x"] = f.putJSON(v1.MediaTypeImageManifest, v1.Manifest{Config: f.put("application/x", []byte("{}"))})
		}), `its configuration is of type "application/x"`},
		"schema 1": {layout("schema1", func(f *fixture, tags map[string]v1.Descriptor) {
			tags["x"] = f.put("application/vnd.docker.distribution.manifest.v1+prettyjws", []byte("{}"))
		}), "no image that can be run"},
		"layers do not add up": {layout("sum", func(f *fixture, tags map[string]v1.Descriptor) {
			tags["x"] = f.putJSON(v1.MediaTypeImageManifest, v1.Manifest{
				Config: f.put(v1.MediaTypeImageConfig, configJSON(t, "linux/amd64", "", nil)),
				Layers: []v1.Descriptor{f.put(v1.MediaTypeImageLayer, layerTar(t))},
			})
		}), "lists 0 layers, its manifest 1"},
		"another layer than the configuration says": {layout("diffid", func(f *fixture, tags map[string]v1.Descriptor) {
			tags["x"] = f.putJSON(v1.MediaTypeImageManifest, v1.Manifest{
				Config: f.put(v1.MediaTypeImageConfig, configJSON(t, "linux/amd64", "", [][]byte{layerTar(t, file{name: "x"})})),
				Layers: []v1.Descriptor{f.put(v1.MediaTypeImageLayer, layerTar(t))},
			})
		}), "its content is not what the image says"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			_, err := s.Ensure(t.Context(), ref(t, c.text), PullOptions{}, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			checkNoLayers(t, s)
		})
	}
}

// checkNoLayers wants that nothing was unpacked, not even in part.
func checkNoLayers(t *testing.T, s *Store) {
	t.Helper()
	entries, err := os.ReadDir(s.layers)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != locksDir {
			t.Errorf("left behind: %s", e.Name())
		}
	}
}
