package network

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/runfile/runfile/schema/value"
)

// maxLinkPorts bounds how many exposed ports of a link's target get variables of their own: an image that exposes all
// 65535 would exceed what the kernel takes as an environment.
const maxLinkPorts = 256

// linkPort is one exposed port of a link's target.
type linkPort struct {
	number uint16
	proto  string
}

func (p linkPort) url(ip netip.Addr) string {
	return p.proto + "://" + netip.AddrPortFrom(ip, p.number).String()
}

// expandPorts lists single ports, lowest first, tcp before others, at most limit of them.
func expandPorts(ranges []value.PortRange, limit int) []linkPort {
	var out []linkPort
	for _, r := range ranges {
		for n := int(r.First); n <= int(r.Last) && len(out) < limit; n++ {
			out = append(out, linkPort{uint16(n), r.Proto})
		}
	}
	slices.SortFunc(out, func(a, b linkPort) int {
		if a.number != b.number {
			return cmp.Compare(a.number, b.number)
		}
		return cmp.Compare(protoOrder(a.proto), protoOrder(b.proto))
	})
	return slices.Compact(out)
}

func protoOrder(p string) string { return strings.TrimPrefix(p, "tcp") } // "" sorts first

// linkEnv are the variables that a link on the default bridge sets in the linking container: where the target listens,
// and what its own environment is. self is the linking container's name.
func linkEnv(self string, l Link, ip netip.Addr, expose []value.PortRange, targetEnv []string) []string {
	alias := strings.ReplaceAll(strings.ToUpper(l.Alias), "-", "_")
	var env []string
	set := func(format string, args ...any) { env = append(env, alias+fmt.Sprintf(format, args...)) }
	set("_NAME=/%s/%s", self, l.Alias)
	ports := expandPorts(expose, maxLinkPorts)
	if len(ports) > 0 {
		set("_PORT=%s", ports[0].url(ip))
	}
	for _, r := range portRuns(ports) {
		first, last := ports[r[0]], ports[r[1]]
		base := fmt.Sprintf("_PORT_%d_%s", first.number, strings.ToUpper(first.proto))
		set("%s_START=%s", base, first.url(ip))
		set("%s_PORT_START=%d", base, first.number)
		set("%s_END=%s", base, last.url(ip))
		set("%s_PORT_END=%d", base, last.number)
	}
	for _, p := range ports {
		base := fmt.Sprintf("_PORT_%d_%s", p.number, strings.ToUpper(p.proto))
		set("%s=%s", base, p.url(ip))
		set("%s_ADDR=%s", base, ip)
		set("%s_PORT=%d", base, p.number)
		set("%s_PROTO=%s", base, p.proto)
	}
	for _, kv := range targetEnv {
		k, v, ok := strings.Cut(kv, "=")
		if ok && k != "HOME" && k != "PATH" {
			set("_ENV_%s=%s", k, v)
		}
	}
	return env
}

// portRuns returns the first and last index of each run of at least two ports with consecutive numbers and one protocol.
func portRuns(ports []linkPort) [][2]int {
	var runs [][2]int
	for i := 0; i < len(ports); {
		j := i
		for j+1 < len(ports) && ports[j+1].number == ports[j].number+1 && ports[j+1].proto == ports[i].proto {
			j++
		}
		if j > i {
			runs = append(runs, [2]int{i, j})
		}
		i = j + 1
	}
	return runs
}
