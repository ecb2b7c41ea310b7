package network

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// inherit takes over what a dead predecessor of the same project left on the host: bridges with their settings, and the
// ports that its containers publish.
func (m *Manager) inherit() error {
	s, err := m.k.Survey(m.cfg.tableName())
	if err != nil {
		return err
	}
	for _, p := range s.Ports {
		m.carried[p.key()] = p
	}
	byLink := map[string]*bridge{}
	for _, l := range s.Links {
		_, key, ok := m.cfg.splitAlias(l.Alias)
		if !ok || l.Name != m.cfg.bridgeName(key) {
			continue
		}
		if b := m.inheritBridge(l, key); b != nil {
			m.nets[key], byLink[l.Name] = b, b
		} else if err := m.k.DelLink(l.Name); err != nil { // half made
			return err
		}
	}
	for _, l := range s.Links {
		id, _, ok := m.cfg.splitAlias(l.Alias)
		if b := byLink[l.Master]; ok && b != nil && id != "" {
			m.orphans[id] = append(m.orphans[id], l.Name)
			b.orphans[id] = true
		}
	}
	return nil
}

// inheritBridge returns nil for a bridge whose settings are not known or are not what the kernel has.
func (m *Manager) inheritBridge(l HostLink, key string) *bridge {
	s, ok := m.load(key)
	if !ok || len(s.Subnets) != len(l.Addrs) {
		return nil
	}
	for _, a := range l.Addrs {
		if !slices.Contains(s.Subnets, a.Masked()) {
			return nil
		}
	}
	b := &bridge{
		Network: s.Network, link: l.Name, mtu: s.MTU,
		orphans: map[string]bool{}, users: map[string]string{}, names: map[string][]*endpoint{},
	}
	if b.openPools(m, s.Subnets, s.Gateways) != nil {
		return nil
	}
	return b
}

// Sweep removes what a dead predecessor left, but for the containers whose ids are in keep and those joined since: links,
// leases, ports, and networks that nobody has asked for again.
func (m *Manager) Sweep(ctx context.Context, keep []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.changes.Lock()
	defer m.changes.Unlock()
	nets, kept, links := m.sweepOrphans(keep)
	var errs []error
	for _, l := range links {
		errs = append(errs, m.k.DelLink(l))
	}
	live := map[string]bool{} // addresses of kept containers
	for _, b := range nets {
		errs = append(errs, sweepLeases(b, kept, live))
		if !b.wanted && len(m.users(b)) == 0 {
			errs = append(errs, m.dropBridge(b))
		}
	}
	m.rulesMu.Lock()
	for k, p := range m.carried {
		if !live[p.Target.Addr().String()] {
			delete(m.carried, k)
		}
	}
	m.rulesMu.Unlock()
	return errors.Join(append(errs, m.writeRules(), m.closeForward())...)
}

// Inherited reports whether a dead predecessor connected the container and nobody has joined it since.
func (m *Manager) Inherited(id string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	_, ok := m.orphans[id]
	return ok
}

// sweepOrphans forgets the containers that are not to be kept and returns their links.
func (m *Manager) sweepOrphans(keep []string) (nets []*bridge, kept map[string]bool, links []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept = map[string]bool{}
	for _, id := range keep {
		kept[id] = true
	}
	for id := range m.boxes {
		kept[id] = true
	}
	for id, names := range m.orphans {
		if !kept[id] {
			links = append(links, names...)
			delete(m.orphans, id)
		}
	}
	for _, b := range m.nets {
		nets = append(nets, b)
	}
	return nets, kept, links
}

func sweepLeases(b *bridge, kept, live map[string]bool) error {
	var errs []error
	for _, p := range b.pools {
		leases, err := p.List()
		errs = append(errs, err)
		for a, l := range leases {
			if kept[l.Container] {
				live[a.String()] = true
			} else {
				errs = append(errs, p.Release(a))
			}
		}
	}
	return errors.Join(errs...)
}

// LeftBehind lists what exists of a project on this host, one line each: links, packet rules, leases. After Close of its
// last manager without open sandboxes the list is empty, but for veths that the kernel is still destroying.
func LeftBehind(cfg Config) ([]string, error) {
	k, err := openLinux()
	if err != nil {
		return nil, err
	}
	defer func() { _ = k.close() }()
	s, err := k.Survey(cfg.tableName())
	if err != nil {
		return nil, err
	}
	var out []string
	bridges := map[string]bool{}
	for _, l := range s.Links {
		if _, key, ok := cfg.splitAlias(l.Alias); ok && l.Name == cfg.bridgeName(key) {
			bridges[l.Name] = true
			out = append(out, fmt.Sprintf("bridge %s (%s)", l.Name, l.Alias))
		}
	}
	for _, l := range s.Links {
		if _, _, ok := cfg.splitAlias(l.Alias); ok && !isBridge(l.Name) && (bridges[l.Master] || l.Master == "") {
			out = append(out, fmt.Sprintf("link %s (%s)", l.Name, l.Alias))
		}
	}
	if s.HasTable {
		out = append(out, "table inet "+cfg.tableName())
	}
	leases, err := filepath.Glob(filepath.Join(cfg.RunDir, "leases", linkPrefix+strings.Repeat("?", bridgeHash), "*"))
	if err != nil {
		return nil, fmt.Errorf("list leases: %w", err)
	}
	for _, path := range leases {
		b, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(b), fmt.Sprintf("%q", cfg.Project)) {
			out = append(out, "lease "+path)
		}
	}
	sort.Strings(out)
	return out, nil
}
