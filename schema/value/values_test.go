package value

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func must[T any](t *testing.T, p Parser[T], text string) T {
	t.Helper()
	v, err := p.Parse(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return v
}

func TestMeaning(t *testing.T) {
	ip := netip.MustParseAddr
	checks := []struct {
		got, want any
	}{
		{must(t, PublishSyntax(), "127.0.0.1:8000-8010:80/udp"), PortMapping{HostIP: ip("127.0.0.1"), HostFirst: 8000, HostLast: 8010, ContainerFirst: 80, ContainerLast: 80, Proto: "udp"}},
		{must(t, PublishSyntax(), "1.2.3.4::10.0.0.9:80"), PortMapping{HostIP: ip("1.2.3.4"), ContainerIP: ip("10.0.0.9"), ContainerFirst: 80, ContainerLast: 80, Proto: "tcp"}},
		{must(t, VolumeSyntax(), "/h:/c:ro,Z,rslave"), Mount{Type: Bind, Source: "/h", Target: "/c", ReadOnly: true, Relabel: "Z", Propagation: "rslave"}},
		{must(t, VolumeSyntax(), "data:/c:nocopy"), Mount{Type: Volume, Source: "data", Target: "/c", NoCopy: true}},
		{must(t, VolumeSyntax(), "/c"), Mount{Type: Volume, Target: "/c"}},
		{must(t, UlimitSyntax(), "nofile=5:-1"), Ulimit{"nofile", 5, -1}},
		{must(t, RestartSyntax(), "on-failure:3"), RestartPolicy{"on-failure", 3}},
		{must(t, SignalSyntax(), "rtmin+3"), Signal{37, "SIGRTMIN+3"}},
		{must(t, UserSyntax(), ":5"), User{"", "5"}},
		{must(t, CPUs(), "1.5"), int64(1_500_000_000)},
		{must(t, CapabilitySyntax(), "net_admin"), "CAP_NET_ADMIN"},
		{must(t, NamespaceSyntax(true, "host"), "container:db"), NamespaceMode{"container", "db"}},
		{must(t, ImageSyntax(), "busybox"), ImageRef{Name: "docker.io/library/busybox:latest", Text: "busybox"}},
		{must(t, ImageSyntax(), "oci-archive:a.tar:v1"), ImageRef{Scheme: "oci-archive", Path: "a.tar", Name: "v1", Text: "oci-archive:a.tar:v1"}},
		{must(t, HealthDuration(), "1m30s"), 90 * time.Second},
		{must(t, DeviceSyntax(), "/dev/a:rw"), Device{"/dev/a", "/dev/a", "rw"}},
		{must(t, EnvSyntax(), "A"), KeyValue{Key: "A"}},
		{must(t, LabelSyntax(), "A"), KeyValue{Key: "A", HasValue: true}},
	}
	for _, c := range checks {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("got  %+v\nwant %+v", c.got, c.want)
		}
	}
}

func field(pairs ...string) []Field {
	var out []Field
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, Field{Name: pairs[i], Text: pairs[i+1]})
	}
	return out
}

