package differential

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/docker/cli/opts"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

var addresses = words(`
	1.2.3.4 01.2.3.4 1.2.3 1.2.3.4.5 256.1.1.1 1.2.3.4/24 ::1 :: fd00::1 FD00::1 fd00:0:0:0:0:0:0:1 ::ffff:1.2.3.4
	fe80::1%eth0 [::1] [1.2.3.4] 169.254.1.1 fe80::9 0.0.0.0 localhost ''`)

// onNetwork hands a text over as a flag of a container on a network of its own.
func onNetwork(name string) func(text string) []string {
	return func(text string) []string { return []string{"--network", "back", "--" + name, text, "alpine"} }
}

var networkSyntaxes = []syntax{
	{
		name: "publish", args: option("publish"),
		texts: all(
			each(words("'' 127.0.0.1: [::1]: ::1: 0.0.0.0: [::]: localhost: : fe80::1%eth0: 01.2.3.4: [127.0.0.1]:"),
				words("'' 8080: 8000-8002: 0: : 65536:"),
				words("80 80-82"),
				words("'' /tcp /UDP /sctp")),
			each(words("80 0 65535 65536 -1 +80 08 0x50 80- -80 82-80 80-80 a 8o ''"), words("'' / /udp /foo /tcp/udp")),
			each(words("8080 8000-8010 8000-8001 0 0-2 8002-8000 +8080 -1 x 65535-65536"), text(":"), words("80 80-82 80-81 '' x")),
			words(`
				8080/udp:80 8080:80:90:100 1.2.3.4:8080:5.6.7.8:80 :8080:5.6.7.8:80 1.2.3.4:8080:0.0.0.0:80 1.2.3.4:80:90
				1-65535:1-65535 1.2.3.4 [::1:80:80 ::1]:80:80 [::1]:80 []:80:80`),
			words(`
				published=8080,target=80 published=8080,target=80,protocol=udp target=80 published=80 target=80,protocol=UDP
				target=80-82,published=8000-8002 target=80,mode=host target= =80 target=80,x published=127.0.0.1:80,target=80
				target=80,target=81 target=80,published=`),
			[]string{" 80", "80 ", "8080 :80", "8080: 80", "80 /tcp"}),
		docker: func(r *request) (string, error) {
			var list []string
			for port, bindings := range r.HostConfig.PortBindings {
				for _, b := range bindings {
					list = append(list, binding(b.HostIP, b.HostPort, port.String()))
				}
			}
			slices.Sort(list)
			return strings.Join(list, ", "), nil
		},
		runfile: func(c *schema.Container) (string, error) {
			list := bindings(c.Network.Publish[0].Value)
			slices.Sort(list)
			return strings.Join(list, ", "), nil
		},
	},
	{
		name: "expose", args: option("expose"),
		texts: all(
			each(words("80 0 1 65535 65536 80-82 82-80 80-80 0-2 -80 80- a ''"),
				words("'' / /tcp /udp /UDP /sctp /foo")),
			words("1.2.3.4:80 8080:80 080 +80 80/tcp/udp 80,81"),
			[]string{" 80", "80 "}),
		docker: func(r *request) (string, error) {
			var list []string
			for port := range r.Config.ExposedPorts {
				list = append(list, port.String())
			}
			slices.Sort(list)
			return strings.Join(list, " "), nil
		},
		runfile: func(c *schema.Container) (string, error) {
			var list []string
			e := c.Network.Expose[0].Value
			for port := int(e.First); port <= int(e.Last); port++ {
				list = append(list, fmt.Sprintf("%d/%s", port, e.Proto))
			}
			slices.Sort(list)
			return strings.Join(list, " "), nil
		},
	},
	{
		name: "network", args: option("network"),
		texts: all(
			words(`
				bridge default none host container:db container: container:a:b back Back back.end back-end _back -back a/b a:b ''
				BRIDGE Host nat`),
			each(words("name=back name=Back name=bridge name= name=host name=container:db ''"), words(`
				'' ,alias=a ,alias=a,alias=B ,ip=172.20.0.5 ,ip=::1 ,ip6=fd00::5 ,ip6=1.2.3.4 ,ip=x ,mac-address=92:d0:c6:0a:29:33
				,mac-address=x ,gw-priority=5 ,gw-priority=-5 ,gw-priority=x ,link-local-ip=169.254.1.1 ,link-local-ip=fe80::1
				,link-local-ip=10.0.0.1 ,driver-opt=a=b ,driver-opt=a ,driver-opt=A=B ,foo=1 ,alias ,alias=`)),
			words(`
				alias=a,name=back NAME=back name=a,name=b ip=1.2.3.4 ip6=fd00::1,name=b name=back,ALIAS=a
				name=back,mac-address=92-d0-c6-0a-29-33 name=back,mac-address=92:d0:c6:0a:29:33:44:55 name=back,ip=01.2.3.4
				name=back,gw-priority=+5 name=back,gw-priority=0x5 name=back,ip=1.2.3.4,ip=1.2.3.5 "name=back",alias=a
				"name=back,alias=a" name=back,"driver-opt=a=b,c" name=back,ip=::ffff:1.2.3.4`),
			[]string{"name=back, alias=a", " back", "back ", "a b", "name=back,alias= a", "name = back"}),
		docker: dockerNetwork,
		runfile: func(c *schema.Container) (string, error) {
			return runfileNetwork(c.Network.Networks[0].Value, nil), nil
		},
	},
	{
		name: "link", args: option("link"),
		texts: all(each(words("db /db //db a/b a.b ''"), words("'' : :alias :db :a.b :a:b :/me/alias :/me/")), []string{"db:a b", " db", "db :a", "a b"}),
		docker: func(r *request) (string, error) {
			name, alias, err := opts.ParseLink(r.HostConfig.Links[0])
			return name + " " + alias, err
		},
		runfile: func(c *schema.Container) (string, error) {
			l := c.Network.Links[0].Value
			return l.Container + " " + l.Alias, nil
		},
	},
	{
		name: "add-host", args: option("add-host"),
		texts: all(
			each(words("db a_b.c a..b ''"),
				words(": ="),
				append(slices.Clone(addresses), "host-gateway", "host-gatewy", "HOST-GATEWAY")),
			words("db a:b=1.2.3.4 -a:1.2.3.4 é:1.2.3.4"),
			[]string{"a b:1.2.3.4", "db: 1.2.3.4", "db:1.2.3.4 "}),
		docker: func(r *request) (string, error) {
			name, ip, _ := strings.Cut(r.HostConfig.ExtraHosts[0], ":")
			return name + " " + oneAddress(ip), nil
		},
		runfile: func(c *schema.Container) (string, error) {
			h := c.Network.AddHosts[0].Value
			if h.Gateway {
				return h.Name + " host-gateway", nil
			}
			return h.Name + " " + h.IP.String(), nil
		},
	},
	{
		name: "dns", args: option("dns"), texts: all(addresses, words("1.1.1.1:53 1.1.1.1,8.8.8.8"), []string{" 1.1.1.1", "1.1.1.1 "}),
		docker:  func(r *request) (string, error) { return fmt.Sprint(r.HostConfig.DNS), nil },
		runfile: func(c *schema.Container) (string, error) { return fmt.Sprint(c.Network.DNS.Values()), nil },
	},
	{
		name: "dns-search", args: option("dns-search"),
		texts: all(
			each(words("corp a1 a-b a_b 1a 123 -a a- a..b Corp é ''"),
				words("'' .test . .1 .-x")), text(strings.Repeat("a", 63)), text(strings.Repeat("a", 64)), text(strings.Repeat("abcdefgh.", 30)+"test"),
			[]string{"a b", " corp", "corp ", " . "}),
		docker: func(r *request) (string, error) { return strings.Join(r.HostConfig.DNSSearch, " "), nil },
		runfile: func(c *schema.Container) (string, error) {
			return strings.Join(c.Network.DNSSearch.Values(), " "), nil
		},
	},
	{
		name: "dns-option", args: option("dns-option"),
		texts:  all(words("ndots:0 ndots:15 ndots:16 ndots ndots: ndots:-1 ndots:x timeout:1 use-vc rotate edns0 anything ''"), []string{"a b", " use-vc"}),
		docker: func(r *request) (string, error) { return strings.Join(r.HostConfig.DNSOptions, " "), nil },
		runfile: func(c *schema.Container) (string, error) {
			return strings.Join(c.Network.DNSOptions.Values(), " "), nil
		},
	},
	{
		name: "ip", args: onNetwork("ip"), texts: all(addresses, []string{" 1.2.3.4"}),
		docker:  func(r *request) (string, error) { return addressOf(r, false), nil },
		runfile: func(c *schema.Container) (string, error) { return c.Network.IP.Value, nil },
	},
	{
		name: "ip6", args: onNetwork("ip6"), texts: all(addresses, []string{" ::1"}),
		docker:  func(r *request) (string, error) { return addressOf(r, true), nil },
		runfile: func(c *schema.Container) (string, error) { return c.Network.IP6.Value, nil },
	},
	{
		name: "link-local-ip", args: onNetwork("link-local-ip"), texts: addresses,
		docker: func(r *request) (string, error) {
			if e := r.NetworkingConfig.EndpointsConfig["back"]; e != nil && e.IPAMConfig != nil {
				return fmt.Sprint(e.IPAMConfig.LinkLocalIPs), nil
			}
			return "[]", nil
		},
		runfile: func(c *schema.Container) (string, error) { return fmt.Sprint(c.Network.LinkLocal.Values()), nil },
	},
	{
		name: "mac-address", args: onNetwork("mac-address"),
		texts: all(words(`
			92:d0:c6:0a:29:33 92-D0-C6-0A-29-33 92d0.c60a.2933 92d0c60a2933 92:d0:c6:0a:29 92:d0:c6:0a:29:33:44:55
			92:d0-c6:0a:29:33 xx:d0:c6:0a:29:33 01:00:5e:00:00:01 ff:ff:ff:ff:ff:ff 00:00:00:00:00:00 9:d0:c6:a:29:33 ''`),
			[]string{" 92:d0:c6:0a:29:33", "92:d0:c6:0a:29:33 "}),
		docker: func(r *request) (string, error) {
			if e := r.NetworkingConfig.EndpointsConfig["back"]; e != nil {
				return e.MacAddress.String(), nil
			}
			return "", nil
		},
		runfile: func(c *schema.Container) (string, error) { return c.Network.MAC.Value, nil },
	},
	{
		name: "network-alias", args: onNetwork("network-alias"),
		texts: all(words("db a.b a_b a-b -a a- a..b DB é '' a/b a:b"), []string{"a b", " db", strings.Repeat("a", 63), strings.Repeat("a", 64)}),
		docker: func(r *request) (string, error) {
			return strings.Join(r.NetworkingConfig.EndpointsConfig["back"].Aliases, " "), nil
		},
		runfile: func(c *schema.Container) (string, error) {
			return strings.Join(c.Network.Aliases.Values(), " "), nil
		},
	},
}

