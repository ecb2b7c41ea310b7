package dns

import (
	"context"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// forward asks the upstreams in order and returns the first usable answer; SERVFAIL if there is none. The question goes
// out over the protocol it came by, so that a truncated answer is repeated by the client over TCP.
func (s *Server) forward(q *dns.Msg, udp bool) *dns.Msg {
	select {
	case s.inFlight <- struct{}{}:
		defer func() { <-s.inFlight }()
	default:
		return reply(q, dns.RcodeServerFailure)
	}
	var last *dns.Msg
	for _, u := range s.cfg.Upstreams {
		m, err := s.ask(u, q, udp)
		if err != nil {
			if s.ctx.Err() != nil {
				break
			}
			continue
		}
		m.Id = q.Id
		if m.Rcode != dns.RcodeServerFailure && m.Rcode != dns.RcodeRefused {
			return m
		}
		last = m
	}
	if last != nil {
		return last
	}
	return reply(q, dns.RcodeServerFailure)
}

func (s *Server) ask(u Upstream, q *dns.Msg, udp bool) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(s.ctx, tryTimeout)
	defer cancel()
	network := "tcp"
	if udp {
		network = "udp"
	}
	conn, err := u.Dial(ctx, network, u.Addr.String())
	if err != nil {
		return nil, err
	}
	c := &dns.Conn{Conn: conn, UDPSize: dns.MaxMsgSize}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	fresh := q.Copy()
	fresh.Id = dns.Id() // unguessable, whatever the container chose
	if err := c.WriteMsg(fresh); err != nil {
		return nil, err
	}
	for {
		m, err := c.ReadMsg()
		if err != nil {
			return nil, err
		}
		if answers(m, fresh) { // else a late or forged one: go on waiting
			return m, nil
		}
	}
}

func answers(m, q *dns.Msg) bool {
	if m.Id != q.Id || !m.Response || len(m.Question) != 1 {
		return false
	}
	a, b := m.Question[0], q.Question[0]
	return a.Qtype == b.Qtype && a.Qclass == b.Qclass && strings.EqualFold(a.Name, b.Name)
}
