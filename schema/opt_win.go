package schema

import (
	"github.com/runfile/runfile/schema/value"
)

// The operating systems that an option may be for.
const (
	linux   = "linux"
	windows = "windows"
)

const noWindows = "there is no engine for Windows containers yet"

// windowsOptions are docker's options that only Windows containers have.
var windowsOptions = []row[Container]{
	opt(Option{
		Name: "cpu-count", Group: GroupWindows, Arg: "int", Example: "2", OS: windows, NotYet: noWindows,
		Help: "The number of CPUs available for execution by the container.\n" +
			"Windows daemon only. On Windows Server containers, this is\n" +
			"approximated as a percentage of total CPU usage.",
	}, func(c *Container) *Opt[int64] { return &c.Windows.CPUCount }, value.Int("min=0,max=4096")),
	opt(Option{
		Name: "cpu-percent", Group: GroupWindows, Arg: "int", Example: "50", OS: windows, NotYet: noWindows,
		Help: "Limit percentage of CPU available for execution\n" +
			"by the container. Windows daemon only.\n" +
			"The processor resource controls are mutually\n" +
			"exclusive, the order of precedence is CPUCount\n" +
			"first, then CPUShares, and CPUPercent last.",
	}, func(c *Container) *Opt[int64] { return &c.Windows.CPUPercent }, value.Int("min=0,max=100")),
	opt(Option{
		Name: "io-maxbandwidth", Group: GroupWindows, Arg: "string", Example: "10m", OS: windows, NotYet: noWindows,
		Help: "Maximum IO bandwidth limit for the system drive (Windows only)\n" +
			"(Windows only). The format is `<number><unit>`.\n" +
			"Unit is optional and can be `b` (bytes per second),\n" +
			"`k` (kilobytes per second), `m` (megabytes per second),\n" +
			"or `g` (gigabytes per second). If you omit the unit,\n" +
			"the system uses bytes per second.\n" +
			"--io-maxbandwidth and --io-maxiops are mutually exclusive options.",
	}, func(c *Container) *Opt[int64] { return &c.Windows.IOMaxBandwidth }, value.IOBandwidth()),
	opt(Option{
		Name: "io-maxiops", Group: GroupWindows, Arg: "uint", Example: "1000", OS: windows, NotYet: noWindows,
		Help: "Maximum IOps limit for the system drive (Windows only)",
	}, func(c *Container) *Opt[int64] { return &c.Windows.IOMaxIOps }, value.IOOperations()),
	opt(Option{
		Name: "isolation", Group: GroupWindows, Arg: "string", Example: "default",
		Help: "Container isolation technology",
		Doc:  "On Linux `default` is the only one.",
	}, func(c *Container) *Opt[string] { return &c.Windows.Isolation }, value.Isolation()),
}
