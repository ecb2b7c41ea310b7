package ocispec

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

func secured(options ...value.SecurityOpt) func(*schema.Container) {
	return func(c *schema.Container) { c.Security.Options = items(options...) }
}

func apparmor(name string) value.SecurityOpt { return value.SecurityOpt{Key: "apparmor", Value: name} }

func TestAppArmor(t *testing.T) {
	privileged := func(c *schema.Container) { c.Security.Privileged = set(true) }
	for name, x := range map[string]struct {
		on, loader bool
		change     func(*schema.Container)
		profile    string
		refused    bool
		lacks      int
	}{
		"off":                  {change: nil},
		"off, asked for":       {change: secured(apparmor("mine"), apparmor("unconfined")), lacks: 2},
		"no profile, no way":   {on: true},
		"will be loaded":       {on: true, loader: true, profile: "docker-default"},
		"privileged":           {on: true, loader: true, change: privileged},
		"unconfined":           {on: true, loader: true, change: secured(apparmor("unconfined"))},
		"own":                  {on: true, change: secured(apparmor("mine")), profile: "mine"},
		"own, privileged":      {on: true, change: func(c *schema.Container) { privileged(c); secured(apparmor("mine"))(c) }, profile: "mine"},
		"the last one counts":  {on: true, change: secured(apparmor("unconfined"), apparmor("mine")), profile: "mine"},
		"unknown":              {on: true, loader: true, change: secured(apparmor("nosuch")), refused: true},
		"default, not to load": {on: true, change: secured(apparmor("docker-default")), refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			in := testInput(t, 2, x.change)
			in.Host.AppArmor, in.Host.CanLoad = x.on, x.loader
			spec, problems, err := Build(in)
			var refused *Error
			switch {
			case x.refused && (!errors.As(err, &refused) || refused.Option != "security-opt"):
				t.Errorf("got %v, want a refusal of security-opt", err)
			case x.refused:
			case err != nil:
				t.Error(err)
			case spec.Process.ApparmorProfile != x.profile || len(problems) != x.lacks:
				t.Errorf("profile %q and %v, want %q and %d problems", spec.Process.ApparmorProfile, problems, x.profile, x.lacks)
			}
		})
	}
}

// TestProblemsNameTheirEntry: with several security options each warning points at its own.
func TestProblemsNameTheirEntry(t *testing.T) {
	in := testInput(t, 1, secured(value.SecurityOpt{Key: "label", Value: "type:t"}, apparmor("x")))
	var entries []string
	for _, p := range Preflight(in.Container, in.Host) {
		entries = append(entries, p.Entry)
	}
	if got := strings.Join(entries, " "); got != "label=type:t apparmor=x" {
		t.Errorf("entries %s", got)
	}
	in.Host.SELinux = true
	if p := Preflight(in.Container, in.Host); len(p) == 0 || !p[0].Refused {
		t.Errorf("labels where they cannot be set: %v", p)
	}
}

func hasNamespace(s *specs.Spec, kind specs.LinuxNamespaceType) bool {
	return slices.ContainsFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == kind })
}

func TestCgroupNamespace(t *testing.T) {
	mode := func(m string) func(*schema.Container) {
		return func(c *schema.Container) { c.Namespaces.CgroupNS = set(value.NamespaceMode{Mode: m}) }
	}
	for _, x := range []struct {
		version int
		change  func(*schema.Container)
		want    bool
	}{
		{1, nil, false}, {2, nil, true}, {1, mode("private"), true}, {2, mode("host"), false}, {1, mode("host"), false}, {2, mode(""), true},
	} {
		if spec := build(t, testInput(t, x.version, x.change)); hasNamespace(spec, specs.CgroupNamespace) != x.want {
			t.Errorf("v%d: own cgroup namespace %v, want %v", x.version, !x.want, x.want)
		}
	}
}

