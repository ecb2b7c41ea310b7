package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/errdefs"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/runfile/runfile/executor/state"
)

// parallelLayers is how many layers of an image are fetched at the same time. Docker's number.
const parallelLayers = 3

// puller fetches one image from a registry.
type puller struct {
	store   *Store
	blobs   content.Store
	req     *request
	fetcher remotes.Fetcher
	report  func(Progress)

	layers, done atomic.Int64 // of the image
	total, got   atomic.Int64 // bytes
	mu           sync.Mutex
	reported     time.Time // when progress in bytes was last reported
}

// pull looks the request's name up in its registry and brings into the store what is missing of the image.
func (s *Store) pull(ctx context.Context, r *request, report func(Progress)) (v1.Descriptor, error) {
	blobs, err := s.content()
	if err != nil {
		return v1.Descriptor{}, fmt.Errorf("image store: %w", err)
	}
	registry := newRegistry(ctx)
	defer registry.close()
	p := &puller{store: s, blobs: blobs, req: r, report: report}
	var desc v1.Descriptor
	err = p.retry(ctx, func() error {
		var err error
		_, desc, err = registry.resolver.Resolve(ctx, r.name)
		return err
	})
	if err != nil {
		return desc, r.explain(err)
	}
	if p.fetcher, err = registry.resolver.Fetcher(ctx, r.name); err != nil {
		return desc, r.explain(err)
	}
	doc, err := r.read(desc, func(d v1.Descriptor) ([]byte, error) {
		if err := p.fetch(ctx, d); err != nil {
			return nil, err
		}
		return s.readBlob(d)
	})
	if err != nil {
		return desc, r.explain(err)
	}
	return desc, r.explain(p.fetchLayers(ctx, doc))
}

func (p *puller) fetchLayers(ctx context.Context, doc *document) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelLayers)
	p.layers.Store(int64(len(doc.layers)))
	for _, layer := range doc.layers {
		p.total.Add(layer.Size)
	}
	for i, layer := range doc.layers {
		if _, err := p.store.readLayer(doc.chains[i]); err == nil {
			p.got.Add(layer.Size) // it is unpacked: its blob is not needed
			p.done.Add(1)
			continue
		}
		group.Go(func() error {
			err := p.fetch(ctx, layer)
			p.done.Add(1)
			return err
		})
	}
	return group.Wait()
}

// fetch brings a blob into the store unless it is there. Of several processes that want it, one fetches and the others
// wait. What a broken connection or a killed process has left of it is continued.
func (p *puller) fetch(ctx context.Context, desc v1.Descriptor) error {
	if err := desc.Digest.Validate(); err != nil {
		return fmt.Errorf("blob %q: %w", desc.Digest, err)
	}
	if desc.Size < 0 || desc.Size > 1<<50 {
		return fmt.Errorf("blob %s has an impossible size", desc.Digest)
	}
	lock, err := state.Lock(ctx, p.store.lockPath("blob-"+desc.Digest.Encoded()))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	if _, err := p.blobs.Info(ctx, desc.Digest); err == nil {
		p.got.Add(desc.Size)
		return nil
	}
	// Other places to fetch from, and content given inline, are the manifest's author's choice; we want neither.
	desc.URLs, desc.Data = nil, nil
	desc.Annotations = nil
	return p.retry(ctx, func() error { return p.fetchOnce(ctx, desc) })
}

func (p *puller) fetchOnce(ctx context.Context, desc v1.Descriptor) error {
	counter := &countingFetcher{puller: p}
	err := remotes.Fetch(ctx, p.blobs, counter, desc)
	switch {
	case err == nil, errdefs.IsAlreadyExists(err):
		return nil
	case errdefs.IsFailedPrecondition(err):
		// All bytes are there and they are the wrong ones. If they stayed, every later try would end here.
		p.got.Add(-counter.got.Load())
		aborted := p.blobs.Abort(ctx, remotes.MakeRefKey(ctx, desc))
		return errors.Join(&temporaryError{fmt.Errorf("the registry sent other content than %s: %w", desc.Digest, err)}, ignoreNotFound(aborted))
	default:
		return err
	}
}

// countingFetcher counts the bytes that it passes on.
type countingFetcher struct {
	*puller
	got atomic.Int64
}

// Fetch implements remotes.Fetcher.
func (c *countingFetcher) Fetch(ctx context.Context, desc v1.Descriptor) (io.ReadCloser, error) {
	rc, err := c.fetcher.Fetch(ctx, desc)
	if err != nil {
		return nil, err
	}
	return &countingBody{ReadCloser: rc, counter: c}, nil
}

type countingBody struct {
	io.ReadCloser
	counter *countingFetcher
}

// Read implements io.Reader.
func (b *countingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.counter.got.Add(int64(n))
	b.counter.progress(int64(n))
	return n, err
}

// Seek implements io.Seeker: a fetch that is continued starts in the middle. What is there already counts as fetched.
func (b *countingBody) Seek(offset int64, whence int) (int64, error) {
	seeker, ok := b.ReadCloser.(io.Seeker)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	return seeker.Seek(offset, whence)
}

// progress adds to the bytes fetched and reports them, ten times a second at most.
func (p *puller) progress(n int64) {
	got := p.got.Add(n)
	layers := p.layers.Load()
	if layers == 0 {
		return // still at the manifests
	}
	p.mu.Lock()
	due := time.Since(p.reported) >= 100*time.Millisecond
	if due {
		p.reported = time.Now()
	}
	p.mu.Unlock()
	if due {
		p.report(Progress{
			Detail:  fmt.Sprintf("layer %d of %d", min(p.done.Load()+1, layers), layers),
			Current: min(got, p.total.Load()), Total: p.total.Load(),
		})
	}
}

// explain puts an error of the registry into docker's words.
func (r *request) explain(err error) error {
	var platform *platformError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &platform):
		return fmt.Errorf("no matching manifest for %s in the manifest list of %s", platform.platform, r.text)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, docker.ErrInvalidAuthorization), statusOf(err) == 401, statusOf(err) == 403:
		return fmt.Errorf("pull access denied for %s, repository does not exist or may require 'docker login': %w", r.text, err)
	case errdefs.IsNotFound(err):
		return fmt.Errorf("manifest for %s not found: manifest unknown: %w", r.text, err)
	default:
		return fmt.Errorf("pull %s: %w", r.text, err)
	}
}
