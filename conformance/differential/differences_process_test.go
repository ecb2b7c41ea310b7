package differential

// processDifferences are about what the process is and may do.
var processDifferences = []difference{
	{
		of("the command line"), otherwise, like(`-h= .*`), "takes the sign alone behind a letter for the value", "takes no value, as with a long flag",
		reason{"the sign parts a flag from its value", ""},
	},
	{
		of("ulimit"), stricter, like(`nofile=-2`),
		"takes other negative numbers than -1 for very large ones", "refuses them",
		reason{"-1 is unlimited", "options-process 7, ulimit"},
	},
	{
		of("stop-signal"), wider, like(`(?i:(sig)?(unused|rtmin\+16|rtmax-15))`),
		"lacks UNUSED, and counts real-time signals up to 15 from RTMIN and 14 from RTMAX", "knows all names",
		reason{"a signal that has a number has a name", ""},
	},
	{
		of("stop-signal"), stricter, like(`65|999|-1`),
		"takes any number", "takes 1 to 64",
		reason{"others cannot be sent", "options-process 3, 15.5"},
	},
	{
		of("restart"), stricter,
		like(`(no|always|unless-stopped):0?`), "takes a count of 0 or none with every policy", "refuses the colon but with on-failure",
		reason{"a retry count works with on-failure alone", "options-process 3"},
	},
	{of("restart"), stricter, like(`on-failure:99999999999`), "takes 63 bits", "takes 31 bits", reason{"no more can be counted in time", ""}},
	{
		of("sysctl"), stricter, like(`(net|fs\.mqueue)\.=.*`),
		"takes a key that ends with the dot", "refuses it",
		reason{"there is no such file", "options-process 7, sysctl"},
	},
	{
		of("sysctl"), stricter, like(`net\.ipv4/ip_forward=.*`),
		"takes slashes behind the first dot", "refuses slashes",
		reason{"keys have dots only", "options-process 7, sysctl"},
	},
	{
		of("cap-add"), wider, like(`(?i:cap_all)`),
		"refuses CAP_ALL", "takes it for ALL",
		reason{"CAP_ is optional before every name", "options-process 7"},
	},
	{
		of("security-opt"), stricter, like(`(no-new-privileges|writable-cgroups)[=:](yes)?`),
		"refuses the value in the daemon", "refuses it when reading",
		early,
	},
	{
		of("security-opt"), stricter, like(`label[=:](unconfined|docker-default|builtin|user:)`),
		"takes any label where SELinux is off", "knows the options of label",
		reason{"a slip in it would switch nothing on", "options-process 7"},
	},
	{
		of("security-opt"), stricter, like(`systempaths=(disable|user:u?|docker-default|builtin)|bogus[=:].*|[=:].*|credentialspec=a`),
		"passes other options on to the daemon, which refuses them", "refuses them when reading",
		early,
	},
	{
		of("security-opt"), wider, like(`writable-cgroups`),
		"demands a value", "takes the word alone for true",
		reason{"both switches of security-opt are written alike", "options-process 7"},
	},
	{
		of("user"), stricter, like(`[^:]*:`),
		"takes a colon without a group for no colon", "refuses it",
		reason{"a group that was left out in a script would become that of root unnoticed", ""},
	},
	{of("workdir"), stricter, like(`\.{0,2}/?a|\.{1,2}|C:.*`), "refuses a relative path in the daemon", "refuses it when reading", early},
	{
		of("name"), stricter, like(`/web`),
		"takes a slash before the name", "refuses it",
		reason{"one container has one name", "options-process 2, name"},
	},
	{
		of("image"), otherwise, like(`oci:dir|docker-archive:a\.tar`),
		"reads an image that is called oci", "reads an archive on disk",
		reason{"images come from archives, too", "DESIGN.md 5"},
	},
	{
		of("platform"), stricter, like(`(?i:linux/bogus|(darwin|bogus)(/.*)?)`),
		"takes any name of a system or processor", "takes those that containers run on",
		reason{"what no engine runs is a slip of the pen", ""},
	},
	{of("ipc"), stricter, like(`container:`), "refuses an empty name in the daemon", "refuses it when reading", early},
}
