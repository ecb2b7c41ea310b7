package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/runfile/runfile/executor/network/ipam"
	"github.com/runfile/runfile/schema/value"
)

// endpoint is a container's place on a network.
type endpoint struct {
	box   *Sandbox
	net   *bridge
	att   Membership
	iface string // eth0, eth1, ...
	ip    netip.Addr
	ip6   netip.Addr // invalid on networks without IPv6
	mac   net.HardwareAddr
}

func (e *endpoint) addrs() []netip.Addr {
	if e.ip6.IsValid() {
		return []netip.Addr{e.ip, e.ip6}
	}
	return []netip.Addr{e.ip}
}

// Join gives a container its network: namespace, interfaces with their addresses, and the files hosts, resolv.conf and
// hostname in a.Dir. Its names are not visible and its ports not bound before Sandbox.Start. What fails leaves nothing.
// A container with mode container: uses the Sandbox.Share of its target instead.
func (m *Manager) Join(ctx context.Context, a Attach) (*Sandbox, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &Sandbox{m: m, a: a, sharers: 1, bindings: a.Bindings}
	if err := m.reserve(a); err != nil {
		return nil, err
	}
	if err := s.build(ctx); err != nil {
		return nil, errors.Join(err, s.release())
	}
	m.mu.Lock()
	m.boxes[a.ContainerID] = s
	delete(m.orphans, a.ContainerID)
	m.mu.Unlock()
	if err := m.relink(s); err != nil {
		return nil, errors.Join(err, s.release())
	}
	return s, nil
}

func (s *Sandbox) build(ctx context.Context) error {
	switch s.a.Mode {
	case value.NetworkHost:
	case value.NetworkNone:
		if err := s.openNetns(false); err != nil {
			return err
		}
	case value.NetworkBridge, value.NetworkUser, "":
		if err := s.connect(ctx); err != nil {
			return err
		}
	default:
		return fmt.Errorf("network mode %q has no sandbox of its own", s.a.Mode)
	}
	if err := s.writeFiles(); err != nil {
		return err
	}
	return s.openPasses()
}

// reserve makes sure that a container is joined once. The entry stays nil until the sandbox is complete: nobody sees a
// half-made one.
func (m *Manager) reserve(a Attach) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.boxes[a.ContainerID]; ok {
		return fmt.Errorf("container %q has joined its network already", a.Name)
	}
	m.boxes[a.ContainerID] = nil
	return nil
}

// connect joins the networks of the container.
func (s *Sandbox) connect(ctx context.Context) error {
	atts := s.a.Networks
	if s.a.Mode != value.NetworkUser {
		att := Membership{Key: DefaultKey}
		if len(atts) > 0 { // what docker allows on the default bridge
			att.MAC = atts[0].MAC
		}
		atts = []Membership{att}
		if s.m.network(DefaultKey) == nil {
			if err := s.m.Ensure(ctx, Network{Key: DefaultKey, ICC: true, Default: true}); err != nil {
				return err
			}
		}
	}
	ipv6 := false
	for i, att := range atts {
		e, err := s.m.use(s, att, i)
		if err != nil {
			return err
		}
		s.eps = append(s.eps, e)
		ipv6 = ipv6 || len(e.net.pools) > 1
	}
	s.gw4, s.gw6 = gatewayEndpoints(s.eps)
	if err := s.checkContainerIPs(); err != nil {
		return err
	}
	if err := s.openNetns(ipv6); err != nil {
		return err
	}
	if s.a.Mode == value.NetworkUser {
		return s.openResolver()
	}
	return nil
}

