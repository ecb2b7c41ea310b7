package network

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// resolvConf is the content of a resolv.conf(5).
type resolvConf struct {
	Servers, Search, Options []string
}

func parseResolvConf(b []byte) resolvConf {
	var r resolvConf
	for line := range bytes.Lines(b) {
		f := strings.Fields(string(line))
		if len(f) < 2 {
			continue
		}
		switch f[0] {
		case "nameserver":
			r.Servers = append(r.Servers, f[1])
		case "search", "domain":
			r.Search = f[1:] // the last one wins
		case "options":
			r.Options = append(r.Options, f[1:]...)
		}
	}
	return r
}

// String prints the file; a search list of "." means none.
func (r resolvConf) String() string {
	var b strings.Builder
	for _, s := range r.Servers {
		fmt.Fprintf(&b, "nameserver %s\n", s)
	}
	if search := slices.DeleteFunc(slices.Clone(r.Search), func(s string) bool { return s == "." }); len(search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(search, " "))
	}
	if len(r.Options) > 0 {
		fmt.Fprintf(&b, "options %s\n", strings.Join(r.Options, " "))
	}
	return b.String()
}

// ndots reports whether an option says from how many dots on a name is tried as it stands.
func (r resolvConf) ndots() bool {
	return slices.ContainsFunc(r.Options, func(o string) bool {
		n, ok := strings.CutPrefix(o, "ndots:")
		if !ok {
			return false
		}
		v, err := strconv.Atoi(n)
		return err == nil && v >= 0
	})
}

// Where the host's resolvers stand. With systemd-resolved the first file names only a loopback address, and the second
// has the servers behind it.
const (
	hostResolvConf     = "/etc/resolv.conf"
	resolvedResolvConf = "/run/systemd/resolve/resolv.conf"
)

func readResolvConf(path string) (resolvConf, error) {
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return resolvConf{}, fmt.Errorf("read the host's resolver settings: %w", err)
	}
	return parseResolvConf(b), nil
}

func isLoopback(server string) bool {
	a, err := netip.ParseAddr(server)
	return err != nil || a.Unmap().IsLoopback()
}

// hostServers reads the host's settings as a container can use them: a loopback address would be the container's own.
func hostServers(main, resolved string, ipv6 bool) (resolvConf, error) {
	r, err := readResolvConf(main)
	if err != nil {
		return r, err
	}
	if len(r.Servers) > 0 && !slices.ContainsFunc(r.Servers, func(s string) bool { return !isLoopback(s) }) {
		if behind, err := readResolvConf(resolved); err == nil && len(behind.Servers) > 0 {
			r.Servers = behind.Servers
		}
	}
	r.Servers = slices.DeleteFunc(r.Servers, func(s string) bool {
		a, err := netip.ParseAddr(s)
		return err != nil || isLoopback(s) || a.Is6() && !ipv6
	})
	return r, nil
}

// override puts what the container asked for in the place of the host's.
func (r resolvConf) override(a *Attach) resolvConf {
	if len(a.DNS) > 0 {
		r.Servers = a.DNS
	}
	if len(a.DNSSearch) > 0 {
		r.Search = a.DNSSearch
	}
	if len(a.DNSOptions) > 0 {
		r.Options = a.DNSOptions
	}
	return r
}
