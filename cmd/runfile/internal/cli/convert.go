package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/planner/convert"
	"github.com/runfile/runfile/schema"
)

// exitLost is the status of a conversion that is written and does not hold everything.
const exitLost = 1

var (
	convertFrom = []string{"auto", "docker-run", "compose", "runfile"}
	convertTo   = []string{"yaml", "toml", "json", "docker-run"}
)

func (a *app) convertVerb() *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use: "convert [OPTIONS] [FILE|-|docker run ...]", Short: "Make a runfile of docker run lines or a compose file, and back", GroupID: "file",
		Long: `Reads docker run lines or a compose file and prints the runfile that means the same. Of a runfile it prints a
shell script of docker run lines.

FILE may be a script for a shell, PowerShell or cmd, a manual with examples in code blocks or behind prompts, a unit
of systemd, a compose file or a runfile; what it is shows from its name and contents, or is said with --from. Without
FILE the runfile of this directory is converted. Words that begin with docker, podman or nerdctl are a command line
themselves.

Nothing is lost in silence: what the other side cannot say is listed on standard error with its line, and values
that are wrong are left out and listed, so that the runfile is valid. Containers are named by --name, else by their
image. $VAR stays a variable, declared in vars with the value that the script gives it; $(pwd) in a volume becomes
the directory of the runfile; any other $(command), and a <word> to fill in, becomes a variable to be given. Where a
script waits for a container, the next ones depend on it. Relative paths stay as they are: put the runfile where they
count from.

Exit status: 0 everything is in what was written; 1 something is not, see the list; 2 nothing was written.`,
		Example: `  runfile convert docker run -d --name web -p 8080:80 nginx > runfile.yaml
  runfile convert start.sh --to toml > runfile.toml
  runfile convert compose.yaml > runfile.yaml
  xclip -o | runfile convert - > runfile.yaml
  runfile convert --to docker-run > start.sh`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 && !isCommandLine(args) { // options may stand behind FILE
				cmd.Flags().SetInterspersed(true)
				if err := cmd.Flags().Parse(args); err != nil {
					return cmd.FlagErrorFunc()(cmd, err)
				}
				args = cmd.Flags().Args()
			}
			a.undone = "nothing was written"
			return a.convert(args, from, to)
		},
	}
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().StringVar(&from, "from", "auto", "what FILE is: "+strings.Join(convertFrom, ", "))
	cmd.Flags().StringVar(&to, "to", "", "what to write: "+strings.Join(convertTo, ", ")+" (default yaml, of a runfile docker-run)")
	return cmd
}

// isCommandLine reports whether the words are a command of docker, not a file's name and options.
func isCommandLine(args []string) bool {
	return len(args) > 0 && slices.Contains([]string{"docker", "podman", "nerdctl", "sudo"}, args[0])
}

func (a *app) convert(args []string, from, to string) error {
	if err := oneOf("from", from, convertFrom); err != nil {
		return err
	}
	if to != "" {
		if err := oneOf("to", to, convertTo); err != nil {
			return err
		}
	}
	dir, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find the working directory: %w", err)
	}
	switch {
	case len(args) == 0:
		return a.fromRunfile(to)
	case isCommandLine(args) && (from == "auto" || from == "docker-run"):
		return a.converted(convert.CommandLine(args, dir), to, dir)
	case len(args) == 1 && isCommandLine(strings.Fields(args[0])) && strings.Contains(args[0], " "):
		return a.converted(convert.DockerRun("<command line>", []byte(args[0]), dir), to, dir) // in quotes, as one word
	case len(args) > 1:
		return usagef("convert takes one file, got %q", args[1]).next("usage: runfile convert [OPTIONS] [FILE|-|docker run ...]")
	}
	return a.convertFile(args[0], from, to, dir)
}

// convertFile reads the file to find out what it is.
func (a *app) convertFile(name, from, to, dir string) error {
	text, err := a.readInput(name)
	if err != nil {
		return err
	}
	if from == "auto" {
		from = convert.Detect(name, text)
	}
	switch from {
	case "runfile":
		a.g.files = []string{name}
		a.stdin = bytes.NewReader(text)
		return a.fromRunfile(to)
	case "compose":
		if name != "-" {
			dir = filepath.Join(dir, filepath.Dir(name))
			if filepath.IsAbs(name) {
				dir = filepath.Dir(name)
			}
		}
		return a.converted(convert.Compose(name, text, dir), to, dir)
	}
	return a.converted(convert.DockerRun(name, text, dir), to, dir)
}

