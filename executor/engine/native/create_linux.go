package native

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/image"
	"github.com/runfile/runfile/executor/ocispec"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// Create implements engine.Engine.
func (e *Engine) Create(ctx context.Context, ec engine.Container) (*schema.Effective, error) {
	if !isID(ec.ID) || ec.Spec == nil {
		return nil, wrap(errors.New("create: a container needs an id of 64 hex digits and a declaration"))
	}
	c := e.newContainer(ec.ID)
	c.mu.Lock()
	defer c.mu.Unlock()
	e.mu.Lock()
	if e.containers[c.id] != nil {
		e.mu.Unlock()
		return nil, wrap(fmt.Errorf("container %s exists", short(c.id)))
	}
	e.containers[c.id] = c
	e.mu.Unlock()
	if err := e.fill(ctx, c, ec); err != nil {
		if ferr := e.forget(context.WithoutCancel(ctx), c, true); ferr != nil {
			e.logf("clean up container %s: %v", short(c.id), ferr)
		}
		return nil, wrap(err)
	}
	return c.rec.Effective, nil
}

// fill makes what a container is made of. The record is written before the first volume is, so that a Remove after a
// crash finds what to take away.
func (e *Engine) fill(ctx context.Context, c *container, ec engine.Container) error {
	img, err := e.holdImage(ctx, c.id, ec.Spec)
	if err != nil {
		return err
	}
	eff, err := ocispec.Merge(ec.Spec, imageConfig(img), img.ID, imageName(ec.Spec))
	if err != nil {
		return err
	}
	c.rec = record{Container: ec, Effective: eff, Layers: img.Layers}
	if remap := ec.Spec.Namespaces.Remap; remap.Set {
		if c.rec.IDs, err = e.subIDs.mapping(remap.Value); err != nil {
			return err
		}
	}
	if eff.Hostname, err = e.hostname(c); err != nil {
		return err
	}
	if c.rec.Mounts, err = e.resolveMounts(c); err != nil {
		return err
	}
	// Also the record of who has references on which volumes, before they are taken.
	if err := c.save(); err != nil {
		return err
	}
	if err := c.makeLayer(); err != nil {
		return err
	}
	if err := e.makeMounts(ctx, c); err != nil {
		return err
	}
	return e.checkUser(ctx, c)
}

// holdImage finds the image and notes that the container needs it, so that nobody removes its layers. If somebody just
// has, it is brought again.
func (e *Engine) holdImage(ctx context.Context, id string, c *schema.Container) (*image.Image, error) {
	for again := false; ; again = true {
		img, err := e.image(ctx, c, "missing", nil)
		if err != nil {
			return nil, err
		}
		err = e.images.AddRef(ctx, id, img)
		if err == nil {
			return img, nil
		}
		if again || !errors.Is(err, image.ErrNotFound) {
			return nil, &ocispec.Error{Option: "image", Err: err}
		}
	}
}

func imageName(c *schema.Container) string {
	if t := c.Image.Ref.Value.Text; t != "" {
		return t
	}
	return c.Image.Ref.Value.Name
}

// hostname: what was asked for; that of the host or of the owner where their namespace is used; else docker's default,
// the first 12 digits of the id.
func (e *Engine) hostname(c *container) (string, error) {
	spec := c.rec.Container.Spec
	if h := c.rec.Effective.Hostname; h != "" {
		return h, nil
	}
	n := networkOf(spec)
	if spec.Namespaces.UTS.Value.Mode == "host" || n.Mode == value.NetworkHost {
		return os.Hostname()
	}
	if n.Mode == value.NetworkContainer {
		owner, err := e.peer(c, n.Name)
		if err != nil {
			return "", &ocispec.Error{Option: "network", Err: err}
		}
		return owner.Effective.Hostname, nil
	}
	return short(c.id), nil
}

// checkUser refuses an unknown user or group at create and not at each start. It mounts the root only if one has a name.
func (e *Engine) checkUser(ctx context.Context, c *container) error {
	u, groups := c.rec.Effective.User, c.rec.Container.Spec.Process.GroupAdd.Values()
	if !slices.ContainsFunc(append([]string{u}, groups...), named) {
		_, _, err := ocispec.ResolveUser("", u, groups)
		return err
	}
	if err := e.mountRootfs(ctx, c); err != nil {
		return err
	}
	root, err := e.rootDir(c)
	if err != nil {
		return err
	}
	defer root.Close() // O_PATH
	_, _, err = ocispec.ResolveUser(fdPath(root), u, groups)
	return err
}

// named reports whether a user or group is not given by numbers alone.
func named(text string) bool { return strings.Trim(text, ":0123456789") != "" }