func TestMapForms(t *testing.T) {
	tests := []struct {
		name    string
		parse   func() (any, error)
		want    any
		problem string
	}{
		{
			"publish", func() (any, error) {
				return PublishSyntax().Fields(field("host-ip", "::1", "host-port", "90-91", "container-port", "80-81", "protocol", "UDP"))
			},
			PortMapping{HostIP: netip.MustParseAddr("::1"), HostFirst: 90, HostLast: 91, ContainerFirst: 80, ContainerLast: 81, Proto: "udp"},
			"",
		},
		{"publish without port", func() (any, error) { return PublishSyntax().Fields(field("host-port", "1")) }, nil, "container-port is missing"},
		{"publish twice", func() (any, error) { return PublishSyntax().Fields(field("host-port", "1", "host-port", "2")) }, nil, "takes one value"},
		{
			"volume", func() (any, error) {
				return VolumeSyntax().Fields(field("type", "bind", "source", "/a:b", "target", "/c", "read-only", "true"))
			},
			Mount{Type: Bind, Source: "/a:b", Target: "/c", ReadOnly: true},
			"",
		},
		{"volume of the wrong type", func() (any, error) { return VolumeSyntax().Fields(field("type", "tmpfs", "target", "/c")) }, nil, `"tmpfs" is not a type`},
		{"volume propagation", func() (any, error) {
			return VolumeSyntax().Fields(field("source", "/a", "target", "/c", "propagation", "x"))
		}, nil, `"x" is not a propagation`},
		{
			"device", func() (any, error) { return DeviceSyntax().Fields(field("source", "/dev/a:b", "permissions", "r")) },
			Device{"/dev/a:b", "/dev/a:b", "r"},
			"",
		},
		{"ulimit", func() (any, error) { return UlimitSyntax().Fields(field("type", "nofile", "soft", "5", "hard", "6")) }, Ulimit{"nofile", 5, 6}, ""},
		{"pipe that is read-only", func() (any, error) {
			return WindowsVolumeSyntax().Fields(field("source", `\\.\pipe\x`, "target", `\\.\pipe\y`, "read-only", "true"))
		}, nil, "a pipe cannot be read-only"},
		{"mount with docker's older word", func() (any, error) {
			return MountSyntax().Fields(field("type", "bind", "source", "/a", "target", "/b", "bind-nonrecursive", "true"))
		}, MountSpec{Type: Bind, Source: "/a", Target: "/b", Recursive: "disabled"}, ""},
		{"ulimit without soft", func() (any, error) { return UlimitSyntax().Fields(field("type", "nofile", "hard", "6")) }, nil, "soft limit is missing"},
		{
			"network", func() (any, error) {
				return NetworkSyntax().Fields(field("name", "back", "alias", "a", "alias", "b", "gw-priority", "7"))
			},
			Network{Mode: NetworkUser, Name: "back", Aliases: []string{"a", "b"}, GWPriority: 7},
			"",
		},
		{"probe tcp", func() (any, error) { return ProbeSyntax().Fields(field("tcp", "80", "interval", "2s")) }, Probe{TCP: 80, Interval: 2 * time.Second}, ""},
		{"probe http", func() (any, error) { return ProbeSyntax().Fields(field("http", ":80/x")) }, Probe{HTTP: ":80/x"}, ""},
		{"probe http without port", func() (any, error) { return ProbeSyntax().Fields(field("http", "/x")) }, nil, "not PORT/PATH"},
		{"probe log", func() (any, error) { return ProbeSyntax().Fields(field("log", "ready (")) }, nil, "not a regular expression"},
		{"probe exec text", func() (any, error) { return ProbeSyntax().Fields(field("exec", "test -f 'a b'")) }, Probe{Exec: []string{"test", "-f", "a b"}}, ""},
		{"probe exec list", func() (any, error) {
			return ProbeSyntax().Fields([]Field{{Name: "exec", Text: "a b", InList: true}})
		}, Probe{Exec: []string{"a b"}}, ""},
		{"probe nothing", func() (any, error) { return ProbeSyntax().Fields(field("timeout", "1s")) }, nil, "nothing to probe"},
		{"probe both", func() (any, error) { return ProbeSyntax().Fields(field("tcp", "1", "log", "x")) }, nil, "exclude each other"},
		{"probe unknown", func() (any, error) { return ProbeSyntax().Fields(field("tcp", "1", "intervall", "1s")) }, nil, `no key "intervall"`},
		{"probe null", func() (any, error) { return ProbeSyntax().Fields([]Field{{Name: "tcp", Null: true}}) }, nil, "tcp has no value"},
		{"dependency", func() (any, error) {
			return DependencySyntax().Fields(field("container", "db", "condition", "healthy"))
		}, Dependency{"db", Healthy}, ""},
		{"dependency later", func() (any, error) {
			return DependencySyntax().Fields(field("container", "db", "restart", "true"))
		}, nil, "does not honour restart"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.parse()
			switch {
			case tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)):
				t.Errorf("got %v, %v; want %s", got, err, tt.problem)
			case tt.problem == "" && (err != nil || !reflect.DeepEqual(got, tt.want)):
				t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

// TestProbeFormat demands that a written probe reads the same.
func TestProbeFormat(t *testing.T) {
	for _, p := range []Probe{
		{TCP: 5432, Timeout: time.Minute}, {HTTP: ":80/x", Interval: time.Second}, {Log: "a|b c"}, {Exec: []string{"x y"}}, {Exec: []string{"a", "b"}},
	} {
		got, err := ProbeSyntax().Fields(formatProbeFields(p))
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("got %+v, %v; want %+v", got, err, p)
		}
	}
}

func TestSplitCommand(t *testing.T) {
	tests := []struct {
		in   string
		want []string
		bad  bool
	}{
		{`echo hi`, []string{"echo", "hi"}, false},
		{`sh -c "echo 'a b' | wc"`, []string{"sh", "-c", "echo 'a b' | wc"}, false},
		{`echo 'a  b' c\ d ""`, []string{"echo", "a  b", "c d", ""}, false},
		{`echo $HOME`, []string{"echo", "$HOME"}, false},
		{"echo `date`", []string{"echo", "`date`"}, false},
		{`a | b`, nil, true},
		{`a; b`, nil, true},
		{`a > f`, nil, true},
		{`a && b`, nil, true},
		{`echo 'a`, nil, true},
		{`echo )`, nil, true},
	}
	for _, tt := range tests {
		got, err := SplitCommand(tt.in)
		if (err != nil) != tt.bad || !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, %v", tt.in, got, err)
		}
	}
}

