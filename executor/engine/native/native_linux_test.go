package native

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/engine/enginetest"
	"github.com/runfile/runfile/executor/ocispec/initproc"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// archive is the test image, built once: busybox and a probe as docker-archive.
var archive string

func TestMain(m *testing.M) {
	if initproc.Named(os.Args[0]) {
		initproc.Main()
	}
	if text := os.Getenv(helperVariable); text != "" {
		var job helperJob
		err := json.Unmarshal([]byte(text), &job)
		if err == nil {
			err = supervise(job)
		}
		fmt.Fprintln(os.Stderr, "supervisor:", err)
		os.Exit(1)
	}
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (int, error) {
	if os.Geteuid() != 0 {
		return m.Run(), nil
	}
	if archive = os.Getenv("NATIVE_TEST_IMAGE"); archive != "" { // a guest without a Go tool chain brings it along
		return m.Run(), nil
	}
	dir, err := os.MkdirTemp("", "native")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir) // best effort
	archive = filepath.Join(dir, "image.tar")
	out, err := exec.Command("go", "run", "github.com/runfile/runfile/conformance/testimage", archive).CombinedOutput()
	if err != nil {
		return 1, fmt.Errorf("build the test image: %w\n%s", err, out)
	}
	return m.Run(), nil
}

func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: real containers")
	}
}

// imageRef is one tag of the test image.
func imageRef(tag string) value.ImageRef {
	return value.ImageRef{Scheme: "docker-archive", Path: archive, Name: tag, Text: "docker-archive:" + archive + ":" + tag}
}

// project is an engine under test with a state directory of its own.
type project struct {
	testing.TB
	*Engine
	cfg Config
}

// paths shares the image store between tests, since unpacking is slow, and nothing else.
func newPaths(t testing.TB) state.Paths {
	t.Helper()
	dir := t.TempDir()
	return state.Paths{Root: filepath.Join(dir, "lib"), Run: filepath.Join(dir, "run")}
}

var (
	projectCount int
	projectMu    sync.Mutex
)

func newProject(t testing.TB) *project {
	t.Helper()
	needRoot(t)
	projectMu.Lock()
	projectCount++
	name := fmt.Sprintf("nt%d-%d", os.Getpid(), projectCount)
	projectMu.Unlock()
	return openProject(t, Config{Paths: newPaths(t), Project: name, Logf: t.Logf})
}

func openProject(t testing.TB, cfg Config) *project {
	t.Helper()
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := &project{TB: t, Engine: e, cfg: cfg}
	projects.Store(e, p)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		for _, l := range leftovers(t, cfg) {
			t.Errorf("left behind: %s", l)
		}
	})
	return p
}

// projects finds the project of an engine.
var projects sync.Map

// reopen closes an engine, as the end of a supervisor does, and opens the next one on the same state.
func reopen(t *testing.T, e engine.Engine) engine.Engine {
	t.Helper()
	v, _ := projects.Load(e)
	p := v.(*project)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	next, err := New(p.cfg)
	if err != nil {
		t.Fatal(err)
	}
	p.Engine = next
	projects.Store(next, p)
	return next
}

// declare makes a container that runs args in the busybox image.
func declare(key string, args ...string) *schema.Container {
	c := &schema.Container{Key: key}
	c.Image.Ref = set(imageRef("busybox:latest"))
	c.Process.Command = set(args)
	c.Network.Networks = schema.Items[value.Network]{{Value: value.Network{Mode: value.NetworkNone}}}
	return c
}

func set[T any](v T) schema.Opt[T] { return schema.Opt[T]{Value: v, Set: true} }

func items[T any](values ...T) schema.Items[T] {
	var out schema.Items[T]
	for _, v := range values {
		out = append(out, schema.Item[T]{Value: v})
	}
	return out
}

// create makes a container that is removed at the end of the test.
func (p *project) create(c *schema.Container, peers map[string]string) string {
	p.Helper()
	id, _, err := p.tryCreate(c, peers)
	if err != nil {
		p.Fatalf("create %s: %v", c.Key, err)
	}
	return id
}

func (p *project) tryCreate(c *schema.Container, peers map[string]string) (string, *schema.Effective, error) {
	p.Helper()
	id := state.NewID()
	eff, err := p.Create(p.Context(), engine.Container{
		ID: id, Name: p.cfg.Project + "-" + c.Key, Project: p.cfg.Project, Dir: p.TempDir(), Spec: c, Peers: peers,
	})
	if err == nil {
		p.Cleanup(func() { p.drop(id) })
	}
	return id, eff, err
}

func (p *project) drop(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if pr, err := p.Adopt(ctx, id, engine.Stdio{}); err == nil {
		_ = pr.Signal(ctx, 9)
		if _, err := pr.Wait(ctx); err != nil {
			p.Errorf("end %s: %v", short(id), err)
		}
	}
	if err := p.Remove(ctx, engine.Ref{Kind: "container", Name: id, Volumes: true}); err != nil {
		p.Errorf("remove %s: %v", short(id), err)
	}
}

// buffer is a bytes.Buffer for two goroutines.
type buffer struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	more chan struct{}
}

