package network

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/runfile/runfile/schema/value"
)

// recorder is a Kernel that notes what it is told as the commands an operator would type.
type recorder struct {
	mu     sync.Mutex
	lines  []string
	survey Survey
	fail   string // the method that fails
	// onBridge, if set, is called when a bridge has been made.
	onBridge func()
}

func (r *recorder) note(method, format string, args ...any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if method == r.fail {
		return errors.New("refused by the test")
	}
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
	return nil
}

func (r *recorder) Survey(string) (*Survey, error) { s := r.survey; return &s, nil }

func (r *recorder) AddBridge(b Bridge) ([]string, error) {
	err := r.note("AddBridge", "ip link add %s address %s mtu %d type bridge", b.Name, b.MAC, b.MTU)
	for _, a := range b.Addrs {
		err = errors.Join(err, r.note("AddBridge", "ip addr add %s dev %s", a, b.Name))
	}
	r.survey.Links = append(r.survey.Links, HostLink{Name: b.Name, Alias: b.Alias, Addrs: b.Addrs})
	if r.onBridge != nil {
		r.onBridge()
	}
	return nil, err
}

func (r *recorder) DelLink(name string) error {
	n := len(r.survey.Links)
	r.survey.Links = slices.DeleteFunc(r.survey.Links, func(l HostLink) bool { return l.Name == name })
	if len(r.survey.Links) == n {
		return nil
	}
	return r.note("DelLink", "ip link del %s", name)
}

func (r *recorder) Netns(int, *os.File, bool) (*Netns, error) {
	return &Netns{}, r.note("Netns", "ip netns add")
}

func (r *recorder) Attach(_ *Netns, ifaces []Interface) error {
	var err error
	for _, i := range ifaces {
		err = errors.Join(err, r.note("Attach", "ip link add master %s mtu %d type veth peer %s address %s", i.Bridge, i.MTU, i.Name, i.MAC))
		for _, a := range i.Addrs {
			err = errors.Join(err, r.note("Attach", "netns ip addr add %s dev %s", a, i.Name))
		}
		for _, g := range i.Gateways {
			err = errors.Join(err, r.note("Attach", "netns ip route add default via %s dev %s", g, i.Name))
		}
	}
	return err
}

func (r *recorder) Redirect(*Netns, uint16, uint16) error {
	return r.note("Redirect", "netns nft add rule ip daddr 127.0.0.11 th dport 53 dnat")
}

func (r *recorder) Apply(c Change) error {
	var lines []string
	if c.Drop {
		lines = append(lines, "nft delete table inet")
	}
	if c.Replace != nil {
		lines = append(lines, "nft replace table inet")
		for _, n := range c.Replace.Networks {
			lines = append(lines, fmt.Sprintf("nft network %s %v internal=%v icc=%v", n.Bridge, n.Subnets, n.Internal, n.ICC))
		}
		c.Add, c.AddP = append(c.Replace.Ports, c.Add...), append(c.Replace.Passes, c.AddP...)
	}
	for _, p := range c.Del {
		lines = append(lines, fmt.Sprintf("nft delete element %s { %s }", mapOf(p), p))
	}
	for _, p := range c.Add {
		lines = append(lines, fmt.Sprintf("nft add element %s { %s }", mapOf(p), p))
	}
	for _, p := range c.DelP {
		lines = append(lines, fmt.Sprintf("nft delete pass %s -> %s:%d/%s", p.From, p.To, p.Port, p.Proto))
	}
	for _, p := range c.AddP {
		lines = append(lines, fmt.Sprintf("nft add pass %s -> %s:%d/%s", p.From, p.To, p.Port, p.Proto))
	}
	var err error
	for _, l := range lines {
		err = errors.Join(err, r.note("Apply", "%s", l))
	}
	return err
}

func (r *recorder) OpenForward(open bool) (bool, error) { return false, nil }

// take returns the lines since the last call, with the bridges named by network.
func (r *recorder) take(cfg Config, keys ...string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := strings.Join(r.lines, "\n")
	r.lines = nil
	for _, k := range keys {
		s = strings.ReplaceAll(s, cfg.bridgeName(k), "BR-"+k)
	}
	return s
}

