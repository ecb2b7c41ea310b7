package value

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"
)

// Int is a whole number that obeys a validator tag with min and max, for example "min=-1,max=4194304".
func Int(tag string) Parser[int64] {
	schema := tagSchema("integer", tag)
	low, hasLow := schema["minimum"].(int64)
	if !hasLow {
		low = math.MinInt64
	}
	high, hasHigh := schema["maximum"].(int64)
	if !hasHigh {
		high = math.MaxInt64
	}
	syntax := "a whole number"
	switch {
	case hasLow && hasHigh:
		syntax += " from " + strconv.FormatInt(low, 10) + " to " + strconv.FormatInt(high, 10)
	case hasLow:
		syntax += " of at least " + strconv.FormatInt(low, 10)
	}
	return Parser[int64]{
		Parse: func(s string) (int64, error) {
			n, err := integer(s)
			if err != nil {
				return 0, err
			}
			if !holds(n, tag) {
				return 0, bad("%s is not %s", s, syntax)
			}
			return n, nil
		},
		Format: func(n int64) string { return strconv.FormatInt(n, 10) },
		Schema: func() jsonSchema { return anyOf(schema, pattern(`^`+signed(low, high)+`$`)) },
		Syntax: syntax,
	}
}

// integer reads a decimal number as strconv does, in words for people.
func integer(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		e := bad("%q is not a whole number", s)
		if meant := integerMeant(s); meant != "" {
			return 0, e.fix("write the number alone: %s", meant)
		}
		return 0, e
	}
	return n, nil
}

// Bool is a switch's value on the command line, where docker takes what strconv.ParseBool takes.
func Bool(s string) (bool, error) {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return false, bad("%q is neither true nor false", s)
	}
	return b, nil
}

const (
	sizeSyntax  = "NUMBER[UNIT], UNIT one of b, k, m, g, t, p; 1k is 1024 bytes"
	sizePattern = `^\+?` + mantissa + exponent + sizeUnit + `$`
	// MinMemory is the least memory limit that docker accepts, in bytes.
	MinMemory = 6 << 20
)

var sizeExpr = lazy(sizePattern)

// Size is a number of bytes, 0 or more, in docker's binary units.
func Size() Parser[int64] {
	return Parser[int64]{Parse: size, Format: formatSize, Schema: sizeSchema, Syntax: sizeSyntax}
}

// Memory is a memory limit: a size of at least MinMemory, or 0 for none.
func Memory() Parser[int64] {
	p := Size()
	p.Schema = func() jsonSchema { return sizeFrom(MinMemory) }
	p.Parse = func(s string) (int64, error) {
		n, err := size(s)
		if err == nil && n != 0 && n < MinMemory {
			e := bad("%q is less than the 6 MiB that a container needs", s).fix("write 6m or more, or 0 for no limit")
			if digits, err := strconv.ParseUint(s, 10, 64); err == nil && digits > 5 {
				e.fix("a number without a unit is bytes: write %sm", s)
			}
			return 0, e
		}
		return n, err
	}
	return p
}

// MinKernelMemory is the least kernel memory limit that docker took, in bytes.
const MinKernelMemory = 4 << 20

// KernelMemory is a size of at least MinKernelMemory, or 0 for none.
func KernelMemory() Parser[int64] {
	p := Size()
	p.Schema = func() jsonSchema { return sizeFrom(MinKernelMemory) }
	p.Parse = func(s string) (int64, error) {
		n, err := size(s)
		if err == nil && n != 0 && n < MinKernelMemory {
			return 0, bad("%q is less than the minimum of 4 MiB", s).fix("write 4m or more, or remove the key")
		}
		return n, err
	}
	return p
}

// MemorySwap is a size, or -1 for unlimited swap.
func MemorySwap() Parser[int64] {
	p := Size()
	p.Syntax = "-1 | " + sizeSyntax
	p.Schema = func() jsonSchema {
		return anyOf(map[string]any{"type": "integer", "minimum": int64(-1)}, pattern(`^-1$`), pattern(sizePattern))
	}
	p.Parse = func(s string) (int64, error) {
		if s == "-1" {
			return -1, nil
		}
		return size(s)
	}
	return p
}

// ShmSize is a size greater than 0.
func ShmSize() Parser[int64] {
	p := Size()
	p.Schema = func() jsonSchema {
		return anyOf(map[string]any{"type": "number", "minimum": int64(1)}, pattern(`^`+someSize+`$`))
	}
	p.Parse = func(s string) (int64, error) {
		n, err := size(s)
		if err == nil && n == 0 {
			return 0, bad("the size must be greater than 0 (got %s)", s)
		}
		return n, err
	}
	return p
}

func sizeSchema() jsonSchema {
	return anyOf(map[string]any{"type": "number", "minimum": int64(0)}, pattern(sizePattern))
}

