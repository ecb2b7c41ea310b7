package differential

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/go-units"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

func ourEndpoints(f section, n *schema.Network) {
	var ports, expose, links []string
	for _, p := range n.Publish.Values() {
		ports = append(ports, bindings(p)...)
	}
	f.set("ports", ports)
	for _, p := range n.Expose.Values() {
		for port := int(p.First); port <= int(p.Last); port++ {
			expose = append(expose, fmt.Sprintf("%d/%s", port, p.Proto))
		}
	}
	slices.Sort(expose)
	f.set("expose", slices.Compact(expose))
	f.list("dns", n.DNS.Values())
	f.list("dns_opt", n.DNSOptions.Values())
	f.list("dns_search", n.DNSSearch.Values())
	hosts := map[string][]string{}
	for _, h := range n.AddHosts.Values() {
		ip := h.IP.String()
		if h.Gateway {
			ip = "host-gateway"
		}
		hosts[h.Name] = append(hosts[h.Name], ip)
	}
	for name, ips := range hosts {
		f.list("extra_hosts."+name, ips)
	}
	f.put("mac_address", hardware(n.MAC.Value))
	for _, l := range n.Links.Values() {
		links = append(links, strings.TrimSuffix(l.Container+":"+l.Alias, ":"+l.Container))
	}
	f.list("links", links)
}

func ourNetworks(f section, own string, list *schema.Network) {
	for _, n := range list.Networks.Values() {
		switch n.Mode {
		case value.NetworkUser:
		case value.NetworkContainer:
			f.put("network_mode", "container:"+n.Name)
			continue
		default:
			f.put("network_mode", string(n.Mode))
			continue
		}
		at := f.in("networks." + composeNetwork(own, n.Name))
		at.put("there", "yes")
		at.set("aliases", n.Aliases)
		at.put("ipv4_address", valid(n.IP))
		at.put("ipv6_address", valid(n.IP6))
		at.put("mac_address", hardware(n.MAC))
		at.list("link_local_ips", n.LinkLocalIPs)
		at.number("gw_priority", int64(n.GWPriority))
		at.pairs("driver_opts", mapped(n.DriverOpts))
	}
}

func valid(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.String()
}

func ourMounts(f section, m *schema.Mounts) {
	for _, v := range m.Volumes.Values() {
		noCopy := ""
		if v.NoCopy {
			noCopy = "nocopy"
		}
		f.put("mounts."+v.Target, mountFact(string(v.Type), v.Source, v.ReadOnly, v.Propagation, v.Relabel, noCopy))
	}
	for _, t := range m.Tmpfs.Values() {
		f.put("mounts."+t.Target, mountFact("tmpfs", "", false, sized(t.Options)))
	}
	for _, v := range m.Mounts.Values() {
		more := []string{v.Propagation, v.Subpath, v.Recursive}
		if v.NoCopy {
			more = append(more, "nocopy")
		}
		if v.Type == value.Bind && !v.CreateSrc {
			more = append(more, "must exist")
		}
		f.put("mounts."+v.Target, mountFact(string(v.Type), v.Source, v.ReadOnly, more...))
	}
	f.put("volume_driver", m.Driver.Value)
	var from []string
	for _, v := range m.VolumesFrom.Values() {
		text := v.Container
		if v.ReadOnly {
			text += ":ro"
		}
		from = append(from, text)
	}
	f.list("volumes_from", from)
}

// sized writes the size and mode of a tmpfs as numbers.
func sized(options []string) string {
	out := slices.Clone(options)
	for i, o := range out {
		if text, ok := strings.CutPrefix(o, "size="); ok {
			if n, err := units.RAMInBytes(text); err == nil {
				out[i] = "size=" + strconv.FormatInt(n, 10)
			}
		}
		if text, ok := strings.CutPrefix(o, "mode="); ok {
			out[i] = "mode=" + strings.TrimLeft(text, "0")
		}
	}
	return strings.Join(out, ",")
}