func recorded(t *testing.T) (*Manager, *recorder) {
	t.Helper()
	dir := t.TempDir()
	r := &recorder{survey: Survey{MTU: 1450, BridgeFilter: true}}
	m, err := newManager(Config{Project: "p", RunDir: filepath.Join(dir, "run"), StateDir: filepath.Join(dir, "state")}, r, func() error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return m, r
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if want = strings.TrimSpace(want); got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

// TestCommands shows one life: a network, a container with a port and a link, its end.
func TestCommands(t *testing.T) {
	m, r := recorded(t)
	ensure(t, m, Network{Key: "a", Subnet: mustPrefix("203.0.113.0/24")})
	expect(t, "network", r.take(m.cfg, "a"), `
ip link add BR-a address 02:26:0c:f5:c4:23 mtu 1450 type bridge
ip addr add 203.0.113.1/24 dev BR-a
nft replace table inet
nft network BR-a [203.0.113.0/24] internal=false icc=false`)

	db := userNet(t, "db", "a")
	db.Expose = []value.PortRange{{First: 80, Last: 81, Proto: "tcp"}}
	join(t, m, db)
	r.take(m.cfg)
	web := userNet(t, "web", "a")
	web.Links = []Link{{ContainerID: db.ContainerID, Name: "db", Alias: "x"}}
	web.Ports = []value.PortMapping{publish("", 27080, 80)}
	s := join(t, m, web)
	expect(t, "join", r.take(m.cfg, "a"), `
ip netns add
ip link add master BR-a mtu 1450 type veth peer eth0 address 02:ec:c7:1a:47:99
netns ip addr add 203.0.113.3/24 dev eth0
netns ip route add default via 203.0.113.1 dev eth0
netns nft add rule ip daddr 127.0.0.11 th dport 53 dnat
nft add pass 203.0.113.3 -> 203.0.113.2:80/tcp
nft add pass 203.0.113.3 -> 203.0.113.2:81/tcp`)

	start(t, s) // [::] leads to a container without IPv6: that is the proxy's work, not a rule's
	expect(t, "start", r.take(m.cfg), "nft add element pub4 { 0.0.0.0:27080/tcp -> 203.0.113.3:80 }")
	s.Stop()
	expect(t, "stop", r.take(m.cfg), "nft delete element pub4 { 0.0.0.0:27080/tcp -> 203.0.113.3:80 }")
	closeBoxes(t, m)
	r.take(m.cfg)
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	expect(t, "close", r.take(m.cfg, "a"), "ip link del BR-a\nnft delete table inet")
}

// A join that fails at any step leaves no lease, no user of the network and no half-made sandbox.
func TestJoinUndoesWhatItDid(t *testing.T) {
	for _, step := range []string{"Netns", "Attach", "Redirect", "Apply"} {
		m, r := recorded(t)
		ensure(t, m, Network{Key: "a"})
		db := userNet(t, "db", "a")
		db.Expose = []value.PortRange{{First: 80, Last: 80, Proto: "tcp"}}
		target := join(t, m, db)
		a := userNet(t, "web", "a")
		a.Links = []Link{{ContainerID: db.ContainerID, Name: "db", Alias: "x"}} // makes Join change rules
		r.fail = step
		if _, err := m.Join(t.Context(), a); err == nil || !strings.Contains(err.Error(), "refused by the test") {
			t.Errorf("%s: %v", step, err)
		}
		r.fail = ""
		b := m.network("a")
		if leases, err := b.pools[0].List(); err != nil || len(leases) != 1 || len(b.users) != 1 || len(m.boxes) != 1 {
			t.Errorf("%s: left %v, users %v, %d sandboxes (%v)", step, leases, b.users, len(m.boxes), err)
		}
		if err := target.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestEnsureUndoesWhatItDid(t *testing.T) {
	for _, step := range []string{"AddBridge", "Apply"} {
		m, r := recorded(t)
		r.fail = step
		if err := m.Ensure(t.Context(), Network{Key: "a", ICC: true}); err == nil {
			t.Errorf("%s: no error", step)
		}
		r.fail = ""
		if len(r.survey.Links) != 0 || len(m.nets) != 0 {
			t.Errorf("%s: left %v, %v", step, r.survey.Links, m.nets)
		}
	}
}

// A manager may be killed at any moment, and only a project with saved networks is looked through for links that were left.
func TestNoLinkBeforeItsSettings(t *testing.T) {
	m, r := recorded(t)
	r.onBridge = func() {
		if _, ok := m.load("a"); !ok {
			t.Error("the bridge exists and nothing says so")
		}
	}
	ensure(t, m, Network{Key: "a", ICC: true})
}

// A second manager over the same state finds the bridge, or drops one that is not what the state says.
func TestInherit(t *testing.T) {
	m, r := recorded(t)
	ensure(t, m, Network{Key: "a", ICC: true, Internal: true})
	again, err := newManager(m.cfg, r, func() error { return nil })
	if err != nil || again.nets["a"] == nil || !again.nets["a"].Internal {
		t.Fatalf("inherited %v, %v", again.nets, err)
	}
	r.take(m.cfg)
	ensure(t, again, Network{Key: "a", ICC: true, Internal: true})
	expect(t, "the same network again", r.take(m.cfg), "")
	for name, damage := range map[string]func(){
		"no settings":  func() { _ = os.Remove(m.savedPath("a")) },
		"torn":         func() { _ = os.WriteFile(m.savedPath("a"), []byte(`{"netw`), 0o600) },
		"no address":   func() { r.survey.Links[0].Addrs = nil },
		"other subnet": func() { r.survey.Links[0].Addrs = []netip.Prefix{mustPrefix("192.0.2.1/24")} },
	} {
		m, r = recorded(t)
		ensure(t, m, Network{Key: "a", ICC: true})
		damage()
		again, err := newManager(m.cfg, r, func() error { return nil })
		if err != nil || len(again.nets) != 0 || len(r.survey.Links) != 0 {
			t.Errorf("%s: inherited %v, left %v, %v", name, again.nets, r.survey.Links, err)
		}
	}
}

var _ Kernel = (*recorder)(nil)