// sizeFrom is the schema of 0 and of sizes of at least low bytes.
func sizeFrom(low int64) jsonSchema {
	return anyOf(map[string]any{"enum": []any{int64(0)}}, map[string]any{"type": "number", "minimum": low},
		pattern(`^`+sizes(uint64(low), math.MaxInt64)+`$`)) //nolint:gosec // a constant
}

func size(s string) (int64, error) {
	if strings.HasPrefix(s, "-") {
		return 0, bad("%q is negative", s)
	}
	if !sizeExpr().MatchString(s) {
		e := bad("%q is not a size", s).fix("write a number and one of the units b, k, m, g, t, p: 512m")
		if meant := sizeMeant(s); meant != "" {
			e.fix("write %s", meant)
		}
		return 0, e
	}
	n, err := units.RAMInBytes(s)
	if err != nil {
		return 0, bad("%q is not a size", s)
	}
	if n < 0 || n == math.MaxInt64 {
		return 0, bad("%q is more bytes than a 64-bit number holds", s)
	}
	return n, nil
}

// formatSize prints bytes in the largest unit that divides them.
func formatSize(n int64) string {
	if n <= 0 {
		return strconv.FormatInt(n, 10)
	}
	unit := ""
	for _, u := range []string{"k", "m", "g", "t", "p"} {
		if n%1024 != 0 {
			break
		}
		n, unit = n/1024, u
	}
	return strconv.FormatInt(n, 10) + unit
}

const (
	durationSyntax  = "NUMBER UNIT..., UNIT one of ns, us, ms, s, m, h: 1m30s"
	timeUnit        = `(ns|us|µs|μs|ms|s|m|h)`
	durationPattern = `^\+?(0|(` + mantissa + timeUnit + `)+)$`
	somePattern     = `^\+?(` + mantissa + timeUnit + `)*` + nonZero + timeUnit + `(` + mantissa + timeUnit + `)*$`
)

// HealthDuration is a time of the health check: 0 for the default, else at least 1ms.
func HealthDuration() Parser[time.Duration] {
	p := durationFrom(0, time.Millisecond)
	p.Schema = func() jsonSchema { return anyOf(pattern(durationPattern), map[string]any{"enum": []any{int64(0)}}) }
	return p
}

// Duration is a time greater than 0.
func Duration() Parser[time.Duration] { return durationFrom(1, 1) }

// durationFrom is a duration of at least least, or exactly 0 if zero is 0.
func durationFrom(zero, least time.Duration) Parser[time.Duration] {
	return Parser[time.Duration]{
		Parse: func(s string) (time.Duration, error) {
			d, err := duration(s)
			switch {
			case err != nil:
				return 0, err
			case d == 0 && zero == 0:
				return 0, nil
			case d == 0:
				return 0, bad("the time must be longer than 0 (got %s)", s)
			case d < least:
				return 0, bad("%q is less than %s", s, least)
			}
			return d, nil
		},
		Format: func(d time.Duration) string { return d.String() },
		Schema: func() jsonSchema { return pattern(somePattern) },
		Syntax: durationSyntax,
	}
}

func duration(s string) (time.Duration, error) {
	if strings.HasPrefix(s, "-") {
		return 0, bad("%q is negative", s)
	}
	d, err := time.ParseDuration(s)
	if err == nil {
		return d, nil
	}
	if _, numErr := strconv.ParseFloat(s, 64); numErr == nil {
		return 0, bad("%q has no unit", s).fix("write %ss for seconds", s)
	}
	if meant := durationMeant(s); meant != "" {
		return 0, bad("%q is not a duration", s).fix("write %s", meant)
	}
	return 0, bad("%q is not a duration", s).fix("write a number and one of the units ms, s, m, h: 1m30s")
}

// CPUs is a number of CPUs in units of 1e-9: a decimal with at most nine digits behind the point, or a fraction.
func CPUs() Parser[int64] {
	return Parser[int64]{
		Parse: cpus,
		Format: func(n int64) string {
			s := new(big.Rat).SetFrac64(n, 1e9).FloatString(9)
			return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
		},
		Schema: func() jsonSchema {
			return anyOf(map[string]any{"enum": []any{int64(0)}}, map[string]any{"type": "number", "minimum": 0.01, "maximum": int64(maxCPUs)},
				pattern(`^\+?`+either(`0+(\.0*)?`, `\.0+`, numbers(1, maxCPUs)+`(\.[0-9]{0,9}0*)?`, `0*\.([1-9][0-9]{0,8}|0[1-9][0-9]{0,7})0*`,
					mantissa+`[eE][+-]?[0-9]{1,2}`, `[0-9]+/[0-9]*[1-9][0-9]*`)+`$`))
		},
		Syntax: "a decimal number from 0.01, or a fraction: 1.5, 3/2",
	}
}

// maxCPUs is the most that a number of 63 bits holds in units of 1e-9.
const maxCPUs = math.MaxInt64 / 1_000_000_000

