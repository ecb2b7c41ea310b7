package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/engine"
)

// ephemeralTries bounds the search for a port that is free in both families.
const ephemeralTries = 64

// portSpec is one container port to publish.
type portSpec struct {
	hostIP      netip.Addr // invalid = 0.0.0.0 and [::]
	first, last uint16     // acceptable host ports; 0 = any ephemeral one
	containerIP netip.Addr // invalid = any
	container   uint16
	proto       string
}

// portSpecs expands the publish entries, and with publish-all what is exposed and not published.
func portSpecs(a *Attach) []portSpec {
	var out []portSpec
	type key struct {
		port  uint16
		proto string
	}
	explicit := map[key]bool{}
	for _, p := range a.Ports {
		s := portSpec{hostIP: p.HostIP, containerIP: p.ContainerIP, proto: p.Proto}
		if s.containerIP.IsValid() && s.containerIP.IsUnspecified() {
			s.containerIP = netip.Addr{}
		}
		paired := p.HostFirst != 0 && p.HostLast-p.HostFirst == p.ContainerLast-p.ContainerFirst
		for n := int(p.ContainerFirst); n <= int(p.ContainerLast); n++ {
			s.container, s.first, s.last = uint16(n), p.HostFirst, p.HostLast
			if paired {
				s.first = p.HostFirst + s.container - p.ContainerFirst
				s.last = s.first
			}
			explicit[key{s.container, s.proto}] = true
			out = append(out, s)
		}
	}
	if !a.PublishAll {
		return out
	}
	for _, r := range a.Expose {
		for n := int(r.First); n <= int(r.Last); n++ {
			k := key{uint16(n), r.Proto}
			if !explicit[k] {
				explicit[k] = true
				out = append(out, portSpec{container: k.port, proto: k.proto})
			}
		}
	}
	return out
}

// openPorts binds the host ports, adds the rules that lead to the container and serves what rules cannot lead: loopback
// addresses, and IPv6 to a container without it. Binding is also what reserves a port against other programs.
func (s *Sandbox) openPorts() (err error) {
	specs := portSpecs(&s.a)
	if len(specs) == 0 || len(s.eps) == 0 {
		return nil
	}
	if s.gw4 == nil {
		s.m.cfg.Logf("container %q: its ports are not published, because all its networks are internal", s.a.Name)
		return nil
	}
	var socks []*hostSocket
	defer func() {
		if err != nil {
			s.m.unbind(socks)
			err = errors.Join(err, closeSockets(socks))
		}
	}()
	for _, spec := range specs {
		got, err := s.bind(spec)
		socks = append(socks, got...)
		if err != nil {
			return &engine.Error{Code: 125, Option: "publish", Err: err}
		}
	}
	var rules []Port
	for _, h := range socks {
		if p := h.port(); !h.addr.Addr().IsLoopback() && p.Host.Addr().Is4() == p.Target.Addr().Is4() {
			rules = append(rules, p)
		}
	}
	if err := s.m.publish(rules, nil); err != nil {
		return fmt.Errorf("publish ports: %w", err)
	}
	s.published, s.bindings, s.listeners = rules, nil, nil
	for _, h := range socks {
		s.bindings = append(s.bindings, h.binding())
		s.listeners = append(s.listeners, h.serve())
	}
	return nil
}

// closePorts undoes openPorts. The bindings stay known: the next start takes the same ports if they are free.
func (s *Sandbox) closePorts() error {
	errs := []error{s.m.publish(nil, s.published)}
	for _, l := range s.listeners {
		errs = append(errs, l.Close())
	}
	s.m.mu.Lock()
	for k, name := range s.m.bound {
		if name == s.a.Name {
			delete(s.m.bound, k)
		}
	}
	s.m.mu.Unlock()
	s.published, s.listeners = nil, nil
	return errors.Join(errs...)
}

// hostSocket is a host port that is held.
type hostSocket struct {
	addr   netip.AddrPort
	proto  string
	target netip.AddrPort

	tcp  *net.TCPListener
	udp  *net.UDPConn
	sctp int // a file descriptor; only with proto sctp
}

