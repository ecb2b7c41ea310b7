package network

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runfile/runfile/schema/value"
)

// localHosts is the head of every generated hosts file, as Docker writes it.
const localHosts = "127.0.0.1\tlocalhost\n" +
	"::1\tlocalhost ip6-localhost ip6-loopback\n" +
	"fe00::\tip6-localnet\n" +
	"ff00::\tip6-mcastprefix\n" +
	"ff02::1\tip6-allnodes\n" +
	"ff02::2\tip6-allrouters\n"

// errNoGateway is the failure of host-gateway on a network without one.
var errNoGateway = errors.New("add-host: host-gateway has no meaning on network none, which has no gateway")

// hostsFile is what /etc/hosts is made of.
type hostsFile struct {
	Hosts    []value.Host // add-host
	Gateways []netip.Addr // what host-gateway means, one line each
	Own      []netip.Addr
	Hostname string   // with the domain, if there is one
	Links    []string // lines without their newline
}

// render writes the file: localhost, add-host, the container itself, links.
func (h hostsFile) render() (string, error) {
	var b strings.Builder
	b.WriteString(localHosts)
	for _, e := range h.Hosts {
		addrs := []netip.Addr{e.IP}
		if e.Gateway {
			if addrs = h.Gateways; len(addrs) == 0 {
				return "", errNoGateway
			}
		}
		for _, a := range addrs {
			fmt.Fprintf(&b, "%s\t%s\n", a, e.Name)
		}
	}
	for _, a := range h.Own {
		fmt.Fprintf(&b, "%s\t%s\n", a, ownNames(h.Hostname))
	}
	for _, l := range h.Links {
		b.WriteString(l + "\n")
	}
	return b.String(), nil
}

// ownNames is the host name, and its first label where it has a domain.
func ownNames(hostname string) string {
	if short, _, ok := strings.Cut(hostname, "."); ok && short != "" {
		return hostname + " " + short
	}
	return hostname
}

// linkLines are the hosts lines of a link: one per address of the target.
func linkLines(l Link, hostname, name string, addrs []netip.Addr) []string {
	names := []string{l.Alias}
	for _, n := range []string{hostname, name} {
		if n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	var out []string
	for _, a := range addrs {
		out = append(out, a.String()+"\t"+strings.Join(names, " "))
	}
	return out
}

// replaceLines puts the lines fresh in the place of old, and leaves whatever else the container wrote. What is not found
// is added at the end.
func replaceLines(content string, old, fresh []string) string {
	lines := strings.Split(strings.TrimSuffix(content, "\n"), "\n")
	at := len(lines)
	for i := len(lines) - 1; i >= 0; i-- {
		if slices.Contains(old, lines[i]) {
			lines, at = slices.Delete(lines, i, i+1), i
		}
	}
	return strings.Join(slices.Insert(lines, at, fresh...), "\n") + "\n"
}

// writeInPlace keeps the inode: containers see the file through a bind mount, which follows the inode and not the name.
func writeInPlace(path, content string) error {
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		return fmt.Errorf("write %s for the container: %w", filepath.Base(path), err)
	}
	return nil
}
