package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/network/dns"
)

// Sandbox is the network of one container, from before its first start until it is removed; starts and stops in between
// keep namespace and addresses. Methods are safe for concurrent use. What is not guarded is fixed once Join has returned.
type Sandbox struct {
	m        *Manager
	a        Attach
	ns       *Netns      // nil with the host's network
	eps      []*endpoint // in the order eth0, eth1, ...
	gw4, gw6 *endpoint   // which of them have the default routes; may be nil
	dns      *dns.Server // on user-defined networks
	owner    *Sandbox    // set in what Share returns: the sandbox that is shared

	filesMu   sync.Mutex
	linkLines map[string][]string // by alias, as they stand in the hosts file; guarded by filesMu

	mu        sync.Mutex
	sharers   int              // open users: the container itself and those that Share its sandbox; guarded by mu
	closed    bool             // guarded by mu
	ended     bool             // the manager is closed; guarded by mu
	runners   int              // started containers in the namespace; guarded by mu
	started   bool             // guarded by mu
	bindings  []engine.Binding // of this or the last start; guarded by mu
	published []Port           // guarded by mu
	listeners []io.Closer      // guarded by mu
}

// NetnsPath is where an OCI runtime finds the network namespace while this process lives; "" means the host's.
func (s *Sandbox) NetnsPath() string {
	if s = s.root(); s.ns == nil {
		return ""
	}
	return s.ns.Path()
}

// Dir holds the files hosts, resolv.conf and hostname that the container shows.
func (s *Sandbox) Dir() string { return s.root().a.Dir }

func (s *Sandbox) root() *Sandbox {
	if s.owner != nil {
		return s.owner
	}
	return s
}

// Share is the sandbox of a container with network `container:` and s: same namespace, same files. The namespace and
// its addresses stay until all that share it are closed.
func (s *Sandbox) Share(containerID string) *Sandbox {
	o := s.root()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sharers++
	return &Sandbox{m: o.m, a: Attach{ContainerID: containerID, Name: shortID(containerID)}, owner: o}
}

// Endpoints lists the container's addresses, in the order eth0, eth1, ...; with a shared or the host's network there are
// none.
func (s *Sandbox) Endpoints() []engine.Endpoint {
	var out []engine.Endpoint
	for _, e := range s.eps {
		pool := e.net.pools[0]
		out = append(out, engine.Endpoint{
			Network: e.net.Key, IP: e.ip, IP6: e.ip6, Prefix: pool.Subnet().Bits(), Gateway: pool.Gateway(),
			MAC: e.mac.String(), Aliases: e.att.Aliases,
		})
	}
	return out
}

// Ports lists the published ports of a started container.
func (s *Sandbox) Ports() []engine.Binding {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started {
		return nil
	}
	return slices.Clone(s.bindings)
}

// LinkEnv are the environment variables that links on the default bridge set, as K=V.
func (s *Sandbox) LinkEnv() []string {
	if !s.onDefault() {
		return nil
	}
	var env []string
	for _, l := range s.a.Links {
		if t := s.m.box(l.ContainerID, l.Name); t != nil && len(t.eps) > 0 {
			env = append(env, linkEnv(s.a.Name, l, t.eps[0].ip, t.a.Expose, t.a.Env)...)
		}
	}
	return env
}

// Start makes the container's names visible and publishes its ports. The error names a port that is taken and who holds
// it. Starting what is started is no error.
func (s *Sandbox) Start(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("the network of container %q is closed", s.a.Name)
	}
	if s.started {
		return nil
	}
	if s.owner == nil {
		if err := s.openPorts(); err != nil {
			return err
		}
		s.m.show(s)
	}
	s.started = true
	s.countRunner(1)
	return nil
}

// Stop withdraws names and ports; namespace and addresses stay. Stopping what is stopped is no error.
func (s *Sandbox) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started {
		return
	}
	s.started = false
	s.countRunner(-1)
	if s.owner != nil {
		return
	}
	s.m.hide(s)
	if err := s.closePorts(); err != nil {
		s.m.cfg.Logf("container %q: withdraw its ports: %v", s.a.Name, err)
	}
}

