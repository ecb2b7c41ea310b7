package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/network/ipam"
)

// Manager owns the network of one project. Its methods are safe for concurrent use.
//
// Locks are taken in the order changes, Sandbox.mu, rulesMu, mu.
type Manager struct {
	cfg         Config
	k           Kernel
	closeKernel func() error

	changes sync.Mutex // held while networks are made or removed
	closed  bool       // guarded by changes

	mu      sync.RWMutex
	nets    map[string]*bridge  // by key
	boxes   map[string]*Sandbox // by container id
	bound   map[portKey]string  // host ports held -> container name
	orphans map[string][]string // container id -> veths that a dead predecessor made and nobody has adopted yet

	rulesMu sync.Mutex
	ports   map[portKey]Port  // published by sandboxes
	carried map[portKey]Port  // published by a predecessor; they work on until their container is adopted or swept
	passes  map[string][]Pass // by the id of the linking container
}

// portKey is what a port is unique by.
type portKey struct {
	host  netip.AddrPort
	proto string
}

func (p Port) key() portKey { return portKey{p.Host, p.Proto} }

// New returns the manager of a project on the host whose network namespace the calling process is in. What a dead
// predecessor left goes on working until Join adopts it or Sweep removes it.
func New(cfg Config) (*Manager, error) {
	k, err := openLinux()
	if err != nil {
		return nil, err
	}
	m, err := newManager(cfg, k, k.close)
	if err != nil {
		return nil, errors.Join(err, k.close())
	}
	return m, nil
}

func newManager(cfg Config, k Kernel, closeKernel func() error) (*Manager, error) {
	if cfg.Logf == nil {
		cfg.Logf = func(string, ...any) {}
	}
	m := &Manager{
		cfg: cfg, k: k, closeKernel: closeKernel,
		nets: map[string]*bridge{}, boxes: map[string]*Sandbox{}, bound: map[portKey]string{}, orphans: map[string][]string{},
		ports: map[portKey]Port{}, carried: map[portKey]Port{}, passes: map[string][]Pass{},
	}
	if err := m.inherit(); err != nil {
		return nil, fmt.Errorf("read what an earlier run left: %w", err)
	}
	return m, nil
}

// hostLock serialises what projects could both take. The lock is on the network namespace itself: it covers exactly those
// that share its subnets and chains, whatever directories they use, and the kernel drops it with the process.
func hostLock() (unlock func(), err error) {
	f, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("lock the host's network: %w", err)
	}
	for {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the host's network: %w", err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// Ensure makes the network if it does not exist. A network that exists with other settings is made anew, unless a
// container uses it.
func (m *Manager) Ensure(ctx context.Context, n Network) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.changes.Lock()
	defer m.changes.Unlock()
	if b := m.network(n.Key); b != nil {
		if b.Network == n {
			b.wanted = true
			return nil
		}
		if users := m.users(b); len(users) > 0 {
			return fmt.Errorf("network %q exists with other settings and is used by %s; remove them first", n.Key, strings.Join(users, ", "))
		}
		if err := m.dropBridge(b); err != nil {
			return err
		}
	}
	b, err := m.makeBridge(n)
	if err != nil {
		return fmt.Errorf("network %q: %w", n.Key, err)
	}
	m.mu.Lock()
	m.nets[n.Key] = b
	m.mu.Unlock()
	if err := m.writeRules(); err != nil {
		return errors.Join(fmt.Errorf("network %q: %w", n.Key, err), m.dropBridge(b))
	}
	return nil
}

func (m *Manager) network(key string) *bridge {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.nets[key]
}

// users names the containers that have an endpoint on b.
func (m *Manager) users(b *bridge) []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []string
	for _, name := range b.users {
		out = append(out, fmt.Sprintf("container %q", name))
	}
	for id := range m.orphans {
		if b.orphans[id] {
			out = append(out, "container "+shortID(id))
		}
	}
	slices.Sort(out)
	return out
}

func shortID(id string) string { return id[:min(12, len(id))] }

// RemoveNetwork removes a network and forgets its subnet and addresses. It fails while containers have endpoints on it;
// a network that does not exist is no error.
func (m *Manager) RemoveNetwork(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.changes.Lock()
	defer m.changes.Unlock()
	if b := m.network(key); b != nil {
		if users := m.users(b); len(users) > 0 {
			return fmt.Errorf("network %q is used by %s", key, strings.Join(users, ", "))
		}
		if err := m.dropBridge(b); err != nil {
			return err
		}
		if err := errors.Join(m.writeRules(), m.closeForward()); err != nil {
			return err
		}
	}
	return errors.Join(os.RemoveAll(m.nameDir(key)), os.RemoveAll(m.savedPath(key)))
}

// dropBridge deletes the bridge and its leases. Its rules go with the next writeRules.
func (m *Manager) dropBridge(b *bridge) error {
	m.mu.Lock()
	delete(m.nets, b.Key)
	m.mu.Unlock()
	return errors.Join(m.k.DelLink(b.link), os.RemoveAll(m.leaseDir(b.link)))
}

