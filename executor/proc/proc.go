// Package proc tells processes apart beyond the reuse of their numbers.
package proc

// ID identifies a process of this machine. A number comes back, and clocks are set; number, start in ticks since boot
// and boot together are unique.
type ID struct {
	PID int `json:"pid"`
	// StartTime is when it started, in clock ticks since boot: field 22 of /proc/PID/stat, proc_pid_stat(5).
	StartTime uint64 `json:"startTime,omitempty"`
	// BootID is that boot's: /proc/sys/kernel/random/boot_id, random(4).
	BootID string `json:"bootID,omitempty"`
}
