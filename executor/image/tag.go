package image

import (
	"context"
	"fmt"

	"github.com/distribution/reference"
)

// Tag gives an image of the store a further name, completed as docker does ("busybox" is docker.io/library/busybox:latest).
// The name is taken away from the image that had it. ErrNotFound if there is no such image.
func (s *Store) Tag(ctx context.Context, nameOrID, name string) error {
	named, err := reference.ParseDockerRef(name)
	if err != nil {
		return fmt.Errorf("%q is not an image's name: %w", name, err)
	}
	// Nobody may remove the image between finding and naming it.
	lock, err := lockShared(ctx, s.lockPath("gc"))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	idx, err := s.readIndex()
	if err != nil {
		return err
	}
	desc, _, err := s.find(idx, nameOrID)
	if err != nil {
		return err
	}
	_, err = s.setName(ctx, named.String(), desc, "")
	return err
}
