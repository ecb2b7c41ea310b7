package network

import (
	"flag"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/nftables"

	"github.com/runfile/runfile/schema/value"
)

var update = flag.Bool("update", false, "rewrite testdata/rules.nft")

// TestRulesAsNftShowsThem compares what the kernel holds with testdata/rules.nft: the rules as people read them.
func TestRulesAsNftShowsThem(t *testing.T) {
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip("nft is not installed")
	}
	m := newHost(t, testConfig(t, "rules"))
	ensure(t, m, Network{Key: "a", ICC: true, Subnet: mustPrefix("10.88.0.0/24")})
	ensure(t, m, Network{Key: "in", ICC: true, Internal: true, Subnet: mustPrefix("10.88.1.0/24")})
	ensure(t, m, Network{Key: "six", ICC: true, Subnet: mustPrefix("fd00:88::/64")})
	web := userNet(t, "web", "a", "six")
	web.Ports = []value.PortMapping{publish("", 27080, 80)}
	start(t, join(t, m, web))
	got := run(t, "nft", "-s", "list", "table", "inet", m.cfg.tableName())
	for k, b := range m.nets {
		got = strings.ReplaceAll(got, b.link, "BR-"+k)
		got = strings.ReplaceAll(got, b.pools[0].Subnet().String(), "SUBNET-"+k)
	}
	got = stable(got)
	const golden = "testdata/rules.nft"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || got != string(want) {
		t.Errorf("the rules are not those of %s (%v); see `go test -update`:\n%s", golden, err, got)
	}
}

// stable puts a listing in an order that does not depend on hashes: blocks by name; inside them the order of rules stays,
// but for elements and for postrouting, whose rules exclude each other.
func stable(listing string) string {
	blocks := strings.Split(strings.TrimSuffix(strings.TrimSpace(listing), "\n}"), "\n\n")
	for i, b := range blocks {
		var lines []string
		for l := range strings.Lines(b) {
			l = strings.Trim(strings.ReplaceAll(strings.ReplaceAll(l, "elements = { ", ""), " }", ""), " \t\n,")
			if l != "" && l != "}" && !strings.HasPrefix(l, "table ") {
				lines = append(lines, l)
			}
		}
		if strings.HasPrefix(lines[0], "map ") || strings.HasPrefix(lines[0], "chain postrouting") {
			slices.Sort(lines[1:])
		}
		blocks[i] = strings.Join(lines, "\n\t") + "\n}\n"
	}
	slices.Sort(blocks)
	return strings.Join(blocks, "")
}

// TestElementsFitMessages: a list of elements that is longer than a message goes in pieces, and none is lost.
func TestElementsFitMessages(t *testing.T) {
	target := netip.MustParseAddrPort("10.0.0.2:80")
	var ports []Port
	for n := range uint16(1000) {
		ports = append(ports, Port{Host: netip.AddrPortFrom(netip.IPv4Unspecified(), 20000+n), Proto: "tcp", Target: target})
	}
	seen := map[string]bool{}
	for set, elems := range elementsBySet(&nftables.Table{}, ports, nil) {
		if set.Name != mapPub4 || len(elems) > elementsPerMessage {
			t.Errorf("%d elements in one piece of %s", len(elems), set.Name)
		}
		for _, e := range elems {
			seen[string(e.Key)] = true
		}
	}
	if len(seen) != len(ports) {
		t.Errorf("%d of %d elements are left", len(seen), len(ports))
	}
}
