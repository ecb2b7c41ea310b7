package network

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runfile/runfile/schema/value"
)

func mustAddr(s string) netip.Addr { return netip.MustParseAddr(s) }

func mustPrefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestHostsFile(t *testing.T) {
	h := hostsFile{
		Hosts: []value.Host{
			{Name: "foo", IP: mustAddr("10.1.2.3")},
			{Name: "foo", IP: mustAddr("fd00::3")},
			{Name: "gw", Gateway: true},
		},
		Gateways: []netip.Addr{mustAddr("10.210.0.1"), mustAddr("fd00::1")},
		Own:      []netip.Addr{mustAddr("10.210.0.2"), mustAddr("fd00::2")},
		Hostname: "web.example.com",
		Links:    linkLines(Link{Name: "db", Alias: "database"}, "dbhost", "db", []netip.Addr{mustAddr("10.210.0.9")}),
	}
	got, err := h.render()
	want := "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\n" +
		"ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n" +
		"10.1.2.3\tfoo\nfd00::3\tfoo\n10.210.0.1\tgw\nfd00::1\tgw\n" +
		"10.210.0.2\tweb.example.com web\nfd00::2\tweb.example.com web\n10.210.0.9\tdatabase dbhost db\n"
	if err != nil || got != want {
		t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
	}
	h.Gateways = nil
	if _, err := h.render(); err == nil {
		t.Error("host-gateway without a gateway")
	}
}

