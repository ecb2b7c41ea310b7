package ocispec

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/schema/value"
)

var rlimitNumbers = map[string]int{
	"core": unix.RLIMIT_CORE, "cpu": unix.RLIMIT_CPU, "data": unix.RLIMIT_DATA, "fsize": unix.RLIMIT_FSIZE,
	"locks": unix.RLIMIT_LOCKS, "memlock": unix.RLIMIT_MEMLOCK, "msgqueue": unix.RLIMIT_MSGQUEUE, "nice": unix.RLIMIT_NICE,
	"nofile": unix.RLIMIT_NOFILE, "nproc": unix.RLIMIT_NPROC, "rss": unix.RLIMIT_RSS, "rtprio": unix.RLIMIT_RTPRIO,
	"rttime": unix.RLIMIT_RTTIME, "sigpending": unix.RLIMIT_SIGPENDING, "stack": unix.RLIMIT_STACK,
}

// checkRlimits says by name what the kernel would refuse without one: raising a hard limit needs CAP_SYS_RESOURCE, and
// nofile has a ceiling of its own.
func (b *builder) checkRlimits() error {
	canRaise := b.hasCap("CAP_SYS_RESOURCE")
	for _, u := range b.spec.Process.Rlimits {
		name := strings.ToLower(strings.TrimPrefix(u.Type, "RLIMIT_"))
		number, known := rlimitNumbers[name]
		if !known {
			return refuse("ulimit", "unknown limit %q", name)
		}
		var have unix.Rlimit
		if !canRaise && unix.Getrlimit(number, &have) == nil && u.Hard > have.Max {
			b.refuses("ulimit", b.ulimitText(name), fmt.Sprintf("write %d or less", have.Max),
				"%s: the hard limit cannot be raised above %d: runfile itself runs without CAP_SYS_RESOURCE", name, have.Max)
		}
		if name == "nofile" {
			if most, ok := readNumber("/proc/sys/fs/nr_open"); ok && u.Hard > most {
				b.refuses("ulimit", b.ulimitText(name), "", "nofile: the kernel allows at most %d (fs.nr_open)", most)
			}
		}
	}
	return nil
}

// ulimitText is the entry of a limit as it was written.
func (b *builder) ulimitText(name string) string {
	text := ""
	for _, u := range b.c.Process.Ulimits.Values() {
		if u.Name == name {
			text = value.UlimitSyntax().Text(u)
		}
	}
	return text
}

func readNumber(file string) (uint64, bool) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64)
	return n, err == nil
}
