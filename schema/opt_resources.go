package schema

import (
	"time"

	"github.com/runfile/runfile/schema/value"
)

var resourcesOptions = []row[Container]{
	opt(Option{
		Name: "cgroup-parent", Group: GroupResources, Arg: "string", Example: "/ci/heavy", OS: linux,
		Help: "Optional parent cgroup for the container",
		Doc:  "A path from the root of every cgroup hierarchy. Groups that runfile makes are removed when they are empty.",
	}, func(c *Container) *Opt[string] { return &c.Resources.CgroupParent }, value.CgroupPath()),
	opt(Option{
		Name: "cpu-period", Group: GroupResources, Arg: "int", Example: "50000", OS: linux,
		Help: "Limit CPU CFS (Completely Fair Scheduler) period",
		Doc:  "In microseconds.",
	}, func(c *Container) *Opt[int64] { return &c.Resources.CPUPeriod }, value.CPUPeriod()),
	opt(Option{
		Name: "cpu-quota", Group: GroupResources, Arg: "int", Example: "25000", OS: linux,
		Help: "Limit CPU CFS (Completely Fair Scheduler) quota",
		Doc:  "Microseconds of CPU time in each period; -1 for no limit.",
	}, func(c *Container) *Opt[int64] { return &c.Resources.CPUQuota }, value.CPUQuota()),
	opt(Option{
		Name: "cpu-rt-period", Group: GroupResources, Arg: "int", Example: "1000000", OS: linux,
		Help: "Limit the CPU real-time period in microseconds",
	}, func(c *Container) *Opt[int64] { return &c.Resources.CPURTPeriod }, value.TimeIn(time.Microsecond, value.Int("min=0,max=2147483647"))),
	opt(Option{
		Name: "cpu-rt-runtime", Group: GroupResources, Arg: "int", Example: "100000", OS: linux,
		Help: "Limit the CPU real-time runtime in microseconds",
		Doc:  "cgroup v2 has no such limit.",
	}, func(c *Container) *Opt[int64] { return &c.Resources.CPURTRuntime }, value.TimeIn(time.Microsecond, value.Int("min=0,max=2147483647"))),
	opt(Option{
		Name: "cpu-shares", Short: "c", Group: GroupResources, Arg: "int", Example: "512",
		Help: "CPU shares (relative weight)",
	}, func(c *Container) *Opt[int64] { return &c.Resources.CPUShares }, value.CPUShares()),
	opt(Option{
		Name: "cpus", Group: GroupResources, Arg: "NanoCPUs", Default: "0.000", Example: "1.5",
		Help: "Number of CPUs",
	}, func(c *Container) *Opt[int64] { return &c.Resources.NanoCPUs }, value.CPUs()),
	opt(Option{
		Name: "cpuset-cpus", OS: linux, Group: GroupResources, Arg: "string", Example: "0",
		Help: "CPUs in which to allow execution (0-3, 0,1)",
	}, func(c *Container) *Opt[string] { return &c.Resources.CPUSetCPUs }, value.CPUSet()),
	opt(Option{
		Name: "cpuset-mems", Group: GroupResources, Arg: "string", Example: "0", OS: linux,
		Help: "MEMs in which to allow execution (0-3, 0,1)",
	}, func(c *Container) *Opt[string] { return &c.Resources.CPUSetMems }, value.MemSet()),
	opt(Option{
		Name: "kernel-memory", Group: GroupResources, Arg: "string", Example: "64m", OS: linux,
		Help: "Kernel memory limit",
		Doc:  "Kernels have no such limit any more; `memory` covers it. Accepted, checked and without effect.",
	}, func(c *Container) *Opt[int64] { return &c.Resources.KernelMemory }, value.KernelMemory()),
	opt(Option{
		Name: "memory", Short: "m", Group: GroupResources, Arg: "string", Example: "512m",
		Help: "Memory limit",
		Doc:  "At least 6m; 0 means no limit.",
	}, func(c *Container) *Opt[int64] { return &c.Resources.Memory }, value.Memory()),
	opt(Option{
		Name: "memory-reservation", Group: GroupResources, Arg: "string", Example: "256m", OS: linux,
		Help: "Memory soft limit",
		Doc:  "At least 6m, and no more than `memory`.",
	}, func(c *Container) *Opt[int64] { return &c.Resources.MemoryReservation }, value.Memory()),
	opt(Option{
		Name: "memory-swap", Needs: "memory", OS: linux, Group: GroupResources, Arg: "string", Example: "1g",
		Help: "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
		Doc:  "Memory and swap together, so at least `memory`. Without it, twice `memory`.",
	}, func(c *Container) *Opt[int64] { return &c.Resources.MemorySwap }, value.MemorySwap()),
	opt(Option{
		Name: "memory-swappiness", Group: GroupResources, Arg: "int", Default: "-1", Example: "10", OS: linux,
		Help: "Tune container memory swappiness (0 to 100)",
		Doc:  "-1 inherits the host's. cgroup v2 has no such setting.",
	}, func(c *Container) *Opt[int64] { return &c.Resources.MemorySwappiness }, value.Int("min=-1,max=100")),
	toggle(Option{
		Name: "oom-kill-disable", Needs: "memory", Group: GroupResources, Example: "true", OS: linux,
		Help: "Disable OOM Killer",
		Doc:  "Without `memory` the host itself can run out of memory. cgroup v2 has no such setting.",
	}, func(c *Container) *Opt[bool] { return &c.Resources.OOMKillDisable }),
	opt(Option{
		Name: "oom-score-adj", Group: GroupResources, Arg: "int", Example: "500", OS: linux,
		Help: "Tune host's OOM preferences (-1000 to 1000)",
	}, func(c *Container) *Opt[int64] { return &c.Resources.OOMScoreAdj }, value.Int("min=-1000,max=1000")),
	opt(Option{
		Name: "pids-limit", OS: linux, Group: GroupResources, Arg: "int", Example: "100",
		Help: "Tune container pids limit (set -1 for unlimited)",
	}, func(c *Container) *Opt[int64] { return &c.Resources.PidsLimit }, value.Int("min=-1,max=4194304")),
}
