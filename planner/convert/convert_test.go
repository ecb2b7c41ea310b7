package convert

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
)

func TestCommandLine(t *testing.T) {
	r := CommandLine([]string{"sudo", "-E", "podman", "container", "run", "-m", "5m", "-e", "A=${B} é", "--name", "x1", "alpine", "sh", "-c", "a\nb"}, "/")
	if r.Project == nil || !r.Lost || len(r.Diags) != 1 {
		t.Fatalf("%+v", r)
	}
	line := string(r.Sources[commandLine])
	at := r.Diags[0].Subject
	if got := line[at.Start.Column-1 : at.End.Column-1]; got != "5m" || strings.Contains(line, "\n") {
		t.Errorf("the place is %q in %q", got, line)
	}
	c := r.Project.Containers[0]
	if c.Key != "x1" || c.Process.Env[0].Value.Value != "${B} é" || c.Process.Command.Value[2] != "a\nb" {
		t.Errorf("%+v", c.Process)
	}
}

// TestNothing: an input of which nothing can be written gives errors, and says why.
func TestNothing(t *testing.T) {
	tests := []struct {
		name, text string
		code       diag.Code
		says       string
	}{
		{"empty", "", CodeNoInput, "there is no docker run line"},
		{"comments", "# docker run alpine\n", CodeNoInput, "there is no docker run line"},
		{"other commands", "ls\ndocker ps\n", CodeNotCarried, "docker ps is not a docker run line"},
		{"no image", "docker run -it\n", CodeNotCarried, "there is no image"},
		{"not text", "docker run \xff\n", CodeNoInput, "not UTF-8"},
		{"NUL", "docker run alpine \x00\n", CodeNoInput, "not UTF-8"},
		{"large", strings.Repeat("#\n", 1<<20), CodeNoInput, "larger than"},
		{"unclosed", "docker run 'x\n", "shell-syntax", "not closed"},
		{"Markdown without examples", "```\nls\n```\n", CodeNoInput, "there is no docker run line"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := DockerRun("x", []byte(tt.text), "/")
			if r.Project != nil || !r.Diags.HasErrors() {
				t.Fatalf("%+v", r)
			}
			for _, d := range r.Diags {
				if d.Code == tt.code && strings.Contains(d.Summary, tt.says) {
					return
				}
			}
			t.Errorf("nothing says %q: %v", tt.says, r.Diags)
		})
	}
	for text, code := range map[string]diag.Code{"a: 1\n": CodeNoInput, "services: {}\n": CodeNoInput, "services: {a: {imag: x}}\n": "no-image", "a: [": "syntax", "\xff": CodeNoInput} {
		r := Compose("compose.yaml", []byte(text), "/")
		if r.Project != nil || !r.Diags.HasErrors() {
			t.Errorf("%q: %+v", text, r)
			continue
		}
		found := false
		for _, d := range r.Diags {
			found = found || d.Code == code
		}
		if !found {
			t.Errorf("%q: want %s: %v", text, code, r.Diags)
		}
	}
}

func TestDetect(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"run.sh":       {"services: x", "docker-run"},
		"compose.yaml": {"name: x\n", "compose"},
		"x.yml":        {"services: {a: {image: b}}\n", "compose"},
		"runfile.yaml": {"containers: {a: {image: b}}\n", "runfile"},
		"runfile.toml": {"image = 'a'\n", "runfile"},
		"-":            {"docker run alpine\n", "docker-run"},
		"one":          {"image: alpine\ncommand: [docker, run]\n", "runfile"},
		"two":          {"image = \"alpine\"\n", "runfile"},
		"three":        {"#!/bin/sh\nfoo: bar\n", "docker-run"},
		"four":         {"A=1\ndocker run $A\n", "docker-run"},
		"five":         {"", "docker-run"},
	} {
		if got := Detect(name, []byte(tt.text)); got != tt.want {
			t.Errorf("%s is taken for %s, want %s", name, got, tt.want)
		}
	}
}