// bindings prints an entry port by port, as docker's request has it.
func bindings(p value.PortMapping) []string {
	if p.ContainerIP.IsValid() {
		return []string{fmt.Sprintf("%+v", p)}
	}
	var out []string
	for i := range int(p.ContainerLast) - int(p.ContainerFirst) + 1 {
		host := ""
		switch {
		case p.HostLast == 0:
		case p.ContainerFirst == p.ContainerLast && p.HostFirst != p.HostLast: // the first that is free
			host = fmt.Sprintf("%d-%d", p.HostFirst, p.HostLast)
		default:
			host = number(int(p.HostFirst) + i)
		}
		out = append(out, binding(p.HostIP, host, fmt.Sprintf("%d/%s", int(p.ContainerFirst)+i, p.Proto)))
	}
	return out
}

func binding(ip netip.Addr, hostPort, port string) string {
	if hostPort == "0" { // chosen, as without one
		hostPort = ""
	}
	return fmt.Sprintf("%v %q %s", ip, hostPort, port)
}

func dockerNetwork(r *request) (string, error) {
	mode := string(r.HostConfig.NetworkMode)
	if r.HostConfig.NetworkMode.IsDefault() {
		mode = network.NetworkBridge
	}
	e := r.NetworkingConfig.EndpointsConfig[string(r.HostConfig.NetworkMode)]
	if e == nil {
		e = &network.EndpointSettings{}
	}
	ipam := e.IPAMConfig
	if ipam == nil {
		ipam = &network.EndpointIPAMConfig{}
	}
	var local, options []string
	for _, a := range ipam.LinkLocalIPs {
		local = append(local, a.String())
	}
	for k, v := range e.DriverOpts {
		options = append(options, k+"="+v)
	}
	return endpoint(mode, e.Aliases, ipam.IPv4Address, ipam.IPv6Address, e.MacAddress.String(), local, options, e.GwPriority),
		checkMode(r.HostConfig.NetworkMode)
}

