package differential

// The keys of what compose refuses are those that the file is about; of what it reads otherwise, those of the place.

// notText is a value that YAML reads as a number or a boolean, or nothing.
const notText = `(\d[\d.]*|true|false)`

// composeDifferences are deliberate: where runfile convert makes something else of a compose file than Compose does,
// without saying so when it converts.
var composeDifferences = []difference{
	{
		of("image", "command", "environment", "user", "init", "hostname", "cpuset", "stop_signal", "restart", "name", "version", "networks"), wider,
		like(`\w+: (` + notText + `|\[` + notText + `(, ` + notText + `)*\]|.*enable_icc: false.*)`),
		"wants quotes around a number or a boolean where it has text", "takes it as it stands",
		reason{"it can only mean one thing", ""},
	},
	{
		of("blkio_config", "volumes"), wider, like(`.*(weight|mode): "\d+".*`),
		"refuses quotes around these numbers", "takes them",
		reason{"compose takes them around all others", ""},
	},
	{
		of("environment"), wider, like(`environment: \{A: \.inf.*`),
		"refuses what is no finite number", "takes it for text",
		reason{"a variable is text", ""},
	},
	{
		of("environment", "labels", "group_add", "cap_add", "security_opt", "device_cgroup_rules", "expose", "networks", "dns_opt", "extra_hosts", "profiles"), wider,
		like(`\w+: (["\w][^{\[]*|\{back: \{aliases: a\}\})`),
		"wants a list", "takes one value for a list of one",
		reason{"so it is in all of a runfile", "DESIGN.md 1"},
	},
	{
		of("env_file"), wider, like(`env_file: \{.*`),
		"wants a list", "takes one map for a list of one",
		reason{"so it is in all of a runfile", "DESIGN.md 1"},
	},
	{
		of("environment", "init", "pid", "deploy", "network_mode", "restart", "healthcheck", "name"), wider, like(`.*~\}?`),
		"refuses a key without a value, but for some", "takes it for left out",
		reason{"nothing is lost", ""},
	},
	{
		of("group_add"), wider, like(`.*\[audio, audio\]`),
		"refuses the same entry twice in some lists, and merges it in others", "takes it",
		reason{"it means the same once or twice", ""},
	},
	{
		of("cpus"), wider, like(`cpus: 1/2`),
		"refuses a fraction", "takes it",
		reason{"docker run does", ""},
	},
	{
		of("devices"), wider, like(`.*\{source: /dev/null[^t]*`),
		"wants the path inside to be written out", "takes the path outside for it",
		reason{"docker run does", ""},
	},
	{
		of("networks", "volumes"), wider, like(`networks: \[nowhere\]|volumes: \[("(src|nowhere):.*|\{type: volume, source: nowhere, .*)\]`),
		"refuses a network or volume that its section does not name", "makes it",
		reason{"a runfile needs to name neither", "manifest-and-cli"},
	},
	{
		of("networks"), wider, like(`networks: \[host\]`),
		"refuses the word for the network of the host here", "takes it",
		reason{"docker run has no other place for it", ""},
	},
	{
		of("volumes"), wider, like(`.*\[\{source: .*`),
		"wants the type of a mount", "tells it from the source",
		reason{"docker run does", ""},
	},
	{
		of("depends_on"), wider, like(`.*\{db: (\{\})?\}`),
		"wants a condition in the long form", "waits for the start",
		reason{"so it is in the short form", ""},
	},
	{
		of("yaml"), wider, like(`.*number` + "s?"),
		"refuses keys that YAML reads as numbers or booleans", "takes them for text",
		reason{"they can only mean one thing", ""},
	},
	{
		of("limits"), wider, like(`.*an empty group.*`),
		"takes a limit that deploy leaves out for 0, and finds it unlike the other", "takes the one that is there",
		reason{"there is no contradiction", ""},
	},
	{
		of("environment"), otherwise, like(`.*\{A: 2001-.*`),
		"prints a date as Go does, with a time and UTC behind it", "leaves it as it stands",
		reason{"nobody wants that, and quotes change it", ""},
	},
	{
		of("mem_limit"), otherwise, like(`mem_limit: 1e9`),
		"drops a size that is a number with an exponent", "takes it",
		reason{"a limit is not dropped in silence", ""},
	},
	{
		of("devices"), otherwise, like(`.*"/dev/null:rw".*`),
		"takes permissions behind the first colon for a path", "takes them for permissions",
		reason{"docker run does", ""},
	},
	{
		of("depends_on"), otherwise, like(`(pid|ipc|network_mode|links): .*db.*`),
		"waits for the start of what is linked or joined", "waits until it is healthy if it has a check",
		reason{"a reference is enough to say so", "DESIGN.md 2"},
	},
	{
		of("depends_on"), otherwise, like(`volumes_from: .*|needs: volumes of others`),
		"waits for the start of what has the volumes", "waits until it is made",
		reason{"the volumes are there then", "DESIGN.md 2"},
	},
	{
		of("interpolation"), stricter, like(`.*(\$|\$\{)(NOWHERE|given)\}?"?\}`),
		"takes a variable without a value for nothing, with a warning", "refuses to run; convert warns of it",
		reason{"an undefined variable is an error", "DESIGN.md 1"},
	},
	{
		of("interpolation"), stricter, like(`.*\$\{EMPTY\?e\}.*`),
		"knows ${NAME?text} besides ${NAME:?text}", "has the second alone, which refuses an empty value, too",
		reason{"who demands a value does not mean an empty one", ""},
	},
	{
		of("name"), stricter, like(`name: "\$\{GIVEN:-x\}"`),
		"drops from a project's name what it cannot have", "refuses the name when its variables have made it wrong",
		reason{"a name is not changed in silence", ""},
	},
}
