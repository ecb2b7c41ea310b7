package schema

import (
	"github.com/runfile/runfile/schema/value"
)

var processOptions = []row[Container]{
	command(Option{
		Name: "entrypoint", Group: GroupProcess, Arg: "string", Example: "[/bin/tini, --]",
		Help: "Overwrite the default ENTRYPOINT of the image",
		Doc: "Text is one executable and never split; a list gives it arguments; `\"\"` drops the image's " +
			"entrypoint. Setting it drops the image's CMD, too.",
	}, func(c *Container) *Opt[[]string] { return &c.Process.Entrypoint }, entrypointWords),
	pairs(Option{
		Name: "env", Short: "e", Group: GroupProcess, Arg: "value", Default: "[]", Example: "LANG=C.UTF-8",
		Help: "Set environment variables",
		Doc: "`NAME` without a value takes it from runfile's own environment, and removes the variable where that " +
			"has none. Wins over `env-file`, which wins over the image.",
	}, func(c *Container) *Items[value.KeyValue] { return &c.Process.Env }, value.EnvSyntax()),
	list(Option{
		Name: "env-file", Group: GroupProcess, Arg: "value", Default: "[]", Example: "./test.env",
		Help: "Read in a file of environment variables",
		Doc:  "Lines of `NAME=VALUE`, taken verbatim: quotes belong to the value, nothing is expanded.",
	}, func(c *Container) *Items[string] { return &c.Process.EnvFile }, value.HostPath()),
	list(Option{
		Name: "group-add", Group: GroupProcess, Arg: "value", Default: "[]", Example: "audio", OS: linux,
		Help: "Add additional groups to join",
		Doc:  "Names are those of the image's /etc/group.",
	}, func(c *Container) *Items[string] { return &c.Process.GroupAdd }, value.GroupSyntax()),
	toggle(Option{
		Name: "init", OS: linux, Group: GroupProcess, Example: "true",
		Help: "Run an init inside the container that forwards signals and reaps processes",
	}, func(c *Container) *Opt[bool] { return &c.Process.Init }),
	opt(Option{
		Name: "init-path", Needs: "init", Group: GroupProcess, Arg: "string", Example: "/usr/bin/tini-static", OS: linux,
		Help: "Path to the docker-init binary",
		Doc:  "A static program on the host, instead of the init that is part of runfile.",
	}, func(c *Container) *Opt[string] { return &c.Process.InitPath }, value.HostPath()),
	opt(Option{
		Name: "runtime", Group: GroupProcess, Arg: "string", Example: "crun",
		Help: "Runtime to use for this container",
	}, func(c *Container) *Opt[string] { return &c.Process.Runtime }, value.Text("crun, runc, or the path of an OCI runtime")),
	pairs(Option{
		Name: "sysctl", OS: linux, Group: GroupProcess, Arg: "value", Default: "map[]", Example: "net.ipv4.ip_forward=1",
		Help: "Sysctl options",
	}, func(c *Container) *Items[value.KeyValue] { return &c.Process.Sysctls }, value.SysctlSyntax()),
	keyed(Option{
		Name: "ulimit", OS: linux, Group: GroupProcess, Arg: "value", Default: "[]", Example: "nofile=1024:2048",
		Help: "Ulimit options",
	}, func(c *Container) *Items[value.Ulimit] { return &c.Process.Ulimits }, value.UlimitSyntax(),
		mapForm{sep: "=", name: "type"}),
	opt(Option{
		Name: "umask", Group: GroupProcess, Own: true, NoFlag: true, Arg: "mode", Example: "0027", OS: linux,
		Help: "Permissions that files made by the process do not get",
		Doc:  "Octal, as the shell's `umask` takes it. Without it the runtime decides, which is 0022.",
	}, func(c *Container) *Opt[int64] { return &c.Process.Umask }, value.Umask()),
	opt(Option{
		Name: "user", Short: "u", Group: GroupProcess, Arg: "string", Example: "1000:1000",
		Help: "Username or UID (format: <name|uid>[:<group|gid>])",
	}, func(c *Container) *Opt[value.User] { return &c.Process.User }, value.UserSyntax()),
	opt(Option{
		Name: "workdir", Short: "w", Group: GroupProcess, Arg: "string", Example: "/src",
		Help: "Working directory inside the container",
		Doc:  "Made if it does not exist.",
	}, workdirOf, value.AbsPath()).inWindows(opt(Option{Name: "workdir"}, workdirOf, value.WindowsPath())),
}

func workdirOf(c *Container) *Opt[string] { return &c.Process.Workdir }

var entrypointWords = wording{
	text: func(s string) ([]string, error) {
		if s == "" {
			return nil, nil // drop the image's
		}
		return []string{s}, nil
	},
	list: func(l []string) ([]string, error) {
		if l[0] == "" {
			return nil, &value.Error{Problem: "the list begins with an empty text", Fix: `write "" without a list to drop the image's entrypoint`}
		}
		return l, nil
	},
	tree: func(l []string) any {
		if len(l) == 0 {
			return ""
		}
		return texts(l)
	},
	syntax: "EXECUTABLE, or a list of arguments",
	empty:  true,
}
