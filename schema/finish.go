package schema

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema/value"
)

// maxFile bounds env-files, label-files and seccomp profiles, in bytes.
const maxFile = 4 << 20

// finish makes a container complete once all its options are read: paths become absolute, values come in from files
// and from the environment, and mounts that docker drops are dropped.
func (d *decoder) finish(c *Container) {
	if r := &c.Image.Ref; r.Set && r.Value.Scheme != "" {
		r.Value.Path = manifest.Slashed(d.absolute(r.Value.Path, r.At))
	}
	for _, f := range []*Opt[string]{&c.Metadata.CIDFile, &c.Process.InitPath} {
		if f.Set {
			f.Value = d.absolute(f.Value, f.At)
		}
	}
	if c.OS() == linux {
		d.sources(c)
	}
	for i := range c.Lifecycle.Artifacts {
		a := &c.Lifecycle.Artifacts[i]
		directory := strings.HasSuffix(a.Value.To, "/")
		a.Value.To = d.absolute(a.Value.To, a.At)
		if directory {
			a.Value.To += "/"
		}
	}
	d.environment(c)
	d.labels(c)
	d.seccomp(c)
	dropMounts(c)
}

// sources makes the host's side of mounts absolute. It has slashes on Windows, too, where a colon would end it.
func (d *decoder) sources(c *Container) {
	for i := range c.Mounts.Volumes {
		if v := &c.Mounts.Volumes[i]; v.Value.Type == value.Bind {
			v.Value.Source = manifest.Slashed(d.absolute(v.Value.Source, v.At))
		}
	}
	for i := range c.Mounts.Mounts {
		if m := &c.Mounts.Mounts[i]; m.Value.Type == value.Bind {
			m.Value.Source = manifest.Slashed(d.absolute(m.Value.Source, m.At))
		}
	}
}

// labels reads the label-files.
func (d *decoder) labels(c *Container) {
	for i := range c.Metadata.LabelFile {
		f := &c.Metadata.LabelFile[i]
		f.Value = d.absolute(f.Value, f.At)
		kvs := d.pairsFile("label-file", f.Value, f.At, value.ReadLabelFile)
		c.Metadata.LabelsFromFiles = append(c.Metadata.LabelsFromFiles, kvs...)
	}
}

// environment looks up what is inherited and reads the env-files.
func (d *decoder) environment(c *Container) {
	for i := range c.Process.Env {
		kv := &c.Process.Env[i].Value
		if !kv.HasValue {
			kv.Value, kv.HasValue = d.env(kv.Key)
			kv.Inherited = kv.HasValue
		}
	}
	for i := range c.Process.EnvFile {
		f := &c.Process.EnvFile[i]
		f.Value = d.absolute(f.Value, f.At)
		kvs := d.pairsFile("env-file", f.Value, f.At, func(r io.Reader) ([]value.KeyValue, error) { return value.ReadEnvFile(r, d.env) })
		c.Process.EnvFromFiles = append(c.Process.EnvFromFiles, kvs...)
	}
}

// pairsFile reads a file of NAME=VALUE lines that an option names.
func (d *decoder) pairsFile(option, path string, at diag.Range, read func(io.Reader) ([]value.KeyValue, error)) []value.KeyValue {
	r, err := openFile(path, at)
	if err != nil {
		d.unreadable(option, at, path, err)
		return nil
	}
	kvs, err := read(io.LimitReader(r, maxFile))
	_ = r.Close() // read only
	d.lineErrors(option, path, at, err)
	return kvs
}

// beside is what messages call a file: its path as they have the path of the manifest that names it.
func (d *decoder) beside(from diag.Range, path string) string {
	rel, err := filepath.Rel(d.absolute(".", from), path)
	if err != nil || !filepath.IsLocal(rel) {
		return path
	}
	return filepath.Join(filepath.Dir(from.File), rel)
}

