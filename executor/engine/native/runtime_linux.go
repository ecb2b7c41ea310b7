package native

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// systemPath is where runtimes are looked for. The PATH of whoever starts us decides nothing: it may be hostile.
var systemPath = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// ociRuntime is an OCI runtime on this host.
type ociRuntime struct {
	Path    string `json:"path"`    // absolute, links resolved
	Family  string `json:"family"`  // crun, runc, or the base name of another one
	Version string `json:"version"` // "1.8.1"; "" = it does not say
	root    string // where it keeps its state
	ns      *mountNS
}

// invocation is one call of a runtime.
type invocation struct {
	args                  []string
	dir                   string // working directory; the log goes there, too
	stdin, stdout, stderr *os.File
	log                   string // file name of the runtime's own messages, absolute
}

// start runs the runtime in the private mount namespace. ctx kills it.
func (r *ociRuntime) start(ctx context.Context, inv invocation) (*exec.Cmd, error) {
	args := append([]string{"--root", r.root, "--log", inv.log, "--log-format", "json"}, inv.args...)
	cmd := exec.CommandContext(ctx, r.Path, args...)
	cmd.Dir = inv.dir
	cmd.Env = []string{"PATH=" + strings.Join(systemPath, ":")}
	// Nil *os.File in an interface would not be nil.
	if inv.stdin != nil {
		cmd.Stdin = inv.stdin
	}
	if inv.stdout != nil {
		cmd.Stdout = inv.stdout
	}
	if inv.stderr != nil {
		cmd.Stderr = inv.stderr
	}
	// A runtime that outlived its supervisor would go on making a container that the next supervisor has taken away.
	// The signal comes when the thread ends that started it; ours live as long as the engine.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	_ = os.Remove(inv.log) // what an earlier call said is not about this one
	if err := r.ns.do(cmd.Start); err != nil {
		return nil, fmt.Errorf("run %s: %w", r.Path, err)
	}
	return cmd, nil
}

// run runs the runtime to its end. The error is the runtime's own message.
func (r *ociRuntime) run(ctx context.Context, inv invocation) error {
	cmd, err := r.start(ctx, inv)
	if err != nil {
		return err
	}
	return r.finish(ctx, inv, cmd.Wait())
}

// finish turns the end of a call into an error with the runtime's words.
func (r *ociRuntime) finish(ctx context.Context, inv invocation, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if msg := lastMessage(inv.log); msg != "" {
		return fmt.Errorf("%s %s: %s", r.Family, inv.args[0], msg)
	}
	return fmt.Errorf("%s %s: %w", r.Family, inv.args[0], err)
}

// lastMessage reads the last error of a runtime's log and takes the wrapping off.
func lastMessage(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	msg := ""
	for line := range bytes.Lines(data) {
		var entry struct{ Level, Msg string }
		switch {
		case json.Unmarshal(line, &entry) != nil:
			msg = string(line) // a runtime that ignores --log-format
		case entry.Level == "error" || entry.Level == "fatal" || entry.Level == "":
			msg = entry.Msg
		}
	}
	return cleanMessage(msg)
}

// noise stands before the cause in runc's messages and says nothing that a user could use.
var noise = []string{
	"runc create failed: ", "runc run failed: ", "runc start failed: ", "unable to start container process: ",
	"container_linux.go:", "error during container init: ", "OCI runtime error: ",
}

func cleanMessage(msg string) string {
	msg = strings.TrimSpace(msg)
	for again := true; again; {
		again = false
		for _, n := range noise {
			if rest, ok := strings.CutPrefix(msg, n); ok {
				msg, again = rest, true
			}
		}
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, msg)
}

// remove deletes what the runtime knows of a container, by force: a container that is still there is killed. A runtime
// that was itself killed in the middle of making it may have left a state that it cannot read; then, with all processes
// of cgroup gone, only files are left of it.
func (r *ociRuntime) remove(ctx context.Context, id, cgroup string) error {
	stateDir := filepath.Join(r.root, id)
	if _, err := os.Stat(stateDir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	log := filepath.Join(filepath.Dir(r.root), "delete-"+id+".log")
	err := r.run(ctx, invocation{args: []string{"delete", "--force", id}, dir: r.root, log: log})
	_ = os.Remove(log)
	if err == nil || ctx.Err() != nil {
		return err
	}
	killCgroup(cgroup)
	if rerr := os.RemoveAll(stateDir); rerr != nil {
		return errors.Join(err, rerr)
	}
	return nil
}

var errUntrusted = errors.New("not safe to run as root")

// trusted resolves path and refuses a program that anybody but root could replace.
func trusted(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	for p := real; ; p = filepath.Dir(p) {
		var st unix.Stat_t
		if err := unix.Lstat(p, &st); err != nil {
			return "", &os.PathError{Op: "stat", Path: p, Err: err}
		}
		// In a sticky directory others cannot replace what is root's.
		writable := st.Mode&0o022 != 0 && st.Mode&unix.S_ISVTX == 0
		if st.Uid != 0 || writable {
			return "", fmt.Errorf("%s: %w: %s can be changed by others than root", path, errUntrusted, p)
		}
		if p == "/" {
			break
		}
	}
	if st, err := os.Stat(real); err != nil || !st.Mode().IsRegular() || st.Mode()&0o111 == 0 {
		return "", fmt.Errorf("%s: not an executable file", path)
	}
	return real, nil
}

// lookRuntime finds a runtime by name in the system's directories.
func lookRuntime(name string) (string, error) {
	for _, dir := range systemPath {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return trusted(path)
		}
	}
	return "", fmt.Errorf("%s is not installed (looked in %s)", name, strings.Join(systemPath, ", "))
}

// identify asks a runtime what it is. A program without --version is taken for what its file is called.
func identify(ctx context.Context, path string) (family, version string) {
	family = filepath.Base(path)
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return family, ""
	}
	first, _, _ := strings.Cut(string(out), "\n")
	words := strings.Fields(first) // "crun version 1.8.1", "runc version 1.1.5+ds1"
	if len(words) == 3 && words[1] == "version" {
		return words[0], strings.TrimSuffix(words[2], ",")
	}
	return family, ""
}
