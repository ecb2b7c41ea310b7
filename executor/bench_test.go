package executor_test

import (
	"fmt"
	"testing"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/engine/fake"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/schema"
)

// BenchmarkRun50 is what a run of 50 jobs costs beyond the engine: schedule, records on disk, events.
func BenchmarkRun50(b *testing.B) {
	dir := b.TempDir()
	var cs []*schema.Container
	for i := range 50 {
		cs = append(cs, c(fmt.Sprintf("job%d", i), "exit 0", rm))
	}
	steps := plan(cs...)
	m, err := executor.NewManager(b.Context(), executor.Config{
		Project: "bench", Engine: fake.New(), Paths: state.Paths{Root: dir + "/lib", Run: dir + "/run"},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	b.ReportAllocs()
	for b.Loop() {
		if r := m.Run(b.Context(), steps, foreground); r.ExitCode != 0 {
			b.Fatalf("%+v", r)
		}
	}
}
