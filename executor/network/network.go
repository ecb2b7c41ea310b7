// Package network gives containers their network: one network namespace per container, bridges and veth pairs, addresses,
// nftables rules, published ports, hosts and resolv.conf files, and an embedded DNS server. It talks to the kernel through
// netlink only; no program is executed and no daemon is asked.
//
// A Manager owns everything of one project. Join prepares a container's namespace (a Sandbox), Sandbox.Start makes its
// names and ports visible, Stop withdraws them, Close drops the namespace and the addresses. The truth is the kernel's
// state plus lease files below Config.RunDir, so a Manager that was killed is succeeded by one that reads both, adopts the
// containers that still run (Attach.ReuseNetnsPID) and removes the rest (Manager.Sweep).
//
// The host is shared with other projects, other container engines and a firewall. What two projects could both take
// (subnets, the opening of the FORWARD chain) is decided under one lock; host ports are reserved by binding them.
//
// The package does not decide when a container starts and knows nothing about images or processes.
package network

import (
	"net/netip"
	"os"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/schema/value"
)

// DefaultKey is the key of the network that `network: bridge` means: one bridge per project.
const DefaultKey = "bridge"

// Config says whose network a Manager manages.
type Config struct {
	// Project is the name of the project.
	Project string
	// RunDir is the directory for leases, shared by the projects of a host and lost at reboot.
	RunDir string
	// StateDir is a directory of this project that outlives a reboot; it remembers addresses and subnets.
	StateDir string
	// Logf gets what the user should know though nothing failed ("turned on net.ipv4.ip_forward"). May be nil.
	Logf func(format string, args ...any)
}

// Network is a bridge with its subnet.
type Network struct {
	Key     string
	Subnet  netip.Prefix // invalid = chosen; a v6 prefix sets the v6 subnet, and the v4 one is chosen
	Gateway netip.Addr   // invalid = the first address of Subnet
	// Internal networks reach neither the outside nor other networks, and nothing of theirs is published.
	Internal bool
	IPv6     bool
	// ICC lets containers of the network talk to each other. False: only what links allow, on exposed ports.
	ICC     bool
	MTU     int  // bytes; 0 = that of the link which has the host's default route
	Default bool // the network behind `network: bridge`: names by the hosts file only
}

// Attach is what Join needs to know about a container.
type Attach struct {
	ContainerID  string // unique for ever
	ContainerKey string // its key in the manifest
	Name         string // unique in the project; addresses are remembered under it
	Hostname     string
	Domainname   string // follows the host name in the container's own line of /etc/hosts
	Mode         value.NetworkMode
	Networks     []Membership // for value.NetworkUser, in the order eth0, eth1, ...
	Links        []Link
	AddHosts     []value.Host
	DNS          []string
	DNSOptions   []string
	DNSSearch    []string
	Ports        []value.PortMapping
	PublishAll   bool
	// Expose is the union of the image's, the option's and the published container ports.
	Expose []value.PortRange
	// Env is what a container that links to this one on the default bridge sees as ALIAS_ENV_*.
	Env []string
	// Dir is the directory in which the files hosts, resolv.conf and hostname are written.
	Dir string
	// ReuseNetnsPID adopts the namespace of this process, which an earlier Manager configured; 0 makes a new one.
	ReuseNetnsPID int
	// Users is the user namespace that owns a new network namespace: only processes of it may administer the network.
	// nil = the host's.
	Users *os.File
	// Bindings are the host ports of an earlier run, taken again where the mapping leaves the choice open.
	Bindings []engine.Binding
}

// Membership is a network that a container is attached to, and the endpoint to make in it.
type Membership struct {
	Key        string
	Aliases    []string
	IP, IP6    netip.Addr // invalid = chosen
	MAC        string     // "" = derived from the names
	GWPriority int        // the highest gets the default route
}

// Link lets a container reach another one under an alias.
type Link struct {
	ContainerID string
	Name        string
	Alias       string
}
