package native

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"

	"github.com/containerd/containerd/v2/pkg/sys"
	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/ocispec"
)

// userSpaces are the user namespaces of a project, one for each mapping. The containers of a mapping share theirs: who
// joins a namespace of another container must be in the user namespace that owns it. They last as long as this process
// or a container in them.
type userSpaces struct {
	mu    sync.Mutex
	files map[string]*os.File // guarded by mu; by mapping
}

// get returns the namespace of a mapping, making it if there is none. It stays the set's to close.
func (s *userSpaces) get(ids user.IdentityMapping) (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := fmt.Sprint(ids)
	if f := s.files[key]; f != nil {
		return f, nil
	}
	f, err := newUserNS(ids)
	if err == nil {
		s.files[key] = f
	}
	return f, err
}

// adopt takes over the namespace of a container that an earlier supervisor has started.
func (s *userSpaces) adopt(ids user.IdentityMapping, f *os.File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := fmt.Sprint(ids)
	if s.files[key] != nil {
		_ = f.Close()
		return
	}
	s.files[key] = f
}

func (s *userSpaces) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.files {
		_ = f.Close()
	}
	clear(s.files)
}

// userNSHelper is the name of the process that a new namespace is made with.
const userNSHelper = "runfile-users"

// newUserNS makes a user namespace with a mapping. The kernel wants a process in it to give it one: this program, which
// is started under ptrace and so stops before its first instruction, and is then killed.
func newUserNS(ids user.IdentityMapping) (*os.File, error) {
	runtime.LockOSThread() // whose end would end the process
	defer runtime.UnlockOSThread()
	p, err := os.StartProcess("/proc/self/exe", []string{userNSHelper}, &os.ProcAttr{
		Sys: &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_NEWUSER, UidMappings: sysMaps(ids.UIDMaps), GidMappings: sysMaps(ids.GIDMaps),
			GidMappingsEnableSetgroups: true, Ptrace: true, Pdeathsig: syscall.SIGKILL,
		},
	})
	if err != nil {
		return nil, remapError("the host's kernel refuses a user namespace: %w. See /proc/sys/user/max_user_namespaces", err)
	}
	f, err := os.Open(fmt.Sprintf("/proc/%d/ns/user", p.Pid))
	kerr := p.Kill()
	_, werr := p.Wait()
	if err != nil {
		return nil, remapError("open the user namespace: %w", errors.Join(err, kerr, werr))
	}
	return f, nil
}

func sysMaps(ids []user.IDMap) []syscall.SysProcIDMap {
	var out []syscall.SysProcIDMap
	for _, m := range ids {
		out = append(out, syscall.SysProcIDMap{ContainerID: int(m.ID), HostID: int(m.ParentID), Size: int(m.Count)})
	}
	return out
}

// remapped says whether the container's users are others on the host.
func (c *container) remapped() bool { return !c.rec.IDs.Empty() }

// usersOf opens the user namespace that owns a network namespace.
func usersOf(netns string) (*os.File, error) {
	f, err := os.Open(netns)
	if err != nil {
		return nil, fmt.Errorf("open the network namespace: %w", err)
	}
	defer f.Close() // read only
	return sys.GetUsernsForNamespace(f.Fd())
}

// adoptUsers keeps the user namespace of a running container for those that join it later. That of another project is
// not ours to give.
func (e *Engine) adoptUsers(c *container) error {
	if !c.remapped() || c.sandbox == nil {
		return nil
	}
	f, err := usersOf(c.sandbox.NetnsPath())
	if err == nil {
		e.users.adopt(c.rec.IDs, f)
	}
	return err
}

// sameUsers refuses to share namespaces with a container of other users: they belong to its user namespace.
func (c *container) sameUsers(option string, other *record) error {
	if !c.remapped() || fmt.Sprint(c.rec.IDs) == fmt.Sprint(other.IDs) {
		return nil
	}
	return &ocispec.Error{Option: option, Err: fmt.Errorf(
		"container %q has other users on the host. Give both the same userns-remap, or both userns: host", other.Container.Name)}
}

// inUserNS refuses a donor that is not in the user namespace users, of which it has to be a part.
func inUserNS(option string, donor *record, users *os.File) error {
	if users == nil {
		return nil
	}
	own, err := users.Stat()
	if err != nil {
		return fmt.Errorf("look at the user namespace: %w", err)
	}
	theirs, err := os.Stat(fmt.Sprintf("/proc/%d/ns/user", donor.Process.PID))
	if err != nil {
		return fmt.Errorf("look at the user namespace: %w", err)
	}
	if !os.SameFile(own, theirs) {
		return &ocispec.Error{Option: option, Err: fmt.Errorf(
			"container %q is in another user namespace, since it belongs to another project. Give both userns: host", donor.Container.Name)}
	}
	return nil
}

// enterUsers tells the specification which user namespace the container is in: the one that owns its network.
func (c *container) enterUsers(in *ocispec.Input) error {
	if !c.remapped() {
		return nil
	}
	if in.NetnsPath == "" {
		return remapError("the host's network belongs to the host's users")
	}
	c.closeUsers()
	users, err := usersOf(in.NetnsPath)
	if err != nil {
		return err
	}
	c.users = users
	in.UserNSPath, in.IDs = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), users.Fd()), c.rec.IDs
	return nil
}

// closeUsers lets go of the user namespace. The project keeps its own, and the container the one it is in.
func (c *container) closeUsers() {
	if c.users != nil {
		_ = c.users.Close()
		c.users = nil
	}
}
