package differential

// mountDifferences are about what is mounted.
var mountDifferences = []difference{
	{
		of("volume"), stricter, like(`/|/:`),
		"takes / for an anonymous volume and fails when the container starts", "refuses it",
		reason{"nothing can be mounted there", "options-network-storage-images B1, H.7"},
	},
	{
		of("volume"), stricter, like(`a|b|ab|c|\\c`),
		"takes a relative target", "refuses it",
		reason{"a target is absolute", "options-network-storage-images B1"},
	},
	{
		of("volume"), stricter, like(`[vcé]:.*`),
		"reads a drive of Windows and an anonymous volume", "refuses a name of one letter, and paths of Windows",
		reason{"refused on Linux", "options-network-storage-images B1"},
	},
	{
		of("volume"), stricter, like(`[:.][:/zc]?`),
		"takes texts of one or two characters for a target", "refuses colons around nothing",
		unnoticed,
	},
	{
		of("volumes-from"), stricter, like(`(db|0a):`),
		"takes a colon without a mode for no colon", "refuses it",
		reason{"a mode that was left out in a script would allow writing unnoticed", ""},
	},
	{
		of("volumes-from"), stricter, like(`(db|0a):(ro,)?cached`),
		"takes words that mean nothing here", "refuses them",
		reason{"only ro, rw, z and Z say something about what is taken over", "options-network-storage-images B3"},
	},
	{
		of("tmpfs"), stricter, like(`/run:(size=(abc|1\.5m|-1|64m:ro)?|mode=(9|17777|u\+x)|uid=(x|-1|4294967295)|nr_inodes=x|mpol=)`),
		"leaves values to the kernel, which refuses them", "checks them",
		reason{"a slip shows where it is written", "options-network-storage-images B4"},
	},
	{
		of("tmpfs"), stricter, like(`/run:(bind|remount)`),
		"takes flags of other mounts", "refuses them",
		reason{"they mean nothing for a new tmpfs", ""},
	},
	{
		of("mount"), stricter, like(`.*,dst=/b,bind-recursive=enabled`),
		"takes a key of another type where it says what is so anyway", "refuses keys of other types",
		unnoticed,
	},
	{of("mount"), stricter, like(`.*,volume-label==b`), "drops a label without a name", "refuses it", unnoticed},
	{
		of("mount"), stricter, like(`.*,volume-subpath=a/\.\./b`),
		"takes .. within a subpath", "refuses it",
		reason{"a subpath has no ..", "options-network-storage-images B9"},
	},
	{of("mount"), stricter, like(`.*,consistency=x`), "takes any word, since Linux knows one consistency", "takes docker's three", unnoticed},
	{of("mount"), stricter, like(`.*,tmpfs-mode=17777`), "takes bits that no mode has", "refuses them", unnoticed},
	{
		of("mount"), wider, like(`.*,bind-nonrecursive(=true)?`),
		"refuses its older word for bind-recursive=disabled", "takes it",
		reason{"runfiles outlive a docker", ""},
	},
	{
		of("mount"), wider, like(`.*,readonly,bind-recursive=readonly`),
		"demands that bind-propagation=rprivate is written", "takes the default, which is the same",
		reason{"what is so anyway need not be said", ""},
	},
	{
		of("mount"), stricter, like(`type=image,(src=/etc|source=\.),.*`),
		"looks for an image of that name in the daemon", "refuses a path",
		early,
	},
	{
		of("mount"), stricter, like(`dst=/a,dst=/b|src=a1,src=b1,.*|type=tmpfs,type=volume,.*|.*,readonly,readonly=false`),
		"takes the last of two", "refuses two",
		unnoticed,
	},
	{of("mount"), stricter, like(` .* |.*\n`), "drops spaces around the value", "refuses them", spaces},
	{
		of("storage-opt"), stricter, like(`size=(0|-1|x| 1g)?`),
		"takes any text, and does nothing with it", "demands a size",
		reason{"a limit is kept or refused", "options-network-storage-images B7"},
	},
	{
		of("storage-opt"), stricter, like(`(Size|foo| size|size |)=.*`),
		"takes any key, and does nothing with it", "takes size",
		reason{"size is all that means anything on Linux", "options-network-storage-images B7"},
	},
	{
		of("volume of Windows containers"), stricter, like(`([\w.-]+:|[cCz]:[\\/].*:)?\\\\\.\\pipe\\y(:(ro|rw|RO))?`),
		"takes a pipe for the target of anything", "takes it for that of a pipe",
		reason{"nothing else can be seen through a pipe", "options-network-storage-images B8"},
	},
	{
		of("volume of Windows containers"), wider, like(`d:\\\\\.\\pipe\\y`),
		"reads a volume called d and a pipe", "reads a path with two backslashes",
		reason{"a drive's letter begins a path", "options-network-storage-images B8"},
	},
}