func TestReadEnvFile(t *testing.T) {
	lookup := func(name string) (string, bool) { return "from outside", name == "KNOWN" }
	tests := []struct {
		name, in string
		want     []KeyValue
		problem  string
		line     int
		column   int
	}{
		{"plain", "A=1\nB=2\n", []KeyValue{{"A", "1", true, false}, {"B", "2", true, false}}, "", 0, 0},
		{"no line end", "A=1", []KeyValue{{"A", "1", true, false}}, "", 0, 0},
		{"byte order mark", "\xef\xbb\xbfA=1\n", []KeyValue{{"A", "1", true, false}}, "", 0, 0},
		{"crlf", "A=1\r\nB=\r\n", []KeyValue{{"A", "1", true, false}, {"B", "", true, false}}, "", 0, 0},
		{"quotes belong to the value", `A="x y"` + "\n", []KeyValue{{"A", `"x y"`, true, false}}, "", 0, 0},
		{"trailing blank stays", "A=1 \n", []KeyValue{{"A", "1 ", true, false}}, "", 0, 0},
		{"leading blank goes", "  \tA=1\n\u00a0B=2\n", []KeyValue{{"A", "1", true, false}, {"B", "2", true, false}}, "", 0, 0},
		{"comments", "# x\n  # y\n\nA=#z\n", []KeyValue{{"A", "#z", true, false}}, "", 0, 0},
		{"inherited", "KNOWN\nOTHER\n", []KeyValue{{"KNOWN", "from outside", true, true}}, "", 0, 0},
		{"nothing is expanded", "A=$HOME${X}\n", []KeyValue{{"A", "$HOME${X}", true, false}}, "", 0, 0},
		{"space in the name", "A=1\n  B C=2\n", []KeyValue{{"A", "1", true, false}}, "holds a space", 2, 3},
		{"export", "export A=1\n", nil, "holds a space", 1, 1},
		{"no name", "=1\n", nil, "without a name", 1, 1},
		{"not text", "A=\xff\nB=1\n", []KeyValue{{"B", "1", true, false}}, "not UTF-8", 1, 1},
		{"long", "A=" + strings.Repeat("x", 70000) + "\n", nil, "longer than 64 KiB", 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadEnvFile(strings.NewReader(tt.in), lookup)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			var at *FileError
			if tt.problem == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.As(err, &at) || !strings.Contains(err.Error(), tt.problem) || at.Line != tt.line || at.Column != tt.column {
				t.Errorf("got %v at %+v", err, at)
			}
		})
	}
}

