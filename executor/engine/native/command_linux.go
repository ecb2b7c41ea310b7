package native

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
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
		if err := checkFile(t, p, name, name); err != nil {
			return &engine.Error{Code: exitEngine, Option: "init-path", Err: fmt.Errorf("the init cannot be run: %w", err)}
		}
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
		if err == nil {
			return nil
		}
		if found == nil && !errors.Is(err, errNoFile) {
			found = err
		}
	}
	if found != nil {
		return found
	}
	return cannotRun(exitNotFound, name, "command not found in the image's PATH (%s)", pathOf(p.Env))
}

// cannotRun is why a command cannot be run.
func cannotRun(code int, command, format string, args ...any) error {
	return &engine.Error{Code: code, Option: "command", Err: fmt.Errorf("%q: "+format, append([]any{command}, args...)...)}
}

func pathOf(env []string) string {
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, "PATH="); ok {
			return v
		}
	}
	return ocispec.DefaultPath
}

// maxInterpreters is how many scripts may be each other's interpreters before the kernel gives up.
const maxInterpreters = 5

// checkFile looks at one file; asked is the command as it was written.
func checkFile(t tree, p *specs.Process, asked, name string) error {
	for range maxInterpreters {
		next, err := checkExecutable(t, p, asked, name)
		if err != nil || next == "" {
			return err
		}
		if _, err = t.stat(next); errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			return cannotRun(exitNotFound, asked, "its interpreter %s is not in the image", next)
		}
		name = next
	}
	return cannotRun(exitCannotRun, asked, "too many scripts are each other's interpreters")
}

// stat looks at a name as the container would.
func (t tree) stat(name string) (fs.FileInfo, error) {
	f, err := t.open(name, unix.O_PATH)
	if err != nil {
		return nil, err
	}
	defer f.Close() // O_PATH
	return f.Stat()
}

// checkExecutable looks whether the kernel would execute a file, and returns the interpreter that it would execute
// instead; "" = none.
func checkExecutable(t tree, p *specs.Process, asked, name string) (interpreter string, err error) {
	f, err := t.open(name, unix.O_RDONLY|unix.O_NONBLOCK)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP):
		return "", cannotRun(exitNotFound, asked, "%w", errNoFile)
	case err != nil:
		return "", cannotRun(exitCannotRun, asked, "%s", err.Error())
	}
	defer f.Close() // read only
	st, err := f.Stat()
	switch {
	case err != nil:
		return "", cannotRun(exitCannotRun, asked, "%s", err.Error())
	case st.IsDir():
		return "", cannotRun(exitCannotRun, asked, "is a directory")
	case !st.Mode().IsRegular() || !mayExecute(f, p.User, t.ids):
		return "", cannotRun(exitCannotRun, asked, "permission denied: the file is not executable for the container's user")
	case beingWritten(f):
		return "", cannotRun(exitCannotRun, asked, "text file busy: somebody has it open for writing")
	}
	interpreter, why := checkFormat(f)
	if why != "" {
		return "", cannotRun(exitCannotRun, asked, "exec format error: %s", why)
	}
	if interpreter != "" && !path.IsAbs(interpreter) {
		interpreter = path.Join(p.Cwd, interpreter)
	}
	return interpreter, nil
}

// beingWritten asks the kernel by trying to lease the file for reading, which it refuses while somebody writes. A file
// system that knows no leases leaves the question open.
func beingWritten(f *os.File) bool {
	_, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		_, _ = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK) // closing it does so, too
	}
	return errors.Is(err, unix.EAGAIN)
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

// checkFormat looks for what the kernel would refuse only after the runtime has let go: a file that is no program for
// this machine. interpreter is what a script or a dynamic program names.
func checkFormat(f *os.File) (interpreter, why string) {
	head := make([]byte, 256) // as much as the kernel looks at
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", "" // unreadable for us is not unexecutable
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte("#!")):
		line, _, _ := bytes.Cut(head[2:], []byte("\n"))
		if words := strings.Fields(string(line)); len(words) > 0 {
			return words[0], ""
		}
		return "", "there is no interpreter after #!"
	case foreignFormats():
		return elfInterpreter(f), ""
	case bytes.HasPrefix(head, []byte(elf.ELFMAG)):
		return elfInterpreter(f), wrongMachine(head)
	}
	return "", "neither a program nor a script with #!"
}

// machines are those whose programs a kernel may run, by its architecture in Go's words.
var machines = map[string][]elf.Machine{
	"amd64": {elf.EM_X86_64, elf.EM_386}, "386": {elf.EM_386}, "arm64": {elf.EM_AARCH64, elf.EM_ARM}, "arm": {elf.EM_ARM},
	"riscv64": {elf.EM_RISCV}, "s390x": {elf.EM_S390}, "ppc64le": {elf.EM_PPC64}, "loong64": {elf.EM_LOONGARCH},
}

// wrongMachine says that a program is for other machines, which is what a pull for the wrong platform looks like.
func wrongMachine(head []byte) string {
	const at = 18 // of the machine in the header, in both classes
	known := machines[runtime.GOARCH]
	if known == nil || len(head) < at+2 {
		return ""
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if head[elf.EI_DATA] == byte(elf.ELFDATA2MSB) {
		order = binary.BigEndian
	}
	machine := elf.Machine(order.Uint16(head[at:]))
	if slices.Contains(known, machine) {
		return ""
	}
	return fmt.Sprintf("it is a program for %s, and this machine is %s; see platform",
		strings.ToLower(strings.TrimPrefix(machine.String(), "EM_")), runtime.GOARCH)
}

// elfInterpreter is what loads a dynamic program; "" = it is static, or too odd for us to tell.
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
