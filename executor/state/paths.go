// Package state is what the processes of runfile share on disk: where things are kept, JSON files that are replaced
// whole, locks that end with their owner, and ids.
//
// Two trees: Root survives a reboot (images, volumes, records, logs), Run does not (sockets, locks, network state).
// Directories are made 0700 and files 0600. Nothing here survives a power loss by design: a file is renamed into place
// but not synced, which costs nothing and is enough against kill -9.
package state

import (
	"os"
	"path/filepath"
)

// RootVariable is the environment variable that moves both trees below one directory: D/lib and D/run.
const RootVariable = "RUNFILE_ROOT"

// Paths says where runfile keeps its things. Both are absolute.
type Paths struct {
	Root string // survives a reboot: /var/lib/runfile
	Run  string // does not: /run/runfile
}

// DefaultPaths returns the host's trees, or those below RUNFILE_ROOT if it is set. A relative RUNFILE_ROOT is taken
// from the working directory of this process.
func DefaultPaths() Paths {
	dir := os.Getenv(RootVariable)
	if dir == "" {
		return Paths{Root: "/var/lib/runfile", Run: "/run/runfile"}
	}
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return Paths{Root: filepath.Join(dir, "lib"), Run: filepath.Join(dir, "run")}
}

// Images is the OCI image layout that all projects share.
func (p Paths) Images() string { return filepath.Join(p.Root, "images") }

// Layers holds the unpacked layers, one directory per chain id.
func (p Paths) Layers() string { return filepath.Join(p.Root, "layers") }

// Volumes holds named and anonymous volumes.
func (p Paths) Volumes() string { return filepath.Join(p.Root, "volumes") }

// Roots holds the places where the root file systems of containers with other users than the host's are mounted. It
// stands beside Run, because those users have to pass it (0711).
func (p Paths) Roots() string { return p.Run + "-roots" }

// Net holds the host-wide leases of subnets, ports and interface names.
func (p Paths) Net() string { return filepath.Join(p.Run, "net") }

// Projects is the parent of all Project directories.
func (p Paths) Projects() string { return filepath.Join(p.Root, "projects") }

// Project holds the records of a project.
func (p Paths) Project(name string) string { return filepath.Join(p.Projects(), name) }

// ProjectRun holds the socket and the lock of a project's supervisor.
func (p Paths) ProjectRun(name string) string { return filepath.Join(p.Run, "projects", name) }

// Containers is the parent of all Container directories of a project.
func (p Paths) Containers(project string) string {
	return filepath.Join(p.Project(project), "containers")
}

// Container holds the record, the log and the engine's files of a container.
func (p Paths) Container(project, id string) string {
	return filepath.Join(p.Containers(project), id)
}
