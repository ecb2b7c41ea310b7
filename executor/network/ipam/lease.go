package ipam

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Lease says who holds an address.
type Lease struct {
	Project   string `json:"project"`
	Network   string `json:"network"`
	Container string `json:"container"` // its id
	Name      string `json:"name"`
}

// ErrFull is what Take answers when no address is left.
var ErrFull = errors.New("no address is left")

// Pool hands out the addresses of one subnet. Safe for concurrent use, and across processes that share leaseDir.
type Pool struct {
	subnet   netip.Prefix
	gateway  netip.Addr
	leaseDir string // a file per address, named by it
	nameDir  string // a file per container name, holding its last address; "" = addresses are not remembered

	mu     sync.Mutex
	cursor netip.Addr            // last address handed out by search
	names  map[string]netip.Addr // the content of nameDir
	owners map[netip.Addr]string // names inverted
}

// Open returns the pool of subnet. The directories are made when first needed.
func Open(subnet netip.Prefix, gateway netip.Addr, leaseDir, nameDir string) (*Pool, error) {
	p := &Pool{
		subnet: subnet.Masked(), gateway: gateway, leaseDir: leaseDir, nameDir: nameDir, cursor: gateway,
		names: map[string]netip.Addr{}, owners: map[netip.Addr]string{},
	}
	if !p.subnet.Contains(p.cursor) {
		p.cursor = p.subnet.Addr()
	}
	if nameDir == "" {
		return p, nil
	}
	entries, err := os.ReadDir(nameDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the remembered addresses: %w", err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(nameDir, e.Name()))
		if err != nil {
			continue
		}
		name, _ := url.PathUnescape(e.Name())
		if a, err := netip.ParseAddr(strings.TrimSpace(string(b))); err == nil && subnet.Contains(a) {
			p.names[name], p.owners[a] = a, name
		}
	}
	return p, nil
}

// Subnet returns the subnet of the pool.
func (p *Pool) Subnet() netip.Prefix { return p.subnet }

// Gateway returns the address of the bridge.
func (p *Pool) Gateway() netip.Addr { return p.gateway }

// Take leases want, or where want is invalid the address that l.Name had before, or the next free one. Addresses that
// other names had before are given away last, and a freed one not at once: neighbours may still have it in their caches.
func (p *Pool) Take(l Lease, want netip.Addr) (netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := os.MkdirAll(p.leaseDir, 0o700); err != nil {
		return netip.Addr{}, fmt.Errorf("make the lease directory: %w", err)
	}
	if want.IsValid() {
		if err := p.check(want); err != nil {
			return netip.Addr{}, err
		}
		if err := p.claim(want, l); err != nil {
			return netip.Addr{}, err
		}
		return want, p.remember(l.Name, want)
	}
	if a, ok := p.names[l.Name]; ok && a != p.gateway && p.claim(a, l) == nil {
		return a, nil
	}
	for _, spareRemembered := range []bool{true, false} {
		a, err := p.search(l, spareRemembered)
		if err == nil {
			return a, p.remember(l.Name, a)
		}
		if !errors.Is(err, ErrFull) {
			return netip.Addr{}, err
		}
	}
	return netip.Addr{}, fmt.Errorf("%w in subnet %s", ErrFull, p.subnet)
}

// search goes once around the subnet, from behind the cursor.
func (p *Pool) search(l Lease, spareRemembered bool) (netip.Addr, error) {
	start := p.cursor
	a := start
	for {
		if a = a.Next(); !p.subnet.Contains(a) {
			a = p.subnet.Addr()
		}
		if name, ok := p.owners[a]; p.check(a) == nil && (!ok || name == l.Name || !spareRemembered) {
			err := p.claim(a, l)
			if err == nil {
				p.cursor = a
				return a, nil
			}
			var held *HeldError
			if !errors.As(err, &held) {
				return netip.Addr{}, err
			}
		}
		if a == start {
			return netip.Addr{}, ErrFull
		}
	}
}

