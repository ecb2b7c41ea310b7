package network

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/network/ipam"
)

// linux is the Kernel of the namespace in which it was opened.
type linux struct {
	host *os.File // that namespace

	// write serialises changes of links: the kernel holds one lock for all of them, and goroutines that queue there
	// were measured at twice the time of goroutines that queue here.
	write  sync.Mutex
	rt     *rtnl           // guarded by write
	routes *netlink.Handle // for reading; safe for concurrent use

	nftMu sync.Mutex
	nft   *nftables.Conn // guarded by nftMu; a batch is one transaction
}

func openLinux() (*linux, error) {
	k := &linux{}
	var err error
	if k.host, err = os.Open("/proc/thread-self/ns/net"); err != nil {
		return nil, fmt.Errorf("open the host's network namespace: %w", err)
	}
	if k.rt, err = openRtnl(); err != nil {
		return nil, errors.Join(err, k.close())
	}
	if k.routes, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return nil, errors.Join(fmt.Errorf("open a netlink socket: %w", err), k.close())
	}
	if k.nft, err = nftables.New(nftables.AsLasting()); err != nil {
		return nil, errors.Join(fmt.Errorf("open an nftables socket: %w", err), k.close())
	}
	return k, nil
}

func (k *linux) close() error {
	if k.rt != nil {
		k.rt.close()
	}
	if k.routes != nil {
		k.routes.Close()
	}
	var err error
	if k.nft != nil {
		err = k.nft.CloseLasting()
	}
	return errors.Join(err, k.host.Close())
}

// retry repeats a dump that a concurrent change interrupted: its result may lack entries.
func retry[T any](dump func() (T, error)) (T, error) {
	for range 8 {
		if v, err := dump(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return v, err
		}
	}
	return dump()
}

// Survey implements Kernel.
func (k *linux) Survey(table string) (*Survey, error) {
	links, err := retry(k.routes.LinkList)
	if err != nil {
		return nil, fmt.Errorf("list the host's links: %w", err)
	}
	s := &Survey{}
	at := map[int]int{} // link index -> position in s.Links
	for i, l := range links {
		at[l.Attrs().Index] = i
		s.Links = append(s.Links, HostLink{Name: l.Attrs().Name, Alias: l.Attrs().Alias})
	}
	for i, l := range links {
		if m, ok := at[l.Attrs().MasterIndex]; ok && l.Attrs().MasterIndex != 0 {
			s.Links[i].Master = s.Links[m].Name
		}
	}
	if err := k.surveyAddrs(s, at); err != nil {
		return nil, err
	}
	if err := k.surveyRoutes(s, at, links); err != nil {
		return nil, err
	}
	b, err := os.ReadFile("/proc/sys/net/bridge/bridge-nf-call-iptables")
	s.BridgeFilter = err == nil && strings.TrimSpace(string(b)) == "1"
	s.Ports, s.HasTable, err = k.ports(table)
	return s, err
}

func (k *linux) surveyAddrs(s *Survey, at map[int]int) error {
	addrs, err := retry(func() ([]netlink.Addr, error) { return k.routes.AddrList(nil, netlink.FAMILY_ALL) })
	if err != nil {
		return fmt.Errorf("list the host's addresses: %w", err)
	}
	for _, a := range addrs {
		ip, _ := netip.AddrFromSlice(a.IP)
		ones, _ := a.Mask.Size()
		p := netip.PrefixFrom(ip.Unmap(), ones)
		i, ok := at[a.LinkIndex]
		if !ok || !p.IsValid() {
			continue
		}
		l := &s.Links[i]
		l.Addrs = append(l.Addrs, p)
		s.Used = append(s.Used, ipam.Used{Prefix: p.Masked(), By: "address of " + l.Name})
	}
	return nil
}

func (k *linux) surveyRoutes(s *Survey, at map[int]int, links []netlink.Link) error {
	routes, err := retry(func() ([]netlink.Route, error) {
		return k.routes.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return fmt.Errorf("list the host's routes: %w", err)
	}
	for _, r := range routes {
		i, ok := at[r.LinkIndex]
		if isDefault(r) {
			if ok && s.MTU == 0 && r.Table == unix.RT_TABLE_MAIN {
				s.MTU = links[i].Attrs().MTU
			}
			continue
		}
		ip, _ := netip.AddrFromSlice(r.Dst.IP)
		ones, _ := r.Dst.Mask.Size()
		p := netip.PrefixFrom(ip.Unmap(), ones)
		if !p.IsValid() || p.Addr().IsMulticast() || p.Addr().IsLinkLocalUnicast() || r.Type == unix.RTN_LOCAL {
			continue
		}
		by := "route"
		if ok {
			by += " via " + s.Links[i].Name
		}
		s.Used = append(s.Used, ipam.Used{Prefix: p, By: by})
	}
	return nil
}

func isDefault(r netlink.Route) bool {
	if r.Dst == nil {
		return true
	}
	ones, _ := r.Dst.Mask.Size()
	return ones == 0
}

// AddBridge implements Kernel.
func (k *linux) AddBridge(b Bridge) (notes []string, err error) {
	k.write.Lock()
	defer k.write.Unlock()
	add := linkRequest(unix.NLM_F_CREATE|unix.NLM_F_EXCL, 0, false)
	add.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(b.Name)))
	add.AddData(nl.NewRtAttr(unix.IFLA_MTU, nl.Uint32Attr(uint32(b.MTU))))
	// An address of its own: without one a bridge takes the lowest of its ports', and changes it when they come and go.
	add.AddData(nl.NewRtAttr(unix.IFLA_ADDRESS, b.MAC))
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated("bridge"))
	add.AddData(info)
	name := linkRequest(0, 0, false)
	name.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(b.Name)))
	name.AddData(nl.NewRtAttr(unix.IFLA_IFALIAS, []byte(b.Alias)))
	if err := k.rt.do([]*nl.NetlinkRequest{add, name}, nil); err != nil {
		return nil, fmt.Errorf("make bridge %s: %w", b.Name, err)
	}
	index, err := k.rt.index(b.Name)
	if err != nil {
		return nil, err
	}
	err = onThread(k.host, func() error { notes = bridgeSettings(b); return nil })
	if err != nil {
		return notes, err
	}
	var reqs []*nl.NetlinkRequest
	for _, a := range b.Addrs {
		reqs = append(reqs, addrRequest(index, a))
	}
	if err := k.rt.do(append(reqs, linkRequest(0, index, true)), nil); err != nil {
		return notes, fmt.Errorf("set up bridge %s: %w", b.Name, err)
	}
	return notes, nil
}

