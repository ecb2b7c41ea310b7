package native

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/moby/sys/user"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/ocispec"
)

// Exit statuses of a command that cannot be run, as docker run has them.
const (
	exitEngine    = 125
	exitCannotRun = 126
	exitNotFound  = 127
)

var errNoFile = errors.New("no such file in the image")

// tree is the file system that a container will see: its root, and what will be mounted over it. A command may lie on
// a volume.
type tree struct {
	root   string        // directory, followed
	mounts []specs.Mount // binds are looked into, anything else is empty
	ids    user.IdentityMapping
}

// open opens name as the container would, by the longest mount that covers it. Links from one mount into another are
// not followed across.
func (t tree) open(name string, flags int) (*os.File, error) {
	root, rest, best := t.root, path.Clean("/"+name), ""
	for _, m := range t.mounts {
		if len(m.Destination) > len(best) && (rest == m.Destination || strings.HasPrefix(rest, m.Destination+"/")) {
			best, root = m.Destination, ""
			if m.Type == "bind" {
				root = m.Source
			}
		}
	}
	if root == "" {
		return nil, &os.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if inner := strings.TrimPrefix(rest[len(best):], "/"); inner != "" {
		return ocispec.OpenInRoot(root, inner, flags)
	}
	return os.OpenFile(root, flags, 0)
}

// checkProcess looks at what the runtimes would report without naming the option.
func checkProcess(t tree, p *specs.Process) error {
	if err := checkWorkdir(t, p.Cwd); err != nil {
		return err
	}
	return checkCommand(t, p)
}

// checkWorkdir refuses a path that leads through a file or ends at one. A missing directory is made by the runtime.
func checkWorkdir(t tree, dir string) error {
	f, err := t.open(dir, unix.O_PATH)
	if err == nil {
		defer f.Close() // O_PATH
		if st, serr := f.Stat(); serr == nil && !st.IsDir() {
			err = unix.ENOTDIR
		}
	}
	if errors.Is(err, unix.ENOTDIR) {
		return &engine.Error{Code: exitEngine, Option: "workdir", Err: fmt.Errorf("workdir: %s is not a directory in the container", dir)}
	}
	return nil
}

// checkCommand finds out whether the command can be run, before a runtime is asked, and says so with docker's exit
// statuses: 127 if it does not exist, 126 if it cannot be executed. It decides by what is there, never by a message.
func checkCommand(t tree, p *specs.Process) error {
	name := p.Args[0]
	if name == ocispec.InitTarget && len(p.Args) > 2 {
		name = p.Args[2] // behind "--"
	}
	if strings.Contains(name, "/") {
		if path.IsAbs(name) {
			return checkFile(t, p, name, name)
		}
		return checkFile(t, p, name, path.Join(p.Cwd, name))
	}
	var found error // what is there and cannot be run says more than that nothing can be run
	for dir := range strings.SplitSeq(pathOf(p.Env), ":") {
		if dir == "" {
			dir = p.Cwd
		}
		err := checkFile(t, p, name, path.Join(dir, name))
		var e *engine.Error
		if err == nil || !errors.As(err, &e) {
			return err
		}
		if found == nil && !errors.Is(err, errNoFile) {
			found = err
		}
	}
	if found != nil {
		return found
	}
	return &engine.Error{Code: exitNotFound, Option: "command", Err: fmt.Errorf("%q: command not found in the image's PATH (%s)", name, pathOf(p.Env))}
}

func pathOf(env []string) string {
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, "PATH="); ok {
			return v
		}
	}
	return ocispec.DefaultPath
}

func checkFile(t tree, p *specs.Process, asked, name string) error {
	fail := func(code int, why string) error {
		return &engine.Error{Code: code, Option: "command", Err: fmt.Errorf("%q: %s", asked, why)}
	}
	f, err := t.open(name, unix.O_RDONLY|unix.O_NONBLOCK)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP):
		return &engine.Error{Code: exitNotFound, Option: "command", Err: fmt.Errorf("%q: %w", asked, errNoFile)}
	case err != nil:
		return fail(exitCannotRun, err.Error())
	}
	defer f.Close() // read only
	st, err := f.Stat()
	switch {
	case err != nil:
		return fail(exitCannotRun, err.Error())
	case st.IsDir():
		return fail(exitCannotRun, "is a directory")
	case !st.Mode().IsRegular() || !mayExecute(f, p.User, t.ids):
		return fail(exitCannotRun, "permission denied: the file is not executable for the container's user")
	}
	return checkFormat(t, p, f, fail)
}

// mayExecute applies the mode bits as the kernel does; root needs any of them, on a file whose owners the container
// knows.
func mayExecute(f *os.File, u specs.User, ids user.IdentityMapping) bool {
	var st unix.Stat_t
	if unix.Fstat(int(f.Fd()), &st) != nil {
		return false
	}
	uid, _, uerr := user.IdentityMapping{UIDMaps: ids.UIDMaps}.ToContainer(int(st.Uid), 0)
	_, gid, gerr := user.IdentityMapping{GIDMaps: ids.GIDMaps}.ToContainer(0, int(st.Gid))
	if u.UID == 0 && uerr == nil && gerr == nil {
		return st.Mode&0o111 != 0
	}
	if int(u.UID) == uid {
		return st.Mode&0o100 != 0
	}
	for _, g := range append([]uint32{u.GID}, u.AdditionalGids...) {
		if int(g) == gid {
			return st.Mode&0o010 != 0
		}
	}
	return st.Mode&0o001 != 0
}

// checkFormat looks for what the kernel would refuse only after the runtime has let go: no program at all, or an
// interpreter that is not there.
func checkFormat(t tree, p *specs.Process, f *os.File, fail func(int, string) error) error {
	head := make([]byte, 256)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil // unreadable for us is not unexecutable
	}
	head = head[:n]
	interpreter := ""
	switch {
	case bytes.HasPrefix(head, []byte("#!")):
		line, _, _ := bytes.Cut(head[2:], []byte("\n"))
		if words := strings.Fields(string(line)); len(words) > 0 {
			interpreter = words[0]
		}
	case bytes.HasPrefix(head, []byte(elf.ELFMAG)):
		interpreter = elfInterpreter(f)
	case foreignFormats():
	default:
		return fail(exitCannotRun, "exec format error: neither a program nor a script with #!")
	}
	if interpreter == "" {
		return nil
	}
	if !path.IsAbs(interpreter) {
		interpreter = path.Join(p.Cwd, interpreter)
	}
	i, err := t.open(interpreter, unix.O_PATH)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return fail(exitNotFound, fmt.Sprintf("its interpreter %s is not in the image", interpreter))
	}
	if err == nil {
		_ = i.Close()
	}
	return nil
}

func elfInterpreter(f *os.File) string {
	file, err := elf.NewFile(f)
	if err != nil {
		return ""
	}
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP && p.Filesz < 4096 {
			data := make([]byte, p.Filesz)
			if _, err := p.ReadAt(data, 0); err == nil {
				return string(bytes.TrimRight(data, "\x00"))
			}
		}
	}
	return ""
}

// foreignFormats says whether the kernel has been taught other formats (binfmt_misc).
func foreignFormats() bool {
	found, _ := filepath.Glob("/proc/sys/fs/binfmt_misc/*")
	return len(found) > 2 // register and status are always there
}
