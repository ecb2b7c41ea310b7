package native

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// On cgroup v1 with RT_GROUP_SCHED a new group has no real-time CPU time, and the groups below one cannot have more
// together than it has itself. So the groups of ours above a container must be given what the container asks for, and
// give it back afterwards (options-process.md 4, cpu-rt-runtime).

const (
	realtimeTree     = cgroupMount + "/cpu"
	defaultRTPeriod  = 1_000_000 // microseconds, the kernel's
	realtimeRuntime  = "cpu.rt_runtime_us"
	realtimePeriod   = "cpu.rt_period_us"
	perMillionFactor = 1_000_000
)

// lendRealtime raises the groups above a container's by what the container asks for.
func lendRealtime(path string, spec *specs.Spec) error {
	cpu := spec.Linux.Resources.CPU
	if cpu == nil || cpu.RealtimeRuntime == nil || *cpu.RealtimeRuntime <= 0 {
		return nil
	}
	period := uint64(defaultRTPeriod)
	if cpu.RealtimePeriod != nil {
		period = *cpu.RealtimePeriod
	}
	share := uint64(*cpu.RealtimeRuntime) * perMillionFactor / period //nolint:gosec // positive, see above
	return underRealtimeLock(func() error {
		dirs := ownedAbove(path)
		for i := len(dirs) - 1; i >= 0; i-- { // from the top: none can have more than the one above it
			have, err := realtimeShare(dirs[i])
			if err != nil {
				return err
			}
			if err := setRealtimeShare(dirs[i], have+share); err != nil {
				return fmt.Errorf("there is not enough real-time CPU time left in %s: %w", filepath.Dir(dirs[i]), err)
			}
		}
		return nil
	})
}

// returnRealtime lowers the groups above a container's to what those below them still have.
func returnRealtime(path string) {
	if _, err := os.Stat(filepath.Join(realtimeTree, realtimeRuntime)); err != nil {
		return
	}
	_ = underRealtimeLock(func() error {
		for _, dir := range ownedAbove(path) {
			have, err := realtimeShare(dir)
			if err != nil || have == 0 {
				return nil // nothing was lent
			}
			below, err := childrenShare(dir)
			if err != nil {
				return err
			}
			// The kernel counts a group that was removed for some milliseconds more, and answers "invalid argument".
			for range 200 {
				if err = setRealtimeShare(dir, below); !errors.Is(err, unix.EINVAL) {
					break
				}
				waitABit()
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// underRealtimeLock serializes the supervisors of the host: they read, add and write.
func underRealtimeLock(do func() error) error {
	f, err := os.Open(realtimeTree)
	if err != nil {
		return err
	}
	defer f.Close() // releases the lock
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", realtimeTree, err)
	}
	return do()
}

// ownedAbove lists the groups above a container's that we made, from the lowest up.
func ownedAbove(path string) []string {
	var out []string
	for p := filepath.Dir(path); p != "/"; p = filepath.Dir(p) {
		dir := filepath.Join(realtimeTree, p)
		var mark [1]byte
		if n, err := unix.Getxattr(dir, madeMark, mark[:]); err != nil || n != 1 {
			break
		}
		out = append(out, dir)
	}
	return out
}

// realtimeShare is a group's real-time CPU time in millionths of all time.
func realtimeShare(dir string) (uint64, error) {
	runtime, err := readMicroseconds(filepath.Join(dir, realtimeRuntime))
	if err != nil {
		return 0, err
	}
	period, err := readMicroseconds(filepath.Join(dir, realtimePeriod))
	if err != nil || period == 0 {
		return 0, err
	}
	return (runtime*perMillionFactor + period - 1) / period, nil
}

func childrenShare(dir string) (uint64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	sum := uint64(0)
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		n, err := realtimeShare(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has just gone
		}
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

func setRealtimeShare(dir string, share uint64) error {
	text := strconv.FormatUint(share*defaultRTPeriod/perMillionFactor, 10)
	return os.WriteFile(filepath.Join(dir, realtimeRuntime), []byte(text), 0o600)
}

// readMicroseconds reads a number; -1, which stands for no limit, counts as none.
func readMicroseconds(file string) (uint64, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	if err != nil || n < 0 {
		return 0, err
	}
	return uint64(n), nil
}