func TestLinkLinesDropRepeatedNames(t *testing.T) {
	got := linkLines(Link{Name: "db", Alias: "db"}, "db", "db", []netip.Addr{mustAddr("10.0.0.2"), mustAddr("fd00::2")})
	if want := []string{"10.0.0.2\tdb", "fd00::2\tdb"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestReplaceLines(t *testing.T) {
	for _, tt := range []struct{ content, old, fresh, want string }{
		{"a\nb\nc\n", "b", "B", "a\nB\nc\n"},
		{"a\nb", "b", "B", "a\nB\n"},
		{"a\nb\nc\nd\n", "b|c", "X|Y", "a\nX\nY\nd\n"},
		{"a\nb\nc\nd\n", "b|d", "X|Y", "a\nX\nY\nc\n"},
		{"a\n", "b", "B", "a\nB\n"}, // the container deleted it
	} {
		got := replaceLines(tt.content, strings.Split(tt.old, "|"), strings.Split(tt.fresh, "|"))
		if got != tt.want {
			t.Errorf("%q: %q, want %q", tt.content, got, tt.want)
		}
	}
}

func TestResolvConf(t *testing.T) {
	r := parseResolvConf([]byte("# comment\nnameserver 192.0.2.1\ndomain old\nsearch a b\noptions ndots:3\noptions rotate\nnameserver\n"))
	if got, want := r.String(), "nameserver 192.0.2.1\nsearch a b\noptions ndots:3 rotate\n"; got != want || !r.ndots() {
		t.Errorf("%q (ndots %v), want %q", got, r.ndots(), want)
	}
	r = r.override(&Attach{DNS: []string{"::1"}, DNSSearch: []string{"foo", "."}, DNSOptions: []string{"ndots:x"}})
	if got, want := r.String(), "nameserver ::1\nsearch foo\noptions ndots:x\n"; got != want || r.ndots() {
		t.Errorf("%q (ndots %v), want %q", got, r.ndots(), want)
	}
	if got := r.override(&Attach{DNSSearch: []string{"."}}).String(); strings.Contains(got, "search") {
		t.Errorf("search of a dot: %q", got)
	}
}

func TestHostServers(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		main, behind string
		ipv6         bool
		want         []string
	}{
		{"nameserver 192.0.2.1\nnameserver 127.0.0.1\n", "nameserver 192.0.2.9\n", false, []string{"192.0.2.1"}},
		{"nameserver 127.0.0.53\n", "nameserver 192.0.2.9\nnameserver fd00::9\n", false, []string{"192.0.2.9"}},
		{"nameserver 127.0.0.53\n", "nameserver 192.0.2.9\nnameserver fd00::9\n", true, []string{"192.0.2.9", "fd00::9"}},
		{"nameserver 127.0.0.53\n", "", false, nil},
		{"", "nameserver 192.0.2.9\n", false, nil},
	} {
		main, behind := filepath.Join(dir, "main"), filepath.Join(dir, "behind")
		for path, content := range map[string]string{main: tt.main, behind: tt.behind} {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r, err := hostServers(main, behind, tt.ipv6)
		if err != nil || !slices.Equal(r.Servers, tt.want) {
			t.Errorf("%q behind %q: %v, %v; want %v", tt.main, tt.behind, r.Servers, err, tt.want)
		}
	}
	if r, err := hostServers(filepath.Join(dir, "none"), filepath.Join(dir, "none"), false); err != nil || len(r.Servers) > 0 {
		t.Errorf("a host without resolv.conf: %v, %v", r, err)
	}
}

func TestLinkEnv(t *testing.T) {
	got := linkEnv("app", Link{Alias: "my-db"}, mustAddr("10.0.0.2"), []value.PortRange{
		{First: 8001, Last: 8002, Proto: "tcp"},
		{First: 53, Last: 53, Proto: "udp"},
		{First: 53, Last: 53, Proto: "tcp"},
	}, []string{"A=1=2", "HOME=/root", "PATH=/bin"})
	want := `MY_DB_NAME=/app/my-db
MY_DB_PORT=tcp://10.0.0.2:53
MY_DB_PORT_8001_TCP_START=tcp://10.0.0.2:8001
MY_DB_PORT_8001_TCP_PORT_START=8001
MY_DB_PORT_8001_TCP_END=tcp://10.0.0.2:8002
MY_DB_PORT_8001_TCP_PORT_END=8002
MY_DB_PORT_53_TCP=tcp://10.0.0.2:53
MY_DB_PORT_53_TCP_ADDR=10.0.0.2
MY_DB_PORT_53_TCP_PORT=53
MY_DB_PORT_53_TCP_PROTO=tcp
MY_DB_PORT_53_UDP=udp://10.0.0.2:53
MY_DB_PORT_53_UDP_ADDR=10.0.0.2
MY_DB_PORT_53_UDP_PORT=53
MY_DB_PORT_53_UDP_PROTO=udp
MY_DB_PORT_8001_TCP=tcp://10.0.0.2:8001
MY_DB_PORT_8001_TCP_ADDR=10.0.0.2
MY_DB_PORT_8001_TCP_PORT=8001
MY_DB_PORT_8001_TCP_PROTO=tcp
MY_DB_PORT_8002_TCP=tcp://10.0.0.2:8002
MY_DB_PORT_8002_TCP_ADDR=10.0.0.2
MY_DB_PORT_8002_TCP_PORT=8002
MY_DB_PORT_8002_TCP_PROTO=tcp
MY_DB_ENV_A=1=2`
	if g := strings.Join(got, "\n"); g != want {
		t.Errorf("got\n%s\nwant\n%s", g, want)
	}
	if all := linkEnv("a", Link{Alias: "b"}, mustAddr("10.0.0.2"), []value.PortRange{{First: 1, Last: 65535, Proto: "tcp"}}, nil); len(all) > 5*maxLinkPorts {
		t.Errorf("%d variables for an image that exposes everything", len(all))
	}
}

func TestNamesAreStableAndShort(t *testing.T) {
	c := Config{Project: "shop", RunDir: "/run/x"}
	other := Config{Project: "shop", RunDir: "/run/y"}
	same := Config{Project: "shop", RunDir: "/run/x", StateDir: "/elsewhere"}
	if c.bridgeName("a") != same.bridgeName("a") || c.bridgeName("a") == c.bridgeName("b") || c.bridgeName("a") == other.bridgeName("a") {
		t.Error("bridge names must follow root, project and network")
	}
	if v := c.vethName("id", "a"); v == c.vethName("id", "a") || len(v) > 15 {
		t.Errorf("veth name %q must be new each time and have at most 15 characters", v)
	}
	if mac := c.hardwareAddr("web", "a"); len(mac) != 6 || mac[0] != 2 || mac.String() != other.hardwareAddr("web", "a").String() {
		t.Errorf("hardware address %v", mac)
	}
	if id, key, ok := c.splitAlias(c.linkAlias("id", "a")); !ok || id != "id" || key != "a" {
		t.Errorf("alias: %q %q %v", id, key, ok)
	}
	if _, _, ok := c.splitAlias("runfile:other/id/a"); ok {
		t.Error("took another project's link")
	}
}
