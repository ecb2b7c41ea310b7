// Package supervise decides about restarts and health, and probes containers. NextRestart, Resume and NextHealth are
// pure: no clock, no goroutine, no lock. The loops that obey them are a few lines each.
//
// The rules are docker's, measured and read (spec/reliability.md 4): restarts are delayed by 100 ms, doubling up to a
// minute; a check fails a container only after several failures in a row; an unhealthy container is never restarted
// for that alone, unless health-on-failure says so.
package supervise

import (
	"fmt"
	"time"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/schema/value"
)

// The delays of restarts.
const (
	FirstDelay = 100 * time.Millisecond
	MaxDelay   = time.Minute
	// GoodRun is how long a run must last for the next delay to be FirstDelay again.
	GoodRun = 10 * time.Second
)

// UnknownExit is the exit code of a process that ended while nobody watched and the kernel has forgotten, as docker's.
const UnknownExit = 255

// RestartState is what NextRestart remembers between the exits of one container. The zero value is that of a container
// that a person has just started.
type RestartState struct {
	Count int           // restarts granted; a long run does not reset it
	Delay time.Duration // before the last restart
}

// Decision says what follows an exit, and why, for people.
type Decision struct {
	Restart bool
	Delay   time.Duration
	Reason  string
}

// NextRestart decides what follows an exit after a run of ranFor. Manual says that a person stopped the container,
// which ends every policy until the next start. The exit code decides only with on-failure, and never the delay.
func NextRestart(p value.RestartPolicy, st RestartState, exit engine.Exit, ranFor time.Duration, manual bool) (Decision, RestartState) {
	if manual {
		return Decision{Reason: "it was stopped"}, st
	}
	how := describe(exit)
	switch p.Name {
	case "always", "unless-stopped":
	case "on-failure":
		switch {
		case code(exit) == 0:
			return Decision{Reason: how}, st
		case p.MaxRetries > 0 && st.Count >= p.MaxRetries:
			return Decision{Reason: fmt.Sprintf("%s, and all %d restarts are used up", how, p.MaxRetries)}, st
		}
	default:
		return Decision{Reason: how}, st
	}
	return grant(st, ranFor, fmt.Sprintf("%s, restart %s", how, p.Name))
}

// grant is one more restart.
func grant(st RestartState, ranFor time.Duration, reason string) (Decision, RestartState) {
	delay := FirstDelay
	if st.Delay > 0 && ranFor < GoodRun {
		delay = min(2*st.Delay, MaxDelay)
	}
	st = RestartState{Count: st.Count + 1, Delay: delay}
	return Decision{Restart: true, Delay: delay, Reason: reason}, st
}

// AfterUnhealthy decides whether a container starts again that was ended because it was unhealthy (health-on-failure:
// restart). However it has ended, it has failed; the retry count of on-failure bounds these restarts together with those
// of the policy itself.
func AfterUnhealthy(p value.RestartPolicy, st RestartState, ranFor time.Duration) (Decision, RestartState) {
	if p.MaxRetries > 0 && st.Count >= p.MaxRetries {
		return Decision{Reason: fmt.Sprintf("unhealthy, and all %d restarts are used up", p.MaxRetries)}, st
	}
	return grant(st, ranFor, "unhealthy, restart")
}

// Resume decides whether a container that does not run is started by a supervisor that recovers from the end of an
// earlier one, as docker does when its daemon starts: always even after a manual stop, unless-stopped not, on-failure
// if the last run failed. A container of the last kind that a person stopped stays down, unlike docker's. The restart
// count begins anew.
func Resume(p value.RestartPolicy, exit engine.Exit, manual bool) Decision {
	switch {
	case p.Name == "always":
		return Decision{Restart: true, Reason: "restart always, after the supervisor's end"}
	case manual:
		return Decision{Reason: "it was stopped"}
	case p.Name == "unless-stopped":
		return Decision{Restart: true, Reason: "restart unless-stopped, after the supervisor's end"}
	case p.Name == "on-failure" && code(exit) != 0:
		return Decision{Restart: true, Reason: describe(exit) + ", restart on-failure, after the supervisor's end"}
	}
	return Decision{Reason: describe(exit)}
}

func code(e engine.Exit) int {
	if e.Unknown && e.Code == 0 {
		return UnknownExit
	}
	return e.Code
}

func describe(e engine.Exit) string {
	switch {
	case e.Unknown:
		return "ended with unknown status"
	case e.OOMKilled:
		return fmt.Sprintf("exit %d, out of memory", e.Code)
	case e.Signal != 0:
		return fmt.Sprintf("exit %d, killed by signal %d", e.Code, e.Signal)
	}
	return fmt.Sprintf("exit %d", e.Code)
}
