package project

import (
	"log/slog"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// gate is the supervisor's listener. It lets in root and the supervisor's own user only, counts who is connected, and
// closes for good at a moment when nobody is: whoever was let in before keeps the supervisor alive, whoever comes after
// is hung up on without an answer, tries again and finds the next supervisor.
type gate struct {
	*net.UnixListener
	log *slog.Logger
	// change has room for one note that conns has fallen to zero or that the first connection came.
	change chan struct{}

	mu      sync.Mutex
	conns   int  // guarded by mu
	used    bool // guarded by mu; somebody was let in
	leaving bool // guarded by mu; nobody is let in any more
}

func newGate(l *net.UnixListener, log *slog.Logger) *gate {
	return &gate{UnixListener: l, log: log, change: make(chan struct{}, 1)}
}

// Accept implements net.Listener.
func (g *gate) Accept() (net.Conn, error) {
	for {
		conn, err := g.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if !g.admit(conn) {
			_ = conn.Close()
			continue
		}
		return &guest{UnixConn: conn, gate: g}, nil
	}
}

func (g *gate) admit(conn *net.UnixConn) bool {
	cred, err := peer(conn)
	if err != nil || !mayConnect(cred, os.Geteuid()) {
		g.log.Warn("refused a connection", "peer", cred, "error", err)
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.leaving {
		return false
	}
	g.conns++
	g.used = true
	return true
}

// mayConnect is the second fence behind the modes of the socket and its directory.
func mayConnect(cred *unix.Ucred, owner int) bool {
	return cred.Uid == 0 || int(cred.Uid) == owner
}

// leave closes the gate if nobody is connected and idle agrees, and reports whether it did.
func (g *gate) leave(idle func() bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.conns == 0 && idle() {
		g.leaving = true
	}
	return g.leaving
}

// unused reports whether nobody has been let in yet.
func (g *gate) unused() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.used
}

func (g *gate) left() {
	g.mu.Lock()
	g.conns--
	last := g.conns == 0
	g.mu.Unlock()
	if last {
		g.note()
	}
}

// note asks the supervisor to look whether it may leave.
func (g *gate) note() {
	select {
	case g.change <- struct{}{}:
	default:
	}
}

// guest is an admitted connection.
type guest struct {
	*net.UnixConn
	gate *gate
	once sync.Once
}

// Close implements net.Conn.
func (c *guest) Close() error {
	err := c.UnixConn.Close()
	c.once.Do(c.gate.left)
	return err
}