// TestComposeFiles: compose reads .env by itself, and files by their names beside the compose file.
func TestComposeFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{".env": "TAG=7\n", "plain.env": "A=1\n", "quoted.env": "A=\"1\"\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := Compose("compose.yaml", []byte("services:\n  a:\n    image: img:${TAG}\n    env_file: [plain.env, quoted.env]\n"), dir)
	if r.Project == nil || r.Lost {
		t.Fatalf("%+v", r)
	}
	if got := r.Project.Containers[0].Image.Ref.Value.Text; got != "img:7" {
		t.Errorf("the image is %q", got)
	}
	changed := 0
	for _, d := range r.Diags {
		if d.Code == CodeChanged && d.Subject.Start.Line == 4 && strings.Contains(d.Help[0], "quoted.env") {
			changed++
		}
	}
	if changed != 1 {
		t.Errorf("only the file with quotes is read differently: %v", r.Diags)
	}
}

// TestRefuses: formats that do not exist, and a script of containers that have no order.
func TestRefuses(t *testing.T) {
	r := CommandLine([]string{"docker", "run", "alpine"}, "/")
	if err := r.Write(&bytes.Buffer{}, "xml"); err == nil {
		t.Error("xml is taken for a format")
	}
	p, _ := load(t, "/", []byte("containers:\n  a: {image: x, depends-on: b}\n  b: {image: x, depends-on: a}\n"))
	var b bytes.Buffer
	l, err := Script(&b, p, noMask)
	if err != nil || !l.HasErrors() || b.Len() > 0 {
		t.Errorf("a cycle gave %v, %v, %q", l, err, &b)
	}
}

// valid fails if a result is no valid runfile, or hides that something is missing.
func valid(t *testing.T, r *Result) {
	t.Helper()
	if r.Project == nil {
		if !r.Diags.HasErrors() {
			t.Fatal("nothing is written, and nobody knows why")
		}
		return
	}
	for _, format := range []string{"yaml", "toml", "json"} {
		if l := check(t, "/", r, format); len(l) > 0 {
			var b bytes.Buffer
			_ = r.Write(&b, format)
			t.Fatalf("%v\n%s", l, &b)
		}
	}
}

func FuzzDockerRun(f *testing.F) {
	for _, seed := range []string{
		"docker run -it -p 80:80 -v $(pwd):/x --name a alpine sh -c 'x'\n", "A=${A:-b}\ndocker run $A ${C:-${D}} x && docker wait a\n",
		"```\n$ docker run -d x\n> y\n```\n", "X=$(docker run -d y); docker run --link $X:y z --memory ${M}\n",
		"docker network create --subnet $S n; docker volume create -o a=b v\n", "PS C:\\> docker run -v c:\\a:d:\\ x\n",
		"if docker run a; then for x in y; do docker run $x; done; fi", "docker run --env-file f --label 'a=${b' -m 1 a:$$ ${}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { valid(t, DockerRun("x", []byte(text), "/")) })
}

func FuzzCompose(f *testing.F) {
	for _, seed := range []string{
		"services:\n  a: {image: b, ports: [80, {target: 1, published: 2}], depends_on: {b: {condition: service_healthy}}}\n  b: {image: c, healthcheck: {test: [CMD, x]}}\n",
		"x-a: &a {restart: always}\nservices: {a: {<<: *a, image: x}, b: {extends: a, volumes: [v:/x, {type: bind, source: ., target: /y}]}}\nvolumes: {v: {external: true, name: w}}\n",
		"services: {a: {image: \"$A${B:-c}$$d\", networks: {default: {aliases: [x]}}, deploy: {resources: {limits: {cpus: 1}}}}}\nnetworks: {default: {ipam: {config: [{subnet: 10.0.0.0/8}]}}}\n",
		"services: {a: {build: ., secrets: [s], env_file: {path: x}}}\nsecrets: {s: {file: y}}\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if root, _ := manifest.ParseYAML("x", []byte(text)); root == nil {
			return
		}
		valid(t, Compose("compose.yaml", []byte(text), "/"))
	})
}

// TestDollarBeforeVariable: a dollar sign that the shell leaves alone before a variable is no escape.
func TestDollarBeforeVariable(t *testing.T) {
	r := DockerRun("x.sh", []byte("AMOUNT=5\ndocker run -e \"PRICE=\\$$AMOUNT\" -e \"$AMOUNT\\$${X:-\\$$AMOUNT}\" busybox\n"), t.TempDir())
	var out strings.Builder
	if err := r.Write(&out, "yaml"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`PRICE=${DOLLAR}${AMOUNT}`, `${AMOUNT}${DOLLAR}${X:-${DOLLAR}${AMOUNT}}`, `DOLLAR: "$"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing:\n%s", want, out.String())
		}
	}
}
