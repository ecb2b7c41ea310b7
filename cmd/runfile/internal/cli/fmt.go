package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema/tidy"
)

// formatter is one call of the verb fmt.
type formatter struct {
	a           *app
	check, diff bool
	tidy        tidy.Options
	changed     int // files that were not in normal form
	wrong       bool
}

func (a *app) fmtVerb() *cobra.Command {
	f := &formatter{a: a}
	cmd := &cobra.Command{
		Use: "fmt [OPTIONS] [FILE...]", Short: "Write runfiles in their normal form, comments kept", GroupID: "file",
		Long: "Rewrites the runfile, or the files named, in normal form: two spaces of indentation, quotes only where they are needed,\n" +
			"a list wherever an option takes several values, one line for what fits on one. Comments, single blank lines, the order\n" +
			"of containers and the meaning stay; a file with mistakes of syntax is left alone. - reads standard input and writes to\n" +
			"standard output. The names of files that were changed are printed.",
		Example: "  runfile fmt\n  runfile fmt --check ci/*.runfile.toml\n  runfile fmt --diff --sort",
		RunE:    func(_ *cobra.Command, args []string) error { return f.run(args) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"yaml", "yml", "toml"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	cmd.Flags().BoolVar(&f.check, "check", false, "change nothing; name the files that fmt would change, and fail if there are any")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "change nothing; print what fmt would change")
	cmd.Flags().BoolVar(&f.tidy.Sort, "sort", false, "also put keys in the order of docker's help, between blank lines and comment lines")
	return cmd
}

func (f *formatter) run(names []string) error {
	names, err := f.names(names)
	if err != nil {
		return err
	}
	f.a.undone = "it was left as it is"
	for _, name := range names {
		if err := f.file(name); err != nil {
			return err
		}
	}
	switch {
	case f.wrong:
		return exit(exitUsage)
	case f.check && f.changed > 0:
		return exit(1)
	}
	return nil
}

// names are the files to format: those given, those of -f, or the runfile that other verbs would read.
func (f *formatter) names(given []string) ([]string, error) {
	if len(given) == 0 {
		given = f.a.g.files
	}
	if len(given) == 0 {
		name, diags := manifest.Find(f.a.g.dir)
		return []string{name}, f.a.report(diags, nil, exitUsage)
	}
	out := slices.Clone(given)
	for i, name := range out {
		if name != "-" && !filepath.IsAbs(name) {
			out[i] = filepath.Join(f.a.g.dir, name)
		}
	}
	return out, nil
}

// file formats one file. What is wrong with its text is reported, and the next is looked at.
func (f *formatter) file(name string) error {
	text, err := f.read(name)
	if err != nil {
		return err
	}
	out, diags := tidy.Format(name, text, f.tidy)
	if diags.HasErrors() {
		f.wrong = true
		if err := f.a.report(diags, diag.Sources{name: text}, 0); err != nil {
			return err
		}
	}
	same := bytes.Equal(out, text)
	if !same {
		f.changed++
	}
	switch {
	case f.diff:
		_, err = f.a.stdout.Write(diff.Diff(name+".orig", text, name, out))
	case f.check:
		if !same {
			_, err = fmt.Fprintln(f.a.stdout, name)
		}
	case name == "-":
		_, err = f.a.stdout.Write(out)
	case !same:
		if err = replaceFile(name, out); err == nil {
			_, err = fmt.Fprintln(f.a.stdout, name)
		}
	}
	return err
}

func (f *formatter) read(name string) ([]byte, error) {
	var text []byte
	var err error
	if name == "-" {
		text, err = io.ReadAll(f.a.stdin)
	} else {
		text, err = os.ReadFile(name)
	}
	if err == nil {
		return text, nil
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return nil, usagef("%s cannot be read: %w", name, err)
}

// replaceFile puts a new text in the place of a file at once, so that nobody reads a part of it, and keeps its mode and
// owner. A symbolic link stays, and the file it leads to is replaced.
func replaceFile(name string, text []byte) error {
	path, err := filepath.EvalSymlinks(name)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = temp.Write(text)
	if err == nil {
		err = copyOwner(temp, info) // before the mode: a change of owner drops set-user-id
	}
	if err == nil {
		err = temp.Chmod(info.Mode())
	}
	if err == nil {
		err = temp.Sync()
	}
	if cerr := temp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temp.Name()) // the first error is the one to report
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
