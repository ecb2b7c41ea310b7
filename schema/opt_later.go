package schema

// laterOptions are docker's options that runfile does not honour yet: they are known, so that a file or a command line
// that uses one is told so at the place, and the command line can still be read to its end.
var laterOptions = []Option{
	{
		Name: "blkio-weight", Kind: Scalar, Arg: "value",
		Help: "Block IO (relative weight), between 10 and 1000",
	},
	{
		Name: "blkio-weight-device", Kind: List, Arg: "value", Default: "[]",
		Help: "Block IO weight (relative device weight)",
	},
	{
		Name: "cgroup-parent", Kind: Scalar, Arg: "string",
		Help: "Optional parent cgroup for the container",
	},
	{
		Name: "cpu-count", Kind: Scalar, Arg: "int",
		Help: "The number of CPUs available for execution by the container.\n" +
			"Windows daemon only. On Windows Server containers, this is\n" +
			"approximated as a percentage of total CPU usage.",
	},
	{
		Name: "cpu-percent", Kind: Scalar, Arg: "int",
		Help: "Limit percentage of CPU available for execution\n" +
			"by the container. Windows daemon only.\n" +
			"The processor resource controls are mutually\n" +
			"exclusive, the order of precedence is CPUCount\n" +
			"first, then CPUShares, and CPUPercent last.",
	},
	{
		Name: "cpu-period", Kind: Scalar, Arg: "int",
		Help: "Limit CPU CFS (Completely Fair Scheduler) period",
	},
	{
		Name: "cpu-quota", Kind: Scalar, Arg: "int",
		Help: "Limit CPU CFS (Completely Fair Scheduler) quota",
	},
	{
		Name: "cpu-rt-period", Kind: Scalar, Arg: "int",
		Help: "Limit the CPU real-time period in microseconds",
	},
	{
		Name: "cpu-rt-runtime", Kind: Scalar, Arg: "int",
		Help: "Limit the CPU real-time runtime in microseconds",
	},
	{
		Name: "cpuset-mems", Kind: Scalar, Arg: "string",
		Help: "MEMs in which to allow execution (0-3, 0,1)",
	},
	{
		Name: "device-cgroup-rule", Kind: List, Arg: "value",
		Help: "Add a rule to the cgroup allowed devices list",
	},
	{
		Name: "device-read-bps", Kind: List, Arg: "value", Default: "[]",
		Help: "Limit read rate (bytes per second) from a device",
	},
	{
		Name: "device-read-iops", Kind: List, Arg: "value", Default: "[]",
		Help: "Limit read rate (IO per second) from a device",
	},
	{
		Name: "device-write-bps", Kind: List, Arg: "value", Default: "[]",
		Help: "Limit write rate (bytes per second) to a device",
	},
	{
		Name: "device-write-iops", Kind: List, Arg: "value", Default: "[]",
		Help: "Limit write rate (IO per second) to a device",
	},
	{
		Name: "disable-content-trust", Kind: Switch, Default: "true",
		Help: "Skip image verification",
	},
	{
		Name: "group-add", Kind: List, Arg: "value", Default: "[]",
		Help: "Add additional groups to join",
	},
	{
		Name: "init-path", Kind: Scalar, Arg: "string",
		Help: "Path to the docker-init binary",
	},
	{
		Name: "io-maxbandwidth", Kind: Scalar, Arg: "string",
		Help: "Maximum IO bandwidth limit for the system drive (Windows only)\n" +
			"(Windows only). The format is `<number><unit>`.\n" +
			"Unit is optional and can be `b` (bytes per second),\n" +
			"`k` (kilobytes per second), `m` (megabytes per second),\n" +
			"or `g` (gigabytes per second). If you omit the unit,\n" +
			"the system uses bytes per second.\n" +
			"--io-maxbandwidth and --io-maxiops are mutually exclusive options.",
	},
	{
		Name: "io-maxiops", Kind: Scalar, Arg: "uint",
		Help: "Maximum IOps limit for the system drive (Windows only)",
	},
	{
		Name: "isolation", Kind: Scalar, Arg: "string",
		Help: "Container isolation technology",
	},
	{
		Name: "kernel-memory", Kind: Scalar, Arg: "string",
		Help: "Kernel memory limit",
	},
	{
		Name: "label-file", Kind: List, Arg: "value", Default: "[]",
		Help: "Read in a line delimited file of labels",
	},
	{
		Name: "link-local-ip", Kind: List, Arg: "value", Default: "[]",
		Help: "Container IPv4/IPv6 link-local addresses",
	},
	{
		Name: "memory-reservation", Kind: Scalar, Arg: "string",
		Help: "Memory soft limit",
	},
	{
		Name: "memory-swappiness", Kind: Scalar, Arg: "int", Default: "-1",
		Help: "Tune container memory swappiness (0 to 100)",
	},
	{
		Name: "oom-kill-disable", Kind: Switch,
		Help: "Disable OOM Killer",
	},
	{
		Name: "oom-score-adj", Kind: Scalar, Arg: "int",
		Help: "Tune host's OOM preferences (-1000 to 1000)",
	},
	{
		Name: "storage-opt", Kind: List, Arg: "value", Default: "[]",
		Help: "Storage driver options for the container",
	},
	{
		Name: "userns", Kind: Scalar, Arg: "string",
		Help: "User namespace to use\n" +
			"'host': Use the Docker host user namespace\n" +
			"'': Use the Docker daemon user namespace specified by `--userns-remap` option.",
	},
	{
		Name: "volume-driver", Kind: Scalar, Arg: "string",
		Help: "Optional volume driver for the container",
	},
	// Younger options of docker run, which the reference does not have.
	{
		Name: "annotation", Kind: Map, Arg: "map",
		Help: "Add an annotation to the container (passed through to the OCI runtime)",
	},
	{Name: "cgroupns", Kind: Scalar, Arg: "string", Help: "Cgroup namespace to use (host|private)"},
	{Name: "domainname", Kind: Scalar, Arg: "string", Help: "Container NIS domain name"},
	{Name: "gpus", Kind: Scalar, Arg: "gpu-request", Help: "GPU devices to add to the container ('all' to pass all GPUs)"},
	{
		Name: "health-start-interval", Kind: Scalar, Arg: "duration",
		Help: "Time between running the check during the start period (ms|s|m|h)", Default: "0s",
	},
	{
		Name: "health-start-period", Kind: Scalar, Arg: "duration",
		Help: "Start period for the container to initialize before starting health-retries countdown (ms|s|m|h)", Default: "0s",
	},
	{Name: "mount", Kind: List, Arg: "mount", Help: "Attach a filesystem mount to the container"},
	{Name: "use-api-socket", Kind: Switch, Help: "Bind mount Docker API socket and required auth"},
}
