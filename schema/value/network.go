package value

import (
	"encoding/csv"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
)

var networkKeys = []string{"name", "alias", "ip", "ip6", "mac-address", "link-local-ip", "driver-opt", "gw-priority"}

var networkWords = []string{"bridge", "none", "host", "container:"}

// NetworkSyntax is the syntax of network: a mode, a network's name, docker's name=NAME,alias=...,ip=... or a map.
func NetworkSyntax() Parser[Network] {
	names := anyOf(anyText(), map[string]any{"type": "array", "items": anyText()})
	return Parser[Network]{
		Parse: parseNetwork, Fields: networkFields, Format: formatNetwork,
		Schema: pattern(`^(container:.+|[a-zA-Z0-9][a-zA-Z0-9_.-]*|(.*,)?[^,=]*name[^,=]*=.+)$`),
		FieldsSchema: object(map[string]any{
			"name": anyText(), "alias": names, "ip": anyText(), "ip6": anyText(), "mac-address": anyText(),
			"link-local-ip": names, "driver-opt": names, "gw-priority": map[string]any{"type": []any{"integer", "string"}},
		}, "name"),
		Syntax: "bridge | none | host | container:<name|id> | <network-name>, or name=NAME,alias=NAME,ip=IP,...",
		Words:  networkWords,
	}
}

func parseNetwork(s string) (Network, error) {
	if !strings.Contains(s, "=") || strings.HasPrefix(s, "container:") {
		return networkMode(s)
	}
	parts, err := csv.NewReader(strings.NewReader(s)).Read()
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return Network{}, bad("%q is not KEY=VALUE pairs separated by commas", s)
	}
	var fields []Field
	for _, part := range parts {
		k, v, ok := strings.Cut(part, "=")
		if !ok {
			return Network{}, bad("%q has no value", part).fix("write KEY=VALUE, separated by commas")
		}
		fields = append(fields, Field{Name: strings.TrimSpace(k), Text: strings.TrimSpace(v)})
	}
	n, err := networkFields(fields)
	if e, ok := err.(*Error); ok { //nolint:errorlint // made two lines above, never wrapped
		e.Field = "" // the text has one position
	}
	return n, err
}

func networkMode(s string) (Network, error) {
	name, isContainer := strings.CutPrefix(s, "container:")
	switch {
	case s == "":
		return Network{}, bad("there is no network's name")
	case isContainer:
		return Network{Mode: NetworkContainer, Name: name}, checkJoined(name)
	case s == "bridge" || s == "default":
		return Network{Mode: NetworkBridge}, nil
	case s == "none" || s == "host":
		return Network{Mode: NetworkMode(s)}, nil
	case !keyName().MatchString(s):
		return Network{}, bad("%q is not a network's name", s).fix("use letters, digits, _ . and -")
	}
	return Network{Mode: NetworkUser, Name: s}, nil
}

// checkJoined checks what stands behind container:, the container whose namespace is joined.
func checkJoined(name string) error {
	switch {
	case name == "":
		return bad("%q names no container", "container:").fix("write container:<name|id>")
	case strings.Contains(name, "\n"):
		return bad("no container is called %q", name).fix("write container:<name|id>")
	}
	return noNUL("container:" + name)
}

func networkFields(fields []Field) (Network, error) {
	var many Network
	var single []Field
	for _, f := range fields {
		taken, err := many.addField(f)
		if err != nil {
			return Network{}, inField(err, f.Name)
		}
		if !taken {
			single = append(single, f)
		}
	}
	get, err := take(single, networkKeys...)
	if err != nil {
		return Network{}, err
	}
	if _, ok := get["name"]; !ok {
		return Network{}, bad("the network's name is missing").fix(`write "name=NAME,..." as one quoted text, or a map with name`)
	}
	n, err := networkMode(get["name"])
	if err != nil {
		return n, inField(err, "name")
	}
	for _, f := range fields {
		if !n.Mode.takes(f.Name) {
			return n, bad("only a user-defined network takes %s", f.Name).in(f.Name)
		}
	}
	n.Aliases, n.LinkLocalIPs, n.DriverOpts = many.Aliases, many.LinkLocalIPs, many.DriverOpts
	return n, n.setAddresses(get)
}

// takes reports whether a field goes with a mode: all with a network of one's own, a hardware address with the bridge.
func (m NetworkMode) takes(field string) bool {
	return m == NetworkUser || field == "name" || m == NetworkBridge && field == "mac-address"
}

