package network

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	proxyDial  = 10 * time.Second
	udpIdle    = 90 * time.Second // after which a client that is silent in both directions is forgotten, as with Docker
	udpClients = 4096             // at once, per port
	udpPacket  = 64 << 10
)

// tcpProxy serves a listening socket by connecting each client to the container.
type tcpProxy struct {
	l      *net.TCPListener
	target string
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func serveTCP(l *net.TCPListener, target string) io.Closer {
	p := &tcpProxy{l: l, target: target}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.wg.Go(p.accept)
	return p
}

// Close ends the proxy and its connections.
func (p *tcpProxy) Close() error {
	p.cancel()
	err := p.l.Close()
	p.wg.Wait()
	return err
}

func (p *tcpProxy) accept() {
	wait := 5 * time.Millisecond
	for {
		c, err := p.l.AcceptTCP()
		if err == nil {
			wait = 5 * time.Millisecond
			p.wg.Go(func() { p.serve(c) })
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		select { // out of file descriptors: the client waits in the backlog
		case <-p.ctx.Done():
			return
		case <-time.After(wait):
			wait = min(2*wait, time.Second)
		}
	}
}

func (p *tcpProxy) serve(client *net.TCPConn) {
	defer client.Close()
	d := net.Dialer{Timeout: proxyDial}
	c, err := d.DialContext(p.ctx, "tcp", p.target)
	if err != nil {
		_ = client.SetLinger(0) // a reset: what the client would have got from a closed port
		return
	}
	server := c.(*net.TCPConn)
	defer server.Close()
	stop := context.AfterFunc(p.ctx, func() { _ = client.Close(); _ = server.Close() })
	defer stop()
	var g errgroup.Group
	g.Go(func() error { return pipe(server, client) })
	g.Go(func() error { return pipe(client, server) })
	_ = g.Wait() // a broken connection is the clients' business
}

// pipe copies one direction and passes its end on, so that a half-closed connection goes on in the other.
func pipe(to, from *net.TCPConn) error {
	_, err := io.Copy(to, from)
	return errors.Join(err, to.CloseWrite(), from.CloseRead())
}

// udpProxy serves a UDP socket with one connected socket per client towards the container.
type udpProxy struct {
	c      *net.UDPConn
	target netip.AddrPort
	idle   time.Duration
	wg     sync.WaitGroup

	mu      sync.Mutex
	clients map[netip.AddrPort]*udpClient
}

type udpClient struct {
	addr netip.AddrPort
	info []byte // control message that makes the answer come from where the client sent to
	conn *net.UDPConn
}

func serveUDP(c *net.UDPConn, target netip.AddrPort, idle time.Duration) io.Closer {
	p := &udpProxy{c: c, target: target, idle: idle, clients: map[netip.AddrPort]*udpClient{}}
	p.wg.Go(p.receive)
	return p
}

// Close ends the proxy.
func (p *udpProxy) Close() error {
	err := p.c.Close()
	p.mu.Lock()
	for _, c := range p.clients {
		_ = c.conn.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
	return err
}

func (p *udpProxy) receive() {
	buf, oob := make([]byte, udpPacket), make([]byte, 128)
	for {
		n, k, _, from, err := p.c.ReadMsgUDPAddrPort(buf, oob)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP answer to an earlier datagram
		}
		if c := p.client(from, oob[:k]); c != nil {
			_ = c.conn.SetReadDeadline(time.Now().Add(p.idle))
			_, _ = c.conn.Write(buf[:n]) // a refusal reaches the client as silence, as from a lossy network
		}
	}
}

// client returns the entry of a client and makes one for a new one; nil when there are too many.
func (p *udpProxy) client(from netip.AddrPort, info []byte) *udpClient {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.clients[from]; c != nil {
		return c
	}
	if len(p.clients) >= udpClients {
		return nil
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(p.target))
	if err != nil {
		return nil
	}
	c := &udpClient{addr: from, info: append([]byte(nil), info...), conn: conn}
	p.clients[from] = c
	p.wg.Go(func() { p.answer(c) })
	return c
}

// answer passes datagrams of the container back until the client has been idle.
func (p *udpProxy) answer(c *udpClient) {
	defer func() {
		p.mu.Lock()
		delete(p.clients, c.addr)
		p.mu.Unlock()
		_ = c.conn.Close()
	}()
	buf := make([]byte, udpPacket)
	for {
		n, err := c.conn.Read(buf)
		var timeout net.Error
		switch {
		case errors.Is(err, net.ErrClosed), errors.As(err, &timeout) && timeout.Timeout():
			return
		case err != nil:
			continue // connection refused: nobody listens yet
		}
		_ = c.conn.SetReadDeadline(time.Now().Add(p.idle))
		_, _, _ = p.c.WriteMsgUDPAddrPort(buf[:n], c.info, c.addr)
	}
}
