package network

import (
	"encoding/binary"
	"net"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Pieces of nftables rules. Values go through register 1; 4-byte registers are numbered from 8, so 9 is the second word
// of register 1, and 2 its 17th byte.

var (
	loopback4 = netip.MustParsePrefix("127.0.0.0/8")
	loopback6 = netip.MustParsePrefix("::1/128")
)

// field is an address field of the IP header, by family.
type field struct{ offset4, offset6 uint32 }

var (
	saddr = field{12, 8}
	daddr = field{16, 24}
)

func meta(key expr.MetaKey, op expr.CmpOp, data []byte) []expr.Any {
	return []expr.Any{&expr.Meta{Key: key, Register: 1}, &expr.Cmp{Op: op, Register: 1, Data: data}}
}

func ipv4() []expr.Any {
	return meta(expr.MetaKeyNFPROTO, expr.CmpOpEq, []byte{unix.NFPROTO_IPV4})
}

func ipv6() []expr.Any {
	return meta(expr.MetaKeyNFPROTO, expr.CmpOpEq, []byte{unix.NFPROTO_IPV6})
}

func ifname(s string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, s)
	return b
}

func name(key expr.MetaKey, op expr.CmpOp, link string) []expr.Any {
	return meta(key, op, ifname(link))
}

// inPrefix compares an address with a prefix: Eq inside, Neq outside.
func inPrefix(f field, p netip.Prefix, op expr.CmpOp) []expr.Any {
	offset, length := f.offset4, uint32(4)
	if p.Addr().Is6() {
		offset, length = f.offset6, 16
	}
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length},
		&expr.Bitwise{
			SourceRegister: 1, DestRegister: 1, Len: length,
			Mask: net.CIDRMask(p.Bits(), int(length)*8), Xor: make([]byte, length),
		},
		&expr.Cmp{Op: op, Register: 1, Data: p.Masked().Addr().AsSlice()},
	}
}

// ctBits holds when one of the bits is set in a word of the connection's tracking entry.
func ctBits(key expr.CtKey, bits uint32) []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: key, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: binary.NativeEndian.AppendUint32(nil, bits), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
	}
}

// toLocal holds for packets to an address of this host.
func toLocal() []expr.Any {
	return []expr.Any{
		&expr.Fib{Register: 1, FlagDADDR: true, ResultADDRTYPE: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binary.NativeEndian.AppendUint32(nil, unix.RTN_LOCAL)},
	}
}

func verdict(kind expr.VerdictKind, chain string) []expr.Any {
	return []expr.Any{&expr.Counter{}, &expr.Verdict{Kind: kind, Chain: chain}}
}

func jump(link, chain string) nftables.SetElement {
	return nftables.SetElement{Key: ifname(link), VerdictData: &expr.Verdict{Kind: expr.VerdictJump, Chain: chain}}
}

func lookupVerdict(key expr.MetaKey, set *nftables.Set) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: key, Register: 1},
		&expr.Lookup{SourceRegister: 1, DestRegister: 0, IsDestRegSet: true, SetName: set.Name, SetID: set.ID},
	}
}

// dnat looks the packet up in a map of ports and rewrites its destination to what it finds.
func dnat(m *nftables.Set, withAddress bool) []expr.Any {
	offset, length, nat := daddr.offset4, uint32(4), &expr.NAT{Family: unix.NFPROTO_IPV4, RegProtoMin: 9}
	if m.Name == mapPub6 || m.Name == mapPub6Addr {
		offset, length, nat = daddr.offset6, 16, &expr.NAT{Family: unix.NFPROTO_IPV6, RegProtoMin: 2}
	}
	nat.Type, nat.RegAddrMin, nat.Specified = expr.NATTypeDestNAT, 1, true
	var out []expr.Any
	next := uint32(8) // the word to load next
	if withAddress {
		out = append(out, &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length})
		next += length / 4
	}
	return append(
		out,
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: next},
		&expr.Payload{DestRegister: next + 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Lookup{SourceRegister: 1, DestRegister: 1, IsDestRegSet: true, SetName: m.Name, SetID: m.ID},
		nat,
	)
}
