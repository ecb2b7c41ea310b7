package native

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/runfile/runfile/executor/network"
	"github.com/runfile/runfile/executor/ocispec"
	"github.com/runfile/runfile/executor/state"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// network returns the project's network manager. It is made when first needed: a project without networks leaves
// nothing in the kernel.
func (e *Engine) network(ctx context.Context) (*network.Manager, error) {
	e.netMu.Lock()
	defer e.netMu.Unlock()
	if e.net != nil {
		return e.net, nil
	}
	m, err := network.New(network.Config{
		Project: e.cfg.Project, RunDir: e.cfg.Paths.Net(), Logf: e.cfg.Logf,
		StateDir: e.networkState(),
	})
	if err != nil {
		return nil, fmt.Errorf("network: %w", err)
	}
	// What a supervisor that was killed has left, except for the containers that run on.
	if err := m.Sweep(ctx, e.connected()); err != nil {
		return nil, errors.Join(fmt.Errorf("network: clear up after an earlier run: %w", err), m.Close())
	}
	e.net = m
	return m, nil
}

// inheritNetwork makes the manager of a project that has needed none, so that its Close takes away what an earlier
// supervisor has left: one that is killed after it has removed the last container leaves a bridge and a table that no
// container leads to.
func (e *Engine) inheritNetwork() error {
	if _, err := os.Stat(e.networkState()); err != nil {
		return nil // the project has never had a network
	}
	_, err := e.network(context.Background())
	return err
}

// networkState is where the settings of the project's networks are kept.
func (e *Engine) networkState() string {
	return filepath.Join(e.cfg.Paths.Project(e.cfg.Project), "net")
}

// connected lists the containers whose network namespaces are in use: those that run, and those whose network a running
// one shares.
func (e *Engine) connected() []string {
	files, _ := filepath.Glob(filepath.Join(escapeGlob(e.cfg.Paths.Containers(e.cfg.Project)), "*", recordFile))
	var keep []string
	for _, f := range files {
		rec, err := state.ReadJSON[record](f)
		if err != nil || !rec.Process.alive() {
			continue
		}
		keep = append(keep, rec.Container.ID)
		if n := networkOf(rec.Container.Spec); n.Mode == value.NetworkContainer {
			keep = append(keep, peerID(&rec, n.Name))
		}
	}
	return keep
}

// EnsureNetwork implements engine.Engine.
func (e *Engine) EnsureNetwork(ctx context.Context, n *schema.NetworkDef) error {
	m, err := e.network(ctx)
	if err != nil {
		return wrap(err)
	}
	def := network.Network{
		Key: n.Key, Internal: n.Internal.Value, IPv6: n.IPv6.Value, ICC: n.ICC.Or(true), MTU: int(n.MTU.Value),
	}
	if n.Subnet.Set {
		if def.Subnet, err = netip.ParsePrefix(n.Subnet.Value); err != nil {
			return wrap(&ocispec.Error{Option: "subnet", Err: err})
		}
	}
	if n.Gateway.Set {
		if def.Gateway, err = netip.ParseAddr(n.Gateway.Value); err != nil {
			return wrap(&ocispec.Error{Option: "gateway", Err: err})
		}
	}
	return wrap(m.Ensure(ctx, def))
}

// networkOf is the container's mode: that of its first entry, bridge without one.
func networkOf(c *schema.Container) value.Network {
	if len(c.Network.Networks) == 0 {
		return value.Network{Mode: value.NetworkBridge}
	}
	return c.Network.Networks[0].Value
}

// joinNetwork gives the container its sandbox, which it keeps until it is removed: restarts find the same addresses,
// and those who share it stay connected. reuse is a process whose namespace is to be adopted; 0 makes one.
func (e *Engine) joinNetwork(ctx context.Context, c *container, reuse int) error {
	if c.sandbox != nil {
		return nil
	}
	spec := c.rec.Container.Spec
	mode := networkOf(spec)
	if mode.Mode == value.NetworkContainer {
		return e.shareNetwork(ctx, c, mode.Name, reuse)
	}
	if reuse == 0 && c.rec.Process.alive() {
		reuse = c.rec.Process.PID // it runs, but has not been adopted yet
	}
	m, err := e.network(ctx)
	if err != nil {
		return err
	}
	if mode.Mode == value.NetworkBridge {
		if err := m.Ensure(ctx, network.Network{Key: network.DefaultKey, ICC: true, Default: true}); err != nil {
			return &ocispec.Error{Option: "network", Err: err}
		}
	}
	a, err := e.attachment(c, mode.Mode)
	if err != nil {
		return err
	}
	a.ReuseNetnsPID = reuse
	if err := e.useUsers(c, &a); err != nil {
		return err
	}
	if err := os.MkdirAll(a.Dir, 0o755); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	s, err := m.Join(ctx, a)
	if err != nil {
		return &ocispec.Error{Option: "network", Err: err}
	}
	c.sandbox = s
	if reuse != 0 {
		return nil // it may have given them away
	}
	return c.own(filepath.Join(a.Dir, "hosts"), filepath.Join(a.Dir, "resolv.conf"), filepath.Join(a.Dir, "hostname"))
}

