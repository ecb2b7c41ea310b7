package manifest

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/runfile/runfile/manifest/diag"
)

// commandLine is the File of diagnostics about flags.
const commandLine = "<command line>"

// Load finds, reads and merges a manifest. All problems are diagnostics, sorted by place, and the Document is never nil;
// after errors it holds what could be understood.
//
// Root's top level has only version, project, containers, networks, volumes, secrets, policy, x-* and keys that are
// unknown here. Inside containers, defaults and templates are merged in and `extends` and `override` are gone; a file
// with an image at the top has become the one container `main`, or its `name`. Every node keeps the range it came from,
// so a value from a template points into the template.
//
// Merging follows one rule everywhere (defaults under templates under the container's own options, and later -f files
// over earlier ones): single values replace, maps merge, repeatable options append, and `override: [env]` makes env
// replace what it would have been added to.
func Load(o Options) (*Document, diag.List) {
	l := newLoader(o)
	l.load()
	l.doc.Root.Range.File = l.mainName()
	l.doc.Variables = l.variables()
	l.diags.Sort()
	return l.doc, l.diags
}

// loader holds what one Load has seen.
type loader struct {
	o       Options
	cwd     string // absolute; what shown names are relative to
	dir     string // absolute o.Dir
	doc     *Document
	diags   diag.List
	sources map[string]*source // by shown name
	read    int                // files included
	bytes   int                // of all files
	// expanded counts the bytes of all values with ${...}.
	expanded int
	cli      *cliValues // of --vars-file
	project  projectName
	secrets  map[string]bool
	// declared are the variables of all files, for --var.
	declared     map[string]bool
	scopes       []*scope // in the order of reading
	uses         usage
	projectEntry *Entry
}

func newLoader(o Options) *loader {
	if o.LookupEnv == nil {
		o.LookupEnv = func(string) (string, bool) { return "", false }
	}
	if o.Repeatable == nil {
		o.Repeatable = func(string) bool { return false }
	}
	l := &loader{
		o: o, sources: map[string]*source{}, secrets: map[string]bool{}, declared: map[string]bool{},
		uses: usage{declared: map[*declaration][]diag.Range{}, undeclared: map[string][]diag.Range{}},
		doc:  &Document{Root: &Node{Kind: Map}, Sources: diag.Sources{}},
	}
	l.cwd, _ = os.Getwd()
	l.dir = Absolute(l.cwd, o.Dir)
	l.doc.Dir = l.dir
	return l
}

// shown is the path by which the user can open a file from the working directory, relative unless that is the longer one.
func (l *loader) shown(abs string) string {
	rel, err := filepath.Rel(l.cwd, abs)
	if err != nil || strings.Count(rel, "..") > 3 || len(rel) > len(abs) {
		return abs
	}
	return rel
}

// nearest is diag.Nearest, but a hostile file cannot make it compare ten thousand wrong names with as many right ones.
func (l *loader) nearest(word string, names []string) (string, bool) {
	if len(l.diags) > maxFindings {
		return "", false
	}
	return diag.Nearest(word, names)
}

func (l *loader) mainName() string {
	if len(l.doc.Files) > 0 {
		return l.doc.Files[0]
	}
	return ""
}

