package schema

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/manifest/diag/diagtest"
	"github.com/runfile/runfile/schema/value"
)

// write makes files below a new directory and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestPathsCountFromTheirFile reads a container that is put together from two files in different directories.
func TestPathsCountFromTheirFile(t *testing.T) {
	dir := write(t, map[string]string{
		"runfile.yaml": `include: sub/part.yaml
containers:
  web: {image: "oci:./img:v1", volume: ["./src:/src", "../up:/up", "/abs/../x:/y", ".:/here"], cidfile: out/cid, env-file: a.env}
`,
		"sub/part.yaml": `containers:
  db: {image: alpine, volume: "./src:/src", env-file: b.env, security-opt: seccomp=p.json}
`,
		"a.env":      "A=1\n",
		"sub/b.env":  "B=2\n",
		"sub/p.json": `{ "defaultAction": "SCMP_ACT_ALLOW" }`,
	})
	p, l := load(t, filepath.Join(dir, "runfile.yaml"))
	if len(l) > 0 {
		t.Fatal(l)
	}
	web, db := p.Container("web"), p.Container("db")
	var sources []string
	for _, v := range slices.Concat(web.Mounts.Volumes, db.Mounts.Volumes) {
		sources = append(sources, v.Value.Source)
	}
	slashed := manifest.Slashed(dir)
	want := []string{slashed + "/src", path.Dir(slashed) + "/up", "/x", slashed, slashed + "/sub/src"}
	if !slices.Equal(sources, want) {
		t.Errorf("sources are %q, want %q", sources, want)
	}
	if got := web.Image.Ref.Value; got.Path != slashed+"/img" || got.Name != "v1" || got.Scheme != "oci" {
		t.Errorf("image is %+v", got)
	}
	if got := web.Metadata.CIDFile.Value; got != filepath.Join(dir, "out", "cid") {
		t.Errorf("cidfile is %s", got)
	}
	if len(web.Process.EnvFromFiles) != 1 || web.Process.EnvFromFiles[0].Value != "1" || db.Process.EnvFromFiles[0].Value != "2" {
		t.Errorf("env-files say %v and %v", web.Process.EnvFromFiles, db.Process.EnvFromFiles)
	}
	if db.Security.SeccompProfile != `{"defaultAction":"SCMP_ACT_ALLOW"}` {
		t.Errorf("profile is %s", db.Security.SeccompProfile)
	}
}

func TestImplicit(t *testing.T) {
	p, l := loadText(t, "runfile.yaml", `networks: {back: {internal: true}}
volumes: {data: {external: true}}
containers:
  a: {image: alpine, network: [back, front], volume: ["data:/d", "cache:/c", /anon, "./x:/y"]}
  b: {image: alpine, network: front, volume: "cache:/c"}
  c: {image: alpine, network: host}
`)
	if len(l) > 0 {
		t.Fatal(l)
	}
	var got []string
	for _, n := range p.Networks {
		got = append(got, n.Key+map[bool]string{true: "*"}[n.Implicit])
	}
	for _, v := range p.Volumes {
		got = append(got, v.Key+map[bool]string{true: "*"}[v.Implicit])
	}
	if want := []string{"back", "front*", "data", "cache*"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if p.Networks[1].At.Start.Line != 4 {
		t.Errorf("the implicit network is at %v", p.Networks[1].At)
	}
}

// TestDropMounts covers what docker resolves by itself.
func TestDropMounts(t *testing.T) {
	p, l := loadText(t, "runfile.yaml", `image: alpine
volume: ["data:/a", "data:/a", /a, /b, "./x:/c", /t]
tmpfs: /t
`)
	if len(l) > 0 {
		t.Fatal(l)
	}
	var got []string
	for _, v := range p.Containers[0].Mounts.Volumes {
		got = append(got, v.Value.Target)
	}
	if want := []string{"/a", "/b", "/c"}; !slices.Equal(got, want) {
		t.Errorf("targets are %q, want %q", got, want)
	}
}

// TestValueForms demands that the short and the long way of writing a value mean the same.
func TestValueForms(t *testing.T) {
	tests := []struct{ name, a, b string }{
		{"scalar or list", "cap-add: NET_ADMIN", "cap-add: [NET_ADMIN]"},
		{"list or map", "env: [A=1, B]", "env: {A: 1, B: ~}"},
		{"text kept raw", `env: ["A=1.10", "B=0755", "C=true"]`, "env: {A: 1.10, B: 0755, C: true}"},
		{"number or text", "pids-limit: 100", `pids-limit: "100"`},
		{"restart false", "restart: false", "restart: no"},
		{"publish", `publish: ["127.0.0.1:80:81/udp"]`, "publish: {host-ip: 127.0.0.1, host-port: 80, container-port: 81, protocol: udp}"},
		{"ulimit", "ulimit: [nofile=5:6]", "ulimit: {nofile: {soft: 5, hard: 6}}"},
		{"tmpfs", `tmpfs: ["/run:size=1m"]`, "tmpfs: {/run: size=1m}"},
		{"add-host", `add-host: ["a:10.0.0.1", "a:::1"]`, `add-host: {a: [10.0.0.1, "::1"]}`},
		{"network", `network: "name=n,alias=a"`, "network: {name: n, alias: [a]}"},
		{"depends-on", "depends-on: [x]", "depends-on: {x: ~}"},
		{"empty is absent", "hostname: \"\"", "x-y: 1"},
		{"variable for a switch", "privileged: ${P:-true}", "privileged: true"},
		{"variable for a number", "pids-limit: ${P:-5}", "pids-limit: 5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			read := func(line string) string {
				if tt.name == "empty is absent" && line == "x-y: 1" {
					line = "workdir: \"\""
				}
				p, l := loadText(t, "runfile.yaml", "project: p\nimage: alpine\n"+line+"\n")
				if l.HasErrors() {
					t.Fatal(line, l)
				}
				return strip(t, p)
			}
			if a, b := read(tt.a), read(tt.b); a != b {
				t.Errorf("%s\n%s\n%s\n%s", tt.a, a, tt.b, b)
			}
		})
	}
}

