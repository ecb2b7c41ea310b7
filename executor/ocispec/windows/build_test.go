package windows

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/options"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/runfile/runfile/executor/ocispec"
	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// testImage is an image of Windows with something for each thing that is merged.
var testImage = ocispec.ImageConfig{
	User: "ContainerUser", Env: []string{`Path=C:\Windows`, "FROM=image"}, Cmd: []string{"serve.exe", `C:\my site`}, Volumes: []string{"C:/data"},
}

// read takes the one container of a runfile, which must be without mistakes.
func read(t *testing.T, file string) *schema.Container {
	t.Helper()
	doc, diags := manifest.Load(manifest.Options{Files: []string{file}, Repeatable: schema.Repeatable, ProjectName: "p"})
	p, more := schema.Decode(doc)
	if diags = append(diags, more...); diags.HasErrors() {
		t.Fatal(diags)
	}
	return p.Containers[0]
}

// container is read for the text of a runfile without its image and its platform.
func container(t *testing.T, text string) *schema.Container {
	t.Helper()
	file := filepath.Join(t.TempDir(), "runfile.yaml")
	if err := os.WriteFile(file, []byte("image: server\nplatform: windows/amd64\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	return read(t, file)
}

// input is what Build gets on a server with four processors.
func input(t *testing.T, c *schema.Container, img ocispec.ImageConfig) Input {
	t.Helper()
	e, err := ocispec.Merge(c, img, "sha256:x", "server")
	if err != nil {
		t.Fatal(err)
	}
	return Input{
		Container: c, Effective: e, Hostname: "0123456789ab", CPUs: 4, Isolation: Process,
		RootPath:         `\\?\Volume{00000000-0000-0000-0000-000000000001}\`,
		LayerFolders:     []string{`C:\layers\top`, `C:\layers\base`, `C:\containers\0123456789ab`},
		Volumes:          map[string]string{"logs": `C:\volumes\logs`, `C:\data`: `C:\volumes\0f`, `D:\cache`: `C:\volumes\1f`},
		NetworkNamespace: "7a1b0b4c-0000-0000-0000-000000000002",
	}
}

// TestGolden compares the whole specifications of the runfiles in testdata. The conformance page takes those named after
// an option as the proof of it.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			spec, err := Build(input(t, read(t, file), testImage))
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, strings.TrimSuffix(file, ".yaml")+".json", spec)
		})
	}
}

func compareGolden(t *testing.T, file string, spec *specs.Spec) {
	t.Helper()
	got := marshal(t, spec)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at the change and run: go test ./executor/ocispec/windows -run Golden -update\n%s", file, got)
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestResources: of several limits of the processor the first one in docker's order is written, and no second one, which
// the shim would refuse.
func TestResources(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{``, `null`},
		{`{cpu-count: 2, cpus: 1, cpu-shares: 100, cpu-percent: 50}`, `{"cpu":{"count":2}}`},
		{`{cpu-count: 0, cpu-shares: 100, cpu-percent: 50}`, `{"cpu":{"shares":100}}`},
		{`{cpu-shares: 0, cpu-percent: 50}`, `{"cpu":{"maximum":5000}}`},
		{`{cpu-percent: 100}`, `{"cpu":{"maximum":10000}}`},
		{`{cpus: 4}`, `{"cpu":{"maximum":10000}}`},
		{`{cpus: 1.5}`, `{"cpu":{"maximum":3750}}`},
		{`{cpus: 0.01}`, `{"cpu":{"maximum":25}}`},
		{`{cpus: 2, isolation: hyperv}`, `{"cpu":{"count":2}}`},
		{`{cpus: 1.5, isolation: hyperv}`, `{"cpu":{"maximum":7500}}`},
		{`{memory: 64m}`, `{"memory":{"limit":67108864}}`},
		{`{memory: 67108865}`, `{"memory":{"limit":68157440}}`}, // up to a MiB
		{`{io-maxbandwidth: 10m}`, `{"storage":{"bps":10485760}}`},
		{`{io-maxiops: 100, memory: 64m}`, `{"memory":{"limit":67108864},"storage":{"iops":100}}`},
		{`{io-maxiops: 0, cpu-percent: 0}`, `null`},
	} {
		spec, err := Build(input(t, container(t, block(c.text)), testImage))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		got, err := json.Marshal(spec.Windows.Resources)
		if err != nil || string(got) != c.want {
			t.Errorf("%s:\n got %s, %v\nwant %s", c.text, got, err, c.want)
		}
	}
}

// block turns {a: 1, b: 2} into lines.
func block(flow string) string {
	return strings.ReplaceAll(strings.Trim(flow, "{}"), ", ", "\n")
}

// TestVirtualMachine: the processors of the virtual machine go with the limit of the container inside.
func TestVirtualMachine(t *testing.T) {
	const count, limit = "io.microsoft.virtualmachine.computetopology.processor.count", "io.microsoft.virtualmachine.computetopology.processor.limit"
	for text, want := range map[string]map[string]string{
		"isolation: hyperv\ncpus: 1.5":       {count: "2", limit: "100000"},
		"isolation: hyperv\ncpu-percent: 50": {limit: "100000"},
		"isolation: hyperv\ncpus: 2":         nil,
		"isolation: hyperv\ncpu-count: 2":    nil,
		"isolation: hyperv\ncpu-shares: 200": nil,
		"cpus: 1.5":                          nil,
	} {
		spec, err := Build(input(t, container(t, text), testImage))
		if err != nil || string(marshal(t, spec.Annotations)) != string(marshal(t, want)) {
			t.Errorf("%q: %v, %v; want %v", text, spec.Annotations, err, want)
		}
	}
}

func TestIsolation(t *testing.T) {
	for _, c := range []struct {
		text, host string
		hyperv     bool
	}{
		{"", Process, false},
		{"", HyperV, true},
		{"isolation: default", HyperV, true},
		{"isolation: process", HyperV, false},
		{"isolation: HyperV", Process, true},
	} {
		in := input(t, container(t, c.text), testImage)
		in.Isolation = c.host
		spec, err := Build(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := spec.Windows.HyperV != nil; got != c.hyperv {
			t.Errorf("%q where %s is the default: a virtual machine %v", c.text, c.host, got)
		}
		if got := ShimOptions(spec).SandboxIsolation == options.Options_HYPERVISOR; got != c.hyperv {
			t.Errorf("%q where %s is the default: the shim is told of a virtual machine: %v", c.text, c.host, got)
		}
	}
}

func TestMounts(t *testing.T) {
	for _, c := range []struct{ volume, want string }{
		{`C:\src:D:\dest`, `[C:\src D:\dest  C:\volumes\0f C:\data ]`},
		{`c:/src:c:/data:ro`, `[c:\src c:\data ro]`}, // over the image's volume, in whatever case
		{`logs:E:`, `[C:\volumes\logs E:  C:\volumes\0f C:\data ]`},
		{`D:\cache`, `[C:\volumes\1f D:\cache  C:\volumes\0f C:\data ]`},
		{`\\.\pipe\docker_engine:\\.\pipe\docker_engine`, `[\\.\pipe\docker_engine \\.\pipe\docker_engine  C:\volumes\0f C:\data ]`},
	} {
		spec, err := Build(input(t, container(t, "volume: '"+c.volume+"'"), testImage))
		if err != nil {
			t.Errorf("%s: %v", c.volume, err)
			continue
		}
		var got []string
		for _, m := range spec.Mounts {
			got = append(got, m.Source, m.Destination, strings.Join(m.Options, ","))
			if m.Type != "" {
				t.Errorf("%s: type %q, which the shim refuses", c.volume, m.Type)
			}
		}
		if text := "[" + strings.Join(got, " ") + "]"; text != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.volume, text, c.want)
		}
	}
}

func TestCommand(t *testing.T) {
	escaped := ocispec.ImageConfig{Cmd: []string{`cmd /S /C "serve all"`}, ArgsEscaped: true}
	entry := ocispec.ImageConfig{Entrypoint: []string{`powershell -File "a b.ps1"`}, Cmd: []string{"x"}, ArgsEscaped: true}
	for _, c := range []struct {
		name, text string
		img        ocispec.ImageConfig
		args       string // joined by |; "" = a command line
		line       string
	}{
		{"words", "", ocispec.ImageConfig{Cmd: []string{"a b", "c"}}, "a b|c", ""},
		{"a line", "", escaped, "", `cmd /S /C "serve all"`},
		{"a command of one's own", "command: [a b, c]", escaped, "a b|c", ""},
		{"the image's entrypoint", `command: [a b, 'c\']`, entry, "", `powershell -File "a b.ps1" "a b" c\`},
		{"an entrypoint of one's own", "entrypoint: [a b]\ncommand: [c]", entry, "a b|c", ""},
	} {
		spec, err := Build(input(t, container(t, c.text), c.img))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if p := spec.Process; strings.Join(p.Args, "|") != c.args || p.CommandLine != c.line {
			t.Errorf("%s: args %q, command line %s", c.name, p.Args, p.CommandLine)
		}
	}
}

// escapes are arguments as they stand on a command line.
var escapes = map[string]string{
	`plain`: `plain`, ``: `""`, `a b`: `"a b"`, `C:\x\`: `C:\x\`, `C:\x y\`: `"C:\x y\\"`, `"`: `\"`, `a"b c`: `"a\"b c"`,
	`\"`: `\\\"`, `a\\b "c\\"`: `"a\\b \"c\\\\\""`, "a\tb": "\"a\tb\"",
}

func TestEscape(t *testing.T) {
	for arg, want := range escapes {
		if got := escape(arg); got != want {
			t.Errorf("%s becomes %s, want %s", arg, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for text, option := range map[string]string{
		"user: 'me:them'":       "user",
		"cpus: 5":               "cpus",
		"volume: 'unknown:d:'":  "volume",
		"storage-opt: size=20g": "storage-opt",
	} {
		_, err := Build(input(t, container(t, text), testImage))
		var e *ocispec.Error
		if !errors.As(err, &e) || e.Option != option {
			t.Errorf("%s: %v, want a refusal of %s", text, err, option)
		}
	}
	in := input(t, container(t, ""), testImage)
	in.Effective.ReadOnlyRoot = true
	if _, err := Build(in); err == nil {
		t.Error("a root file system that is read-only is not refused")
	}
}

// TestEverywhereTheSame: nothing of the system that runs the test gets into the specification.
func TestEverywhereTheSame(t *testing.T) {
	spec, err := Build(input(t, container(t, ""), testImage))
	if err != nil {
		t.Fatal(err)
	}
	if spec.Linux != nil || spec.Process.Cwd != `C:\` || !slices.Equal(spec.Process.Env, testImage.Env) || spec.Process.User.AdditionalGids != nil {
		t.Errorf("%s", marshal(t, spec))
	}
}
