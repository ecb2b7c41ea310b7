package ipam

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestChoose(t *testing.T) {
	first := []Used{{prefix("10.210.0.0/24"), "a"}}
	for _, tt := range []struct {
		name   string
		prefer string
		used   []Used
		want   string
	}{
		{"empty host", "", nil, "10.210.0.0/24"},
		{"first taken", "", first, "10.210.1.0/24"},
		{"one address in the second", "", append(first, Used{prefix("10.210.1.77/32"), "ns"}), "10.210.2.0/24"},
		{"preferred", "10.211.7.0/24", first, "10.211.7.0/24"},
		{"preferred taken", "10.210.0.0/24", first, "10.210.1.0/24"},
		{"ten slash eight", "", []Used{{prefix("10.0.0.0/8"), "vpn"}}, "172.17.0.0/16"},
		{"ten and docker", "", []Used{{prefix("10.0.0.0/8"), "vpn"}, {prefix("172.17.0.0/16"), "docker0"}}, "172.18.0.0/16"},
		{"all but the last", "", []Used{{prefix("10.0.0.0/8"), "vpn"}, {prefix("172.16.0.0/12"), "lan"}}, "192.168.0.0/20"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var prefer netip.Prefix
			if tt.prefer != "" {
				prefer = prefix(tt.prefer)
			}
			got, err := Choose(prefer, tt.used)
			if err != nil || got != prefix(tt.want) {
				t.Errorf("Choose = %v, %v; want %v", got, err, tt.want)
			}
		})
	}
	_, err := Choose(netip.Prefix{}, []Used{{prefix("0.0.0.0/1"), "x"}, {prefix("128.0.0.0/1"), "y"}})
	if !errors.Is(err, ErrNoSubnet) {
		t.Errorf("a full host: %v", err)
	}
}

func TestChooseULA(t *testing.T) {
	a, err := ChooseULA("machine", netip.Prefix{}, nil)
	if err != nil || a.Bits() != 64 || a.Addr().As16()[0] != 0xfd {
		t.Fatalf("ChooseULA = %v, %v", a, err)
	}
	b, _ := ChooseULA("machine", netip.Prefix{}, []Used{{a, "x"}})
	if b == a || b.Addr().As16()[5] != a.Addr().As16()[5] {
		t.Errorf("the second subnet %v is not beside the first %v", b, a)
	}
	if c, _ := ChooseULA("machine", b, nil); c != b {
		t.Errorf("preferred %v, got %v", b, c)
	}
}

func TestCheckSubnet(t *testing.T) {
	used := []Used{{prefix("192.0.2.0/24"), "route via eth0"}}
	for _, tt := range []struct{ subnet, gateway, want string }{
		{"198.51.100.0/24", "198.51.100.1", ""},
		{"198.51.100.0/30", "", ""},
		{"198.51.100.0/31", "", "too small"},
		{"198.51.100.7/24", "", "did you mean 198.51.100.0/24"},
		{"198.51.100.0/24", "198.51.101.1", "not inside"},
		{"192.0.0.0/16", "", "overlaps 192.0.2.0/24 (route via eth0)"},
	} {
		var gw netip.Addr
		if tt.gateway != "" {
			gw = addr(tt.gateway)
		}
		err := CheckSubnet(prefix(tt.subnet), gw, used)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.subnet, err, tt.want)
		}
	}
}

func TestNameservers(t *testing.T) {
	got := Nameservers(strings.NewReader("# x\nnameserver 192.0.2.53\nsearch a\nnameserver fe80::1%eth0\nnameserver nonsense\n"))
	if len(got) != 2 || got[0].Prefix != prefix("192.0.2.53/32") || got[1].Prefix != prefix("fe80::1/128") {
		t.Errorf("Nameservers = %v", got)
	}
}