// closeForward takes our rules out of the host's FORWARD chains when no project has a bridge any more.
func (m *Manager) closeForward() error {
	unlock, err := hostLock()
	if err != nil {
		return err
	}
	defer unlock()
	s, err := m.k.Survey(m.cfg.tableName())
	if err != nil {
		return err
	}
	if slices.ContainsFunc(s.Links, func(l HostLink) bool { return isBridge(l.Name) }) {
		return nil
	}
	_, err = m.k.OpenForward(false)
	return err
}

// isBridge tells our bridges by name from our veths, which outlive their namespace by a moment.
func isBridge(link string) bool {
	return strings.HasPrefix(link, linkPrefix) && !strings.HasPrefix(link, vethPrefix) && len(link) == len(linkPrefix)+bridgeHash
}

// Forget drops the addresses remembered for a container that will not come back.
func (m *Manager) Forget(name string) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, b := range m.nets {
		for _, p := range b.pools {
			p.Forget(name)
		}
	}
}

// Close ends the manager. Containers that are started keep their namespaces, addresses and rules, for a successor to
// adopt, but names and ports on loopback addresses stop working. The sandboxes of others are closed: nothing but this
// process keeps their namespaces. When no container is started, everything of the project is removed from the host.
func (m *Manager) Close() error {
	m.changes.Lock()
	defer m.changes.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	m.mu.RLock()
	var boxes []*Sandbox
	for _, s := range m.boxes {
		if s != nil {
			boxes = append(boxes, s)
		}
	}
	m.mu.RUnlock()
	var errs []error
	for _, s := range boxes {
		errs = append(errs, s.end())
	}
	m.mu.RLock()
	busy := len(m.boxes)+len(m.orphans) > 0
	m.mu.RUnlock()
	if !busy {
		errs = append(errs, m.dropAll())
	}
	return errors.Join(append(errs, m.closeKernel())...)
}

func (m *Manager) dropAll() error {
	m.mu.RLock()
	var nets []*bridge
	for _, b := range m.nets {
		nets = append(nets, b)
	}
	m.mu.RUnlock()
	if len(nets) == 0 {
		return nil
	}
	var errs []error
	for _, b := range nets {
		errs = append(errs, m.dropBridge(b))
	}
	return errors.Join(append(errs, m.writeRules(), m.closeForward())...)
}

// writeRules puts the table in the state that nets and ports describe, in one transaction; without a network there is no
// table.
func (m *Manager) writeRules() error {
	m.rulesMu.Lock()
	defer m.rulesMu.Unlock()
	return m.writeRulesLocked()
}

func (m *Manager) writeRulesLocked() error {
	var r Ruleset
	m.mu.RLock()
	for _, b := range m.nets {
		r.Networks = append(r.Networks, b.rules())
	}
	m.mu.RUnlock()
	c := Change{Table: m.cfg.tableName(), Drop: len(r.Networks) == 0}
	if c.Drop {
		return m.k.Apply(c)
	}
	slices.SortFunc(r.Networks, func(a, b RuleNetwork) int { return strings.Compare(a.Bridge, b.Bridge) })
	for _, set := range []map[portKey]Port{m.carried, m.ports} {
		for _, p := range set {
			r.Ports = append(r.Ports, p)
		}
	}
	slices.SortFunc(r.Ports, func(a, b Port) int { return strings.Compare(a.String(), b.String()) })
	for _, p := range m.passes {
		r.Passes = append(r.Passes, p...)
	}
	c.Replace = &r
	return m.k.Apply(c)
}

// String prints a port as people read it.
func (p Port) String() string { return fmt.Sprintf("%s/%s -> %s", p.Host, p.Proto, p.Target) }

// publish adds and removes ports in one transaction.
func (m *Manager) publish(add, del []Port) error {
	if len(add)+len(del) == 0 {
		return nil
	}
	m.rulesMu.Lock()
	defer m.rulesMu.Unlock()
	rewrite := false
	for _, p := range add {
		if old, ok := m.carried[p.key()]; ok {
			rewrite = rewrite || old != p // an element cannot be changed by adding it
			delete(m.carried, p.key())
		}
		m.ports[p.key()] = p
	}
	for _, p := range del {
		delete(m.ports, p.key())
	}
	if rewrite {
		return m.writeRulesLocked()
	}
	return m.changeLocked(Change{Add: add, Del: del})
}

// changeLocked applies a small change. Where the table or an element is missing, another program has flushed the host's
// rules, and the table is written anew.
func (m *Manager) changeLocked(c Change) error {
	c.Table = m.cfg.tableName()
	err := m.k.Apply(c)
	if errors.Is(err, unix.ENOENT) {
		return m.writeRulesLocked()
	}
	return err
}

func (m *Manager) leaseDir(link string) string { return filepath.Join(m.cfg.RunDir, "leases", link) }

func (m *Manager) nameDir(key string) string {
	return filepath.Join(m.cfg.StateDir, "addresses", escape(key))
}

func (m *Manager) savedPath(key string) string {
	return filepath.Join(m.cfg.StateDir, "networks", escape(key)+".json")
}

// hostUsed is what a new subnet must not overlap.
func hostUsed(s *Survey, link string) []ipam.Used {
	used := slices.DeleteFunc(slices.Clone(s.Used), func(u ipam.Used) bool { return strings.HasSuffix(u.By, " "+link) })
	if f, err := os.Open(hostResolvConf); err == nil {
		used = append(used, ipam.Nameservers(f)...)
		_ = f.Close()
	}
	return used
}