func (h *hostSocket) port() Port { return Port{Host: h.addr, Proto: h.proto, Target: h.target} }

func (h *hostSocket) binding() engine.Binding {
	return engine.Binding{HostIP: h.addr.Addr(), HostPort: h.addr.Port(), ContainerPort: h.target.Port(), Proto: h.proto}
}

func (h *hostSocket) close() error {
	switch {
	case h.tcp != nil:
		return h.tcp.Close()
	case h.udp != nil:
		return h.udp.Close()
	}
	return unix.Close(h.sctp)
}

// serve starts the proxy of the socket. There is none for sctp, which is reachable on non-loopback addresses only.
func (h *hostSocket) serve() io.Closer {
	switch {
	case h.tcp != nil:
		return serveTCP(h.tcp, h.target.String())
	case h.udp != nil:
		return serveUDP(h.udp, h.target, udpIdle)
	}
	return closerFunc(h.close)
}

type closerFunc func() error

func (f closerFunc) Close() error { return f() }

func closeSockets(socks []*hostSocket) error {
	var errs []error
	for _, h := range socks {
		errs = append(errs, h.close())
	}
	return errors.Join(errs...)
}

func (m *Manager) unbind(socks []*hostSocket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range socks {
		delete(m.bound, h.port().key())
	}
}

// bind takes a host port for spec: the one of the last start if it is still allowed and free, else the first that is. The
// sockets got before a failure are returned with the error.
func (s *Sandbox) bind(spec portSpec) ([]*hostSocket, error) {
	ips := []netip.Addr{spec.hostIP}
	if !spec.hostIP.IsValid() {
		ips = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	}
	var err error
	for _, port := range s.candidates(spec, ips[0]) {
		var socks []*hostSocket
		if socks, err = s.bindAll(spec, ips, port); err == nil {
			return socks, nil
		}
		if !errors.Is(err, unix.EADDRINUSE) {
			break
		}
	}
	return nil, err
}

// candidates are the host ports to try in order; 0 lets the kernel choose, which respects ip_local_port_range and
// ip_local_reserved_ports.
func (s *Sandbox) candidates(spec portSpec, ip netip.Addr) []uint16 {
	if spec.first == spec.last && spec.first != 0 {
		return []uint16{spec.first}
	}
	var out []uint16
	for _, b := range s.bindings {
		had := b.HostPort
		same := b.ContainerPort == spec.container && b.Proto == spec.proto && b.HostIP == ip
		if same && (spec.first == 0 || had >= spec.first && had <= spec.last) {
			out = append(out, had)
		}
	}
	if spec.first == 0 {
		return append(out, make([]uint16, ephemeralTries)...)
	}
	for p := int(spec.first); p <= int(spec.last); p++ {
		out = append(out, uint16(p))
	}
	return out
}

// bindAll binds one port on all addresses.
func (s *Sandbox) bindAll(spec portSpec, ips []netip.Addr, port uint16) ([]*hostSocket, error) {
	var socks []*hostSocket
	for _, ip := range ips {
		h := &hostSocket{addr: netip.AddrPortFrom(ip, port), proto: spec.proto}
		var err error
		if h.target, err = s.target(spec, ip.Is6()); err == nil {
			err = h.listen()
		}
		if noIPv6(err) && ip.Is6() && len(ips) > 1 {
			continue // a host without IPv6 publishes on IPv4 only
		}
		if err != nil {
			s.m.unbind(socks)
			return nil, errors.Join(s.m.explainBind(h, err), closeSockets(socks))
		}
		port = h.addr.Port()
		socks = append(socks, h)
		s.m.mu.Lock()
		s.m.bound[h.port().key()] = s.a.Name
		s.m.mu.Unlock()
	}
	return socks, nil
}

func noIPv6(err error) bool {
	return errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL)
}

