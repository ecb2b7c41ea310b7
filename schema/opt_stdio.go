package schema

import "github.com/runfile/runfile/schema/value"

var stdioOptions = []row[Container]{
	list(Option{
		Name: "attach", Short: "a", Group: GroupStdio, Arg: "value", Default: "[]", Example: "stdout",
		Help: "Attach to STDIN, STDOUT or STDERR",
	}, func(c *Container) *Items[string] { return &c.Stdio.Attach }, value.Stream()),
	opt(Option{
		Name: "detach-keys", Group: GroupStdio, Arg: "string", Example: "ctrl-a,d", NoDiff: true,
		Help: "Override the key sequence for detaching a container",
		Doc:  "Without it, `ctrl-p,ctrl-q`. They work with a terminal only: tty and interactive.",
	}, func(c *Container) *Opt[string] { return &c.Stdio.DetachKeys }, value.DetachKeysSyntax()),
	toggle(Option{
		Name: "interactive", Short: "i", Group: GroupStdio, Example: "true",
		Help: "Keep STDIN open even if not attached",
	}, func(c *Container) *Opt[bool] { return &c.Stdio.Interactive }),
	toggle(Option{
		Name: "sig-proxy", Group: GroupStdio, Default: "true", Example: "true", NoDiff: true,
		Help: "Proxy received signals to the process",
		Doc:  "With false, the first signal leaves the container running and ends the client.",
	}, func(c *Container) *Opt[bool] { return &c.Stdio.SigProxy }),
	toggle(Option{
		Name: "tty", Short: "t", Group: GroupStdio, Example: "true",
		Help: "Allocate a pseudo-TTY",
	}, func(c *Container) *Opt[bool] { return &c.Stdio.TTY }),
}
