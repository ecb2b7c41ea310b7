// Command bench compares runfile with the bare OCI runtimes and with the engines that are installed, all in one run,
// round by round in turn, and prints medians and ratios. Absolute times depend on the machine; ratios of one run do not.
//
//	go run ./conformance/bench [-rounds N] [-sizes 50,200]
//
// It runs as root from the top of the repo after `make build build/image.tar`. A Docker daemon is started for the
// comparison in a network namespace and state directory of its own where `dockerd` is installed.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// contestant is one way to run n containers of `true`, or a single one.
type contestant struct {
	name string
	// batch runs n containers with a bridge network, a published port and the default seccomp profile (bare runtimes:
	// an empty network namespace).
	batch func(n int) error
	// one runs a single container and removes it; nil = not compared.
	one func() error
}

type bench struct {
	dir     string // of this run, removed at the end
	runfile string
	image   string
	undo    []func()
}

func main() {
	rounds := flag.Int("rounds", 5, "rounds of each measurement")
	sizes := flag.String("sizes", "50,200", "containers of a batch")
	flag.Parse()
	if err := run(*rounds, *sizes); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(rounds int, sizes string) error {
	if os.Geteuid() != 0 {
		return errors.New("root is needed to run containers")
	}
	b, err := newBench()
	if err != nil {
		return err
	}
	defer b.close()
	contestants, err := b.contestants()
	if err != nil {
		return err
	}
	for size := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil {
			return err
		}
		r := rounds
		if n > 100 {
			r = max(2, rounds/2)
		}
		title := fmt.Sprintf("%d containers of `true`", n)
		if err := compare(title, r, contestants, func(c contestant) func() error {
			return func() error { return c.batch(n) }
		}); err != nil {
			return err
		}
	}
	if err := compare("one container, run and removed", 3*rounds, contestants, func(c contestant) func() error { return c.one }); err != nil {
		return err
	}
	if err := b.startUp(); err != nil {
		return err
	}
	return b.memory(100)
}

func newBench() (*bench, error) {
	repo, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "rfbench")
	if err != nil {
		return nil, err
	}
	b := &bench{dir: dir, runfile: filepath.Join(repo, "bin", "runfile"), image: filepath.Join(repo, "build", "image.tar")}
	b.undo = append(b.undo, func() { _ = os.RemoveAll(dir) })
	if err := os.Setenv("RUNFILE_ROOT", filepath.Join(dir, "state")); err != nil {
		return nil, err
	}
	return b, command(b.runfile, "pull", "--tag", "busybox", "docker-archive:"+b.image+":busybox:latest")
}

func (b *bench) close() {
	for _, f := range slices.Backward(b.undo) {
		f()
	}
}

func (b *bench) contestants() ([]contestant, error) {
	cs := []contestant{{name: "runfile", batch: b.up, one: func() error {
		return command(b.runfile, "run", "--rm", "busybox", "true")
	}}}
	bare, err := b.bare()
	if err != nil {
		return nil, err
	}
	return append(append(cs, bare...), b.engines()...), nil
}

// up runs a file of n containers and removes them.
func (b *bench) up(n int) error {
	var text strings.Builder
	text.WriteString("project: bench\ndefaults: {image: busybox, publish: \"80\"}\ncontainers:\n")
	for i := range n {
		fmt.Fprintf(&text, "  c%d: {command: \"true\"}\n", i)
	}
	file := filepath.Join(b.dir, "bench.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return err
	}
	return command(b.runfile, "-f", file, "--progress", "quiet", "up", "--rm")
}

// compare runs every contestant once a round, in turn, and prints medians and ratios to the first.
func compare(title string, rounds int, cs []contestant, pick func(contestant) func() error) error {
	times := make(map[string][]time.Duration)
	for range rounds {
		for _, c := range cs {
			f := pick(c)
			if f == nil {
				continue
			}
			start := time.Now()
			if err := f(); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			times[c.name] = append(times[c.name], time.Since(start))
		}
	}
	fmt.Printf("\n%s (median of %d, in turn)\n", title, rounds)
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	ours := median(times[cs[0].name])
	for _, c := range cs {
		if t := times[c.name]; t != nil {
			m := median(t)
			fmt.Fprintf(w, "  %s\t%.3f s\t%.2f x runfile\tfastest %.3f s\n", c.name, m.Seconds(), float64(m)/float64(ours), slices.Min(t).Seconds())
		}
	}
	return w.Flush()
}

func median(d []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(d))
	return s[len(s)/2]
}

// startUp measures the start of the program itself.
func (b *bench) startUp() error {
	var times []time.Duration
	for range 20 {
		start := time.Now()
		if err := command(b.runfile, "version"); err != nil {
			return err
		}
		times = append(times, time.Since(start))
	}
	fmt.Printf("\nrunfile version: median %.1f ms, fastest %.1f ms\n", ms(median(times)), ms(slices.Min(times)))
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// memory measures the supervisor's resident memory while n containers sleep.
func (b *bench) memory(n int) error {
	var text strings.Builder
	text.WriteString("project: sleepers\ndefaults: {image: busybox, detach: true, stop-timeout: 0, command: sleep 1000}\ncontainers:\n")
	for i := range n {
		fmt.Fprintf(&text, "  c%d: {}\n", i)
	}
	file := filepath.Join(b.dir, "sleepers.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return err
	}
	defer func() { _ = command(b.runfile, "-f", file, "down", "-v") }()
	if err := command(b.runfile, "-f", file, "--progress", "quiet", "up", "-d"); err != nil {
		return err
	}
	out, err := exec.Command("pgrep", "-f", "runfile supervise sleepers$").Output()
	if err != nil {
		return fmt.Errorf("find the supervisor: %w", err)
	}
	status, err := os.ReadFile(filepath.Join("/proc", strings.TrimSpace(string(out)), "status"))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			f, err := strconv.ParseFloat(strings.Fields(kb)[0], 64)
			if err != nil {
				return err
			}
			fmt.Printf("\nsupervisor with %d running containers: %.1f MB, %.2f MB a container; no other process of ours\n", n, f/1024, f/1024/float64(n))
		}
	}
	return nil
}

// command runs a program and returns its output with the error.
func command(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return nil
}
