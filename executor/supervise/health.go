package supervise

import (
	"slices"
	"time"

	"github.com/runfile/runfile/schema"
)

// The states of health.
const (
	Starting  = "starting"
	Healthy   = "healthy"
	Unhealthy = "unhealthy"
)

// keptResults is how many probe results docker keeps.
const keptResults = 5

// HealthConfig is a health check with all defaults filled in.
type HealthConfig struct {
	Args     []string      // the command
	Interval time.Duration // from the start, and from the end of each probe to the next
	Timeout  time.Duration // of one probe, from when its process has started
	Retries  int           // failures in a row that make it unhealthy
	// StartPeriod is how long after the start failures do not count, until the first success.
	StartPeriod time.Duration
	// StartInterval replaces Interval inside the start period while nothing has succeeded yet.
	StartInterval time.Duration
}

// HealthOf returns the health check of a container, and whether it has one.
func HealthOf(e *schema.Effective) (HealthConfig, bool) {
	if e == nil || len(e.HealthTest) < 2 {
		return HealthConfig{}, false
	}
	var args []string
	switch e.HealthTest[0] {
	case "CMD":
		args = e.HealthTest[1:]
	case "CMD-SHELL":
		args = []string{"/bin/sh", "-c", e.HealthTest[1]}
	default: // NONE
		return HealthConfig{}, false
	}
	c := HealthConfig{
		Args: args, Interval: 30 * time.Second, Timeout: 30 * time.Second, Retries: 3, StartPeriod: e.HealthGrace,
		StartInterval: 5 * time.Second,
	}
	if e.HealthEvery > 0 {
		c.Interval = e.HealthEvery
	}
	if e.HealthLimit > 0 {
		c.Timeout = e.HealthLimit
	}
	if e.HealthTries > 0 {
		c.Retries = e.HealthTries
	}
	if e.HealthGraceEvery > 0 {
		c.StartInterval = e.HealthGraceEvery
	}
	return c, true
}

// ProbeResult is the result of one run of a health check.
type ProbeResult struct {
	Start, End time.Time
	ExitCode   int    // 0 = healthy; -1 = it did not run, or took too long
	Output     string // stdout and stderr, the first 4096 bytes
}

// HealthState is the health of a container.
type HealthState struct {
	StartedAt time.Time // of the container
	Status    string
	Streak    int           // failures in a row
	Log       []ProbeResult // the last five
}

// NewHealth is the health of a container that has just started.
func NewHealth(startedAt time.Time) HealthState {
	return HealthState{StartedAt: startedAt, Status: Starting}
}

// NextHealth returns the health after one more probe. One success makes healthy at once, even inside the start period.
// A failure inside the start period is only logged until the first success; otherwise it counts, and Retries failures
// in a row make unhealthy.
func NextHealth(cfg HealthConfig, st HealthState, r ProbeResult) HealthState {
	log := slices.Concat(st.Log, []ProbeResult{r})
	st.Log = log[max(0, len(log)-keptResults):]
	switch {
	case r.ExitCode == 0:
		st.Status, st.Streak = Healthy, 0
	case st.inStartPeriod(cfg, r.Start):
	default:
		st.Streak++
		if st.Streak >= cfg.Retries {
			st.Status = Unhealthy
		}
	}
	return st
}

func (st HealthState) inStartPeriod(cfg HealthConfig, now time.Time) bool {
	return st.Status == Starting && now.Before(st.StartedAt.Add(cfg.StartPeriod))
}

// UntilNext returns how long to wait before the next probe.
func UntilNext(cfg HealthConfig, st HealthState, now time.Time) time.Duration {
	if st.inStartPeriod(cfg, now) {
		return cfg.StartInterval
	}
	return cfg.Interval
}
