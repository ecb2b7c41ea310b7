package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/format"
)

// version is set by the linker: the tag or commit that was built.
var version = ""

func (a *app) versionVerb() *cobra.Command {
	var text string
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version", GroupID: "about", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.printVersion(text) },
	}
	cmd.Flags().StringVar(&text, "format", "", "json, yaml or a Go template with {{.Version}} {{.Go}} {{.OS}} {{.Arch}}")
	return cmd
}

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

func (a *app) printVersion(text string) error {
	v := struct{ Version, Go, OS, Arch string }{versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH}
	if text != "" {
		return format.One(a.stdout, text, v)
	}
	_, err := fmt.Fprintf(a.stdout, "runfile %s (%s, %s/%s)\n", v.Version, v.Go, v.OS, v.Arch)
	return err
}
