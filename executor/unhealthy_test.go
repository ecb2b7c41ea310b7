package executor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

func onFailure(action string) func(*schema.Container) {
	return func(c *schema.Container) {
		c.Health.OnFailure = opt(action)
		c.Health.Retries = opt(int64(2))
	}
}

// TestHealthOnFailure: the check fails from the start, so the container is unhealthy after two seconds.
func TestHealthOnFailure(t *testing.T) {
	const deaf = "ignore-term; sleep 1000"
	for name, x := range map[string]struct {
		script, action string
		policy         func(*schema.Container)
		state          executor.State
		starts, code   int
		signals        string
	}{
		"none":                        {deaf, "none", restart("always", 0), executor.Running, 1, 0, ""},
		"kill":                        {deaf, "kill", restart("no", 0), executor.Exited, 1, 137, "9"},
		"kill, counted by the policy": {deaf, "kill", restart("on-failure", 2), executor.Exited, 3, 137, "9 9 9"},
		"stop":                        {"on-term exit 0; sleep 1000", "stop", restart("always", 0), executor.Exited, 1, 0, "15"},
		"stop what is deaf":           {deaf, "stop", restart("on-failure", 5), executor.Exited, 1, 137, "15 9"},
		"restart":                     {"on-term exit 0; sleep 1000", "restart", restart("on-failure", 2), executor.Exited, 3, 0, "15 15 15"},
		"restart what is deaf":        {deaf, "restart", restart("on-failure", 1), executor.Exited, 2, 137, "15 9 15 9"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				web := c("web", x.script, x.policy, health(time.Second, "false"), onFailure(x.action), detach)
				l.m.Run(l.Context(), plan(web), executor.RunOptions{})
				after(time.Minute)
				rec := l.record("web")
				if rec.State != x.state || l.count("start web") != x.starts {
					t.Errorf("%s after %d starts", rec.State, l.count("start web"))
				}
				if rec.State == executor.Exited && (rec.Exit.Code != x.code || !strings.HasPrefix(rec.Error, "unhealthy: 2 failures in a row")) {
					t.Errorf("exit %d, error %q", rec.Exit.Code, rec.Error)
				}
				if got := l.signals("web"); got != x.signals {
					t.Errorf("signals %q, want %q", got, x.signals)
				}
			})
		})
	}
}

// TestUnhealthyJobFails: a job that is stopped because it is unhealthy has failed, even if it ends with 0.
func TestUnhealthyJobFails(t *testing.T) {
	bubble(t, func(l *lab) {
		job := c("job", "on-term exit 0; sleep 1000", health(time.Second, "false"), onFailure("stop"))
		r := l.run(foreground, "1 job-failed: job failed 0", plan(job))
		if reason := r.Outcomes[0].Reason; !strings.HasPrefix(reason, "unhealthy: 2 failures in a row") {
			t.Errorf("reason %q", reason)
		}
	})
}

// TestRestartWithoutPolicy has no bound, backs off, and ends when a person stops the container.
func TestRestartWithoutPolicy(t *testing.T) {
	bubble(t, func(l *lab) {
		web := c("web", "on-term exit 0; sleep 1000", detach, health(time.Second, "false"), onFailure("restart"))
		go l.m.Run(l.Context(), plan(web), executor.RunOptions{})
		after(30 * time.Second)
		if rec := l.record("web"); rec.RestartCount < 5 || rec.Error != "" {
			t.Errorf("%d restarts, error %q", rec.RestartCount, rec.Error)
		}
		l.ok(l.m.Stop(l.Context(), []string{"web"}, nil))
		starts := l.count("start web")
		after(time.Hour)
		if rec := l.record("web"); rec.State != executor.Exited || rec.Error != "" || l.count("start web") != starts {
			t.Errorf("after a stop: %s, error %q, %d more starts", rec.State, rec.Error, l.count("start web")-starts)
		}
	})
}

// TestUnhealthyWhileNobodyWatches: a supervisor that ended between the verdict and what follows leaves that to the next.
func TestUnhealthyWhileNobodyWatches(t *testing.T) {
	bubble(t, func(l *lab) {
		web := c("web", "ignore-term; sleep 1000", detach, health(time.Second, "false"), onFailure("stop"))
		web.Lifecycle.StopTimeout = opt(int64(30))
		l.m.Run(l.Context(), plan(web), executor.RunOptions{})
		after(3 * time.Second)
		l.crash()
		after(40 * time.Second)
		if rec := l.record("web"); rec.State != executor.Exited || rec.Exit.Code != 137 || !strings.HasPrefix(rec.Error, "unhealthy") {
			t.Errorf("%s, %+v, %q", rec.State, rec.Exit, rec.Error)
		}
	})
}

// TestDependentsWaitForRecovery: what is restarted may become healthy yet, so nobody gives up on it at the first verdict.
func TestDependentsWaitForRecovery(t *testing.T) {
	bubble(t, func(l *lab) {
		db := c("db", "on-term exit 0; sleep 8; touch /ok; sleep 1000", restart("on-failure", 3), detach,
			health(time.Second, "test", "-e", "/ok"), onFailure("restart"))
		db.Process.Command = opt([]string{"sh", "-c", "test -e /once && touch /ok; touch /once; on-term exit 0; sleep 1000"})
		web := c("web", "true", needs("db", value.Healthy))
		l.run(foreground, "0 ok: db stopped 0, web ok 0", plan(db, web))
		if n := l.count("start db"); n != 2 {
			t.Errorf("%d starts of db", n)
		}
	})
}

func TestHealthOptionsWithoutCheck(t *testing.T) {
	warnings := func(l *lab) (out []string) {
		for {
			select {
			case e := <-l.sub.C:
				if e.Type == executor.EventWarning {
					out = append(out, e.Detail)
				}
			default:
				return out
			}
		}
	}
	interval := func(d time.Duration) func(*schema.Container) {
		return func(c *schema.Container) { c.Health.Interval = opt(d) }
	}
	for name, x := range map[string]struct {
		c    *schema.Container
		warn string
	}{
		"nothing":  {c("a", "true"), ""},
		"interval": {c("a", "true", interval(time.Second)), "health-interval has no effect"},
		"default":  {c("a", "true", interval(0)), ""},
		"checked":  {c("a", "true", health(time.Second, "true")), ""},
		"action":   {c("a", "true", func(c *schema.Container) { c.Health.OnFailure = opt("stop") }), "health-on-failure has no effect"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				l.run(foreground, "0 ok: a ok 0", plan(x.c))
				got := strings.Join(warnings(l), "\n")
				if x.warn == "" && got != "" || !strings.Contains(got, x.warn) {
					t.Errorf("warnings %q, want %q", got, x.warn)
				}
			})
		})
	}
}
