package schema

import (
	"github.com/runfile/runfile/schema/value"
)

var mountsOptions = []row[Container]{
	list(Option{
		Name: "mount", Group: GroupMounts, Arg: "mount", Example: "type=tmpfs,target=/run,tmpfs-size=64m", NotYet: notBuilt,
		Help: "Attach a filesystem mount to the container",
		Doc:  "The source of a bind must exist, unless `bind-create-src` is given.",
	}, func(c *Container) *Items[value.MountSpec] { return &c.Mounts.Mounts }, value.MountSyntax()),
	toggle(Option{
		Name: "read-only", OS: linux, Group: GroupMounts, Example: "true",
		Help: "Mount the container's root filesystem as read only",
	}, func(c *Container) *Opt[bool] { return &c.Mounts.ReadOnly }),
	opt(Option{
		Name: "shm-size", OS: linux, Group: GroupMounts, Arg: "bytes", Example: "128m",
		Help: "Size of /dev/shm\n" +
			"The format is `<number><unit>`. `number` must be greater than `0`.\n" +
			"Unit is optional and can be `b` (bytes), `k` (kilobytes), `m` (megabytes),\n" +
			"or `g` (gigabytes). If you omit the unit, the system uses bytes.",
	}, func(c *Container) *Opt[int64] { return &c.Mounts.ShmSize }, value.ShmSize()),
	pairs(Option{
		Name: "storage-opt", Group: GroupMounts, Arg: "value", Default: "[]", Example: "size=10g", NotYet: "writable layers have no quota yet",
		Help: "Storage driver options for the container",
		Doc:  "`size` limits the writable layer.",
	}, func(c *Container) *Items[value.KeyValue] { return &c.Mounts.StorageOpts }, value.StorageOptSyntax()),
	keyed(Option{
		Name: "tmpfs", OS: linux, Group: GroupMounts, Arg: "value", Default: "[]", Example: "/run:size=64m,mode=755",
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
	}, volumesOf, value.VolumeSyntax()).inWindows(list(Option{Name: "volume"}, volumesOf, value.WindowsVolumeSyntax())),
	opt(Option{
		Name: "volume-driver", Group: GroupMounts, Arg: "string", Example: "local", NoDiff: true,
		Help: "Optional volume driver for the container",
		Doc:  "For the named and anonymous volumes that the container makes; `local` is the only one yet.",
	}, func(c *Container) *Opt[string] { return &c.Mounts.Driver }, value.VolumeDriver()),
	list(Option{
		Name: "volumes-from", Group: GroupMounts, Arg: "value", Default: "[]", Example: "data:ro",
		Help: "Mount volumes from the specified container(s)",
	}, volumesFrom, value.VolumesFromSyntax()).
		referring("volumes-from", names(volumesFrom,
			func(v value.VolumesFrom) string { return v.Container })),
}

func volumesOf(c *Container) *Items[value.Mount] { return &c.Mounts.Volumes }

func volumesFrom(c *Container) *Items[value.VolumesFrom] { return &c.Mounts.VolumesFrom }
