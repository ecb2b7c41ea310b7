package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/schema/value"
)

func TestPortSpecs(t *testing.T) {
	m := func(hostFirst, hostLast, first, last uint16) value.PortMapping {
		return value.PortMapping{HostFirst: hostFirst, HostLast: hostLast, ContainerFirst: first, ContainerLast: last, Proto: "tcp"}
	}
	for _, tt := range []struct {
		name string
		a    Attach
		want string
	}{
		{"one", Attach{Ports: []value.PortMapping{m(8080, 8080, 80, 80)}}, "[8080-8080>80/tcp]"},
		{"chosen", Attach{Ports: []value.PortMapping{m(0, 0, 80, 81)}}, "[0-0>80/tcp 0-0>81/tcp]"},
		{"range to range", Attach{Ports: []value.PortMapping{m(8000, 8001, 80, 81)}}, "[8000-8000>80/tcp 8001-8001>81/tcp]"},
		{"range to one", Attach{Ports: []value.PortMapping{m(8000, 8009, 80, 80)}}, "[8000-8009>80/tcp]"},
		{"last port", Attach{Ports: []value.PortMapping{m(65535, 65535, 65535, 65535)}}, "[65535-65535>65535/tcp]"},
		{"publish all", Attach{
			PublishAll: true, Ports: []value.PortMapping{m(8080, 8080, 80, 80)},
			Expose: []value.PortRange{{First: 80, Last: 81, Proto: "tcp"}, {First: 81, Last: 81, Proto: "udp"}, {First: 81, Last: 81, Proto: "tcp"}},
		}, "[8080-8080>80/tcp 0-0>81/tcp 0-0>81/udp]"},
		{"exposed only", Attach{Expose: []value.PortRange{{First: 80, Last: 81, Proto: "tcp"}}}, "[]"},
	} {
		var got []string
		for _, s := range portSpecs(&tt.a) {
			got = append(got, fmt.Sprintf("%d-%d>%d/%s", s.first, s.last, s.container, s.proto))
		}
		if fmt.Sprint(got) != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
		}
	}
}

// hostPorts prints bindings as "address:container port/proto".
func hostPorts(bs []engine.Binding) []string {
	var out []string
	for _, b := range bs {
		out = append(out, fmt.Sprintf("%s:%d/%s", b.HostIP, b.ContainerPort, b.Proto))
	}
	return out
}

func TestPublishAllKeepsItsPorts(t *testing.T) {
	m := newHost(t, testConfig(t, "all"))
	a := bridged(t, "web")
	a.PublishAll = true
	a.Expose = []value.PortRange{{First: 80, Last: 80, Proto: "tcp"}, {First: 53, Last: 53, Proto: "udp"}}
	s := start(t, join(t, m, a))
	first := s.Ports()
	if want := []string{"0.0.0.0:80/tcp", ":::80/tcp", "0.0.0.0:53/udp", ":::53/udp"}; !slices.Equal(hostPorts(first), want) {
		t.Fatalf("published %v, want %v", hostPorts(first), want)
	}
	for _, b := range first {
		if b.HostPort < 32768 {
			t.Errorf("%v is not an ephemeral port", b)
		}
	}
	if first[0].HostPort != first[1].HostPort {
		t.Errorf("the two families got different ports: %v", first)
	}
	s.Stop()
	if s.Ports() != nil {
		t.Error("a stopped container lists ports")
	}
	if again := start(t, s).Ports(); !slices.Equal(again, first) {
		t.Errorf("after a restart %v, before %v", again, first)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.Bindings = first
	if again := start(t, join(t, m, a)).Ports(); !slices.Equal(again, first) {
		t.Errorf("after a new join %v, before %v", again, first)
	}
}

func TestPortConflicts(t *testing.T) {
	m := newHost(t, testConfig(t, "conflict"))
	l, err := net.Listen("tcp", "127.0.0.1:7001")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	first := bridged(t, "first")
	first.Ports = []value.PortMapping{publish("", 7000, 80)}
	start(t, join(t, m, first))
	for i, tt := range []struct {
		p    value.PortMapping
		want string
	}{
		{publish("", 7000, 80), `port 7000/tcp on 0.0.0.0 is taken by container "first"`},
		{publish("127.0.0.1", 7000, 80), `port 7000/tcp on 127.0.0.1 is taken by container "first"`},
		{publish("", 7001, 80), fmt.Sprintf("port 7001/tcp on 0.0.0.0 is taken by process %d (", os.Getpid())},
		{publish("203.0.113.9", 7002, 80), "203.0.113.9 is not an address of this host"},
	} {
		a := bridged(t, fmt.Sprint("c", i))
		a.Ports = []value.PortMapping{publish("", 7100, 81), tt.p}
		s := join(t, m, a)
		err := s.Start(t.Context())
		var e *engine.Error
		if !errors.As(err, &e) || e.Option != "publish" || e.Code != 125 || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v, want %q", tt.p, err, tt.want)
		}
		// What was bound before the failure must be free again.
		free, err := net.Listen("tcp", "0.0.0.0:7100")
		if err != nil {
			t.Fatalf("port 7100 is still held: %v", err)
		}
		_ = free.Close()
	}
}

func TestHostRangeTakesTheFirstFree(t *testing.T) {
	m := newHost(t, testConfig(t, "range"))
	for i := range 3 {
		a := bridged(t, fmt.Sprint("c", i))
		a.Ports = []value.PortMapping{{HostFirst: 7000, HostLast: 7001, ContainerFirst: 80, ContainerLast: 80, Proto: "tcp"}}
		s := join(t, m, a)
		err := s.Start(t.Context())
		switch {
		case i < 2 && (err != nil || s.Ports()[0].HostPort != uint16(7000+i)):
			t.Errorf("container %d: %v, %v", i, s.Ports(), err)
		case i == 2 && !errors.Is(err, unix.EADDRINUSE):
			t.Errorf("the third container got in: %v", err)
		}
	}
}