func bridgeSettings(b Bridge) (notes []string) {
	forward := func(path, name string) {
		if old := sysctl(path, "1"); old == "0" {
			notes = append(notes, "turned on "+name+": the host now forwards packets between its networks")
		}
	}
	// A container that sends to another subnet through the gateway must not be told to go around it.
	sysctl("ipv4/conf/"+b.Name+"/send_redirects", "0")
	forward("ipv4/ip_forward", "net.ipv4.ip_forward")
	for _, a := range b.Addrs {
		if a.Addr().Is6() {
			sysctl("ipv6/conf/"+b.Name+"/accept_ra", "0")
			forward("ipv6/conf/all/forwarding", "net.ipv6.conf.all.forwarding")
			return notes
		}
	}
	sysctl("ipv6/conf/"+b.Name+"/disable_ipv6", "1")
	return notes
}

// DelLink implements Kernel.
func (k *linux) DelLink(name string) error {
	k.write.Lock()
	defer k.write.Unlock()
	q := nl.NewNetlinkRequest(unix.RTM_DELLINK, unix.NLM_F_ACK)
	q.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	q.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(name)))
	err := k.rt.do([]*nl.NetlinkRequest{q}, nil)
	if err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("delete link %s: %w", name, err)
	}
	return nil
}

// Netns implements Kernel.
func (k *linux) Netns(pid int, users *os.File, ipv6 bool) (*Netns, error) {
	if pid != 0 {
		return openNetns(k.host, pid)
	}
	return newNetns(k.host, users, ipv6)
}

// Attach implements Kernel.
func (k *linux) Attach(ns *Netns, ifaces []Interface) error {
	in, err := ns.rtnl()
	if err != nil {
		return err
	}
	defer in.close()
	k.write.Lock()
	defer k.write.Unlock()
	var veths []*nl.NetlinkRequest
	for _, i := range ifaces {
		bridge, err := k.rt.index(i.Bridge)
		if err != nil {
			return err
		}
		veths = append(veths, vethRequests(i, uint32(bridge), int(ns.file.Fd()))...)
	}
	if err := k.rt.do(veths, nil); err != nil {
		return fmt.Errorf("make a veth pair: %w", err)
	}
	const loopback = 1 // the first link of every namespace
	reqs := []*nl.NetlinkRequest{linkRequest(0, loopback, true)}
	var routes []*nl.NetlinkRequest
	for _, i := range ifaces {
		index, err := in.index(i.Name)
		if err != nil {
			return err
		}
		for _, a := range i.Addrs {
			reqs = append(reqs, addrRequest(index, a))
		}
		reqs = append(reqs, linkRequest(0, index, true))
		for _, gw := range i.Gateways {
			routes = append(routes, defaultRouteRequest(index, gw))
		}
		for _, a := range i.Addrs {
			if i.ReplyVia.Is4() == a.Addr().Is4() && i.ReplyVia.IsValid() {
				routes = append(routes, replyRequests(index, a.Addr(), i.ReplyVia)...)
			}
		}
	}
	if err := in.do(append(reqs, routes...), nil); err != nil {
		return fmt.Errorf("configure the container's interfaces: %w", err)
	}
	return k.settle(in, ifaces)
}

// settle makes the new links carry packets at once. The kernel notes a carrier later, in the background, and until then
// drops what is sent: a container that connected in its first milliseconds waited a second for the repetition (28 of 100).
// Asking for a link makes kernels since 6.3 catch up with it. The bridge comes last: it gets its carrier from the port.
func (k *linux) settle(in *rtnl, ifaces []Interface) error {
	for _, i := range ifaces {
		_, err1 := in.index(i.Name)
		_, err2 := k.rt.index(i.Host)
		_, err3 := k.rt.index(i.Bridge)
		if err := errors.Join(err1, err2, err3); err != nil {
			return err
		}
	}
	return nil
}