// addField takes a field that may come several times.
func (n *Network) addField(f Field) (taken bool, err error) {
	if f.Null {
		return false, nil
	}
	switch f.Name {
	case "alias":
		_, err = dnsName(f.Text)
		n.Aliases = append(n.Aliases, f.Text)
	case "link-local-ip":
		var text string
		text, err = LinkLocal().Parse(f.Text)
		n.LinkLocalIPs = append(n.LinkLocalIPs, text)
	case "driver-opt":
		if k, _, ok := strings.Cut(f.Text, "="); !ok || k == "" {
			err = bad("%q is not KEY=VALUE", f.Text)
		}
		n.DriverOpts = append(n.DriverOpts, f.Text)
	default:
		return false, nil
	}
	return true, err
}

// LinkLocal is an address that is valid on one link only: of 169.254.0.0/16 or fe80::/10, without a zone.
func LinkLocal() Parser[string] {
	p := IP()
	parse := p.Parse
	p.Syntax = "an address of 169.254.0.0/16 or fe80::/10"
	p.Parse = func(s string) (string, error) {
		text, err := parse(s)
		if err != nil {
			return "", err
		}
		if a, _ := netip.ParseAddr(text); !a.IsLinkLocalUnicast() {
			return "", bad("%q is not a link-local address", s).fix("write one of 169.254.0.0/16 or fe80::/10")
		}
		return text, nil
	}
	return p
}

func inField(err error, field string) error {
	if e, ok := err.(*Error); ok { //nolint:errorlint // errors of this package, never wrapped
		return e.in(field)
	}
	return err
}

func (n *Network) setAddresses(get map[string]string) error {
	var err error
	if s, ok := get["ip"]; ok {
		if n.IP, err = family(s, true); err != nil {
			return inField(err, "ip")
		}
	}
	if s, ok := get["ip6"]; ok {
		if n.IP6, err = family(s, false); err != nil {
			return inField(err, "ip6")
		}
	}
	if s, ok := get["mac-address"]; ok {
		if n.MAC, err = parseMAC(s); err != nil {
			return inField(err, "mac-address")
		}
	}
	if s, ok := get["gw-priority"]; ok {
		p, err := strconv.Atoi(s)
		if err != nil {
			return bad("%q is not a whole number", s).in("gw-priority")
		}
		n.GWPriority = p
	}
	return nil
}

func formatNetwork(n Network) string {
	name := n.Name
	switch n.Mode {
	case NetworkContainer:
		return "container:" + name
	case NetworkBridge, NetworkNone, NetworkHost:
		name = string(n.Mode)
	case NetworkUser:
	}
	parts := []string{"name=" + name}
	add := func(key, v string) { parts = append(parts, key+"="+v) }
	for _, a := range n.Aliases {
		add("alias", a)
	}
	if n.IP.IsValid() {
		add("ip", n.IP.String())
	}
	if n.IP6.IsValid() {
		add("ip6", n.IP6.String())
	}
	if n.MAC != "" {
		add("mac-address", n.MAC)
	}
	for _, ip := range n.LinkLocalIPs {
		add("link-local-ip", ip)
	}
	for _, o := range n.DriverOpts {
		add("driver-opt", o)
	}
	if n.GWPriority != 0 {
		add("gw-priority", strconv.Itoa(n.GWPriority))
	}
	if len(parts) == 1 {
		return name
	}
	return formatCSV(parts)
}

// family reads an address of one family. Docker drops an address of the wrong one in silence.
func family(s string, v4 bool) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	switch {
	case err != nil || a.Zone() != "":
		return netip.Addr{}, bad("%q is not an IP address", s)
	case a.Is4In6():
		return netip.Addr{}, bad("%q is an IPv4 address written as IPv6", s).fix("write %s as ip", a.Unmap())
	case v4 && !a.Is4():
		return netip.Addr{}, bad("%q is an IPv6 address", s).fix("write it as ip6")
	case !v4 && a.Is4():
		return netip.Addr{}, bad("%q is an IPv4 address", s).fix("write it as ip")
	}
	return a, nil
}

// IPv4 is a single IPv4 address in its usual text form.
func IPv4() Parser[string] { return address(true, "ipv4", "an IPv4 address") }

// IPv6 is a single IPv6 address without a zone.
func IPv6() Parser[string] { return address(false, "ipv6", "an IPv6 address") }

