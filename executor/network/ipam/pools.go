// Package ipam chooses subnets that meet nothing the host knows, and addresses inside them.
//
// A subnet is chosen once per network (Choose), under a lock that the caller holds. An address is taken by creating a
// file with O_EXCL (Pool.Take), which is atomic across processes, needs no daemon and shows after a crash who held what.
// Addresses are also remembered by name, so that a container gets the same one again.
package ipam

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// Used is an address range that is taken, and by what ("route via eth0", "nameserver").
type Used struct {
	Prefix netip.Prefix
	By     string
}

// block is a range that is cut into subnets of bits length.
type block struct {
	prefix string
	bits   int
}

// pools are tried in this order. The first block is one that Docker and podman do not use by default; the others are
// Docker's own, for hosts where the first one is taken.
var pools = []block{
	{"10.210.0.0/15", 24},
	{"172.17.0.0/16", 16},
	{"172.18.0.0/15", 16},
	{"172.20.0.0/14", 16},
	{"172.24.0.0/13", 16},
	{"192.168.0.0/16", 20},
}

// ErrNoSubnet is what Choose answers when every pool is taken.
var ErrNoSubnet = errors.New("every address pool overlaps something on this host; give the network a subnet of its own")

// Overlap returns the first entry of used that shares an address with p.
func Overlap(p netip.Prefix, used []Used) (Used, bool) {
	for _, u := range used {
		if u.Prefix.Overlaps(p) {
			return u, true
		}
	}
	return Used{}, false
}

// Choose returns prefer if it is valid and free, else the first free subnet of the pools.
func Choose(prefer netip.Prefix, used []Used) (netip.Prefix, error) {
	if prefer.IsValid() {
		if _, taken := Overlap(prefer, used); !taken {
			return prefer, nil
		}
	}
	for _, b := range pools {
		whole := netip.MustParsePrefix(b.prefix)
		for p := netip.PrefixFrom(whole.Addr(), b.bits); whole.Contains(p.Addr()); p = nextSubnet(p) {
			if _, taken := Overlap(p, used); !taken {
				return p, nil
			}
		}
	}
	return netip.Prefix{}, ErrNoSubnet
}

func nextSubnet(p netip.Prefix) netip.Prefix {
	b := p.Addr().As4()
	v := binary.BigEndian.Uint32(b[:]) + 1<<(32-p.Bits())
	binary.BigEndian.PutUint32(b[:], v)
	return netip.PrefixFrom(netip.AddrFrom4(b), p.Bits())
}

// ChooseULA returns a free /64 below a unique local /48 that is derived from seed (the machine's id).
func ChooseULA(seed string, prefer netip.Prefix, used []Used) (netip.Prefix, error) {
	if prefer.IsValid() {
		if _, taken := Overlap(prefer, used); !taken {
			return prefer, nil
		}
	}
	sum := sha256.Sum256([]byte("ula\x00" + seed))
	var b [16]byte
	b[0] = 0xfd
	copy(b[1:6], sum[:5])
	for n := range 1 << 16 {
		binary.BigEndian.PutUint16(b[6:8], uint16(n))
		p := netip.PrefixFrom(netip.AddrFrom16(b), 64)
		if _, taken := Overlap(p, used); !taken {
			return p, nil
		}
	}
	return netip.Prefix{}, ErrNoSubnet
}

// Nameservers reads the servers of a resolv.conf as used addresses: a subnet that covers one would cut the host off from
// its own resolver.
func Nameservers(r io.Reader) []Used {
	var out []Used
	for sc := bufio.NewScanner(r); sc.Scan(); {
		f := strings.Fields(sc.Text())
		if len(f) < 2 || f[0] != "nameserver" {
			continue
		}
		if a, err := netip.ParseAddr(f[1]); err == nil {
			a = a.Unmap().WithZone("")
			out = append(out, Used{Prefix: netip.PrefixFrom(a, a.BitLen()), By: "nameserver " + f[1]})
		}
	}
	return out
}

// CheckSubnet says why p cannot be the subnet of a network, or nil.
func CheckSubnet(p netip.Prefix, gateway netip.Addr, used []Used) error {
	room := p.Addr().BitLen() - p.Bits()
	if room < 2 {
		return fmt.Errorf("subnet %s is too small: it has no room for a gateway and a container", p)
	}
	if p != p.Masked() {
		return fmt.Errorf("subnet %s has bits set behind its length; did you mean %s?", p, p.Masked())
	}
	if gateway.IsValid() && !p.Contains(gateway) {
		return fmt.Errorf("gateway %s is not inside subnet %s", gateway, p)
	}
	if u, taken := Overlap(p, used); taken {
		return fmt.Errorf("subnet %s overlaps %s (%s)", p, u.Prefix, u.By)
	}
	return nil
}
