package ocispec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// blkio limits block devices. Everything is checked here: of a device that is not there, or of another kind, the
// kernel says no more than a number of an error.
func (b *builder) blkio() error {
	r := b.c.Blkio
	out := &specs.LinuxBlockIO{}
	if w := uint16(r.Weight.Value); w > 0 && b.hasWeight("blkio-weight") { //nolint:gosec // its parser allows 1000
		out.Weight = &w
	}
	b.weightDevices(out)
	out.ThrottleReadBpsDevice = b.throttle("device-read-bps", r.ReadBps, value.DeviceBytesSyntax())
	out.ThrottleWriteBpsDevice = b.throttle("device-write-bps", r.WriteBps, value.DeviceBytesSyntax())
	out.ThrottleReadIOPSDevice = b.throttle("device-read-iops", r.ReadIOps, value.DeviceOpsSyntax())
	out.ThrottleWriteIOPSDevice = b.throttle("device-write-iops", r.WriteIOps, value.DeviceOpsSyntax())
	lists := len(out.WeightDevice) + len(out.ThrottleReadBpsDevice) + len(out.ThrottleWriteBpsDevice) +
		len(out.ThrottleReadIOPSDevice) + len(out.ThrottleWriteIOPSDevice)
	if out.Weight != nil || lists > 0 {
		b.spec.Linux.Resources.BlockIO = out
	}
	return nil
}

// blockController is the controller of block devices: v2 renamed it.
func (b *builder) blockController() string {
	if b.in.Host.CgroupVersion == 2 {
		return "io"
	}
	return "blkio"
}

// hasWeight reports whether groups of this host have a weight, and says so if not. Docker looks for it in the root
// group, where bfq has none, and so never finds it.
func (b *builder) hasWeight(option string) bool {
	if !b.has(b.blockController(), option) {
		return false
	}
	if b.in.Host.BlockWeight() {
		return true
	}
	b.lacks(option, "this kernel has no weights of block I/O (neither the scheduler bfq nor io.weight)")
	return false
}

func (b *builder) weightDevices(out *specs.LinuxBlockIO) {
	const option = "blkio-weight-device"
	for _, w := range b.c.Blkio.WeightDevice.Values() {
		entry := value.DeviceWeightSyntax().Text(w)
		major, minor, err := b.in.Host.BlockDevice(w.Path)
		switch {
		case err != nil:
			b.refuses(option, entry, "", "%v", err)
			continue
		case w.Weight == 0 || !b.hasWeight(option):
			continue
		}
		if have := b.in.Host.Scheduler(major, minor); have != "bfq" {
			b.problems = append(b.problems, schema.HostProblem{
				Option: option, Entry: entry, Text: fmt.Sprintf("%s uses the I/O scheduler %s, and weights of single devices need bfq", w.Path, have),
				Help: fmt.Sprintf("echo bfq > /sys/dev/block/%d:%d/queue/scheduler", major, minor),
			})
			continue
		}
		weight := w.Weight
		d := specs.LinuxWeightDevice{Weight: &weight}
		d.Major, d.Minor = major, minor
		out.WeightDevice = append(out.WeightDevice, d)
	}
}

// throttle turns the entries of a limit into those of the specification. An entry of 0 is none: on v2 the kernel
// refuses it, on v1 it means no limit.
func (b *builder) throttle(option string, list schema.Items[value.DeviceRate], syntax value.Parser[value.DeviceRate]) []specs.LinuxThrottleDevice {
	var out []specs.LinuxThrottleDevice
	for _, r := range list.Values() {
		major, minor, err := b.in.Host.BlockDevice(r.Path)
		switch {
		case err != nil:
			b.refuses(option, syntax.Text(r), "", "%v", err)
			continue
		case r.Rate == 0 || !b.has(b.blockController(), option):
			continue
		case b.in.Host.Partition(major, minor):
			b.refuses(option, syntax.Text(r), "name the whole disk", "%s is a partition, and the kernel limits whole disks only", r.Path)
			continue
		}
		d := specs.LinuxThrottleDevice{Rate: uint64(r.Rate)} //nolint:gosec // its parser allows no negative rate
		d.Major, d.Minor = major, minor
		out = append(out, d)
	}
	return out
}

var (
	errNoSuchDevice   = errors.New("no such device on this host")
	errNotBlockDevice = errors.New("it is not a block device")
)

// blockDevice returns the numbers of a block device.
func blockDevice(path string) (major, minor int64, err error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return 0, 0, fmt.Errorf("%s: %w", path, errNoSuchDevice)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return 0, 0, fmt.Errorf("%s: %w", path, errNotBlockDevice)
	}
	return int64(unix.Major(st.Rdev)), int64(unix.Minor(st.Rdev)), nil
}

func sysBlock(major, minor int64) string {
	return "/sys/dev/block/" + strconv.FormatInt(major, 10) + ":" + strconv.FormatInt(minor, 10)
}

// isPartition reports whether a block device is a part of another one.
func isPartition(major, minor int64) bool {
	_, err := os.Stat(filepath.Join(sysBlock(major, minor), "partition"))
	return err == nil
}

// scheduler is the I/O scheduler in use for a device, for a partition that of its disk; "none" if it has none.
func scheduler(major, minor int64) string {
	dir := sysBlock(major, minor)
	if isPartition(major, minor) {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			dir = filepath.Dir(real)
		}
	}
	_, rest, _ := strings.Cut(firstLine(filepath.Join(dir, "queue/scheduler")), "[")
	name, _, ok := strings.Cut(rest, "]")
	if !ok {
		return "none"
	}
	return name
}

// weightFiles are where a group's weight of block I/O stands, by cgroup version.
var weightFiles = map[int][]string{1: {"blkio.weight", "blkio.bfq.weight"}, 2: {"io.bfq.weight", "io.weight"}}

// blockWeight makes a group for a moment and looks whether it has a weight.
func blockWeight(version int) bool {
	top := "/sys/fs/cgroup"
	if version == 1 {
		top += "/blkio"
	}
	dir, err := os.MkdirTemp(top, "runfile-probe-")
	if err != nil {
		return false
	}
	defer unix.Rmdir(dir) //nolint:errcheck // it is empty, and nobody knows its name
	for _, f := range weightFiles[version] {
		if _, err := os.Stat(filepath.Join(dir, f)); err == nil {
			return true
		}
	}
	return false
}
