package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/runfile/runfile/executor/network/dns"
)

// openResolver starts the embedded DNS server of the container. Its sockets are inside the namespace, so nothing has to
// be opened on the host or on the bridge, and the server knows who asks.
func (s *Sandbox) openResolver() error {
	var udp net.PacketConn
	var tcp net.Listener
	err := s.ns.Do(func() (err error) {
		addr := net.JoinHostPort(resolverAddr.String(), "0")
		if udp, err = net.ListenPacket("udp4", addr); err != nil {
			return err
		}
		if tcp, err = net.Listen("tcp4", addr); err != nil {
			return errors.Join(err, udp.Close())
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("open the container's DNS sockets: %w", err)
	}
	up, settings, err := s.upstreams()
	if err != nil {
		return errors.Join(err, udp.Close(), tcp.Close())
	}
	s.dns = dns.Serve(dns.Config{
		UDP: udp, TCP: tcp, Zone: zone{s}, Upstreams: up, SingleLabelsLocal: settings.ndots(),
	})
	return s.m.k.Redirect(s.ns, uint16(udp.LocalAddr().(*net.UDPAddr).Port), uint16(tcp.Addr().(*net.TCPAddr).Port))
}

// upstreams are the servers for names that are not ours: those of the dns option are asked from inside the namespace,
// the host's from the host; a container that only has internal networks gets no way out through the host.
func (s *Sandbox) upstreams() ([]dns.Upstream, resolvConf, error) {
	host, err := readResolvConf(hostResolvConf)
	if err != nil {
		return nil, host, err
	}
	settings := host.override(&s.a)
	dial, servers := s.ns.Dialer(), s.a.DNS
	if len(servers) == 0 {
		dial, servers = (&net.Dialer{}).DialContext, host.Servers
		if s.gw4 == nil {
			servers = nil
		}
	}
	var up []dns.Upstream
	for _, server := range servers {
		a, err := netip.ParseAddr(server)
		if err != nil || len(s.a.DNS) > 0 && a == resolverAddr { // that is this server itself
			continue
		}
		up = append(up, dns.Upstream{Addr: netip.AddrPortFrom(a, 53), Dial: dial})
	}
	return up, settings, nil
}

// zone is what a container can name: its links, and what is started on its networks.
type zone struct{ s *Sandbox }

// Lookup implements dns.Zone.
func (z zone) Lookup(name string) ([]netip.Addr, bool) {
	m := z.s.m
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, e := range z.s.eps {
		for _, l := range z.s.a.Links {
			alias := strings.ToLower(l.Alias)
			if name != alias && name != alias+"."+strings.ToLower(e.net.Key) {
				continue
			}
			if addrs := linkTargets(e.net, l); len(addrs) > 0 {
				return addrs, true
			}
		}
	}
	for _, e := range z.s.eps {
		if found := e.net.names[name]; len(found) > 0 {
			return addrsOf(found), true
		}
		if short, ok := strings.CutSuffix(name, "."+strings.ToLower(e.net.Key)); ok && len(e.net.names[short]) > 0 {
			return addrsOf(e.net.names[short]), true
		}
	}
	return nil, false
}

// linkTargets finds the started target of a link on a network; the caller holds Manager.mu.
func linkTargets(b *bridge, l Link) []netip.Addr {
	for _, key := range []string{shortID(l.ContainerID), strings.ToLower(l.Name)} {
		if found := b.names[key]; key != "" && len(found) > 0 {
			return addrsOf(found)
		}
	}
	return nil
}

func addrsOf(eps []*endpoint) []netip.Addr {
	var out []netip.Addr
	for _, e := range eps {
		out = append(out, e.addrs()...)
	}
	return out
}

// Reverse implements dns.Zone.
func (z zone) Reverse(addr netip.Addr) (name string, ours bool) {
	m := z.s.m
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, e := range z.s.eps {
		for _, p := range e.net.pools {
			if !p.Subnet().Contains(addr) {
				continue
			}
			for _, found := range e.net.names {
				for _, x := range found {
					if slices.Contains(x.addrs(), addr) {
						return x.box.a.Name + "." + e.net.Key, true
					}
				}
			}
			return "", true
		}
	}
	return "", false
}

var _ dns.Zone = zone{}
