package value

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// suite is one value syntax with texts that it takes, as input and canonical text, and texts that it refuses. The
// lists come from what docker was seen to do, less the mistakes that runfile does not repeat.
type suite struct {
	name   string
	accept [][2]string
	reject []string
	schema map[string]any
	// check parses a text and returns its canonical form, or a complaint about the parser.
	check func(text string) (canonical string, accepted bool, complaint string)
}

func of[T any](name string, p Parser[T], accept [][2]string, reject ...string) suite {
	var schema map[string]any
	if p.Schema != nil {
		schema = p.Schema()
	}
	return suite{name, accept, reject, schema, func(text string) (string, bool, string) {
		v, err := p.Parse(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Problem == "" {
				return "", false, "the error is no *Error: " + err.Error()
			}
			return "", false, ""
		}
		canonical := p.Text(v)
		if !allows(schema, text) {
			return canonical, true, "the schema refuses what the parser takes"
		}
		if p.FormatFields != nil && p.FormatFields(v) != nil {
			back, err := p.Fields(p.FormatFields(v))
			if err != nil || !reflect.DeepEqual(back, v) {
				return canonical, true, "the map form does not come back"
			}
			return canonical, true, ""
		}
		back, err := p.Parse(canonical)
		if err != nil {
			return canonical, true, "the canonical text " + strconv.Quote(canonical) + " is refused: " + err.Error()
		}
		// What is only kept for printing may differ.
		if r, ok := any(&back).(*ImageRef); ok {
			r.Text = any(v).(ImageRef).Text
		}
		if !reflect.DeepEqual(back, v) {
			return canonical, true, "the canonical text " + strconv.Quote(canonical) + " means something else"
		}
		return canonical, true, ""
	}}
}

// same is for texts that are canonical as they are.
func same(texts ...string) [][2]string {
	var out [][2]string
	for _, s := range texts {
		out = append(out, [2]string{s, s})
	}
	return out
}

func to(pairs ...string) [][2]string {
	var out [][2]string
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, [2]string{pairs[i], pairs[i+1]})
	}
	return out
}

var long = strings.Repeat("x", 65)

