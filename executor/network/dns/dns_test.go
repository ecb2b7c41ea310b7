package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixed is a zone from a table.
type fixed map[string][]netip.Addr

func (z fixed) Lookup(name string) ([]netip.Addr, bool) {
	a, ok := z[name]
	return a, ok
}

func (z fixed) Reverse(a netip.Addr) (string, bool) {
	for name, addrs := range z {
		if slices.Contains(addrs, a) {
			return name + ".net", true
		}
	}
	return "", a.IsPrivate()
}

var hosts = fixed{
	"web":     {netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fd00::2")},
	"web.net": {netip.MustParseAddr("10.0.0.2")},
	"four":    {netip.MustParseAddr("10.0.0.4")},
	"many":    many(),
}

func many() (out []netip.Addr) {
	for i := range 100 {
		out = append(out, netip.AddrFrom4([4]byte{10, 0, 1, byte(i)}))
	}
	return out
}

func serveTest(t *testing.T, cfg Config) (udp, tcp string) {
	t.Helper()
	var err error
	if cfg.UDP, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if cfg.TCP, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if cfg.Zone == nil {
		cfg.Zone = hosts
	}
	udp, tcp = cfg.UDP.LocalAddr().String(), cfg.TCP.Addr().String()
	s := Serve(cfg)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return udp, tcp
}

func query(t *testing.T, network, addr, name string, qtype uint16) *dns.Msg {
	t.Helper()
	c := dns.Client{Net: network, Timeout: 5 * time.Second}
	m, _, err := c.Exchange(new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype), addr)
	if err != nil {
		t.Fatalf("%s %s: %v", name, dns.TypeToString[qtype], err)
	}
	return m
}

// text prints an answer as "RCODE data data", sorted.
func text(m *dns.Msg) string {
	var rrs []string
	for _, rr := range m.Answer {
		rrs = append(rrs, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	slices.Sort(rrs)
	return strings.Join(append([]string{dns.RcodeToString[m.Rcode]}, rrs...), " ")
}

func TestAnswers(t *testing.T) {
	udp, tcp := serveTest(t, Config{})
	for _, tt := range []struct {
		name  string
		qtype uint16
		want  string
	}{
		{"web", dns.TypeA, "NOERROR 10.0.0.2"},
		{"WeB", dns.TypeA, "NOERROR 10.0.0.2"},
		{"web", dns.TypeAAAA, "NOERROR fd00::2"},
		{"web.net", dns.TypeA, "NOERROR 10.0.0.2"},
		{"four", dns.TypeAAAA, "NOERROR"},
		{"four", dns.TypeMX, "NOERROR"},
		{"4.0.0.10.in-addr.arpa", dns.TypePTR, "NOERROR four.net."},
		{"9.0.0.10.in-addr.arpa", dns.TypePTR, "NXDOMAIN"},
		{"2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", dns.TypePTR, "NOERROR web.net."},
		{"8.8.8.8.in-addr.arpa", dns.TypePTR, "SERVFAIL"},
		{"x.in-addr.arpa", dns.TypePTR, "SERVFAIL"},
		{"unknown", dns.TypeA, "SERVFAIL"},
		{"unknown.example", dns.TypeA, "SERVFAIL"},
	} {
		for network, addr := range map[string]string{"udp": udp, "tcp": tcp} {
			m := query(t, network, addr, tt.name, tt.qtype)
			if got := text(m); got != tt.want || !m.RecursionAvailable {
				t.Errorf("%s %s over %s: %s, want %s", tt.name, dns.TypeToString[tt.qtype], network, got, tt.want)
			}
		}
	}
}

func TestAnswersAreShuffledAndTruncated(t *testing.T) {
	udp, tcp := serveTest(t, Config{})
	m := query(t, "udp", udp, "many", dns.TypeA)
	m.Compress = true // as it was sent
	if !m.Truncated || m.Len() > dns.MinMsgSize {
		t.Errorf("100 addresses over UDP: truncated %v, %d bytes", m.Truncated, m.Len())
	}
	a, b := query(t, "tcp", tcp, "many", dns.TypeA), query(t, "tcp", tcp, "many", dns.TypeA)
	if len(a.Answer) != 100 || a.Truncated {
		t.Errorf("over TCP: %d answers", len(a.Answer))
	}
	if fmt.Sprint(a.Answer) == fmt.Sprint(b.Answer) {
		t.Error("two answers have the same order of 100 addresses")
	}
	if a.Answer[0].Header().Ttl != ttl {
		t.Errorf("TTL %d", a.Answer[0].Header().Ttl)
	}
}

// listenPair listens on a port that is free for both protocols: what the kernel chooses for one, another program may
// have of the other.
func listenPair(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 20 {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", pc.LocalAddr().String())
		if err == nil {
			return pc, l
		}
		_ = pc.Close()
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatal(err)
		}
	}
	t.Fatal("no port is free for both protocols")
	return nil, nil
}

// upstream is a name server that answers what fn says.
func upstream(t *testing.T, fn func(q *dns.Msg) *dns.Msg) Upstream {
	t.Helper()
	pc, l := listenPair(t)
	h := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		if m := fn(q); m != nil {
			_ = w.WriteMsg(m)
		}
	})
	for _, s := range []*dns.Server{{PacketConn: pc, Handler: h}, {Listener: l, Handler: h}} {
		up := make(chan struct{})
		s.NotifyStartedFunc = func() { close(up) }
		done := make(chan struct{})
		go func() { defer close(done); _ = s.ActivateAndServe() }()
		<-up
		t.Cleanup(func() { _ = s.Shutdown(); <-done })
	}
	return Upstream{Addr: netip.MustParseAddrPort(pc.LocalAddr().String()), Dial: (&net.Dialer{}).DialContext}
}

