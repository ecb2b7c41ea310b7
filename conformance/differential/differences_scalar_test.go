package differential

import (
	"math"
	"slices"
)

var wholeNumbers = of("cpu-shares", "cpu-period", "cpu-quota", "cpu-rt-period", "cpu-rt-runtime", "pids-limit", "oom-score-adj",
	"memory-swappiness", "blkio-weight", "stop-timeout", "health-retries")

// decimalToo are those that take small numbers.
var decimalToo = without(wholeNumbers, "cpu-period", "cpu-quota")

func without(names []string, less ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(less, name) })
}

const int32Max = math.MaxInt32

// Reasons of several differences.
var (
	decimal   = reason{"numbers are decimal and nothing else in every option", "options-process 0.2"}
	unnoticed = reason{"nothing that docker drops or misreads in silence is taken", "options-network-storage-images H.7"}
	early     = reason{"what needs no host is checked before anything starts", "options-process 15.7"}
)

// scalarDifferences are about numbers, sizes and times.
var scalarDifferences = []difference{
	{
		append(of("cpus", "memory-swap", "health-interval", "gpus"), wholeNumbers...), wider, like(``),
		"refuses an empty value", "takes it for an option that is not given",
		reason{"an empty text unsets a scalar option", "options-process 0.2"},
	},
	{decimalToo, otherwise, like(`0[0-7]+`), "reads digits behind a 0 as octal", "reads them as decimal", decimal},
	{
		without(decimalToo, "blkio-weight"), wider,
		like(`0[0-9]*[89][0-9]*`), "refuses 8 and 9 behind a 0, which means octal", "reads a decimal number", decimal,
	},
	{
		append(of("cpus"), wholeNumbers...), stricter, like(`0[xX][0-9a-fA-F]+(p-[0-9]+)?|0b[01]+|0o[0-7]+|[0-9]+(_[0-9]+)+`),
		"takes other bases and underscores, as Go does", "refuses them", decimal,
	},
	{of("memory-swap"), stricter, like(`1_000(b|B|[kmgtpKMG]([iI]?[bB])?)?`), "takes underscores, as Go does", "refuses them", decimal},
	{
		of("blkio-weight"), wider, like(`[+-]0`),
		"refuses a sign", "takes one",
		reason{"every whole number may have a sign", "options-process 0.2"},
	},
	{
		of("blkio-weight-device"), wider, like(`.*:\+[0-9]+`),
		"refuses a sign", "takes one",
		reason{"every whole number may have a sign", "options-process 0.2"},
	},
	{
		of("memory-swap", "memory", "memory-reservation", "shm-size"), stricter, like(`(1e8|9000000)[tp]|9{20}|8192p`),
		"takes a size of more than 63 bits and makes a negative number of it", "refuses it",
		reason{"a number that cannot be kept is no other number", "options-process 0.2, 15.5"},
	},
	{
		of("memory-swap", "device-read-bps", "device-write-bps"), stricter, like(`(.*:)?-0`), "reads minus nothing", "refuses a minus",
		reason{"a size has no sign but plus; -1 is a word of memory-swap", "options-process 0.2"},
	},
	{
		of("health-interval"), stricter, like(`-0([a-zµ]+)?`), "reads minus nothing", "refuses a minus",
		reason{"no time is before its start", "options-process 0.2"},
	},
	{
		of("memory", "memory-reservation"), stricter, below(6 << 20), "refuses less than 6 MiB in the daemon", "refuses it when reading",
		early,
	},
	{
		of("shm-size"), stricter, like(`0`),
		"takes 0 for the default", "refuses it",
		reason{"the reference demands more than 0", "options-network-storage-images B6"},
	},
	{
		of("cpus"), stricter, like(`-[0-9./]+`), "refuses a negative number in the daemon", "refuses it when reading",
		early,
	},
	{
		of("cpus"), stricter, like(`1e20|9223372037`), "takes more than 63 bits hold and makes another number of it", "refuses it",
		reason{"a number that cannot be kept is no other number", "options-process 15.5"},
	},
	{
		of("cpus"), stricter, like(`0\.00[0-9]*|1e-3`), "takes less than 0.01, which the kernel refuses", "refuses it",
		reason{"the kernel gives no less", "options-process 15.2"},
	},
	{
		of("cpu-shares"), stricter, outside(span{0, 0}, span{2, 262144}),
		"leaves the range to the kernel", "demands it",
		reason{"the kernel takes no other", "options-process 4"},
	},
	{
		of("cpu-period"), stricter, outside(span{0, 0}, span{1000, 1000000}),
		"refuses other periods in the daemon", "refuses them when reading",
		reason{"the kernel takes no other", "options-process 4"},
	},
	{
		of("cpu-quota"), stricter, outside(span{math.MinInt64, 0}, span{1000, math.MaxInt64}),
		"refuses less than 1000 in the daemon", "refuses it when reading",
		reason{"the kernel takes no less", "options-process 4"},
	},
	{of("cpu-rt-period", "cpu-rt-runtime"), stricter, outside(span{0, int32Max}), "leaves the range to the kernel", "demands it", early},
	{
		of("pids-limit"), stricter, outside(span{-1, 4194304}),
		"takes any negative number for no limit, and more than there are process numbers", "takes -1 to 4194304",
		reason{"-1 is the word for no limit", "options-process 5"},
	},
	{of("oom-score-adj"), stricter, outside(span{-1000, 1000}), "refuses other values in the daemon", "refuses them when reading", early},
	{
		of("blkio-weight"), stricter, outside(span{0, 0}, span{10, 1000}),
		"takes any weight if the kernel lacks the controller", "demands 0 or 10 to 1000",
		reason{"ranges count even where the kernel lacks the feature", "options-process 15.4"},
	},
	{
		of("stop-timeout"), stricter, outside(span{-1, int32Max}),
		"takes any negative number for ever", "takes -1 alone, and 31 bits",
		reason{"-1 is the word for ever", "options-process 3"},
	},
	{
		of("health-retries"), stricter, outside(span{0, int32Max}),
		"takes 63 bits", "takes 31 bits",
		reason{"no more can be counted in time", ""},
	},
}
