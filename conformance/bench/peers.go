package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// bare are the OCI runtimes alone, on the specification that runfile makes, less network and files of its own. A
// sleeping container lends its specification and keeps the files it mounts in place.
func (b *bench) bare() ([]contestant, error) {
	if err := command(b.runfile, "run", "-d", "--name", "donor", "--stop-timeout", "0", "busybox", "sleep", "100000"); err != nil {
		return nil, err
	}
	b.undo = append(b.undo, func() { _ = command(b.runfile, "rm", "-f", "donor") })
	spec, err := b.donorSpec()
	if err != nil {
		return nil, err
	}
	var cs []contestant
	for _, runtime := range []string{"crun", "runc"} {
		path, err := exec.LookPath(runtime)
		if err != nil {
			continue
		}
		cs = append(cs, contestant{
			name:  "bare " + runtime + " run",
			batch: func(n int) error { return b.runBare(path, spec, n) },
			one:   func() error { return b.runBare(path, spec, 1) },
		})
	}
	return cs, nil
}

// donorSpec finds the config.json of the sleeping container and makes it run `true` in a network namespace of its own.
func (b *bench) donorSpec() (map[string]any, error) {
	var spec map[string]any
	err := filepath.WalkDir(filepath.Join(b.dir, "state"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "config.json" || spec != nil {
			return nil //nolint:nilerr // unreadable folders are of no interest
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var candidate map[string]any
		if json.Unmarshal(content, &candidate) == nil && candidate["ociVersion"] != nil {
			spec = candidate
		}
		return nil
	})
	if err != nil || spec == nil {
		return nil, errors.Join(errors.New("no specification of the sleeping container"), err)
	}
	rootfs, err := b.layer()
	if err != nil {
		return nil, err
	}
	spec["root"] = map[string]any{"path": rootfs, "readonly": true}
	spec["process"].(map[string]any)["args"] = []string{"true"}
	for _, ns := range spec["linux"].(map[string]any)["namespaces"].([]any) {
		delete(ns.(map[string]any), "path")
	}
	return spec, nil
}

// layer is the one unpacked layer of the test image.
func (b *bench) layer() (string, error) {
	found := ""
	err := filepath.WalkDir(filepath.Join(b.dir, "state"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && found == "" && strings.HasSuffix(path, "/fs/bin/busybox") && strings.Contains(path, "layers") {
			found = strings.TrimSuffix(path, "/bin/busybox")
		}
		return nil
	})
	if found == "" {
		err = errors.Join(errors.New("no unpacked image"), err)
	}
	return found, err
}

// runBare runs n bundles, 8 at a time as runfile does. crun needs a mount namespace without the second cgroup hierarchy
// on cgroup v1 hybrid hosts; both runtimes get one, so that they are compared alike.
func (b *bench) runBare(runtime string, spec map[string]any, n int) error {
	dir, err := os.MkdirTemp(b.dir, "bare")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for i := range n {
		bundle := filepath.Join(dir, strconv.Itoa(i))
		if err := os.Mkdir(bundle, 0o700); err != nil {
			return err
		}
		spec["linux"].(map[string]any)["cgroupsPath"] = fmt.Sprintf("/rfbench/%d", i)
		content, err := json.Marshal(spec)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(bundle, "config.json"), content, 0o600); err != nil {
			return err
		}
	}
	script := fmt.Sprintf(`if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
seq 0 %d | xargs -P 8 -I{} %s --root %s/root run -b %s/{} bench{}`, n-1, runtime, dir, dir)
	err = command("unshare", "-m", "sh", "-c", script)
	for _, pattern := range []string{"/sys/fs/cgroup/rfbench", "/sys/fs/cgroup/*/rfbench"} {
		parents, _ := filepath.Glob(pattern)
		for _, p := range parents {
			_ = os.Remove(p)
		}
	}
	return err
}

// engines are the daemons and tools that are installed and answer.
func (b *bench) engines() []contestant {
	var cs []contestant
	if docker := b.docker(); docker != nil {
		cs = append(cs, b.dockerLike("docker run", 4, docker))
	}
	if _, err := exec.LookPath("podman"); err == nil {
		if err := command("podman", "load", "-i", b.image); err == nil {
			cs = append(cs, b.dockerLike("podman run", 4, []string{"podman"}))
		} else {
			fmt.Fprintln(os.Stderr, "podman is left out:", err)
		}
	}
	return cs
}

// dockerLike runs containers as people do who have a list of them: docker run, several at a time.
func (b *bench) dockerLike(name string, parallel int, client []string) contestant {
	words := strings.Join(client, " ")
	return contestant{
		name: fmt.Sprintf("%s -P%d", name, parallel),
		batch: func(n int) error {
			return command("sh", "-c", fmt.Sprintf("seq %d | xargs -P %d -I{} %s run --rm -p 80 busybox:latest true", n, parallel, words))
		},
		one: func() error { return command("sh", "-c", words+" run --rm busybox:latest true") },
	}
}

// docker starts a daemon of its own and returns the client's command, or nil.
func (b *bench) docker() []string {
	dockerd, err := exec.LookPath("dockerd")
	if err != nil {
		return nil
	}
	dir := filepath.Join(b.dir, "docker")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil
	}
	socket := "unix://" + dir + "/sock"
	daemon := exec.Command("unshare", "-n", "sh", "-c", "ip link set lo up; exec "+dockerd+" -H "+socket+
		" --data-root "+dir+"/root --exec-root "+dir+"/exec --pidfile "+dir+"/pid --storage-driver overlay2")
	daemon.Stdout, daemon.Stderr = log, log
	if err := daemon.Start(); err != nil {
		return nil
	}
	b.undo = append(b.undo, func() {
		_ = daemon.Process.Signal(os.Interrupt)
		_ = daemon.Wait()
	})
	client := []string{"docker", "-H", socket}
	for range 100 {
		if exec.Command("docker", "-H", socket, "version").Run() == nil {
			if err := command("docker", "-H", socket, "load", "-i", b.image); err != nil {
				fmt.Fprintln(os.Stderr, "docker is left out:", err)
				return nil
			}
			return client
		}
		time.Sleep(100 * time.Millisecond)
	}
	fmt.Fprintf(os.Stderr, "docker is left out: its daemon does not answer, see %s\n", log.Name())
	return nil
}
