package native

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/sys/mountinfo"
	"github.com/moby/sys/user"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/ocispec"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/executor/volume"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// EnsureVolume implements engine.Engine.
func (e *Engine) EnsureVolume(ctx context.Context, v *schema.VolumeDef) error {
	var err error
	if v.External.Value {
		_, err = e.volumes.Get(ctx, v.Key) // it must exist, under exactly this name
	} else {
		_, err = e.volumes.Ensure(ctx, volume.Spec{
			Name: e.volumeName(v.Key), Driver: v.Driver.Value, Options: pairs(v.Options), Labels: pairs(v.Labels),
			Project: e.cfg.Project,
		})
	}
	if err != nil {
		return wrap(&ocispec.Error{Option: "volumes", Err: err})
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.external[v.Key] = v.External.Value
	return nil
}

// volumeName is the name on disk of the project's volume of that key. Projects do not see each other's volumes, unless
// the runfile says that one is external.
func (e *Engine) volumeName(key string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.external[key] {
		return key
	}
	return e.cfg.Project + "_" + key
}

func pairs(items schema.Items[value.KeyValue]) map[string]string {
	out := map[string]string{}
	for _, kv := range items.Values() {
		out[kv.Key] = kv.Value
	}
	return out
}

// resolveMounts decides what is mounted where, by docker's precedence: the image's volumes, then what volumes-from
// brings, then the container's own; an anonymous volume gives way to an inherited mount, and to a tmpfs everything
// that was not written down for this container.
func (e *Engine) resolveMounts(c *container) ([]mount, error) {
	spec := c.rec.Container.Spec
	at := map[string]mount{}
	for _, dir := range c.rec.Effective.Volumes {
		at[dir] = anonymous(dir)
	}
	for _, v := range spec.Mounts.Volumes.Values() {
		if v.Type == value.Volume && v.Source == "" {
			m := anonymous(v.Target)
			m.ReadOnly, m.NoCopy = v.ReadOnly, v.NoCopy
			at[v.Target] = m
		}
	}
	if err := e.inherit(c, at); err != nil {
		return nil, err
	}
	for _, v := range spec.Mounts.Volumes.Values() {
		m := mount{NoCopy: v.NoCopy, Propagation: v.Propagation}
		m.Type, m.Destination, m.ReadOnly = string(v.Type), v.Target, v.ReadOnly
		switch {
		case v.Type == value.Bind:
			m.Source = v.Source
		case v.Source != "":
			m.Name, m.OnDisk = v.Source, e.volumeName(v.Source)
		default:
			continue
		}
		at[v.Target] = m
	}
	for _, t := range spec.Mounts.Tmpfs.Values() {
		delete(at, t.Target)
	}
	out := make([]mount, 0, len(at))
	for _, m := range at {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b mount) int { return strings.Compare(a.Destination, b.Destination) })
	return out, nil
}

func anonymous(dir string) mount {
	name := state.NewID()
	return mount{Mount: engine.Mount{Type: "volume", Name: name, Destination: dir, Anonymous: true}, OnDisk: name}
}

// inherit lays the mounts of the volumes-from containers over at. rw never lifts a read-only mount.
func (e *Engine) inherit(c *container, at map[string]mount) error {
	for _, from := range c.rec.Container.Spec.Mounts.VolumesFrom.Values() {
		source, err := e.peer(c, from.Container)
		if err != nil {
			return &ocispec.Error{Option: "volumes-from", Err: err}
		}
		for _, m := range source.Mounts {
			m.ReadOnly = m.ReadOnly || from.ReadOnly
			m.Inherited = true
			at[m.Destination] = m
		}
	}
	return nil
}

// makeMounts makes host directories and volumes, takes references on the volumes, and fills empty ones from the image.
func (e *Engine) makeMounts(ctx context.Context, c *container) error {
	if len(c.rec.Mounts) == 0 {
		return nil
	}
	for i := range c.rec.Mounts {
		m := &c.rec.Mounts[i]
		var err error
		if m.Type == "bind" {
			err = c.makeBind(m)
		} else {
			err = e.makeVolume(ctx, c, m)
		}
		if err != nil {
			return &ocispec.Error{Option: "volume", Err: err}
		}
	}
	return c.save()
}

