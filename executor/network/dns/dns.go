// Package dns is the name server that a container on a user-defined network talks to: it answers for the containers that
// are on the same networks and passes everything else on.
//
// Every container has a server of its own, on sockets inside its network namespace, so that the server knows who asks and
// private link aliases stay private. Answers are never cached: addresses of containers change with every restart.
package dns

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Limits.
const (
	ttl          = 5               // seconds; short, because restarts move names
	maxUpstreams = 3               // as resolver libraries have it
	tryTimeout   = 4 * time.Second // per upstream
	maxInFlight  = 1024            // forwarded questions of one container at once
)

// Zone is what a container can name. Methods must be safe for concurrent use.
type Zone interface {
	// Lookup returns the addresses of a name in lower case without its final dot, and whether the name is known; a known
	// name is never asked for elsewhere.
	Lookup(name string) (addrs []netip.Addr, known bool)
	// Reverse returns the name of an address ("" = none), and whether the address is one that only we can know.
	Reverse(addr netip.Addr) (name string, ours bool)
}

// Upstream is a server for names that the zone does not know.
type Upstream struct {
	Addr netip.AddrPort
	// Dial connects to it; it decides from which network namespace.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Config says how to serve.
type Config struct {
	UDP       net.PacketConn // both sockets are closed by Server.Close
	TCP       net.Listener
	Zone      Zone
	Upstreams []Upstream
	// SingleLabelsLocal answers names without a dot that are not known with "no such data" instead of asking upstream:
	// the container's own ndots setting says that such names are to be completed first.
	SingleLabelsLocal bool
}

// Server is a running name server.
type Server struct {
	cfg      Config
	ctx      context.Context
	cancel   context.CancelFunc
	udp, tcp *dns.Server
	inFlight chan struct{}
	done     chan error
}

// Serve starts answering.
func Serve(cfg Config) *Server {
	if len(cfg.Upstreams) > maxUpstreams {
		cfg.Upstreams = cfg.Upstreams[:maxUpstreams]
	}
	s := &Server{cfg: cfg, inFlight: make(chan struct{}, maxInFlight), done: make(chan error, 2)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	h := dns.HandlerFunc(s.handle)
	started := make(chan struct{}, 2)
	note := func() { started <- struct{}{} }
	s.udp = &dns.Server{PacketConn: cfg.UDP, Handler: h, NotifyStartedFunc: note}
	s.tcp = &dns.Server{Listener: cfg.TCP, Handler: h, NotifyStartedFunc: note}
	for _, srv := range []*dns.Server{s.udp, s.tcp} {
		go func() { s.done <- srv.ActivateAndServe() }()
	}
	// Close must not overtake the start: the library would refuse to stop what has not begun, and then begin it.
	for range 2 {
		select {
		case <-started:
		case err := <-s.done:
			s.done <- err // the sockets were closed already
			return s
		}
	}
	return s
}

// Close stops the server, ends questions that wait for an upstream, and closes the sockets.
func (s *Server) Close() error {
	s.cancel()
	errs := []error{s.udp.Shutdown(), s.tcp.Shutdown()}
	for range 2 {
		if err := <-s.done; err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("stop a container's name server: %w", err)
	}
	return nil
}

func (s *Server) handle(w dns.ResponseWriter, q *dns.Msg) {
	_, isUDP := w.RemoteAddr().(*net.UDPAddr)
	m := s.answer(q, isUDP)
	if m == nil {
		return
	}
	if isUDP {
		size := dns.MinMsgSize
		if o := q.IsEdns0(); o != nil {
			size = max(size, int(o.UDPSize()))
		}
		m.Truncate(size)
	}
	_ = w.WriteMsg(m) // a client that has gone needs no answer
}

func (s *Server) answer(q *dns.Msg, udp bool) *dns.Msg {
	if q.Response {
		return nil
	}
	if q.Opcode != dns.OpcodeQuery {
		return reply(q, dns.RcodeNotImplemented)
	}
	if len(q.Question) != 1 {
		return reply(q, dns.RcodeFormatError)
	}
	question := q.Question[0]
	if question.Qclass != dns.ClassINET {
		return s.forward(q, udp)
	}
	name := strings.ToLower(strings.TrimSuffix(question.Name, "."))
	if question.Qtype == dns.TypePTR {
		if m := s.pointer(q, name); m != nil {
			return m
		}
		return s.forward(q, udp)
	}
	addrs, known := s.cfg.Zone.Lookup(name)
	if known {
		return addresses(q, addrs)
	}
	isAddr := question.Qtype == dns.TypeA || question.Qtype == dns.TypeAAAA
	if isAddr && s.cfg.SingleLabelsLocal && !strings.Contains(name, ".") {
		return reply(q, dns.RcodeSuccess)
	}
	return s.forward(q, udp)
}

func reply(q *dns.Msg, rcode int) *dns.Msg {
	m := new(dns.Msg).SetRcode(q, rcode)
	m.RecursionAvailable = true
	if o := q.IsEdns0(); o != nil {
		m.SetEdns0(dns.DefaultMsgSize, false)
	}
	return m
}

func header(q *dns.Msg, rrtype uint16) dns.RR_Header {
	return dns.RR_Header{Name: q.Question[0].Name, Rrtype: rrtype, Class: dns.ClassINET, Ttl: ttl}
}

// addresses answers for a known name, in random order so that several containers of one name share the work. A type that
// the name does not have is an empty answer.
func addresses(q *dns.Msg, addrs []netip.Addr) *dns.Msg {
	m := reply(q, dns.RcodeSuccess)
	for _, i := range rand.Perm(len(addrs)) {
		a := addrs[i]
		switch {
		case a.Is4() && q.Question[0].Qtype == dns.TypeA:
			m.Answer = append(m.Answer, &dns.A{Hdr: header(q, dns.TypeA), A: a.AsSlice()})
		case a.Is6() && q.Question[0].Qtype == dns.TypeAAAA:
			m.Answer = append(m.Answer, &dns.AAAA{Hdr: header(q, dns.TypeAAAA), AAAA: a.AsSlice()})
		}
	}
	return m
}

// pointer answers for an address of ours; nil means that it is none.
func (s *Server) pointer(q *dns.Msg, name string) *dns.Msg {
	addr, ok := parseReverse(name)
	if !ok {
		return nil
	}
	target, ours := s.cfg.Zone.Reverse(addr)
	switch {
	case !ours:
		return nil
	case target == "":
		return reply(q, dns.RcodeNameError)
	}
	m := reply(q, dns.RcodeSuccess)
	m.Answer = []dns.RR{&dns.PTR{Hdr: header(q, dns.TypePTR), Ptr: dns.Fqdn(target)}}
	return m
}

// parseReverse reads "4.3.2.1.in-addr.arpa" or the 32 nibbles of an ip6.arpa name.
func parseReverse(name string) (netip.Addr, bool) {
	if rest, ok := strings.CutSuffix(name, ".in-addr.arpa"); ok {
		parts := strings.Split(rest, ".")
		if len(parts) != 4 {
			return netip.Addr{}, false
		}
		a, err := netip.ParseAddr(parts[3] + "." + parts[2] + "." + parts[1] + "." + parts[0])
		return a, err == nil && a.Is4()
	}
	rest, ok := strings.CutSuffix(name, ".ip6.arpa")
	nibbles := strings.Split(rest, ".")
	if !ok || len(nibbles) != 32 || slices.ContainsFunc(nibbles, func(n string) bool { return len(n) != 1 }) {
		return netip.Addr{}, false
	}
	slices.Reverse(nibbles)
	b, err := hex.DecodeString(strings.Join(nibbles, ""))
	if err != nil {
		return netip.Addr{}, false
	}
	a, ok := netip.AddrFromSlice(b)
	return a.Unmap(), ok
}
