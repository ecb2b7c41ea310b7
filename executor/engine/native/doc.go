// Package native is the default engine on Linux: it drives an OCI runtime (crun, runc) directly, without any daemon.
//
// One Engine lives in each supervisor. It owns
//   - a private mount namespace, in which the root file systems are mounted and the runtime is executed, so that the
//     host's mount table stays short (every 200 overlays there cost each later start 3 to 4 ms of CPU) and nothing
//     stays mounted when the supervisor is killed;
//   - its containers' processes: it is their subreaper, waits for them by pidfd, and copies their output;
//   - their network sandboxes (executor/network), volumes (executor/volume) and images (executor/image).
//
// The life of a container: Create resolves the image and the volumes and writes native.json. Start mounts the root file
// system, joins the network, writes the runtime specification, and runs the runtime's create and start with native.json
// written in between. When the process has ended its output is drained, then the runtime's delete takes cgroups and
// state away. Remove deletes the files. A supervisor that finds a running container adopts it through native.json.
//
// What the engine needs to know about a container that it did not start itself stands in native.json and nowhere else.
package native

import "github.com/runfile/runfile/executor/state"

// Config says for which project an Engine works and where it keeps things.
type Config struct {
	Paths   state.Paths
	Project string
	// Logf gets what the user should know though nothing failed. May be nil.
	Logf func(format string, args ...any) `json:"-"`
}