func (l *loader) load() {
	names := l.o.Files
	if len(names) == 0 {
		found, ok := l.find()
		if !ok {
			return
		}
		names = []string{found}
	}
	var files []*file
	for _, name := range names {
		if f := l.open(name); f != nil {
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		return
	}
	l.doc.Dir = files[0].dir
	l.cli = l.commandLineVars()
	scope := l.rootScope(files)
	l.resolveProject(files, scope)
	var all *sections
	for _, f := range files {
		s := l.sections(f, scope, []*file{f})
		if all == nil {
			all = s
		} else {
			l.overlay(all, s)
		}
	}
	l.checkVars(scope)
	l.unusedFlags(scope)
	l.finish(all)
}

// runfileNames are what a search looks for in each directory.
var runfileNames = []string{"runfile.yaml", "runfile.yml", "runfile.toml"}

// Find returns the runfile that Load reads when it is given none, as the user may open it from the working directory;
// dir is where the search starts, "" the working directory. The name is empty after an error.
func Find(dir string) (string, diag.List) {
	l := newLoader(Options{Dir: dir})
	path, ok := l.find()
	if !ok {
		return "", l.diags
	}
	return l.shown(path), nil
}

// find searches the directory and its parents.
func (l *loader) find() (string, bool) {
	if info, err := os.Stat(l.dir); err != nil || !info.IsDir() { // a parent's runfile is not what was meant
		l.diags.Errorf(CodeNoRunfile, diag.Range{}, "there is no directory %s", l.dir).WithHelp("check the path given with -C")
		return "", false
	}
	for dir := l.dir; ; dir = filepath.Dir(dir) {
		var found []string
		for _, name := range runfileNames {
			if info, err := os.Stat(filepath.Join(dir, name)); err == nil && !info.IsDir() {
				found = append(found, name)
			}
		}
		switch {
		case len(found) == 1:
			return filepath.Join(dir, found[0]), true
		case len(found) > 1:
			at := diag.Range{File: l.shown(filepath.Join(dir, found[0]))}
			l.diags.Errorf(CodeSeveralRunfiles, at, "this directory has %s", strings.Join(found, " and ")).
				WithHelp("remove one, or choose: runfile -f %s ...", found[0])
			return "", false
		case dir == filepath.Dir(dir):
			d := l.diags.Errorf(CodeNoRunfile, diag.Range{}, "there is no %s in %s or its parents",
				strings.Join(runfileNames, ", "), l.dir)
			if other, _ := filepath.Glob(filepath.Join(l.dir, "*.runfile.*")); len(other) > 0 {
				d.WithHelp("name the file: runfile -f %s ...", filepath.Base(other[0]))
			} else {
				d.WithHelp("write a runfile.yaml, to begin with just: image: alpine")
			}
			return "", false
		}
	}
}

// file is one parsed text.
type file struct {
	abs  string     // "" for standard input
	name string     // as shown
	dir  string     // absolute; relative paths in the file count from it
	root *Node      // a Map
	at   diag.Range // where it is included
}

// open reads a file that the user named.
func (l *loader) open(name string) *file {
	if name == "-" {
		var text []byte
		var err error
		if l.o.Stdin != nil {
			text, err = io.ReadAll(io.LimitReader(l.o.Stdin, maxFileSize+1))
		}
		if err != nil {
			l.diags.Errorf(CodeUnreadableFile, diag.Range{File: "-"}, "standard input cannot be read: %s", plainError(err))
			return nil
		}
		return l.parse(&file{name: "-", dir: l.dir}, text)
	}
	abs := Absolute(l.dir, name)
	f := &file{abs: abs, name: l.shown(abs), dir: filepath.Dir(abs)}
	text, why := readFile(abs, true)
	if why != "" {
		l.diags.Errorf(CodeUnreadableFile, diag.Range{File: f.name}, "this file cannot be read: %s", why).
			WithHelp("check the path given with -f")
		return nil
	}
	return l.parse(f, text)
}

// readFile reads at most one byte more than a file may have, and says in plain words why it cannot. Files that a
// manifest names must be regular, because a pipe would make the reader wait for ever.
func readFile(path string, pipes bool) ([]byte, string) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, plainError(err)
	case info.IsDir():
		return nil, "it is a directory"
	case !info.Mode().IsRegular() && !pipes:
		return nil, "it is not a regular file"
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, plainError(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, plainError(err)
	}
	return text, ""
}

// plainError is the operating system's reason without the call and path around it.
func plainError(err error) string {
	switch {
	case os.IsNotExist(err):
		return "it does not exist"
	case os.IsPermission(err):
		return "permission denied"
	}
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok || u.Unwrap() == nil {
			return err.Error()
		}
		err = u.Unwrap()
	}
}

// parse fills in a file's tree; nil when there is nothing to go on with.
func (l *loader) parse(f *file, text []byte) *file {
	if l.bytes += len(text); l.bytes > maxTotal {
		l.diags.Errorf(CodeLimit, diag.Range{File: f.name}, "the files of the runfile are larger than %d MiB together", maxTotal>>20)
		return nil
	}
	l.doc.Files = append(l.doc.Files, f.name)
	text = bytes.TrimPrefix(text, byteOrderMark)
	l.sources[f.name] = newSource(f.name, text)
	l.doc.Sources[f.name] = text
	read := ParseYAML
	if IsTOML(f.name, text) {
		read = ParseTOML
	}
	root, d := read(f.name, text)
	l.diags = append(l.diags, d...)
	switch {
	case root == nil:
		return nil
	case root.Kind != Map:
		l.notMap(root)
		return nil
	case len(root.Entries) == 0 && !d.HasErrors():
		l.diags.Errorf(CodeEmptyFile, diag.Range{File: f.name}, "this file is empty").
			WithHelp("write at least `image: NAME`")
		return nil
	}
	f.root = root
	return f
}

// notMap reports a text that is one value. Most often it is meant for somebody else.
func (l *loader) notMap(root *Node) {
	if s := l.sources[root.Range.File]; root.Kind == Scalar {
		if g := tomlText(s, 0, 0); g != nil {
			l.diags.Errorf(CodeWrongShape, g.at, "%s", g.summary).WithHelp("%s", g.help)
			return
		}
	}
	d := l.diags.Errorf(CodeWrongShape, root.Range, "a runfile is a map of keys, this is %s", root.kindName())
	if strings.HasPrefix(root.Text, "docker run ") {
		d.WithHelp("this is a command: `runfile run` takes the same options, and with --print writes the runfile for them")
		return
	}
	d.WithHelp("write `image: NAME`, or a `containers` section")
}

// IsTOML reports whether a text is read as TOML. It goes by the file's name, and by the first line with content where
// the name says nothing (standard input, pipes).
func IsTOML(name string, text []byte) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".toml":
		return true
	case ".yaml", ".yml", ".json":
		return false
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, _, assigned := strings.Cut(line, "=")
		return line[0] == '[' || assigned && !strings.ContainsAny(key, ":{")
	}
	return false
}