// target is where a port leads: the address that the entry names, else the one behind the default route, of the same
// family if the container has that.
func (s *Sandbox) target(spec portSpec, v6 bool) (netip.AddrPort, error) {
	if ip := spec.containerIP; ip.IsValid() {
		for _, e := range s.eps {
			if slices.Contains(e.addrs(), ip) {
				return netip.AddrPortFrom(ip, spec.container), nil
			}
		}
		return netip.AddrPort{}, fmt.Errorf("publish: %s is not an address of container %q", ip, s.a.Name)
	}
	if v6 && s.gw6 != nil {
		return netip.AddrPortFrom(s.gw6.ip6, spec.container), nil
	}
	return netip.AddrPortFrom(s.gw4.ip, spec.container), nil
}

// listen binds the socket and notes the port that the kernel chose.
func (h *hostSocket) listen() error {
	family := "4"
	if h.addr.Addr().Is6() {
		family = "6"
	}
	switch h.proto {
	case "tcp":
		lc := net.ListenConfig{}
		lc.SetMultipathTCP(false) // the port's socket shall be found in /proc/net/tcp, where people look
		l, err := lc.Listen(context.Background(), "tcp"+family, h.addr.String())
		if err != nil {
			return fmt.Errorf("bind: %w", err)
		}
		h.tcp = l.(*net.TCPListener)
		h.addr = netip.AddrPortFrom(h.addr.Addr(), l.Addr().(*net.TCPAddr).AddrPort().Port())
	case "udp":
		lc := net.ListenConfig{Control: wantPacketInfo(family)}
		c, err := lc.ListenPacket(context.Background(), "udp"+family, h.addr.String())
		if err != nil {
			return fmt.Errorf("bind: %w", err)
		}
		h.udp = c.(*net.UDPConn)
		h.addr = netip.AddrPortFrom(h.addr.Addr(), c.LocalAddr().(*net.UDPAddr).AddrPort().Port())
	default:
		return h.listenSCTP()
	}
	return nil
}

// listenSCTP reserves an sctp port, which package net does not know.
func (h *hostSocket) listenSCTP() error {
	var sa unix.Sockaddr = &unix.SockaddrInet4{Port: int(h.addr.Port()), Addr: h.addr.Addr().Unmap().As4()}
	fam := unix.AF_INET
	if h.addr.Addr().Is6() {
		fam, sa = unix.AF_INET6, &unix.SockaddrInet6{Port: int(h.addr.Port()), Addr: h.addr.Addr().As16()}
	}
	fd, err := unix.Socket(fam, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_SCTP)
	if err != nil {
		return fmt.Errorf("open an sctp socket (does this kernel have sctp?): %w", err)
	}
	if fam == unix.AF_INET6 {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	if err = errors.Join(err, unix.Bind(fd, sa)); err == nil {
		err = unix.Listen(fd, 1)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("bind: %w", err), unix.Close(fd))
	}
	got, err := unix.Getsockname(fd)
	if err != nil {
		return errors.Join(fmt.Errorf("bind: %w", err), unix.Close(fd))
	}
	port := h.addr.Port()
	switch got := got.(type) {
	case *unix.SockaddrInet4:
		port = uint16(got.Port)
	case *unix.SockaddrInet6:
		port = uint16(got.Port)
	}
	h.sctp, h.addr = fd, netip.AddrPortFrom(h.addr.Addr(), port)
	return nil
}

// wantPacketInfo asks for the address that a datagram was sent to, so that the answer can come from there.
func wantPacketInfo(family string) func(string, string, syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) (err error) {
		control := func(fd uintptr) {
			if family == "4" {
				err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
			} else {
				err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
			}
		}
		return errors.Join(c.Control(control), err)
	}
}

// explainBind says in the user's words why a host port could not be had.
func (m *Manager) explainBind(h *hostSocket, err error) error {
	what := fmt.Sprintf("port %d/%s on %s", h.addr.Port(), h.proto, h.addr.Addr())
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return fmt.Errorf("publish: %s is taken by %s: %w", what, m.holder(h), unix.EADDRINUSE)
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return fmt.Errorf("publish: %s: %s is not an address of this host: %w", what, h.addr.Addr(), unix.EADDRNOTAVAIL)
	}
	return fmt.Errorf("publish: %s: %w", what, err)
}