func open(t *testing.T, dir string) *Pool {
	t.Helper()
	p, err := Open(prefix("10.9.0.0/29"), addr("10.9.0.1"), filepath.Join(dir, "leases"), filepath.Join(dir, "names"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func take(t *testing.T, p *Pool, name string) netip.Addr {
	t.Helper()
	a, err := p.Take(Lease{Project: "p", Container: "id-" + name, Name: name}, netip.Addr{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTakeMovesOnAndRemembers(t *testing.T) {
	dir := t.TempDir()
	p := open(t, dir)
	a, b := take(t, p, "a"), take(t, p, "b")
	if a != addr("10.9.0.2") || b != addr("10.9.0.3") {
		t.Fatalf("got %v and %v", a, b)
	}
	for _, x := range []netip.Addr{a, b} {
		if err := p.Release(x); err != nil {
			t.Fatal(err)
		}
	}
	if c := take(t, p, "c"); c != addr("10.9.0.4") {
		t.Errorf("a new name got %v, an address that was just freed", c)
	}
	p = open(t, dir) // a successor
	if again := take(t, p, "b"); again != b {
		t.Errorf("b came back with %v, had %v", again, b)
	}
}

func TestTakeUsesRememberedAddressesLast(t *testing.T) {
	p := open(t, t.TempDir()) // .2 to .6 are usable
	for _, n := range []string{"a", "b", "c", "d"} {
		if err := p.Release(take(t, p, n)); err != nil {
			t.Fatal(err)
		}
	}
	if got := take(t, p, "e"); got != addr("10.9.0.6") {
		t.Errorf("e got %v", got)
	}
	if got := take(t, p, "f"); got != addr("10.9.0.2") {
		t.Errorf("f got %v, want the oldest remembered one", got)
	}
	if got := take(t, p, "a"); got == addr("10.9.0.2") {
		t.Errorf("a got %v, which f holds", got)
	}
	p.Forget("b")
	if got := take(t, p, "g"); got != addr("10.9.0.4") && got != addr("10.9.0.3") {
		t.Errorf("g got %v", got)
	}
}

func TestTakeFull(t *testing.T) {
	p := open(t, t.TempDir())
	for i := range 5 {
		take(t, p, fmt.Sprint("n", i))
	}
	if _, err := p.Take(Lease{Container: "x", Name: "x"}, netip.Addr{}); !errors.Is(err, ErrFull) {
		t.Errorf("a full pool: %v", err)
	}
}

func TestTakeExplicit(t *testing.T) {
	p := open(t, t.TempDir())
	if _, err := p.Take(Lease{Project: "shop", Container: "1", Name: "web"}, addr("10.9.0.5")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Take(Lease{Project: "shop", Container: "1", Name: "web"}, addr("10.9.0.5")); err != nil {
		t.Errorf("the holder itself: %v", err)
	}
	for _, tt := range []struct{ addr, want string }{
		{"10.9.0.0", "network address"},
		{"10.9.0.1", "gateway"},
		{"10.9.0.7", "broadcast"},
		{"10.9.0.8", "not inside"},
		{"10.9.0.5", `in use by container "web" of project "shop"`},
	} {
		_, err := p.Take(Lease{Container: "2", Name: "db"}, addr(tt.addr))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.addr, err, tt.want)
		}
	}
}

func TestTakeV6(t *testing.T) {
	p, err := Open(prefix("fd00:1::/64"), addr("fd00:1::1"), t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	if a := take(t, p, "a"); a != addr("fd00:1::2") {
		t.Errorf("got %v", a)
	}
}

// Two pools over one directory stand for two processes.
func TestTakeConcurrently(t *testing.T) {
	dir := t.TempDir()
	var ps [2]*Pool
	for i := range ps {
		p, err := Open(prefix("10.9.0.0/24"), addr("10.9.0.1"), dir, "")
		if err != nil {
			t.Fatal(err)
		}
		ps[i] = p
	}
	var mu sync.Mutex
	seen := map[netip.Addr]bool{}
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			a, err := ps[i%2].Take(Lease{Container: fmt.Sprint(i), Name: fmt.Sprint(i)}, netip.Addr{})
			mu.Lock()
			defer mu.Unlock()
			if err != nil || seen[a] {
				t.Errorf("take %d: %v, %v (seen %v)", i, a, err, seen[a])
			}
			seen[a] = true
		})
	}
	wg.Wait()
	if l, err := ps[0].List(); err != nil || len(l) != 100 {
		t.Errorf("%d leases, %v", len(l), err)
	}
}

func TestTornLeaseIsHeldByNobody(t *testing.T) {
	dir := t.TempDir()
	p := open(t, dir)
	take(t, p, "a")
	if err := os.WriteFile(filepath.Join(dir, "leases", "10.9.0.3"), []byte(`{"proj`), 0o600); err != nil {
		t.Fatal(err)
	}
	if b := take(t, p, "b"); b != addr("10.9.0.4") {
		t.Errorf("b got %v", b)
	}
	l, err := p.List()
	if err != nil || len(l) != 3 || l[addr("10.9.0.3")].Container != "" {
		t.Errorf("List = %v, %v", l, err)
	}
}
