package convert

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema"
)

var update = flag.Bool("update", false, "write what the converter makes into testdata")

// TestGolden converts the first file of each archive in testdata and compares with want.yaml and want.txt, or for a
// runfile with want.sh. What is written is checked as any runfile.
func TestGolden(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) < 5 {
		t.Fatal(archives, err)
	}
	for _, name := range archives {
		t.Run(filepath.Base(name), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			dir := t.TempDir()
			var inputs []txtar.File
			for _, f := range a.Files {
				if strings.HasPrefix(f.Name, "want.") {
					want[f.Name] = string(f.Data)
					continue
				}
				inputs = append(inputs, f)
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, f.Name)), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got := convertFile(t, dir, inputs[0])
			if *update {
				a.Files = inputs
				for _, n := range []string{"want.yaml", "want.sh", "want.txt"} {
					if got[n] != "" {
						a.Files = append(a.Files, txtar.File{Name: n, Data: []byte(got[n])})
					}
				}
				if err := os.WriteFile(name, txtar.Format(a), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			for _, n := range []string{"want.yaml", "want.sh", "want.txt"} {
				if got[n] != want[n] {
					t.Errorf("%s is\n%s\nwant\n%s", n, got[n], want[n])
				}
			}
		})
	}
}

func convertFile(t *testing.T, dir string, f txtar.File) map[string]string {
	t.Helper()
	var r *Result
	switch Detect(f.Name, f.Data) {
	case "compose":
		r = Compose(f.Name, f.Data, dir)
	case "docker-run":
		r = DockerRun(f.Name, f.Data, dir)
	default:
		return scriptOf(t, dir, f)
	}
	got := map[string]string{"want.txt": listed(r.Diags, r.Lost)}
	if r.Project == nil {
		return got
	}
	var b bytes.Buffer
	if err := r.Write(&b, "yaml"); err != nil {
		t.Fatal(err)
	}
	got["want.yaml"] = b.String()
	for _, format := range []string{"yaml", "toml", "json"} {
		if l := check(t, dir, r, format); len(l) > 0 {
			t.Errorf("%s is not valid: %v", format, l)
		}
	}
	return got
}

func scriptOf(t *testing.T, dir string, f txtar.File) map[string]string {
	t.Helper()
	p, l := load(t, dir, f.Data)
	if l.HasErrors() {
		t.Fatal(l)
	}
	var b bytes.Buffer
	l, err := Script(&b, p, noMask)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"want.sh": strings.ReplaceAll(b.String(), manifest.Slashed(dir), "/DIR"), "want.txt": listed(l, len(l) > 0)}
}

// listed is a list as one line each.
func listed(l diag.List, lost bool) string {
	var b strings.Builder
	for _, d := range l {
		if d.Code == schema.CodeNotYet && d.Label == refusedLater {
			continue // of no interest here, and fewer from day to day
		}
		fmt.Fprintf(&b, "%d:%d %s[%s] %s\n", d.Subject.Start.Line, d.Subject.Start.Column, d.Severity, d.Code, d.Summary)
		for _, h := range d.Help {
			fmt.Fprintf(&b, "\t%s\n", h)
		}
	}
	if lost {
		b.WriteString("not everything is carried\n")
	}
	return b.String()
}

// TestExamplesAlone: each example of the reference by itself is carried as a whole, but for those of which the reference
// says, or docker knows, that they fail.
func TestExamplesAlone(t *testing.T) {
	a, err := txtar.ParseFile("testdata/examples.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	carried, refused := 0, 0
	for line := range strings.Lines(string(a.Files[0].Data)) {
		if !strings.Contains(line, "docker") {
			continue
		}
		r := DockerRun("x", []byte(line), dir)
		wrong := strings.Contains(line, "--it") || strings.HasSuffix(line, " ...\n")
		if r.Lost != wrong || !wrong && (r.Project == nil || len(r.Project.Containers) != 1) {
			t.Errorf("%s: %v", line, r.Diags)
		}
		if wrong {
			refused++
		} else {
			carried++
		}
	}
	if carried != 26 || refused != 6 {
		t.Errorf("%d carried and %d refused", carried, refused)
	}
}

// TestNotYet: an option that runfile does not honour yet is carried, and that it is refused later is said.
func TestNotYet(t *testing.T) {
	for _, o := range schema.Options() {
		if o.NotYet == "" || o.NoFlag || o.OS == "windows" || o.Kind == schema.Switch || strings.HasPrefix(o.Name, "health-") {
			continue
		}
		r := CommandLine([]string{"docker", "run", "--" + o.Name, o.Example, "busybox"}, t.TempDir())
		if r.Project == nil || r.Lost || len(schema.Values(r.Project.Containers[0], o.Name)) == 0 {
			continue // it needs something else as well
		}
		if len(r.Diags) == 0 || r.Diags[0].Code != schema.CodeNotYet || r.Diags[0].Severity != diag.Warning {
			t.Errorf("%s: %v", o.Name, r.Diags)
		}
		return
	}
	t.Skip("everything is honoured")
}

// TestAllRows: every flag of docker run is carried with its example as it stands, or with what it needs besides.
func TestAllRows(t *testing.T) {
	needs := map[string]string{
		"cpu-quota": "--cpu-period 50000", "cpu-rt-runtime": "--cpu-rt-period 1000000", "health-interval": "--health-cmd true",
		"health-retries": "--health-cmd true", "health-timeout": "--health-cmd true", "health-start-period": "--health-cmd true",
		"health-start-interval": "--health-cmd true --health-start-period 30s", "memory-swap": "-m 512m", "kernel-memory": "-m 512m",
		"memory-reservation": "-m 512m", "memory-swappiness": "-m 512m", "init-path": "--init", "ip": "--network back", "ip6": "--network back",
		"network-alias": "--network back", "link-local-ip": "--network back", "link": "--network back", "oom-kill-disable": "-m 512m",
		"cpu-count": "--platform windows/amd64", "cpu-percent": "--platform windows/amd64", "io-maxbandwidth": "--platform windows/amd64",
		"io-maxiops": "--platform windows/amd64",
	}
	dir := t.TempDir()
	for _, name := range []string{"test.env", "labels.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("A=1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	count := 0
	for _, o := range schema.Options() {
		if o.NoFlag || o.Own {
			continue
		}
		count++
		flag := "--" + o.Name
		if o.Kind != schema.Switch {
			flag += " " + quoted(o.Example)
		}
		network := "docker network create --subnet 172.28.0.0/16 back\n"
		if o.Name == "ip6" {
			network = "docker network create --subnet fd00:28::/64 --ipv6 back\n"
		}
		text := fmt.Sprintf("%sdocker run -d --name db busybox\ndocker run -d --name data busybox\ndocker run %s %s busybox true\n", network, flag, needs[o.Name])
		r := DockerRun("x.sh", []byte(text), dir)
		for _, d := range r.Diags {
			if d.Code != schema.CodeNotYet && d.Code != schema.CodeNoEffect {
				t.Errorf("%s: %s", strings.TrimSpace(flag), d.Summary)
			}
		}
		if r.Lost || r.Project == nil || len(r.Project.Containers) != 3 {
			t.Errorf("%s is not carried", flag)
			continue
		}
		if got := schema.Values(r.Project.Containers[2], o.Name); len(got) == 0 {
			t.Errorf("%s has no value behind the conversion", flag)
		}
	}
	if count < 94 {
		t.Errorf("only %d options", count)
	}
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