func newBuffer() *buffer { return &buffer{more: make(chan struct{}, 1)} }

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.more <- struct{}{}:
	default:
	}
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// await blocks until the text has been written.
func (b *buffer) await(t testing.TB, text string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !strings.Contains(b.String(), text) {
		select {
		case <-b.more:
		case <-deadline:
			t.Fatalf("no %q in %q", text, b.String())
		}
	}
}

// run runs a container to its end and returns its output.
func (p *project) run(c *schema.Container) (engine.Exit, string, string) {
	p.Helper()
	id := p.create(c, nil)
	out, errs := newBuffer(), newBuffer()
	pr, err := p.Start(p.Context(), id, engine.Stdio{Stdout: out, Stderr: errs})
	if err != nil {
		p.Fatalf("start %s: %v", c.Key, err)
	}
	exit, err := pr.Wait(p.Context())
	if err != nil {
		p.Fatalf("wait for %s: %v", c.Key, err)
	}
	return exit, out.String(), errs.String()
}

// sh runs a script and wants it to succeed.
func (p *project) sh(script string, change func(*schema.Container)) string {
	p.Helper()
	c := declare("c", "sh", "-c", script)
	if change != nil {
		change(c)
	}
	exit, out, errs := p.run(c)
	if exit.Code != 0 {
		p.Fatalf("%s: exit %d\n%s%s", script, exit.Code, out, errs)
	}
	return out
}

// start starts a container that goes on.
func (p *project) start(c *schema.Container, peers map[string]string) (string, engine.Process, *buffer) {
	p.Helper()
	id, out := p.create(c, peers), newBuffer()
	pr, err := p.Start(p.Context(), id, engine.Stdio{Stdout: out, Stderr: out})
	if err != nil {
		p.Fatalf("start %s: %v", c.Key, err)
	}
	return id, pr, out
}

// leftovers lists what a project must not leave on the host. The kernel destroys a network namespace some time after the
// last reference is gone.
func leftovers(t testing.TB, cfg Config) []string {
	t.Helper()
	var out []string
	for range 1000 {
		if out = leftNow(t, cfg); len(out) == 0 {
			break
		}
		waitABit()
	}
	return out
}

func leftNow(t testing.TB, cfg Config) []string {
	t.Helper()
	var out []string
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		if strings.Contains(line, cfg.Paths.Root) || strings.Contains(line, cfg.Paths.Run) {
			out = append(out, "mount "+line)
		}
	}
	aliases, _ := filepath.Glob("/sys/class/net/*/ifalias")
	for _, a := range aliases {
		if data, err := os.ReadFile(a); err == nil && strings.HasPrefix(string(data), "runfile:"+cfg.Project+"/") {
			out = append(out, "link "+a)
		}
	}
	for _, h := range hierarchies() {
		if _, err := os.Stat(filepath.Join(h, cgroupTop, cfg.Project)); err == nil {
			out = append(out, "cgroup "+filepath.Join(h, cgroupTop, cfg.Project))
		}
	}
	for _, pattern := range []string{
		cfg.Paths.Run + "/runtime/*/*", cfg.Paths.Run + "/runtime/trial-*[0-9a-f]", cfg.Paths.ProjectRun(cfg.Project) + "/c/*",
		cfg.Paths.Containers(cfg.Project) + "/*", cfg.Paths.Containers(cfg.Project) + "/*/*", cfg.Paths.Volumes() + "/*",
		cfg.Paths.Roots() + "/*", cfg.Paths.Layers() + "/*/.tmp-*",
	} {
		found, _ := filepath.Glob(pattern)
		out = append(out, found...)
	}
	return slices.DeleteFunc(out, func(s string) bool {
		// Verdicts about runtimes stay; the volume store sweeps its half-made volumes with its next change.
		return strings.HasSuffix(s, ".json") || strings.HasPrefix(s, cfg.Paths.Volumes()+"/.")
	})
}

func TestSuite(t *testing.T) {
	needRoot(t)
	enginetest.Run(t, func(t *testing.T) engine.Engine { return newProject(t).Engine }, imageRef("busybox:latest"), enginetest.Options{
		Reopen: reopen,
		Listen: func(port string) []string { return []string{"nc", "-ll", "-p", port, "-e", "cat"} },
		Ping:   func(name string) []string { return []string{"ping", "-c", "1", "-W", "5", name} },
	})
}

func TestEcho(t *testing.T) {
	p := newProject(t)
	exit, out, errs := p.run(declare("hi", "sh", "-c", "echo hi; echo oops >&2; exit 3"))
	if exit.Code != 3 || out != "hi\n" || errs != "oops\n" {
		t.Errorf("exit %+v, stdout %q, stderr %q", exit, out, errs)
	}
}

// refused wants create or start to fail with that status and option.
func (p *project) refused(c *schema.Container, code int, option string) {
	p.Helper()
	id, _, err := p.tryCreate(c, nil)
	if err == nil {
		_, err = p.Start(p.Context(), id, engine.Stdio{})
	}
	var e *engine.Error
	if !errors.As(err, &e) {
		p.Fatalf("error %v, want an engine.Error", err)
	}
	p.Log(err)
	if e.Code != code || e.Option != option {
		p.Errorf("code %d, option %q; want %d, %q (%v)", e.Code, e.Option, code, option, err)
	}
}
