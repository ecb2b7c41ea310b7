package differential

// spaces is about values with spaces around them, which only quotes keep.
var spaces = reason{"a space at an end of a quoted text is a slip", ""}

// networkDifferences are about addresses, ports and names.
var networkDifferences = []difference{
	{
		of("publish", "expose"), stricter, like(`[0-9-]+/`),
		"takes a slash without a protocol for tcp", "refuses it",
		reason{"the protocol is one of tcp, udp and sctp", "options-network-storage-images A5"},
	},
	{
		of("publish", "expose"), stricter, like(`0(-2)?(/\w+)?`),
		"takes port 0 of the container", "refuses it",
		reason{"nothing listens there", "options-network-storage-images A5"},
	},
	{
		of("expose"), stricter, like(`[0-9-]+/(foo|tcp/udp)`),
		"takes any protocol", "takes tcp, udp and sctp",
		reason{"there are no ports of others", "options-network-storage-images A5"},
	},
	{of("publish"), stricter, like(`\+80(/\w*)?|\+8080:80`), "takes a plus before a port", "refuses it", reason{"a port is digits", ""}},
	{
		of("publish"), stricter, like(`0-2:80(-82)?`),
		"takes host ports from 0 on", "refuses them",
		reason{"0 alone means that a port is chosen", "options-network-storage-images A13"},
	},
	{
		of("publish"), stricter, like(`1-65535:1-65535`),
		"publishes all ports there are", "publishes 16384 ports with one entry at most",
		reason{"port ranges are bounded", "DESIGN.md 7"},
	},
	{
		of("publish"), wider, like(`.*1\.2\.3\.4:8080:(5\.6\.7\.8|0\.0\.0\.0):80|:8080:5\.6\.7\.8:80`),
		"refuses four fields", "reads HOST_IP:HOST_PORT:CONTAINER_IP:CONTAINER_PORT",
		reason{"the reference has them", "options-network-storage-images A13"},
	},
	{
		of("publish"), wider, like(`(.*:)?0:80-8[12](/\w+)?`),
		"takes host port 0 for one port only", "chooses a port for each",
		reason{"0 is the same as no host port", "options-network-storage-images A13"},
	},
	{of("publish"), stricter, like(`\[\]:80:80`), "takes empty brackets for no address", "refuses them", unnoticed},
	{of("publish"), stricter, like(`target=80,mode=host`), "drops keys that it does not know", "refuses them", unnoticed},
	{
		of("publish"), stricter, like(`published=127\.0\.0\.1:80,target=80`),
		"takes an address before the published port, by the way it puts the keys together", "takes a port",
		reason{"the map form has host-ip", "options-network-storage-images A13"},
	},
	{
		of("link"), stricter, like(`[^:]*:|/db:/me/`),
		"takes a colon without an alias and writes no name", "refuses it",
		reason{"an alias that is announced is there", "options-network-storage-images A8"},
	},
	{
		of("link"), stricter, like(`:.+|//db.*|a/b.*`),
		"refuses what is no container in the daemon", "refuses it when reading",
		reason{"what needs no host is checked before anything starts", "options-network-storage-images A8"},
	},
	{of("link"), stricter, like(`.*[ ].*`), "takes spaces", "refuses them", reason{"no resolver finds such a name", ""}},
	{
		of("link"), otherwise, like(`/db`),
		"makes an alias with a slash", "makes one without",
		reason{"no resolver finds a name with a slash", ""},
	},
	{
		of("add-host"), stricter, like(`(a\.\.b|-a|é|a b)[:=].*`),
		"takes any text for a name", "takes host names",
		reason{"a line of /etc/hosts takes no other", "options-network-storage-images A1"},
	},
	{
		of("add-host", "dns", "dns-search", "ip", "ip6", "mac-address"), stricter, like(`(\w+:)? .*|.* `),
		"drops spaces around a value", "refuses them",
		spaces,
	},
	{
		of("dns-search"), stricter, like(`a{64}`),
		"takes labels of any length", "takes 63 letters",
		reason{"no name in the DNS has more", "options-network-storage-images A4"},
	},
	{
		of("dns-option"), stricter, like(`ndots(:.*)?|.* .*|`),
		"checks nothing", "checks ndots and refuses spaces and nothing",
		reason{"resolvers skip what they do not know in silence", "options-network-storage-images A3"},
	},
	{
		of("ip"), stricter, like(`.*::.*|fd00.*`),
		"drops an IPv6 address in silence", "refuses it",
		reason{"ip and ip6 are of one family each", "options-network-storage-images A6"},
	},
	{
		of("ip6"), stricter, like(`[0-9.]+|::ffff:.*`),
		"takes an IPv4 address and fails in the daemon", "refuses it",
		reason{"ip and ip6 are of one family each", "options-network-storage-images A7"},
	},
	{
		of("link-local-ip"), stricter, func(text string) bool { return !like(`169\.254\.1\.1|fe80::9`)(text) },
		"drops what is no address and leaves others to the daemon", "takes link-local addresses",
		reason{"silent acceptance becomes an error", "options-network-storage-images A9, H.7"},
	},
	{
		of("mac-address"), stricter, like(`92d0c60a2933`),
		"takes twelve digits, if it was built with a young Go", "takes the three forms with separators",
		reason{"what is read does not depend on who built it", "options-network-storage-images A10"},
	},
	{
		of("mac-address", "network"), stricter, like(`(name=back,mac-address=)?92(:\w\w){7}`),
		"takes eight bytes", "takes six",
		reason{"six bytes only", "options-network-storage-images A10"},
	},
	{
		of("mac-address"), stricter, like(`01:.*|ff:.*|00:.*`),
		"takes addresses that the kernel refuses", "refuses them",
		reason{"no network card may have such an address", "options-network-storage-images A10"},
	},
	{
		of("network-alias"), stricter, like(`-a|a-|a\.\.b|é||a/b|a:b|.* .*|a{64}`),
		"takes any text", "takes host names",
		reason{"no resolver finds others", "options-network-storage-images A12"},
	},
	{
		of("network"), stricter, like(`[_-]back|a/b|a:b| back|back |a b`),
		"finds no such network in the daemon", "refuses what is no network's name",
		early,
	},
	{
		of("network"), stricter, like(`name=(,.*)?|,(ip=::1|gw-priority=-5|alias=?)`),
		"takes texts without a pair of words for a name and finds no such network in the daemon", "refuses keys without a value",
		early,
	},
	{
		of("network"), otherwise, like(`name=Back.*|name=back,(alias=a,alias=B|driver-opt=A=B)`),
		"writes everything in lower case", "leaves names as they are",
		reason{"a wart of docker, not to copy", "options-network-storage-images A11"},
	},
	{
		of("network"), stricter, like(`NAME=back|name=back,ALIAS=a`),
		"takes keys in any case", "takes them as they are documented",
		reason{"a wart of docker, not to copy", "options-network-storage-images A11"},
	},
	{
		of("network"), otherwise, like(`name = back`),
		"takes spaces around the only equals sign for a name", "reads the key name",
		reason{"spaces around a key mean nothing elsewhere in this form", ""},
	},
	{
		of("network"), stricter, like(`name=[bB]ack,(ip=::1|ip6=1\.2\.3\.4|ip=::ffff:1\.2\.3\.4)`),
		"drops an address of the other family, or fails in the daemon", "refuses it",
		reason{"ip and ip6 are of one family each", "options-network-storage-images A6"},
	},
	{
		of("network"), stricter, like(`name=[bB]ack,(link-local-ip=10\.0\.0\.1|alias=)`),
		"leaves it to the daemon", "refuses it",
		reason{"such an address is not link-local, and an alias is a name", "options-network-storage-images A9, A12"},
	},
	{
		of("network"), stricter, like(`name=(host|container:db),mac-address=.*|name=(bridge|host|container:db),(ip6?|gw-priority|link-local-ip|driver-opt)=.*`),
		"leaves it to the daemon, which refuses some and drops others", "takes such keys with networks of one's own",
		reason{"what is dropped in silence is refused", "options-network-storage-images A11, I.1"},
	},
	{of("network"), stricter, like(`name=a,name=b|.*ip=.*,ip=.*`), "takes the last of two", "refuses two", unnoticed},
	{
		of("network"), stricter, like(`"name=back,alias=a"`),
		"takes what a comma in quotes separates for a name", "refuses it",
		reason{"no network has such a name", ""},
	},
}
