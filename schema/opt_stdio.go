package schema

import "github.com/runfile/runfile/schema/value"

var stdioOptions = []row[Container]{
	list(Option{
		Name: "attach", Short: "a", Group: GroupStdio, Arg: "value", Default: "[]", Example: "stdout",
		Help: "Attach to STDIN, STDOUT or STDERR",
	}, func(c *Container) *Items[string] { return &c.Stdio.Attach }, value.Stream()),
	toggle(Option{
		Name: "interactive", Short: "i", Group: GroupStdio, Example: "true",
		Help: "Keep STDIN open even if not attached",
	}, func(c *Container) *Opt[bool] { return &c.Stdio.Interactive }),
	toggle(Option{
		Name: "tty", Short: "t", Group: GroupStdio, Example: "true",
		Help: "Allocate a pseudo-TTY",
	}, func(c *Container) *Opt[bool] { return &c.Stdio.TTY }),
}
