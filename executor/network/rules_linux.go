package network

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
	"golang.org/x/sys/unix"
)

// The rules of a project live in one table of family inet:
//
//	map pub4, pub6     protocol . port -> container address . port            published on every host address
//	map pub4a, pub6a   host address . protocol . port -> the same             published on one
//	map fwd_in         bridge -> chain in_BRIDGE                              what may enter a network
//	map fwd_out        bridge -> chain out_BRIDGE, internal networks only     what may leave it
//	chain raw          drops packets for 127/8 that come from outside: else neighbours reach ports published on loopback
//	chain prerouting, output -> pub   destination NAT
//	chain postrouting  masquerades what leaves a network, and what a container sends to its own published port
//	chain forward      fwd_out before fwd_in: an accept in in_A would let an internal network reach A
//
// A port is an element of a map, so publishing one is one small transaction.
const (
	mapPub4, mapPub4Addr = "pub4", "pub4a"
	mapPub6, mapPub6Addr = "pub6", "pub6a"
	mapIn, mapOut        = "fwd_in", "fwd_out"
	ctDNAT               = 0x20 // IPS_DST_NAT of <linux/netfilter/nf_conntrack_common.h>
	ctEstablishedRelated = 0x2 | 0x4
	// elementsPerMessage keeps a message's list of elements below the 64 KiB that an attribute can hold.
	elementsPerMessage = 400
)

func concat(types ...nftables.SetDatatype) nftables.SetDatatype {
	return nftables.MustConcatSetType(types...)
}

// portMap describes one of the four maps of ports. Key types are in the order in which the rule loads them.
func portMap(t *nftables.Table, name string) *nftables.Set {
	s := &nftables.Set{Table: t, Name: name, IsMap: true, Concatenation: true}
	addr := nftables.TypeIPAddr
	if name == mapPub6 || name == mapPub6Addr {
		addr = nftables.TypeIP6Addr
	}
	s.KeyType = concat(nftables.TypeInetProto, nftables.TypeInetService)
	if name == mapPub4Addr || name == mapPub6Addr {
		s.KeyType = concat(addr, nftables.TypeInetProto, nftables.TypeInetService)
	}
	s.DataType = concat(addr, nftables.TypeInetService)
	return s
}

func verdictMap(t *nftables.Table, name string) *nftables.Set {
	// The byte order matters to people only: without it `nft list` prints the names as empty.
	return &nftables.Set{
		Table: t, Name: name, IsMap: true, KeyByteOrder: binaryutil.NativeEndian,
		KeyType: nftables.TypeIFName, DataType: nftables.TypeVerdict,
	}
}

func passSet(t *nftables.Table, bridge string) *nftables.Set {
	return &nftables.Set{
		Table: t, Name: "pass_" + bridge, Concatenation: true,
		KeyType: concat(nftables.TypeIPAddr, nftables.TypeIPAddr, nftables.TypeInetProto, nftables.TypeInetService),
	}
}

// mapOf returns the map in which p is an element.
func mapOf(p Port) string {
	switch {
	case p.Host.Addr().Is4() && p.Host.Addr().IsUnspecified():
		return mapPub4
	case p.Host.Addr().Is4():
		return mapPub4Addr
	case p.Host.Addr().IsUnspecified():
		return mapPub6
	}
	return mapPub6Addr
}

// pad puts values behind each other, each at a multiple of four bytes as the kernel's registers want it.
func pad(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	return out
}

func portBytes(p uint16) []byte { return binary.BigEndian.AppendUint16(nil, p) }

var protocols = map[string]byte{"tcp": unix.IPPROTO_TCP, "udp": unix.IPPROTO_UDP, "sctp": unix.IPPROTO_SCTP}

func portElement(p Port) nftables.SetElement {
	e := nftables.SetElement{
		Key: pad([]byte{protocols[p.Proto]}, portBytes(p.Host.Port())),
		Val: pad(p.Target.Addr().AsSlice(), portBytes(p.Target.Port())),
	}
	if !p.Host.Addr().IsUnspecified() {
		e.Key = append(p.Host.Addr().AsSlice(), e.Key...)
	}
	return e
}

