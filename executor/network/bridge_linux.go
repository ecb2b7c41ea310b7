package network

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runfile/runfile/executor/network/ipam"
)

// defaultMTU is used where the host has no default route to take it from.
const defaultMTU = 1500

// bridge is a network that exists.
type bridge struct {
	Network
	link    string
	mtu     int
	pools   []*ipam.Pool      // IPv4, then IPv6 if the network has it
	wanted  bool              // somebody asked this manager for it; guarded by Manager.changes
	orphans map[string]bool   // container ids whose veths were found on it; fixed after New
	users   map[string]string // container id -> name, of those with an endpoint; guarded by Manager.mu

	names map[string][]*endpoint // of started containers, in lower case; guarded by Manager.mu
}

// saved is what is remembered of a network over restarts and reboots.
type saved struct {
	Network  Network        `json:"network"`
	MTU      int            `json:"mtu"`
	Subnets  []netip.Prefix `json:"subnets"`
	Gateways []netip.Addr   `json:"gateways"`
}

func escape(s string) string { return url.PathEscape(strings.ReplaceAll(s, ".", "%2e")) }

// chosen is the subnet of a family that was chosen for the network, not declared; invalid = none.
func (s *saved) chosen(v6 bool) netip.Prefix {
	for _, p := range s.Subnets {
		if p.Addr().Is6() == v6 && s.Network.Subnet != p {
			return p
		}
	}
	return netip.Prefix{}
}

func (m *Manager) load(key string) (saved, bool) {
	var s saved
	b, err := os.ReadFile(m.savedPath(key))
	if err != nil || json.Unmarshal(b, &s) != nil || len(s.Subnets) != len(s.Gateways) {
		return saved{}, false
	}
	return s, true
}

func (m *Manager) save(b *bridge) error {
	s := saved{Network: b.Network, MTU: b.mtu}
	for _, p := range b.pools {
		s.Subnets, s.Gateways = append(s.Subnets, p.Subnet()), append(s.Gateways, p.Gateway())
	}
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("remember the network: %w", err)
	}
	path := m.savedPath(b.Key)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("remember the network: %w", err)
	}
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return fmt.Errorf("remember the network: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("remember the network: %w", err)
	}
	return nil
}

// makeBridge chooses the subnets and makes the link. The lock is held until the link has its address, which is what
// tells other projects that the subnet is taken.
func (m *Manager) makeBridge(n Network) (*bridge, error) {
	unlock, err := hostLock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	s, err := m.k.Survey(m.cfg.tableName())
	if err != nil {
		return nil, err
	}
	if !n.ICC && !s.BridgeFilter {
		return nil, errors.New("icc: false needs the kernel to show bridged packets to the firewall; " +
			"run `modprobe br_netfilter` and `sysctl -w net.bridge.bridge-nf-call-iptables=1`")
	}
	b := &bridge{
		Network: n, link: m.cfg.bridgeName(n.Key), wanted: true, mtu: n.MTU,
		users: map[string]string{}, names: map[string][]*endpoint{},
	}
	if b.mtu == 0 {
		b.mtu = s.MTU
	}
	if b.mtu == 0 {
		b.mtu = defaultMTU
	}
	subnets, gateways, err := m.chooseSubnets(n, hostUsed(s, b.link))
	if err != nil {
		return nil, err
	}
	// Nothing can be leased on a bridge that does not exist: what lies there is from before a reboot.
	if err := errors.Join(m.k.DelLink(b.link), os.RemoveAll(m.leaseDir(b.link))); err != nil {
		return nil, err
	}
	if err := b.openPools(m, subnets, gateways); err != nil {
		return nil, err
	}
	// First, so that a successor knows of the link even if this process is killed before the next line ends.
	if err := m.save(b); err != nil {
		return nil, err
	}
	if err := m.addBridge(b); err != nil {
		return nil, errors.Join(err, m.k.DelLink(b.link))
	}
	return b, nil
}

