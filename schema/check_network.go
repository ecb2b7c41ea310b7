package schema

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema/value"
)

// networkMode is the class of a container's network and where it says so; without an entry it is bridge.
func networkMode(c *Container) (value.NetworkMode, diag.Range) {
	if n := c.Network.Networks; len(n) > 0 {
		return n[0].Value.Mode, n[0].At
	}
	return value.NetworkBridge, diag.Range{}
}

// networkClass allows one of the built-in modes, or any number of user-defined networks.
func (k *checker) networkClass(c *Container) {
	list := c.Network.Networks
	seen := map[string]diag.Range{}
	for i := range list {
		first := list[0]
		if i > 0 && (first.Value.Mode != value.NetworkUser || list[i].Value.Mode != value.NetworkUser) {
			k.conflict(c, "network "+networkText(list[i].Value), list[i].At, "network "+networkText(first.Value), first.At,
				"only user-defined networks can be combined").WithHelp("keep one of them")
			return
		}
		name := list[i].Value.Name
		if before, twice := seen[name]; twice {
			k.diags.Errorf(CodeDuplicateEntry, list[i].At, "%s names the network %q twice", who(c), name).
				Also(before, "first here").WithHelp("remove one of them")
			continue
		}
		seen[name] = list[i].At
	}
}

func networkText(n value.Network) string {
	if n.Mode == value.NetworkUser {
		return n.Name
	}
	return value.NetworkSyntax().Text(n)
}

// modeRule says in which network modes an option is wrong or without effect.
type modeRule struct {
	option          string
	errors, warning string // modes, separated by blanks
}

var modeRules = []modeRule{
	{"hostname", "container", ""},
	{"add-host", "container", ""},
	{"dns", "container", ""},
	{"dns-search", "container", ""},
	{"dns-option", "container", ""},
	{"link", "host none container", ""},
	{"network-alias", "bridge host none container", ""},
	{"ip", "bridge host none container", ""},
	{"ip6", "bridge host none container", ""},
	{"mac-address", "host none container", ""},
	{"link-local-ip", "host none container", ""},
	{"domainname", "container", ""},
	{"publish", "container", "host none"},
	{"publish-all", "container", "host none"},
	{"expose", "container", ""},
}

// networkModes applies the matrix of options and network modes.
func (k *checker) networkModes(c *Container) {
	mode, at := networkMode(c)
	for _, r := range modeRules {
		v, ok := given(c, r.option)
		if !ok {
			continue
		}
		var d *diag.Diagnostic
		switch {
		case slices.Contains(strings.Fields(r.errors), string(mode)):
			d = k.diags.Errorf(CodeNetworkMode, v.At, "%s: %s does not work with network %s", who(c), r.option, modeText(c, mode))
		case slices.Contains(strings.Fields(r.warning), string(mode)):
			d = k.diags.Warnf(CodeNoEffect, v.At, "%s: %s has no effect with network %s", who(c), r.option, mode)
		default:
			continue
		}
		if !at.IsZero() {
			d.Also(at, "the network")
		}
		d.WithHelp("%s", modeHelp(c, r.option, v.At, mode))
	}
}

func modeText(c *Container, mode value.NetworkMode) string {
	if mode == value.NetworkContainer {
		return "container:" + c.Network.Networks[0].Value.Name
	}
	return string(mode)
}

func modeHelp(c *Container, option string, at diag.Range, mode value.NetworkMode) string {
	switch mode {
	case value.NetworkContainer:
		return fmt.Sprintf("drop %s here and set it on %q, which owns the network", option, c.Network.Networks[0].Value.Name)
	case value.NetworkBridge:
		return "add a user-defined network: " + assign(at, "network", "NAME")
	case value.NetworkNone, value.NetworkHost, value.NetworkUser:
	}
	return "remove " + option
}

// networkEntries demands that what concerns the first network is said once.
func (k *checker) networkEntries(c *Container) {
	if len(c.Network.Networks) == 0 {
		return
	}
	first := c.Network.Networks[0]
	twice := func(option string, inEntry bool) {
		if v, ok := given(c, option); ok && inEntry {
			k.conflict(c, option, v.At, "the entry of network", first.At, "both are for the first network").
				WithHelp("keep the one in the entry")
		}
	}
	twice("ip", first.Value.IP.IsValid())
	twice("ip6", first.Value.IP6.IsValid())
	twice("mac-address", first.Value.MAC != "")
	twice("network-alias", len(first.Value.Aliases) > 0)
	twice("link-local-ip", len(first.Value.LinkLocalIPs) > 0)
	if v, ok := given(c, "publish"); ok && first.Value.Mode == value.NetworkUser && k.allInternal(c) {
		k.diags.Warnf(CodeNoEffect, v.At, "%s: publish has no effect on an internal network", who(c)).
			Also(first.At, "the network").WithHelp("remove publish, or add a network that is not internal")
	}
}

func (k *checker) allInternal(c *Container) bool {
	for _, n := range c.Network.Networks {
		if d := k.index.networks[n.Value.Name]; d == nil || !d.Internal.Value {
			return false
		}
	}
	return true
}

func (k *checker) linkAliases(c *Container) {
	seen := map[string]Item[value.Link]{}
	for _, l := range c.Network.Links {
		if first, twice := seen[l.Value.Alias]; twice {
			k.diags.Errorf(CodeDuplicateEntry, l.At, "%s has two links called %q", who(c), l.Value.Alias).
				Also(first.At, "first here").WithHelp("give one another alias: %s:ALIAS", l.Value.Container)
			continue
		}
		seen[l.Value.Alias] = l
	}
}

