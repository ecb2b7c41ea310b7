package format

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/runfile/runfile/executor"
	"github.com/runfile/runfile/executor/engine"
	"github.com/runfile/runfile/executor/proc"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func opt[T any](v T) schema.Opt[T] { return schema.Opt[T]{Value: v, Set: true} }

// web is a healthy service with two ports, one of them published twice.
func web() *executor.Record {
	return &executor.Record{
		ID: strings.Repeat("ab", 32), Key: "web", Name: "shop-web", Project: "shop", State: executor.Running,
		CreatedAt: now.Add(-10 * time.Minute), StartedAt: now.Add(-3 * time.Minute), RestartCount: 2,
		Health: &executor.Health{Status: "healthy"},
		Spec: &schema.Container{
			Key: "web", Image: schema.Image{Ref: opt(value.ImageRef{Text: "nginx:1"})},
			Lifecycle: schema.Lifecycle{Restart: opt(value.RestartPolicy{Name: "always"})},
			Resources: schema.Resources{Memory: opt(int64(64 << 20)), NanoCPUs: opt(int64(500_000_000))},
			Network: schema.Network{Publish: schema.Items[value.PortMapping]{{Value: value.PortMapping{
				HostFirst: 8080, HostLast: 8080, ContainerFirst: 80, ContainerLast: 80, Proto: "tcp",
			}}}},
			Mounts: schema.Mounts{Volumes: schema.Items[value.Mount]{
				{Value: value.Mount{Type: value.Bind, Source: "/srv", Target: "/data", ReadOnly: true}},
			}},
		},
		Effective: &schema.Effective{
			Args: []string{"nginx", "-g", "daemon off; and something long"}, Entrypoint: []string{"nginx"},
			Env: []string{"A=1"}, ImageID: "sha256:1234", ImageName: "nginx:1", Workdir: "/",
			Labels: map[string]string{"team": "shop", "a": "b"}, StopSignal: value.Signal{Number: 15, Name: "SIGTERM"},
			Expose: []value.PortRange{{First: 80, Last: 80, Proto: "tcp"}, {First: 443, Last: 443, Proto: "tcp"}},
		},
		Status: engine.Status{
			ID: proc.ID{PID: 4711}, Ports: []engine.Binding{
				{HostIP: netip.MustParseAddr("0.0.0.0"), HostPort: 8080, ContainerPort: 80, Proto: "tcp"},
				{HostIP: netip.MustParseAddr("::"), HostPort: 8080, ContainerPort: 80, Proto: "tcp"},
			},
			Networks: []engine.Endpoint{{
				Network: "back", IP: netip.MustParseAddr("10.1.0.2"), Prefix: 24, Gateway: netip.MustParseAddr("10.1.0.1"),
				MAC: "02:42:0a:01:00:02", Aliases: []string{"web"},
			}},
			Mounts: []engine.Mount{{Type: "bind", Source: "/srv", Destination: "/data", ReadOnly: true}},
		},
	}
}

// job ended with status 3.
func job() *executor.Record {
	return &executor.Record{
		ID: strings.Repeat("cd", 32), Key: "test", Name: "test", Project: "shop", State: executor.Exited,
		CreatedAt: now.Add(-time.Hour), StartedAt: now.Add(-2 * time.Minute), FinishedAt: now.Add(-90 * time.Second),
		Exit: &engine.Exit{Code: 3}, Spec: &schema.Container{Key: "test", Image: schema.Image{Ref: opt(value.ImageRef{Text: "busybox"})}},
		Status: engine.Status{Ports: web().Status.Ports}, // of the last run
	}
}

