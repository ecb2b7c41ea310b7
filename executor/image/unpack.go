package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
	"github.com/docker/go-units"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runfile/runfile/executor/state"
)

// layerInfo is LAYERS/<chain>/layer.json.
type layerInfo struct {
	DiffID digest.Digest `json:"diffID"`
	Size   int64         `json:"size"` // bytes of all files
}

const (
	layerFile = "layer.json"
	tmpPrefix = ".tmp-" // prefix of directories that are not layers yet, or not any more
)

func isTemporary(name string) bool { return strings.HasPrefix(name, tmpPrefix) }

func (s *Store) layerDir(chain digest.Digest) string { return filepath.Join(s.layers, chain.Encoded()) }

func (s *Store) layerRoot(chain digest.Digest) string { return filepath.Join(s.layerDir(chain), "fs") }

// readLayer answers fs.ErrNotExist for a layer that is not unpacked. A layer's directory appears by one rename, so what
// is there is whole.
func (s *Store) readLayer(chain digest.Digest) (layerInfo, error) {
	return state.ReadJSON[layerInfo](filepath.Join(s.layerDir(chain), layerFile))
}

// complete unpacks what is not unpacked of an image whose blobs are in the store, and loads it.
func (s *Store) complete(ctx context.Context, desc v1.Descriptor, r *request, report func(Progress)) (*Image, error) {
	d, err := r.read(desc, s.readBlob)
	if err != nil {
		return nil, err
	}
	var below []string // layers under the current one, the nearest first
	for i, chain := range d.chains {
		if _, err := s.readLayer(chain); err != nil {
			report(Progress{Detail: fmt.Sprintf("unpacking layer %d of %d", i+1, len(d.chains))})
			if err := s.unpackOnce(ctx, chain, d.layers[i], d.config.RootFS.DiffIDs[i], below); err != nil {
				return nil, fmt.Errorf("image %s: unpack layer %d of %d: %w", r.text, i+1, len(d.chains), err)
			}
		}
		below = slices.Insert(below, 0, s.layerRoot(chain))
	}
	return s.load(desc, r)
}

// unpackOnce makes the directory of a layer. Others that want the same one wait.
func (s *Store) unpackOnce(ctx context.Context, chain digest.Digest, layer v1.Descriptor, diffID digest.Digest, below []string) error {
	lock, err := state.Lock(ctx, filepath.Join(s.layers, locksDir, chain.Encoded()))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	if _, err := s.readLayer(chain); err == nil {
		return nil
	}
	// The name is the lock owner's alone: what is there was left by one that was killed.
	tmp := filepath.Join(s.layers, tmpPrefix+chain.Encoded())
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	err = s.unpackTo(ctx, tmp, layer, diffID, below)
	if err == nil {
		err = os.RemoveAll(s.layerDir(chain)) // of a damaged layer.json
	}
	if err == nil {
		err = os.Rename(tmp, s.layerDir(chain))
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	return nil
}

func (s *Store) unpackTo(ctx context.Context, dir string, layer v1.Descriptor, diffID digest.Digest, below []string) error {
	name, err := s.blobPath(layer.Digest)
	if err != nil {
		return err
	}
	blob, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s is missing", errIncomplete, layer.Digest)
	}
	if err != nil {
		return err
	}
	defer blob.Close()
	root := filepath.Join(dir, "fs")
	if err := os.MkdirAll(root, 0o700); err != nil {
		return err
	}
	// What the layer says of its root directory is not applied, so this is "/" as containers see it.
	if err := os.Chmod(root, 0o755); err != nil {
		return err
	}
	limit, err := freeSpace(root)
	if err != nil {
		return err
	}
	size, err := applyLayer(ctx, root, blob, diffID, below, limit)
	if err != nil {
		if ctx.Err() == nil && !s.intact(blob, layer.Digest) {
			_ = os.Remove(name) // if it stays, the next who unpacks says the same
			return fmt.Errorf("%w: %s was damaged", errIncomplete, layer.Digest)
		}
		return err
	}
	return state.WriteJSON(filepath.Join(dir, layerFile), layerInfo{DiffID: diffID, Size: size})
}

// intact reports whether a blob has its digest.
func (s *Store) intact(blob *os.File, want digest.Digest) bool {
	if _, err := blob.Seek(0, io.SeekStart); err != nil {
		return false
	}
	got, err := want.Algorithm().FromReader(blob)
	return err == nil && got == want
}

// applyLayer writes the files of a layer below root, in the form of an overlayfs lower directory, and checks that the
// uncompressed content is what the image says. below are the unpacked layers under it, the nearest first: a directory
// that the layer uses without describing it has the mode and owner it has there. A layer whose files claim more than
// limit bytes is refused before the file that goes beyond it is written: a sparse file of some bytes can claim any size.
func applyLayer(ctx context.Context, root string, blob io.Reader, diffID digest.Digest, below []string, limit int64) (size int64, err error) {
	plain, err := compression.DecompressStream(blob)
	if err != nil {
		return 0, fmt.Errorf("decompress: %w", err)
	}
	defer plain.Close()
	verifier := diffID.Verifier()
	in := io.TeeReader(plain, verifier)
	w := &whiteouts{root: root}
	f := &entryFilter{limit: limit}
	size, err = archive.Apply(ctx, root, in,
		archive.WithParents(below), archive.WithFilter(f.keep), archive.WithConvertWhiteout(w.convert))
	if err == nil {
		err = w.finish()
	}
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(io.Discard, in); err != nil { // padding after the last entry counts for the digest
		return 0, err
	}
	if !verifier.Verified() {
		return 0, fmt.Errorf("its content is not what the image says (%s)", diffID)
	}
	return size, nil
}

// The marks of deleted files in layers (image-spec, layer.md).
const (
	whiteoutPrefix = ".wh."
	whiteoutOpaque = ".wh..wh..opq"
	whiteoutMeta   = ".wh..wh."
)

// entryFilter decides which entries of a layer are unpacked.
type entryFilter struct{ size, limit int64 }

// keep is an archive.Filter. It leaves out what AUFS stored beside the files of a layer for itself.
func (f *entryFilter) keep(hdr *tar.Header) (bool, error) {
	if hdr.Size < 0 || hdr.Size > f.limit-f.size {
		return false, fmt.Errorf("%s: the layer's files need more than the %s that are free", hdr.Name, units.HumanSize(float64(f.limit)))
	}
	f.size += hdr.Size
	base := path.Base(hdr.Name)
	return base == whiteoutOpaque || !strings.HasPrefix(base, whiteoutMeta), nil
}
