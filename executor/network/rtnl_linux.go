package network

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// rtnl is a routing netlink socket that sends several requests at once. The kernel handles them before sendto returns, so
// that a set-up which takes five requests costs one system call and the reading of its answers.
type rtnl struct {
	fd  int
	seq uint32
	buf [16 << 10]byte
}

// openRtnl opens a socket in the calling thread's namespace.
func openRtnl() (*rtnl, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	// Answers without a copy of the request, and with the kernel's own words; old kernels have neither.
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1)
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_EXT_ACK, 1)
	return &rtnl{fd: fd}, nil
}

func (r *rtnl) close() { _ = unix.Close(r.fd) }

// do sends requests in one message and returns the first refusal, after all answers have been read. Answers to dumps
// and gets go to each; nil ignores them.
func (r *rtnl) do(reqs []*nl.NetlinkRequest, each func(syscall.NetlinkMessage)) error {
	if len(reqs) == 0 { // the kernel refuses an empty message
		return nil
	}
	var out []byte
	first := r.seq + 1
	for _, q := range reqs {
		r.seq++
		q.Seq = r.seq
		out = append(out, q.Serialize()...)
	}
	if err := unix.Sendto(r.fd, out, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("send to the kernel: %w", err)
	}
	var refusal error
	for acks := 0; acks < len(reqs); {
		n, _, err := unix.Recvfrom(r.fd, r.buf[:], 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("receive from the kernel: %w", err)
		}
		msgs, err := syscall.ParseNetlinkMessage(r.buf[:n])
		if err != nil {
			return fmt.Errorf("read the kernel's answer: %w", err)
		}
		for _, m := range msgs {
			switch {
			case m.Header.Seq < first || m.Header.Seq > r.seq: // of an earlier, failed call
			case m.Header.Type == unix.NLMSG_ERROR:
				acks++
				if err := ackError(m); err != nil && refusal == nil {
					refusal = err
				}
			case m.Header.Type == unix.NLMSG_DONE:
				acks++
			case each != nil:
				each(m)
			}
		}
	}
	return refusal
}

// ackError reads an acknowledgement, with the text that newer kernels add.
func ackError(m syscall.NetlinkMessage) error {
	if len(m.Data) < 4 {
		return errors.New("the kernel's answer is cut short")
	}
	code := -int32(binary.NativeEndian.Uint32(m.Data))
	if code == 0 {
		return nil
	}
	err := error(unix.Errno(code))
	const header = 4 + unix.SizeofNlMsghdr // the refused request's header follows the code
	if m.Header.Flags&unix.NLM_F_ACK_TLVS != 0 && len(m.Data) > header {
		attrs, _ := nl.ParseRouteAttr(m.Data[header:])
		for _, a := range attrs {
			if a.Attr.Type == unix.NLMSGERR_ATTR_MSG {
				return fmt.Errorf("%w (%s)", err, unix.ByteSliceToString(a.Value))
			}
		}
	}
	return err
}

func linkRequest(flags int, index int32, up bool) *nl.NetlinkRequest {
	q := nl.NewNetlinkRequest(unix.RTM_NEWLINK, flags|unix.NLM_F_ACK)
	m := nl.NewIfInfomsg(unix.AF_UNSPEC)
	m.Index = index
	if up {
		m.Flags, m.Change = unix.IFF_UP, unix.IFF_UP
	}
	q.AddData(m)
	return q
}

// vethRequests make the pair of i with its far end inside ns. The first request cannot set an alias or a port's mode: the
// kernel reads those only for links that exist.
func vethRequests(i Interface, bridge uint32, ns int) []*nl.NetlinkRequest {
	add := linkRequest(unix.NLM_F_CREATE|unix.NLM_F_EXCL, 0, true)
	add.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(i.Host)))
	add.AddData(nl.NewRtAttr(unix.IFLA_MASTER, nl.Uint32Attr(bridge)))
	add.AddData(nl.NewRtAttr(unix.IFLA_MTU, nl.Uint32Attr(uint32(i.MTU))))
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated("veth"))
	peer := info.AddRtAttr(nl.IFLA_INFO_DATA, nil).AddRtAttr(nl.VETH_INFO_PEER, nil)
	nl.NewIfInfomsgChild(peer, unix.AF_UNSPEC)
	peer.AddRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(i.Name))
	peer.AddRtAttr(unix.IFLA_ADDRESS, i.MAC)
	peer.AddRtAttr(unix.IFLA_MTU, nl.Uint32Attr(uint32(i.MTU)))
	peer.AddRtAttr(unix.IFLA_NET_NS_FD, nl.Uint32Attr(uint32(ns)))
	add.AddData(info)

	set := linkRequest(0, 0, false)
	set.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(i.Host)))
	set.AddData(nl.NewRtAttr(unix.IFLA_IFALIAS, []byte(i.Alias)))
	info = nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_SLAVE_KIND, nl.NonZeroTerminated("bridge"))
	// Hairpin: a container that asks for its own published port gets its packet back through the port it came from.
	info.AddRtAttr(nl.IFLA_INFO_SLAVE_DATA, nil).AddRtAttr(nl.IFLA_BRPORT_MODE, nl.Uint8Attr(1))
	set.AddData(info)
	return []*nl.NetlinkRequest{add, set}
}