// makeBind makes the directory on the host if nothing is there, as docker does for the short form.
func (c *container) makeBind(m *mount) error {
	if _, err := os.Stat(m.Source); errors.Is(err, fs.ErrNotExist) && !m.Inherited {
		uid, gid := c.rec.IDs.RootPair()
		if err := user.MkdirAllAndChown(m.Source, 0o755, uid, gid, user.WithOnlyNew); err != nil {
			return fmt.Errorf("make %s on the host: %w", m.Source, err)
		}
	} else if err != nil {
		return fmt.Errorf("bind %s: %w", m.Source, err)
	}
	return checkPropagation(m)
}

// checkPropagation: a mount can be shared only if the source's own mount is.
func checkPropagation(m *mount) error {
	shared := strings.HasSuffix(m.Propagation, "shared")
	if !shared && !strings.HasSuffix(m.Propagation, "slave") {
		return nil
	}
	real, err := filepath.EvalSymlinks(m.Source)
	if err != nil {
		return fmt.Errorf("bind %s: %w", m.Source, err)
	}
	infos, err := mountinfo.GetMounts(mountinfo.ParentsFilter(real))
	if err != nil {
		return fmt.Errorf("read the mount table: %w", err)
	}
	var best *mountinfo.Info
	for _, i := range infos {
		if best == nil || len(i.Mountpoint) >= len(best.Mountpoint) {
			best = i
		}
	}
	if best == nil || strings.Contains(best.Optional, "shared:") || !shared && strings.Contains(best.Optional, "master:") {
		return nil
	}
	return fmt.Errorf("%s is mounted on %s, which is not a shared mount. Run: mount --make-shared %s",
		m.Source, best.Mountpoint, best.Mountpoint)
}

func (e *Engine) makeVolume(ctx context.Context, c *container, m *mount) error {
	v, err := e.volumes.Ensure(ctx, volume.Spec{Name: m.OnDisk, Anonymous: m.Anonymous, Project: e.cfg.Project})
	if err != nil {
		return err
	}
	m.Source = v.Path()
	if err := e.volumes.AddRef(v.Name, c.id); err != nil {
		return err
	}
	if !m.NoCopy && !m.Inherited {
		err = e.copyUp(ctx, c, v, m.Destination)
	}
	if err == nil && c.remapped() && !m.Inherited {
		uid, gid := c.rec.IDs.RootPair()
		err = e.volumes.Give(ctx, v, uid, gid)
	}
	return err
}

// copyUp fills an empty volume with what the image has at its place. The merged tree is the source, since several
// layers may have a part of it; it still equals the image, for nothing has run in it.
func (e *Engine) copyUp(ctx context.Context, c *container, v *volume.Volume, dir string) error {
	if err := e.mountRootfs(ctx, c); err != nil {
		return err
	}
	root, err := e.rootDir(c)
	if err != nil {
		return err
	}
	defer root.Close() // O_PATH
	from, err := openDirInRoot(root, dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) {
		return nil // nothing to copy
	}
	if err != nil {
		return fmt.Errorf("fill volume %s from the image: %w", v.Name, err)
	}
	defer from.Close() // O_PATH
	return e.volumes.CopyUp(ctx, v, fdPath(from))
}

// dropVolumes takes the container's references away, and its anonymous volumes if asked and nobody else uses them.
func (e *Engine) dropVolumes(ctx context.Context, c *container, remove bool) error {
	var errs []error
	for _, m := range c.rec.Mounts {
		if m.Type != "volume" {
			continue
		}
		last, err := e.volumes.DropRef(m.OnDisk, c.id)
		if err == nil && last && remove && m.Anonymous {
			err = e.volumes.Remove(ctx, m.OnDisk)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
