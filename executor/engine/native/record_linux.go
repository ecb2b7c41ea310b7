package native

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/moby/sys/user"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/network"
	"github.com/runfile/runfile/executor/proc"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/schema"
)

// recordFile is the engine's file in the directory of a container.
const recordFile = "native.json"

// record is what native.json holds: all that a later supervisor has to know.
type record struct {
	Container engine.Container  `json:"container"`
	Effective *schema.Effective `json:"effective"`
	Layers    []string          `json:"layers"` // lowest first
	Mounts    []mount           `json:"mounts,omitempty"`
	// IDs are the host's ids of the container's users; empty = the same.
	IDs user.IdentityMapping `json:"ids,omitzero"`
	// Process is the running or the last process; nil before the first start.
	Process *processRecord `json:"process,omitempty"`
	// Bindings are the host ports of the last run; a restart takes them again.
	Bindings []engine.Binding `json:"bindings,omitempty"`
}

// processRecord is PID 1.
type processRecord struct {
	proc.ID
	StartedAt time.Time `json:"startedAt"`
	Runtime   string    `json:"runtime"` // path of the OCI runtime
	Terminal  bool      `json:"terminal,omitempty"`
	// The process that keeps the terminal open; 0 = none does.
	KeeperPID   int    `json:"keeperPID,omitempty"`
	KeeperStart uint64 `json:"keeperStart,omitempty"`
	Ended       bool   `json:"ended,omitempty"`
	// Exit is how it ended, if somebody saw it.
	Exit *engine.Exit `json:"exit,omitempty"`
}

// mount is a resolved volume or bind of a container.
type mount struct {
	engine.Mount
	OnDisk      string `json:"onDisk,omitempty"` // name of a volume in the store
	NoCopy      bool   `json:"noCopy,omitempty"`
	Propagation string `json:"propagation,omitempty"`
	// Inherited ones came through volumes-from; they are not filled from the image.
	Inherited bool `json:"inherited,omitempty"`
}

// container is what the engine knows of a container. It is in memory from Create, or from its first use after a
// restart of the supervisor, until Remove.
type container struct {
	id  string
	dir string // Paths.Container: survives a reboot
	run string // bundle, FIFOs and sockets: do not

	// root is where the root file system is mounted if the container's users are others on the host.
	root string

	mu      sync.Mutex // serialises start, end and removal
	rec     record
	spec    *specs.Spec // of the running process; nil after adoption until it is read back
	sandbox *network.Sandbox
	foreign *foreignNetwork // instead of sandbox, if the network is that of another project's container
	users   *os.File        // its user namespace, while it is being started; nil = the host's
	mounted bool            // the root file system is mounted in our namespace
	shm     bool            // a /dev/shm to share is mounted in our namespace
	binds   []string        // copies of the host's mounts in our namespace
	proc    *process        // the running process, nil if none
}

func (c *container) path(name string) string    { return filepath.Join(c.dir, name) }
func (c *container) runPath(name string) string { return filepath.Join(c.run, name) }

// save writes native.json.
func (c *container) save() error {
	if err := state.WriteJSON(c.path(recordFile), &c.rec); err != nil {
		return fmt.Errorf("save container: %w", err)
	}
	return nil
}

// find returns a container of this project, from memory or from disk.
func (e *Engine) find(id string) (*container, error) {
	if !isID(id) {
		return nil, fmt.Errorf("container %q: %w", id, errNoContainer)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.containers[id]; c != nil {
		return c, nil
	}
	c := e.newContainer(id)
	rec, err := state.ReadJSON[record](c.path(recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("container %s: %w", short(id), errNoContainer)
	}
	if err != nil {
		return nil, err
	}
	c.rec = rec
	e.containers[id] = c
	return c, nil
}

var errNoContainer = errors.New("no such container")

func (e *Engine) newContainer(id string) *container {
	return &container{
		id: id, dir: e.cfg.Paths.Container(e.cfg.Project, id),
		run:  filepath.Join(e.cfg.Paths.ProjectRun(e.cfg.Project), "c", id),
		root: filepath.Join(e.cfg.Paths.Roots(), id),
	}
}

// settle waits for the clean-up after a process that has ended. It answers false if one runs. c.mu is held, and given
// away meanwhile.
func (c *container) settle() bool {
	for c.proc != nil {
		p := c.proc
		if !p.over() {
			return false
		}
		c.mu.Unlock()
		<-p.cleaned
		c.mu.Lock()
	}
	return true
}

// view returns the record, and the directory of the /dev/shm that is mounted here; "" if none is.
func (c *container) view() (rec record, shm string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shm {
		shm = c.path("shm")
	}
	return c.rec, shm
}

// findRecord looks for a container by id, and in the other projects of the host by id, name or the beginning of an id:
// what a reference means that no container of the runfile answers to.
func (e *Engine) findRecord(ref string) (record, error) {
	if c, err := e.find(ref); err == nil {
		rec, _ := c.view()
		return rec, nil
	}
	files, _ := filepath.Glob(filepath.Join(escapeGlob(e.cfg.Paths.Projects()), "*", "containers", "*", recordFile))
	const shortest = 4 // digits of an id that may stand for it
	for _, f := range files {
		rec, err := state.ReadJSON[record](f)
		if err == nil && (rec.Container.Name == ref || len(ref) >= shortest && strings.HasPrefix(rec.Container.ID, ref)) {
			return rec, nil
		}
	}
	return record{}, fmt.Errorf("container %q: %w", ref, errNoContainer)
}

// isID says whether text has the form of an id. Nothing else may become a part of a path.
func isID(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}

// short is how people see an id.
func short(id string) string { return id[:min(12, len(id))] }

// ours says whether the process is a child of this one, as after an exec of the program in place.
func (p *processRecord) ours() bool {
	fields, err := proc.Stat(p.PID)
	return err == nil && fields[1] == strconv.Itoa(os.Getpid())
}

// alive says whether the recorded process still runs.
func (p *processRecord) alive() bool { return p != nil && !p.Ended && p.Alive() }