func passElement(p Pass) nftables.SetElement {
	return nftables.SetElement{Key: pad(p.From.AsSlice(), p.To.AsSlice(), []byte{protocols[p.Proto]}, portBytes(p.Port))}
}

// Apply implements Kernel.
func (k *linux) Apply(c Change) error {
	k.nftMu.Lock()
	defer k.nftMu.Unlock()
	t := &nftables.Table{Family: nftables.TableFamilyINet, Name: c.Table}
	if c.Drop || c.Replace != nil {
		k.nft.AddTable(t) // so that deleting it cannot fail; old kernels lack "destroy"
		k.nft.DelTable(t)
	}
	if c.Replace != nil {
		if err := writeRuleset(k.nft, t, *c.Replace); err != nil {
			return fmt.Errorf("write packet rules: %w", err)
		}
	}
	for _, step := range []struct {
		change func(*nftables.Set, []nftables.SetElement) error
		ports  []Port
		passes []Pass
	}{{k.nft.SetDeleteElements, c.Del, c.DelP}, {k.nft.SetAddElements, c.Add, c.AddP}} {
		for set, elems := range elementsBySet(t, step.ports, step.passes) {
			if err := step.change(set, elems); err != nil {
				return fmt.Errorf("write packet rules: %w", err)
			}
		}
	}
	if err := k.nft.Flush(); err != nil {
		return fmt.Errorf("change packet rules: %w", err)
	}
	k.forgetFlows(append(slices.Clone(c.Add), c.Del...))
	return nil
}

// elementsBySet groups elements, in pieces that fit a message.
func elementsBySet(t *nftables.Table, ports []Port, passes []Pass) map[*nftables.Set][]nftables.SetElement {
	byName := map[string][]nftables.SetElement{}
	for _, p := range ports {
		byName[mapOf(p)] = append(byName[mapOf(p)], portElement(p))
	}
	out := map[*nftables.Set][]nftables.SetElement{}
	for name, elems := range byName {
		for piece := range slices.Chunk(elems, elementsPerMessage) {
			out[portMap(t, name)] = piece
		}
	}
	byBridge := map[string][]nftables.SetElement{}
	for _, p := range passes {
		byBridge[p.Bridge] = append(byBridge[p.Bridge], passElement(p))
	}
	for bridge, elems := range byBridge {
		for piece := range slices.Chunk(elems, elementsPerMessage) {
			out[passSet(t, bridge)] = piece
		}
	}
	return out
}

