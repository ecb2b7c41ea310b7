package schema

import (
	"github.com/runfile/runfile/schema/value"
)

var resourcesOptions = []row[Container]{
	opt(Option{
		Name: "cpu-shares", Short: "c", Group: GroupResources, Arg: "int", Example: "512",
		Help: "CPU shares (relative weight)",
	}, func(c *Container) *Opt[int64] { return &c.Resources.CPUShares }, value.CPUShares()),
	opt(Option{
		Name: "cpus", Group: GroupResources, Arg: "NanoCPUs", Default: "0.000", Example: "1.5",
		Help: "Number of CPUs",
	}, func(c *Container) *Opt[int64] { return &c.Resources.NanoCPUs }, value.CPUs()),
	opt(Option{
		Name: "cpuset-cpus", Group: GroupResources, Arg: "string", Example: "0",
		Help: "CPUs in which to allow execution (0-3, 0,1)",
	}, func(c *Container) *Opt[string] { return &c.Resources.CPUSetCPUs }, value.CPUSet()),
	opt(Option{
		Name: "memory", Short: "m", Group: GroupResources, Arg: "string", Example: "512m",
		Help: "Memory limit",
		Doc:  "At least 6m; 0 means no limit.",
	}, func(c *Container) *Opt[int64] { return &c.Resources.Memory }, value.Memory()),
	opt(Option{
		Name: "memory-swap", Group: GroupResources, Arg: "string", Example: "1g",
		Help: "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
		Doc:  "Memory and swap together, so at least `memory`. Without it, twice `memory`.",
	}, func(c *Container) *Opt[int64] { return &c.Resources.MemorySwap }, value.MemorySwap()),
	opt(Option{
		Name: "pids-limit", Group: GroupResources, Arg: "int", Example: "100",
		Help: "Tune container pids limit (set -1 for unlimited)",
	}, func(c *Container) *Opt[int64] { return &c.Resources.PidsLimit }, value.Int("min=-1,max=4194304")),
}
