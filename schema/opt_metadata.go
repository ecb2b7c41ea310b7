package schema

import (
	"github.com/runfile/runfile/schema/value"
)

var metadataOptions = []row[Container]{
	opt(Option{
		Name: "cidfile", Group: GroupMetadata, Arg: "string", Example: "./web.cid",
		Help: "Write the container ID to the file",
		Doc:  "64 hexadecimal digits without a newline; the file must not exist.",
	}, func(c *Container) *Opt[string] { return &c.Metadata.CIDFile }, value.HostPath()),
	pairs(Option{
		Name: "label", Short: "l", Group: GroupMetadata, Arg: "value", Default: "[]", Example: "team=shop",
		Help: "Set meta data on a container",
	}, func(c *Container) *Items[value.KeyValue] { return &c.Metadata.Labels }, value.LabelSyntax()),
	opt(Option{
		Name: "name", Group: GroupMetadata, Arg: "string", Example: "web",
		Help: "Assign a name to the container",
		Doc:  "Without it, the project and the container's key: shop-web.",
	}, func(c *Container) *Opt[string] { return &c.Metadata.Name }, value.Name()),
}
