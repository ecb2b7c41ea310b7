package network

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"github.com/runfile/runfile/schema/value"
)

// writeFiles writes hosts, resolv.conf and hostname. A container that is adopted has them already, and may have edited
// them.
func (s *Sandbox) writeFiles() error {
	if s.a.ReuseNetnsPID != 0 {
		if _, err := os.Stat(s.path("hosts")); err == nil {
			return s.computeLinks()
		}
	}
	if err := os.MkdirAll(s.a.Dir, 0o755); err != nil {
		return fmt.Errorf("make the directory of the container's network files: %w", err)
	}
	hosts, err := s.hosts()
	if err != nil {
		return err
	}
	resolv, err := s.resolv()
	if err != nil {
		return err
	}
	return errors.Join(
		writeInPlace(s.path("hosts"), hosts),
		writeInPlace(s.path("resolv.conf"), resolv.String()),
		writeInPlace(s.path("hostname"), s.hostname()+"\n"),
	)
}

func (s *Sandbox) path(name string) string { return filepath.Join(s.a.Dir, name) }

func (s *Sandbox) hostname() string {
	if s.a.Hostname == "" && s.a.Mode == value.NetworkHost {
		if h, err := os.Hostname(); err == nil {
			return h
		}
	}
	return s.a.Hostname
}

func (s *Sandbox) hosts() (string, error) {
	if s.a.Mode == value.NetworkHost && len(s.a.AddHosts) == 0 {
		b, err := os.ReadFile("/etc/hosts")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("read the host's hosts file: %w", err)
		}
		return string(b), nil
	}
	if err := s.computeLinks(); err != nil {
		return "", err
	}
	h := hostsFile{Hosts: s.a.AddHosts, Hostname: s.hostname(), Gateways: s.gatewayAddrs()}
	if s.a.Domainname != "" {
		h.Hostname += "." + s.a.Domainname
	}
	for _, e := range s.eps {
		h.Own = append(h.Own, e.addrs()...)
	}
	for _, l := range s.a.Links {
		h.Links = append(h.Links, s.linkLines[l.Alias]...)
	}
	return h.render()
}

// gatewayAddrs is what host-gateway means: an address of the host that the container reaches. It is the container's own
// gateway, so that it works on internal networks, too; with the host's network it is the host itself.
func (s *Sandbox) gatewayAddrs() []netip.Addr {
	if s.a.Mode == value.NetworkHost {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	e := s.gw4
	if e == nil && len(s.eps) > 0 {
		e = s.eps[0]
	}
	if e == nil {
		return nil
	}
	var out []netip.Addr
	for _, p := range e.net.pools {
		out = append(out, p.Gateway())
	}
	return out
}

// resolv is the container's resolver settings.
func (s *Sandbox) resolv() (resolvConf, error) {
	if s.a.Mode == value.NetworkHost {
		r, err := readResolvConf(hostResolvConf)
		return r.override(&s.a), err
	}
	ipv6 := slices.ContainsFunc(s.eps, func(e *endpoint) bool { return e.ip6.IsValid() })
	r, err := hostServers(hostResolvConf, resolvedResolvConf, ipv6)
	if err != nil {
		return r, err
	}
	r = r.override(&s.a)
	if s.dns != nil {
		r.Servers = []string{resolverAddr.String()}
		if !r.ndots() {
			// The embedded server knows names without a dot, so they are asked for as they stand first.
			r.Options = append(slices.Clone(r.Options), "ndots:0")
		}
	} else if len(r.Servers) == 0 && s.a.Mode != value.NetworkNone {
		s.m.cfg.Logf("container %q: the host's resolv.conf names no server that a container can reach; set `dns`", s.a.Name)
	}
	return r, nil
}

// computeLinks works out the hosts lines of links. On user-defined networks links are names of the DNS server instead.
func (s *Sandbox) computeLinks() error {
	s.linkLines = map[string][]string{}
	if !s.onDefault() {
		return nil
	}
	for _, l := range s.a.Links {
		target := s.m.box(l.ContainerID, l.Name)
		if target == nil || len(target.eps) == 0 {
			return fmt.Errorf("link %q: the container is not on the network of this project", l.Name)
		}
		if !target.onDefault() {
			return fmt.Errorf("link %q: the container is on another network; a link without names needs both on `network: bridge`", l.Name)
		}
		s.linkLines[l.Alias] = linkLines(l, target.a.Hostname, target.a.Name, target.eps[0].addrs())
	}
	return nil
}

// onDefault reports whether the container is on the default bridge.
func (s *Sandbox) onDefault() bool { return len(s.eps) > 0 && s.eps[0].net.Default }

// relink brings the containers that link to one which has just joined up to date: its address may be another one than
// before.
func (m *Manager) relink(target *Sandbox) error {
	m.mu.RLock()
	var linkers []*Sandbox
	for _, s := range m.boxes {
		if s != nil && s != target && len(s.a.Links) > 0 {
			linkers = append(linkers, s)
		}
	}
	m.mu.RUnlock()
	var errs []error
	for _, s := range linkers {
		for _, l := range s.a.Links {
			if l.means(target) {
				errs = append(errs, s.updateLink(l, target), s.openPasses())
			}
		}
	}
	return errors.Join(errs...)
}

// means reports whether a link leads to s.
func (l Link) means(s *Sandbox) bool {
	return l.ContainerID == s.a.ContainerID || l.Name != "" && (l.Name == s.a.Name || l.Name == s.a.ContainerKey)
}

// updateLink rewrites the hosts lines of a link.
func (s *Sandbox) updateLink(l Link, target *Sandbox) error {
	s.filesMu.Lock()
	defer s.filesMu.Unlock()
	old := s.linkLines[l.Alias]
	if len(old) == 0 || !target.onDefault() {
		return nil
	}
	fresh := linkLines(l, target.a.Hostname, target.a.Name, target.eps[0].addrs())
	if slices.Equal(old, fresh) {
		return nil
	}
	b, err := os.ReadFile(s.path("hosts"))
	if err != nil {
		return fmt.Errorf("update the hosts file of container %q: %w", s.a.Name, err)
	}
	if err := writeInPlace(s.path("hosts"), replaceLines(string(b), old, fresh)); err != nil {
		return err
	}
	s.linkLines[l.Alias] = fresh
	return nil
}