// TestContainerIP publishes on the second network's address: the four-field form.
func TestContainerIP(t *testing.T) {
	m := newHost(t, testConfig(t, "four"))
	ensure(t, m, Network{Key: "a", ICC: true})
	ensure(t, m, Network{Key: "b", ICC: true, Subnet: netip.MustParsePrefix("10.77.0.0/24")})
	a := userNet(t, "web", "a", "b")
	a.Networks[1].IP = mustAddr("10.77.0.9")
	p := publish("", 8080, 80)
	p.ContainerIP = mustAddr("10.77.0.9")
	a.Ports = []value.PortMapping{p}
	s := start(t, join(t, m, a))
	listenIn(t, s.ns, "10.77.0.9:80")
	ext := outside(t, m)
	for _, b := range m.nets { // a strict host: packets must come in where their source is routed
		run(t, "sysctl", "-qw", "net.ipv4.conf."+b.link+".rp_filter=1")
	}
	if got := probe(ext, "198.51.100.1:8080"); got != "198.51.100.2" {
		t.Errorf("from outside: %q", got)
	}
	if got := probe(nil, "127.0.0.1:8080"); got != "10.77.0.1" {
		t.Errorf("from the host: %q", got)
	}
	a = userNet(t, "wrong", "a")
	p.ContainerIP = mustAddr("192.0.2.1")
	a.Ports = []value.PortMapping{p}
	if _, err := m.Join(t.Context(), a); err == nil || !strings.Contains(err.Error(), "192.0.2.1") {
		t.Errorf("a foreign container address: %v", err)
	}
}

func udpEcho(t *testing.T, s *Sandbox, addr string) {
	t.Helper()
	var c net.PacketConn
	err := s.ns.Do(func() (err error) {
		c, err = net.ListenPacket("udp", addr)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 2048)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(append([]byte(from.String()+" "), b[:n]...), from)
		}
	}()
	t.Cleanup(func() { _ = c.Close(); <-done })
}

func TestUDP(t *testing.T) {
	m := newHost(t, testConfig(t, "udp"))
	a := bridged(t, "echo")
	p := publish("", 7000, 53)
	p.Proto = "udp"
	a.Ports = []value.PortMapping{p}
	s := start(t, join(t, m, a))
	udpEcho(t, s, ":53")
	ext := outside(t, m)
	for _, tt := range []struct {
		ns         *Netns
		addr, sees string
	}{
		{nil, "127.0.0.1:7000", "10."},
		{nil, "127.0.0.2:7000", "10."},
		{nil, "[::1]:7000", "10."},
		{nil, "198.51.100.1:7000", "198.51.100.1:"},
		{ext, "198.51.100.1:7000", "198.51.100.2:"},
	} {
		dial := (&net.Dialer{}).DialContext
		if tt.ns != nil {
			dial = tt.ns.Dialer()
		}
		c, err := dial(context.Background(), "udp", tt.addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(3 * time.Second))
		b := make([]byte, 100)
		for range 2 {
			if _, err := c.Write([]byte("hello")); err != nil {
				t.Fatal(err)
			}
			n, err := c.Read(b) // a connected socket drops answers from another address
			if err != nil || !strings.HasPrefix(string(b[:n]), tt.sees) || !strings.HasSuffix(string(b[:n]), " hello") {
				t.Errorf("%s: %q, %v", tt.addr, b[:n], err)
			}
		}
		_ = c.Close()
	}
}

// A client that is silent for the idle time is forgotten, and comes back as a new one.
func TestUDPIdle(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p := serveUDP(c, server.LocalAddr().(*net.UDPAddr).AddrPort(), 20*time.Millisecond).(*udpProxy)
	defer p.Close()
	client, err := net.Dial("udp", c.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var seen []string
	b := make([]byte, 10)
	for range 2 {
		if _, err := client.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		_, from, err := server.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, from.String())
		for clients := 1; clients > 0; wait() {
			p.mu.Lock()
			clients = len(p.clients)
			p.mu.Unlock()
		}
	}
	if seen[0] == seen[1] {
		t.Errorf("the container saw one client at %v; the first entry was not dropped", seen)
	}
}

// A half-closed connection goes on in the other direction.
func TestTCPProxyHalfClose(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := serveTCP(l.(*net.TCPListener), server.Addr().String())
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	if err := client.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	c, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	n, _ := c.Read(b)
	for err == nil { // until the end of what the client sent
		_, err = c.Read(b[n:])
	}
	if _, err := c.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 6)
	if _, err := client.Read(got); err != nil || string(got) != "answer" || string(b[:n]) != "question" {
		t.Errorf("server read %q, client %q, %v", b[:n], got, err)
	}
	// Close ends connections that are still open.
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := client.Read(got); err == nil {
		t.Error("the connection outlived the proxy")
	}
	_ = c.Close()
}

func TestProcAddr(t *testing.T) {
	for s, want := range map[string]string{
		"0100007F:1F90":                         "127.0.0.1:8080",
		"00000000:0035":                         "0.0.0.0:53",
		"00000000000000000000000001000000:0050": "[::1]:80",
		"B80D0120000000000000000001000000:0050": "[2001:db8::1]:80",
		"nonsense":                              "",
		"01:1":                                  "",
	} {
		got, ok := parseProcAddr(s)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%s = %v, %v; want %s", s, got, ok, want)
		}
	}
}
