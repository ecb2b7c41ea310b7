package windows

import (
	"strings"

	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/runfile/runfile/schema/value"
)

// mounts are the declared volumes and those of the image at other places. The shim sees from the source whether it is a
// directory or a pipe, and refuses any type but "".
func (b *builder) mounts() error {
	volumes := b.c.Mounts.Volumes.Values()
	taken := map[string]bool{}
	for _, v := range volumes {
		taken[place(v.Target)] = true
	}
	for _, target := range b.Effective.Volumes {
		if !taken[place(target)] {
			volumes = append(volumes, value.Mount{Type: value.Volume, Target: target})
		}
	}
	var out []specs.Mount
	for _, v := range volumes {
		m, err := b.mount(v)
		if err != nil {
			return err
		}
		out = append(out, m)
	}
	if len(out) > 0 {
		b.add(oci.WithMounts(out))
	}
	return nil
}

// place is a target in the form in which equal places are equal.
func place(target string) string { return strings.ToLower(strings.TrimRight(target, `\`)) }

func (b *builder) mount(v value.Mount) (specs.Mount, error) {
	m := specs.Mount{Source: v.Source, Destination: v.Target}
	if v.Type == value.Volume {
		key := v.Source
		if key == "" {
			key = v.Target
		}
		if m.Source = b.Volumes[key]; m.Source == "" {
			return m, refuse("volume", "the volume %s has no directory", key)
		}
	}
	if v.ReadOnly {
		m.Options = []string{"ro"}
	}
	return m, nil
}
