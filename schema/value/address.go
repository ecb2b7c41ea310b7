package value

import (
	"net"
	"net/netip"
	"strings"
)

const linkLocalExpr = `(169\.254\.` + octet + `\.` + octet + `|([fF][eE][89abAB][0-9a-fA-F]|[0:]+:[fF]{4}):[0-9a-fA-F.:]+)`

// LinkLocal is an address that is valid on one link only: of 169.254.0.0/16 or fe80::/10, without a zone.
func LinkLocal() Parser[string] {
	p := IP()
	parse := p.Parse
	p.Syntax = "an address of 169.254.0.0/16 or fe80::/10"
	p.Schema = func() jsonSchema { return pattern(`^` + linkLocalExpr + `$`) }
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
		Schema: func() jsonSchema { return map[string]any{"type": "string", "format": format} }, Syntax: syntax,
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
		Schema: func() jsonSchema {
			return anyOf(map[string]any{"type": "string", "format": "ipv4"}, map[string]any{"type": "string", "format": "ipv6"})
		},
		Syntax: "an IPv4 or IPv6 address",
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
		Schema: func() jsonSchema {
			return pattern(`^(` + ipv4Expr + `/([12]?[0-9]|30)|` + ipv6Expr + `/([1-9]?[0-9]|1[01][0-9]|12[0-6]))$`)
		}, Syntax: "ADDRESS/BITS",
	}
}

// MAC is a hardware address of six bytes that a single machine may have.
func MAC() Parser[string] {
	return Parser[string]{
		Parse: parseMAC, Format: func(s string) string { return s },
		Schema: func() jsonSchema { return butNot(`^`+macExpr+`$`, `^[0:.-]+$`) },
		Syntax: "six bytes: 92:d0:c6:0a:29:33",
	}
}

// macExpr matches six bytes, the first of which is even: the others are addresses of groups.
const macExpr = `[0-9a-fA-F][02468aceACE]((:[0-9a-fA-F]{2}){5}|(-[0-9a-fA-F]{2}){5}|[0-9a-fA-F]{2}(\.[0-9a-fA-F]{4}){2})`

func parseMAC(s string) (string, error) {
	m, err := net.ParseMAC(s)
	switch {
	case err == nil && len(m) != 6:
		return "", bad("%q has %d bytes; the address of a network card has 6", s, len(m))
	case err != nil || !strings.ContainsAny(s, ":-."): // young versions of Go read twelve digits, too
		return "", bad("%q is not a MAC address", s)
	case m[0]&1 == 1:
		return "", bad("%q is a group's address, not a single machine's", s).fix("make the first byte even")
	case m.String() == "00:00:00:00:00:00":
		return "", bad("%q is no machine's address", s)
	}
	return m.String(), nil
}