const cpusPattern = `^\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?$|^\+?[0-9]+/[0-9]*[1-9][0-9]*$`

// cpusExpr bounds the exponent: big.Rat would compute 1e999999 for seconds.
var cpusExpr = lazy(cpusPattern)

func cpus(s string) (int64, error) {
	if !cpusExpr().MatchString(s) || len(s) > 64 {
		e := bad("%q is not a number of CPUs", s)
		if meant := cpusMeant(s); meant != "" {
			e.fix("write %s", meant)
		}
		return 0, e
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return 0, bad("%q is not a number of CPUs", s)
	}
	r.Mul(r, big.NewRat(1e9, 1))
	switch {
	case !r.IsInt():
		return 0, bad("%q has more than nine digits behind the point", s)
	case !r.Num().IsInt64():
		return 0, bad("%q is more CPUs than there can be", s)
	case r.Num().Int64() != 0 && r.Num().Int64() < 1e7:
		return 0, bad("%q is less than 0.01 CPU, the least that the kernel can give", s).fix("write 0.01 or more")
	}
	return r.Num().Int64(), nil
}

// CPUSet is a list of CPU numbers and ranges: 0-3,5.
func CPUSet() Parser[string] { return numberSet("CPU") }

// MemSet is a list of memory nodes and ranges: 0-3,5.
func MemSet() Parser[string] { return numberSet("memory node") }

// maxCPUNumber is the largest number of a CPU or memory node that any kernel is built for.
const maxCPUNumber = 8192

func numberSet(what string) Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) { return cpuset(s, what) }, Format: func(s string) string { return s },
		Schema: func() jsonSchema {
			number := numbers(0, maxCPUNumber)
			return orNumber(0, maxCPUNumber, `^`+each(number+`(-`+number+`)?`)+`$`)
		},
		Syntax: "NUMBER or FIRST-LAST, separated by commas: 0-3,5",
	}
}

func cpuset(s, what string) (string, error) {
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		low, err1 := cpuNumber(first)
		high, err2 := cpuNumber(last)
		switch {
		case err1 != nil || err2 != nil:
			return "", bad("%q is neither the number of a %s nor a range of them", part, what).fix("write numbers and ranges: 0-3,5")
		case low > high:
			return "", bad("the range %q runs backwards", part).fix("write %s-%s", last, first)
		case high > maxCPUNumber:
			return "", bad("%s %d does not exist anywhere; the largest number is %d", what, high, maxCPUNumber)
		}
	}
	return s, nil
}

func cpuNumber(s string) (uint64, error) {
	if strings.HasPrefix(s, "+") {
		return 0, bad("%q has a sign", s)
	}
	return strconv.ParseUint(s, 10, 32)
}

// CPUShares is a relative weight: 0 for the default, else what the kernel takes.
func CPUShares() Parser[int64] {
	return zeroOr(2, 262144, "")
}

// CPUPeriod is a period of the CPU scheduler in microseconds: 0 for the default, else what the kernel takes.
func CPUPeriod() Parser[int64] {
	return TimeIn(time.Microsecond, zeroOr(1000, 1000000, " (microseconds)"))
}

// CPUQuota is CPU time in each period in microseconds: 0 or less for no limit, else at least what the kernel takes.
func CPUQuota() Parser[int64] {
	p := intWith("lte=0|min=1000", "-1 or 0 for no limit, or a whole number of at least 1000 (microseconds)")
	p.Schema = func() jsonSchema {
		return anyOf(map[string]any{"type": "integer", "maximum": int64(0)}, map[string]any{"type": "integer", "minimum": int64(1000)},
			pattern(`^`+either(signed(math.MinInt64, 0), signed(1000, math.MaxInt64))+`$`))
	}
	return TimeIn(time.Microsecond, p)
}

// zeroOr is 0 or a whole number from low to high.
func zeroOr(low, high int64, unit string) Parser[int64] {
	p := intWith(fmt.Sprintf("eq=0|min=%d,max=%d", low, high), fmt.Sprintf("0 or a whole number from %d to %d%s", low, high, unit))
	p.Schema = func() jsonSchema {
		return anyOf(map[string]any{"enum": []any{int64(0)}}, map[string]any{"type": "integer", "minimum": low, "maximum": high},
			pattern(`^`+either(`[+-]?0+`, signed(low, high))+`$`))
	}
	return p
}

// intWith is a whole number whose validator tag has more than min and max, for which the caller has a schema.
func intWith(tag, syntax string) Parser[int64] {
	return Parser[int64]{
		Parse: func(s string) (int64, error) {
			n, err := integer(s)
			if err != nil || !holds(n, tag) {
				return 0, bad("%q is not %s", s, syntax)
			}
			return n, nil
		},
		Format: func(n int64) string { return strconv.FormatInt(n, 10) },
		Syntax: syntax,
	}
}
