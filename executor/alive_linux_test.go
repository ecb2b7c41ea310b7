package executor

import (
	"os"
	"testing"
	"time"

	"github.com/runfile/runfile/executor/engine"
)

func TestAlive(t *testing.T) {
	started, err := processStart(os.Getpid())
	if err != nil || time.Since(started) < -startSlack || time.Since(started) > time.Hour {
		t.Fatalf("this process started at %v, %v", started, err)
	}
	for name, x := range map[string]struct {
		status engine.Status
		want   bool
	}{
		"this process":    {engine.Status{PID: os.Getpid(), StartedAt: started.Add(time.Second)}, true},
		"an earlier one":  {engine.Status{PID: os.Getpid(), StartedAt: started.Add(-time.Minute)}, false},
		"never started":   {engine.Status{}, false},
		"no such process": {engine.Status{PID: 1 << 30, StartedAt: started}, false},
	} {
		if got := alive(x.status); got != x.want {
			t.Errorf("%s: alive %v", name, got)
		}
	}
}
