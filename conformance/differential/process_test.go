package differential

import (
	"cmp"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/v2/daemon/names"
	"github.com/moby/moby/v2/daemon/pkg/oci/caps"
	"github.com/moby/sys/signal"
	"github.com/moby/sys/user"
	"github.com/moby/term"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// option hands a text over as the value of a flag.
func option(name string) func(text string) []string {
	return func(text string) []string { return []string{"--" + name, text, "alpine"} }
}

// mode is an option that shares a namespace.
func mode(name string, docker func(*container.HostConfig) (string, bool), runfile func(*schema.Namespaces) value.NamespaceMode) syntax {
	return syntax{
		name: name, args: option(name), texts: modeTexts,
		docker: func(r *request) (string, error) {
			s, ok := docker(r.HostConfig)
			if !ok {
				return "", errors.New("not valid")
			}
			return s, nil
		},
		runfile: func(c *schema.Container) (string, error) {
			m := runfile(&c.Namespaces)
			if m.Mode == "container" {
				return "container:" + m.Container, nil
			}
			return m.Mode, nil
		},
	}
}

var modeTexts = all(words(`
	'' host private shareable none Host HOST default container container: container:a container:a:b Container:a host:
	:host ns:/x bogus`), []string{"container: a", " host"})

const (
	passwd = "root:x:0:0::/:\napp:x:1000:1000::/:\n"
	groups = "root:x:0:\nstaff:x:50:\naudio:x:29:app\n"
)

var processSyntaxes = []syntax{
	{
		name: "ulimit", args: option("ulimit"),
		texts: all(
			each(words("nofile core nice as NOFILE bogus ''"),
				words("= ''"),
				words("1 10:20 20:10 -1 -1:-1 5:-1 -1:5 1: :1 '' a 1:a 1:2:3 +1 010 0x10 1.5 1k unlimited")),
			each(words("cpu data fsize locks memlock msgqueue nproc rss rtprio rttime sigpending stack"), words("=0 =1:2")),
			[]string{
				"nofile =1", "nofile= 1", " nofile=1", "nofile=1 ", "nofile=-2", "nofile=1:-2",
				"nofile=9223372036854775807", "nofile=9223372036854775808",
			}),
		docker: func(r *request) (string, error) {
			u := r.HostConfig.Ulimits[0]
			return u.Name + " " + number(u.Soft) + " " + number(u.Hard), nil
		},
		runfile: func(c *schema.Container) (string, error) {
			u := c.Process.Ulimits[0].Value
			return u.Name + " " + number(u.Soft) + " " + number(u.Hard), nil
		},
	},
	{
		name: "stop-signal", args: option("stop-signal"),
		texts: all(
			each(words("'' SIG sig Sig"), words(`
				TERM KILL hup USR1 STKFLT POLL IO IOT CLD UNUSED PWR SYS WINCH RTMIN RTMAX rtmin+1 RTMIN+1 RTMIN+15 RTMIN+16 RTMAX-1
				RTMAX-14 RTMAX-15 RTMIN-1 RTMAX+1 FOO ''`)),
			words("0 1 9 15 31 32 33 34 35 49 63 64 65 999 -1 +9 09 0x9 9.0 SIG9")),
		docker: func(r *request) (string, error) {
			if r.Config.StopSignal == "" {
				return "0", nil
			}
			n, err := signal.ParseSignal(r.Config.StopSignal)
			return number(int(n)), err
		},
		runfile: func(c *schema.Container) (string, error) { return number(c.Lifecycle.StopSignal.Value.Number), nil },
	},
	{
		name: "restart", args: option("restart"),
		texts: all(
			each(words("no always unless-stopped on-failure No never '' on_failure"),
				words("'' : :0 :3 :+3 :-1 :x :1.5 :010 :0x3 :3:4 :99999999999")),
			[]string{"on-failure: 3", " always", "on-failure:3 "}),
		docker: func(r *request) (string, error) {
			p := r.HostConfig.RestartPolicy
			if p.Name == "" {
				p.Name = container.RestartPolicyDisabled
			}
			return string(p.Name) + " " + number(p.MaximumRetryCount), container.ValidateRestartPolicy(p)
		},
		runfile: func(c *schema.Container) (string, error) {
			p := c.Lifecycle.Restart.Value
			return cmp.Or(p.Name, "no") + " " + number(p.MaxRetries), nil
		},
	},
	{
		name: "detach-keys", args: option("detach-keys"),
		texts: all(
			each(words("ctrl- CTRL- Ctrl- ^ ''"), words("a z p @ [ \\ ] ^ _ A 1 aa ''")),
			each(words("ctrl-p a DEL ''"), words(", ,,"), words("ctrl-q b del Del DEL ''")),
			[]string{"a,b,c,d", " ", "é", "ctrl-é", "a b", "ctrl-p, ctrl-q", "\x7f", "\x01", "DEL,DEL", "ctrl"}),
		library: func(text string) (string, error) {
			if text == "" { // docker run has not been given any
				return "", nil
			}
			keys, err := term.ToBytes(text)
			return string(keys), err
		},
		runfile: func(c *schema.Container) (string, error) {
			return string(value.DetachBytes(c.Stdio.DetachKeys.Value)), nil
		},
	},
	{
		name: "sysctl", args: option("sysctl"),
		texts: all(each(words(`
			net.ipv4.ip_forward kernel.msgmax kernel.sem kernel.shm_rmid_forced fs.mqueue.msg_max kernel.hostname vm.swappiness
			net. fs.mqueue. net fs.file-max NET.a.b net/ipv4/ip_forward net.ipv4/ip_forward ''`), words("=1 = '' ==1")),
			[]string{"kernel.sem=250 32000 100 128", "net.a= 1", " net.a=1", "net.a =1"}),
		docker: func(r *request) (string, error) { return pairs(r.HostConfig.Sysctls), nil },
		runfile: func(c *schema.Container) (string, error) {
			return pairs(mapOf(c.Process.Sysctls.Values())), nil
		},
	},
	{
		name: "cap-add", args: option("cap-add"),
		texts: all(
			each(words("'' CAP_ cap_ Cap_ CAP"),
				words("NET_ADMIN net_admin ALL all SYS_TIME CHECKPOINT_RESTORE BPF FOO NET-ADMIN ''")),
			[]string{" NET_ADMIN", "NET_ADMIN ", "NET ADMIN", "NET_ADMIN,SYS_TIME"}),
		docker: func(r *request) (string, error) {
			list, err := caps.NormalizeLegacyCapabilities(r.HostConfig.CapAdd)
			return strings.Join(list, " "), err
		},
		runfile: func(c *schema.Container) (string, error) {
			return strings.Join(c.Security.CapAdd.Values(), " "), nil
		},
	},
	{
		name: "security-opt", args: option("security-opt"),
		texts: all(
			each(words("no-new-privileges writable-cgroups"), words("'' = : =true :true =false =1 =yes =TRUE")),
			each(words("seccomp apparmor label systempaths bogus ''"),
				words("'' = : =unconfined :unconfined =disable =user:u =user: =docker-default =builtin")),
			words(`
				label:disable label:type:svirt_t label=nested label:level:s0 label=level:s0:c1,c2 credentialspec=file://a
				credentialspec=a seccomp=missing.json NO-NEW-PRIVILEGES`)),
		docker: func(r *request) (string, error) {
			if r.HostConfig.MaskedPaths != nil {
				return "systempaths unconfined", nil
			}
			return securityOpt(r.HostConfig.SecurityOpt[0]), nil
		},
		runfile: func(c *schema.Container) (string, error) {
			o := c.Security.Options[0].Value
			return o.Key + " " + o.Value, nil
		},
	},
	{
		name: "user", args: option("user"),
		texts: all(
			each(words("'' 0 1000 app root 2147483647 2147483648 4294967295 -1 +1 007"), words("'' : :0 :50 :staff :2147483647 :2147483648 :-1 :staff:x ::"))),
		docker: func(r *request) (string, error) {
			_, err := user.GetExecUser(r.Config.User, nil, strings.NewReader(passwd), strings.NewReader(groups))
			name, group, _ := strings.Cut(r.Config.User, ":")
			return name + " " + group, err
		},
		runfile: func(c *schema.Container) (string, error) {
			u := c.Process.User.Value
			return u.User + " " + u.Group, nil
		},
	},
	{
		name: "group-add", args: option("group-add"),
		texts: words("audio staff 0 29 2147483647 2147483648 -1 +5 007 a:b"),
		docker: func(r *request) (string, error) {
			_, err := user.GetAdditionalGroups(r.HostConfig.GroupAdd, strings.NewReader(groups))
			return strings.Join(r.HostConfig.GroupAdd, " "), err
		},
		runfile: func(c *schema.Container) (string, error) {
			return strings.Join(c.Process.GroupAdd.Values(), " "), nil
		},
	},
	{
		name: "workdir", args: option("workdir"),
		texts: words("/ /a /a/ /a/../b /a//b /./a a ./a . .. '' /../a C:\\a"),
		docker: func(r *request) (string, error) {
			if r.Config.WorkingDir == "" {
				return "", nil
			}
			return path.Clean(r.Config.WorkingDir), nil
		},
		runfile: func(c *schema.Container) (string, error) { return c.Process.Workdir.Value, nil },
	},
	{
		name: "name", args: option("name"),
		texts: all(words("web w1 a.b a_b a-b A1 a -a .a _a /web /a //web web/ a/b é '' a:b a@b 0 00"), []string{"a b", " web", strings.Repeat("a", 300)}),
		docker: func(r *request) (string, error) {
			name := strings.TrimPrefix(r.Name, "/")
			if name != "" && !names.RestrictedNamePattern.MatchString(name) {
				return "", errors.New("not a name")
			}
			return name, nil
		},
		runfile: func(c *schema.Container) (string, error) { return c.Metadata.Name.Value, nil },
	},
	{
		name: "image", args: func(text string) []string { return []string{"--", text} },
		texts: all(
			each(words("'' localhost/ reg.test/ reg.test:5000/ [::1]:5000/ docker.io/ docker.io/library/ a/b/ REG/ a_b/"),
				words("alpine a.b a__b a___b a-b a--b Alpine a. -a"),
				words("'' :3.22 :Tag_1 :-x : :a:b")),
			each(words("alpine alpine:3 sha256 "), words(`
				@sha256:0123456789012345678901234567890123456789012345678901234567890123 @sha256:0123
				@md5:01230123012301230123012301230123 @ :`)),
			[]string{
				strings.Repeat("0", 64), "sha256:" + strings.Repeat("0", 64), strings.Repeat("F", 64), strings.Repeat("0", 63),
				"", " alpine", "alpine ", "a b", "alpine:" + strings.Repeat("x", 128), "alpine:" + strings.Repeat("x", 129),
				strings.Repeat("a", 255), strings.Repeat("a", 256), "oci:dir", "docker-archive:a.tar",
			}),
		docker: func(r *request) (string, error) {
			ref, err := reference.ParseAnyReference(r.Config.Image)
			if err != nil {
				return "", err
			}
			if named, ok := ref.(reference.Named); ok {
				ref = reference.TagNameOnly(named)
			}
			return ref.String(), nil
		},
		runfile: func(c *schema.Container) (string, error) {
			i := c.Image.Ref.Value
			return strings.TrimPrefix(i.Scheme+":"+i.Name, ":"), nil
		},
	},
	{
		name: "platform", args: option("platform"),
		texts: all(
			each(words("linux LINUX darwin bogus ''"),
				words("'' / /amd64 /arm64 /arm/v7 /arm64/v8 /x86_64 /aarch64 /ARM64 /bogus /amd64/v2/x")),
			words("amd64 arm64 arm x86_64 aarch64 armhf i386 bogus /amd64 linux/arm/v6 linux/arm/7")),
		docker: func(r *request) (string, error) {
			if r.Platform == nil {
				return "", nil
			}
			return platforms.FormatAll(*r.Platform), nil
		},
		runfile: func(c *schema.Container) (string, error) {
			if !c.Image.Platform.Set {
				return "", nil
			}
			p, err := platforms.Parse(c.Image.Platform.Value)
			return platforms.FormatAll(p), err
		},
	},
	{
		name: "pull", args: option("pull"), texts: words("missing never '' ALWAYS if-not-present bogus newer"),
		docker:  func(*request) (string, error) { return "", nil },
		runfile: func(*schema.Container) (string, error) { return "", nil },
	},
	{
		name: "attach", args: option("attach"), texts: words("stdin stdout stderr STDIN StdOut std '' stdin,stdout 0 foo"),
		docker: func(r *request) (string, error) {
			return streams(r.Config.AttachStdin, r.Config.AttachStdout, r.Config.AttachStderr), nil
		},
		runfile: func(c *schema.Container) (string, error) {
			list := c.Stdio.Attach.Values()
			return streams(slices.Contains(list, "stdin"), slices.Contains(list, "stdout"), slices.Contains(list, "stderr")), nil
		},
	},
	{
		name: "a switch", args: func(text string) []string { return []string{"--init=" + text, "alpine"} },
		texts:   words("true false 1 0 t f T F TRUE FALSE True False yes no on off '' tRUE 2"),
		docker:  func(r *request) (string, error) { return onOff(*r.HostConfig.Init), nil },
		runfile: func(c *schema.Container) (string, error) { return onOff(c.Process.Init.Value), nil },
	},
	mode("pid", func(h *container.HostConfig) (string, bool) { return string(h.PidMode), h.PidMode.Valid() },
		func(n *schema.Namespaces) value.NamespaceMode { return n.PID.Value }),
	mode("ipc", func(h *container.HostConfig) (string, bool) { return string(h.IpcMode), h.IpcMode.Valid() },
		func(n *schema.Namespaces) value.NamespaceMode { return n.IPC.Value }),
	mode("uts", func(h *container.HostConfig) (string, bool) { return string(h.UTSMode), h.UTSMode.Valid() },
		func(n *schema.Namespaces) value.NamespaceMode { return n.UTS.Value }),
	mode("userns", func(h *container.HostConfig) (string, bool) { return string(h.UsernsMode), h.UsernsMode.Valid() },
		func(n *schema.Namespaces) value.NamespaceMode { return n.UserNS.Value }),
	mode("cgroupns", func(h *container.HostConfig) (string, bool) { return string(h.CgroupnsMode), h.CgroupnsMode.Valid() },
		func(n *schema.Namespaces) value.NamespaceMode { return n.CgroupNS.Value }),
}

// securityOpt prints KEY[=VALUE] with either separator in one way.
func securityOpt(s string) string {
	i := strings.IndexAny(s, "=:")
	if i < 0 {
		return s + " true"
	}
	if v := s[i+1:]; v == "1" || v == "TRUE" {
		return s[:i] + " true"
	}
	return s[:i] + " " + s[i+1:]
}

func streams(stdin, stdout, stderr bool) string {
	return onOff(stdin) + " " + onOff(stdout) + " " + onOff(stderr)
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// pairs prints a map in one order.
func pairs(m map[string]string) string {
	list := make([]string, 0, len(m))
	for k, v := range m {
		list = append(list, k+"="+v)
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// mapped is what a list of docker's comes to when the last of a name counts. Its client leaves the order to chance.
func mapped(list []string) map[string]string {
	m := map[string]string{}
	for _, text := range list {
		k, v, _ := strings.Cut(text, "=")
		m[k] = v
	}
	return m
}

// mapOf is what a list of pairs comes to when the last of a name counts.
func mapOf(list []value.KeyValue) map[string]string {
	m := map[string]string{}
	for _, kv := range list {
		m[kv.Key] = kv.Value
	}
	return m
}