// use makes the endpoint number i of a container: it counts as a user of the network from now on. Addresses are leased by
// openNetns.
func (m *Manager) use(s *Sandbox, att Membership, i int) (*endpoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.nets[att.Key]
	if b == nil {
		return nil, fmt.Errorf("network %q does not exist", att.Key)
	}
	e := &endpoint{box: s, net: b, att: att, iface: fmt.Sprintf("eth%d", i), mac: m.cfg.hardwareAddr(s.a.Name, att.Key)}
	if att.MAC != "" {
		mac, err := net.ParseMAC(att.MAC)
		if err != nil || len(mac) != 6 {
			return nil, fmt.Errorf("mac-address %q is not six bytes in hexadecimal", att.MAC)
		}
		e.mac = mac
	}
	if att.IP6.IsValid() && len(b.pools) < 2 {
		return nil, fmt.Errorf("ip6 %s: network %q has no IPv6 subnet", att.IP6, att.Key)
	}
	b.users[s.a.ContainerID] = s.a.Name
	return e, nil
}

// openNetns makes the namespace with its interfaces, or opens the one to adopt.
func (s *Sandbox) openNetns(ipv6 bool) error {
	if s.a.ReuseNetnsPID != 0 {
		return s.adoptNetns()
	}
	for _, e := range s.eps {
		if err := e.lease(e.att.IP, e.att.IP6); err != nil {
			return err
		}
	}
	var err error
	if s.ns, err = s.m.k.Netns(0, s.a.Users, ipv6); err != nil {
		return err
	}
	var ifaces []Interface
	for _, e := range s.eps {
		ifaces = append(ifaces, s.iface(e))
	}
	return s.m.k.Attach(s.ns, ifaces)
}

func (s *Sandbox) iface(e *endpoint) Interface {
	i := Interface{
		Host: s.m.cfg.vethName(s.a.ContainerID, e.net.Key), Alias: s.m.cfg.linkAlias(s.a.ContainerID, e.net.Key),
		Bridge: e.net.link, Name: e.iface, MAC: e.mac, MTU: e.net.mtu,
	}
	for k, a := range e.addrs() {
		i.Addrs = append(i.Addrs, netip.PrefixFrom(a, e.net.pools[k].Subnet().Bits()))
	}
	if e == s.gw4 {
		i.Gateways = append(i.Gateways, e.net.pools[0].Gateway())
	}
	if e == s.gw6 {
		i.Gateways = append(i.Gateways, e.net.pools[1].Gateway())
	}
	for k, a := range e.addrs() {
		own := slices.ContainsFunc(s.a.Ports, func(p value.PortMapping) bool { return p.ContainerIP == a })
		if own && e != s.gw4 && !e.net.Internal {
			i.ReplyVia = e.net.pools[k].Gateway()
		}
	}
	return i
}

// lease takes the endpoint's addresses; invalid ones are chosen.
func (e *endpoint) lease(ip, ip6 netip.Addr) error {
	l := ipam.Lease{Project: e.box.m.cfg.Project, Network: e.net.Key, Container: e.box.a.ContainerID, Name: e.box.a.Name}
	var err error
	if e.ip, err = e.net.pools[0].Take(l, ip); err != nil {
		return fmt.Errorf("network %q: %w", e.net.Key, err)
	}
	if len(e.net.pools) > 1 {
		if e.ip6, err = e.net.pools[1].Take(l, ip6); err != nil {
			return fmt.Errorf("network %q: %w", e.net.Key, err)
		}
	}
	return nil
}

// adoptNetns opens the namespace of a running container and reads its addresses from it: the kernel knows best.
func (s *Sandbox) adoptNetns() error {
	var err error
	if s.ns, err = s.m.k.Netns(s.a.ReuseNetnsPID, nil, false); err != nil {
		return err
	}
	if s.ns.file != nil {
		own, err1 := s.ns.file.Stat()
		host, err2 := s.ns.host.Stat()
		if err := errors.Join(err1, err2); err != nil {
			return fmt.Errorf("compare network namespaces: %w", err)
		}
		if os.SameFile(own, host) {
			return fmt.Errorf("process %d is in the host's network namespace, not in one of container %q", s.a.ReuseNetnsPID, s.a.Name)
		}
	}
	for _, e := range s.eps {
		addrs, err := s.ns.addrs(e.iface)
		if err != nil {
			return err
		}
		found := make([]netip.Addr, 2)
		for k, p := range e.net.pools {
			i := slices.IndexFunc(addrs, p.Subnet().Contains)
			if i < 0 {
				return fmt.Errorf("container %q has no address of network %q on %s", s.a.Name, e.net.Key, e.iface)
			}
			found[k] = addrs[i]
		}
		if err := e.lease(found[0], found[1]); err != nil {
			return err
		}
	}
	return nil
}

