package value

import (
	"net/netip"
	"strconv"
	"strings"
)

// maxPublished bounds one publish entry: every port costs a socket, and a runfile may come from anywhere.
const maxPublished = 16384

var publishKeys = []string{"host-ip", "host-port", "container-ip", "container-port", "protocol"}

// PublishSyntax is the syntax of publish: docker's [[HOST_IP:][HOST_PORT]:]CONTAINER_PORT[/PROTO], the reference's four
// fields HOST_IP:HOST_PORT:CONTAINER_IP:CONTAINER_PORT, docker's published=,target=,protocol= and a map.
func PublishSyntax() Parser[PortMapping] {
	return Parser[PortMapping]{
		Parse: func(s string) (PortMapping, error) {
			p, err := parsePublish(s)
			if e, ok := err.(*Error); ok { //nolint:errorlint // errors of this package, never wrapped
				if meant := publishMeant(s); meant != "" {
					e.Fix, e.Words = meant, nil
				}
			}
			return p, err
		},
		Fields: publishFields, Format: formatPublish,
		Schema:       func() jsonSchema { return orNumber(1, maxPort, publishPattern()) },
		FieldsSchema: publishForm,
		Syntax:       "[[HOST_IP:][HOST_PORT[-LAST]]:][CONTAINER_IP:]CONTAINER_PORT[-LAST][/tcp|udp|sctp]",
	}
}

const maxPort = 65535

// portsExpr matches PORT[-LAST].
func portsExpr() string {
	port := numbers(1, maxPort)
	return port + `(-` + port + `)?`
}

// hostPortsExpr matches ports of the host, 0 for any that is free, or nothing.
func hostPortsExpr() string { return either(portsExpr(), `0+(-0+)?`) + `?` }

// publishPattern is what the text of publish looks like: the fields between colons, or pairs.
func publishPattern() string {
	ports := portsExpr()
	host := hostPortsExpr()
	full := `[0-9a-fA-F:.]*::[0-9a-fA-F:.]*|([0-9a-fA-F]{1,4}:){6}[0-9a-fA-F:.]+` // an IPv6 address without brackets
	ip := either(ipv4Expr, `\[`+either(ipv4Expr, ipv6Expr)+`\]`)
	pair := `(published|target|protocol)=[^,]*`
	return `^` + either(
		either(host+`:`, either(ip, full)+`?:`+host+`:`, ip+`?:`+host+`:`+ip+`?:`)+`?`+ports+protoExpr,
		`(`+pair+`,)*target=`+ports+`(,`+pair+`)*`,
	) + `$`
}

func parsePublish(s string) (PortMapping, error) {
	if strings.Contains(s, "=") {
		return publishCSV(s)
	}
	spec, proto, err := cutProto(s)
	if err != nil {
		return PortMapping{}, err
	}
	parts, err := splitColons(spec)
	if err != nil {
		return PortMapping{}, err
	}
	n := len(parts)
	container := parts[n-1]
	switch n {
	case 1:
		return publish("", "", "", container, proto)
	case 2:
		return publish("", parts[0], "", container, proto)
	case 4:
		return publish(parts[0], parts[1], parts[2], container, proto)
	}
	return publish(strings.Join(parts[:n-2], ":"), parts[n-2], "", container, proto)
}

// cutProto takes /tcp, /udp or /sctp off the end.
func cutProto(s string) (spec, proto string, err error) {
	spec, proto, ok := strings.Cut(s, "/")
	if !ok {
		return spec, "tcp", nil
	}
	proto = strings.ToLower(proto)
	if !holds(proto, "oneof=tcp udp sctp") {
		return spec, "", bad("%q is not a protocol", proto).from(proto, []string{"tcp", "udp", "sctp"})
	}
	return spec, proto, nil
}

// splitColons splits at colons outside [ ], which keep an IPv6 address together. Four parts are always the
// reference's four fields: an IPv6 address without brackets has two colons at least and makes five.
func splitColons(s string) ([]string, error) {
	var parts []string
	depth, start := 0, 0
	for i, r := range s {
		switch {
		case r == '[':
			depth++
		case r == ']':
			depth--
		case r == ':' && depth == 0:
			parts = append(parts, s[start:i])
			start = i + 1
		}
		if depth < 0 || depth > 1 {
			return nil, bad("the brackets of %q do not match", s)
		}
	}
	if depth != 0 {
		return nil, bad("the brackets of %q do not match", s)
	}
	return append(parts, s[start:]), nil
}

func publishCSV(s string) (PortMapping, error) {
	keys := []string{"published", "target", "protocol"}
	get := map[string]string{}
	for part := range strings.SplitSeq(s, ",") {
		k, v, ok := strings.Cut(part, "=")
		if !ok || !contains(keys, k) {
			return PortMapping{}, bad("%q is not one of %s", part, "published=PORT, target=PORT, protocol=NAME").from(k, keys)
		}
		get[k] = v
	}
	return publishProto("", get["published"], "", get["target"], get["protocol"])
}

