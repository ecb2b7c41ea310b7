package image

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

const fullConfig = `{
	"User":"1000:1000","Env":["A=1"],"Entrypoint":["/bin/e"],"Cmd":["x"],"WorkingDir":"/w","Labels":{"l":"v"},
	"ExposedPorts":{"80/tcp":{}},"Volumes":{"/data":{}},"StopSignal":"SIGINT","Shell":["/bin/bash","-c"],
	"Healthcheck":{"Test":["CMD-SHELL","true"],"Interval":3000000000,"Timeout":1000000000,"StartPeriod":2000000000,"Retries":4}}`

func TestEnsureFromEachSource(t *testing.T) {
	lower := layerTar(t, file{name: "etc/", mode: 0o750}, file{name: "etc/a", content: "A"})
	upper := layerTar(t, file{name: "etc/b", content: "B"})
	f := newFixture(t)
	layout := t.TempDir()
	f.layout(layout, map[string]v1.Descriptor{"1.0": f.image("linux/amd64", fullConfig, lower, upper)})
	files := t.TempDir()
	docker := dockerArchive(t, dockerImage{[]string{"app:1.0"}, fullConfig, [][]byte{lower, upper}})
	writeFile(t, filepath.Join(files, "oci.tar"), archiveOf(t, layout))
	writeFile(t, filepath.Join(files, "docker.tar"), docker)
	writeFile(t, filepath.Join(files, "docker.tar.gz"), gzipped(t, docker))

	for name, text := range map[string]string{
		"oci":                "oci:" + layout,
		"oci tag":            "oci:" + layout + ":1.0",
		"oci-archive":        "oci-archive:" + files + "/oci.tar",
		"oci-archive tag":    "oci-archive:" + files + "/oci.tar:1.0",
		"docker-archive":     "docker-archive:" + files + "/docker.tar",
		"docker-archive ref": "docker-archive:" + files + "/docker.tar:app:1.0",
		"compressed":         "docker-archive:" + files + "/docker.tar.gz",
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			img := ensure(t, s, text)
			if img.Name != text || !slices.Equal(img.Names, []string{text}) {
				t.Errorf("Name = %q, Names = %q", img.Name, img.Names)
			}
			checkFullConfig(t, img)
			if len(img.Layers) != 2 || img.Size != 2 || img.Platform != "linux/amd64" ||
				!img.Created.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) {
				t.Errorf("got %+v", img)
			}
			if got, want := tree(t, img.Layers[0]), []string{"etc drwxr-x---", "etc/a -rw-r--r-- A"}; !slices.Equal(got, want) {
				t.Errorf("lower layer: %q", got)
			}
			// The upper layer does not describe etc; it must not become wider than it is below.
			if got, want := tree(t, img.Layers[1]), []string{"etc drwxr-x---", "etc/b -rw-r--r-- B"}; !slices.Equal(got, want) {
				t.Errorf("upper layer: %q", got)
			}
			checkLayout(t, s)
		})
	}
}

func checkFullConfig(t *testing.T, img *Image) {
	t.Helper()
	c := img.Config
	h := c.Healthcheck
	if c.User != "1000:1000" || !slices.Equal(c.Env, []string{"A=1"}) || c.WorkingDir != "/w" || c.StopSignal != "SIGINT" ||
		!slices.Equal(c.Entrypoint, []string{"/bin/e"}) || !slices.Equal(c.Cmd, []string{"x"}) || c.Labels["l"] != "v" ||
		!slices.Equal(c.Shell, []string{"/bin/bash", "-c"}) || len(c.Volumes) != 1 || len(c.ExposedPorts) != 1 {
		t.Errorf("config %+v", c)
	}
	if h == nil || h.Interval != 3*time.Second || h.Timeout != time.Second || h.StartPeriod != 2*time.Second || h.Retries != 4 || len(h.Test) != 2 {
		t.Errorf("healthcheck %+v", h)
	}
}

// checkLayout imports the store's own directory, as another tool would read it.
func checkLayout(t *testing.T, s *Store) {
	t.Helper()
	if img := ensure(t, newStore(t), "oci:"+s.images); len(img.Layers) != 2 {
		t.Errorf("read back: %+v", img)
	}
	left, err := filepath.Glob(filepath.Join(s.images, "ingest", "*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left in ingest: %v %v", left, err)
	}
}