func TestTable(t *testing.T) {
	rows := []Container{NewContainer(web(), now, false), NewContainer(job(), now, false)}
	var out bytes.Buffer
	if err := List(&out, "", ContainerColumns, ContainerHeaders(), rows); err != nil {
		t.Fatal(err)
	}
	want := `
NAME       ROLE      STATE                 AGE   PORTS                                                   IMAGE
shop-web   service   healthy, 2 restarts   3m    0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 443/tcp   nginx:1
test       job       exit 3                1m                                                            busybox
`
	if got := fields(out.String()); got != fields(want) {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// fields makes tables comparable whatever their column widths.
func fields(s string) string {
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(s), "\n") {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(lines, "\n")
}

func TestTemplates(t *testing.T) {
	row := NewContainer(web(), now, false)
	tests := []struct{ format, want string }{
		{"{{.ID}} {{.Names}} {{.Image}}", "abababababab shop-web nginx:1\n"},
		{"{{.Status}}", "Up 3 minutes (healthy)\n"},
		{"{{.RunningFor}}", "10 minutes ago\n"},
		{"{{.Command}}", "\"nginx -g daemon off…\"\n"},
		{`{{.Labels}} {{.Label "team"}}`, "a=b,team=shop shop\n"},
		{"{{.State}} {{.Networks}} {{.Mounts}}", "running back /srv\n"},
		{`table {{.Names}}\t{{.Label "team"}}`, "NAME       team\nshop-web   shop\n"},
		{"{{upper .Names}} {{title .State}} {{truncate .Image 2}}", "SHOP-WEB Running ng\n"},
		{`{{join (split .Names "-") "+"}} [{{pad .Key 1 2}}]`, "shop+web [ web  ]\n"},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		if err := List(&out, tt.format, ContainerColumns, ContainerHeaders(), []Container{row}); err != nil {
			t.Errorf("%s: %v", tt.format, err)
		} else if out.String() != tt.want {
			t.Errorf("%s: got %q, want %q", tt.format, out.String(), tt.want)
		}
	}
	if err := List(&bytes.Buffer{}, "{{.Nope}}", "", nil, []Container{row}); err == nil || err.Error() != "--format: 1:2: <.Nope>: there is no field Nope" {
		t.Errorf("an unknown field: %v", err)
	}
	for _, bad := range []string{"{{.Nope}}", "{{", "{{nofunc .ID}}"} {
		err := List(&bytes.Buffer{}, bad, ContainerColumns, ContainerHeaders(), []Container{row})
		if err == nil || !strings.HasPrefix(err.Error(), "--format: ") {
			t.Errorf("%s: error %v", bad, err)
		}
	}
}

func TestJSONRowsHaveDockersFields(t *testing.T) {
	var out bytes.Buffer
	rows := []Container{NewContainer(web(), now, true), NewContainer(job(), now, true)}
	if err := List(&out, "json", ContainerColumns, ContainerHeaders(), rows); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("want one line a row, got %q", out.String())
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatal(err)
	}
	if got["ID"] != web().ID || got["Names"] != "shop-web" || got["Ports"] == "" {
		t.Errorf("got %v", got)
	}
}

func TestYAML(t *testing.T) {
	var out bytes.Buffer
	err := YAML(&out, []struct{ Name, Version string }{{"a", "1.10"}, {"b: c", "true"}})
	if err != nil {
		t.Fatal(err)
	}
	want := "- Name: a\n  Version: \"1.10\"\n- Name: 'b: c'\n  Version: \"true\"\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestStates(t *testing.T) {
	tests := []struct {
		name           string
		change         func(*executor.Record)
		detail, status string
	}{
		{"running", func(r *executor.Record) { r.Health, r.RestartCount = nil, 0 }, "running", "Up 3 minutes"},
		{"ready", func(r *executor.Record) { r.Health, r.RestartCount, r.Ready = nil, 1, true }, "ready, 1 restart", "Up 3 minutes"},
		{"starting", func(r *executor.Record) { r.Health.Status = "starting" }, "health starting, 2 restarts", "Up 3 minutes (health: starting)"},
		{"killed", func(r *executor.Record) {
			r.State, r.FinishedAt, r.Exit, r.RestartCount = executor.Exited, now.Add(-time.Minute), &engine.Exit{Code: 137, OOMKilled: true}, 0
		}, "exit 137, out of memory", "Exited (137) About a minute ago"},
		{"lost", func(r *executor.Record) {
			r.State, r.FinishedAt, r.Exit, r.RestartCount = executor.Exited, now.Add(-time.Hour), &engine.Exit{Unknown: true}, 0
		}, "exit unknown", "Exited (unknown) About an hour ago"},
		{"restarting", func(r *executor.Record) {
			r.State, r.FinishedAt, r.Exit = executor.Restarting, now.Add(-5*time.Second), &engine.Exit{Code: 1}
		}, "restarting, 2 restarts", "Restarting (1) 5 seconds ago"},
		{"not started", func(r *executor.Record) {
			r.State, r.Error, r.RestartCount = executor.Created, "no such command", 0
		}, "failed to start", "Created"},
	}
	for _, tt := range tests {
		r := web()
		tt.change(r)
		row := NewContainer(r, now, false)
		if row.Detail != tt.detail || row.Status != tt.status {
			t.Errorf("%s: %q %q, want %q %q", tt.name, row.Detail, row.Status, tt.detail, tt.status)
		}
	}
}

func TestInspectUsesDockersNames(t *testing.T) {
	tests := []struct{ format, want string }{
		{"{{.Id}}", web().ID},
		{"{{.ID}}", web().ID}, // docker falls back to the JSON names
		{"{{.Name}} {{.Path}} {{len .Args}}", "/shop-web nginx 2"},
		{"{{.State.Status}} {{.State.Running}} {{.State.Pid}} {{.State.Health.Status}}", "running true 4711 healthy"},
		{"{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}", "67108864 500000000"},
		{"{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.NetworkMode}} {{.HostConfig.Binds}}", "always bridge [/srv:/data:ro]"},
		{`{{(index .HostConfig.PortBindings "80/tcp" 0).HostPort}}`, "8080"},
		{`{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}`, "8080"},
		{"{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}}{{end}}", "10.1.0.2 10.1.0.1"},
		{"{{json .Config.ExposedPorts}}", `{"443/tcp":{},"80/tcp":{}}`},
		{"{{.Config.Image}} {{index .Config.Labels \"team\"}} {{.Config.StopSignal}}", "nginx:1 shop SIGTERM"},
		{"{{range .Mounts}}{{.Source}} {{.RW}}{{end}}", "/srv false"},
		{"{{.RestartCount}} {{.LogPath}}", "2 "},
	}
	in := NewInspect(web())
	for _, tt := range tests {
		var out bytes.Buffer
		if err := One(&out, tt.format, in); err != nil {
			t.Errorf("%s: %v", tt.format, err)
		} else if got := strings.TrimSuffix(out.String(), "\n"); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.format, got, tt.want)
		}
	}
	if err := One(&bytes.Buffer{}, "{{.Nope.Nope}}", in); err == nil {
		t.Error("an unknown field is no error")
	}
}