// attachment is what the network package needs to know.
func (e *Engine) attachment(c *container, mode value.NetworkMode) (network.Attach, error) {
	n := c.rec.Container.Spec.Network
	a := network.Attach{
		ContainerID: c.id, ContainerKey: c.rec.Container.Spec.Key, Name: c.rec.Container.Name,
		Hostname: c.rec.Effective.Hostname, Domainname: c.rec.Container.Spec.Namespaces.Domainname.Value, Mode: mode, AddHosts: n.AddHosts.Values(),
		DNS: n.DNS.Values(), DNSOptions: n.DNSOptions.Values(), DNSSearch: n.DNSSearch.Values(),
		Ports: n.Publish.Values(), PublishAll: n.PublishAll.Value, Expose: c.rec.Effective.Expose,
		Env: c.rec.Effective.Env, Dir: c.path("net"), Bindings: c.rec.Bindings,
	}
	for i, entry := range n.Networks.Values() {
		if mode != value.NetworkUser {
			break
		}
		na := network.Membership{
			Key: entry.Name, Aliases: entry.Aliases, IP: entry.IP, IP6: entry.IP6, MAC: entry.MAC, GWPriority: entry.GWPriority,
		}
		if i == 0 {
			if err := firstNetwork(&na, n); err != nil {
				return a, err
			}
		}
		a.Networks = append(a.Networks, na)
	}
	if mac := bridgeMAC(n); mode == value.NetworkBridge && mac != "" {
		a.Networks = []network.Membership{{Key: network.DefaultKey, MAC: mac}}
	}
	for _, l := range n.Links.Values() {
		link := network.Link{Name: l.Container, Alias: l.Alias}
		peer, err := e.peer(c, l.Container)
		switch {
		case err == nil:
			link.ContainerID, link.Name = peer.Container.ID, peer.Container.Name
		case mode != value.NetworkUser: // there a link is a name, and what it names may come later
			return a, &ocispec.Error{Option: "link", Err: err}
		}
		a.Links = append(a.Links, link)
	}
	return a, nil
}

// bridgeMAC is the hardware address on the default bridge, from the option or from the entry of network; it is not in both.
func bridgeMAC(n schema.Network) string {
	if n.MAC.Set || len(n.Networks) == 0 {
		return n.MAC.Value
	}
	return n.Networks[0].Value.MAC
}

// firstNetwork: the options ip, ip6, mac-address and network-alias belong to the first network.
func firstNetwork(na *network.Membership, n schema.Network) error {
	na.Aliases = append(na.Aliases, n.Aliases.Values()...)
	if n.MAC.Set {
		na.MAC = n.MAC.Value
	}
	var err error
	if n.IP.Set {
		if na.IP, err = netip.ParseAddr(n.IP.Value); err != nil {
			return &ocispec.Error{Option: "ip", Err: err}
		}
	}
	if n.IP6.Set {
		if na.IP6, err = netip.ParseAddr(n.IP6.Value); err != nil {
			return &ocispec.Error{Option: "ip6", Err: err}
		}
	}
	return nil
}

// shareNetwork uses the sandbox of another container, which need not run: the sandbox lives as long as its container. If
// it has none in this supervisor, the namespace is taken from the process reuse, which shares it.
func (e *Engine) shareNetwork(ctx context.Context, c *container, ref string, reuse int) error {
	owner, err := e.find(peerID(&c.rec, ref))
	if errors.Is(err, errNoContainer) {
		return e.borrowNetwork(c, ref)
	}
	if err != nil {
		return &ocispec.Error{Option: "network", Err: err}
	}
	if owner == c {
		return &ocispec.Error{Option: "network", Err: errors.New("a container cannot share its own network")}
	}
	owner.mu.Lock()
	defer owner.mu.Unlock()
	if err := c.sameUsers("network", &owner.rec); err != nil {
		return err
	}
	if owner.rec.Process.alive() {
		reuse = 0
	}
	if err := e.joinNetwork(ctx, owner, reuse); err != nil {
		return err
	}
	c.sandbox = owner.sandbox.Share(c.id)
	return nil
}

// foreignNetwork is the network of a container of another project. Its supervisor keeps it; we only join.
type foreignNetwork struct {
	netns string // of the running process
	dir   string // of its files hosts, resolv.conf and hostname
}

// borrowNetwork joins a running container of another project.
func (e *Engine) borrowNetwork(c *container, ref string) error {
	owner, err := e.findRecord(peerID(&c.rec, ref))
	if err == nil && !owner.Process.alive() {
		err = fmt.Errorf("container %q is not running", ref)
	}
	if err != nil {
		return &ocispec.Error{Option: "network", Err: err}
	}
	if err := c.sameUsers("network", &owner); err != nil {
		return err
	}
	c.foreign = &foreignNetwork{
		netns: fmt.Sprintf("/proc/%d/ns/net", owner.Process.PID),
		dir:   filepath.Join(e.cfg.Paths.Container(owner.Container.Project, owner.Container.ID), "net"),
	}
	return nil
}