func TestArchiveWithSeveralImages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.tar")
	layer := layerTar(t, file{name: "x", content: "x"})
	writeFile(t, path, dockerArchive(t,
		dockerImage{[]string{"busybox:latest", "busybox:1"}, `{"Cmd":["one"]}`, [][]byte{layer}},
		dockerImage{[]string{"other:latest"}, `{"Cmd":["two"]}`, [][]byte{layer}}))
	s := newStore(t)
	for text, want := range map[string]string{
		"":         "it holds several images: name one of them; there are busybox:1, busybox:latest, other:latest",
		":nope":    `no image "nope" in it; there are busybox:1, busybox:latest, other:latest`,
		":busybox": "one", ":docker.io/library/busybox:1": "one", ":other": "two",
	} {
		img, err := s.Ensure(t.Context(), ref(t, "docker-archive:"+path+text), PullOptions{}, nil)
		switch {
		case err != nil:
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v", text, err)
			}
		case !slices.Equal(img.Config.Cmd, []string{want}):
			t.Errorf("%q: %v, want %s", text, img.Config.Cmd, want)
		}
	}
	// Tags inside an archive are its author's claims and must not become names that others pull by.
	if _, err := s.Get(t.Context(), "busybox"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get(busybox) = %v", err)
	}
}

func TestEnsureSeesChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.tar")
	text := "docker-archive:" + path
	s := newStore(t)
	var ids []string
	for _, cmd := range []string{"one", "two"} {
		writeFile(t, path, dockerArchive(t, dockerImage{nil, `{"Cmd":["` + cmd + `"]}`, [][]byte{layerTar(t)}}))
		ids = append(ids, ensure(t, s, text).ID)
		if img := ensure(t, s, text); img.Config.Cmd[0] != cmd {
			t.Errorf("got %v, want %s", img.Config.Cmd, cmd)
		}
	}
	if ids[0] == ids[1] {
		t.Error("the ids are equal")
	}
	// A file that has not changed is not read again, not even by another process.
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 0); err == nil {
		if _, err := again(s).Ensure(t.Context(), ref(t, text), PullOptions{}, nil); err == nil {
			t.Error("a file that became empty is still taken for the image")
		}
	}
}

func TestEnsureDoesNotReadTwice(t *testing.T) {
	dir := t.TempDir()
	f := newFixture(t)
	f.layout(dir, map[string]v1.Descriptor{"x": f.image("linux/amd64", "", layerTar(t))})
	s := newStore(t)
	first := ensure(t, s, "oci:"+dir)
	if err := os.RemoveAll(filepath.Join(dir, v1.ImageBlobsDir)); err != nil {
		t.Fatal(err)
	}
	if img := ensure(t, again(s), "oci:"+dir); img.ID != first.ID {
		t.Errorf("got %s, want %s", img.ID, first.ID)
	}
}

func TestPlatform(t *testing.T) {
	f := newFixture(t)
	one := func(name string) []byte { return layerTar(t, file{name: name, content: name}) }
	dir := t.TempDir()
	f.layout(dir, map[string]v1.Descriptor{
		"multi": f.index(map[string]v1.Descriptor{
			"linux/amd64": f.image("linux/amd64", "", one("amd64")), "linux/arm64": f.image("linux/arm64", "", one("arm64")),
			"linux/arm/v6": f.image("linux/arm/v6", "", one("v6")),
		}),
		"single": f.image("linux/s390x", "", one("s390x")),
	})
	s := newStore(t)
	for _, c := range []struct{ tag, platform, want string }{
		{"multi", "linux/amd64", "amd64"},
		{"multi", "linux/arm64", "arm64"},
		{"multi", "linux/arm/v7", "v6"},
		{"multi", "linux/amd64", "amd64"}, // the others have not taken its place
		{"multi", "linux/ppc64le", "does not provide the specified platform (linux/ppc64le)"},
		{"single", "", "s390x"}, // whoever names no platform gets what there is
		{"single", "linux/amd64", "does not provide the specified platform (linux/amd64)"},
	} {
		img, err := s.Ensure(t.Context(), ref(t, "oci:"+dir+":"+c.tag), PullOptions{Platform: c.platform}, nil)
		switch {
		case err != nil:
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s %s: %v", c.tag, c.platform, err)
			}
		case !strings.HasPrefix(tree(t, img.Layers[0])[0], c.want+" "):
			t.Errorf("%s %s: %v", c.tag, c.platform, tree(t, img.Layers[0]))
		}
	}
}

func TestPolicyNever(t *testing.T) {
	s := newStore(t)
	_, err := s.Ensure(t.Context(), ref(t, "busybox"), PullOptions{Policy: "never"}, nil)
	if !errors.Is(err, ErrNotFound) || err.Error() != "no such image: busybox:latest" {
		t.Errorf("got %v", err)
	}
	_, err = s.Ensure(t.Context(), ref(t, "busybox"), PullOptions{Policy: "sometimes"}, nil)
	if err == nil || !strings.Contains(err.Error(), "always, missing, never") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = s.Ensure(ctx, ref(t, "busybox"), PullOptions{Policy: "never"}, nil); err == nil {
		t.Error("no error")
	}
}
