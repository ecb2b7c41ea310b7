package network

import (
	"net"
	"net/netip"
	"os"

	"github.com/runfile/runfile/executor/network/ipam"
)

// Kernel is what the package asks of Linux: links, namespaces and packet rules. The real one is netlink; tests use a
// recorder that prints what an operator would have typed. All methods are safe for concurrent use.
type Kernel interface {
	// Survey reads the host's links, addresses and routes, and the ports of a table.
	Survey(table string) (*Survey, error)
	// AddBridge makes a bridge that is up and has its addresses, and turns forwarding on. The notes say what it changed
	// that belongs to the whole host.
	AddBridge(b Bridge) (notes []string, err error)
	// DelLink deletes a link. One that does not exist is no error.
	DelLink(name string) error
	// Netns opens the network namespace of a process, or with pid 0 makes a new one, which the user namespace users owns
	// (nil = the host's). ipv6 says whether interfaces that a new one gets may use IPv6.
	Netns(pid int, users *os.File, ipv6 bool) (*Netns, error)
	// Attach brings the namespace's loopback up and adds the interfaces with their addresses and routes.
	Attach(ns *Netns, ifaces []Interface) error
	// Redirect sends what the namespace's processes send to 127.0.0.11 port 53 to these ports of the same address.
	// An earlier redirection is replaced.
	Redirect(ns *Netns, udp, tcp uint16) error
	// Apply changes the host's packet rules in one transaction.
	Apply(c Change) error
	// OpenForward makes the host's own FORWARD chains let our bridges pass where they would drop, or undoes that. It
	// reports whether something was changed.
	OpenForward(open bool) (changed bool, err error)
}

// Survey is what the kernel has.
type Survey struct {
	Links []HostLink
	Used  []ipam.Used // addresses and routes, those of our own links included
	MTU   int         // of the link with the default route; 0 = there is none
	// Ports are those of the table that was asked for; HasTable tells an empty table from none.
	Ports    []Port
	HasTable bool
	// BridgeFilter says that packets between two ports of a bridge pass the forward rules (br_netfilter).
	BridgeFilter bool
}

// HostLink is a link of the host.
type HostLink struct {
	Name, Alias, Master string
	Addrs               []netip.Prefix
}

// Bridge is a bridge to make.
type Bridge struct {
	Name, Alias string
	MAC         net.HardwareAddr
	MTU         int
	Addrs       []netip.Prefix // the gateways with the subnets' lengths
}

// Interface is a veth pair to make: Host is a port of Bridge, Name is inside the namespace.
type Interface struct {
	Host, Alias, Bridge string
	Name                string
	MAC                 net.HardwareAddr
	MTU                 int
	Addrs               []netip.Prefix
	Gateways            []netip.Addr // default routes through this interface
	// ReplyVia is set where ports are published on an address that is not behind the default route: packets from that
	// address go out through this gateway, or a host that filters by reverse path drops them.
	ReplyVia netip.Addr
}

// Port is a published port: what arrives at the host's address goes to the target. An unspecified host address stands
// for every address of its family. The families of both are equal.
type Port struct {
	Host   netip.AddrPort
	Proto  string // tcp, udp, sctp
	Target netip.AddrPort
}

// Pass lets one container reach a port of another one on a network whose containers are kept apart.
type Pass struct {
	Bridge   string
	From, To netip.Addr
	Proto    string
	Port     uint16
}

// Ruleset is the whole content of a table.
type Ruleset struct {
	Networks []RuleNetwork
	Ports    []Port
	Passes   []Pass
}

// RuleNetwork is what the rules need to know about a network.
type RuleNetwork struct {
	Bridge        string
	Subnets       []netip.Prefix
	Internal, ICC bool
}

// Change is one transaction on a table: Replace puts a ruleset in the table's place, Drop removes the table; otherwise
// elements are taken out and put in.
type Change struct {
	Table      string
	Replace    *Ruleset
	Drop       bool
	Add, Del   []Port
	AddP, DelP []Pass
}
