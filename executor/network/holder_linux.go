package network

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// holder names who holds the port of h: a container of this project, else a process as far as /proc tells.
func (m *Manager) holder(h *hostSocket) string {
	if name := m.boundBy(h); name != "" {
		return fmt.Sprintf("container %q", name)
	}
	inodes := map[string]bool{}
	for _, suffix := range []string{"", "6"} {
		for _, e := range readSockets("/proc/thread-self/net/" + h.proto + suffix) {
			if e.addr.Port() == h.addr.Port() && meet(e.addr.Addr(), h.addr.Addr()) {
				inodes[e.inode] = true
			}
		}
	}
	if pid, ok := findSocket(inodes); ok {
		return processHolding(pid)
	}
	return "another program"
}

func (m *Manager) boundBy(h *hostSocket) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for k, name := range m.bound {
		if k.proto == h.proto && k.host.Port() == h.addr.Port() && meet(k.host.Addr(), h.addr.Addr()) {
			return name
		}
	}
	return ""
}

// meet reports whether sockets bound to two addresses exclude each other. A [::] socket may hold IPv4, too.
func meet(a, b netip.Addr) bool {
	a, b = a.Unmap(), b.Unmap()
	return a == b || a.IsUnspecified() || b.IsUnspecified()
}

type socketEntry struct {
	addr  netip.AddrPort
	inode string
}

// readSockets reads the bound sockets of a table below /proc/net. Only the calling thread's namespace is shown.
func readSockets(path string) []socketEntry {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	var out []socketEntry
	for sc := bufio.NewScanner(f); sc.Scan(); {
		fields := strings.Fields(sc.Text())
		// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode; state 0A is listening, 07 bound.
		if len(fields) < 10 || fields[3] != "0A" && fields[3] != "07" {
			continue
		}
		if addr, ok := parseProcAddr(fields[1]); ok {
			out = append(out, socketEntry{addr, fields[9]})
		}
	}
	return out
}

// parseProcAddr reads "0100007F:1F90": 32-bit words in the host's byte order (little-endian on everything we run on), and
// the port.
func parseProcAddr(s string) (netip.AddrPort, bool) {
	a, p, ok := strings.Cut(s, ":")
	b, err := hex.DecodeString(a)
	port, err2 := strconv.ParseUint(p, 16, 16)
	if !ok || err != nil || err2 != nil || len(b)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for w := range slices.Chunk(b, 4) {
		slices.Reverse(w)
	}
	addr, ok := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(addr, uint16(port)), ok
}

// findSocket looks for the process that has one of the sockets open.
func findSocket(inodes map[string]bool) (pid int, ok bool) {
	if len(inodes) == 0 {
		return 0, false
	}
	procs, err := os.ReadDir("/proc")
	if err != nil {
		return 0, false
	}
	for _, p := range procs {
		pid, err := strconv.Atoi(p.Name())
		if err != nil {
			continue
		}
		dir := filepath.Join("/proc", p.Name(), "fd")
		fds, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, fd := range fds {
			link, err := os.Readlink(filepath.Join(dir, fd.Name()))
			inode, isSocket := strings.CutPrefix(link, "socket:[")
			if err == nil && isSocket && inodes[strings.TrimSuffix(inode, "]")] {
				return pid, true
			}
		}
	}
	return 0, false
}

// processHolding names a process: the supervisor of another project by what it works for, since nobody has started that.
func processHolding(pid int) string {
	line := commandLine(pid)
	if words := strings.Fields(line); len(words) == 3 && filepath.Base(words[0]) == "runfile" && words[1] == "supervise" {
		return fmt.Sprintf("project %q (see: runfile ps --project-name %s)", words[2], words[2])
	}
	return fmt.Sprintf("process %d (%s)", pid, line)
}

// commandLine is what a process was started as, in one short line.
func commandLine(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return "?"
	}
	s := strings.Join(strings.FieldsFunc(string(b), func(r rune) bool { return r < ' ' }), " ")
	const limit = 80
	if len(s) > limit {
		s = s[:limit] + "..."
	}
	return s
}
