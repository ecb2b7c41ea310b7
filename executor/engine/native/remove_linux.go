package native

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/ocispec"
)

// Remove implements engine.Engine.
func (e *Engine) Remove(ctx context.Context, r engine.Ref) error {
	switch r.Kind {
	case "container":
		return wrap(e.removeContainer(ctx, r))
	case "network":
		m, err := e.network(ctx)
		if err != nil {
			return wrap(err)
		}
		return wrap(m.RemoveNetwork(ctx, r.Name))
	case "volume":
		err := e.volumes.Remove(ctx, e.volumeName(r.Name))
		if err != nil {
			return wrap(&ocispec.Error{Option: "volume", Err: err})
		}
		return nil
	}
	return wrap(fmt.Errorf("remove: unknown kind %q", r.Kind))
}

func (e *Engine) removeContainer(ctx context.Context, r engine.Ref) error {
	if !isID(r.Name) {
		return nil // there is none
	}
	c, err := e.find(r.Name)
	if errors.Is(err, errNoContainer) {
		// What a supervisor killed in the middle of a removal, or a damaged record, has left.
		c = e.newContainer(r.Name)
	} else if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.settle() || c.rec.Process.alive() {
		return fmt.Errorf("remove container: %w", errRunning)
	}
	return e.forget(ctx, c, r.Volumes)
}

// forget takes everything of a container away that does not run. It goes on after a failure and reports all; the record
// goes last, so that a removal that failed can be tried again. c.mu is held.
func (e *Engine) forget(ctx context.Context, c *container, volumes bool) error {
	errs := []error{e.sweepRuntime(ctx, c), e.unmountRootfs(c)}
	errs = append(errs, e.leaveNetwork(ctx, c))
	errs = append(errs, e.dropVolumes(ctx, c, volumes), e.images.DropRef(c.id))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove container: %w", err)
	}
	if err := c.removeAll(); err != nil {
		return err
	}
	e.mu.Lock()
	delete(e.containers, c.id)
	e.mu.Unlock()
	return nil
}

// sweepRuntime deletes what runtimes still know of a container that does not run, and its cgroups.
func (e *Engine) sweepRuntime(ctx context.Context, c *container) error {
	r, err := e.runtimeOf(ctx, c)
	if err == nil {
		err = r.remove(ctx, c.id, e.cgroupPath(c))
	} else {
		err = nil // without a runtime there is nothing of it
	}
	killCgroup(e.cgroupPath(c))
	removeCgroups(e.cgroupPath(c))
	return err
}

// runtimeOf is the runtime that ran a container, even if the choice would be another one today.
func (e *Engine) runtimeOf(ctx context.Context, c *container) (*ociRuntime, error) {
	if p := c.rec.Process; p != nil && p.Runtime != "" {
		return e.runtimes.get(ctx, p.Runtime, "")
	}
	name := ""
	if c.rec.Container.Spec != nil {
		name = c.rec.Container.Spec.Process.Runtime.Value
	}
	return e.runtimes.get(ctx, name, c.rec.Container.Dir)
}

// leaveNetwork closes the container's sandbox. What an earlier supervisor made is swept: when the manager is made, if
// the container did not run any more then, else now.
func (e *Engine) leaveNetwork(ctx context.Context, c *container) error {
	if c.sandbox == nil {
		if _, err := os.Stat(e.cfg.Paths.Net()); err != nil {
			return nil // nothing has been connected since boot
		}
		m, err := e.network(ctx)
		if err != nil || !m.Inherited(c.id) {
			return err
		}
		return m.Sweep(ctx, e.connected())
	}
	err := c.sandbox.Close(ctx)
	c.sandbox = nil
	return err
}
