// Package value parses docker run's value syntaxes: one parser per syntax (size, port, mount, ulimit, ...), each
// accepting exactly what docker accepts, less the mistakes that docker lets through silently (spec "[D]").
//
// A parser never names the option it serves; the caller adds that. Results are plain comparable data that survive a
// round trip through JSON.
package value

import (
	"net/netip"
	"time"
)

// RestartPolicy is a restart rule: no, always, unless-stopped or on-failure[:N].
type RestartPolicy struct {
	Name       string // "no", "always", "unless-stopped", "on-failure"
	MaxRetries int    // with on-failure; 0 = without limit
}

// KeyValue is a K=V entry. A bare K of env is looked up in runfile's own environment when the manifest is decoded:
// found, it has a value and Inherited says where from; not found, HasValue stays false and the variable is removed.
type KeyValue struct {
	Key, Value string
	HasValue   bool
	Inherited  bool
}

// PortMapping is a publish entry: host ports to container ports. First and last of a range are equal for one port;
// host ports 0-0 mean "choose".
type PortMapping struct {
	HostIP         netip.Addr // invalid = 0.0.0.0 and [::]
	HostFirst      uint16
	HostLast       uint16
	ContainerIP    netip.Addr // invalid = any
	ContainerFirst uint16
	ContainerLast  uint16
	Proto          string // tcp, udp, sctp
}

// PortRange is an expose entry.
type PortRange struct {
	First, Last uint16
	Proto       string // tcp, udp, sctp
}

// MountType says what a mount shows.
type MountType string

// The mount types. Only the option mount has Tmpfs and ImageMount; Pipe is of Windows.
const (
	Bind       MountType = "bind"
	Volume     MountType = "volume"
	TmpfsMount MountType = "tmpfs"
	ImageMount MountType = "image"
	Pipe       MountType = "npipe"
)

// Mount is a volume entry.
type Mount struct {
	Type        MountType
	Source      string // host path (made absolute by schema) or volume name; empty = anonymous volume
	Target      string // absolute and clean
	ReadOnly    bool
	Propagation string // "", rprivate, private, rshared, shared, rslave, slave
	NoCopy      bool
	Relabel     string // "", z, Z
}

// VolumesFrom is a volumes-from entry.
type VolumesFrom struct {
	Container string
	ReadOnly  bool
	Relabel   string
}

// Tmpfs is a tmpfs entry.
type Tmpfs struct {
	Target  string
	Options []string // mount(8) words as written: "noexec", "size=64m"
}

// Device is a device entry. A CDI name stands in Source alone.
type Device struct {
	Source, Target string
	Permissions    string // subset of "rwm"
}

// Ulimit is a resource limit; -1 means unlimited.
type Ulimit struct {
	Name       string // lower case, as docker writes it: nofile
	Soft, Hard int64
}

// Link is a link entry.
type Link struct {
	Container, Alias string
}

// NetworkMode is the class of a network entry.
type NetworkMode string

// The network modes.
const (
	NetworkBridge    NetworkMode = "bridge"
	NetworkNone      NetworkMode = "none"
	NetworkHost      NetworkMode = "host"
	NetworkContainer NetworkMode = "container"
	NetworkUser      NetworkMode = "user"
)

// Network is a network entry. Name is the user-defined network, or the container of container:NAME.
type Network struct {
	Mode       NetworkMode
	Name       string
	Aliases    []string
	IP, IP6    netip.Addr
	MAC        string
	GWPriority int
	// LinkLocalIPs are further addresses, valid on the network's link only.
	LinkLocalIPs []string
	// DriverOpts are KEY=VALUE of the network's driver, as written.
	DriverOpts []string
}

// NamespaceMode is the value of pid, ipc, uts, userns and cgroupns.
type NamespaceMode struct {
	Mode      string // "private", "host", "container", "shareable" (ipc), "none" (ipc)
	Container string
}

// Host is an add-host entry. Gateway means the word host-gateway.
type Host struct {
	Name    string
	IP      netip.Addr
	Gateway bool
}

// User is a user entry; both parts are names or numbers as written.
type User struct {
	User, Group string
}

// SecurityOpt is a security-opt entry in the form key[=value].
type SecurityOpt struct {
	Key, Value string
}

// Signal is a signal number with the name docker prints ("SIGTERM").
type Signal struct {
	Number int
	Name   string
}

// ImageRef is a parsed image: a registry reference or an archive on disk.
type ImageRef struct {
	Scheme string // "" (registry), "oci", "oci-archive", "docker-archive"
	Path   string // of a scheme: directory or file, made absolute by schema
	Name   string // canonical reference ("docker.io/library/busybox:latest"); of a scheme: the optional :tag or :ref
	Text   string // as written
}

// Probe is a ready entry: exactly one of TCP, HTTP, Log and Exec is set.
type Probe struct {
	TCP      uint16
	HTTP     string // URL path with port: ":8080/health" or "8080/health"
	Log      string // regular expression that a line of the container's output matches
	Exec     []string
	Interval time.Duration
	Timeout  time.Duration
}

// Condition says what a dependency waits for.
type Condition string

// The conditions. Auto follows the role: a job has completed, a service with a check is healthy or ready, any other
// service has started.
const (
	Auto      Condition = ""
	Created   Condition = "created"
	Started   Condition = "started"
	Healthy   Condition = "healthy"
	Ready     Condition = "ready"
	Completed Condition = "completed" // exit status 0
	Exited    Condition = "exited"    // any exit status
)

// Dependency is a depends-on entry.
type Dependency struct {
	Container string
	Condition Condition
}
