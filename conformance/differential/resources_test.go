package differential

import (
	"errors"
	"strconv"
	"time"

	"github.com/docker/go-units"
	"github.com/moby/moby/api/types/container"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

var (
	sizeNumbers = words("0 1 10 1.5 .5 5. 1e3 1e8 +5 -1 007 0x10 1_000 9000000 x 1.2.3 ''")
	sizeUnits   = words("'' b B k K kb KB kib KiB Ki m MB g Gib t p e bb ib kbb %")
	sizes       = all(each(sizeNumbers, sizeUnits),
		each(words("10 1.5"), []string{" ", "  ", "\t"}, words("'' k MiB")), []string{" 10m", "10m ", "-0", "inf", "NaN", "Infm", "99999999999999999999"})
	someSizes = words("0 1 6m 6291455 6291456 4m 4194303 5.9m 100mb 1GiB 0.5g -1 -1m 8192p x 1.5 10%")

	someNumbers = all(words("0 1 -1 +1 10 -10 100 1000 1000000 007 010 08 0x10 0X1F 0b11 0o17 1_000 1e3 1.5 1k x '' -0 +0 --1"),
		words("9 11 999 1001 65535 65536 262144 262145 4194304 4194305 2147483647 2147483648 99999999999999999999"),
		[]string{" 1", "1 ", "１"})

	durationTexts = all(
		each(words("0 1 10 1.5 .5 5. -1 -0 +2 007 1_0 ''"), words("'' ns us µs ms s m h d")),
		words("1m30s 1h1m1s1ms 1s500 1.5h30m 30s1m 999999ns 1000000ns 1000us 999us 0.5ms 9999999h 1S x"),
		[]string{" 1s", "1s ", "1 s"})

	cpuTexts = all(words("0 1 2 0.5 1.5 .5 1. 0.01 0.009 0.001 1e0 1e1 1e-1 1E-2 1e-3 1e20 3/2 1/2 1/3 2/1 1/0 0/1 -1 -0.5 +1 +0.5"),
		words(`
			0.000000001 0.0100000001 1.000000001 1.0000000001 9223372036 9223372037 0x10 0x1p-1 0b1 1_000 1,5 007 010 x '' 1.5x
			1e1.5 3/2/1 -3/2 +3/2 3/-2`),
		[]string{" 1", "1 ", "3 / 2"})
)

// number prints a count of both sides.
func number[N int | int64 | uint16 | uint64](n N) string { return strconv.FormatInt(int64(n), 10) }

// whole is an option that takes a whole number.
func whole(name string, docker func(*container.HostConfig) int64, runfile func(*schema.Container) int64) syntax {
	return syntax{
		name: name, args: option(name), texts: someNumbers,
		docker:  func(r *request) (string, error) { return number(docker(r.HostConfig)), nil },
		runfile: func(c *schema.Container) (string, error) { return number(runfile(c)), nil },
	}
}

// bytesOf is an option that takes a size.
func bytesOf(name string, texts []string, docker func(*container.HostConfig) int64, runfile func(*schema.Container) int64) syntax {
	s := whole(name, docker, runfile)
	s.texts = texts
	return s
}

// healthTime is an option that takes a time of the health check. The daemon has its own least.
func healthTime(name string, texts []string, docker func(*container.HealthConfig) time.Duration, runfile func(*schema.Health) time.Duration) syntax {
	return syntax{
		name: name, args: option(name), texts: texts,
		docker: func(r *request) (string, error) {
			if r.Config.Healthcheck == nil {
				return time.Duration(0).String(), nil
			}
			d := docker(r.Config.Healthcheck)
			if d != 0 && d < container.MinimumDuration {
				return "", errors.New("less than the daemon's least")
			}
			return d.String(), nil
		},
		runfile: func(c *schema.Container) (string, error) { return runfile(&c.Health).String(), nil },
	}
}

var resourceSyntaxes = []syntax{
	bytesOf("memory-swap", sizes, func(h *container.HostConfig) int64 { return h.MemorySwap },
		func(c *schema.Container) int64 { return c.Resources.MemorySwap.Value }),
	bytesOf("memory", someSizes, func(h *container.HostConfig) int64 { return h.Memory },
		func(c *schema.Container) int64 { return c.Resources.Memory.Value }),
	bytesOf("memory-reservation", someSizes, func(h *container.HostConfig) int64 { return h.MemoryReservation },
		func(c *schema.Container) int64 { return c.Resources.MemoryReservation.Value }),
	bytesOf("shm-size", someSizes, func(h *container.HostConfig) int64 { return h.ShmSize },
		func(c *schema.Container) int64 { return c.Mounts.ShmSize.Value }),
	whole("cpu-shares", func(h *container.HostConfig) int64 { return h.CPUShares },
		func(c *schema.Container) int64 { return c.Resources.CPUShares.Value }),
	whole("cpu-period", func(h *container.HostConfig) int64 { return h.CPUPeriod },
		func(c *schema.Container) int64 { return c.Resources.CPUPeriod.Value }),
	whole("cpu-quota", func(h *container.HostConfig) int64 { return h.CPUQuota },
		func(c *schema.Container) int64 { return c.Resources.CPUQuota.Value }),
	whole("cpu-rt-period", func(h *container.HostConfig) int64 { return h.CPURealtimePeriod },
		func(c *schema.Container) int64 { return c.Resources.CPURTPeriod.Value }),
	whole("cpu-rt-runtime", func(h *container.HostConfig) int64 { return h.CPURealtimeRuntime },
		func(c *schema.Container) int64 { return c.Resources.CPURTRuntime.Value }),
	whole("pids-limit", func(h *container.HostConfig) int64 { return *h.PidsLimit },
		func(c *schema.Container) int64 { return c.Resources.PidsLimit.Value }),
	whole("oom-score-adj", func(h *container.HostConfig) int64 { return int64(h.OomScoreAdj) },
		func(c *schema.Container) int64 { return c.Resources.OOMScoreAdj.Value }),
	whole("memory-swappiness", func(h *container.HostConfig) int64 { return *h.MemorySwappiness },
		func(c *schema.Container) int64 { return c.Resources.MemorySwappiness.Value }),
	whole("blkio-weight", func(h *container.HostConfig) int64 { return int64(h.BlkioWeight) },
		func(c *schema.Container) int64 { return c.Blkio.Weight.Value }),
	{
		name: "cpus", args: option("cpus"), texts: cpuTexts,
		docker:  func(r *request) (string, error) { return number(r.HostConfig.NanoCPUs), nil },
		runfile: func(c *schema.Container) (string, error) { return number(c.Resources.NanoCPUs.Value), nil },
	},
	{
		name: "stop-timeout", args: option("stop-timeout"), texts: someNumbers,
		docker:  func(r *request) (string, error) { return number(*r.Config.StopTimeout), nil },
		runfile: func(c *schema.Container) (string, error) { return number(c.Lifecycle.StopTimeout.Value), nil },
	},
	{
		name: "health-retries", args: option("health-retries"), texts: someNumbers,
		docker: func(r *request) (string, error) {
			if r.Config.Healthcheck == nil {
				return "0", nil
			}
			return number(r.Config.Healthcheck.Retries), nil
		},
		runfile: func(c *schema.Container) (string, error) { return number(c.Health.Retries.Value), nil },
	},
	healthTime("health-interval", durationTexts, func(h *container.HealthConfig) time.Duration { return h.Interval },
		func(h *schema.Health) time.Duration { return h.Interval.Value }),
	healthTime("health-timeout", words("0 0s 1s 999us 1ms -1s 5 x"), func(h *container.HealthConfig) time.Duration { return h.Timeout },
		func(h *schema.Health) time.Duration { return h.Timeout.Value }),
	healthTime("health-start-period", words("0 0s 1s 999us 1ms -1s 5 x"), func(h *container.HealthConfig) time.Duration { return h.StartPeriod },
		func(h *schema.Health) time.Duration { return h.StartPeriod.Value }),
	healthTime("health-start-interval", words("0 0s 1s 999us 1ms -1s 5 x"), func(h *container.HealthConfig) time.Duration { return h.StartInterval },
		func(h *schema.Health) time.Duration { return h.StartInterval.Value }),
	{
		// The daemon reads it when the log is opened, the only size with decimal units.
		name: "log-opt max-size", texts: sizes,
		args: func(text string) []string { return []string{"--log-opt", "max-size=" + text, "alpine"} },
		library: func(text string) (string, error) {
			n, err := units.FromHumanSize(text)
			if err == nil && n <= 0 {
				err = errors.New("not a positive number")
			}
			return number(n), err
		},
		runfile: func(c *schema.Container) (string, error) {
			kv := c.Logging.Options[0].Value
			if err := value.CheckLogOption("json-file", kv); err != nil {
				return "", err
			}
			n, err := units.FromHumanSize(kv.Value) // as executor/logs reads it
			return number(n), err
		},
	},
}