// ports reads the published ports of a table.
func (k *linux) ports(table string) (ports []Port, exists bool, err error) {
	k.nftMu.Lock()
	defer k.nftMu.Unlock()
	tables, err := k.nft.ListTablesOfFamily(nftables.TableFamilyINet)
	if err != nil {
		return nil, false, fmt.Errorf("list packet rule tables: %w", err)
	}
	i := slices.IndexFunc(tables, func(t *nftables.Table) bool { return t.Name == table })
	if i < 0 {
		return nil, false, nil
	}
	for _, name := range []string{mapPub4, mapPub4Addr, mapPub6, mapPub6Addr} {
		elems, err := k.nft.GetSetElements(portMap(tables[i], name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, true, fmt.Errorf("read map %s: %w", name, err)
		}
		for _, e := range elems {
			if p, ok := parseElement(name, e); ok {
				ports = append(ports, p)
			}
		}
	}
	return ports, true, nil
}

// parseElement undoes portElement.
func parseElement(set string, e nftables.SetElement) (Port, bool) {
	host, size := netip.IPv4Unspecified(), 4
	if set == mapPub6 || set == mapPub6Addr {
		host, size = netip.IPv6Unspecified(), 16
	}
	key := e.Key
	if set == mapPub4Addr || set == mapPub6Addr {
		if len(key) < size {
			return Port{}, false
		}
		host, _ = netip.AddrFromSlice(key[:size])
		key = key[size:]
	}
	if len(key) < 6 || len(e.Val) < size+2 {
		return Port{}, false
	}
	p := Port{Host: netip.AddrPortFrom(host, binary.BigEndian.Uint16(key[4:]))}
	for name, number := range protocols {
		if number == key[0] {
			p.Proto = name
		}
	}
	target, _ := netip.AddrFromSlice(e.Val[:size])
	p.Target = netip.AddrPortFrom(target, binary.BigEndian.Uint16(e.Val[size:]))
	return p, p.Proto != ""
}

// ruleWriter adds rules to a table.
type ruleWriter struct {
	c *nftables.Conn
	t *nftables.Table
}

func (w ruleWriter) chain(name string) *nftables.Chain {
	return w.c.AddChain(&nftables.Chain{Name: name, Table: w.t})
}

func (w ruleWriter) base(name string, kind nftables.ChainType, hook *nftables.ChainHook, priority int32) *nftables.Chain {
	accept := nftables.ChainPolicyAccept
	return w.c.AddChain(&nftables.Chain{
		Name: name, Table: w.t, Type: kind, Hooknum: hook,
		Priority: nftables.ChainPriorityRef(nftables.ChainPriority(priority)), Policy: &accept,
	})
}

func (w ruleWriter) rule(ch *nftables.Chain, comment string, parts ...[]expr.Any) {
	w.c.AddRule(&nftables.Rule{
		Table: w.t, Chain: ch, Exprs: slices.Concat(parts...),
		UserData: userdata.AppendString(nil, userdata.TypeComment, comment),
	})
}

func writeRuleset(c *nftables.Conn, t *nftables.Table, r Ruleset) error {
	w := ruleWriter{c, c.AddTable(t)}
	elems := elementsBySet(w.t, r.Ports, nil)
	var sets []*nftables.Set
	for _, name := range []string{mapPub4, mapPub4Addr, mapPub6, mapPub6Addr} {
		sets = append(sets, portMap(w.t, name))
	}
	in, out := verdictMap(w.t, mapIn), verdictMap(w.t, mapOut)
	for _, s := range append(slices.Clone(sets), in, out) {
		if err := c.AddSet(s, nil); err != nil {
			return err
		}
	}
	for s, e := range elems {
		if err := c.SetAddElements(s, e); err != nil {
			return err
		}
	}
	pub := w.chain("pub")
	w.writeNAT(pub, sets)
	post := w.base("postrouting", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, 100)
	forward := w.base("forward", nftables.ChainTypeFilter, nftables.ChainHookForward, 0)
	w.rule(forward, "leaving an internal network", lookupVerdict(expr.MetaKeyIIFNAME, out))
	w.rule(forward, "entering a network", lookupVerdict(expr.MetaKeyOIFNAME, in))
	for _, n := range r.Networks {
		passes := slices.DeleteFunc(slices.Clone(r.Passes), func(p Pass) bool { return p.Bridge != n.Bridge })
		if err := w.writeNetwork(n, passes, post, in, out); err != nil {
			return err
		}
	}
	return nil
}

// writeNAT fills the chains that rewrite destinations.
func (w ruleWriter) writeNAT(pub *nftables.Chain, maps []*nftables.Set) {
	raw := w.base("raw", nftables.ChainTypeFilter, nftables.ChainHookPrerouting, -300)
	w.rule(raw, "loopback addresses from outside", ipv4(), name(expr.MetaKeyIIFNAME, expr.CmpOpNeq, "lo"),
		inPrefix(daddr, loopback4, expr.CmpOpEq), verdict(expr.VerdictDrop, ""))
	pre := w.base("prerouting", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, -100)
	w.rule(pre, "published ports", toLocal(), verdict(expr.VerdictJump, pub.Name))
	out := w.base("output", nftables.ChainTypeNAT, nftables.ChainHookOutput, -100)
	// What the host sends to its loopback addresses is served by the proxy: such a packet cannot leave a bridge.
	w.rule(out, "published ports, from the host", ipv4(), inPrefix(daddr, loopback4, expr.CmpOpNeq), toLocal(), verdict(expr.VerdictJump, pub.Name))
	w.rule(out, "published ports, from the host", ipv6(), inPrefix(daddr, loopback6, expr.CmpOpNeq), toLocal(), verdict(expr.VerdictJump, pub.Name))
	w.rule(pub, "published on an address", ipv4(), dnat(maps[1], true))
	w.rule(pub, "published", ipv4(), dnat(maps[0], false))
	w.rule(pub, "published on an address", ipv6(), dnat(maps[3], true))
	w.rule(pub, "published", ipv6(), dnat(maps[2], false))
}

// writeNetwork adds the two chains of a bridge and its masquerading.
func (w ruleWriter) writeNetwork(n RuleNetwork, passes []Pass, post *nftables.Chain, in, out *nftables.Set) error {
	ch := w.chain("in_" + n.Bridge)
	if n.Internal {
		w.rule(ch, "internal", name(expr.MetaKeyIIFNAME, expr.CmpOpNeq, n.Bridge), verdict(expr.VerdictDrop, ""))
	}
	w.rule(ch, "answers", ctBits(expr.CtKeySTATE, ctEstablishedRelated), verdict(expr.VerdictAccept, ""))
	if n.ICC {
		w.rule(ch, "neighbours", name(expr.MetaKeyIIFNAME, expr.CmpOpEq, n.Bridge), verdict(expr.VerdictAccept, ""))
	} else if err := w.writePasses(ch, n.Bridge, passes); err != nil {
		return err
	}
	w.rule(ch, "published", ctBits(expr.CtKeySTATUS, ctDNAT), verdict(expr.VerdictAccept, ""))
	w.rule(ch, "not published", verdict(expr.VerdictDrop, ""))
	if err := w.c.SetAddElements(in, []nftables.SetElement{jump(n.Bridge, ch.Name)}); err != nil {
		return err
	}
	if n.Internal {
		ch := w.chain("out_" + n.Bridge)
		w.rule(ch, "internal", name(expr.MetaKeyOIFNAME, expr.CmpOpNeq, n.Bridge), verdict(expr.VerdictDrop, ""))
		if err := w.c.SetAddElements(out, []nftables.SetElement{jump(n.Bridge, ch.Name)}); err != nil {
			return err
		}
	}
	for _, p := range n.Subnets {
		fam := ipv4()
		if p.Addr().Is6() {
			fam = ipv6()
		}
		w.rule(post, "own published port", fam, name(expr.MetaKeyOIFNAME, expr.CmpOpEq, n.Bridge), inPrefix(saddr, p, expr.CmpOpEq),
			ctBits(expr.CtKeySTATUS, ctDNAT), []expr.Any{&expr.Masq{}})
		if !n.Internal {
			w.rule(post, "outside", fam, name(expr.MetaKeyOIFNAME, expr.CmpOpNeq, n.Bridge), inPrefix(saddr, p, expr.CmpOpEq),
				[]expr.Any{&expr.Masq{}})
		}
	}
	return nil
}

// writePasses allows what links allow on a network without icc.
func (w ruleWriter) writePasses(ch *nftables.Chain, bridge string, passes []Pass) error {
	set := passSet(w.t, bridge)
	if err := w.c.AddSet(set, nil); err != nil {
		return err
	}
	for s, e := range elementsBySet(w.t, nil, passes) {
		if err := w.c.SetAddElements(s, e); err != nil {
			return err
		}
	}
	w.rule(ch, "links", ipv4(), []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 8}, // source, destination
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 10},
		&expr.Payload{DestRegister: 11, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID},
	}, verdict(expr.VerdictAccept, ""))
	return nil
}
