package manifest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runfile/runfile/manifest/diag"
)

// repeatable is what the option table would say about the options in these tests.
func repeatable(key string) bool {
	return slices.Contains([]string{"env", "label", "volume", "network", "link", "publish", "depends-on", "volumes-from"}, key)
}

// write puts files into a directory; names may have folders.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func environment(env map[string]string) func(string) (string, bool) {
	return func(k string) (string, bool) { v, ok := env[k]; return v, ok }
}

// plain prints a tree without positions, one line a value.
func plain(n *Node) string {
	var b strings.Builder
	var walk func(path string, n *Node)
	walk = func(path string, n *Node) {
		switch n.Kind {
		case Map:
			for _, e := range n.Entries {
				walk(strings.TrimPrefix(path+"."+e.Key, "."), e.Value)
			}
			if len(n.Entries) == 0 {
				b.WriteString(path + ": {}\n")
			}
		case List:
			for _, it := range n.Items {
				walk(path+"[]", it)
			}
			if len(n.Items) == 0 {
				b.WriteString(path + ": []\n")
			}
		case Null:
			b.WriteString(path + ": null\n")
		default:
			b.WriteString(path + ": " + n.Text + "\n")
		}
	}
	walk("", n)
	return b.String()
}

func texts(l diag.List) string {
	var out []string
	for _, d := range l {
		out = append(out, d.Subject.String()+" "+string(d.Code)+": "+d.Summary)
	}
	return strings.Join(out, "\n")
}

