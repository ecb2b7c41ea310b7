package native

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/ocispec"
	"github.com/runfile/runfile/schema"
)

// initPatience is how long a signal waits for an init that does not listen yet.
const initPatience = 5 * time.Second

// pid1 is what process 1 of a container is, as far as signals go.
type pid1 int

// Our init passes signals on once it has subscribed to them; another one (init-path) when it catches or blocks SIGTERM.
const (
	command pid1 = iota // none: the command itself
	ourInit
	otherInit
)

func pid1Of(c *schema.Container, s *specs.Spec) pid1 {
	switch {
	case len(s.Process.Args) == 0 || s.Process.Args[0] != ocispec.InitTarget:
		return command
	case c.Process.InitPath.Value != "":
		return otherInit
	}
	return ourInit
}

// awaitInit waits until an init passes signals on. Loading it takes a few milliseconds, and until then the kernel drops
// what is sent to a PID 1 without handlers: a stop right after the start would wait in vain for the whole stop-timeout.
func (p *process) awaitInit(ctx context.Context) {
	for deadline := time.Now().Add(initPatience); time.Now().Before(deadline); waitABit() {
		if ctx.Err() != nil || p.over() || p.pid1.listens(p.rec.PID) {
			return
		}
	}
}

// listens says whether an init takes signals. In ours the Go runtime has handlers for most of them before anything of
// the program runs, but for SIGTTOU only after signal.Notify, which goes through them in ascending order.
func (k pid1) listens(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return true // it has ended
	}
	const sigterm, sigttou = 1 << (unix.SIGTERM - 1), 1 << (unix.SIGTTOU - 1)
	switch k {
	case ourInit:
		return signalSet(status, "SigCgt")&sigttou != 0
	case otherInit:
		return (signalSet(status, "SigCgt")|signalSet(status, "SigBlk"))&sigterm != 0
	case command:
	}
	return true
}

// signalSet reads a mask of /proc/PID/status; one that is not there has every signal.
func signalSet(status []byte, name string) uint64 {
	_, rest, found := bytes.Cut(status, []byte("\n"+name+":\t"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	set, err := strconv.ParseUint(string(line), 16, 64)
	if !found || err != nil {
		return math.MaxUint64
	}
	return set
}
