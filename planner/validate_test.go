package planner_test

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
)

// validate does what `runfile validate` does with a file.
func validate(path string) (diag.List, diag.Sources) {
	doc, diags := manifest.Load(manifest.Options{
		Files: []string{path}, ProjectName: "p", Repeatable: schema.Repeatable,
		LookupEnv: func(name string) (string, bool) { return "/home/me", name == "HOME" },
	})
	if diags.HasErrors() && doc.Root.Get("containers") == nil {
		return diags, doc.Sources
	}
	p, more := schema.Decode(doc)
	if manifest.Whole(diags) {
		more = append(more, planner.Check(p, more)...)
	}
	return append(diags, more...), doc.Sources
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
	if diags, _ := validate(path); len(diags) > 0 {
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

// wrongFiles are files of n mistakes of one kind.
var wrongFiles = map[string]func(n int) string{
	"unknown options of one container": func(n int) string { return "image: alpine\n" + lines(n, "memroy-<i>: 1\n") },
	"unknown options of many":          func(n int) string { return "containers:\n" + lines(n, "  c<i>: {image: alpine, memroy: 1}\n") },
	"foreign options of many":          func(n int) string { return "containers:\n" + lines(n, "  c<i>: {image: alpine, ports: 80a}\n") },
	"bad values of one option":         func(n int) string { return "image: alpine\nulimit:\n" + lines(n, "- nofil<i>=1\n") },
	"unknown containers":               func(n int) string { return "containers:\n" + lines(n, "  c<i>: {image: alpine, depends-on: [d<i>]}\n") },
	"one port for all":                 func(n int) string { return "containers:\n" + lines(n, "  c<i>: {image: alpine, publish: '80:80'}\n") },
	"pairs of ports": func(n int) string {
		return "image: alpine\npublish:\n" + lines(n, "- 127.0.0.1:<i>9:80\n") + lines(n, "- 127.0.0.1:<i>9:81\n")
	},
	"one name for all":  func(n int) string { return "containers:\n" + lines(n, "  c<i>: {image: alpine, name: web}\n") },
	"one target":        func(n int) string { return "image: alpine\nvolume:\n" + lines(n, "- ./<i>:/data\n") },
	"one network twice": func(n int) string { return "image: alpine\nnetwork:\n" + lines(n, "- back\n") },
	"one subnet for all": func(n int) string {
		return "image: alpine\nnetworks:\n" + lines(n, "  n<i>: {subnet: 10.0.0.0/24}\n")
	},
	"one key twice":       func(n int) string { return lines(n, "image: alpine\n") },
	"undefined variables": func(n int) string { return "image: alpine\nenv:\n" + lines(n, "- A=${A<i>}\n") },
	"unknown keys of a map": func(n int) string {
		return "image: alpine\nready: {tcp: 80, " + strings.ReplaceAll(lines(n, "k<i>: 1,"), ",", ", ") + "}\n"
	},
	"no images": func(n int) string { return "containers:\n" + lines(n, "  c<i>: {command: x}\n") },
}

func lines(n int, line string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(line, "<i>", strconv.Itoa(i)))
	}
	return b.String()
}

