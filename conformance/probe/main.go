//go:build linux

// Command probe runs inside test containers and shows what a shell cannot: memory use, signals received, the
// terminal's size, sockets of any kind, system calls that a filter denies.
package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var commands = map[string]struct {
	help string
	run  func(args []string) error
}{
	"ids":       {"print uid, gid, effective uid and groups", ids},
	"winsize":   {"print the terminal's columns and rows", winsize},
	"hog":       {"MIB: allocate and touch that much memory, then sleep", hog},
	"signals":   {"print each signal received; exit 42 on USR1, 7 on TERM, 9 on INT", signals},
	"serve":     {"ADDRESS TEXT: answer HTTP requests with TEXT", serve},
	"get":       {"URL: print the body of an HTTP answer", get},
	"udp-echo":  {"ADDRESS: send UDP datagrams back", udpEcho},
	"udp":       {"ADDRESS TEXT: send a datagram, print the answer", udp},
	"denied":    {"print which of a list of system calls fail with EPERM", denied},
	"chatter":   {"LINES BYTES: print that many lines of that length", chatter},
	"orphan":    {"leave a zombie child to PID 1, then sleep", orphan},
	"exit-late": {"DURATION CODE: sleep, then exit", exitLate},
}

func main() {
	name, args := "help", os.Args[1:]
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	c, ok := commands[name]
	if !ok {
		for n, c := range commands {
			fmt.Println(n, c.help)
		}
		return
	}
	if err := c.run(args); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func ids([]string) error {
	groups, err := os.Getgroups()
	fmt.Println(os.Getuid(), os.Getgid(), os.Geteuid(), groups)
	return err
}

func winsize([]string) error {
	ws, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ)
	if err != nil {
		return err
	}
	fmt.Println(ws.Col, ws.Row)
	return nil
}

func hog(args []string) error {
	mib, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	b := make([]byte, mib<<20)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	fmt.Println("holding", mib)
	time.Sleep(time.Hour)
	fmt.Println(b[0])
	return nil
}

func signals([]string) error {
	c := make(chan os.Signal, 16)
	signal.Notify(c)
	fmt.Println("ready")
	for s := range c {
		if s == syscall.SIGURG {
			continue // the Go runtime's own
		}
		fmt.Println("got", unix.SignalName(s.(syscall.Signal)))
		switch s {
		case syscall.SIGUSR1:
			os.Exit(42)
		case syscall.SIGTERM:
			os.Exit(7)
		case syscall.SIGINT:
			os.Exit(9)
		}
	}
	return nil
}

func serve(args []string) error {
	text := strings.Join(args[1:], " ")
	l, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	fmt.Println("listening")
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		fmt.Fprintln(w, strings.ReplaceAll(text, "{peer}", host))
	}))
}

func get(args []string) error {
	client := http.Client{Timeout: 3 * time.Second}
	resp, err := client.Get(args[0])
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = os.Stdout.ReadFrom(resp.Body)
	return err
}

func udpEcho(args []string) error {
	pc, err := net.ListenPacket("udp", args[0])
	if err != nil {
		return err
	}
	fmt.Println("listening")
	buf := make([]byte, 65536)
	for {
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			return err
		}
		if _, err := pc.WriteTo(buf[:n], from); err != nil {
			return err
		}
	}
}

func udp(args []string) error {
	c, err := net.Dial("udp", args[0])
	if err != nil {
		return err
	}
	if err := c.SetDeadline(time.Now().Add(3 * time.Second)); err != nil {
		return err
	}
	if _, err := c.Write([]byte(args[1])); err != nil {
		return err
	}
	buf := make([]byte, 65536)
	n, err := c.Read(buf)
	fmt.Println(string(buf[:n]))
	return err
}

func denied([]string) error {
	calls := []struct {
		name string
		call func() error
	}{
		{"unshare-userns", func() error { return unix.Unshare(unix.CLONE_NEWUSER) }},
		{"af-alg", func() error { _, err := unix.Socket(unix.AF_ALG, unix.SOCK_SEQPACKET, 0); return err }},
		{"af-vsock", func() error { _, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0); return err }},
		{"keyctl", func() error { _, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, false); return err }},
		{"mount", func() error { return unix.Mount("none", "/tmp", "tmpfs", 0, "") }},
		{"reboot", func() error { return unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF) }},
	}
	for _, c := range calls {
		err := c.call()
		fmt.Println(c.name, errors.Is(err, unix.EPERM))
	}
	return nil
}

func chatter(args []string) error {
	lines, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	size, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	pad := strings.Repeat("x", size)
	for i := range lines {
		fmt.Printf("%08d %s\n", i, pad)
	}
	return nil
}

func orphan([]string) error {
	// A grandchild whose parent ends at once becomes a child of PID 1, which has to reap it.
	p, err := os.StartProcess("/bin/sh", []string{"sh", "-c", "sleep 0.1 & exit 0"}, &os.ProcAttr{})
	if err != nil {
		return err
	}
	if _, err := p.Wait(); err != nil {
		return err
	}
	time.Sleep(time.Hour)
	return nil
}

func exitLate(args []string) error {
	d, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	time.Sleep(d)
	code, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	os.Exit(code)
	return nil
}