var loadTests = []struct {
	name  string
	files map[string]string
	o     Options
	want  string
}{
	{
		name:  "single container",
		files: map[string]string{"runfile.yaml": "image: alpine\ncommand: [echo, hi]\nversion: 1\nx-note: ${IGNORED}\n"},
		want:  "version: 1\ncontainers.main.image: alpine\ncontainers.main.command[]: echo\ncontainers.main.command[]: hi\nx-note: ${IGNORED}\n",
	},
	{
		name:  "single container with a name, TOML",
		files: map[string]string{"runfile.toml": "image = \"alpine\"\nname = \"web\"\n[ready]\ntcp = 80\n"},
		want:  "containers.web.image: alpine\ncontainers.web.name: web\ncontainers.web.ready.tcp: 80\n",
	},
	{
		name: "defaults, templates, override",
		files: map[string]string{"runfile.yaml": `
defaults: {init: true, label: [team=shop], env: {A: 0, B: 0}}
templates:
  base: {image: go, env: [A=1], workdir: /src}
  more: {extends: base, env: A=2, volume: x:/x}
containers:
  a: {extends: more, env: {C: 3}, workdir: /w}
  b: {extends: [base], override: [env, label], env: [Z=1]}
  c:
`},
		want: `containers.a.init: true
containers.a.label[]: team=shop
containers.a.env[]: A=0
containers.a.env[]: B=0
containers.a.env[]: A=1
containers.a.env[]: A=2
containers.a.env[]: C=3
containers.a.image: go
containers.a.workdir: /w
containers.a.volume: x:/x
containers.b.init: true
containers.b.env[]: Z=1
containers.b.image: go
containers.b.workdir: /src
containers.c.init: true
containers.c.label[]: team=shop
containers.c.env.A: 0
containers.c.env.B: 0
`,
	},
	{
		name: "depends-on mixes list and map",
		files: map[string]string{"runfile.yaml": `
defaults: {depends-on: db}
containers:
  a: {depends-on: {m: {condition: completed}}}
`},
		want: "containers.a.depends-on.db: null\ncontainers.a.depends-on.m.condition: completed\n",
	},
	{
		name: "variables",
		files: map[string]string{
			"runfile.yaml": `
vars-file: v.env
vars:
  DEF: d-${env.HOME}
  ENV: no
  FILE: no
  CLI: no
  CLIFILE: no
  EMPTY: ""
  NONE:
containers:
  a:
    env:
      - ${DEF} ${ENV} ${FILE} ${CLI} ${CLIFILE}
      - ${EMPTY}|${EMPTY:-e}|${EMPTY-e}|${EMPTY:+e}|${EMPTY+e}
      - ${NONE:-n}|${NONE-n${DEF:+x}}|${NONE:+e}|${NONE+e}|${DEF:+set}|${DEF:?m}
      - $x $$ $${ENV} ${env.NOPE:-q} $(a) ${UNKNOWN:-u}
      - "${project} é ${ENV}"
`,
			"v.env": "FILE=f # c\nENV=no\nCLI=no\nCLIFILE=no\n", "c.env": "CLIFILE='c f'\nCLI=no\n",
		},
		o: Options{
			Vars: map[string]string{"CLI": "c"}, VarsFiles: []string{"c.env"}, ProjectName: "p",
			LookupEnv: environment(map[string]string{"HOME": "/h", "ENV": "e", "CLI": "no", "CLIFILE": "no"}),
		},
		want: `containers.a.env[]: d-/h e f c c f
containers.a.env[]: |e|||e
containers.a.env[]: n|nx|||set|d-/h
containers.a.env[]: $x $$ ${ENV} q $(a) u
containers.a.env[]: p é e
`,
	},
	{
		name: "includes with prefix, variables and profiles",
		files: map[string]string{
			"runfile.yaml": `
include:
  - plain.yaml
  - {file: sub/db.toml, as: x, vars: {TAG: "9"}, profiles: [dev]}
defaults: {init: true}
containers:
  web: {image: web, link: x-db, extends: shared}
`,
			"plain.yaml": "templates: {shared: {user: me}}\nvolumes: {v: }\n",
			"sub/db.toml": `
vars.TAG = "1"
[defaults]
env = ["IN=1"]
network = "back"
[networks.back]
internal = true
[volumes.data]
[templates.t]
workdir = "/t"
[containers.db]
image = "pg:${TAG}"
extends = "t"
volume = ["data:/d", "other:/o", "/anon"]
[containers.job]
image = "j"
link = ["db", "db:d", "far"]
network = ["back", "container:db", "name=back,alias=q"]
depends-on.db.condition = "ready"
volumes-from = "db:ro"
profiles = ["ci"]
`,
		},
		want: `containers.x-db.init: true
containers.x-db.env[]: IN=1
containers.x-db.network: x-back
containers.x-db.workdir: /t
containers.x-db.image: pg:9
containers.x-db.volume[]: x-data:/d
containers.x-db.volume[]: other:/o
containers.x-db.volume[]: /anon
containers.x-db.profiles[]: dev
containers.x-job.init: true
containers.x-job.env[]: IN=1
containers.x-job.network[]: x-back
containers.x-job.network[]: x-back
containers.x-job.network[]: container:x-db
containers.x-job.network[]: name=x-back,alias=q
containers.x-job.image: j
containers.x-job.link[]: x-db:db
containers.x-job.link[]: x-db:d
containers.x-job.link[]: far
containers.x-job.depends-on.x-db.condition: ready
containers.x-job.volumes-from: x-db:ro
containers.x-job.profiles[]: ci
containers.web.init: true
containers.web.user: me
containers.web.image: web
containers.web.link: x-db
networks.x-back.internal: true
volumes.v: null
volumes.x-data: {}
`,
	},
	{
		name: "files laid over each other",
		files: map[string]string{
			"a.yaml": "vars: {T: 1}\ncontainers: {w: {image: \"i:${T}\", env: [A=1], command: [a]}, k: {image: k}}\npolicy: {fail-fast: true}\n",
			"b.toml": "vars.T = 2\n[containers.w]\nenv = [\"B=2\"]\ncommand = [\"b\"]\n[containers.n]\nimage = \"n\"\n[policy]\ntimeout = \"1m\"\n",
		},
		o: Options{Files: []string{"a.yaml", "b.toml"}},
		want: `containers.w.image: i:2
containers.w.env[]: A=1
containers.w.env[]: B=2
containers.w.command[]: b
containers.k.image: k
containers.n.image: n
policy.fail-fast: true
policy.timeout: 1m
`,
	},
}

func TestLoad(t *testing.T) {
	for _, tt := range loadTests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, tt.files)
			tt.o.Dir, tt.o.Repeatable = dir, repeatable
			doc, d := Load(tt.o)
			if len(d) > 0 {
				t.Errorf("diagnostics:\n%s", texts(d))
			}
			if got := plain(doc.Root); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}
