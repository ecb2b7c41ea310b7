package cli

import (
	"context"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/engine/native"
	"github.com/runfile/runfile/executor/image"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/schema"
)

func newEngine(paths state.Paths, project string) (engine.Engine, error) {
	e, err := native.New(native.Config{Paths: paths, Project: project})
	if err != nil {
		return nil, err // not e: a nil *Engine would be an Engine that is not nil
	}
	return e, nil
}

func hostInfo(ctx context.Context, paths state.Paths) (engine.Info, error) {
	return native.Doctor(ctx, paths), nil
}

func preflight(c *schema.Container) []schema.HostProblem { return native.Preflight(c) }

func storedImages(ctx context.Context, paths state.Paths) ([]storedImage, error) {
	list, err := image.Open(paths.Images(), paths.Layers()).List(ctx)
	if err != nil {
		return nil, err
	}
	var out []storedImage
	for _, img := range list {
		out = append(out, storedImage{
			id: img.ID, digest: img.Target, platform: img.Platform, names: img.Names, created: img.Created, size: img.Size,
		})
	}
	return out, nil
}

func pullImage(ctx context.Context, paths state.Paths, r pullRequest, progress func(engine.Progress)) (id string, err error) {
	store := image.Open(paths.Images(), paths.Layers())
	img, err := store.Ensure(ctx, r.ref,
		image.PullOptions{Policy: r.policy, Platform: r.platform},
		func(p image.Progress) {
			progress(engine.Progress{Detail: p.Detail, Current: p.Current, Total: p.Total})
		})
	if err != nil {
		return "", err
	}
	if r.tag != "" {
		err = store.Tag(ctx, img.Name, r.tag)
	}
	return img.ID, err
}