func TestInspectOfEndedContainer(t *testing.T) {
	in := NewInspect(job())
	if in.State.ExitCode != 3 || in.State.Running || in.State.Pid != 0 || len(in.NetworkSettings.Ports) != 0 {
		t.Errorf("got %+v, ports %v", in.State, in.NetworkSettings.Ports)
	}
	if in.State.FinishedAt != "2026-11-23T11:58:30Z" {
		t.Errorf("finished %s", in.State.FinishedAt)
	}
}

func TestHostPortRange(t *testing.T) {
	c := &schema.Container{}
	c.Network.Publish = schema.Items[value.PortMapping]{
		{Value: value.PortMapping{HostFirst: 1000, HostLast: 1001, ContainerFirst: 80, ContainerLast: 81, Proto: "tcp"}},
		{Value: value.PortMapping{HostFirst: 2000, HostLast: 2009, ContainerFirst: 90, ContainerLast: 90, Proto: "udp"}},
		{Value: value.PortMapping{ContainerFirst: 99, ContainerLast: 99, Proto: "tcp"}},
	}
	got, err := json.Marshal(portBindings(c))
	want := `{"80/tcp":[{"HostIp":"","HostPort":"1000"}],"81/tcp":[{"HostIp":"","HostPort":"1001"}],` +
		`"90/udp":[{"HostIp":"","HostPort":"2000-2009"}],"99/tcp":[{"HostIp":"","HostPort":""}]}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestPortRanges: ports that follow each other are shown as one range, as docker does; a published range is not listed
// again as exposed.
func TestPortRanges(t *testing.T) {
	r := &executor.Record{State: executor.Running, Effective: &schema.Effective{Expose: []value.PortRange{
		{First: 20000, Last: 20999, Proto: "tcp"}, {First: 53, Last: 54, Proto: "udp"},
	}}}
	for p := uint16(20000); p < 21000; p++ {
		for _, ip := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
			r.Status.Ports = append(r.Status.Ports, engine.Binding{HostIP: ip, HostPort: p + 1, ContainerPort: p, Proto: "tcp"})
		}
	}
	r.Status.Ports = append(r.Status.Ports, engine.Binding{HostIP: netip.IPv4Unspecified(), HostPort: 9, ContainerPort: 53, Proto: "udp"})
	want := "0.0.0.0:9->53/udp, 0.0.0.0:20001-21000->20000-20999/tcp, [::]:20001-21000->20000-20999/tcp, 53-54/udp"
	if got := ports(r); got != want {
		t.Errorf("got %.300s\nwant %s", got, want)
	}
}