// countRunner notes how many started containers are in the namespace; the caller holds s.mu.
func (s *Sandbox) countRunner(n int) {
	if s.owner == nil {
		s.runners += n
		return
	}
	s.owner.mu.Lock()
	s.owner.runners += n
	s.owner.mu.Unlock()
}

// Close stops the sandbox, drops the namespace and releases the addresses, unless another container shares them still.
// Closing what is closed is no error.
func (s *Sandbox) Close(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.Stop()
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	if !first {
		return nil
	}
	o := s.root()
	o.mu.Lock()
	o.sharers--
	last := o.sharers == 0 && !o.ended
	o.mu.Unlock()
	if !last {
		return nil
	}
	return o.release()
}

// release gives back everything, also of a sandbox that Join could not finish.
func (s *Sandbox) release() error {
	errs := []error{s.m.setPasses(s.a.ContainerID, nil), s.closeHandles()}
	for _, e := range s.eps {
		if e.ip.IsValid() {
			errs = append(errs, e.net.pools[0].Release(e.ip))
		}
		if e.ip6.IsValid() {
			errs = append(errs, e.net.pools[1].Release(e.ip6))
		}
	}
	s.m.mu.Lock()
	for _, e := range s.eps {
		delete(e.net.users, s.a.ContainerID)
	}
	delete(s.m.boxes, s.a.ContainerID)
	s.m.mu.Unlock()
	return errors.Join(errs...)
}

// end is the manager's end: a sandbox in which something runs is left to it, and any other one released. What is called
// on it later does nothing, so that it cannot touch what a successor has adopted.
func (s *Sandbox) end() error {
	s.mu.Lock()
	idle := s.runners == 0
	s.closed, s.started, s.ended = true, false, true
	var errs []error
	for _, l := range s.listeners {
		errs = append(errs, l.Close())
	}
	s.listeners, s.published = nil, nil
	s.mu.Unlock()
	if idle {
		return errors.Join(append(errs, s.release())...)
	}
	return errors.Join(append(errs, s.closeHandles())...)
}

// closeHandles ends what lives in this process.
func (s *Sandbox) closeHandles() error {
	var errs []error
	if s.dns != nil {
		errs = append(errs, s.dns.Close())
	}
	if s.ns != nil {
		errs = append(errs, s.ns.Close())
	}
	return errors.Join(errs...)
}

// Dial connects to a TCP port of the container from inside its namespace: on the loopback addresses first, then on the
// container's own.
func (s *Sandbox) Dial(ctx context.Context, port uint16) (net.Conn, error) {
	s = s.root()
	dial := (&net.Dialer{}).DialContext
	if s.ns != nil {
		dial = s.ns.Dialer()
	}
	targets := []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	for _, e := range s.eps {
		targets = append(targets, e.addrs()...)
	}
	var errs []error
	for _, t := range targets {
		c, err := dial(ctx, "tcp", net.JoinHostPort(t.String(), strconv.Itoa(int(port))))
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, fmt.Errorf("connect to port %d of container %q: %w", port, s.a.Name, errs[0])
}

// dnsNames are the names under which the container answers on the network of e.
func (e *endpoint) dnsNames() []string {
	a := &e.box.a
	var out []string
	for _, n := range slices.Concat([]string{a.Name, a.ContainerKey}, e.att.Aliases, []string{shortID(a.ContainerID), a.Hostname}) {
		if n = strings.ToLower(n); n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// show publishes the container's names, hide withdraws them.
func (m *Manager) show(s *Sandbox) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range s.eps {
		for _, n := range e.dnsNames() {
			e.net.names[n] = append(e.net.names[n], e)
		}
	}
}

func (m *Manager) hide(s *Sandbox) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range s.eps {
		for _, n := range e.dnsNames() {
			rest := slices.DeleteFunc(slices.Clone(e.net.names[n]), func(x *endpoint) bool { return x == e })
			if e.net.names[n] = rest; len(rest) == 0 {
				delete(e.net.names, n)
			}
		}
	}
}