func address(v4 bool, format, syntax string) Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			a, err := family(s, v4)
			if err != nil {
				return "", err
			}
			return a.String(), nil
		},
		Format: func(s string) string { return s },
		Schema: map[string]any{"type": "string", "format": format}, Syntax: syntax,
	}
}

// IP is an address of either family, without brackets or a port, as dns takes it.
func IP() Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			a, err := netip.ParseAddr(s)
			if err != nil || a.Zone() != "" {
				return "", bad("%q is not an IP address", s).fix("write a bare address without brackets or port")
			}
			return a.Unmap().String(), nil
		},
		Format: func(s string) string { return s },
		Schema: pattern(`^[0-9a-fA-F:.]+$`), Syntax: "an IPv4 or IPv6 address",
	}
}

// CIDR is a subnet such as 172.28.0.0/16.
func CIDR() Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			p, err := netip.ParsePrefix(s)
			if err != nil {
				return "", bad("%q is not a subnet", s).fix("write ADDRESS/BITS: 172.28.0.0/16")
			}
			if p.Masked() != p {
				return "", bad("%q has host bits set", s).fix("write %s", p.Masked())
			}
			if p.Addr().Is4() && p.Bits() > 30 || p.Addr().Is6() && p.Bits() > 126 {
				return "", bad("the subnet %q has no room for a gateway and a container", s)
			}
			return p.String(), nil
		},
		Format: func(s string) string { return s },
		Schema: pattern(`^[0-9a-fA-F:.]+/[0-9]{1,3}$`), Syntax: "ADDRESS/BITS",
	}
}

// MAC is a hardware address of six bytes that a single machine may have.
func MAC() Parser[string] {
	return Parser[string]{
		Parse: parseMAC, Format: func(s string) string { return s },
		Schema: pattern(macPattern),
		Syntax: "six bytes: 92:d0:c6:0a:29:33",
	}
}

const macPattern = `^([0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}|[0-9a-fA-F]{2}(-[0-9a-fA-F]{2}){5}|[0-9a-fA-F]{4}(\.[0-9a-fA-F]{4}){2})$`

var macExpr = lazy(macPattern)

func parseMAC(s string) (string, error) {
	m, err := net.ParseMAC(s)
	switch {
	case err == nil && len(m) != 6:
		return "", bad("%q has %d bytes; the address of a network card has 6", s, len(m))
	case err != nil || !macExpr().MatchString(s): // young versions of Go read twelve digits, too
		return "", bad("%q is not a MAC address", s)
	case m[0]&1 == 1:
		return "", bad("%q is a group's address, not a single machine's", s).fix("make the first byte even")
	case m.String() == "00:00:00:00:00:00":
		return "", bad("%q is no machine's address", s)
	}
	return m.String(), nil
}

// LinkSyntax is the syntax of link: CONTAINER[:ALIAS].
func LinkSyntax() Parser[Link] {
	return Parser[Link]{
		Parse: func(s string) (Link, error) {
			name, alias, hasAlias := strings.Cut(s, ":")
			if bare, ok := strings.CutPrefix(name, "/"); ok { // docker inspect shows /CONTAINER:/SELF/ALIAS
				name, alias = bare, alias[strings.LastIndex(alias, "/")+1:]
			}
			switch {
			case strings.Contains(alias, ":"):
				return Link{}, bad("%q has more than one colon", s).fix("write CONTAINER[:ALIAS]")
			case name == "" || strings.Contains(name, "/"):
				return Link{}, bad("%q names no container", s).fix("write CONTAINER[:ALIAS]")
			case hasAlias && alias == "":
				return Link{}, bad("%q has no alias behind the colon", s).fix("write %s", name)
			}
			if alias == "" {
				alias = name
			}
			if strings.ContainsFunc(alias, unicode.IsSpace) {
				return Link{}, bad("the alias %q holds a space", alias)
			}
			return Link{Container: name, Alias: alias}, noNUL(s)
		},
		Format: func(l Link) string {
			if l.Alias == l.Container {
				return l.Container
			}
			return l.Container + ":" + l.Alias
		},
		Schema: pattern(`^[^:]+(:[^:]+)?$`), Syntax: "CONTAINER[:ALIAS]",
	}
}

