package schema

import (
	"github.com/runfile/runfile/schema/value"
)

var mountsOptions = []row[Container]{
	toggle(Option{
		Name: "read-only", Group: GroupMounts, Example: "true",
		Help: "Mount the container's root filesystem as read only",
	}, func(c *Container) *Opt[bool] { return &c.Mounts.ReadOnly }),
	opt(Option{
		Name: "shm-size", Group: GroupMounts, Arg: "bytes", Example: "128m",
		Help: "Size of /dev/shm\n" +
			"The format is `<number><unit>`. `number` must be greater than `0`.\n" +
			"Unit is optional and can be `b` (bytes), `k` (kilobytes), `m` (megabytes),\n" +
			"or `g` (gigabytes). If you omit the unit, the system uses bytes.",
	}, func(c *Container) *Opt[int64] { return &c.Mounts.ShmSize }, value.ShmSize()),
	keyed(Option{
		Name: "tmpfs", Group: GroupMounts, Arg: "value", Default: "[]", Example: "/run:size=64m,mode=755",
		Help: "Mount a tmpfs directory",
	}, func(c *Container) *Items[value.Tmpfs] { return &c.Mounts.Tmpfs }, value.TmpfsSyntax(),
		mapForm{sep: ":", null: true}),
	list(Option{
		Name: "volume", Short: "v", Group: GroupMounts, Arg: "value", Example: "./src:/src:ro",
		Help: "Bind mount a volume (default []). The format\n" +
			"is `[host-src:]container-dest[:<options>]`.\n" +
			"The comma-delimited `options` are [rw|ro],\n" +
			"[z|Z], [[r]shared|[r]slave|[r]private], and\n" +
			"[nocopy]. The 'host-src' is an absolute path\n" +
			"or a name value.",
		Doc: "A source that begins with `/`, `./` or `../` is a path, relative to the file that holds it, and is " +
			"made as a directory if it does not exist. Any other source is the name of a volume.",
	}, func(c *Container) *Items[value.Mount] { return &c.Mounts.Volumes }, value.VolumeSyntax()),
	list(Option{
		Name: "volumes-from", Group: GroupMounts, Arg: "value", Default: "[]", Example: "data:ro",
		Help: "Mount volumes from the specified container(s)",
	}, volumesFrom, value.VolumesFromSyntax()).
		referring("volumes-from", names(volumesFrom,
			func(v value.VolumesFrom) string { return v.Container })),
}

func volumesFrom(c *Container) *Items[value.VolumesFrom] { return &c.Mounts.VolumesFrom }
