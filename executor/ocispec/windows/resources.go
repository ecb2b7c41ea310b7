package windows

import (
	"strconv"
	"strings"

	"github.com/Microsoft/hcsshim/pkg/annotations"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/opencontainers/runtime-spec/specs-go"
)

const (
	// fullMaximum is all of the processors of a container, in the unit of windows.resources.cpu.maximum.
	fullMaximum = 10_000
	// fullVM is all of the processors of a virtual machine, in the unit of its own limit.
	fullVM = 100_000

	nano = 1_000_000_000
	mib  = 1 << 20
)

func (b *builder) resources() error {
	if limit := b.c.Resources.Memory.Value; limit > 0 {
		// The shim counts in MiB and rounds down, which would give less than was asked for.
		b.add(oci.WithMemoryLimit(uint64((limit + mib - 1) / mib * mib)))
	}
	b.storage()
	return b.cpu()
}

// storage limits the system drive. The rules have refused both limits at once.
func (b *builder) storage() {
	var s specs.WindowsStorageResources
	if n := uint64(b.c.Windows.IOMaxBandwidth.Value); n > 0 {
		s.Bps = &n
	}
	if n := uint64(b.c.Windows.IOMaxIOps.Value); n > 0 {
		s.Iops = &n
	}
	if s == (specs.WindowsStorageResources{}) {
		return
	}
	b.add(edit(func(spec *oci.Spec) {
		if spec.Windows.Resources == nil {
			spec.Windows.Resources = &specs.WindowsResources{}
		}
		spec.Windows.Resources.Storage = &s
	}))
}

// cpu writes one limit of the processor: the shim refuses two, whatever the isolation. The order is docker's, with cpus
// behind cpu-count; the rules have warned of those that are left out.
func (b *builder) cpu() error {
	w, r := b.c.Windows, b.c.Resources
	switch {
	case w.CPUCount.Value > 0:
		b.add(oci.WithWindowsCPUCount(uint64(w.CPUCount.Value)))
	case r.NanoCPUs.Value > 0:
		return b.cpus(r.NanoCPUs.Value)
	case r.CPUShares.Value > 0:
		b.add(oci.WithWindowsCPUShares(uint16(r.CPUShares.Value)))
	case w.CPUPercent.Value > 0:
		b.maximum(w.CPUPercent.Value, 100)
	}
	return nil
}

// cpus turns n, in units of 1e-9 CPU, into a share of the host, or of a virtual machine that has no more processors than
// needed.
func (b *builder) cpus(n int64) error {
	if host := int64(b.CPUs); n > host*nano {
		return refuse("cpus", "more CPUs than this host has (%d)", host)
	}
	if !b.hyperV() {
		b.maximum(n, int64(b.CPUs)*nano)
		return nil
	}
	count := (n + nano - 1) / nano
	if n == count*nano {
		b.add(oci.WithWindowsCPUCount(uint64(count))) // of which the shim makes the machine's, too
		return nil
	}
	b.add(oci.WithAnnotations(map[string]string{annotations.ProcessorCount: strconv.FormatInt(count, 10)}))
	b.maximum(n, count*nano)
	return nil
}

// maximum limits the container to part of whole. The shim would set the same number as the limit of the virtual machine,
// where it means a tenth; so the machine is said to have no limit of its own.
func (b *builder) maximum(part, whole int64) {
	b.add(oci.WithWindowsCPUMaximum(uint16(max(1, part*fullMaximum/whole))))
	if b.hyperV() {
		b.add(oci.WithAnnotations(map[string]string{annotations.ProcessorLimit: strconv.Itoa(fullVM)}))
	}
}

func (b *builder) devices() error {
	for _, d := range b.c.Devices.Devices.Values() {
		kind, id, ok := strings.Cut(d.Source, "://")
		if !ok {
			kind, id, _ = strings.Cut(d.Source, "/") // class/GUID
		}
		b.add(oci.WithWindowsDevice(kind, id))
	}
	return nil
}

// network joins a namespace whose endpoints are made before. Names of other containers have no dots, so Windows must be
// told to ask for such.
func (b *builder) network() error {
	if b.NetworkNamespace == "" {
		return nil
	}
	b.add(oci.WithWindowsNetworkNamespace(b.NetworkNamespace), oci.WithWindowNetworksAllowUnqualifiedDNSQuery())
	if search := b.c.Network.DNSSearch.Values(); len(search) > 0 {
		b.add(edit(func(s *oci.Spec) { s.Windows.Network.DNSSearchList = search }))
	}
	return nil
}
