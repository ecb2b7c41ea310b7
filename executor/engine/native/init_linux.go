package native

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/ocispec"
)

// initPatience is how long a signal waits for an init that does not listen yet.
const initPatience = 5 * time.Second

// hasInit says whether PID 1 of the container is our init program.
func hasInit(s *specs.Spec) bool {
	return len(s.Process.Args) > 0 && s.Process.Args[0] == ocispec.InitTarget
}

// awaitInit waits until our init passes signals on. Loading it takes a few milliseconds, and until then the kernel drops
// what is sent to a PID 1 without handlers: a stop right after the start would wait in vain for the whole stop-timeout.
func (p *process) awaitInit(ctx context.Context) {
	for deadline := time.Now().Add(initPatience); time.Now().Before(deadline); waitABit() {
		if ctx.Err() != nil || p.over() || initListens(p.rec.PID) {
			return
		}
	}
}

// initListens says whether our init has subscribed to signals. The Go runtime has handlers for most of them before
// anything of the program runs, but for SIGTTOU only after signal.Notify, which goes through them in ascending order.
func initListens(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return true // it has ended
	}
	_, rest, found := bytes.Cut(data, []byte("\nSigCgt:\t"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	caught, err := strconv.ParseUint(string(line), 16, 64)
	return !found || err != nil || caught&(1<<(unix.SIGTTOU-1)) != 0
}