// addrs lists the addresses of an interface inside the namespace.
func (n *Netns) addrs(iface string) (out []netip.Addr, err error) {
	err = n.Do(func() error {
		i, err := net.InterfaceByName(iface)
		if err != nil {
			return fmt.Errorf("find %s of the container: %w", iface, err)
		}
		list, err := i.Addrs()
		if err != nil {
			return fmt.Errorf("list the addresses of %s: %w", iface, err)
		}
		for _, a := range list {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				out = append(out, p.Addr())
			}
		}
		return nil
	})
	return out, err
}

// gatewayEndpoints chooses which endpoints get the default routes: the highest gw-priority, and among equals the first
// that is not internal. An internal network has no way out, so it never gets one.
func gatewayEndpoints(eps []*endpoint) (gw4, gw6 *endpoint) {
	for _, e := range eps {
		if e.net.Internal {
			continue
		}
		if gw4 == nil || e.att.GWPriority > gw4.att.GWPriority {
			gw4 = e
		}
		if len(e.net.pools) > 1 && (gw6 == nil || e.att.GWPriority > gw6.att.GWPriority) {
			gw6 = e
		}
	}
	return gw4, gw6
}

// checkContainerIPs refuses a publish entry with a container address that is not the container's, as far as that is known
// before addresses are chosen.
func (s *Sandbox) checkContainerIPs() error {
	for _, p := range s.a.Ports {
		ip := p.ContainerIP
		if !ip.IsValid() || ip.IsUnspecified() {
			continue
		}
		ok := slices.ContainsFunc(s.eps, func(e *endpoint) bool {
			return slices.ContainsFunc(e.net.pools, func(pool *ipam.Pool) bool { return pool.Subnet().Contains(ip) })
		})
		if !ok {
			return fmt.Errorf("publish: container address %s is in none of the container's networks", ip)
		}
	}
	return nil
}

// openPasses lets the container through to what it links to, on networks that keep containers apart.
func (s *Sandbox) openPasses() error {
	var passes []Pass
	for _, l := range s.a.Links {
		target := s.m.box(l.ContainerID, l.Name)
		if target == nil {
			continue
		}
		for _, from := range s.eps {
			for _, to := range target.eps {
				if from.net != to.net || from.net.ICC {
					continue
				}
				for _, p := range expandPorts(target.a.Expose, maxLinkPorts) {
					passes = append(passes, Pass{Bridge: from.net.link, From: from.ip, To: to.ip, Proto: p.proto, Port: p.number})
				}
			}
		}
	}
	return s.m.setPasses(s.a.ContainerID, passes)
}

// setPasses replaces what a container's links allow.
func (m *Manager) setPasses(id string, passes []Pass) error {
	m.rulesMu.Lock()
	defer m.rulesMu.Unlock()
	old := m.passes[id]
	if len(old)+len(passes) == 0 {
		return nil
	}
	m.passes[id] = passes
	if len(passes) == 0 {
		delete(m.passes, id)
	}
	return m.changeLocked(Change{DelP: old, AddP: passes})
}

// box finds a joined container by id, else by name.
func (m *Manager) box(id, name string) *Sandbox {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if s := m.boxes[id]; s != nil {
		return s
	}
	for _, s := range m.boxes {
		if s != nil && name != "" && (s.a.Name == name || s.a.ContainerKey == name) {
			return s
		}
	}
	return nil
}
