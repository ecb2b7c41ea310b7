package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
)

func (a *app) planVerb() *cobra.Command {
	var format string
	var detailed, recreate bool
	cmd := &cobra.Command{
		Use: "plan [OPTIONS] [NAME...]", Short: "Show what up would do and why; change nothing", GroupID: "file",
		Long: "Compares the runfile with what exists and prints the steps that up would take, each with its reason.\n" +
			"With --detailed-exitcode the status is 0 for nothing to do, 2 for changes and 1 for an error.",
		ValidArgsFunction: a.completeKeys,
		RunE: func(_ *cobra.Command, args []string) error {
			changes, err := a.plan(args, format, recreate)
			switch {
			case detailed && err != nil:
				f := asOurs(err)
				f.code = 1
				return f
			case detailed && changes && err == nil:
				return exit(2)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, json, dot or mermaid")
	cmd.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit 0 for no changes, 2 for changes, 1 for errors")
	cmd.Flags().BoolVar(&recreate, "force-recreate", false, "plan to replace containers even if nothing changed")
	return cmd
}

// asOurs is err as a failure of its own, which may be changed.
func asOurs(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		copied := *f
		return &copied
	}
	return asFailure(err)
}

func (a *app) plan(names []string, format string, recreate bool) (changes bool, err error) {
	if err := oneOf("format", format, []string{"text", "json", "dot", "mermaid"}); err != nil {
		return false, err
	}
	p, doc, err := a.load()
	if err != nil {
		return false, err
	}
	if err := a.remap(p, doc.Sources); err != nil {
		return false, err
	}
	records, err := a.records(p.Name)
	if errors.Is(err, os.ErrPermission) {
		fmt.Fprintf(a.stderr, "runfile: what runs is only visible to root; this plan is made as if nothing did\n")
		records, err = nil, nil
	}
	if err != nil {
		return false, err
	}
	plan, diags := planner.Make(p, planner.Options{
		Names: names, Profiles: a.g.profiles, Observed: observed(records), ForceRecreate: recreate,
	})
	if err := a.report(diags, doc.Sources, exitUsage); err != nil {
		return false, err
	}
	if err := a.askHost(plan, doc.Sources); err != nil {
		return false, err
	}
	switch format {
	case "json":
		err = plan.WriteJSON(a.stdout)
	case "dot":
		err = plan.WriteDOT(a.stdout)
	case "mermaid":
		err = plan.WriteMermaid(a.stdout)
	default:
		err = plan.WriteText(a.stdout)
	}
	return changesAnything(plan), err
}

// changesAnything reports whether a plan does more than look.
func changesAnything(p *planner.Plan) bool {
	for _, s := range p.Steps {
		if s.Kind != planner.Keep && s.Kind != planner.Await {
			return true
		}
	}
	return false
}

// observed is what the planner wants to know of the containers that exist.
func observed(records []executor.Record) []planner.Observed {
	var out []planner.Observed
	for i := range records {
		r := &records[i]
		o := planner.Observed{
			Key: r.Key, ID: r.ID, Name: r.Name, Config: r.Config,
			Running: r.State == executor.Running || r.State == executor.Restarting,
		}
		if r.Spec != nil {
			o.Service = r.Spec.IsService()
		}
		if r.Effective != nil {
			o.ImageID = r.Effective.ImageID
		}
		out = append(out, o)
	}
	return out
}

// roles maps the keys of the selected containers to whether they are services, in the order in which they start.
func startOrder(p *planner.Plan) []*schema.Container {
	var out []*schema.Container
	for _, level := range p.Order() {
		for _, key := range level {
			if c := p.Project.Container(key); c != nil {
				out = append(out, c)
			}
		}
	}
	return out
}