func rcode(code int) func(*dns.Msg) *dns.Msg {
	return func(q *dns.Msg) *dns.Msg { return new(dns.Msg).SetRcode(q, code) }
}

func address(ip string) func(*dns.Msg) *dns.Msg {
	return func(q *dns.Msg) *dns.Msg {
		m := new(dns.Msg).SetReply(q)
		rr, _ := dns.NewRR(q.Question[0].Name + " 60 IN A " + ip)
		m.Answer = []dns.RR{rr}
		return m
	}
}

func TestForward(t *testing.T) {
	forged := func(q *dns.Msg) *dns.Msg { // an answer to something else
		m := address("203.0.113.66")(q)
		m.Id++
		return m
	}
	refusing := Upstream{
		Addr: netip.MustParseAddrPort("127.0.0.1:9"),
		Dial: func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed },
	}
	good := address("203.0.113.1")
	for _, tt := range []struct {
		name string
		up   []Upstream
		want string
	}{
		{"first answers", []Upstream{upstream(t, good), upstream(t, address("203.0.113.2"))}, "NOERROR 203.0.113.1"},
		{"next on SERVFAIL", []Upstream{upstream(t, rcode(dns.RcodeServerFailure)), upstream(t, good)}, "NOERROR 203.0.113.1"},
		{"next on REFUSED", []Upstream{upstream(t, rcode(dns.RcodeRefused)), upstream(t, good)}, "NOERROR 203.0.113.1"},
		{"next when unreachable", []Upstream{refusing, upstream(t, good)}, "NOERROR 203.0.113.1"},
		{"NXDOMAIN is an answer", []Upstream{upstream(t, rcode(dns.RcodeNameError)), upstream(t, good)}, "NXDOMAIN"},
		{"all refuse", []Upstream{upstream(t, rcode(dns.RcodeRefused))}, "REFUSED"},
		{"none", nil, "SERVFAIL"},
		{"the fourth is not asked", []Upstream{refusing, refusing, refusing, upstream(t, good)}, "SERVFAIL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			udp, tcp := serveTest(t, Config{Upstreams: tt.up})
			for network, addr := range map[string]string{"udp": udp, "tcp": tcp} {
				if got := text(query(t, network, addr, "example.test", dns.TypeA)); got != tt.want {
					t.Errorf("over %s: %s, want %s", network, got, tt.want)
				}
			}
		})
	}
	t.Run("forged answers are not passed on", func(t *testing.T) {
		udp, _ := serveTest(t, Config{Upstreams: []Upstream{upstream(t, forged)}})
		c := dns.Client{Timeout: 100 * time.Millisecond}
		if m, _, err := c.Exchange(new(dns.Msg).SetQuestion("example.test.", dns.TypeA), udp); err == nil {
			t.Errorf("got %s", text(m))
		}
	})
}

func TestSingleLabels(t *testing.T) {
	up := []Upstream{upstream(t, address("203.0.113.1"))}
	udp, _ := serveTest(t, Config{Upstreams: up, SingleLabelsLocal: true})
	for name, want := range map[string]string{"unknown": "NOERROR", "unknown.test": "NOERROR 203.0.113.1", "four": "NOERROR 10.0.0.4"} {
		if got := text(query(t, "udp", udp, name, dns.TypeA)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestOddQueries(t *testing.T) {
	udp, _ := serveTest(t, Config{})
	for _, tt := range []struct {
		name   string
		change func(*dns.Msg)
		want   int
	}{
		{"an update", func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate }, dns.RcodeNotImplemented},
		{"class CHAOS", func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }, dns.RcodeServerFailure},
	} {
		q := new(dns.Msg).SetQuestion("web.", dns.TypeA)
		tt.change(q)
		m, _, err := (&dns.Client{Timeout: 5 * time.Second}).Exchange(q, udp)
		if err != nil || m.Rcode != tt.want {
			t.Errorf("%s: %v, %v", tt.name, m, err)
		}
	}
}

// Close ends a question that waits for a silent upstream.
func TestCloseWhileAsking(t *testing.T) {
	asked := make(chan struct{}, 1)
	up := upstream(t, func(*dns.Msg) *dns.Msg { asked <- struct{}{}; return nil })
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := Serve(Config{UDP: pc, TCP: l, Zone: hosts, Upstreams: []Upstream{up}})
	c, err := net.Dial("udp", pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	q, _ := new(dns.Msg).SetQuestion("slow.test.", dns.TypeA).Pack()
	if _, err := c.Write(q); err != nil {
		t.Fatal(err)
	}
	<-asked
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func FuzzParseReverse(f *testing.F) {
	f.Add("4.3.2.1.in-addr.arpa")
	f.Add("2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa")
	f.Fuzz(func(t *testing.T, name string) {
		a, ok := parseReverse(name)
		if !ok {
			return
		}
		back, err := dns.ReverseAddr(a.String())
		if err != nil {
			t.Fatalf("%q = %v: %v", name, a, err)
		}
		if mapped := a.Is4() && strings.HasSuffix(name, ".ip6.arpa"); !mapped && !strings.EqualFold(back, name+".") {
			t.Errorf("%q = %v, whose name is %q", name, a, back)
		}
	})
}
