// Package docker starts the same container with Docker and with runfile and compares what a process in it sees. It is
// run by `make test-docker` only. Differences that are meant stand in testdata/differences.txt, each with its reason.
//
// The daemon is Debian's, unpacked and not installed (.ci/setup docker). It gets a network namespace, a mount namespace
// and a state directory of its own and leaves iptables alone, so nothing of the host's changes.
package docker

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

//go:embed testdata/collect.sh
var collect string

// cgroupParent is of all docker's containers; docker leaves it behind.
const cgroupParent = "/conformance-docker"

// rig is the two engines and what cases refer to.
type rig struct {
	dir     string
	runfile string
	docker  []string          // the client and the options that lead it to the daemon
	names   map[string]string // $DIR and the like in cases
	netns   string            // of the daemon: "host" for its containers
}

func TestSameAsDocker(t *testing.T) {
	if os.Getenv("RUNFILE_TEST_DOCKER") == "" {
		t.Skip("make test-docker runs this")
	}
	r := newRig(t)
	list := readDifferences(t, "testdata/differences.txt")
	for _, words := range readCases(t, "testdata/cases.txt") {
		t.Run(strings.Join(words, "_"), func(t *testing.T) {
			if words[0] == "(all-capabilities)" {
				words = words[1:]
				needCapabilities(t)
			}
			r.compare(t, words, list)
		})
	}
	if !t.Failed() && !filtered() {
		list.reportUnused(t)
	}
}

// needCapabilities: where root lacks a capability, docker cannot even start containers that are to have all of them.
func needCapabilities(t *testing.T) {
	t.Helper()
	last, err1 := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	status, err2 := os.ReadFile("/proc/self/status")
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(last)))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(status), fmt.Sprintf("CapEff:\t%016x", uint64(1)<<(n+1)-1)) {
		t.Skip("docker needs every capability for this")
	}
}

// filtered: -run chose some of the cases.
func filtered() bool {
	for _, arg := range os.Args {
		if strings.HasPrefix(arg, "-test.run=") && strings.Contains(arg, "/") {
			return true
		}
	}
	return false
}

// compare runs a case with docker, and with runfile on docker's runtime and on the default one.
func (r *rig) compare(t *testing.T, words []string, list *differences) {
	args := make([]string, len(words))
	for i, w := range words {
		args[i] = os.Expand(w, func(name string) string { return r.names[name] })
	}
	args = append(args, "busybox", "sh", "-c", collect)
	out, err := r.run(append(append(r.docker, "run", "--rm", "--cgroup-parent", cgroupParent), args...))
	if err != nil {
		t.Fatalf("docker: %v", err)
	}
	docker := normalise(out, r.netns)
	netns, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, runtime := range []string{"runc", "crun"} {
		out, err := r.run(append([]string{r.runfile, "run", "--rm", "--runtime", runtime}, args...))
		if err != nil && strings.Contains(err.Error(), "[not-yet]") {
			t.Skip("runfile does not honour this yet")
		}
		if err != nil && runtime == "crun" && strings.Contains(err.Error(), "opening file `blkio.weight`") {
			t.Log("crun 1.8 knows the file of old kernels only; where no runtime is named, runfile takes runc")
			continue
		}
		if err != nil {
			t.Errorf("runfile with %s: %v", runtime, err)
			continue
		}
		list.check(t, runtime+" "+strings.Join(words, " "), docker, normalise(out, netns))
	}
}

// run is a command's standard output.
func (r *rig) run(words []string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "RUNFILE_ROOT="+filepath.Join(r.dir, "runfile"), "DOCKER_CONFIG="+r.dir)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w\n%s%s", err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}

