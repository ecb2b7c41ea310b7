package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/progress"
	"github.com/runfile/runfile/cmd/runfile/internal/cli/terminal"
	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// pullRequest is an image to bring into the store.
type pullRequest struct {
	ref      value.ImageRef
	platform string
	policy   string
	tag      string // a further name to give it
}

func (a *app) pullVerb() *cobra.Command {
	var o pullRequest
	cmd := &cobra.Command{
		Use: "pull [OPTIONS] [NAME|IMAGE...]", Short: "Bring images to this host: of the runfile, or those named", GroupID: "images",
		Long: "Fetches the images of the runfile's containers, or of the containers named. A name that is no container of the runfile is an\n" +
			"image: from a registry, or oci:DIR, oci-archive:FILE, docker-archive:FILE.",
		ValidArgsFunction: a.completeKeys,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.pull(cmd.Context(), args, o)
		},
	}
	cmd.Flags().StringVar(&o.platform, "platform", "", "os/arch of the image (default: the container's, else this host's)")
	cmd.Flags().StringVar(&o.policy, "policy", "always", "always, or missing: only what is not there")
	cmd.Flags().StringVar(&o.tag, "tag", "", "give the image this name as well; for one image, of an archive above all")
	return cmd
}

func (a *app) pull(ctx context.Context, args []string, o pullRequest) error {
	if err := oneOf("policy", o.policy, []string{"always", "missing"}); err != nil {
		return err
	}
	requests, err := a.pullRequests(args, o)
	if err != nil {
		return err
	}
	if o.tag != "" && len(requests) != 1 {
		return usagef("--tag names one image, and these are %d", len(requests)).next("name the image: runfile pull --tag NAME IMAGE")
	}
	if err := needRoot("pull"); err != nil {
		return err
	}
	mode := a.progressMode()
	if mode == progress.TTY {
		mode = progress.Plain
	}
	ui := progress.New(progress.Options{Out: a.stderr, Mode: mode, Colour: a.colour(a.stderr)})
	defer ui.Close()
	var errs []error
	for _, r := range requests {
		errs = append(errs, a.pullOne(ctx, r, ui))
	}
	return errors.Join(errs...)
}

// pullOne fetches one image and prints its name and id.
func (a *app) pullOne(ctx context.Context, r pullRequest, ui *progress.UI) error {
	ui.Observe(pullEvent(executor.EventPullStart, r, nil))
	id, err := pullImage(ctx, a.paths, r, func(p engine.Progress) {
		ui.Observe(pullEvent(executor.EventProgress, r, &p))
	})
	if err != nil {
		if strings.Contains(err.Error(), r.ref.Text) {
			return err // the store says itself which image it is
		}
		return fmt.Errorf("pull %s: %w", r.ref.Text, err)
	}
	ui.Observe(pullEvent(executor.EventStepDone, r, nil))
	_, err = fmt.Fprintf(a.stdout, "%s  %s\n", terminal.Clean(firstNonEmpty(r.ref.Text, r.ref.Name)), id)
	return err
}

// pullRequests are the images of the containers named, of all containers without names, or of images named.
func (a *app) pullRequests(args []string, o pullRequest) ([]pullRequest, error) {
	var p *schema.Project
	if len(args) == 0 || slices.ContainsFunc(args, func(arg string) bool { return slices.Contains(a.keys(), arg) }) {
		var err error
		if p, _, err = a.load(); err != nil {
			return nil, err
		}
	}
	if len(args) == 0 {
		for _, c := range p.Containers {
			args = append(args, c.Key)
		}
	}
	var out []pullRequest
	for _, arg := range args {
		r := o
		if p != nil && p.Container(arg) != nil {
			c := p.Container(arg)
			r.ref = c.Image.Ref.Value
			r.platform = firstNonEmpty(o.platform, c.Image.Platform.Value)
		} else {
			ref, err := value.ParseImage(arg)
			if err != nil {
				return nil, usagef("%v", err)
			}
			r.ref = ref
		}
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out, nil
}

func pullEvent(kind executor.EventType, r pullRequest, p *engine.Progress) executor.Event {
	ev := executor.Event{Type: kind, Time: time.Now(), Object: firstNonEmpty(r.ref.Text, r.ref.Name), Progress: p}
	if kind == executor.EventStepDone {
		ev.Detail = string(planner.Pull) + " " + ev.Object
	}
	return ev
}