// BenchmarkMistakes is the time for files of very many mistakes, printed as validate does; four times as many must take
// about four times as long.
func BenchmarkMistakes(b *testing.B) {
	for _, name := range slices.Sorted(maps.Keys(wrongFiles)) {
		for _, n := range []int{1250, 5000} {
			b.Run(fmt.Sprintf("%s/%d", strings.ReplaceAll(name, " ", "_"), n), func(b *testing.B) {
				path := filepath.Join(b.TempDir(), "runfile.yaml")
				if err := os.WriteFile(path, []byte(wrongFiles[name](n)), 0o600); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					l, sources := validate(path)
					if err := diag.WriteText(io.Discard, l, sources, diag.TextOptions{}); err != nil || len(l) == 0 {
						b.Fatal(len(l), err)
					}
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

// twenty are mistakes that have nothing to do with each other, one a line; the values are the same in both formats.
var twenty = []struct{ line, code string }{
	{`memroy: "512m"`, "unknown-option"},
	{`ports: ["8080:80"]`, "unknown-option"},
	{`restart: "allways"`, "bad-value"},
	{`cpus: "0,5"`, "bad-value"},
	{`stop-signal: "SIGTREM"`, "bad-value"},
	{`expose: ["80a"]`, "bad-value"},
	{`env: ["=x"]`, "bad-value"},
	{`workdir: "src"`, "bad-value"},
	{`user: "a:b:c"`, "bad-value"},
	{`hostname: "a b"`, "bad-value"},
	{`cap-add: ["FOO"]`, "bad-value"},
	{`ulimit: ["nofil=1"]`, "bad-value"},
	{`privileged: "yes"`, "wrong-type"},
	{`timeout: 10`, "bad-value"},
	{`volume: ["~/x:/y"]`, "bad-value"},
	{`tmpfs: ["run"]`, "bad-value"},
	{`label: ["a=${NOPE}"]`, "undefined-variable"},
	{`log-opt: ["max-file=0"]`, "bad-log-option"},
	{`memory-swap: "1g"`, "option-needs"},
	{`link: ["nobody"]`, "unknown-container"},
}

// TestTwentyMistakes demands that all mistakes of a file are reported at once and in file order, whichever stage finds
// them: in one container, and in twenty.
func TestTwentyMistakes(t *testing.T) {
	for _, format := range []string{"yaml", "toml"} {
		one, many := []string{"containers:", "  web:", "    image: alpine"}, []string{"containers:"}
		if format == "toml" {
			one, many = []string{"[containers.web]", `image = "alpine"`}, nil
		}
		var atOne, atMany []int
		for i, m := range twenty {
			if format == "toml" {
				m.line = strings.Replace(m.line, ": ", " = ", 1)
				many = append(many, fmt.Sprintf("[containers.c%d]", i), `image = "alpine"`, m.line)
				one = append(one, m.line)
			} else {
				many = append(many, fmt.Sprintf("  c%d:", i), "    image: alpine", "    "+m.line)
				one = append(one, "    "+m.line)
			}
			atOne, atMany = append(atOne, len(one)), append(atMany, len(many))
		}
		t.Run("one container in "+format, func(t *testing.T) { twentyIn(t, format, one, atOne) })
		t.Run("twenty containers in "+format, func(t *testing.T) { twentyIn(t, format, many, atMany) })
	}
}

// twentyIn demands one diagnostic on each of the given lines.
func twentyIn(t *testing.T, format string, lines []string, at []int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "runfile."+format)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, sources := validate(path)
	var printed strings.Builder
	if err := diag.WriteText(&printed, l, sources, diag.TextOptions{Max: -1}); err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for i, m := range twenty {
		fmt.Fprintf(&want, "%s %d\n", m.code, at[i])
	}
	var got strings.Builder
	for _, m := range regexp.MustCompile(`(?m)^\w+\[([a-z-]+)\].*\n +--> .*:(\d+):\d+$`).FindAllStringSubmatch(printed.String(), -1) {
		fmt.Fprintf(&got, "%s %s\n", m[1], m[2])
	}
	if got.String() != want.String() {
		t.Errorf("got\n%swant\n%s\n%s", got.String(), want.String(), printed.String())
	}
}

// TestValidateScales demands that what a container costs does not depend on how many there are: in memory, and in mistakes.
func TestValidateScales(t *testing.T) {
	for _, format := range []string{"yaml", "toml"} {
		few, many := writeBig(t, 250, format), writeBig(t, 1000, format)
		validate(few) // what is made once
		perFew := allocated(func() { validate(few) }) / 250
		perMany := allocated(func() { validate(many) }) / 1000
		if ratio := perMany / perFew; ratio > 1.5 {
			t.Errorf("%s: %.0f bytes a container of 250, %.0f of 1000: %.2f times as many", format, perFew, perMany, ratio)
		}
		plan := func(path string) float64 {
			p := project(t, path)
			return allocated(func() { planner.Make(p, planner.Options{}) }) / float64(len(p.Containers))
		}
		if ratio := plan(many) / plan(few); ratio > 1.5 {
			t.Errorf("%s: planning 1000 containers takes %.2f times as much for each as planning 250", format, ratio)
		}
	}
}

func project(t *testing.T, path string) *schema.Project {
	t.Helper()
	doc, _ := manifest.Load(manifest.Options{Files: []string{path}, ProjectName: "p", Repeatable: schema.Repeatable})
	p, diags := schema.Decode(doc)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return p
}