func build(t *testing.T, in Input) *specs.Spec {
	t.Helper()
	spec, _, err := Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestDomainname(t *testing.T) {
	spec := build(t, testInput(t, 1, func(c *schema.Container) { c.Namespaces.Domainname = set("corp.test") }))
	if got := spec.Linux.Sysctl["kernel.domainname"]; got != "corp.test" {
		t.Errorf("kernel.domainname is %q", got)
	}
	if _, set := build(t, testInput(t, 1, nil)).Linux.Sysctl["kernel.domainname"]; set {
		t.Error("a domain name that nobody asked for")
	}
}

func TestAnnotations(t *testing.T) {
	spec := build(t, testInput(t, 1, func(c *schema.Container) { c.Metadata.Annotations = items(kv("a", "b"), kv("a", "c"), kv("d", "")) }))
	if got := spec.Annotations; len(got) != 2 || got["a"] != "c" || got["d"] != "" {
		t.Errorf("annotations %v", got)
	}
}

// TestInitPath: a program that would not run in any image is refused, and the right one is bound where docker has it.
func TestInitPath(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	static, dynamic := program(t, false), program(t, true)
	for path, want := range map[string]string{
		write("static", static, 0o755):        "",
		write("plain", static, 0o644):         "not executable",
		write("dynamic", dynamic, 0o755):      "not static",
		write("script", "#!/bin/sh\n", 0o755): "not a program",
		filepath.Join(dir, "nosuch"):          "does not exist",
		dir:                                   "not a file",
	} {
		in := testInput(t, 1, func(c *schema.Container) { c.Process.Init, c.Process.InitPath = set(true), set(path) })
		spec, _, err := Build(in)
		switch {
		case want != "":
			var refused *Error
			if !errors.As(err, &refused) || refused.Option != "init-path" || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", path, err, want)
			}
		case err != nil:
			t.Errorf("%s: %v", path, err)
		default:
			i := slices.IndexFunc(spec.Mounts, func(m specs.Mount) bool { return m.Destination == InitTarget })
			if i < 0 || spec.Mounts[i].Source != path || !slices.Contains(spec.Mounts[i].Options, "ro") || spec.Process.Args[0] != InitTarget {
				t.Errorf("args %q, mounts %v", spec.Process.Args, spec.Mounts)
			}
		}
	}
	// Without init it is only named, and nobody looks at it.
	in := testInput(t, 1, func(c *schema.Container) { c.Process.InitPath = set("/nosuch") })
	if spec := build(t, in); spec.Process.Args[0] == InitTarget {
		t.Error("init-path alone makes an init")
	}
}

func TestGroupAdd(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"passwd": "alice:x:1000:1000::/home/alice:/bin/sh\n", "group": "alice:x:1000:\naudio:x:29:alice\nvideo:x:44:\n",
	} {
		if err := os.WriteFile(filepath.Join(root, "etc", name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	u, home, err := ResolveUser(root, "alice", []string{"video", "5", "audio", "5"})
	if err != nil || home != "/home/alice" || !slices.Equal(u.AdditionalGids, []uint32{1000, 29, 44, 5}) {
		t.Errorf("%+v, %s, %v", u, home, err)
	}
	if u, _, err = ResolveUser("", "7:8", []string{"5"}); err != nil || !slices.Equal(u.AdditionalGids, []uint32{8, 5}) {
		t.Errorf("%+v, %v", u, err)
	}
	var refused *Error
	for _, group := range []string{"nosuch", "4294967295"} {
		if _, _, err := ResolveUser(root, "", []string{group}); !errors.As(err, &refused) || refused.Option != "group-add" {
			t.Errorf("%s: %v, want a refusal of group-add", group, err)
		}
	}
}

// program is the smallest file that says it is one, with or without an interpreter.
func program(t *testing.T, dynamic bool) string {
	t.Helper()
	h := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT), Ehsize: 64, Phentsize: 56, Phoff: 64,
	}
	parts := []any{&h}
	if dynamic {
		h.Phnum = 1
		parts = append(parts, elf.Prog64{Type: uint32(elf.PT_INTERP), Off: 120, Filesz: 6}, []byte("/ld.so"))
	}
	var out bytes.Buffer
	for _, p := range parts {
		if err := binary.Write(&out, binary.LittleEndian, p); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// TestDefaultProfileNamesAreKnown: docker's profile is what people start theirs from, so none of its names may be warned of.
func TestDefaultProfileNamesAreKnown(t *testing.T) {
	for _, s := range defaultProfile(nil).Syscalls {
		for _, name := range s.Names {
			if _, known := slices.BinarySearch(value.Syscalls(), name); !known {
				t.Errorf("the list of system calls lacks %s", name)
			}
		}
	}
}
