// Command testimage writes the image that examples, demo and conformance tests run: busybox and a probe program, as a
// docker-archive with three tags. It needs Debian's busybox-static and the Go tool chain, and no network.
//
//	go run ./conformance/testimage OUT.tar
//
// Tags: busybox:latest (a shell and nothing configured), probe:latest (the same, with the probe as entrypoint) and
// configured:latest (every image setting that docker run merges with its options).
package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: testimage OUT.tar")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "testimage:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		return fmt.Errorf("install busybox-static: %w", err)
	}
	applets, err := exec.Command("/bin/busybox", "--list").Output()
	if err != nil {
		return fmt.Errorf("list busybox applets: %w", err)
	}
	probe, err := buildProbe()
	if err != nil {
		return err
	}
	layer, err := rootfs(busybox, strings.Fields(string(applets)), probe)
	if err != nil {
		return err
	}
	archive, err := dockerArchive(layer)
	if err != nil {
		return err
	}
	// Rename, so that a reader never sees half an archive.
	if err := os.WriteFile(out+".tmp", archive, 0o644); err != nil {
		return err
	}
	return os.Rename(out+".tmp", out)
}

func buildProbe() ([]byte, error) {
	dir, err := os.MkdirTemp("", "probe")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "probe")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, "github.com/runfile/runfile/conformance/probe")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build probe: %w\n%s", err, out)
	}
	return os.ReadFile(file)
}

// Users of the image: alice is in two groups beside her own, so that supplementary groups show.
const (
	passwd = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000:Alice:/home/alice:/bin/sh\nbob:x:1001:100:Bob:/home/bob:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
	group  = "root:x:0:\nusers:x:100:\naudio:x:29:alice\nvideo:x:44:alice\nalice:x:1000:\nnogroup:x:65534:\n"
)

// rootfs is the one layer of all three images.
func rootfs(busybox []byte, applets []string, probe []byte) ([]byte, error) {
	b := newTar()
	for _, d := range []string{"bin", "dev", "etc", "mnt", "proc", "sys", "var", "var/empty"} {
		b.dir(d, 0o755, 0, 0)
	}
	b.dir("root", 0o700, 0, 0)
	b.dir("tmp", 0o777|fs.ModeSticky, 0, 0)
	b.dir("home", 0o755, 0, 0)
	b.dir("home/alice", 0o755, 1000, 1000)
	b.dir("data", 0o750|fs.ModeSetgid, 1000, 1001)
	b.file("data/seed", []byte("from the image\n"), 0o640, 1000, 1001)
	b.file("bin/busybox", busybox, 0o755, 0, 0)
	b.file("bin/su-probe", probe, 0o755|fs.ModeSetuid, 0, 0)
	b.file("bin/probe", probe, 0o755, 0, 0)
	// The reference's examples start bash.
	b.file("bin/bash", []byte("#!/bin/sh\nexec sh \"$@\"\n"), 0o755, 0, 0)
	b.file("bin/not-executable", []byte("#!/bin/sh\n"), 0o644, 0, 0)
	b.file("bin/no-interpreter", []byte("#!/no/such/interpreter\n"), 0o755, 0, 0)
	slices.Sort(applets)
	for _, a := range applets {
		if a != "busybox" {
			b.link("bin/"+a, "busybox")
		}
	}
	b.file("etc/passwd", []byte(passwd), 0o644, 0, 0)
	b.file("etc/group", []byte(group), 0o644, 0, 0)
	return b.bytes()
}

// image is the part of an image configuration that differs between the tags.
type image struct {
	tag    string
	config map[string]any
}

func images() []image {
	return []image{
		{"busybox:latest", map[string]any{"Cmd": []string{"sh"}}},
		{"probe:latest", map[string]any{"Entrypoint": []string{"/bin/probe"}, "Cmd": []string{"help"}}},
		{"configured:latest", map[string]any{
			"Entrypoint":   []string{"/bin/echo", "entry"},
			"Cmd":          []string{"cmd"},
			"Env":          []string{"PATH=/bin", "FROM_IMAGE=yes", "BOTH=image"},
			"User":         "alice",
			"WorkingDir":   "/home/alice",
			"Labels":       map[string]string{"from": "image", "both": "image"},
			"ExposedPorts": map[string]any{"7000/tcp": struct{}{}, "7001/udp": struct{}{}},
			"Volumes":      map[string]any{"/data": struct{}{}},
			"StopSignal":   "SIGUSR1",
			"Healthcheck":  map[string]any{"Test": []string{"CMD-SHELL", "test -e /tmp/healthy"}, "Interval": 200 * time.Millisecond, "Timeout": time.Second, "Retries": 2},
		}},
	}
}

func dockerArchive(layer []byte) ([]byte, error) {
	type manifest struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	out := newTar()
	out.file("layer.tar", layer, 0o644, 0, 0)
	var manifests []manifest
	for _, img := range images() {
		config, err := json.Marshal(map[string]any{
			"architecture": "amd64", "os": "linux", "created": "2026-01-01T00:00:00Z", "config": img.config,
			"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + digest(layer)}},
		})
		if err != nil {
			return nil, err
		}
		name := digest(config) + ".json"
		out.file(name, config, 0o644, 0, 0)
		manifests = append(manifests, manifest{Config: name, RepoTags: []string{img.tag}, Layers: []string{"layer.tar"}})
	}
	index, err := json.Marshal(manifests)
	if err != nil {
		return nil, err
	}
	out.file("manifest.json", index, 0o644, 0, 0)
	return out.bytes()
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// tarball collects entries with a fixed time, so that the same input gives the same digest on every build.
type tarball struct {
	buf bytes.Buffer
	w   *tar.Writer
	err error
}

func newTar() *tarball {
	t := new(tarball)
	t.w = tar.NewWriter(&t.buf)
	return t
}

func (t *tarball) add(h *tar.Header, content []byte) {
	h.ModTime = time.Unix(1700000000, 0)
	h.Size = int64(len(content))
	t.err = errors.Join(t.err, t.w.WriteHeader(h))
	_, err := t.w.Write(content)
	t.err = errors.Join(t.err, err)
}

// mode is the tar form of a file mode: permission bits plus setuid, setgid and sticky.
func mode(m fs.FileMode) int64 {
	bits := int64(m.Perm())
	for _, b := range []struct {
		mode fs.FileMode
		bit  int64
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if m&b.mode != 0 {
			bits |= b.bit
		}
	}
	return bits
}

func (t *tarball) dir(name string, m fs.FileMode, uid, gid int) {
	t.add(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode(m), Uid: uid, Gid: gid}, nil)
}

func (t *tarball) file(name string, content []byte, m fs.FileMode, uid, gid int) {
	t.add(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode(m), Uid: uid, Gid: gid}, content)
}

func (t *tarball) link(name, target string) {
	t.add(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}, nil)
}

func (t *tarball) bytes() ([]byte, error) {
	err := errors.Join(t.err, t.w.Close())
	return t.buf.Bytes(), err
}
