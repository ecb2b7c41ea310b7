package cli

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// TestGestures: what timeout(1) sends twice is one wish, what a person does twice is two.
func TestGestures(t *testing.T) {
	epoch := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name    string
		signals []os.Signal
		at      []time.Duration
		want    []int
	}{
		{"thrice", []os.Signal{os.Interrupt, os.Interrupt, os.Interrupt}, []time.Duration{0, time.Second, 2 * time.Second}, []int{1, 2, 3}},
		{"echo of timeout", []os.Signal{syscall.SIGTERM, syscall.SIGTERM}, []time.Duration{0, time.Millisecond}, []int{1, 0}},
		{"two kinds", []os.Signal{os.Interrupt, syscall.SIGTERM}, []time.Duration{0, time.Millisecond}, []int{1, 2}},
		{"echo, then again", []os.Signal{syscall.SIGTERM, syscall.SIGTERM, syscall.SIGTERM}, []time.Duration{0, 0, sameGesture}, []int{1, 0, 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var g gestures
			for i, s := range tt.signals {
				if got := g.next(s, epoch.Add(tt.at[i])); got != tt.want[i] {
					t.Errorf("signal %d: %d, want %d", i, got, tt.want[i])
				}
			}
		})
	}
}
