package cli

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/format"
	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/project"
)

// psFlags are the options of ps.
type psFlags struct {
	all, quiet, everywhere, full bool
	format                       string
}

func (a *app) psVerb() *cobra.Command {
	var o psFlags
	cmd := &cobra.Command{
		Use: "ps [OPTIONS]", Short: "List the containers of the project", GroupID: "containers", Args: noArgs,
		Long: "Lists what runs, or with -a all containers of the project. --format takes table, json, yaml or a Go template with\n" +
			"docker's fields: {{.ID}} {{.Names}} {{.Image}} {{.Command}} {{.CreatedAt}} {{.RunningFor}} {{.Ports}} {{.State}}\n" +
			"{{.Status}} {{.Labels}} {{.Label \"x\"}} {{.Mounts}} {{.Networks}}, and ours: {{.Key}} {{.Role}} {{.Project}} {{.Detail}}\n" +
			"{{.Age}} {{.ExitCode}} {{.Health}}.",
		RunE: func(*cobra.Command, []string) error { return a.ps(o) },
	}
	f := cmd.Flags()
	f.BoolVarP(&o.all, "all", "a", false, "those that do not run, too")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "ids only")
	f.BoolVar(&o.everywhere, "all-projects", false, "of every project on this host")
	f.BoolVar(&o.full, "no-trunc", false, "whole ids and commands")
	f.StringVar(&o.format, "format", "", "table, json, yaml or a Go template")
	return cmd
}

func (a *app) ps(o psFlags) error {
	if err := needRoot("ps"); err != nil {
		return err
	}
	records, err := a.psRecords(o)
	if err != nil {
		return err
	}
	if len(records) == 0 && o.isTable() && !o.everywhere {
		if name, named, err := a.home(); err == nil {
			a.sayEmpty(name, named)
		}
	}
	rows := o.rows(records)
	if o.quiet {
		for _, row := range rows {
			if _, err := fmt.Fprintln(a.stdout, row.ID); err != nil {
				return err
			}
		}
		return nil
	}
	columns := format.ContainerColumns
	if o.everywhere {
		columns = "{{.Project}}\t" + columns
	}
	return format.List(a.stdout, o.format, columns, format.ContainerHeaders(), rows)
}

// isTable says whether people read the output rather than programs.
func (o psFlags) isTable() bool { return !o.quiet && (o.format == "" || o.format == "table") }

// rows are the containers to print.
func (o psFlags) rows(records []executor.Record) []format.Container {
	rows := []format.Container{}
	now := time.Now()
	for i := range records {
		if r := &records[i]; o.all || r.State == executor.Running || r.State == executor.Restarting {
			rows = append(rows, format.NewContainer(r, now, o.full))
		}
	}
	return rows
}

// psRecords returns the records in an order that does not change between calls: by project, then as they were made.
func (a *app) psRecords(o psFlags) ([]executor.Record, error) {
	var names []string
	if o.everywhere {
		all, err := project.Projects(a.paths)
		if err != nil {
			return nil, err
		}
		names = all
	} else {
		home, err := a.project()
		if err != nil {
			return nil, err
		}
		names = []string{home}
	}
	var out []executor.Record
	for _, name := range names {
		records, err := a.records(name)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(records, func(a, b executor.Record) int {
			return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Key, b.Key))
		})
		out = append(out, records...)
	}
	return out, nil
}