// lineErrors reports each wrong line at its place in the file.
func (d *decoder) lineErrors(option, path string, from diag.Range, err error) {
	if err == nil {
		return
	}
	list := []error{err}
	if j, ok := err.(interface{ Unwrap() []error }); ok { // what errors.Join returns
		list = j.Unwrap()
	}
	for _, err := range list {
		at := diag.Range{File: d.beside(from, path)}
		var line *value.FileError
		if errors.As(err, &line) {
			at.Start = diag.Pos{Line: line.Line, Column: line.Column}
			at.End = diag.Pos{Line: line.Line, Column: line.Column + 1}
		}
		diagnostic := d.diags.Errorf(CodeEnvFileLine, at, "%s, %s: %v", d.who, option, err).Also(from, "named here")
		advise(diagnostic, nil, err)
	}
}

// seccomp reads the profile of the last seccomp option, which is the one that counts.
func (d *decoder) seccomp(c *Container) {
	for i := range c.Security.Options {
		o := &c.Security.Options[i]
		if o.Value.Key != "seccomp" {
			continue
		}
		c.Security.SeccompProfile = ""
		if o.Value.Value == "unconfined" || o.Value.Value == "builtin" {
			continue
		}
		o.Value.Value = d.absolute(o.Value.Value, o.At)
		r, err := openFile(o.Value.Value, o.At)
		if err != nil {
			d.unreadable("security-opt", o.At, o.Value.Value, err)
			continue
		}
		data, err := io.ReadAll(io.LimitReader(r, maxFile))
		_ = r.Close() // read only
		if err != nil {
			d.unreadable("security-opt", o.At, o.Value.Value, err)
			continue
		}
		if c.Security.SeccompProfile, err = value.SeccompProfile(data); err != nil {
			d.bad(&rowByName["security-opt"].Option, &manifest.Node{Range: o.At}, fmt.Errorf("%s: %w", o.Value.Value, err))
			continue
		}
		d.unknownSyscalls(c.Security.SeccompProfile, o.At)
	}
}

// unknownSyscalls warns of rules of a profile that no runtime can apply.
func (d *decoder) unknownSyscalls(profile string, at diag.Range) {
	for _, name := range value.UnknownSyscalls(profile) {
		w := d.diags.Warnf(CodeNoEffect, at, "%s, security-opt: the seccomp profile names %q, and Linux has no such system call", d.who, name)
		if near, ok := diag.Nearest(name, value.Syscalls()); ok {
			w.WithHelp("did you mean %s?", near)
		}
	}
}

func (d *decoder) unreadable(option string, at diag.Range, path string, err error) {
	reason := err.Error()
	var pathErr *os.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		reason = "no such file or directory" // on every system
	case errors.As(err, &pathErr):
		reason = pathErr.Err.Error()
	}
	d.diags.Errorf(CodeBadFile, at, "%s, %s: cannot read %s: %s", d.who, option, path, reason).
		WithHelp("the path counts from the directory of the file that names it")
}

// openFile opens a file that a manifest names. A manifest may name regular files only, since opening a FIFO or a
// terminal waits for somebody; on the command line a shell's <(...) is such a FIFO and welcome.
func openFile(path string, at diag.Range) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("it is a directory")
	case !info.Mode().IsRegular() && at.File != CommandLine:
		return nil, errors.New("it is not a regular file")
	}
	return os.Open(path)
}

// dropMounts does what docker does silently and rightly: the same volume entry twice is one, and an anonymous volume
// gives way to anything else at its place.
func dropMounts(c *Container) {
	taken := make(map[string]bool, len(c.Mounts.Volumes)+len(c.Mounts.Tmpfs))
	for _, v := range c.Mounts.Volumes {
		taken[v.Value.Target] = taken[v.Value.Target] || v.Value.Source != ""
	}
	for _, t := range c.Mounts.Tmpfs {
		taken[t.Value.Target] = true
	}
	seen := make(map[value.Mount]bool, len(c.Mounts.Volumes))
	c.Mounts.Volumes = slices.DeleteFunc(c.Mounts.Volumes, func(v Item[value.Mount]) bool {
		drop := seen[v.Value] || v.Value.Source == "" && taken[v.Value.Target]
		seen[v.Value] = true
		return drop
	})
}

// lookupEnv is where variables without a value come from.
func lookupEnv(name string) (string, bool) { return os.LookupEnv(name) }
