package schema

import (
	"github.com/runfile/runfile/schema/value"
)

var metadataOptions = []row[Container]{
	pairs(Option{
		Name: "annotation", Group: GroupMetadata, Arg: "map", Default: "map[]", Example: "team=shop",
		Help: "Add an annotation to the container (passed through to the OCI runtime)",
	}, func(c *Container) *Items[value.KeyValue] { return &c.Metadata.Annotations }, value.AnnotationSyntax()),
	opt(Option{
		Name: "cidfile", Group: GroupMetadata, Arg: "string", Example: "./web.cid",
		Help: "Write the container ID to the file",
		Doc:  "64 hexadecimal digits without a newline; the file must not exist.",
	}, func(c *Container) *Opt[string] { return &c.Metadata.CIDFile }, value.HostPath()),
	toggle(Option{
		Name: "help", Group: GroupMetadata, Example: "true", NoDiff: true,
		Help: "Print usage",
		Doc:  "In a runfile, `up` prints the container's options as they apply, and runs nothing.",
	}, func(c *Container) *Opt[bool] { return &c.Metadata.Help }),
	pairs(Option{
		Name: "label", Short: "l", Group: GroupMetadata, Arg: "value", Default: "[]", Example: "team=shop",
		Help: "Set meta data on a container",
	}, func(c *Container) *Items[value.KeyValue] { return &c.Metadata.Labels }, value.LabelSyntax()),
	list(Option{
		Name: "label-file", Group: GroupMetadata, Arg: "value", Default: "[]", Example: "./labels.txt",
		Help: "Read in a line delimited file of labels",
		Doc:  "Lines of `NAME=VALUE` as in an env-file; a name alone is left out. `label` wins over it.",
	}, func(c *Container) *Items[string] { return &c.Metadata.LabelFile }, value.HostPath()),
	opt(Option{
		Name: "name", Group: GroupMetadata, Arg: "string", Example: "web",
		Help: "Assign a name to the container",
		Doc:  "Without it, the project and the container's key: shop-web.",
	}, func(c *Container) *Opt[string] { return &c.Metadata.Name }, value.Name()),
	list(Option{
		Name: "secret", Group: GroupMetadata, Arg: "secret", Example: "dbpw", Own: true, NoFlag: true, NotYet: notBuilt,
		Help: "Secrets of the section `secrets` that the container gets as files",
	}, func(c *Container) *Items[value.SecretRef] { return &c.Metadata.Secrets }, value.SecretSyntax()),
}
