package executor

import (
	"errors"
	"fmt"
	"slices"

	"github.com/runfile/runfile/executor/supervise"
	"github.com/runfile/runfile/schema"
)

// What health-on-failure does to a container that becomes unhealthy, beside "none".
const (
	restartUnhealthy = "restart"
	stopUnhealthy    = "stop"
	killUnhealthy    = "kill"
)

// verdict is that a container is unhealthy and its process must end for it. The zero value is none.
type verdict struct {
	action string // what follows
	why    string // the last probes in words
}

// treat does what health-on-failure says, once for a run of the process. The work runs apart: it lasts until the process
// has ended, and that is when the keeper waits for whoever has called this.
func (c *container) treat(a *attempt) {
	action := c.spec.Health.OnFailure.Or("none")
	if action == "none" {
		return
	}
	c.mu.Lock()
	mine := c.process == a.process && c.unwell.action == "" && !c.halted
	if mine {
		c.unwell = verdict{action, lastProbe(c.rec.Health)}
	}
	c.mu.Unlock()
	if !mine {
		return
	}
	c.m.tasks.Go(func() {
		if err := c.treatWith(a, action); err != nil && c.m.ctx.Err() == nil {
			c.m.warn(c, "health-on-failure %s: %v", action, err)
		}
	})
}

// treatWith ends the process. Kill leaves what follows to the restart policy, restart starts it again as often as the
// policy's count allows, and stop is the end.
func (c *container) treatWith(a *attempt, action string) error {
	switch action {
	case killUnhealthy:
		return c.signal(c.m.ctx, a.process, sigkill, ", unhealthy")
	case stopUnhealthy:
		return c.stop(c.m.ctx, nil, false)
	case restartUnhealthy:
		return c.terminate(c.m.ctx, a.process, nil, func() bool { return c.process != a.process })
	}
	return errors.New("there is no such action")
}

// recovers reports whether a container that is unhealthy is started again, so that it may become healthy yet.
func (c *container) recovers() bool {
	switch c.spec.Health.OnFailure.Value {
	case restartUnhealthy:
		return true
	case killUnhealthy:
		policy := c.spec.Lifecycle.Restart.Value.Name
		return policy != "" && policy != "no"
	}
	return false
}

// uncheckedHealth warns of options about a health check where neither the declaration nor the image has one. Only here
// the image is known.
func uncheckedHealth(c *schema.Container, e *schema.Effective) []Event {
	if _, checked := supervise.HealthOf(e); checked || c.Health.Disable.Value {
		return nil
	}
	for _, name := range []string{
		"health-interval", "health-timeout", "health-retries", "health-start-period", "health-start-interval", "health-on-failure",
	} {
		if values := schema.Values(c, name); len(values) > 0 && !slices.Contains([]string{"0", "0s", "none"}, values[0].Text) {
			return []Event{{
				Type: EventWarning, Origin: values[0].At.String(),
				Detail: fmt.Sprintf("%s has no effect: neither the runfile nor the image says how to check health; add health-cmd", name),
			}}
		}
	}
	return nil
}