func (m *Manager) addBridge(b *bridge) error {
	spec := Bridge{Name: b.link, Alias: m.cfg.linkAlias("", b.Key), MAC: m.cfg.hardwareAddr("", b.Key), MTU: b.mtu}
	for _, p := range b.pools {
		spec.Addrs = append(spec.Addrs, netip.PrefixFrom(p.Gateway(), p.Subnet().Bits()))
	}
	notes, err := m.k.AddBridge(spec)
	for _, n := range notes {
		m.cfg.Logf("network %q: %s", b.Key, n)
	}
	if err != nil {
		return err
	}
	if opened, err := m.k.OpenForward(true); err != nil {
		return err
	} else if opened {
		m.cfg.Logf("network %q: the host's FORWARD chain drops what it does not know; added two accept rules for rf* links to it", b.Key)
	}
	if legacyFilter() {
		m.cfg.Logf("network %q: this host also has legacy iptables rules; if containers have no network, run "+
			"`iptables-legacy -I FORWARD -i rf+ -j ACCEPT` and `iptables-legacy -I FORWARD -o rf+ -j ACCEPT`", b.Key)
	}
	return nil
}

// legacyFilter reports rules of the old kernel interface, which only its own program can change.
func legacyFilter() bool {
	b, err := os.ReadFile("/proc/thread-self/net/ip_tables_names")
	return err == nil && slices.Contains(strings.Fields(string(b)), "filter")
}

func (b *bridge) openPools(m *Manager, subnets []netip.Prefix, gateways []netip.Addr) error {
	for i, p := range subnets {
		family := "4"
		if p.Addr().Is6() {
			family = "6"
		}
		pool, err := ipam.Open(p, gateways[i], m.leaseDir(b.link), filepath.Join(m.nameDir(b.Key), family))
		if err != nil {
			return err
		}
		b.pools = append(b.pools, pool)
	}
	return nil
}

// chooseSubnets returns the network's subnets with their gateways: what the declaration says, else what the network had
// before if that is still free, else the next free one.
func (m *Manager) chooseSubnets(n Network, used []ipam.Used) (subnets []netip.Prefix, gateways []netip.Addr, err error) {
	if n.Gateway.IsValid() && !n.Subnet.IsValid() {
		return nil, nil, errors.New("a gateway needs a subnet")
	}
	if n.Subnet.IsValid() {
		if err := ipam.CheckSubnet(n.Subnet, n.Gateway, used); err != nil {
			return nil, nil, err
		}
	}
	before, _ := m.load(n.Key)
	v4, v6 := n.Subnet, n.Subnet // Is4 and Is6 are false of an address that is not valid
	if !n.Subnet.Addr().Is4() {
		if v4, err = ipam.Choose(before.chosen(false), used); err != nil {
			return nil, nil, err
		}
	}
	subnets = append(subnets, v4)
	if n.IPv6 && !n.Subnet.Addr().Is6() {
		if v6, err = ipam.ChooseULA(machineID(), before.chosen(true), used); err != nil {
			return nil, nil, err
		}
	}
	if v6.Addr().Is6() {
		subnets = append(subnets, v6)
	}
	for _, p := range subnets {
		gw := p.Masked().Addr().Next()
		if n.Gateway.IsValid() && p.Contains(n.Gateway) {
			gw = n.Gateway
		}
		gateways = append(gateways, gw)
	}
	return subnets, gateways, nil
}

func machineID() string {
	b, err := os.ReadFile("/etc/machine-id")
	if err != nil {
		b, _ = os.ReadFile("/proc/sys/kernel/random/boot_id")
	}
	return string(b)
}

func (b *bridge) rules() RuleNetwork {
	r := RuleNetwork{Bridge: b.link, Internal: b.Internal, ICC: b.ICC}
	for _, p := range b.pools {
		r.Subnets = append(r.Subnets, p.Subnet())
	}
	return r
}
