package executor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/schema"
)

func TestOutputEvents(t *testing.T) {
	say := "echo out; echo err >&2; sleep 1"
	stderrOnly := func(c *schema.Container) { c.Stdio.Attach = schema.Items[string]{{Value: "stderr"}} }
	for name, x := range map[string]struct {
		keys []string
		want string
	}{
		"attached ones": {nil, "a out, a err, b err"},
		"named":         {[]string{"b", "d"}, "b out, b err, d out, d err"},
		"none":          {[]string{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				l.sub.Output(x.keys)
				for _, spec := range []*schema.Container{c("a", say), c("b", say, stderrOnly), c("d", say, detach)} {
					l.m.Run(l.Context(), plan(spec), foreground)
				}
				var got []string
				for len(l.sub.C) > 0 {
					if e := <-l.sub.C; e.Type == executor.EventOutput {
						got = append(got, e.Container+" "+strings.TrimSpace(string(e.Data)))
						if e.Stream != "std"+strings.TrimSpace(string(e.Data)) {
							t.Errorf("%q on %s", e.Data, e.Stream)
						}
					}
				}
				if s := strings.Join(got, ", "); s != x.want {
					t.Errorf("output: %s, want %s", s, x.want)
				}
			})
		})
	}
}

// TestBackPressure: a subscriber that wants output and does not read holds the container up, not the manager; nothing
// is lost, and everything comes before the container's end.
func TestBackPressure(t *testing.T) {
	bubble(t, func(l *lab) {
		slow := l.m.Subscribe(3)
		defer slow.Close()
		slow.Output(nil)
		done := make(chan *executor.Result, 1)
		go func() {
			done <- l.m.Run(l.Context(), plan(c("a", strings.Repeat("echo x;", 50)), c("b", "sleep 1")), foreground)
		}()
		after(time.Minute)
		if s := l.record("a").State; s != executor.Running {
			t.Fatalf("a is %s although nobody reads", s)
		}
		if s := l.record("b").State; s != executor.Exited {
			t.Errorf("b is %s", s)
		}
		outputs, died := 0, false
		for !died {
			switch e := <-slow.C; {
			case e.Type == executor.EventOutput:
				outputs++
			case e.Type == executor.EventDie && e.Container == "a":
				died = true
			}
		}
		if outputs != 50 {
			t.Errorf("%d pieces of output before the end, want 50", outputs)
		}
		<-done
	})
}

func TestCloseReleasesTheWriter(t *testing.T) {
	bubble(t, func(l *lab) {
		slow := l.m.Subscribe(1)
		slow.Output([]string{"a"})
		go func() {
			<-time.After(time.Minute)
			slow.Close()
			slow.Close()
		}()
		l.run(foreground, "0 ok: a ok 0", plan(c("a", strings.Repeat("echo x;", 50))))
	})
}

func TestTail(t *testing.T) {
	bubble(t, func(l *lab) {
		var script strings.Builder
		for _, n := range "abcdefghijklmnopqrstuvwxyz" {
			script.WriteString("echo " + string(n) + ";")
		}
		r := l.run(foreground, "1 job-failed: a failed 1", plan(c("a", script.String()+"exit 1")))
		if got := strings.Join(r.Outcomes[0].Tail, ""); got != "ghijklmnopqrstuvwxyz" {
			t.Errorf("tail = %s", got)
		}
	})
}
