package network

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/schema/value"
)

func read(t testing.TB, s *Sandbox, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.Dir(), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestModes(t *testing.T) {
	m := newHost(t, testConfig(t, "modes"))
	none := bridged(t, "none")
	none.Mode = value.NetworkNone
	none.AddHosts = []value.Host{{Name: "db", IP: mustAddr("192.0.2.9")}}
	s := start(t, join(t, m, none))
	if addrs, err := s.ns.addrs("lo"); err != nil || !slices.Contains(addrs, mustAddr("127.0.0.1")) {
		t.Errorf("lo of network none: %v, %v", addrs, err)
	}
	if _, err := s.ns.addrs("eth0"); err == nil {
		t.Error("network none has an eth0")
	}
	if want := localHosts + "192.0.2.9\tdb\n"; read(t, s, "hosts") != want {
		t.Errorf("hosts of network none:\n%s", read(t, s, "hosts"))
	}
	gw := bridged(t, "none-gateway")
	gw.Mode, gw.AddHosts = value.NetworkNone, []value.Host{{Name: "host", Gateway: true}}
	if _, err := m.Join(t.Context(), gw); err == nil || !strings.Contains(err.Error(), "host-gateway") {
		t.Errorf("host-gateway on network none: %v", err)
	}

	host := bridged(t, "host")
	host.Mode = value.NetworkHost
	s = start(t, join(t, m, host))
	etc, err := os.ReadFile("/etc/hosts")
	if err != nil || s.NetnsPath() != "" || read(t, s, "hosts") != string(etc) || read(t, s, "hostname") != "host\n" {
		t.Errorf("network host: netns %q, hosts %q (%v)", s.NetnsPath(), read(t, s, "hosts"), err)
	}
	host = bridged(t, "host2")
	host.Mode, host.AddHosts = value.NetworkHost, none.AddHosts
	if s = join(t, m, host); read(t, s, "hosts") != localHosts+"192.0.2.9\tdb\n" {
		t.Errorf("network host with add-host:\n%s", read(t, s, "hosts"))
	}
	odd := bridged(t, "odd")
	odd.Mode = value.NetworkContainer
	if _, err := m.Join(t.Context(), odd); err == nil {
		t.Error("Join took a container that shares another's network")
	}
}

func TestTwoNetworks(t *testing.T) {
	m := newHost(t, testConfig(t, "two"))
	for _, n := range []Network{{Key: "in", ICC: true, Internal: true}, {Key: "a", ICC: true}, {Key: "b", ICC: true}} {
		ensure(t, m, n)
	}
	via := func(s *Sandbox) string {
		return run(t, "nsenter", "--net="+s.NetnsPath(), "ip", "route", "show", "default")
	}
	a := userNet(t, "c1", "in", "a", "b")
	a.Networks[2].MAC = "02-11-22-33-44-55"
	s := join(t, m, a)
	if got := via(s); !strings.Contains(got, m.nets["a"].pools[0].Gateway().String()+" dev eth1") {
		t.Errorf("the first network that is not internal: %s", got)
	}
	eps := s.Endpoints()
	if len(eps) != 3 || eps[0].Network != "in" || eps[2].MAC != "02:11:22:33:44:55" {
		t.Errorf("endpoints %+v", eps)
	}
	a = userNet(t, "c2", "a", "b")
	a.Networks[1].GWPriority = 1
	if got := via(join(t, m, a)); !strings.Contains(got, m.nets["b"].pools[0].Gateway().String()+" dev eth1") {
		t.Errorf("the highest gw-priority: %s", got)
	}
	if got := via(join(t, m, userNet(t, "c3", "in"))); got != "" {
		t.Errorf("an internal network has a default route: %s", got)
	}
	err := m.RemoveNetwork(t.Context(), "a")
	if err == nil || !strings.Contains(err.Error(), `container "c1", container "c2"`) {
		t.Errorf("removing a network in use: %v", err)
	}
	if err := m.Ensure(t.Context(), Network{Key: "a", ICC: true, Internal: true}); err == nil {
		t.Error("a network in use was changed")
	}
	closeBoxes(t, m)
	ensure(t, m, Network{Key: "a", ICC: true, Internal: true})
	for range 2 {
		if err := m.RemoveNetwork(t.Context(), "a"); err != nil {
			t.Error(err)
		}
	}
	if _, err := m.Join(t.Context(), userNet(t, "c4", "a")); err == nil || !strings.Contains(err.Error(), `network "a" does not exist`) {
		t.Errorf("a network that was removed: %v", err)
	}
}

func TestSubnets(t *testing.T) {
	cfg := testConfig(t, "subnets")
	m := newHost(t, cfg)
	run(t, "ip", "link", "add", "other", "type", "bridge")
	t.Cleanup(func() { run(t, "ip", "link", "del", "other") })
	run(t, "ip", "addr", "add", "10.210.0.9/24", "dev", "other")
	run(t, "ip", "link", "set", "other", "up")
	run(t, "ip", "route", "add", "10.210.1.0/24", "dev", "other")
	ensure(t, m, Network{Key: "a", ICC: true})
	if got := m.nets["a"].pools[0].Subnet().String(); got != "10.210.2.0/24" {
		t.Errorf("chose %s, beside the address and the route of another link", got)
	}
	err := m.Ensure(t.Context(), Network{Key: "b", ICC: true, Subnet: mustPrefix("10.210.0.0/16")})
	if err == nil || !strings.Contains(err.Error(), "overlaps 10.210.0.0/24 (address of other)") {
		t.Errorf("an overlapping subnet: %v", err)
	}
	// Another project sees the first one's bridge. So does the same project with other directories.
	second := newHost(t, testConfig(t, "subnets"))
	ensure(t, second, Network{Key: "a", ICC: true})
	if a, b := m.nets["a"].pools[0].Subnet(), second.nets["a"].pools[0].Subnet(); a.Overlaps(b) {
		t.Errorf("two projects share %s", a)
	}
	ensure(t, m, Network{Key: "small", ICC: true, Subnet: mustPrefix("10.99.0.0/24"), Gateway: mustAddr("10.99.0.100")})
	a := userNet(t, "c1", "small")
	for addr, want := range map[string]string{
		"10.99.0.0": "network address", "10.99.0.255": "broadcast", "10.99.0.100": "gateway", "10.99.1.1": "not inside",
	} {
		a.Networks[0].IP = mustAddr(addr)
		if _, err := m.Join(t.Context(), a); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ip %s: %v, want %q", addr, err, want)
		}
	}
	a.Networks[0].IP = mustAddr("10.99.0.7")
	join(t, m, a)
	b := userNet(t, "c2", "small")
	b.Networks[0].IP = mustAddr("10.99.0.7")
	if _, err := m.Join(t.Context(), b); err == nil || !strings.Contains(err.Error(), `in use by container "c1" of project "subnets"`) {
		t.Errorf("a leased address: %v", err)
	}
}