// runfileNetwork prints an entry of network together with the container's own aliases.
func runfileNetwork(n value.Network, aliases []string) string {
	mode := n.Name
	switch n.Mode {
	case value.NetworkContainer:
		mode = "container:" + n.Name
	case value.NetworkBridge, value.NetworkNone, value.NetworkHost:
		mode = string(n.Mode)
	case value.NetworkUser:
	}
	return endpoint(mode, append(n.Aliases, aliases...), n.IP, n.IP6, n.MAC, n.LinkLocalIPs, n.DriverOpts, n.GWPriority)
}

// checkMode refuses what the daemon refuses first of all: container: without one.
func checkMode(m container.NetworkMode) error {
	if m.IsContainer() && m.ConnectedContainer() == "" {
		return fmt.Errorf("%s names no container", m)
	}
	return nil
}

func endpoint(mode string, aliases []string, ip, ip6 netip.Addr, mac string, local, options []string, priority int) string {
	return fmt.Sprint(mode, " ", aliases, ip, ip6, " ", mac, local, options, priority)
}

// oneAddress prints an address in one way, and anything else as it is.
func oneAddress(s string) string {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.String()
	}
	return s
}

func addressOf(r *request, v6 bool) string {
	e := r.NetworkingConfig.EndpointsConfig["back"]
	switch {
	case e == nil || e.IPAMConfig == nil:
		return ""
	case v6 && e.IPAMConfig.IPv6Address.IsValid():
		return e.IPAMConfig.IPv6Address.String()
	case !v6 && e.IPAMConfig.IPv4Address.IsValid():
		return e.IPAMConfig.IPv4Address.String()
	}
	return ""
}
