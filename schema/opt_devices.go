package schema

import (
	"github.com/runfile/runfile/schema/value"
)

var devicesOptions = []row[Container]{
	opt(Option{
		Name: "blkio-weight", Group: GroupDevices, Arg: "value", Example: "300", OS: linux,
		Help: "Block IO (relative weight), between 10 and 1000",
	}, func(c *Container) *Opt[int64] { return &c.Blkio.Weight }, value.BlkioWeight()),
	keyed(Option{
		Name: "blkio-weight-device", Group: GroupDevices, Arg: "value", Default: "[]", Example: "/dev/vda:200", OS: linux,
		Help: "Block IO weight (relative device weight)",
		Doc:  "The device needs the I/O scheduler bfq.",
	}, func(c *Container) *Items[value.DeviceWeight] { return &c.Blkio.WeightDevice }, value.DeviceWeightSyntax(), byDevice),
	list(Option{
		Name: "device", Group: GroupDevices, Arg: "value", Default: "[]", Example: "/dev/fuse",
		Help: "Add a host device to the container",
		Doc: "A directory adds the devices below it. Permissions cannot take away what every container may do. In a Windows " +
			"container it is `class/GUID` or `IDTYPE://ID`.",
	}, devicesOf, value.DeviceSyntax()).inWindows(list(Option{Name: "device"}, devicesOf, value.WindowsDeviceSyntax())),
	list(Option{
		Name: "device-cgroup-rule", Group: GroupDevices, Arg: "value", Example: "c 10:200 rwm", OS: linux,
		Help: "Add a rule to the cgroup allowed devices list",
		Doc:  "Rules only allow, and make no node.",
	}, func(c *Container) *Items[value.DeviceRule] { return &c.Devices.Rules }, value.DeviceRuleSyntax()),
	keyed(Option{
		Name: "device-read-bps", Group: GroupDevices, Arg: "value", Default: "[]", Example: "/dev/vda:10mb", OS: linux,
		Help: "Limit read rate (bytes per second) from a device",
		Doc:  throttleDoc,
	}, func(c *Container) *Items[value.DeviceRate] { return &c.Blkio.ReadBps }, value.DeviceBytesSyntax(), byDevice),
	keyed(Option{
		Name: "device-read-iops", Group: GroupDevices, Arg: "value", Default: "[]", Example: "/dev/vda:1000", OS: linux,
		Help: "Limit read rate (IO per second) from a device",
		Doc:  throttleDoc,
	}, func(c *Container) *Items[value.DeviceRate] { return &c.Blkio.ReadIOps }, value.DeviceOpsSyntax(), byDevice),
	keyed(Option{
		Name: "device-write-bps", Group: GroupDevices, Arg: "value", Default: "[]", Example: "/dev/vda:10mb", OS: linux,
		Help: "Limit write rate (bytes per second) to a device",
		Doc:  throttleDoc,
	}, func(c *Container) *Items[value.DeviceRate] { return &c.Blkio.WriteBps }, value.DeviceBytesSyntax(), byDevice),
	keyed(Option{
		Name: "device-write-iops", Group: GroupDevices, Arg: "value", Default: "[]", Example: "/dev/vda:1000", OS: linux,
		Help: "Limit write rate (IO per second) to a device",
		Doc:  throttleDoc,
	}, func(c *Container) *Items[value.DeviceRate] { return &c.Blkio.WriteIOps }, value.DeviceOpsSyntax(), byDevice),
	opt(Option{
		Name: "gpus", Group: GroupDevices, Arg: "gpu-request", Example: "all", NotYet: "the vendors' hooks are not called yet",
		Help: "GPU devices to add to the container ('all' to pass all GPUs)",
	}, func(c *Container) *Opt[value.GPURequest] { return &c.Devices.GPUs }, value.GPUSyntax()),
}

const throttleDoc = "For whole disks, not partitions; 0 means no limit."

// byDevice is the map form DEVICE: NUMBER.
var byDevice = mapForm{sep: ":"}

func devicesOf(c *Container) *Items[value.Device] { return &c.Devices.Devices }
