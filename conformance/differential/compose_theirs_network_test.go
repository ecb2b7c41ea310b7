package differential

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

func theirEndpoints(f section, s *types.ServiceConfig) {
	var ports []string
	for _, p := range s.Ports {
		ip, err := netip.ParseAddr(p.HostIP)
		if err != nil && p.HostIP != "" {
			ports = append(ports, p.HostIP)
		}
		ports = append(ports, binding(ip, p.Published, fmt.Sprintf("%d/%s", p.Target, p.Protocol)))
	}
	f.set("ports", ports)
	f.set("expose", exposed(s.Expose))
	f.list("dns", s.DNS)
	f.list("dns_opt", s.DNSOpts)
	f.list("dns_search", s.DNSSearch)
	for name, ips := range s.ExtraHosts {
		f.list("extra_hosts."+name, ips)
	}
	f.put("mac_address", hardware(s.MacAddress))
	var links []string
	for _, text := range s.Links {
		name, alias, _ := strings.Cut(text, ":")
		links = append(links, strings.TrimSuffix(name+":"+cmp.Or(alias, name), ":"+name))
	}
	f.list("links", links)
	f.list("external_links", s.ExternalLinks)
}

// exposed is a list of ports with their protocols, ranges taken apart.
func exposed(list []string) (out []string) {
	for _, text := range list {
		ports, proto, ok := strings.Cut(text, "/")
		if !ok {
			proto = "tcp"
		}
		first, last, isRange := strings.Cut(ports, "-")
		if !isRange {
			last = first
		}
		var a, b int
		if _, err := fmt.Sscan(first, &a); err != nil {
			return append(out, text)
		}
		if _, err := fmt.Sscan(last, &b); err != nil {
			return append(out, text)
		}
		for n := a; n <= b; n++ {
			out = append(out, fmt.Sprintf("%d/%s", n, proto))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// hardware is a MAC address as it is written mostly.
func hardware(text string) string { return strings.ToLower(strings.ReplaceAll(text, "-", ":")) }

func theirNetworks(f section, s *types.ServiceConfig) {
	if s.NetworkMode == "default" { // the daemon's word for its bridge
		s.NetworkMode = "bridge"
	}
	f.put("network_mode", strings.Replace(s.NetworkMode, "service:", "container:", 1))
	for name, n := range s.Networks {
		at := f.in("networks." + name)
		at.put("there", "yes")
		if n == nil {
			continue
		}
		at.set("aliases", n.Aliases)
		at.put("ipv4_address", n.Ipv4Address)
		at.put("ipv6_address", n.Ipv6Address)
		at.put("mac_address", hardware(n.MacAddress))
		at.list("link_local_ips", n.LinkLocalIPs)
		at.number("priority", int64(n.Priority))
		at.number("gw_priority", int64(n.GatewayPriority))
		at.put("interface_name", n.InterfaceName)
		at.pairs("driver_opts", n.DriverOpts)
		at.no("use_service_name_alias", n.ServiceNameAliasEnabled())
	}
}
