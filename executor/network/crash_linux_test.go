package network

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/dns"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/schema/value"
)

// crashHelper marks the copy of the test program that plays a supervisor which is killed.
const crashHelper = "RUNFILE_TEST_CRASH"

// victim is what a killed supervisor had.
type victim struct {
	Netns    map[string]string // container name -> path
	Bindings []engine.Binding
}

// crashAttach is the same in both processes.
func crashAttach(dir, name string) Attach {
	a := Attach{
		ContainerID: hash(64, name), ContainerKey: name, Name: name, Hostname: name,
		Mode: value.NetworkUser, Networks: []Membership{{Key: "a"}}, Dir: filepath.Join(dir, name), DNS: []string{"127.0.0.11"},
	}
	if name == "web" {
		a.Ports = []value.PortMapping{publish("", 0, 80)}
	}
	return a
}

// crashingSupervisor runs until it is killed.
func crashingSupervisor(dir string) {
	m, err := New(Config{Project: "crash", RunDir: dir + "/run", StateDir: dir + "/state"})
	if err == nil {
		err = m.Ensure(context.Background(), Network{Key: "a", ICC: true})
	}
	v := victim{Netns: map[string]string{}}
	for _, name := range []string{"web", "gone", "job"} {
		var s *Sandbox
		if err == nil {
			s, err = m.Join(context.Background(), crashAttach(dir, name))
		}
		if err == nil {
			err = s.Start(context.Background())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		v.Netns[name] = s.NetnsPath()
		v.Bindings = append(v.Bindings, s.Ports()...)
	}
	b, _ := json.Marshal(v)
	fmt.Println(string(b))
	select {}
}

// crash runs a supervisor, starts a process in the namespaces of the named containers, and kills the supervisor.
func crash(t *testing.T, dir string, alive ...string) (v victim, procs map[string]*exec.Cmd) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), crashHelper+"="+dir)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	procs = map[string]*exec.Cmd{}
	for _, name := range alive {
		c := exec.Command("nsenter", "--net="+v.Netns[name], "sleep", "1000")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
		procs[name] = c
		inNetns(t, c.Process.Pid, v.Netns[name])
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return v, procs
}

// inNetns waits until a process has entered a namespace.
func inNetns(t *testing.T, pid int, path string) {
	t.Helper()
	want, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for ; ; wait() {
		got, err := os.Stat(fmt.Sprintf("/proc/%d/ns/net", pid))
		if err != nil {
			t.Fatal(err)
		}
		if os.SameFile(got, want) {
			return
		}
	}
}

func TestSuccessorAdopts(t *testing.T) {
	needHost(t)
	dir := t.TempDir()
	v, procs := crash(t, dir, "web", "job")
	cfg := Config{Project: "crash", RunDir: dir + "/run", StateDir: dir + "/state", Logf: t.Logf}
	m := newHost(t, cfg)
	t.Cleanup(func() { // before newHost looks for what is left
		for _, p := range procs {
			_ = p.Process.Kill()
			_ = p.Wait()
		}
	})
	ensure(t, m, Network{Key: "a", ICC: true})
	if len(m.carried) != 1 || len(m.orphans) < 2 {
		t.Errorf("found %d ports and %d containers", len(m.carried), len(m.orphans))
	}
	a := crashAttach(dir, "web")
	a.ReuseNetnsPID, a.Bindings = procs["web"].Process.Pid, v.Bindings
	s := join(t, m, a)
	listenIn(t, s.ns, ":80")
	ext := outside(t, m)
	port := fmt.Sprint(v.Bindings[0].HostPort)
	if got := probe(ext, net.JoinHostPort("198.51.100.1", port)); got != "198.51.100.2" {
		t.Errorf("the published port before it is adopted: %q", got)
	}
	// Only web goes on; "job" runs but is not wanted, "gone" has ended.
	if err := m.Sweep(t.Context(), []string{a.ContainerID}); err != nil {
		t.Fatal(err)
	}
	start(t, s)
	if !slices.Equal(s.Ports(), v.Bindings) {
		t.Errorf("ports %v, before %v", s.Ports(), v.Bindings)
	}
	for ns, addr := range map[*Netns]string{ext: "198.51.100.1:" + port, nil: "127.0.0.1:" + port} {
		if probe(ns, addr) == "" {
			t.Errorf("%s does not answer after the adoption", addr)
		}
	}
	if got := lookup(t, s, "udp", "web", dns.TypeA); got != "NOERROR "+s.eps[0].ip.String() {
		t.Errorf("the new name server: %s", got)
	}
	left, err := LeftBehind(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if l := strings.Join(left, "\n"); strings.Contains(l, hash(64, "job")) || strings.Count(l, "lease ") != 1 {
		t.Errorf("after Sweep:\n%s", l)
	}
	if c := join(t, m, crashAttach(dir, "gone")); c.eps[0].ip == s.eps[0].ip {
		t.Error("an adopted address was given away")
	}
}

func TestSuccessorFindsNothingAlive(t *testing.T) {
	needHost(t)
	dir := t.TempDir()
	crash(t, dir)
	cfg := Config{Project: "crash", RunDir: dir + "/run", StateDir: dir + "/state", Logf: t.Logf}
	m := newHost(t, cfg)
	if err := m.Sweep(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	noneLeft(t, cfg)
	a := crashAttach(dir, "web")
	a.ReuseNetnsPID = os.Getpid()
	ensure(t, m, Network{Key: "a", ICC: true})
	if _, err := m.Join(t.Context(), a); err == nil || !strings.Contains(err.Error(), "host's network namespace") {
		t.Errorf("adopting the host's own namespace: %v", err)
	}
}

// Close with containers that run leaves what they need, and nothing of this process.
func TestCloseLeavesRunningContainers(t *testing.T) {
	cfg := testConfig(t, "leave")
	first := newHost(t, cfg)
	a := bridged(t, "web")
	a.Ports = []value.PortMapping{publish("", 8080, 80)}
	s := start(t, join(t, first, a))
	hold, err := os.Open(s.NetnsPath()) // as the container's process does
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := LeftBehind(cfg)
	if err != nil || len(left) != 4 { // bridge, veth, table, lease
		t.Errorf("left %q, %v", left, err)
	}
	if l, err := net.Listen("tcp", "127.0.0.1:8080"); err != nil {
		t.Errorf("the port is still held: %v", err)
	} else {
		_ = l.Close()
	}
	_ = hold.Close()
	m := newHost(t, cfg)
	if err := m.Sweep(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

// Close with containers that are joined and not started, as stopped ones are, leaves nothing; a started joiner counts.
func TestCloseDropsStoppedContainers(t *testing.T) {
	cfg := testConfig(t, "stopped")
	m := newHost(t, cfg)
	s := start(t, join(t, m, bridged(t, "web")))
	s.Stop()
	join(t, m, bridged(t, "never"))
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	noneLeft(t, cfg)

	m = newHost(t, cfg)
	owner := join(t, m, bridged(t, "web"))
	joiner := start(t, owner.Share("joiner"))
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(owner.Close(t.Context()), joiner.Close(t.Context())); err != nil {
		t.Error(err)
	}
	if left, err := LeftBehind(cfg); err != nil || !slices.ContainsFunc(left, func(l string) bool { return strings.HasPrefix(l, "bridge ") }) {
		t.Errorf("the network of a started joiner is gone: %q, %v", left, err)
	}
	m = newHost(t, cfg)
	if err := m.Sweep(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}
