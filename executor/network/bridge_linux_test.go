package network

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/runfile/runfile/schema/value"
)

func publish(host string, hostPort, port uint16) value.PortMapping {
	p := value.PortMapping{HostFirst: hostPort, HostLast: hostPort, ContainerFirst: port, ContainerLast: port, Proto: "tcp"}
	if host != "" {
		p.HostIP = mustAddr(host)
	}
	return p
}

func ask(addr string) (string, error) {
	c, err := net.DialTimeout("tcp", addr, 2*time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	b, err := io.ReadAll(c)
	return string(b), err
}

func TestDefaultBridge(t *testing.T) {
	m := newHost(t, testConfig(t, "shop"))
	a := bridged(t, "web")
	a.Ports = []value.PortMapping{publish("", 8080, 80)}
	s := start(t, join(t, m, a))
	serve(t, s, 80)
	for _, addr := range []string{"127.0.0.1:8080", "[::1]:8080", s.eps[0].net.pools[0].Gateway().String() + ":8080", s.eps[0].ip.String() + ":80"} {
		if got, err := ask(addr); err != nil || !strings.HasPrefix(got, "web ") {
			t.Errorf("%s: %q, %v", addr, got, err)
		}
	}
	b, err := os.ReadFile(a.Dir + "/hosts")
	if err != nil || !strings.Contains(string(b), fmt.Sprintf("%s\tweb\n", s.eps[0].ip)) {
		t.Errorf("hosts: %s, %v", b, err)
	}
}

func BenchmarkFiftyEndpoints(b *testing.B) {
	m := newHost(b, testConfig(b, "bench"))
	if _, err := m.k.Survey("x"); err != nil {
		b.Fatal(err)
	}
	warm := join(b, m, bridged(b, "warm"))
	defer warm.Close(b.Context())
	for i := 0; b.Loop(); i++ {
		boxes := make([]*Sandbox, 50)
		done := make(chan error, len(boxes))
		sem := make(chan struct{}, 8)
		for k := range boxes {
			go func() {
				sem <- struct{}{}
				defer func() { <-sem }()
				a := bridged(b, fmt.Sprintf("c%d-%d", i, k))
				a.Ports = []value.PortMapping{publish("", uint16(20000+k), 80)}
				s, err := m.Join(b.Context(), a)
				if err == nil {
					boxes[k], err = s, s.Start(b.Context())
				}
				done <- err
			}()
		}
		for range boxes {
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		}
		b.StopTimer()
		for _, s := range boxes {
			if err := s.Close(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
	}
}