func addrRequest(index int32, p netip.Prefix) *nl.NetlinkRequest {
	q := nl.NewNetlinkRequest(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_REPLACE|unix.NLM_F_ACK)
	m := nl.NewIfAddrmsg(family(p.Addr()))
	m.Index = uint32(index)
	m.Prefixlen = uint8(p.Bits())
	if p.Addr().Is6() {
		m.Flags = unix.IFA_F_NODAD // addresses are unique by lease; waiting for detection would cost a second
	}
	q.AddData(m)
	q.AddData(nl.NewRtAttr(unix.IFA_LOCAL, p.Addr().AsSlice()))
	q.AddData(nl.NewRtAttr(unix.IFA_ADDRESS, p.Addr().AsSlice()))
	if p.Addr().Is4() && p.Bits() < 31 {
		q.AddData(nl.NewRtAttr(unix.IFA_BROADCAST, broadcast(p)))
	}
	return q
}

func broadcast(p netip.Prefix) []byte {
	b := p.Addr().As4()
	m := net.CIDRMask(p.Bits(), 32)
	for i := range b {
		b[i] |= ^m[i]
	}
	return b[:]
}

func defaultRouteRequest(index int32, gw netip.Addr) *nl.NetlinkRequest {
	q := nl.NewNetlinkRequest(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_REPLACE|unix.NLM_F_ACK)
	m := nl.NewRtMsg()
	m.Family = uint8(family(gw)) // left at zero the kernel answers "operation not supported"
	m.Scope = unix.RT_SCOPE_UNIVERSE
	q.AddData(m)
	q.AddData(nl.NewRtAttr(unix.RTA_GATEWAY, gw.AsSlice()))
	q.AddData(nl.NewRtAttr(unix.RTA_OIF, nl.Uint32Attr(uint32(index))))
	return q
}

// replyRequests send what comes from the address from out again through index, whatever the default route says. The
// table is the interface's number plus a base that leaves the kernel's own tables alone.
func replyRequests(index int32, from, gw netip.Addr) []*nl.NetlinkRequest {
	const base = 1000
	table := nl.Uint32Attr(uint32(index) + base)
	route := defaultRouteRequest(index, gw)
	route.AddData(nl.NewRtAttr(unix.RTA_TABLE, table))
	rule := nl.NewNetlinkRequest(unix.RTM_NEWRULE, unix.NLM_F_CREATE|unix.NLM_F_REPLACE|unix.NLM_F_ACK)
	m := nl.NewRtMsg() // a rule's header has the same shape; its type is "look up in a table"
	m.Family, m.Src_len = uint8(family(from)), uint8(from.BitLen())
	m.Type = unix.FR_ACT_TO_TBL
	rule.AddData(m)
	rule.AddData(nl.NewRtAttr(unix.FRA_SRC, from.AsSlice()))
	rule.AddData(nl.NewRtAttr(unix.FRA_TABLE, table))
	return []*nl.NetlinkRequest{route, rule}
}

func family(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// index returns the index of a link by name.
func (r *rtnl) index(name string) (int32, error) {
	q := nl.NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_ACK)
	q.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	q.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)))
	var index int32
	err := r.do([]*nl.NetlinkRequest{q}, func(m syscall.NetlinkMessage) {
		if m.Header.Type == unix.RTM_NEWLINK && len(m.Data) >= unix.SizeofIfInfomsg {
			index = nl.DeserializeIfInfomsg(m.Data).Index
		}
	})
	if err != nil {
		return 0, fmt.Errorf("find link %s: %w", name, err)
	}
	return index, nil
}