func publishFields(fields []Field) (PortMapping, error) {
	get, err := take(fields, publishKeys...)
	if err != nil {
		return PortMapping{}, err
	}
	if _, ok := get["container-port"]; !ok {
		return PortMapping{}, bad("container-port is missing")
	}
	return publishProto(get["host-ip"], get["host-port"], get["container-ip"], get["container-port"], get["protocol"])
}

func publishProto(hostIP, host, containerIP, container, proto string) (PortMapping, error) {
	_, proto, err := cutProto(strings.TrimSuffix("x/"+proto, "/"))
	if err != nil {
		return PortMapping{}, err
	}
	return publish(hostIP, host, containerIP, container, proto)
}

func publish(hostIP, host, containerIP, container, proto string) (PortMapping, error) {
	p := PortMapping{Proto: proto}
	var err error
	if container == "" {
		return p, bad("there is no container port")
	}
	if p.ContainerFirst, p.ContainerLast, err = portRange(container, 1, "container port"); err != nil {
		return p, err
	}
	if host != "" {
		if p.HostFirst, p.HostLast, err = portRange(host, 0, "host port"); err != nil {
			return p, err
		}
	}
	if p.HostIP, err = optionalIP(hostIP); err != nil {
		return p, err
	}
	if p.ContainerIP, err = optionalIP(containerIP); err != nil {
		return p, err
	}
	if p.ContainerIP.IsValid() && p.ContainerIP.IsUnspecified() {
		p.ContainerIP = netip.Addr{}
	}
	return p, checkRanges(p)
}

// checkRanges demands equal lengths; several host ports for one container port mean "the first that is free".
func checkRanges(p PortMapping) error {
	hosts := int(p.HostLast) - int(p.HostFirst)
	ports := int(p.ContainerLast) - int(p.ContainerFirst)
	switch {
	case max(hosts, ports) >= maxPublished:
		return bad("one entry publishes at most %d ports", maxPublished)
	case p.HostFirst == 0 && p.HostLast > 0:
		return bad("a range of host ports cannot begin with 0")
	case p.HostFirst > 0 && hosts != ports && ports > 0:
		return bad("the host has %d ports and the container %d", hosts+1, ports+1).fix("make both ranges equally long")
	}
	return nil
}

// portRange reads PORT or FIRST-LAST; least is the smallest port allowed.
func portRange(s string, least uint16, what string) (first, last uint16, err error) {
	a, b, isRange := strings.Cut(s, "-")
	if !isRange {
		b = a
	}
	if first, err = port(a, least, what); err != nil {
		return 0, 0, err
	}
	if last, err = port(b, least, what); err != nil {
		return 0, 0, err
	}
	if first > last {
		return 0, 0, bad("the %s range %q runs backwards", what, s).fix("write %s-%s", b, a)
	}
	return first, last, nil
}

func port(s string, least uint16, what string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n < uint64(least) || strings.HasPrefix(s, "+") {
		return 0, bad("the %s %q is not a number from %d to %d", what, s, least, maxPort)
	}
	return uint16(n), nil
}

func optionalIP(s string) (netip.Addr, error) {
	if s == "" {
		return netip.Addr{}, nil
	}
	return parseIP(s)
}

// parseIP reads an IPv4 or IPv6 address, with or without brackets, without a zone.
func parseIP(s string) (netip.Addr, error) {
	bare := s
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		bare = s[1 : len(s)-1]
	}
	a, err := netip.ParseAddr(bare)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, bad("%q is not an IP address", s)
	}
	return a, nil
}

func formatPublish(p PortMapping) string {
	container := formatRange(p.ContainerFirst, p.ContainerLast) + "/" + p.Proto
	host := ""
	if p.HostLast > 0 {
		host = formatRange(p.HostFirst, p.HostLast)
	}
	ip := ""
	if p.HostIP.IsValid() {
		ip = bracket(p.HostIP)
	}
	switch {
	case p.ContainerIP.IsValid():
		return ip + ":" + host + ":" + bracket(p.ContainerIP) + ":" + container
	case ip != "":
		return ip + ":" + host + ":" + container
	case host != "":
		return host + ":" + container
	}
	return container
}

func bracket(a netip.Addr) string {
	if a.Is4() {
		return a.String()
	}
	return "[" + a.String() + "]"
}

func formatRange(first, last uint16) string {
	s := strconv.Itoa(int(first))
	if last != first {
		s += "-" + strconv.Itoa(int(last))
	}
	return s
}

// ExposeSyntax is the syntax of expose: PORT[-PORT][/PROTO]. Docker also takes port 0 and any protocol.
func ExposeSyntax() Parser[PortRange] {
	return Parser[PortRange]{
		Parse: func(s string) (PortRange, error) {
			spec, proto, err := cutProto(s)
			if err != nil {
				return PortRange{}, err
			}
			first, last, err := portRange(spec, 1, "port")
			return PortRange{First: first, Last: last, Proto: proto}, err
		},
		Format: func(p PortRange) string { return formatRange(p.First, p.Last) + "/" + p.Proto },
		Schema: func() jsonSchema { return orNumber(1, maxPort, `^`+portsExpr()+protoExpr+`$`) },
		Syntax: "PORT[-PORT][/tcp|udp|sctp]",
	}
}
