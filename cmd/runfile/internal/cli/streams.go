package cli

import (
	"context"
	"io"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
	"github.com/runfile/runfile/executor/project"
	"github.com/runfile/runfile/schema"
)

// typeInto sends our standard input to a container of a foreground up; its output comes with the events. The terminal
// is raw from now on if the container has one of its own; restore undoes that. failed gets what goes wrong.
func (a *app) typeInto(ctx context.Context, client *project.Client, c *schema.Container, failed func(error)) (restore func()) {
	restore = func() {}
	if c.Stdio.TTY.Value && terminal.Is(a.stdin) {
		if undo, err := terminal.Raw(a.stdin); err == nil {
			restore = undo
		}
	}
	keys, err := detachKeys(c.Stdio.DetachKeys.Value)
	if err != nil || !c.Stdio.TTY.Value {
		keys = []byte{} // docker's keys work with a terminal only
	}
	go func() {
		_, err := client.Attach(ctx, a.attachRequest(c.Key, true, false, false), project.Streams{
			Stdin: a.stdin, Resize: terminal.Resizes(ctx, a.stdin), DetachKeys: keys,
		})
		if err != nil && ctx.Err() == nil {
			failed(err)
		}
	}()
	return restore
}

func (a *app) attachRequest(container string, stdin, stdout, stderr bool) project.AttachRequest {
	r := project.AttachRequest{Container: container, Stdin: stdin, Stdout: stdout, Stderr: stderr}
	r.Columns, r.Rows = a.size()
	return r
}

// size is that of our terminal, 0 and 0 if there is none.
func (a *app) size() (columns, rows uint16) {
	for _, stream := range []any{a.stdin, a.stdout} {
		if terminal.Is(stream) {
			w, h := terminal.Size(stream)
			return uint16(w), uint16(h)
		}
	}
	return 0, 0
}

// guarded is w behind the filter that keeps a container from steering our terminal, unless the container has a
// terminal of its own, whose user is us.
func guarded(w io.Writer, raw bool) io.Writer {
	if raw || !terminal.Is(w) {
		return w
	}
	return terminal.NewFilter(w)
}