var suites = []suite{
	of("size", Size(), to("0", "0", "1024", "1k", "1.5g", "1536m", "100 m", "100m", "100mib", "100m", "100MB", "100m",
		"1e8", "100000000", "0.5G", "512m", "1.", "1", "+5m", "5m", "8b", "8", "3t", "3t", "1p", "1p", ".5k", "512", "100b", "100"),
		"-1", "", "100x", "100bb", "9000000t", "9000000p", "m", "1  m", " 1m", "1m ", "0x1p4", "1_000", "inf", "nan", "1e400", "1ib"),
	of("memory", Memory(), to("0", "0", "6m", "6m", "1t", "1t", "6291456", "6m", "0.5g", "512m"), "5m", "6291455", "-1", ""),
	of("memory-swap", MemorySwap(), to("-1", "-1", "0", "0", "1g", "1g"), "-2", "-1m", ""),
	of("shm-size", ShmSize(), to("64m", "64m", "0.5g", "512m", "10kb", "10k"), "0", "", "-1", "1q"),
	of("health-duration", HealthDuration(), to("300ms", "300ms", "1m30s", "1m30s", "0", "0s", "0s", "0s", "1ms", "1ms", "1.5h", "1h30m0s"),
		"10", "999us", "-1s", "-0", "-0.1ns", "", "1d", "s", "10 s"),
	of("duration", Duration(), to("5m", "5m0s", "1ns", "1ns"), "0", "0s", "5", "-5m", "", "1x"),
	of("cpus", CPUs(), to("+1", "1", "+3/2", "1.5", "0.5", "0.5", "1.5", "1.5", "3/2", "1.5", "1e-1", "0.1", "0", "0", "0.01", "0.01", "2", "2", "1.123456789", "1.123456789"),
		"0.001", "-1", "", "abc", "1.1234567891", "1e999999", "1/0", "1/3", "99999999999999999999", "0x1", "1e19", "Inf"),
	of("cpuset", CPUSet(), same("0", "0-3", "0,1", "0-3,5", "1,1", "8192"), "a", "1-0", "", ",", "0-", "-1", "8193", "0-99999999999", "+1", "0 - 1"),
	of("cpu-shares", CPUShares(), same("0", "2", "512", "262144"), "1", "-1", "262145", "", "1.5", "abc"),
	of("pids-limit", Int("min=-1,max=4194304"), to("-1", "-1", "0", "0", "100", "100", "+5", "5", "0100", "100"), "-2", "4194305", "", "1e3", "abc", "0x10"),
	of("word", Word("oneof=always missing never"), same("always", "missing", "never"), "", "Always", "newer"),
	of("user", UserSyntax(), same("1000", "1000:1000", "root", ":2000", "a.b:c", "1000:audio", "2147483647"), "a:b:c", "2147483648", "-1", "0:-1", "a:"),
	of("ulimit", UlimitSyntax(), to("nofile=1024", "nofile=1024", "nofile=100:200", "nofile=100:200", "core=-1", "core=-1",
		"memlock=5:-1", "memlock=5:-1", "nofile=5:5", "nofile=5", "stack=-1:-1", "stack=-1"),
		"nofile", "as=5", "nofile=", "nofile=x", "nofile=10:5", "nofile=-1:5", "NOFILE=1", "nofile=1:2:3", "nofile=-2", "=5", ""),
	of("env", EnvSyntax(), same("A=b", "A=", "A", "A B=c", "A=b=c", "A= x "), "", "=x", "A\x00=b", "A=\x00"),
	of("label", LabelSyntax(), to("a=b", "a=b", "a", "a=", "a=b c", "a=b c", " a=b", "a=b", "a==", "a=="), "", "=x", "a b=c", "a\tb=c", " =c"),
	of("sysctl", SysctlSyntax(), same("net.ipv4.ip_forward=1", "kernel.msgmax=4096", "fs.mqueue.msg_max=5", "kernel.sem=1 2 3 4", "net.x="),
		"kernel.hostname=x", "net.core.somaxconn", "foo.bar=1", "net/ipv4/ip_forward=1", "net.=1", "", "kernel.msgmaxx=1", "user.max=1"),
	of("restart", RestartSyntax(), to("no", "no", "always", "always", "unless-stopped", "unless-stopped", "on-failure", "on-failure",
		"on-failure:3", "on-failure:3", "on-failure:0", "on-failure", "on-failure:", "on-failure"),
		"", "Always", ":3", "always:3", "no:1", "on-failure:-1", "on-failure:x", "on-failure:1.5", "never", "on-failure:99999999999"),
	of("signal", SignalSyntax(), to("TERM", "SIGTERM", "sigint", "SIGINT", "SIGKILL", "SIGKILL", "9", "SIGKILL", "64", "SIGRTMAX",
		"RTMIN+3", "SIGRTMIN+3", "SIGRTMAX-2", "SIGRTMAX-2", "34", "SIGRTMIN", "RTMIN", "SIGRTMIN", "RTMIN+20", "SIGRTMAX-10", "33", "33", "POLL", "SIGIO"),
		"0", "65", "999", "-1", "", "FOO", "RTMIN+31", "RTMAX-31", "RTMIN-1", "RTMAX+1", "RTMIN3", "SIG", "SIGSIGTERM"),
	of("publish", PublishSyntax(), to("[127.0.0.1]:8080:80", "127.0.0.1:8080:80/tcp", "80", "80/tcp", "8080:80", "8080:80/tcp", "8080:80/UDP", "8080:80/udp", "80/sctp", "80/sctp",
		"127.0.0.1:8080:80", "127.0.0.1:8080:80/tcp", "127.0.0.1::80", "127.0.0.1::80/tcp", ":80", "80/tcp", "::80", "80/tcp",
		"0:80", "80/tcp", "[::1]:8080:80", "[::1]:8080:80/tcp", "::1:8080:80", "[::1]:8080:80/tcp", "8000-8002:80-82", "8000-8002:80-82/tcp",
		"8000-8010:80", "8000-8010:80/tcp", "80-82", "80-82/tcp", "1.2.3.4:8080:5.6.7.8:80", "1.2.3.4:8080:5.6.7.8:80/tcp",
		":8080:5.6.7.8:80", ":8080:5.6.7.8:80/tcp", "1.2.3.4:8080:0.0.0.0:80", "1.2.3.4:8080:80/tcp", "1.2.3.4:8080::80", "1.2.3.4:8080:80/tcp",
		"[::1]:8080:[fd00::2]:80", "[::1]:8080:[fd00::2]:80/tcp", "published=8080,target=80,protocol=udp", "8080:80/udp", "target=80", "80/tcp"),
		"", ":", "foo", "0", "65536", "80/foo", "localhost:80:80", "8080/udp:80", "8000-8002:80-81", "82-80", "1-65535:1-65535",
		"1.2.3.4:8080:x:80", "[::1:80:80", "::1]:80:80", "80:", "published=80", "target=80,foo=1", "1.2.3.4:80", "fe80::1%eth0:80:80", "8080:80/", "+80", "0-5:80-85"),
	of("expose", ExposeSyntax(), to("80", "80/tcp", "80-90/UDP", "80-90/udp"), "0", "80/", "80/foo", "90-80", "65536", "", "1.2.3.4:80"),
	of("volume", VolumeSyntax(), to(".env:/c", ".env:/c", "/data", "/data", "/h:/c", "/h:/c", "/h:/c:ro", "/h:/c:ro", "vol:/c", "vol:/c", "./x:/c", "./x:/c", ".:/c", ".:/c",
		"../x:/c", "../x:/c", "/h:/c:ro,z", "/h:/c:ro,z", "/h:/c:rshared", "/h:/c:rshared", "vol:/c:nocopy", "vol:/c:nocopy",
		"/h:/a/../m/./n/", "/h:/m/n", "vol:/c:rw", "vol:/c", "/h:/c:cached", "/h:/c", "vol:/c:Z,ro", "vol:/c:ro,Z"),
		"", "/", "/h:/", "a:/m", "/m:ro", "/h:c", "/h:/c:RO", "/h:/c:ro,rw", "/h:/c:bogus", "/h:/c:ro:x", ":/c", "/h:", "/h:/c:", "~/x:/c",
		"/h:/c:nocopy", "vol:/c:shared", "sub/dir:/c", "data", "/h:/c:z,Z", `c:\foo:d:`, "/h:/c:ro,"),
	of("volumes-from", VolumesFromSyntax(), to("db", "db", "db:ro", "db:ro", "db:rw", "db", "db:ro,z", "db:ro,z", "db:Z", "db:Z"), "", ":ro", "db:nocopy", "db:ro:rw", "db:ro,rw", "db:shared", "db:"),
	of("tmpfs", TmpfsSyntax(), to("/run", "/run", "/run:rw,noexec,nosuid,size=65536k", "/run:rw,noexec,nosuid,size=65536k", "/run:size=50%", "/run:size=50%", "/run:size=1t", "/run:size=1t",
		"/a/../b:mode=1777,uid=0", "/b:mode=1777,uid=0", "/run:", "/run"),
		"", "run", "/", "/run:huge", "/run:size=abc", "/run:mode=9", "/run:uid=x", "/run:tmpcopyup", "/run:ro,,rw", "/run:size", "/run:uid=9999999999"),
	of("device", DeviceSyntax(), to("/dev/fuse", "/dev/fuse", "/dev/a:/dev/b", "/dev/a:/dev/b", "/dev/a:r", "/dev/a:r", "/dev/a:/dev/b:rw", "/dev/a:/dev/b:rw", "/dev/a:/dev/a:rwm", "/dev/a", "vendor.com/gpu=0", "vendor.com/gpu=0"),
		"", "fuse", "/dev/a:/dev/b:rwx", "/dev/a:rr", "/dev/a:b", "/a:/b:r:x", "vendor.com/=0",
		"1v/gpu=0", "v.com/gpu-=0", "v.com/gpu=0:"),
	of("network", NetworkSyntax(), to("name=bridge,mac-address=02:42:ac:11:00:02", "name=bridge,mac-address=02:42:ac:11:00:02", "name=bridge", "bridge", "name=back, alias = a", "name=back,alias=a", "name=back,\"driver-opt=a=b,c\"", "name=back,\"driver-opt=a=b,c\"", "\"name=back\",alias=a", "name=back,alias=a", "bridge", "bridge", "default", "bridge", "none", "none", "host", "host", "container:db", "container:db", "back", "back",
		"name=back,alias=a,alias=b,ip=172.28.0.5", "name=back,alias=a,alias=b,ip=172.28.0.5", "name=back", "back", "ip6=fd00::1,name=b", "name=b,ip6=fd00::1",
		"name=back,mac-address=02-42-AC-11-00-02,gw-priority=-5", "name=back,mac-address=02:42:ac:11:00:02,gw-priority=-5",
		"name=b,link-local-ip=169.254.1.1,link-local-ip=fe80::1,driver-opt=a=b", "name=b,link-local-ip=169.254.1.1,link-local-ip=fe80::1,driver-opt=a=b"),
		"", "container:", "a b", "name=", "alias=x", "name=back,ip=::1", "name=back,foo=1", "name=host,ip=1.2.3.4", "name=bridge,ip=1.2.3.4", "name=host,mac-address=02:42:ac:11:00:02", "name=back,link-local-ip=10.0.0.1", "name=back,driver-opt=x",
		"name=back,alias=a b", "name=back,gw-priority=x", "name=a,name=b", "-x"),
	of("ipv4", IPv4(), same("172.30.100.104"), "::1", "", "1.2.3", "01.2.3.4", "1.2.3.4/24", "::ffff:1.2.3.4"),
	of("ipv6", IPv6(), to("2001:db8::33", "2001:db8::33", "FD00::1", "fd00::1"), "1.2.3.4", "", "fe80::1%eth0", "::ffff:1.2.3.4", "[::1]"),
	of("ip", IP(), to("1.1.1.1", "1.1.1.1", "::1", "::1", "::ffff:1.1.1.1", "1.1.1.1"), "localhost", "[::1]", "1.1.1.1:53", "", "fe80::1%eth0"),
	of("cidr", CIDR(), same("172.28.0.0/16", "fd00::/64"), "172.28.0.1/16", "172.28.0.0", "x", "1.2.3.4/32", "1.2.3.4/31", "fd00::/127", ""),
	of("mac", MAC(), to("92:d0:c6:0a:29:33", "92:d0:c6:0a:29:33", "92-D0-C6-0A-29-33", "92:d0:c6:0a:29:33", "92d0.c60a.2933", "92:d0:c6:0a:29:33"),
		"", "00:00:00:00:00:00", "01:00:00:00:00:00", "92:d0:c6:0a:29", "92:d0:c6:0a:29:33:44:55", "xx:d0:c6:0a:29:33"),
	of("link", LinkSyntax(), to("db", "db", "db:database", "db:database", "db:db", "db", "/db:x", "db:x", "/db:/me/x", "db:x"), "", "/", "//db", "a/b", "/db:/me/", ":x", "x:", "a:b:c", "a:b c"),
	of("add-host", HostSyntax(), to("db:[1.2.3.4]", "db:1.2.3.4", "db:1.2.3.4", "db:1.2.3.4", "db=1.2.3.4", "db:1.2.3.4", "db:::1", "db:::1", "db:[::1]", "db:::1", "db=::1", "db:::1", "gw:host-gateway", "gw:host-gateway", "a_b.c:1.2.3.4", "a_b.c:1.2.3.4"),
		"", "db", "db:", ":1.2.3.4", "db:01.2.3.4", "a b:1.2.3.4", "db:x", "db:host-gatewy", "a..b:1.2.3.4"),
	of("alias", Alias(), same("db", "a_b", "x.y"), "", "bad name!", "-a", "a..b", strings.Repeat("a", 64)),
	of("dns-search", DNSSearch(), to(".", ".", "corp.test", "corp.test", "a1", "a1", "test.", "test"), "", "foo_bar.test", "123", "a b", "-a", "a..b"),
	of("dns-option", DNSOption(), same("ndots:3", "timeout:1", "use-vc", "ndots:0"), "", "a b", "ndots:16", "ndots:x", "ndots", "a\tb"),
	of("pid", NamespaceSyntax(true, "host"), same("host", "container:db"), "", "private", "container:", "Host"),
	of("ipc", NamespaceSyntax(true, "private", "shareable", "host", "none"), same("private", "none", "container:a"), "", "container:", "shared", "PRIVATE"),
	of("uts", NamespaceSyntax(false, "host"), same("host"), "", "container:a", "private"),
	of("capability", CapabilitySyntax(), to("NET_ADMIN", "NET_ADMIN", "cap_net_admin", "NET_ADMIN", "all", "ALL", "CAP_ALL", "ALL", "CHECKPOINT_RESTORE", "CHECKPOINT_RESTORE"), "", "CAP_", "FOO", "NET ADMIN"),
	of("security-opt", SecurityOptSyntax(), to("no-new-privileges", "no-new-privileges=true", "no-new-privileges=false", "no-new-privileges=false", "no-new-privileges:true", "no-new-privileges=true",
		"seccomp=unconfined", "seccomp=unconfined", "seccomp:./p.json", "seccomp=./p.json", "apparmor=unconfined", "apparmor=unconfined", "apparmor:docker-default", "apparmor=docker-default",
		"label=disable", "label=disable", "label=type:svirt_t", "label=type:svirt_t", "label:level:s0", "label=level:s0", "systempaths=unconfined", "systempaths=unconfined",
		"writable-cgroups", "writable-cgroups=true", "writable-cgroups=false", "writable-cgroups=false", "credentialspec=file://x.json", "credentialspec=file://x.json"),
		"", "no-new-privileges=yes", "seccomp", "seccomp=", "apparmor", "apparmor=", "label=foo", "label=user", "label=user:", "foo=bar", "systempaths=x", "systempaths", "writable-cgroups=yes", "credentialspec=x", "credentialspec=http://x"),
	of("log-driver", LogDriverSyntax(), same(LogDrivers...), "", "sysloog", "JSON-file", "etwlogs"),
	of("log-opt", LogOptSyntax(), same("max-size=10m", "tag={{.Name}}"), "", "max-size", "=x"),
	of("image", ImageSyntax(), same("alpine", "alpine:3.22", "localhost/a/b:c", "reg.test:5000/a@sha256:0123456789012345678901234567890123456789012345678901234567890123",
		"oci:./dir", "oci:./dir:latest", "oci-archive:a.tar", "docker-archive:a.tar:busybox:1", strings.Repeat("0", 64), "sha256:"+strings.Repeat("0", 64)),
		"", "library/Busybox", "alpine:3:4", "alpine@sha256:0123", "oci:", "oci:dir:", "docker-archive:a.tar:Foo", "a b", "-x", "oci:dir:a b"),
	of("platform", PlatformSyntax(), to("linux/amd64", "linux/amd64", "linux/arm/v7", "linux/arm/v7", "arm64", "arm64", "linux", "linux", "Linux/ARM64", "linux/arm64", "i386", "i386"), "", "bogus", "linux/bogus", "linux/arm/v7/x", "amd64/linux"),
	of("dependency", DependencySyntax(), same("db"), "", "db:healthy", ":x"),
	of("hostname", Hostname(), same("web1", "foo_bar", "-foo", "a.b.c", strings.Repeat("x", 64)), long, "a b", "a/b", "a\x01b", "a\x00"),
	of("name", Name(), same("web", "a1", "a_b.c-d", strings.Repeat("x", 300)), "", "a", "/web", "a b", "-web", ".x"),
	of("profile", ProfileName(), same("a", "debug"), "", "a b", "-x"),
	of("abs-path", AbsPath(), to("/a/../b", "/b", "/", "/"), "", "foo", "./x", "/a\x00"),
	of("host-path", HostPath(), same("./x", "/a", "x"), "", "a\x00"),
	of("stream", Stream(), to("STDOUT", "stdout", "stdin", "stdin"), "", "foo", "std"),
	of("volume-driver", VolumeDriver(), same("local", "nfs", "vieux/sshfs:latest"), "", "a b", "-x"),
	of("blkio-weight", BlkioWeight(), same("0", "10", "300", "1000"), "", "9", "1001", "-1", "70000", "a"),
	of("blkio-weight-device", DeviceWeightSyntax(), to("/dev/vda:200", "/dev/vda:200", "/dev/../dev/a:0", "/dev/a:0"), "", "/dev/vda", "/dev/vda:", "/dev/vda:5", "/vda:200", "vda:200", "/dev/:200", "/dev/a:1:2", "/dev/a:1001"),
	of("device-bps", DeviceBytesSyntax(), to("/dev/vda:1mb", "/dev/vda:1m", "/dev/a:0", "/dev/a:0", "/dev/a:1024", "/dev/a:1k"), "", "/dev/vda", "/dev/vda:x", "/vda:1", "/dev/a:-1", "/dev/a:1:2", "/dev/..:1"),
	of("device-iops", DeviceOpsSyntax(), same("/dev/vda:1000", "/dev/a:0", "/dev/a:4294967295"), "", "/dev/a:4294967296", "/dev/a:1k", "/dev/a:-1", "a:1", "/dev/a:+1"),
	of("device-cgroup-rule", DeviceRuleSyntax(), same("c 10:200 rwm", "a *:* rwm", "b 7:* r", "c 1:3 mr"), "", "c 10:200", "d 1:1 r", "c  1:1 r", "c 1:1 rr", "c 1:1 x", "c 1 r", "c 4294967296:0 r", "c -1:0 r", "c 1:1 "),
	of("windows-device", WindowsDeviceSyntax(), same("class/5B45201D-F2F2-4F3B-85BB-30FF1F953599", "vpci-class-guid://x"), "", "/dev/x", "class/x", "://x"),
	of("cpu-period", CPUPeriod(), same("0", "1000", "1000000"), "", "999", "1000001", "-1", "x"),
	of("cpu-quota", CPUQuota(), same("0", "-1", "-5", "1000", "99999999"), "", "1", "999", "1.5"),
	of("cpuset-mems", MemSet(), same("0", "0-1"), "a", "1-0", ""),
	of("kernel-memory", KernelMemory(), same("0", "4m", "1g"), "1m", "-1", "x", ""),
	of("memory-swappiness", Int("min=-1,max=100"), same("-1", "0", "100"), "-2", "101", ""),
	of("stop-timeout", TimeIn(time.Second, Int("min=-1,max=2147483647")), same("-1", "0", "30"), "-2", "1m", "1.5s", ""),
	of("oom-score-adj", Int("min=-1000,max=1000"), same("-1000", "0", "1000"), "-1001", "1001", ""),
	of("probe", ProbeSyntax(), nil, "", "5432", "tcp", "tcp=5432"),
	of("text", Text("text"), same("crun", "", " a b ", "-1"), "a\x00b"),
	of("userns-remap", RemapSyntax(), same("default", "build", "1000", "1000:1000", "a$:b.c"), "", "a b", ":g", "u:", "-x", "a:b:c"),
	of("umask", Umask(), to("0027", "0027", "27", "0027", "0o27", "0027", "0", "0000", "777", "0777"), "", "0089", "1000", "-1", "u=rwx", "0x1"),
	of("cgroup-parent", CgroupPath(), to("/a", "/a", "a/b", "/a/b", "/a/b/", "/a/b", "x.slice", "/x.slice"), "", "/", "..", "/a/../b", "a//b", "a/./b", "a\x00"),
	of("group", GroupSyntax(), same("audio", "0", "2147483647"), "", "2147483648", "-1", "a:b"),
	of("annotation", AnnotationSyntax(), to("a=b", "a=b", "a", "a="), "", "=x"),
	of("storage-opt", StorageOptSyntax(), same("size=10m", "size=1g"), "", "size", "size=", "size=0", "foo=1", "size=x"),
	of("link-local", LinkLocal(), same("169.254.8.8", "fe80::9"), "", "10.0.0.1", "::1", "x", "fe80::1%eth0"),
	of("userns", NamespaceSyntax(false, "host"), same("host"), "", "private", "container:x"),
	of("cgroupns", NamespaceSyntax(false, "host", "private"), same("host", "private"), "", "x"),
	of("isolation", Isolation(), to("default", "default", "Process", "process", "HYPERV", "hyperv"), "", "vm"),
	of("io-maxbandwidth", IOBandwidth(), to("1 ", "1", "10m", "10m", "0", "0", "1gb", "1g"), "", "3g", "1t", "x", "-1"),
	of("io-maxiops", IOOperations(), same("0", "2147483647"), "", "2147483648", "-1", "1k"),
	of("detach-keys", DetachKeysSyntax(), same("ctrl-p,ctrl-q", "ctrl-a,d", "DEL", "ctrl-@,ctrl-[,ctrl-\\", "ctrl-],ctrl-^,ctrl-_,x,ctrl-z"),
		"", "ctrl-Q", "foo", "ctrl-", "ctrl-ab", ",", "a,", "ctrl-\u00e9", "\u00e9", "del"),
	of("mount", MountSyntax(), to("type=bind,source=/a,target=/b", "type=bind,source=/a,target=/b", "src=v1,dst=/b,ro", "type=volume,source=v1,target=/b,readonly",
		"type=tmpfs,destination=/run,tmpfs-size=64m,tmpfs-mode=1770", "type=tmpfs,target=/run,tmpfs-size=64m,tmpfs-mode=1770", "target=/x", "type=volume,target=/x",
		"type=bind,src=./a,dst=/b,bind-propagation=rshared,bind-nonrecursive", "type=bind,source=./a,target=/b,bind-propagation=rshared,bind-recursive=disabled",
		"type=bind,src=/a,dst=/b,bind-propagation=RSLAVE,consistency=cached", "type=bind,source=/a,target=/b,bind-propagation=rslave",
		"type=bind,src=.a,dst=/b,ro=1,bind-recursive=writable", "type=bind,source=.a,target=/b,readonly,bind-recursive=writable",
		"type=image,src=alpine,dst=/i,image-subpath=etc", "type=image,source=alpine,target=/i,image-subpath=etc", "type=volume,src=v1,dst=/b,\"volume-opt=o=a,b\"", "type=volume,source=v1,target=/b,\"volume-opt=o=a,b\""),
		"", "type=bind", "type=foo,dst=/x", "dst=x", "type=tmpfs,src=a,dst=/b", "type=bind,src=name,dst=/b", "type=bind,src=/a,dst=/b,tmpfs-size=1m", "a", "dst=/", "type=bind,src=/a,dst=/b,bind-propagation=x",
		"dst=/a,dst=/b", "src=a b,dst=/c", "type=volume,src=v1,dst=/b,volume-subpath=../x", "dst=/a,readonly=maybe", "type=bind,src=/a,dst=/b,bind-recursive=readonly",
		"dst=/a,readonly=T", "type=bind,src=/a,dst=/b,bind-recursive=writable", "type=bind,src=/a,dst=/b,bind-recursive", "type=bind,src=/a,dst=/b,bind-recursive=true",
		"dst=/a,src=", "type=,dst=/a", "dst=/a,volume-subpath=x", "dst=/a,consistency=x", "type=bind,src=/a,dst=/b,ro,bind-recursive=readonly,bind-propagation=shared"),
	of("gpus", GPUSyntax(), to("all", "all", "2", "2", "device=0", "device=0", "\"device=0,1\"", "\"device=0,1\"", "driver=x", "1,driver=x"), "", "0", "-1", "x", "device=", "foo=1", "1,device=0", "all,all"),
	of("retries", RetriesSyntax(), same("0", "3"), "", "-1", "1001", "x"),
	of("exit-code", ExitCodeSyntax(), same("0", "255"), "", "256", "-1"),
	of("artifact", ArtifactSyntax(), same("/out/*.xml:./reports/", "/a:b"), "", "/a", "a:b", "/a:"),
	of("secret", SecretSyntax(), same("dbpw"), "", "a b"),
	of("windows-volume", WindowsVolumeSyntax(), to(`c:\foo:d:`, `c:\foo:d:`, `c:\foo:c:\dest`, `c:\foo:c:\dest`, `C:/foo:D:/bar:ro`, `C:\foo:D:\bar:ro`, `data:c:\data`, `data:c:\data`,
		`c:\anon`, `c:\anon`, `d:`, `d:`, `z:\foo:c:\dest:rw`, `z:\foo:c:\dest`, `\\.\pipe\x:\\.\pipe\y`, `\\.\pipe\x:\\.\pipe\y`, `C:/foo/:D:\bar\`, `C:\foo:D:\bar`),
		"", `c:\foo:ro`, `\\.\pipe\x:\\.\pipe\y:ro`, `\\uncpath\to\directory:c:\dest`, `c:\foo:c:`, `c:\foo:c:\`, `c:`, `c:\`, `nul:c:\x`, `c:\foo:d:\x:z`, `\\.\pipe\x:c:\y`, `c:\a:\\.\pipe\y`, `/a:/b`, `foo`),
	of("windows-path", WindowsPath(), to(`c:\x`, `c:\x`, `C:/x/y`, `C:\x\y`), "", "/x", "x"),
	of("volume-opt", VolumeOptSyntax(), same("type=tmpfs", "o=size=1m,uid=5", "device=/dev/x"), "", "type", "type=", "foo=bar", "size=1m"),
}

// TestEverySyntaxHasASuite: a parser that no suite names is neither tested nor fuzzed.
func TestEverySyntaxHasASuite(t *testing.T) {
	tested := source(t, "syntax_test.go")
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	parsers := regexp.MustCompile(`(?m)^func ([A-Z]\w*)\(.*\) Parser\[`)
	found := 0
	for _, f := range files {
		for _, m := range parsers.FindAllStringSubmatch(source(t, f), -1) {
			found++
			if !regexp.MustCompile(`of\("[a-z0-9-]+", ` + m[1] + `\(`).MatchString(tested) {
				t.Errorf("%s: no suite tests the syntax %s", f, m[1])
			}
		}
	}
	if found < 60 {
		t.Errorf("only %d syntaxes were found", found)
	}
	for _, s := range suites {
		if !strings.Contains(source(t, "fuzz_test.go"), strconv.Quote(s.name)) {
			t.Errorf("no fuzz target for the suite %s", s.name)
		}
	}
}

func source(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSyntaxes(t *testing.T) {
	for _, s := range suites {
		t.Run(s.name, func(t *testing.T) {
			for _, a := range s.accept {
				canonical, ok, complaint := s.check(a[0])
				if !ok || canonical != a[1] || complaint != "" {
					t.Errorf("%q: accepted %v, canonical %q, want %q; %s", a[0], ok, canonical, a[1], complaint)
				}
			}
			for _, r := range s.reject {
				if canonical, ok, complaint := s.check(r); ok || complaint != "" {
					t.Errorf("%q is accepted as %q; %s", r, canonical, complaint)
				}
			}
		})
	}
}

// fuzz demands that a parser never panics, refuses with an *Error, prints what it takes in a form that means the same,
// and takes nothing that its schema refuses.
func fuzz(f *testing.F, name string) {
	for _, s := range suites {
		if s.name != name {
			continue
		}
		for _, a := range s.accept {
			f.Add(a[0])
		}
		for _, r := range s.reject {
			f.Add(r)
		}
		f.Fuzz(func(t *testing.T, text string) {
			if _, _, complaint := s.check(text); complaint != "" {
				t.Errorf("%q: %s", text, complaint)
			}
		})
		return
	}
	f.Fatalf("there is no suite %q", name)
}