func newRig(t *testing.T) *rig {
	t.Helper()
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "rfd") //nolint:usetesting // sockets lie in it, whose paths must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	r := &rig{dir: dir, runfile: filepath.Join(repo, "bin", "runfile"), names: make(map[string]string)}
	r.names["DIR"] = filepath.Join(dir, "shared")
	if err := errors.Join(os.Mkdir(r.names["DIR"], 0o755), os.WriteFile(filepath.Join(r.names["DIR"], "file"), []byte("text\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	r.names["DISK"] = loopDevice(t, filepath.Join(dir, "disk"))
	archive := filepath.Join(repo, "build", "image.tar")
	if _, err := r.run([]string{r.runfile, "pull", "--tag", "busybox", "docker-archive:" + archive + ":busybox:latest"}); err != nil {
		t.Fatal("run `make build build/image.tar` first: ", err)
	}
	t.Cleanup(func() {
		if _, err := r.run([]string{r.runfile, "--project-name", "default", "down", "-v", "-t", "0"}); err != nil {
			t.Error(err)
		}
	})
	r.startDaemon(t, filepath.Join(repo, "build", "docker"))
	if _, err := r.run(append(r.docker, "load", "-i", archive)); err != nil {
		t.Fatal(err)
	}
	return r
}

// loopDevice makes a disk of 4 MiB.
func loopDevice(t *testing.T, file string) string {
	t.Helper()
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, 4<<20)); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("losetup", "--find", "--show", file).Output()
	if err != nil {
		t.Fatal("losetup: ", err)
	}
	device := strings.TrimSpace(string(out))
	t.Cleanup(func() {
		if err := exec.Command("losetup", "--detach", device).Run(); err != nil {
			t.Error("losetup: ", err)
		}
	})
	return device
}

// startDaemon starts dockerd and waits until it answers.
func (r *rig) startDaemon(t *testing.T, unpacked string) {
	t.Helper()
	bin, sbin := filepath.Join(unpacked, "usr/bin"), filepath.Join(unpacked, "usr/sbin")
	if _, err := os.Stat(filepath.Join(sbin, "dockerd")); err != nil {
		t.Fatal("run `.ci/setup docker` first: ", err)
	}
	dir := filepath.Join(r.dir, "docker")
	log, err := os.Create(filepath.Join(r.dir, "dockerd.log"))
	if err != nil {
		t.Fatal(err)
	}
	socket := "unix://" + dir + ".sock"
	r.docker = []string{filepath.Join(bin, "docker"), "-H", socket}
	daemon := exec.Command("sh", "-c", `ip link set lo up; exec dockerd -H "$1" --data-root "$2/root" --exec-root "$2/exec" --pidfile "$2.pid" \
		--iptables=false --ip6tables=false --ip-masq=false --userland-proxy=false --storage-driver overlay2`, "sh", socket, dir)
	daemon.Env = append(os.Environ(), "PATH="+bin+":"+sbin+":"+os.Getenv("PATH"))
	daemon.Stdout, daemon.Stderr = log, log
	daemon.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = daemon.Process.Signal(unix.SIGTERM)
		_ = daemon.Wait()
		_ = log.Close()
		removeCgroups(t)
	})
	for range 300 {
		if _, err = r.run(append(r.docker, "version")); err == nil {
			r.netns, err = os.Readlink(fmt.Sprintf("/proc/%d/ns/net", daemon.Process.Pid))
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	said, _ := os.ReadFile(log.Name())
	t.Fatalf("dockerd does not answer: %v\n%s", err, said)
}

// removeCgroups removes docker's parent groups, which it leaves.
func removeCgroups(t *testing.T) {
	v1, _ := filepath.Glob("/sys/fs/cgroup/*" + cgroupParent)
	v2, _ := filepath.Glob("/sys/fs/cgroup" + cgroupParent)
	for _, dir := range append(v1, v2...) {
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	}
}

// word is a word of a case: bare, or in double quotes.
var word = regexp.MustCompile(`"[^"]*"|\S+`)

func readCases(t *testing.T, file string) [][]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases [][]string
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(line, "#")
		var words []string
		for _, w := range word.FindAllString(line, -1) {
			words = append(words, strings.Trim(w, `"`))
		}
		if len(words) > 0 {
			cases = append(cases, words)
		}
	}
	return cases
}