// maxConvert bounds what is read of a file, in bytes; the converter refuses anything near it.
const maxConvert = 2 << 20

func (a *app) readInput(name string) ([]byte, error) {
	in := a.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			var path *os.PathError
			if errors.As(err, &path) {
				err = path.Err
			}
			return nil, usagef("%s cannot be read: %v", name, err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxConvert))
	if err != nil {
		return nil, usagef("%s cannot be read: %v", name, err)
	}
	return text, nil
}

// converted writes what a converter made.
func (a *app) converted(r *convert.Result, to, dir string) error {
	if to == "docker-run" && r.Project != nil {
		return a.throughRunfile(r, dir)
	}
	if r.Project != nil {
		a.undone = "the rest was written"
	}
	if err := a.listAll(r.Diags, r.Sources); err != nil {
		return err
	}
	if r.Project == nil {
		return exit(exitUsage)
	}
	if err := r.Write(a.stdout, firstNonEmpty(to, "yaml")); err != nil {
		return err
	}
	return lost(r.Lost)
}

func lost(is bool) error {
	if is {
		return exit(exitLost)
	}
	return nil
}

// throughRunfile writes docker run lines of something that has been converted; its variables get their values as those of
// any runfile.
func (a *app) throughRunfile(r *convert.Result, dir string) error {
	var text bytes.Buffer
	if err := r.Write(&text, "yaml"); err != nil {
		return err
	}
	a.stdin, a.g.files, a.g.dir = &text, []string{"-"}, dir
	doc, diags, err := a.document()
	if err != nil {
		return err
	}
	p, more := schema.Decode(doc)
	diags = append(diags, more...)
	if !diags.HasErrors() {
		diags, err = a.script(p, doc)
		if err != nil {
			return err
		}
	}
	r.Locate(diags)
	r.Diags = slices.DeleteFunc(r.Diags, func(d diag.Diagnostic) bool { return d.Code == convert.CodeNeedsValue })
	if err := a.listAll(append(r.Diags, diags...), r.Sources); err != nil {
		return err
	}
	if diags.HasErrors() {
		return exit(exitUsage)
	}
	return lost(r.Lost || unsaid(diags))
}

// fromRunfile writes the runfile that the global flags name as a script.
func (a *app) fromRunfile(to string) error {
	if to != "" && to != "docker-run" {
		return usagef("the input is a runfile, and --to %s would make a runfile of it", to).
			next("write it as %s: runfile config --format %s", to, to).
			next("say what else the input is: --from docker-run, --from compose")
	}
	p, doc, err := a.load()
	if err != nil {
		return err
	}
	diags, err := a.script(p, doc)
	if err != nil {
		return err
	}
	if err := a.listAll(diags, doc.Sources); err != nil {
		return err
	}
	if diags.HasErrors() {
		return exit(exitUsage)
	}
	return lost(unsaid(diags))
}

// script writes docker run lines, without secrets.
func (a *app) script(p *schema.Project, doc *manifest.Document) (diag.List, error) {
	return convert.Script(a.stdout, p, schema.Mask{Values: doc.Secrets, Secret: secretName, Text: masked})
}

// unsaid reports whether docker run could not say something.
func unsaid(l diag.List) bool {
	return slices.ContainsFunc(l, func(d diag.Diagnostic) bool { return d.Code == convert.CodeNotCarried })
}

// listAll writes diagnostics, however many there are: the list is a part of the result.
func (a *app) listAll(diags diag.List, src diag.Sources) error {
	if a.g.diagnostics != "text" || len(diags) == 0 {
		var f *failure
		if err := a.report(diags, src, exitUsage); err != nil && !errors.As(err, &f) {
			return err
		}
		return nil
	}
	return diag.WriteText(a.stderr, diags, src, diag.TextOptions{Color: a.colour(a.stderr), Width: a.width(), Max: -1, Undone: a.undone})
}