// HostSyntax is the syntax of add-host: NAME:IP or NAME=IP, or the word host-gateway for the IP.
func HostSyntax() Parser[Host] {
	return Parser[Host]{
		Parse: parseHost,
		Format: func(h Host) string {
			if h.Gateway {
				return h.Name + ":host-gateway"
			}
			return h.Name + ":" + h.IP.String()
		},
		Schema: pattern(`^[^:=]+[:=].+$`), Syntax: "NAME:IP, or NAME:host-gateway",
	}
}

func parseHost(s string) (Host, error) {
	name, ip, ok := strings.Cut(s, "=")
	if !ok {
		name, ip, ok = strings.Cut(s, ":")
	}
	if !ok || name == "" || ip == "" {
		return Host{}, bad("%q is not NAME:IP", s)
	}
	if _, err := dnsName(name); err != nil {
		return Host{}, err
	}
	if ip == "host-gateway" {
		return Host{Name: name, Gateway: true}, nil
	}
	a, err := parseIP(ip)
	return Host{Name: name, IP: a}, err
}

// Alias is a name that other containers resolve.
func Alias() Parser[string] {
	return Parser[string]{
		Parse: dnsName, Format: func(s string) string { return s },
		Schema: pattern(`^[a-zA-Z0-9_.-]+$`), Syntax: "a host name",
	}
}

// dnsName accepts labels of letters, digits, - and _ as containers are named, at most 63 bytes each.
func dnsName(s string) (string, error) {
	if s == "" || len(s) > 253 {
		return "", bad("%q is not a host name", s)
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if !dnsLabel().MatchString(label) {
			return "", bad("%q is not a host name", s).fix("use letters, digits, - and _ between dots")
		}
	}
	return s, nil
}

var dnsLabel = lazy(`^[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?$`)

// DNSSearch is a domain that the resolver appends, or a single dot for none.
func DNSSearch() Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			if s == "." {
				return s, nil
			}
			if !searchExpr().MatchString(s) || len(s) > 255 || !strings.ContainsFunc(s, unicode.IsLetter) {
				return "", bad("%q is not a domain", s).fix("use letters, digits and - between dots, or . for no search list")
			}
			return strings.TrimSuffix(s, "."), nil
		},
		Format: func(s string) string { return s },
		Schema: pattern(searchPattern), Syntax: "a domain, or . for none",
	}
}

const searchPattern = `^(\.|([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)*[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.?)$`

var searchExpr = lazy(searchPattern)

// DNSOption is an option of resolv.conf.
func DNSOption() Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			name, v, hasValue := strings.Cut(s, ":")
			switch {
			case s == "" || strings.ContainsFunc(s, unicode.IsSpace):
				return "", bad("%q is not an option of resolv.conf", s)
			case name == "ndots" && (!hasValue || !isCount(v, 15)):
				return "", bad("ndots is a number from 0 to 15, not %q", v).fix("write ndots:1")
			}
			return s, noNUL(s)
		},
		Format: func(s string) string { return s },
		Schema: pattern(`^[^ \t]+$`), Syntax: "an option of resolv.conf: ndots:2",
		Words: []string{
			"ndots:", "timeout:", "attempts:", "rotate", "use-vc", "edns0", "trust-ad", "single-request",
			"single-request-reopen", "no-tld-query", "no-check-names", "inet6", "no-reload", "debug",
		},
	}
}

func isCount(s string, most int) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 0 && n <= most
}

// NamespaceSyntax is the syntax of pid, ipc and uts: one of the given words, and container:<name|id> where joining is
// possible.
func NamespaceSyntax(join bool, words ...string) Parser[NamespaceMode] {
	syntax := strings.Join(words, " | ")
	expr := `^(` + strings.Join(words, "|") + `)$`
	all := words
	if join {
		syntax += " | container:<name|id>"
		expr = `^(` + strings.Join(words, "|") + `|container:.+)$`
		all = append(append([]string{}, words...), "container:")
	}
	return Parser[NamespaceMode]{
		Parse: func(s string) (NamespaceMode, error) {
			name, isContainer := strings.CutPrefix(s, "container:")
			switch {
			case contains(words, s):
				return NamespaceMode{Mode: s}, nil
			case join && isContainer:
				return NamespaceMode{Mode: "container", Container: name}, checkJoined(name)
			}
			return NamespaceMode{}, bad("%q is not a mode of this namespace", s).from(s, all)
		},
		Format: func(m NamespaceMode) string {
			if m.Mode == "container" {
				return "container:" + m.Container
			}
			return m.Mode
		},
		Schema: pattern(expr), Syntax: syntax, Words: all,
	}
}
