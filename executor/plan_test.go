package executor_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// TestPlannedRuns runs what the planner itself writes: first everything is made, then only what changed.
func TestPlannedRuns(t *testing.T) {
	bubble(t, func(l *lab) {
		link := func(c *schema.Container) {
			c.Network.Links = schema.Items[value.Link]{{Value: value.Link{Container: "db", Alias: "base"}}}
		}
		project := func(webScript string) *schema.Project {
			return &schema.Project{Name: "shop", Containers: []*schema.Container{
				c("test", "exit 0", needs("web", value.Auto), link),
				c("web", webScript, detach, link),
				c("db", "sleep 1; listen 5432; sleep 1000", detach, ready(value.Probe{TCP: 5432})),
			}}
		}
		run := func(p *schema.Project, o executor.RunOptions, want string) []string {
			t.Helper()
			before := len(l.engine.Calls())
			made, diags := planner.Make(p, planner.Options{Observed: executor.Observe(l.m.Records())})
			if diags.HasErrors() {
				t.Fatalf("%+v", diags)
			}
			l.run(o, want, made)
			synctest.Wait()
			return slices.DeleteFunc(l.engine.Calls()[before:], func(s string) bool { return strings.HasPrefix(s, "pull") || strings.HasPrefix(s, "signal") })
		}
		calls := run(project("sleep 1000"), executor.RunOptions{Parallel: 1}, "0 ok: test ok 0, web running 0, db running 0")
		starts := slices.DeleteFunc(calls, func(s string) bool { return !strings.HasPrefix(s, "start") })
		if got := strings.Join(starts, ", "); got != "start db, start web, start test" {
			t.Errorf("first run: %s", got)
		}
		if peers := l.record("test").Peers; peers["db"] != l.record("db").ID {
			t.Errorf("peers of test: %v", peers)
		}
		calls = run(project("sleep 2000"), executor.RunOptions{Parallel: 1}, "0 ok: test ok 0, web running 0, db running 0")
		if got := strings.Join(calls, ", "); strings.Contains(got, "db") || strings.Count(got, "start web") != 1 || strings.Count(got, "remove container test") != 1 {
			t.Errorf("second run: %s", got)
		}
	})
}
