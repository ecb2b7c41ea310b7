package planner_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
)

// validate does what `runfile validate` does with a file.
func validate(path string) diag.List {
	doc, diags := manifest.Load(manifest.Options{
		Files: []string{path}, ProjectName: "p", Repeatable: schema.Repeatable,
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	p, more := schema.Decode(doc)
	diags = append(diags, more...)
	return append(diags, planner.Check(p)...)
}

// bigOptions are twenty options of a container as `key: value`, the value being the same in YAML and TOML.
var bigOptions = []string{
	`image: "registry.example.com/team/app:<id>"`,
	`name: "app-<id>"`,
	`hostname: "app<id>.example.com"`,
	`command: ["serve", "--port", "8080", "--id", "<id>"]`,
	`env: ["ID=<id>", "MODE=production", "PEER=c<peer>"]`,
	`label: { team = "shop", number = "<id>" }`,
	`volume: ["data<id>:/data", "./config/<id>:/etc/app:ro"]`,
	`tmpfs: ["/run:size=64m,noexec"]`,
	`network: [{ name = "net<net>", alias = ["app<id>"] }, "back"]`,
	`publish: ["127.0.0.1:<port>:8080", "9000/udp"]`,
	`depends-on: ["c<peer>"]`,
	`memory: "512m"`,
	`cpus: 1.5`,
	`pids-limit: 200`,
	`restart: "unless-stopped"`,
	`cap-drop: ["ALL"]`,
	`ulimit: ["nofile=1024:4096"]`,
	`health-cmd: "wget -q -O - localhost:8080/health"`,
	`health-interval: "10s"`,
	`log-opt: { max-size = "10m", max-file = "3" }`,
}

// bigManifest writes a runfile of n containers with those options.
func bigManifest(n int, toml bool) string {
	var b strings.Builder
	if !toml {
		b.WriteString("containers:\n")
	}
	for i := range n {
		if toml {
			fmt.Fprintf(&b, "[containers.c%d]\n", i)
		} else {
			fmt.Fprintf(&b, "  c%d:\n", i)
		}
		names := strings.NewReplacer("<id>", strconv.Itoa(i), "<peer>", strconv.Itoa(max(i-1, 0)/2), "<net>", strconv.Itoa(i%50),
			"<port>", strconv.Itoa(10000+i))
		for _, o := range bigOptions {
			line := names.Replace(o)
			if i == 0 && strings.HasPrefix(line, "depends-on") {
				continue
			}
			if toml {
				fmt.Fprintln(&b, strings.Replace(line, ": ", " = ", 1))
			} else {
				fmt.Fprintln(&b, "    "+strings.ReplaceAll(line, " = ", ": "))
			}
		}
	}
	return b.String()
}

func writeBig(tb testing.TB, n int, format string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "runfile."+format)
	if err := os.WriteFile(path, []byte(bigManifest(n, format == "toml")), 0o600); err != nil {
		tb.Fatal(err)
	}
	if diags := validate(path); len(diags) > 0 {
		tb.Fatalf("%d diagnostics, the first: %+v", len(diags), diags[0])
	}
	return path
}

// BenchmarkValidate is the time of `runfile validate` for 1,000 containers with 20 options each.
func BenchmarkValidate(b *testing.B) {
	for _, format := range []string{"yaml", "toml"} {
		for _, n := range []int{250, 1000} {
			b.Run(fmt.Sprintf("%s/%d", format, n), func(b *testing.B) {
				path := writeBig(b, n, format)
				b.ReportAllocs()
				for b.Loop() {
					validate(path)
				}
			})
		}
	}
}

// allocated is how many bytes f allocates.
func allocated(f func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc - before.TotalAlloc)
}
