package network

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/runfile/runfile/schema/value"
)

// userNet is a container on user-defined networks.
func userNet(t testing.TB, name string, keys ...string) Attach {
	a := bridged(t, name)
	a.Mode = value.NetworkUser
	for _, k := range keys {
		a.Networks = append(a.Networks, Membership{Key: k})
	}
	return a
}

func ensure(t testing.TB, m *Manager, n Network) {
	t.Helper()
	if err := m.Ensure(context.Background(), n); err != nil {
		t.Fatal(err)
	}
}

// outside makes a namespace beside the host, as the network that the host's uplink is on: it has 198.51.100.2, the host
// .1, and 2001:db8::2 and ::1. It routes the subnets of containers to the host, as a hostile neighbour could.
func outside(t testing.TB, m *Manager, subnets ...netip.Prefix) *Netns {
	t.Helper()
	ns, err := m.k.Netns(0, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	run(t, "ip", "link", "add", "uplink", "type", "veth", "peer", "name", "eth0", "netns", ns.Path())
	t.Cleanup(func() {
		run(t, "ip", "link", "del", "uplink")
		if err := ns.Close(); err != nil {
			t.Error(err)
		}
	})
	run(t, "ip", "addr", "add", "198.51.100.1/24", "dev", "uplink")
	run(t, "ip", "addr", "add", "2001:db8::1/64", "dev", "uplink", "nodad")
	run(t, "ip", "link", "set", "uplink", "up")
	inside := [][]string{
		{"addr", "add", "198.51.100.2/24", "dev", "eth0"},
		{"addr", "add", "2001:db8::2/64", "dev", "eth0", "nodad"},
		{"link", "set", "lo", "up"},
		{"link", "set", "eth0", "up"},
	}
	for _, p := range subnets {
		via := "198.51.100.1"
		if p.Addr().Is6() {
			via = "2001:db8::1"
		}
		inside = append(inside, []string{"route", "add", p.String(), "via", via})
	}
	inside = append(inside, []string{"link", "show", "dev", "eth0"}) // see linux.settle
	for _, args := range inside {
		runIn(t, ns, append([]string{"ip"}, args...)...)
	}
	run(t, "ip", "link", "show", "dev", "uplink")
	return ns
}

// runIn runs a program inside a namespace: exec forks from the thread that asks for it.
func runIn(t testing.TB, ns *Netns, args ...string) {
	t.Helper()
	run(t, append([]string{"nsenter", "--net=" + ns.Path()}, args...)...)
}

// listenIn answers TCP connections inside a namespace with the address that they came from.
func listenIn(t testing.TB, ns *Netns, addr string) {
	t.Helper()
	var l net.Listener
	err := ns.Do(func() (err error) {
		l, err = net.Listen("tcp", addr)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	answer(t, l)
}

func answer(t testing.TB, l net.Listener) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
			_, _ = io.WriteString(c, host)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
}

// probe connects from a namespace (nil = the host) and returns who the server saw, or "" when there was no connection.
func probe(ns *Netns, addr string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 700*time.Millisecond)
	defer cancel()
	dial := (&net.Dialer{}).DialContext
	if ns != nil {
		dial = ns.Dialer()
	}
	c, err := dial(ctx, "tcp", addr)
	if err != nil {
		return ""
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	b, _ := io.ReadAll(c)
	return string(b)
}

// TestReachability is the matrix of who reaches what, on a host that forwards freely and on ones whose FORWARD chain
// drops, as Docker and ufw leave it.
func TestReachability(t *testing.T) {
	for _, host := range []struct {
		name  string
		setup [][]string
	}{
		{"open host", nil},
		{"FORWARD policy drop", [][]string{{"iptables", "-P", "FORWARD", "DROP"}, {"ip6tables", "-P", "FORWARD", "DROP"}}},
		{"FORWARD ends in reject", [][]string{{"iptables", "-A", "FORWARD", "-j", "REJECT"}}},
	} {
		t.Run(host.name, func(t *testing.T) {
			m := newHost(t, testConfig(t, "matrix"))
			t.Cleanup(func() {
				for _, ipt := range []string{"iptables", "ip6tables"} {
					run(t, ipt, "-P", "FORWARD", "ACCEPT")
					run(t, ipt, "-F", "FORWARD")
				}
			})
			for _, cmd := range host.setup {
				run(t, cmd...)
			}
			matrix(t, m)
		})
	}
}

func matrix(t *testing.T, m *Manager) {
	for _, n := range []Network{{Key: "a", ICC: true}, {Key: "b", ICC: true}, {Key: "in", ICC: true, Internal: true}} {
		ensure(t, m, n)
	}
	web := userNet(t, "web", "a")
	web.Ports = []value.PortMapping{publish("", 8080, 80), publish("127.0.0.1", 8081, 80), publish("198.51.100.1", 8082, 80)}
	subnets := []netip.Prefix{m.nets["a"].pools[0].Subnet(), m.nets["in"].pools[0].Subnet()}
	ext := outside(t, m, subnets...)
	boxes := map[string]*Sandbox{}
	for name, a := range map[string]Attach{
		"web": web, "near": userNet(t, "near", "a"), "other": userNet(t, "other", "b"), "inner": userNet(t, "inner", "in"), "inner2": userNet(t, "inner2", "in"),
	} {
		boxes[name] = start(t, join(t, m, a))
		listenIn(t, boxes[name].ns, ":80")
	}
	listenIn(t, ext, ":80")
	ip := func(name string) string { return boxes[name].eps[0].ip.String() }
	gw := func(key string) string { return m.nets[key].pools[0].Gateway().String() }
	const uplink = "198.51.100.1"
	for _, tt := range []struct {
		from, to string
		sees     string // the client's address as the server sees it; "" = must not connect
	}{
		{"ext", uplink + ":8080", "198.51.100.2"},
		{"ext", uplink + ":8082", "198.51.100.2"},
		{"ext", uplink + ":8081", ""},
		{"ext", ip("web") + ":80", ""},
		{"ext", ip("inner") + ":80", ""},
		{"host", "127.0.0.1:8080", gw("a")},
		{"host", "[::1]:8080", gw("a")},
		{"host", "127.0.0.1:8081", gw("a")},
		{"host", "[::1]:8081", ""},
		{"host", uplink + ":8080", uplink},
		{"host", gw("a") + ":8080", gw("a")},
		{"host", gw("b") + ":8080", gw("a")}, // leaves network b by its own address: masqueraded
		{"host", ip("web") + ":80", gw("a")},
		{"host", ip("inner") + ":80", gw("in")},
		{"near", ip("web") + ":80", ip("near")},
		{"near", gw("a") + ":8080", gw("a")},
		{"near", uplink + ":8080", gw("a")},
		{"near", uplink + ":8081", ""},
		{"web", gw("a") + ":8080", gw("a")},
		{"web", uplink + ":8082", gw("a")},
		{"web", "198.51.100.2:80", uplink},
		{"other", ip("web") + ":80", ""},
		{"other", uplink + ":8080", gw("a")},
		{"other", gw("a") + ":8080", gw("a")},
		{"other", "198.51.100.2:80", uplink},
		{"inner", "198.51.100.2:80", ""},
		{"inner", gw("in") + ":8080", ""},
		{"inner", ip("inner2") + ":80", ip("inner")},
		{"other", ip("inner") + ":80", ""},
	} {
		check(t, boxes, ext, tt.from, tt.to, tt.sees)
	}
	checks.Wait()
}

// checks are the probes under way: those that must fail wait for a time-out each.
var checks sync.WaitGroup

func check(t *testing.T, boxes map[string]*Sandbox, ext *Netns, from, to, sees string) {
	var ns *Netns
	switch {
	case from == "ext":
		ns = ext
	case from != "host":
		ns = boxes[from].ns
	}
	checks.Go(func() {
		if got := probe(ns, to); got != sees {
			t.Errorf("%s -> %s: the server saw %q, want %q", from, to, got, sees)
		}
	})
}

func TestReachabilityIPv6(t *testing.T) {
	m := newHost(t, testConfig(t, "six"))
	ensure(t, m, Network{Key: "a", ICC: true, IPv6: true})
	ensure(t, m, Network{Key: "b", ICC: true, IPv6: true})
	ext := outside(t, m, m.nets["a"].pools[1].Subnet())
	a := userNet(t, "web", "a")
	a.Networks[0].IP6 = m.nets["a"].pools[1].Subnet().Addr().Next().Next().Next()
	a.Ports = []value.PortMapping{publish("", 8080, 80), publish("2001:db8::1", 8082, 80)}
	boxes := map[string]*Sandbox{"web": start(t, join(t, m, a)), "near": join(t, m, userNet(t, "near", "a")), "other": join(t, m, userNet(t, "other", "b"))}
	listenIn(t, boxes["web"].ns, ":80")
	listenIn(t, ext, "[2001:db8::2]:80")
	web, gw := boxes["web"].eps[0].ip6, m.nets["a"].pools[1].Gateway()
	if web != a.Networks[0].IP6 {
		t.Errorf("web has %v, asked for %v", web, a.Networks[0].IP6)
	}
	for _, tt := range []struct{ from, to, sees string }{
		{"ext", "[2001:db8::1]:8080", "2001:db8::2"},
		{"ext", "[2001:db8::1]:8082", "2001:db8::2"},
		{"ext", fmt.Sprintf("[%s]:80", web), ""},
		{"host", "[::1]:8080", gw.String()},
		{"host", "127.0.0.1:8080", m.nets["a"].pools[0].Gateway().String()},
		{"host", "[2001:db8::1]:8080", "2001:db8::1"},
		{"near", fmt.Sprintf("[%s]:80", web), boxes["near"].eps[0].ip6.String()},
		{"other", fmt.Sprintf("[%s]:80", web), ""},
		{"web", "[2001:db8::1]:8080", gw.String()},
		{"web", "[2001:db8::2]:80", "2001:db8::1"},
	} {
		check(t, boxes, ext, tt.from, tt.to, tt.sees)
	}
	checks.Wait()
}

// TestNoICC keeps containers apart but for what a link allows.
func TestNoICC(t *testing.T) {
	needHost(t)
	m := newHost(t, testConfig(t, "apart"))
	s, err := m.k.Survey("")
	if err != nil {
		t.Fatal(err)
	}
	if !s.BridgeFilter {
		t.Skip("this kernel does not show bridged packets to the firewall")
	}
	ensure(t, m, Network{Key: "a"})
	db := userNet(t, "db", "a")
	db.Expose = []value.PortRange{{First: 80, Last: 80, Proto: "tcp"}}
	app := userNet(t, "app", "a")
	app.Links = []Link{{ContainerID: db.ContainerID, Name: "db", Alias: "database"}}
	boxes := map[string]*Sandbox{"db": start(t, join(t, m, db))}
	boxes["app"] = start(t, join(t, m, app))
	boxes["third"] = start(t, join(t, m, userNet(t, "third", "a")))
	listenIn(t, boxes["db"].ns, ":80")
	listenIn(t, boxes["db"].ns, ":81")
	ip := boxes["db"].eps[0].ip.String()
	check(t, boxes, nil, "app", ip+":80", boxes["app"].eps[0].ip.String())
	check(t, boxes, nil, "app", ip+":81", "")
	check(t, boxes, nil, "third", ip+":80", "")
	checks.Wait()
	run(t, "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0")
	t.Cleanup(func() { run(t, "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1") })
	err = m.Ensure(t.Context(), Network{Key: "b"})
	if err == nil || !strings.Contains(err.Error(), "br_netfilter") {
		t.Errorf("icc: false without the bridge filter: %v", err)
	}
}
