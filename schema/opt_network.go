package schema

import (
	"github.com/runfile/runfile/schema/value"
)

var networkOptions = []row[Container]{
	keyed(Option{
		Name: "add-host", Group: GroupNetwork, Arg: "value", Default: "[]", Example: "db.test:10.1.2.3",
		Help: "Add a custom host-to-IP mapping (host:ip)",
		Doc:  "`host-gateway` stands for the address of the host as the container sees it.",
	}, func(c *Container) *Items[value.Host] { return &c.Network.AddHosts }, value.HostSyntax(),
		mapForm{sep: ":", many: true}),
	list(Option{
		Name: "dns", Group: GroupNetwork, Arg: "value", Default: "[]", Example: "192.0.2.53",
		Help: "Set custom DNS servers",
	}, func(c *Container) *Items[string] { return &c.Network.DNS }, value.IP()),
	list(Option{
		Name: "dns-option", Aliases: []string{"dns-opt"}, Group: GroupNetwork, Arg: "value", Default: "[]", Example: "ndots:2",
		Help: "Set DNS options",
	}, func(c *Container) *Items[string] { return &c.Network.DNSOptions }, value.DNSOption()),
	list(Option{
		Name: "dns-search", Group: GroupNetwork, Arg: "value", Default: "[]", Example: "corp.test",
		Help: "Set custom DNS search domains",
	}, func(c *Container) *Items[string] { return &c.Network.DNSSearch }, value.DNSSearch()),
	list(Option{
		Name: "expose", Group: GroupNetwork, Arg: "value", Default: "[]", Example: "8080",
		Help: "Expose a port or a range of ports",
	}, func(c *Container) *Items[value.PortRange] { return &c.Network.Expose }, value.ExposeSyntax()),
	opt(Option{
		Name: "ip", Group: GroupNetwork, Arg: "string", Example: "172.28.0.10",
		Help: "IPv4 address (e.g., 172.30.100.104)",
		Doc:  "Needs a user-defined network with a subnet of its own in `networks`.",
	}, func(c *Container) *Opt[string] { return &c.Network.IP }, value.IPv4()),
	opt(Option{
		Name: "ip6", Group: GroupNetwork, Arg: "string", Example: "fd00:28::10",
		Help: "IPv6 address (e.g., 2001:db8::33)",
		Doc:  "Needs a user-defined network whose `subnet` in `networks` is one of IPv6.",
	}, func(c *Container) *Opt[string] { return &c.Network.IP6 }, value.IPv6()),
	list(Option{
		Name: "link", Group: GroupNetwork, Arg: "value", Default: "[]", Example: "db:database",
		Help: "Add link to another container",
	}, links, value.LinkSyntax()).
		referring("link", names(links,
			func(l value.Link) string { return l.Container })),
	list(Option{
		Name: "link-local-ip", Group: GroupNetwork, Arg: "value", Default: "[]", Example: "169.254.8.8", NotYet: notBuilt,
		Help: "Container IPv4/IPv6 link-local addresses",
		Doc:  "On the container's first network.",
	}, func(c *Container) *Items[string] { return &c.Network.LinkLocal }, value.LinkLocal()),
	opt(Option{
		Name: "mac-address", Group: GroupNetwork, Arg: "string", Example: "92:d0:c6:0a:29:33",
		Help: "Container MAC address (e.g., 92:d0:c6:0a:29:33)",
	}, func(c *Container) *Opt[string] { return &c.Network.MAC }, value.MAC()),
	list(Option{
		Name: "network-alias", Aliases: []string{"net-alias"}, Group: GroupNetwork, Arg: "value", Default: "[]", Example: "database",
		Help: "Add network-scoped alias for the container",
	}, func(c *Container) *Items[string] { return &c.Network.Aliases }, value.Alias()),
	list(Option{
		Name: "network", Aliases: []string{"net"}, Group: GroupNetwork, Arg: "string", Example: "backend",
		Help: "Connect a container to a network\n" +
			"'bridge': create a network stack on the default Docker bridge\n" +
			"'none': no networking\n" +
			"'container:<name|id>': reuse another container's network stack\n" +
			"'host': use the Docker host network stack\n" +
			"'<network-name>|<network-id>': connect to a user-defined network",
		Doc: "Several user-defined networks may be given. A network that is not in the section `networks` is made " +
			"with all defaults.",
	}, networksOf, value.NetworkSyntax()).
		referring("network", names(networksOf, networkOwner)),
	list(Option{
		Name: "publish", Short: "p", Group: GroupNetwork, Arg: "value", Default: "[]", Example: "8080:80",
		Help: "Publish a container's port(s) to the host",
		Doc: "`HOST_IP:HOST_PORT:CONTAINER_IP:CONTAINER_PORT` works, too; IPv6 addresses of that form stand in " +
			"brackets.",
	}, func(c *Container) *Items[value.PortMapping] { return &c.Network.Publish }, value.PublishSyntax()),
	toggle(Option{
		Name: "publish-all", Short: "P", Group: GroupNetwork, Example: "true",
		Help: "Publish all exposed ports to random ports",
	}, func(c *Container) *Opt[bool] { return &c.Network.PublishAll }),
}

func links(c *Container) *Items[value.Link] { return &c.Network.Links }

func networksOf(c *Container) *Items[value.Network] { return &c.Network.Networks }

// networkOwner is the container whose network is joined, "" for any other mode.
func networkOwner(n value.Network) string {
	if n.Mode == value.NetworkContainer {
		return n.Name
	}
	return ""
}