// check says why a cannot be a container's address at all.
func (p *Pool) check(a netip.Addr) error {
	switch {
	case !p.subnet.Contains(a):
		return fmt.Errorf("address %s is not inside subnet %s", a, p.subnet)
	case a == p.gateway:
		return fmt.Errorf("address %s is the gateway of subnet %s", a, p.subnet)
	case a == p.subnet.Addr():
		return fmt.Errorf("address %s is the network address of subnet %s", a, p.subnet)
	case a.Is4() && a == lastAddr(p.subnet):
		return fmt.Errorf("address %s is the broadcast address of subnet %s", a, p.subnet)
	}
	return nil
}

func lastAddr(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// HeldError says that an address is leased.
type HeldError struct {
	Addr netip.Addr
	By   Lease
}

// Error implements error.
func (e *HeldError) Error() string {
	if e.By.Container == "" {
		return fmt.Sprintf("address %s is in use", e.Addr)
	}
	return fmt.Sprintf("address %s is in use by container %q of project %q", e.Addr, e.By.Name, e.By.Project)
}

// claim creates the lease file of a. A lease that the same container holds already is no conflict, so that a successor
// can adopt it.
func (p *Pool) claim(a netip.Addr, l Lease) error {
	path := p.path(a)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		held := readLease(path)
		if held.Container != "" && held.Container == l.Container {
			return nil
		}
		return &HeldError{Addr: a, By: held}
	}
	if err != nil {
		return fmt.Errorf("lease address %s: %w", a, err)
	}
	b, err := json.Marshal(l)
	if err == nil {
		_, err = f.Write(b)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("lease address %s: %w", a, err), os.Remove(path))
	}
	return nil
}

func (p *Pool) path(a netip.Addr) string { return filepath.Join(p.leaseDir, a.String()) }

func readLease(path string) Lease {
	var l Lease
	if b, err := os.ReadFile(path); err == nil {
		_ = json.Unmarshal(b, &l) // a torn file is a lease of nobody known; Sweep removes it
	}
	return l
}

// remember notes the address for the next Take of the same name. The file is replaced, not rewritten: a crash leaves the
// old or the new address.
func (p *Pool) remember(name string, a netip.Addr) error {
	if p.names[name] == a || p.nameDir == "" {
		return nil
	}
	if other, ok := p.owners[a]; ok && other != name {
		p.forget(other)
	}
	delete(p.owners, p.names[name])
	p.names[name], p.owners[a] = a, name
	if err := os.MkdirAll(p.nameDir, 0o700); err != nil {
		return fmt.Errorf("remember address %s: %w", a, err)
	}
	path := p.namePath(name)
	tmp := filepath.Join(p.nameDir, ".new-"+url.PathEscape(name))
	if err := os.WriteFile(tmp, []byte(a.String()+"\n"), 0o600); err != nil {
		return fmt.Errorf("remember address %s: %w", a, err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("remember address %s: %w", a, err)
	}
	return nil
}

func (p *Pool) namePath(name string) string { return filepath.Join(p.nameDir, url.PathEscape(name)) }

// Forget drops the remembered address of a container that will not come back.
func (p *Pool) Forget(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(name)
}

func (p *Pool) forget(name string) {
	a, ok := p.names[name]
	if !ok {
		return
	}
	delete(p.names, name)
	delete(p.owners, a)
	_ = os.Remove(p.namePath(name)) // at worst an address stays reserved until the pool runs short
}

// Release ends a lease. An address that is not leased is no error.
func (p *Pool) Release(a netip.Addr) error {
	err := os.Remove(p.path(a))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("release address %s: %w", a, err)
	}
	return nil
}

// List returns the leases.
func (p *Pool) List() (map[netip.Addr]Lease, error) {
	entries, err := os.ReadDir(p.leaseDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list leases: %w", err)
	}
	out := map[netip.Addr]Lease{}
	for _, e := range entries {
		if a, err := netip.ParseAddr(e.Name()); err == nil && p.subnet.Contains(a) {
			out[a] = readLease(filepath.Join(p.leaseDir, e.Name()))
		}
	}
	return out, nil
}
