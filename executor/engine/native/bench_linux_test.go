package native

import (
	"fmt"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/schema"
)

// BenchmarkRun runs `true` in containers on the default bridge, eight at a time, from create to remove. cpu-ms/op is our
// own CPU time, child-ms/op that of the runtimes and the containers.
func BenchmarkRun(b *testing.B) { benchmarkRun(b, newProject(b), declare("c", "true")) }

// BenchmarkRunRemapped is the same with users that are others on the host.
func BenchmarkRunRemapped(b *testing.B) {
	for _, copied := range []bool{false, true} {
		b.Run(fmt.Sprintf("copied=%v", copied), func(b *testing.B) {
			p, spec := newRemapped(b), declare("c", "true")
			p.shifts.Store(copied)
			remapped(spec)
			benchmarkRun(b, p, spec)
		})
	}
}

func benchmarkRun(b *testing.B, p *project, spec *schema.Container) {
	p.Engine.cfg.Logf = nil
	spec.Network.Networks = nil
	if _, err := p.Pull(b.Context(), spec, nil); err != nil {
		b.Fatal(err)
	}
	one := func() error {
		id := state.NewID()
		_, err := p.Create(b.Context(), engine.Container{ID: id, Name: "b" + id[:12], Project: p.cfg.Project, Spec: spec})
		if err != nil {
			return err
		}
		pr, err := p.Start(b.Context(), id, engine.Stdio{})
		if err != nil {
			return err
		}
		if _, err := pr.Wait(b.Context()); err != nil {
			return err
		}
		return p.Remove(b.Context(), engine.Ref{Kind: "container", Name: id, Volumes: true})
	}
	if err := one(); err != nil { // the trial of the runtime, and the seccomp filter
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	jobs := make(chan struct{})
	for range 8 {
		wg.Go(func() {
			for range jobs {
				if err := one(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	self, children := cpu(unix.RUSAGE_SELF), cpu(unix.RUSAGE_CHILDREN)
	for b.Loop() {
		jobs <- struct{}{}
	}
	close(jobs)
	wg.Wait()
	b.ReportMetric((cpu(unix.RUSAGE_SELF)-self)/float64(b.N), "cpu-ms/op")
	b.ReportMetric((cpu(unix.RUSAGE_CHILDREN)-children)/float64(b.N), "child-ms/op")
}

// cpu is user and system time in milliseconds.
func cpu(who int) float64 {
	var r unix.Rusage
	if unix.Getrusage(who, &r) != nil {
		return 0
	}
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e6
}