// lookup asks the embedded server as a container does: at 127.0.0.11 port 53 from inside its namespace.
func lookup(t testing.TB, s *Sandbox, network, name string, qtype uint16) string {
	t.Helper()
	conn, err := s.ns.Dialer()(context.Background(), network, "127.0.0.11:53")
	if err != nil {
		t.Fatal(err)
	}
	c := &dns.Conn{Conn: conn}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	if err := c.WriteMsg(new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype)); err != nil {
		t.Fatal(err)
	}
	m, err := c.ReadMsg()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	out := []string{}
	for _, rr := range m.Answer {
		out = append(out, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	slices.Sort(out)
	return strings.TrimSpace(dns.RcodeToString[m.Rcode] + " " + strings.Join(out, " "))
}

func TestEmbeddedDNS(t *testing.T) {
	m := newHost(t, testConfig(t, "names"))
	for _, k := range []string{"front", "back"} {
		ensure(t, m, Network{Key: k, ICC: true})
	}
	web := userNet(t, "shop-web", "front", "back")
	web.ContainerKey, web.Hostname = "web", "www"
	web.Networks[0].Aliases = []string{"Site"}
	web.DNS = []string{"127.0.0.11"} // itself: must not loop
	db := userNet(t, "db", "back")
	db.DNS = web.DNS
	app := userNet(t, "app", "back")
	app.DNS = web.DNS
	app.Links = []Link{{ContainerID: db.ContainerID, Name: "db", Alias: "Database"}}
	s := start(t, join(t, m, web))
	appBox := start(t, join(t, m, app))
	dbBox := start(t, join(t, m, db))
	front, back, dbIP := s.eps[0].ip.String(), s.eps[1].ip.String(), dbBox.eps[0].ip.String()
	reverse, _ := dns.ReverseAddr(back)
	for _, tt := range []struct {
		from       *Sandbox
		name, want string
	}{
		{s, "shop-web", "NOERROR " + front},
		{s, "WEB", "NOERROR " + front},
		{s, "site", "NOERROR " + front},
		{s, "www", "NOERROR " + front},
		{s, web.ContainerID[:12], "NOERROR " + front},
		{s, "web.back", "NOERROR " + back},
		{s, "site.back", "SERVFAIL"}, // an alias of the other network
		{appBox, "web", "NOERROR " + back},
		{appBox, "site", "SERVFAIL"},
		{appBox, "web.front", "SERVFAIL"},
		{appBox, "database", "NOERROR " + dbIP},
		{appBox, "database.back", "NOERROR " + dbIP},
		{dbBox, "database", "SERVFAIL"}, // a link is private
		{appBox, "nobody", "SERVFAIL"},
	} {
		for _, network := range []string{"udp", "tcp"} {
			if got := lookup(t, tt.from, network, tt.name, dns.TypeA); got != tt.want {
				t.Errorf("%s asks for %s over %s: %s, want %s", tt.from.a.Name, tt.name, network, got, tt.want)
			}
		}
	}
	if got := lookup(t, appBox, "udp", "web", dns.TypeAAAA); got != "NOERROR" {
		t.Errorf("AAAA of a name without IPv6: %s", got)
	}
	if got := lookup(t, appBox, "udp", reverse, dns.TypePTR); got != "NOERROR shop-web.back." {
		t.Errorf("PTR: %s", got)
	}
	dbBox.Stop()
	if got := lookup(t, appBox, "udp", "db", dns.TypeA) + lookup(t, appBox, "udp", "database", dns.TypeA); got != "SERVFAILSERVFAIL" {
		t.Errorf("a stopped container: %s", got)
	}
	start(t, dbBox)
	if got := lookup(t, appBox, "udp", "db", dns.TypeA); got != "NOERROR "+dbIP {
		t.Errorf("after a restart: %s", got)
	}
	if got := read(t, appBox, "resolv.conf"); !strings.HasPrefix(got, "nameserver 127.0.0.11\n") || !strings.Contains(got, "ndots:0") {
		t.Errorf("resolv.conf:\n%s", got)
	}
}

// TestUpstream forwards to a server inside another container, which only the container's own namespace reaches.
func TestUpstream(t *testing.T) {
	m := newHost(t, testConfig(t, "upstream"))
	ensure(t, m, Network{Key: "in", ICC: true, Internal: true})
	server := join(t, m, userNet(t, "server", "in"))
	var pc net.PacketConn
	err := server.ns.Do(func() (err error) {
		pc, err = net.ListenPacket("udp", server.eps[0].ip.String()+":53")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	up := make(chan struct{})
	srv := &dns.Server{PacketConn: pc, NotifyStartedFunc: func() { close(up) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg).SetReply(q)
		rr, _ := dns.NewRR(q.Question[0].Name + " 60 IN A 203.0.113.7")
		r.Answer = []dns.RR{rr}
		_ = w.WriteMsg(r)
	})}
	done := make(chan error, 1)
	go func() { done <- srv.ActivateAndServe() }()
	<-up
	t.Cleanup(func() { _ = srv.Shutdown(); <-done })
	a := userNet(t, "client", "in")
	a.DNS = []string{server.eps[0].ip.String()}
	client := start(t, join(t, m, a))
	if got := lookup(t, client, "udp", "example.test", dns.TypeA); got != "NOERROR 203.0.113.7" {
		t.Errorf("example.test: %s", got)
	}
}

func TestLinksOnTheDefaultBridge(t *testing.T) {
	m := newHost(t, testConfig(t, "links"))
	db := bridged(t, "db")
	db.Hostname = "dbhost"
	db.Expose = []value.PortRange{{First: 5432, Last: 5432, Proto: "tcp"}}
	db.Env = []string{"PASSWORD=x y", "HOME=/root", "PATH=/bin"}
	dbBox := start(t, join(t, m, db))
	app := bridged(t, "app")
	app.Links = []Link{{ContainerID: db.ContainerID, Name: "db", Alias: "my-db"}}
	s := start(t, join(t, m, app))
	ip, own := dbBox.eps[0].ip.String(), s.eps[0].ip.String()
	if want := localHosts + own + "\tapp\n" + ip + "\tmy-db dbhost db\n"; read(t, s, "hosts") != want {
		t.Errorf("hosts:\n%s", read(t, s, "hosts"))
	}
	env := s.LinkEnv()
	for _, want := range []string{"MY_DB_NAME=/app/my-db", "MY_DB_PORT=tcp://" + ip + ":5432", "MY_DB_PORT_5432_TCP_ADDR=" + ip, "MY_DB_ENV_PASSWORD=x y"} {
		if !slices.Contains(env, want) {
			t.Errorf("no %s in %q", want, env)
		}
	}
	// The target is recreated and gets another address; what the container wrote into its hosts file stays, and so does
	// the file itself.
	if err := os.WriteFile(filepath.Join(s.Dir(), "hosts"), []byte(read(t, s, "hosts")+"192.0.2.1\tmine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	before, _ := os.Stat(filepath.Join(s.Dir(), "hosts"))
	if err := dbBox.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.Forget("db")
	db.ContainerID = hash(64, "another")
	ip = start(t, join(t, m, db)).eps[0].ip.String()
	if want := localHosts + own + "\tapp\n" + ip + "\tmy-db dbhost db\n192.0.2.1\tmine\n"; read(t, s, "hosts") != want {
		t.Errorf("hosts after the target moved to %s:\n%s", ip, read(t, s, "hosts"))
	}
	if after, _ := os.Stat(filepath.Join(s.Dir(), "hosts")); !os.SameFile(before, after) {
		t.Error("the hosts file was replaced; the container's bind mount shows the old one")
	}
	app2 := bridged(t, "app2")
	app2.Links = []Link{{Name: "nobody", Alias: "x"}}
	if _, err := m.Join(t.Context(), app2); err == nil || !strings.Contains(err.Error(), `link "nobody"`) {
		t.Errorf("a link to nobody: %v", err)
	}
}

func TestRestartKeepsAddresses(t *testing.T) {
	cfg := testConfig(t, "sticky")
	m := newHost(t, cfg)
	names := []string{"a", "b", "c"}
	first := map[string]string{}
	describe := func(s *Sandbox) string { e := s.Endpoints()[0]; return fmt.Sprint(e.IP, e.MAC, e.Gateway) }
	for _, n := range names {
		first[n] = describe(join(t, m, bridged(t, n)))
	}
	closeBoxes(t, m)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	noneLeft(t, cfg)
	m = newHost(t, cfg) // a new supervisor, other order
	slices.Reverse(names)
	for _, n := range names {
		if got := describe(join(t, m, bridged(t, n))); got != first[n] {
			t.Errorf("%s had %s, now %s", n, first[n], got)
		}
	}
}

func TestShare(t *testing.T) {
	m := newHost(t, testConfig(t, "share"))
	owner := start(t, join(t, m, bridged(t, "owner")))
	joiner := owner.Share("joiner")
	again := joiner.Share("again")
	if joiner.NetnsPath() != owner.NetnsPath() || again.Dir() != owner.Dir() {
		t.Errorf("the joiner has %s and %s", joiner.NetnsPath(), again.Dir())
	}
	if err := joiner.Start(t.Context()); err != nil {
		t.Error(err)
	}
	joiner.Stop()
	if !owner.started {
		t.Error("stopping a joiner stopped the owner")
	}
	for range 2 {
		if err := joiner.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := owner.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := again.owner.ns.addrs("eth0"); err != nil {
		t.Errorf("the namespace went while a joiner uses it: %v", err)
	}
	if err := again.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := unix.Access(owner.NetnsPath(), unix.F_OK); err == nil && owner.ns.file.Fd() != ^uintptr(0) {
		t.Error("the namespace outlives its last user")
	}
}

// A container that sends in its first moment must not have its packet dropped: the repetition would take a second.
func TestFirstPacketArrives(t *testing.T) {
	m := newHost(t, testConfig(t, "first"))
	l, err := net.Listen("tcp", join(t, m, bridged(t, "first")).gw4.net.pools[0].Gateway().String()+":9999")
	if err != nil {
		t.Fatal(err)
	}
	answer(t, l)
	repeated := 0
	for i := range 20 {
		c, err := join(t, m, bridged(t, fmt.Sprint("c", i))).ns.Dialer()(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		raw, err := c.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		err = raw.Control(func(fd uintptr) {
			if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
				repeated += int(info.Total_retrans)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	if repeated > 0 && kernelHasLinkSync(t) {
		t.Errorf("%d first packets of 20 were sent again", repeated)
	}
}

// kernelHasLinkSync reports whether this is Linux 6.3 or newer.
func kernelHasLinkSync(t *testing.T) bool {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	var major, minor int
	_, err := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &major, &minor)
	return err == nil && (major > 6 || major == 6 && minor >= 3)
}

func TestDial(t *testing.T) {
	m := newHost(t, testConfig(t, "dial"))
	s := join(t, m, bridged(t, "web"))
	listenIn(t, s.ns, "127.0.0.1:80")
	listenIn(t, s.ns, s.eps[0].ip.String()+":81")
	for _, port := range []uint16{80, 81} {
		c, err := s.Dial(t.Context(), port)
		if err != nil {
			t.Fatalf("port %d: %v", port, err)
		}
		_ = c.Close()
	}
	if _, err := s.Dial(t.Context(), 82); err == nil {
		t.Error("port 82 answers")
	}
}
