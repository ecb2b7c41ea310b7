package schema

import (
	"github.com/runfile/runfile/schema/value"
)

var devicesOptions = []row[Container]{
	list(Option{
		Name: "device", Group: GroupDevices, Arg: "value", Default: "[]", Example: "/dev/fuse",
		Help: "Add a host device to the container",
		Doc:  "A directory adds the devices below it.",
	}, func(c *Container) *Items[value.Device] { return &c.Devices.Devices }, value.DeviceSyntax()),
}
