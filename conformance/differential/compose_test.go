package differential

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/dotenv"
	composeschema "github.com/compose-spec/compose-go/v2/schema"
	"github.com/docker/cli/pkg/kvfile"
	"github.com/sirupsen/logrus"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/planner/convert"
	"github.com/runfile/runfile/schema"
)

// composeFile is a compose file that Compose's own library and runfile convert read.
type composeFile struct {
	about string // a key of it, or what its texts have in common
	short string // what makes it different from others, for messages and tables
	text  string
}

// composeVerdict is one place of a compose file on both sides, or the file as a whole.
type composeVerdict struct {
	file                   *composeFile
	place                  string // services.web.image; "" for the whole file
	compose, runfile       string // what stands there
	composeErr, runfileErr error
}

// kind is how the sides part. runfile is wider where it converts what compose refuses without a word.
func (v composeVerdict) kind() kind {
	switch {
	case v.composeErr != nil:
		return wider
	case v.runfileErr != nil:
		return stricter
	}
	return otherwise
}

// String shows both sides.
func (v composeVerdict) String() string {
	said := func(err error, text string) string {
		if err != nil {
			return "refuses it: " + err.Error()
		}
		return fmt.Sprintf("has %q", text)
	}
	return fmt.Sprintf("%s: %s\n\tcompose %s\n\trunfile %s", v.file.short, cmp.Or(v.place, "the file"), said(v.composeErr, v.compose), said(v.runfileErr, v.runfile))
}

// composeSide loads a file as docker compose does, with all profiles. Compose panics over some files, which refuses them, too.
func composeSide(dir, name string) (f facts, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	o, err := cli.NewProjectOptions([]string{filepath.Join(dir, name)}, cli.WithWorkingDirectory(dir), cli.WithOsEnv, cli.WithEnvFiles(), cli.WithDotEnv, cli.WithProfiles([]string{"*"}))
	if err != nil {
		return nil, err
	}
	p, err := o.LoadProject(context.Background())
	if err != nil {
		return nil, err
	}
	return theirs(p), nil
}

// conversion is what runfile convert makes of a file.
type conversion struct {
	facts   facts
	reports []string // the places of what the converter said
	written bool
	err     error // why nothing was written, or what is wrong with that
}

// runfileSide converts a file and reads what comes out as runfile config does.
func runfileSide(dir, name, text string) (c conversion) {
	r := convert.Compose(name, []byte(text), dir)
	for _, d := range r.Diags {
		if d.Code == convert.CodeNeedsValue || d.Code == schema.CodeNoEffect {
			continue // all is carried
		}
		c.reports = append(c.reports, place(d.Summary))
	}
	if r.Project == nil {
		c.err = problem(r.Diags)
		return c
	}
	var out bytes.Buffer
	c.written, c.err = true, r.Write(&out, "yaml")
	if c.err != nil {
		return c
	}
	doc, diags := manifest.Load(manifest.Options{
		Files: []string{"-"}, Stdin: &out, Dir: dir, LookupEnv: os.LookupEnv, Repeatable: schema.Repeatable,
	})
	p, more := schema.Decode(doc)
	diags = slices.Concat(diags, more, planner.Check(p, more))
	c.err = problem(slices.DeleteFunc(diags, func(d diag.Diagnostic) bool { return d.Code == schema.CodeNotYet }))
	if c.err == nil {
		_, edges, _ := planner.Sequence(p)
		c.facts = ours(p, edges)
	}
	return c
}

var placed = regexp.MustCompile(`^([a-z]+(\.[^ ]+)?): `)

// place is what a message of the converter is about: services.web.ports of services.web.ports[0]: ...
func place(summary string) string {
	m := placed.FindStringSubmatch(summary)
	if m == nil {
		return ""
	}
	at, _, _ := strings.Cut(m[1], "[")
	return at
}

// rawFormat reads an env_file as docker compose does where its format is raw: with docker run's parser.
func rawFormat(r io.Reader, _ string, vars map[string]string, lookup func(string) (string, bool)) error {
	list, err := kvfile.ParseFromReader(r, lookup)
	maps.Copy(vars, mapped(list))
	return err
}

// compareCompose reads one file on both sides and returns where they part, and all places that were compared or reported.
func compareCompose(dir string, file *composeFile) (list []composeVerdict, places []string) {
	const name = "compose.yaml"
	if err := os.WriteFile(filepath.Join(dir, name), []byte(file.text), 0o600); err != nil {
		panic(err)
	}
	compose, composeErr := composeSide(dir, name)
	runfile := runfileSide(dir, name, file.text)
	places = append(slices.Collect(maps.Keys(compose)), runfile.reports...)
	switch {
	case composeErr != nil:
		if runfile.err == nil && len(runfile.reports) == 0 {
			list = append(list, composeVerdict{file: file, composeErr: composeErr})
		}
		return list, places
	case runfile.err != nil:
		if runfile.written || len(runfile.reports) == 0 {
			list = append(list, composeVerdict{file: file, runfileErr: runfile.err})
		}
		return list, places
	}
	for _, at := range slices.Sorted(maps.Keys(merged(compose, runfile.facts))) {
		if compose[at] != runfile.facts[at] && !reported(at, runfile) {
			list = append(list, composeVerdict{file: file, place: at, compose: compose[at], runfile: runfile.facts[at]})
		}
	}
	return list, places
}

