package cli

import (
	"github.com/spf13/cobra"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/project"
)

func (a *app) superviseVerb() *cobra.Command {
	return &cobra.Command{
		Use: "supervise PROJECT", Short: "Be the supervisor of a project", Hidden: true,
		Long: "Runs as the project's supervisor. Commands start it when they need it; there is no need to call it by hand.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return project.Serve(cmd.Context(), project.ServeConfig{
				Paths: a.paths, Project: args[0], Version: versionText(),
				NewEngine: func() (engine.Engine, error) { return newEngine(a.paths, args[0]) },
			})
		},
	}
}