// subnets checks the section networks by itself.
func (k *checker) subnets() {
	var subnets []netip.Prefix
	var owners []*NetworkDef
	for _, n := range k.p.Networks {
		if slices.Contains([]string{"bridge", "default", "none", "host"}, n.Key) {
			k.diags.Errorf(CodeBadName, n.At, "%q is a network mode and cannot be a network's name", n.Key).
				WithHelp("choose another name")
		}
		subnet, ok := prefixOf(n)
		if g := n.Gateway; g.Set {
			switch addr, err := netip.ParseAddr(g.Value); {
			case !n.Subnet.Set:
				k.diags.Errorf(CodeNeeds, g.At, "network %q: gateway needs a subnet", n.Key).WithHelp("add %s", assign(g.At, "subnet", "ADDRESS/BITS"))
			case err == nil && ok && (!subnet.Contains(addr) || addr == subnet.Addr() || addr == broadcast(subnet)):
				k.diags.Errorf(CodeBadAddress, g.At, "network %q: the gateway %s is not an address for a machine in %s", n.Key, g.Value, subnet).
					Also(n.Subnet.At, "the subnet").WithHelp("write %s", assign(g.At, "gateway", subnet.Addr().Next().String()))
			}
		}
		if !ok {
			continue
		}
		if i := slices.IndexFunc(subnets, subnet.Overlaps); i >= 0 {
			other := owners[i]
			k.diags.Errorf(CodeDuplicateAddress, n.Subnet.At, "the subnets of the networks %q and %q overlap", n.Key, other.Key).
				Also(other.Subnet.At, "the other subnet").WithHelp("choose another subnet, or remove it to get a free one")
		}
		subnets, owners = append(subnets, subnet), append(owners, n)
	}
}

func prefixOf(n *NetworkDef) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(n.Subnet.Value)
	return p, err == nil
}

// broadcast is the last address of an IPv4 subnet; IPv6 has none, and the zero Addr equals no other.
func broadcast(p netip.Prefix) netip.Addr {
	if !p.Addr().Is4() {
		return netip.Addr{}
	}
	b := p.Masked().Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom4(b)
}

// endpoint is an address that a container asks for on a network.
type endpoint struct {
	c       *Container
	network string
	option  string // ip, ip6 or mac-address
	text    string
	at      diag.Range
}

func endpoints(c *Container) []endpoint {
	var out []endpoint
	for i, n := range c.Network.Networks {
		if n.Value.Mode != value.NetworkUser {
			continue
		}
		add := func(option, text string, at diag.Range) {
			if text != "" {
				out = append(out, endpoint{c, n.Value.Name, option, text, at})
			}
		}
		if i == 0 {
			add("ip", c.Network.IP.Value, c.Network.IP.At)
			add("ip6", c.Network.IP6.Value, c.Network.IP6.At)
			add("mac-address", c.Network.MAC.Value, c.Network.MAC.At)
		}
		if n.Value.IP.IsValid() {
			add("ip", n.Value.IP.String(), n.At)
		}
		if n.Value.IP6.IsValid() {
			add("ip6", n.Value.IP6.String(), n.At)
		}
		add("mac-address", n.Value.MAC, n.At)
	}
	return out
}

// addresses checks fixed addresses against their networks and against each other.
func (k *checker) addresses() {
	seen := map[[2]string]endpoint{}
	for _, c := range k.p.Containers {
		for _, e := range endpoints(c) {
			if e.option != "mac-address" {
				k.inSubnet(e)
			}
			key := [2]string{e.network, e.text}
			if first, twice := seen[key]; twice && first.c != c {
				k.diags.Errorf(CodeDuplicateAddress, e.at, "the containers %q and %q have the same %s on the network %q",
					c.Key, first.c.Key, e.option, e.network).Also(first.at, "first here").WithHelp("change one of them")
				continue
			}
			seen[key] = e
		}
	}
}

// inSubnet demands a declared subnet that has the address to give away.
func (k *checker) inSubnet(e endpoint) {
	n := k.index.networks[e.network]
	if n == nil {
		return
	}
	subnet, ok := prefixOf(n)
	addr, err := netip.ParseAddr(e.text)
	if err != nil {
		return
	}
	if !ok || subnet.Addr().Is4() != addr.Is4() {
		d := k.diags.Errorf(CodeNeeds, e.at, "%s: %s needs a network with a subnet of its own, and %q has none of that family", who(e.c), e.option, e.network).
			WithHelp("add a network of that subnet: %s, with %s in it", entry(e.at, "networks", e.network, "subnet", "ADDRESS/BITS"), e.text)
		if !n.Implicit {
			d.Also(n.At, "the network")
		}
		return
	}
	gateway := subnet.Addr().Next()
	if n.Gateway.Set {
		gateway, _ = netip.ParseAddr(n.Gateway.Value) // its parser has taken it
	}
	problem := ""
	switch {
	case !subnet.Contains(addr):
		problem = "lies outside the subnet " + subnet.String()
	case addr == subnet.Addr():
		problem = "is the address of the subnet itself"
	case addr == broadcast(subnet):
		problem = "is the broadcast address of the subnet"
	case addr == gateway:
		problem = "is the gateway's address"
	default:
		return
	}
	k.diags.Errorf(CodeBadAddress, e.at, "%s: the %s %s %s", who(e.c), e.option, e.text, problem).
		Also(n.Subnet.At, "the subnet").WithHelp("choose another address of %s", subnet)
}
