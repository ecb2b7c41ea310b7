package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/log"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/schema/value"
)

// Names inside the images directory besides those of the OCI layout.
const (
	locksDir = "locks" // lock files: gc, index, one per name and one per blob being fetched
	refsDir  = "refs"  // one file per container that uses an image
	tmpDir   = "tmp"
)

// The pull policies.
const (
	policyAlways  = "always"
	policyMissing = "missing"
	policyNever   = "never"
)

// Store is an image store. Its methods are safe for concurrent use, also by several processes.
type Store struct {
	images, layers string
	backoff        time.Duration // before the second try of a request; doubles from then on

	content func() (content.Store, error) // opened by the first who writes

	mu      sync.Mutex
	index   *index            // as last read
	loaded  map[string]*Image // complete images by digest and platform
	flights map[string]*flight
}

// Open returns the store in the two directories (of state.Paths: Images and Layers). It does no I/O; the directories are
// made, 0700, when something is stored.
func Open(images, layers string) *Store {
	quiet()
	s := &Store{
		images: images, layers: layers, backoff: time.Second,
		loaded: map[string]*Image{}, flights: map[string]*flight{},
	}
	s.content = sync.OnceValues(func() (content.Store, error) { return local.NewStore(images) })
	return s
}

// quiet keeps containerd's packages from writing to our stderr, and from running a decompressor that they find in PATH:
// no program of the host is run because of an image.
var quiet = sync.OnceFunc(func() {
	_ = log.SetLevel("panic") // a level that exists
	for _, name := range []string{"CONTAINERD_DISABLE_PIGZ", "CONTAINERD_DISABLE_IGZIP"} {
		_ = os.Setenv(name, "1") // fails for malformed names only
	}
})

// Ensure makes the image ready to run and returns it: it is in the store afterwards, and unpacked.
//
// A registry reference is pulled as the policy says: always asks the registry each time and fetches what changed,
// missing asks only for an image or platform that is not there, never does not ask. An archive or layout on disk is
// imported when it is new or has changed, whatever the policy.
//
// An image that is there costs microseconds. Callers that want the same image at the same time share one pull, in this
// process and, through locks, among all. progress may be nil; it is called from other goroutines, one call at a time.
func (s *Store) Ensure(ctx context.Context, ref value.ImageRef, o PullOptions, progress func(Progress)) (*Image, error) {
	r, err := newRequest(ref, o)
	if err != nil {
		return nil, err
	}
	if r.policy != policyAlways || r.local() {
		if img, err := s.present(r); err == nil || !curable(err) {
			return img, err
		}
	}
	return s.share(ctx, r, progress)
}

// curable says that fetching the image may help.
func curable(err error) bool {
	var platform *platformError
	return errors.Is(err, errIncomplete) || errors.As(err, &platform)
}

// present returns the image if nothing needs to be done for it, or errIncomplete.
func (s *Store) present(r *request) (*Image, error) {
	idx, err := s.readIndex()
	if err != nil {
		return nil, err
	}
	desc, ok := s.lookup(idx, r)
	if !ok {
		return nil, errIncomplete
	}
	img, err := s.load(desc, r)
	if err != nil {
		return nil, err
	}
	return img.named(r.name, idx), nil
}

// lookup finds what the request's name stands for.
func (s *Store) lookup(idx *index, r *request) (v1.Descriptor, bool) {
	if desc, ok := idx.byName[r.name]; ok {
		return desc, !r.local() || desc.Annotations[annotationSource] == r.source
	}
	if r.local() {
		return v1.Descriptor{}, false
	}
	// As docker: what is no name may be an id.
	desc, err := s.byID(idx, r.id)
	return desc, err == nil
}

// make does what Ensure promises for an image that is not ready, or whose name has to be looked up again. Only one
// caller per name is in here, of all processes.
func (s *Store) make(ctx context.Context, r *request, report func(Progress)) (*Image, error) {
	if err := s.prepare(); err != nil {
		return nil, err
	}
	// Prune waits for us, so that it does not take for garbage what no name refers to yet.
	using, err := lockShared(ctx, s.lockPath("gc"))
	if err != nil {
		return nil, err
	}
	defer using.Unlock()
	lock, err := state.Lock(ctx, s.lockPath("name-"+shortHash(r.key())))
	if err != nil {
		return nil, err
	}
	defer lock.Unlock()

	idx, err := s.readIndex()
	if err != nil {
		return nil, err
	}
	if desc, ok := s.lookup(idx, r); ok && (r.policy != policyAlways || r.local()) {
		// Somebody else may have made it meanwhile, or only the unpacking is left to do.
		img, err := s.complete(ctx, desc, r, report)
		if err == nil {
			return img.named(r.name, idx), nil
		}
		if !curable(err) || r.policy == policyNever && !r.local() {
			return nil, err
		}
	}
	desc, err := s.fetch(ctx, r, report)
	if err != nil {
		return nil, err
	}
	img, err := s.complete(ctx, desc, r, report)
	if err != nil {
		return nil, err
	}
	if idx, err = s.setName(ctx, r.name, desc, r.source); err != nil {
		return nil, err
	}
	return img.named(r.name, idx), nil
}

// fetch brings the blobs of the image into the store.
func (s *Store) fetch(ctx context.Context, r *request, report func(Progress)) (v1.Descriptor, error) {
	switch {
	case r.local():
		return s.importLocal(ctx, r, report)
	case r.policy == policyNever, r.name == r.id && strings.HasPrefix(r.id, "sha256:"):
		return v1.Descriptor{}, fmt.Errorf("%w: %s", ErrNotFound, r.text)
	default:
		return s.pull(ctx, r, report)
	}
}

// prepare makes the directories of the store.
func (s *Store) prepare() error {
	for _, dir := range []string{s.images, filepath.Join(s.images, tmpDir), s.layers} {
		if err := privateDir(dir); err != nil {
			return fmt.Errorf("image store: %w", err)
		}
	}
	layout := filepath.Join(s.images, v1.ImageLayoutFile)
	if _, err := os.Lstat(layout); err == nil {
		return nil
	}
	if err := state.WriteJSON(layout, v1.ImageLayout{Version: v1.ImageLayoutVersion}); err != nil {
		return fmt.Errorf("image store: %w", err)
	}
	return nil
}

// privateDir makes a directory 0700, or makes sure that an existing one can be written by its owner, us, alone.
func privateDir(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() || info.Mode().Perm()&0o022 != 0 || !ownedByUs(info) {
		return fmt.Errorf("%s must be a directory that only its owner, this user, may write to", path)
	}
	return nil
}

func (s *Store) lockPath(name string) string { return filepath.Join(s.images, locksDir, name) }

// named returns a copy of the image for the caller that asked for it by that name.
func (img *Image) named(name string, idx *index) *Image {
	c := *img
	c.Name, c.Names = name, idx.namesOf(img)
	return &c
}