// TestSecondPlaces demands that a conflict points at both ends.
func TestSecondPlaces(t *testing.T) {
	_, l := loadText(t, "runfile.yaml", "image: alpine\nrm: true\nname: web\nrestart: always\n")
	if len(l) != 1 || l[0].Subject.Start != (diag.Pos{Line: 2, Column: 5}) || len(l[0].Related) != 1 ||
		l[0].Related[0].Range.Start != (diag.Pos{Line: 4, Column: 10}) {
		t.Errorf("%+v", l)
	}
}

// TestTypes checks the meaning of values that the engine takes as numbers.
func TestTypes(t *testing.T) {
	p, l := loadText(t, "runfile.toml", `image = "alpine"
memory = "512m"
cpus = 1.5
stop-timeout = -1
health-interval = "1m30s"
health-cmd = ["nc", "-z", "x"]
entrypoint = ""
stop-signal = "RTMIN+1"
command = "echo 'a b'"
`)
	if len(l) > 0 {
		t.Fatal(l)
	}
	c := p.Containers[0]
	if c.Key != "main" || c.Resources.Memory.Value != 512<<20 || c.Resources.NanoCPUs.Value != 15e8 ||
		c.Lifecycle.StopTimeout.Value != -1 || c.Health.Interval.Value != 90*time.Second ||
		!slices.Equal(c.Health.Cmd.Value, []string{"CMD", "nc", "-z", "x"}) ||
		!c.Process.Entrypoint.Set || len(c.Process.Entrypoint.Value) != 0 ||
		c.Lifecycle.StopSignal.Value != (value.Signal{Number: 35, Name: "SIGRTMIN+1"}) ||
		!slices.Equal(c.Process.Command.Value, []string{"echo", "a b"}) {
		t.Errorf("%+v", c)
	}
}

// TestCanonicalIgnores demands that what makes no difference to a container makes none to its canonical text.
func TestCanonicalIgnores(t *testing.T) {
	read := func(lines string) map[string]string {
		p, l := loadText(t, "runfile.yaml", "containers:\n  x: {image: alpine}\n  main:\n    image: alpine\n"+lines)
		if l.HasErrors() {
			t.Fatal(l)
		}
		return Canonical(p.Container("main"))
	}
	plain := read("")
	for _, same := range []string{"rm: false", "restart: no", "depends-on: x", "profiles: [a]", "pull: always", "init: false"} {
		if got := read("    " + same + "\n"); len(got) != len(plain) {
			t.Errorf("%s makes %v", same, got)
		}
	}
	if got := read("    memory: 524288k\n"); got["memory"] != "512m" {
		t.Errorf("memory is %q", got["memory"])
	}
}

// FuzzDecode demands that no text makes the decoder panic, that every diagnostic has a code that is registered, and that
// it speaks to people and points into the file.
func FuzzDecode(f *testing.F) {
	for _, dir := range []string{"testdata/errors", "testdata/good"} {
		for _, path := range diagtest.Fixtures(f, dir) {
			src, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src, filepath.Ext(path) == ".toml")
		}
	}
	f.Fuzz(func(t *testing.T, src []byte, toml bool) {
		name, parse := "runfile.yaml", manifest.ParseYAML
		if toml {
			name, parse = "runfile.toml", manifest.ParseTOML
		}
		root, diags := parse(name, src)
		if diags.HasErrors() || root == nil || root.Kind != manifest.Map || strings.Contains(string(src), "/dev/") {
			return
		}
		_, l := Decode(&manifest.Document{Root: root, Name: "x", Dir: "/nowhere", Files: []string{name}})
		for _, d := range l {
			if _, ok := diag.Lookup(d.Code); !ok {
				t.Errorf("%+v", d)
			}
		}
		diagtest.Words(t, l, diag.Sources{name: src})
	})
}

// TestMapWithoutValue: a variable without a value in a map is one mistake, and not that the map is wrong as well.
func TestMapWithoutValue(t *testing.T) {
	dir := write(t, map[string]string{"runfile.yaml": `vars: {DATA: {required: true}}
containers:
  a:
    image: alpine
    volume: [{source: "${DATA}/x", target: /x}]
    network: [{name: back, alias: ["${NAME}"]}]
`})
	_, l := load(t, filepath.Join(dir, "runfile.yaml"))
	if len(l) != 2 || l[0].Code != manifest.CodeMissingVariable || l[1].Code != manifest.CodeUndefinedVariable {
		t.Error(l)
	}
}