func merged(a, b facts) facts {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// reported says whether the converter spoke of a place, of what it is in, or of a part of it, or of that in the service base,
// which others extend. Without a place, it spoke of the file. A service that is missing as a whole needs a word about
// something in it, or about what would bring it in.
func reported(at string, c conversion) bool {
	parts := strings.SplitN(at, ".", 3)
	service := parts[0] + "." + parts[1]
	missing := parts[0] == "services" && c.facts[service] == ""
	places := append(sameAs(at), at)
	if c.facts["services.base"] != "" && len(parts) == 3 {
		places = append(places, "services.base."+parts[2])
	}
	return slices.ContainsFunc(c.reports, func(r string) bool {
		switch {
		case r == "" || missing && (r == "include" || strings.HasPrefix(r, service)):
			return true
		case r == service+".provider" || strings.HasPrefix(r, service+".extends"): // what the service is
			return true
		}
		return slices.ContainsFunc(places, func(other string) bool {
			return r == other || strings.HasPrefix(other, r+".") || strings.HasPrefix(r, other+".")
		})
	})
}

// composeOutcome is what comparing all compose files came to.
type composeOutcome struct {
	unexplained []composeVerdict
	texts       map[*difference][]verdict
	files       []composeFile
	said        map[string]bool // places of all facts and reports
}

// compareAllCompose reads every file, once for all tests.
var compareAllCompose = sync.OnceValue(func() composeOutcome {
	logrus.SetOutput(io.Discard)
	dotenv.RegisterFormat("raw", rawFormat)
	dir := composeDir()
	o := composeOutcome{texts: map[*difference][]verdict{}, files: composeFiles(), said: map[string]bool{}}
	for i := range o.files {
		list, places := compareCompose(dir, &o.files[i])
		for _, at := range places {
			o.said[at] = true
		}
		for _, v := range list {
			if d, key := explainCompose(v); d != nil {
				o.texts[d] = append(o.texts[d], verdict{syntax: key, text: v.file.short})
			} else {
				o.unexplained = append(o.unexplained, v)
			}
		}
	}
	return o
})

// explainCompose returns the listed difference that covers a verdict and the key by which it does, or nil.
func explainCompose(v composeVerdict) (d *difference, key string) {
	for i := range composeDifferences {
		d := &composeDifferences[i]
		if d.kind != v.kind() || !slices.ContainsFunc(strings.Split(v.file.short, "; "), d.texts) {
			continue
		}
		for _, key := range d.syntaxes {
			if inside(v, key) {
				return d, key
			}
		}
	}
	return nil, ""
}

// inside says whether a verdict is about a key: about the file for what is refused, else about the place.
func inside(v composeVerdict, key string) bool {
	if v.place == "" {
		return v.file.about == key
	}
	at := v.place
	if rest, ok := strings.CutPrefix(at, "services."); ok {
		_, at, _ = strings.Cut(rest, ".")
	}
	return at == key || strings.HasPrefix(at, key+".")
}

// enoughFiles is the least number of compose files that proves something.
const enoughFiles = 800

func TestCompose(t *testing.T) {
	o := compareAllCompose()
	for _, v := range o.unexplained {
		t.Errorf("%v", v)
	}
	t.Logf("%d compose files", len(o.files))
	texts := map[string]bool{}
	for _, f := range o.files {
		if texts[f.text] {
			t.Errorf("twice: %s", f.short)
		}
		texts[f.text] = true
	}
	if len(o.files) < enoughFiles {
		t.Errorf("%d compose files, want at least %d", len(o.files), enoughFiles)
	}
}

// sections are the definitions of Compose's own JSON schema with where their keys stand in a file.
var sections = map[string]string{
	"container_spec": "services", "workload_spec": "services", "service": "services", "network": "networks", "volume": "volumes",
	"secret": "secrets", "config": "configs",
}

// TestComposeKeysAreSeen: of each key that Compose knows there is a file in which it has been compared or reported.
func TestComposeKeysAreSeen(t *testing.T) {
	var known struct {
		Defs map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(composeschema.Schema), &known); err != nil {
		t.Fatal(err)
	}
	count := 0
	for def, section := range sections {
		for key := range known.Defs[def].Properties {
			count++
			if !seen(section, key) {
				t.Errorf("no file shows what becomes of %s of %s", key, section)
			}
		}
	}
	t.Logf("%d keys", count)
	if count < 120 {
		t.Errorf("the schema has changed its form: %d keys", count)
	}
}

// seen says whether the key of an entry of a section is among all that was compared or reported. The files of secrets and
// configs are seen where they are mounted.
func seen(section, key string) bool {
	if key == "file" {
		return true
	}
	for at := range compareAllCompose().said {
		parts := strings.SplitN(at, ".", 3)
		if len(parts) == 3 && parts[0] == section {
			for _, other := range append(sameAs(at), at) {
				rest, _, _ := strings.Cut(strings.SplitN(other, ".", 3)[2], ".")
				if rest == key {
					return true
				}
			}
		}
	}
	return false
}

func TestComposeDifferencesAreNeeded(t *testing.T) {
	for i := range composeDifferences {
		d := &composeDifferences[i]
		for _, key := range d.syntaxes {
			if !slices.ContainsFunc(compareAllCompose().texts[d], func(v verdict) bool { return v.syntax == key }) {
				t.Errorf("no compose file needs this for %s: compose %s, runfile %s", key, d.docker, d.runfile)
			}
		}
	}
}
