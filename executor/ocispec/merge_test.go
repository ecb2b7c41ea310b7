package ocispec

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

func set[T any](v T) schema.Opt[T] { return schema.Opt[T]{Value: v, Set: true} }

func items[T any](values ...T) schema.Items[T] {
	var out schema.Items[T]
	for _, v := range values {
		out = append(out, schema.Item[T]{Value: v})
	}
	return out
}

func kv(k, v string) value.KeyValue { return value.KeyValue{Key: k, Value: v, HasValue: true} }

func TestMergeCommand(t *testing.T) {
	img := ImageConfig{Entrypoint: []string{"/entry", "-x"}, Cmd: []string{"cmd"}}
	for _, c := range []struct {
		name   string
		img    ImageConfig
		change func(*schema.Container)
		want   []string // nil = refused
	}{
		{"the image's", img, nil, []string{"/entry", "-x", "cmd"}},
		{"command replaces cmd", img, func(c *schema.Container) { c.Process.Command = set([]string{"a", "b"}) }, []string{"/entry", "-x", "a", "b"}},
		{"entrypoint drops cmd", img, func(c *schema.Container) { c.Process.Entrypoint = set([]string{"/e"}) }, []string{"/e"}},
		{"both", img, func(c *schema.Container) {
			c.Process.Entrypoint, c.Process.Command = set([]string{"/e"}), set([]string{"c"})
		}, []string{"/e", "c"}},
		{"reset with command", img, func(c *schema.Container) {
			c.Process.Entrypoint, c.Process.Command = set([]string{""}), set([]string{"echo", "hi"})
		}, []string{"echo", "hi"}},
		{"reset without command", img, func(c *schema.Container) { c.Process.Entrypoint = set([]string(nil)) }, nil},
		{"nothing at all", ImageConfig{}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := &schema.Container{}
			if c.change != nil {
				c.change(spec)
			}
			e, err := Merge(spec, c.img, "sha256:x", "img")
			if c.want == nil {
				option := "command"
				if spec.Process.Entrypoint.Set {
					option = "entrypoint"
				}
				var refused *Error
				if !errors.As(err, &refused) || refused.Option != option {
					t.Errorf("got %+v, %v; want a refusal of %s", e, err, option)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(e.Args, c.want) {
				t.Errorf("args %q, %v; want %q", e.Args, err, c.want)
			}
		})
	}
}

func TestMergeFields(t *testing.T) {
	img := ImageConfig{
		User: "alice", WorkingDir: "/home/../srv", Env: []string{"PATH=/bin", "A=image", "B=image"}, Cmd: []string{"x"},
		Labels: map[string]string{"a": "image", "b": "image"}, StopSignal: "USR1", ExposedPorts: []string{"7001/udp", "7000"},
		Volumes: []string{"/data/", "/b", "/"}, Shell: []string{"/bin/ash", "-c"},
		Healthcheck: &Healthcheck{Test: []string{"CMD-SHELL", "true"}, Interval: time.Second, Timeout: time.Minute, StartPeriod: time.Hour, StartInterval: time.Minute, Retries: 7},
	}
	c := &schema.Container{}
	c.Process.Env = items(kv("A", "own"), value.KeyValue{Key: "B"}, kv("C", "own"))
	c.Process.EnvFromFiles = []value.KeyValue{kv("A", "file"), kv("D", "file")}
	c.Metadata.Labels = items(kv("b", "own"))
	c.Network.Expose = items(value.PortRange{First: 81, Last: 81, Proto: "tcp"})
	c.Network.Publish = items(value.PortMapping{ContainerFirst: 7000, ContainerLast: 7000, Proto: "tcp"})
	c.Health.Timeout, c.Health.Retries = set(2*time.Second), set(int64(0))
	got, err := Merge(c, img, "sha256:x", "img:tag")
	if err != nil {
		t.Fatal(err)
	}
	want := &schema.Effective{
		Args: []string{"x"}, Cmd: []string{"x"}, Env: []string{"PATH=/bin", "A=own", "D=file", "C=own"},
		User: "alice", Workdir: "/srv", StopSignal: value.Signal{Number: 10, Name: "SIGUSR1"},
		Labels:  map[string]string{"a": "image", "b": "own"},
		Expose:  []value.PortRange{{First: 7000, Last: 7000, Proto: "tcp"}, {First: 7001, Last: 7001, Proto: "udp"}, {First: 81, Last: 81, Proto: "tcp"}},
		Volumes: []string{"/b", "/data"}, HealthTest: []string{"CMD", "/bin/ash", "-c", "true"},
		HealthEvery: time.Second, HealthLimit: 2 * time.Second, HealthGrace: time.Hour, HealthGraceEvery: time.Minute, HealthTries: 7,
		ImageID: "sha256:x", ImageName: "img:tag",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	c.Health.StartPeriod, c.Health.StartInterval = set(time.Second), set(2*time.Second)
	if got, err = Merge(c, img, "", ""); err != nil || got.HealthGrace != time.Second || got.HealthGraceEvery != 2*time.Second {
		t.Errorf("own start period: %+v, %v", got, err)
	}
	c.Health.Disable = set(true)
	if got, err = Merge(c, img, "", ""); err != nil || !reflect.DeepEqual(got.HealthTest, []string{"NONE"}) || got.HealthTries != 0 {
		t.Errorf("no-healthcheck: %+v, %v", got, err)
	}
}

// TestMergeWindows: paths and names of variables are those of the container's system, not of the one that merges.
func TestMergeWindows(t *testing.T) {
	c := &schema.Container{}
	c.Image.Platform = set("windows/amd64")
	c.Process.Env = items(kv("PATH", "own"), value.KeyValue{Key: "temp"})
	img := ImageConfig{
		Env: []string{`Path=C:\Windows`, "TEMP=x"}, Cmd: []string{"serve all"}, ArgsEscaped: true,
		Volumes: []string{"c:/b", `C:\a`, `C:\a`},
	}
	got, err := Merge(c, img, "", "")
	if err != nil {
		t.Fatal(err)
	}
	want := &schema.Effective{
		Args: []string{"serve all"}, Cmd: []string{"serve all"}, ArgsEscaped: true, Env: []string{"Path=own"}, Workdir: `C:\`,
		StopSignal: value.Signal{Number: 15, Name: "SIGTERM"}, Volumes: []string{`C:\a`, `c:\b`},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for option, img := range map[string]ImageConfig{
		"workdir": {Cmd: []string{"x"}, WorkingDir: "/srv"},
		"image":   {Cmd: []string{"x"}, Volumes: []string{"/data"}},
	} {
		var refused *Error
		if _, err := Merge(c, img, "", ""); !errors.As(err, &refused) || refused.Option != option {
			t.Errorf("%+v: %v, want a refusal of %s", img, err, option)
		}
	}
}

func TestMergeRefusesBadImages(t *testing.T) {
	for option, img := range map[string]ImageConfig{
		"workdir":     {Cmd: []string{"x"}, WorkingDir: "relative"},
		"stop-signal": {Cmd: []string{"x"}, StopSignal: "SIGNOPE"},
		"image":       {Cmd: []string{"x"}, ExposedPorts: []string{"70000/tcp"}},
	} {
		var refused *Error
		if _, err := Merge(&schema.Container{}, img, "", ""); !errors.As(err, &refused) || refused.Option != option {
			t.Errorf("%+v: %v, want a refusal of %s", img, err, option)
		}
	}
}

func TestSignalName(t *testing.T) {
	for written, want := range map[string]string{"SIGTERM": "SIGTERM", "term": "SIGTERM", "9": "SIGKILL", "RTMIN+3": "SIGRTMIN+3"} {
		e, err := Merge(&schema.Container{}, ImageConfig{Cmd: []string{"x"}, StopSignal: written}, "", "")
		if err != nil || e.StopSignal.Name != want {
			t.Errorf("%s: %+v, %v; want %s", written, e, err, want)
		}
	}
}
