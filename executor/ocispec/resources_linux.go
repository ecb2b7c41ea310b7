package ocispec

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// cpuPeriod is docker's scheduling period for cpus, microseconds.
const cpuPeriod = 100_000

// resources writes only what was asked for: zero values mean different things to different runtimes (pids.limit 0 is
// 1 in runc 1.4 and unlimited in crun), and crun refuses on v2 what runc ignores.
func (b *builder) resources() error {
	b.memory()
	b.cpu()
	b.realtime()
	if n := b.c.Resources.PidsLimit.Value; n > 0 && b.has("pids", "pids-limit") {
		b.spec.Linux.Resources.Pids = &specs.LinuxPids{Limit: &n}
	}
	if score := b.c.Resources.OOMScoreAdj; score.Set && score.Value < b.in.Host.OOMScoreAdj && !b.hasCap("CAP_SYS_RESOURCE") {
		b.refuses("oom-score-adj", "", fmt.Sprintf("write %d or more", b.in.Host.OOMScoreAdj),
			"a score below runfile's own (%d) needs CAP_SYS_RESOURCE, which runfile runs without", b.in.Host.OOMScoreAdj)
	}
	return nil
}

func (b *builder) hasCap(name string) bool { return slices.Contains(b.in.Host.Caps, name) }

// has reports whether the host can limit by that controller, and says so if not.
func (b *builder) has(controller, option string) bool {
	if b.in.Host.Controllers[controller] {
		return true
	}
	b.lacks(option, "this host has no %s cgroup controller", controller)
	return false
}

// v1Only reports whether the host has cgroup v1, and says of an option that v2 has nothing like it.
func (b *builder) v1Only(option string) bool {
	if b.in.Host.CgroupVersion == 1 {
		return true
	}
	b.lacks(option, "cgroup v2 has no such setting")
	return false
}

// memory: memory-swap is memory plus swap, and twice the memory unless given. Both cgroup versions get the OCI meaning;
// the runtime converts.
func (b *builder) memory() {
	r := b.c.Resources
	m := &specs.LinuxMemory{}
	if limit := r.Memory.Value; limit > 0 && b.has("memory", "memory") {
		m.Limit = &limit
		m.Swap = b.swap(limit, r.MemorySwap.Value)
	}
	if soft := r.MemoryReservation.Value; soft > 0 && b.has("memory", "memory-reservation") {
		m.Reservation = &soft
	}
	if s := r.MemorySwappiness; s.Set && s.Value >= 0 && b.has("memory", "memory-swappiness") && b.v1Only("memory-swappiness") {
		n := uint64(s.Value)
		m.Swappiness = &n
	}
	if off := r.OOMKillDisable.Value; off && b.has("memory", "oom-kill-disable") && b.v1Only("oom-kill-disable") {
		m.DisableOOMKiller = &off
	}
	if *m != (specs.LinuxMemory{}) {
		b.spec.Linux.Resources.Memory = m
	}
}

// swap is the limit of memory and swap together that goes with a limit of memory; nil = none can be set.
func (b *builder) swap(limit, swap int64) *int64 {
	switch {
	case !b.in.Host.SwapAccounting:
		if swap != 0 {
			b.lacks("memory-swap", "this kernel does not account for swap, so memory is limited without it")
		}
		return nil
	case swap == 0 && limit > math.MaxInt64/2:
		return nil
	case swap == 0:
		swap = 2 * limit
	}
	return &swap
}

func (b *builder) cpu() {
	r := b.c.Resources
	cpu := &specs.LinuxCPU{}
	if n := r.NanoCPUs.Value; n > 0 {
		if host := int64(b.in.Host.CPUs); n > host*1e9 {
			b.refuses("cpus", "", fmt.Sprintf("write 0.01 to %d, or cpu-shares for a relative weight", host),
				"more CPUs than this host has (got %s, host has %d)", trimFloat(float64(n)/1e9), host)
		}
		if b.has("cpu", "cpus") {
			period, quota := uint64(cpuPeriod), n*cpuPeriod/1e9
			cpu.Period, cpu.Quota = &period, &quota
		}
	}
	if n := r.CPUPeriod.Value; n > 0 && b.has("cpu", "cpu-period") {
		period := uint64(n)
		cpu.Period = &period
	}
	// No limit, below 0, is what a new group has, and crun 1.8 cannot write it.
	if n := r.CPUQuota.Value; n > 0 && b.has("cpu", "cpu-quota") {
		cpu.Quota = &n
	}
	if n := r.CPUShares.Value; n > 0 && b.has("cpu", "cpu-shares") {
		b.shares(cpu, uint64(n))
	}
	cpu.Cpus = b.cpuset("cpuset-cpus", r.CPUSetCPUs.Value, "CPU", b.in.Host.OnlineCPUs)
	cpu.Mems = b.cpuset("cpuset-mems", r.CPUSetMems.Value, "memory node", b.in.Host.MemoryNodes)
	if *cpu != (specs.LinuxCPU{}) {
		b.spec.Linux.Resources.CPU = cpu
	}
}

