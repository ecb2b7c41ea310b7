package image

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runfile/runfile/schema/value"
)

// The schemes of images on disk.
const (
	schemeOCI           = "oci"
	schemeOCIArchive    = "oci-archive"
	schemeDockerArchive = "docker-archive"
)

// request is what one Ensure wants.
type request struct {
	id     string // as the user wrote it
	text   string // likewise, completed by a tag; for messages
	name   string // what the store calls it: a canonical reference, or SCHEME:PATH[:NAME]
	policy string

	platform string                  // "" = not asked for in particular
	matcher  platforms.MatchComparer // of platform, or of this host
	attempts int

	// Of images on disk:
	scheme, path, inner string
	source              string // what the file looked like, see fingerprint
}

func newRequest(ref value.ImageRef, o PullOptions) (*request, error) {
	r := &request{
		id: ref.Text, text: ref.Text, name: ref.Name, policy: o.Policy, platform: o.Platform, attempts: o.Attempts,
		scheme: ref.Scheme, path: ref.Path, inner: ref.Name,
	}
	if r.id == "" {
		r.id, r.text = ref.Name, ref.Name
	}
	if r.attempts < 1 {
		r.attempts = 4
	}
	switch r.policy {
	case "":
		r.policy = policyMissing
	case policyAlways, policyMissing, policyNever:
	default:
		return nil, fmt.Errorf("invalid pull policy %q: must be one of always, missing, never", r.policy)
	}
	spec := platforms.DefaultSpec()
	if r.platform != "" {
		var err error
		if spec, err = platforms.Parse(r.platform); err != nil {
			return nil, fmt.Errorf("platform: %w", err)
		}
		r.platform = platforms.Format(platforms.Normalize(spec))
	}
	r.matcher = platforms.Only(spec)
	if r.local() {
		return r, r.findFile()
	}
	if r.name == "" {
		return nil, errors.New("the image has no name")
	}
	// With a tag and a digest the digest decides. What is no reference is an id: "sha256:..."
	if named, err := reference.ParseDockerRef(r.name); err == nil && !strings.HasPrefix(r.name, "sha256:") {
		r.name, r.text = named.String(), reference.FamiliarString(named)
	}
	return r, nil
}

// local says that the image comes from a file or directory.
func (r *request) local() bool { return r.scheme != "" }

// key tells requests apart that must not share their work.
func (r *request) key() string { return r.name + " " + r.platform }

func (r *request) findFile() error {
	path, err := filepath.Abs(r.path)
	if err != nil {
		return err
	}
	r.path = path
	r.name = r.scheme + ":" + path
	if r.inner != "" {
		r.name += ":" + r.inner
	}
	look := path
	switch r.scheme {
	case schemeOCI:
		look = filepath.Join(path, v1.ImageIndexFile)
	case schemeOCIArchive, schemeDockerArchive:
	default:
		return fmt.Errorf("image %s: there is no scheme %q", r.text, r.scheme)
	}
	info, err := os.Stat(look)
	if err != nil {
		return fmt.Errorf("image %s: %w", r.text, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("image %s: %s is not a regular file", r.text, look)
	}
	r.source = fingerprint(info)
	return nil
}

// fingerprint changes whenever the file is replaced or written to.
func fingerprint(info os.FileInfo) string {
	return fmt.Sprintf("%d:%d:%s", info.Size(), info.ModTime().UnixNano(), inode(info))
}

func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}