func FuzzReadEnvFile(f *testing.F) {
	f.Add([]byte("\xef\xbb\xbfA=1\r\nB\n#c\n =\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		kvs, _ := ReadEnvFile(strings.NewReader(string(data)), func(string) (string, bool) { return "", false })
		for _, kv := range kvs {
			if kv.Key == "" || strings.ContainsAny(kv.Key, " \t=\n") || !kv.HasValue {
				t.Errorf("%+v", kv)
			}
		}
	})
}

func FuzzSplitCommand(f *testing.F) {
	f.Add(`sh -c "echo 'a b' | wc"`)
	f.Add(`a\ b ""`)
	f.Fuzz(func(_ *testing.T, s string) { _, _ = SplitCommand(s) })
}

func FuzzSeccompProfile(f *testing.F) {
	f.Add([]byte(`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := SeccompProfile(data)
		if err != nil {
			return
		}
		if again, err := SeccompProfile([]byte(out)); err != nil || again != out {
			t.Errorf("%q is not stable: %q, %v", out, again, err)
		}
	})
}

func TestSeccompProfile(t *testing.T) {
	tests := []struct{ in, problem string }{
		{`{ "defaultAction": "SCMP_ACT_ALLOW" }`, ""},
		{`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]}`, ""},
		{`{"defaultAction":"FOO"}`, "FOO"},
		{`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["x"],"action":"BAR"}]}`, "entry 1"},
		{`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"action":"SCMP_ACT_LOG"}]}`, "needs names"},
		{`not json`, "JSON"},
	}
	for _, tt := range tests {
		out, err := SeccompProfile([]byte(tt.in))
		if tt.problem == "" && (err != nil || strings.Contains(out, " ")) || tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)) {
			t.Errorf("%s: %q, %v", tt.in, out, err)
		}
	}
}

func TestCheckLogOption(t *testing.T) {
	tests := []struct {
		driver, option, problem string
	}{
		{"json-file", "max-size=10m", ""},
		{"json-file", "max-size=-1", "is not a size"},
		{"json-file", "max-size=1.5k", ""},
		{"json-file", "max-size=0", "is not a size"},
		{"json-file", "max-size=foo", "is not a size"},
		{"json-file", "max-file=3", ""},
		{"json-file", "max-file=0", "1 or more"},
		{"json-file", "compress=maybe", "neither true nor false"},
		{"json-file", "labels-regex=(", "regular expression"},
		{"json-file", "labels=a,b", ""},
		{"json-file", "tag={{.ID}}", ""},
		{"json-file", "tag={{upper .Name}}/{{truncate .FullID 70}}{{title .ImageName | lower}}{{json .}}", ""},
		{"json-file", `tag={{join (split .Name "-") "."}}{{pad .ID 1 1}}`, ""},
		{"json-file", "tag={{.Nope}}", "cannot be filled in"},
		{"json-file", "tag={{", "cannot be filled in"},
		{"json-file", "max-sise=1", "no option"},
		{"json-file", "mode=non-blocking", ""},
		{"json-file", "mode=x", "blocking or non-blocking"},
		{"json-file", "syslog-address=udp://127.0.0.1:1", "no option"},
		{"syslog", "syslog-address=udp://127.0.0.1:1", ""},
		{"syslog", "syslog-address=127.0.0.1", "SCHEME"},
		{"syslog", "syslog-format=x", "is not one of"},
		{"gelf", "gelf-compression-level=x", "whole number"},
		{"fluentd", "fluentd-retry-wait=5", "not a duration"},
		{"splunk", "splunk-gzip=maybe", "neither true nor false"},
		{"local", "max-file=x", "1 or more"},
		{"awslogs", "awslogs-group=x", ""},
		{"none", "max-size=1m", "takes no options"},
	}
	for _, tt := range tests {
		err := CheckLogOption(tt.driver, must(t, LogOptSyntax(), tt.option))
		if tt.problem == "" && err != nil || tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)) {
			t.Errorf("%s %s: %v", tt.driver, tt.option, err)
		}
	}
}
