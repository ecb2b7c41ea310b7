package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// resolverAddr is where the containers of user-defined networks ask for names, as with Docker.
var resolverAddr = netip.MustParseAddr("127.0.0.11")

// Redirect implements Kernel. Port 53 itself stays free for the container's own use.
func (k *linux) Redirect(ns *Netns, udp, tcp uint16) error {
	return ns.Do(func() error {
		c, err := nftables.New(nftables.AsLasting())
		if err != nil {
			return fmt.Errorf("open an nftables socket: %w", err)
		}
		t := &nftables.Table{Family: nftables.TableFamilyIPv4, Name: "runfile-dns"}
		c.AddTable(t)
		c.DelTable(t)
		w := ruleWriter{c, c.AddTable(t)}
		out := w.base("output", nftables.ChainTypeNAT, nftables.ChainHookOutput, -100)
		for proto, port := range map[string]uint16{"udp": udp, "tcp": tcp} {
			w.rule(out, "embedded DNS", inPrefix(daddr, netip.PrefixFrom(resolverAddr, 32), expr.CmpOpEq),
				meta(expr.MetaKeyL4PROTO, expr.CmpOpEq, []byte{protocols[proto]}),
				[]expr.Any{
					&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
					&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: portBytes(53)},
					&expr.Immediate{Register: 1, Data: resolverAddr.AsSlice()},
					&expr.Immediate{Register: 9, Data: pad(portBytes(port))},
					&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 9, Specified: true},
				})
		}
		if err := errors.Join(c.Flush(), c.CloseLasting()); err != nil {
			return fmt.Errorf("redirect the container's DNS queries: %w", err)
		}
		return nil
	})
}

// forgetFlows drops the tracking entries of UDP ports that were published or withdrawn: UDP has no end, and an old flow
// would go on to where it went before.
func (k *linux) forgetFlows(ports []Port) {
	seen := map[uint16]bool{}
	for _, p := range ports {
		if p.Proto != "udp" || seen[p.Host.Port()] {
			continue
		}
		seen[p.Host.Port()] = true
		f := &netlink.ConntrackFilter{}
		if f.AddProtocol(unix.IPPROTO_UDP) != nil || f.AddPort(netlink.ConntrackOrigDstPort, p.Host.Port()) != nil {
			continue
		}
		for _, fam := range []netlink.InetFamily{unix.AF_INET, unix.AF_INET6} {
			_, _ = k.routes.ConntrackDeleteFilters(netlink.ConntrackTable, fam, f) // without tracking there is nothing to forget
		}
	}
}

// forwardComment marks the rules that we put into chains of others.
const forwardComment = "runfile"

// OpenForward implements Kernel. A drop anywhere is final, so where the host's own FORWARD chain drops (Docker, ufw), an
// accept of ours does not help; two rules at its head for all our bridges do. What our own table drops stays dropped.
func (k *linux) OpenForward(open bool) (changed bool, err error) {
	k.nftMu.Lock()
	defer k.nftMu.Unlock()
	for _, fam := range []nftables.TableFamily{nftables.TableFamilyIPv4, nftables.TableFamilyIPv6} {
		chains, err := k.nft.ListChainsOfTableFamily(fam)
		if err != nil {
			return changed, fmt.Errorf("list packet rule chains: %w", err)
		}
		i := slices.IndexFunc(chains, func(c *nftables.Chain) bool { return c.Table.Name == "filter" && c.Name == "FORWARD" })
		if i < 0 {
			continue
		}
		did, err := k.openChain(chains[i], open)
		if err != nil {
			return changed, fmt.Errorf("change chain FORWARD: %w", err)
		}
		changed = changed || did
	}
	return changed, nil
}

func (k *linux) openChain(ch *nftables.Chain, open bool) (bool, error) {
	rules, err := k.nft.GetRules(ch.Table, ch)
	if err != nil {
		return false, err
	}
	var ours []*nftables.Rule
	for _, r := range rules {
		if c, ok := userdata.GetString(r.UserData, userdata.TypeComment); ok && c == forwardComment {
			ours = append(ours, r)
		}
	}
	if !open {
		for _, r := range ours {
			if err := k.nft.DelRule(r); err != nil {
				return false, err
			}
		}
		return len(ours) > 0, k.nft.Flush()
	}
	if len(ours) > 0 || !drops(ch, rules) {
		return false, nil
	}
	for _, key := range []expr.MetaKey{expr.MetaKeyOIFNAME, expr.MetaKeyIIFNAME} {
		k.nft.InsertRule(&nftables.Rule{
			Table: ch.Table, Chain: ch,
			// Comparing fewer bytes than a name has is nft's wildcard: rf*.
			Exprs:    slices.Concat(meta(key, expr.CmpOpEq, []byte(linkPrefix)), verdict(expr.VerdictAccept, "")),
			UserData: userdata.AppendString(nil, userdata.TypeComment, forwardComment),
		})
	}
	return true, k.nft.Flush()
}

// drops reports whether what passes all rules of a chain is dropped: by its policy, or by a last rule without a condition.
func drops(ch *nftables.Chain, rules []*nftables.Rule) bool {
	if ch.Policy != nil && *ch.Policy == nftables.ChainPolicyDrop {
		return true
	}
	if len(rules) == 0 {
		return false
	}
	for _, e := range rules[len(rules)-1].Exprs {
		switch v := e.(type) {
		case *expr.Counter:
		case *expr.Verdict:
			return v.Kind == expr.VerdictDrop
		case *expr.Reject:
			return true
		case *expr.Target: // how iptables writes what it does not translate
			return v.Name == "REJECT"
		default:
			return false
		}
	}
	return false
}