func (b *builder) shares(cpu *specs.LinuxCPU, n uint64) {
	if b.in.Host.CgroupVersion == 2 {
		// Runtimes before runc 1.4 and crun 1.23 convert with another formula; we say the weight ourselves.
		b.unified("cpu.weight", strconv.FormatUint(CPUWeight(n), 10))
		return
	}
	cpu.Shares = &n
}

// unified sets a file of cgroup v2 by name; runtimes refuse that on v1.
func (b *builder) unified(file, text string) {
	r := b.spec.Linux.Resources
	if r.Unified == nil {
		r.Unified = map[string]string{}
	}
	r.Unified[file] = text
}

// realtime: only v1 has it, and only some kernels. The groups above must have as much to give, which the engine sees to.
func (b *builder) realtime() {
	r := b.c.Resources
	for _, o := range []struct {
		name string
		n    int64
	}{{"cpu-rt-period", r.CPURTPeriod.Value}, {"cpu-rt-runtime", r.CPURTRuntime.Value}} {
		if o.n > 0 && !b.in.Host.RealTime {
			why := "this kernel cannot give real-time CPU time to groups (it lacks RT_GROUP_SCHED)"
			if b.in.Host.CgroupVersion == 2 {
				why = "cgroup v2 cannot give real-time CPU time to groups"
			}
			b.refuses(o.name, "", "", "%s", why)
		}
	}
	if r.CPURTPeriod.Value+r.CPURTRuntime.Value == 0 || !b.in.Host.RealTime {
		return
	}
	cpu := b.spec.Linux.Resources.CPU
	if cpu == nil {
		cpu = &specs.LinuxCPU{}
		b.spec.Linux.Resources.CPU = cpu
	}
	if n := uint64(r.CPURTPeriod.Value); n > 0 {
		cpu.RealtimePeriod = &n
	}
	if n := r.CPURTRuntime.Value; n > 0 {
		cpu.RealtimeRuntime = &n
	}
}

func trimFloat(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// CPUWeight converts cpu-shares (2 to 262144, default 1024) into cgroup v2's cpu.weight (1 to 10000, default 100) so
// that both defaults and both ends meet: the formula of runc 1.4 and crun 1.23.
func CPUWeight(shares uint64) uint64 {
	if shares <= 2 {
		return 1
	}
	if shares >= 262144 {
		return 10000
	}
	l := math.Log2(float64(shares))
	return uint64(math.Ceil(math.Pow(10, (l*l+125*l)/612-7.0/34)))
}

// cpuset returns the set, and refuses numbers that are not there, which the kernel would only call "invalid argument".
// Docker compares memory nodes with the CPUs.
func (b *builder) cpuset(option, set, what, available string) string {
	if set == "" || !b.has("cpuset", option) {
		return ""
	}
	have, err := parseSet(available)
	if err != nil {
		return set // then the kernel will say
	}
	want, err := parseSet(set)
	if err != nil {
		b.refuses(option, "", "", "%v", err)
		return ""
	}
	for _, n := range want {
		if !slices.Contains(have, n) {
			b.refuses(option, "", "", "%s %d is not available; this host has %s", what, n, available)
			return ""
		}
	}
	return set
}

func parseSet(text string) ([]int, error) {
	var out []int
	for part := range strings.SplitSeq(text, ",") {
		a, b, isRange := strings.Cut(part, "-")
		if !isRange {
			b = a
		}
		first, err := strconv.Atoi(a)
		if err != nil {
			return nil, fmt.Errorf("%q is not a list like 0-3,5", text)
		}
		last, err := strconv.Atoi(b)
		if err != nil || last < first || last > 8192 {
			return nil, fmt.Errorf("%q is not a list like 0-3,5", text)
		}
		for n := first; n <= last; n++ {
			out = append(out, n)
		}
	}
	return out, nil
}
