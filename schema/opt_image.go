package schema

import (
	"github.com/runfile/runfile/schema/value"
)

var imageOptions = []row[Container]{
	opt(Option{
		Name: "image", Group: GroupImage, Arg: "image", Example: "alpine:3.22", Own: true, NoFlag: true,
		Help: "Image to run",
		Doc: "A registry reference as docker takes it, or an image on disk: `oci:DIR[:TAG]`, `oci-" +
			"archive:FILE[:TAG]`, `docker-archive:FILE[:REF]`, the path relative to the file that holds it.",
	}, func(c *Container) *Opt[value.ImageRef] { return &c.Image.Ref }, value.ImageSyntax()),
	command(Option{
		Name: "command", Group: GroupImage, Arg: "command", Example: "[echo, hi]", Own: true, NoFlag: true,
		Help: "Command and arguments to run in the container",
		Doc: "Replaces the image's CMD. A list is taken as it is; text is split into arguments as a shell would, " +
			"but no shell runs and nothing is expanded.",
	}, func(c *Container) *Opt[[]string] { return &c.Process.Command }, commandWords),
	toggle(Option{
		Name: "disable-content-trust", Group: GroupImage, Default: "true", Example: "true", NoDiff: true,
		Help: "Skip image verification",
		Doc:  "With false an image must be signed by a key that is trusted.",
	}, func(c *Container) *Opt[bool] { return &c.Image.DisableContentTrust }),
	opt(Option{
		Name: "platform", Group: GroupImage, Arg: "string", Example: "linux/arm64",
		Help: "Set platform if server is multi-platform capable",
	}, func(c *Container) *Opt[string] { return &c.Image.Platform }, value.PlatformSyntax()),
	opt(Option{
		Name: "pull", Group: GroupImage, Arg: "string", Default: "\"missing\"", Example: "always", NoDiff: true,
		Help: "Pull image before running (\"always\", \"missing\", \"never\")",
	}, func(c *Container) *Opt[string] { return &c.Image.Pull }, value.Word("oneof=always missing never")),
	opt(Option{
		Name: "pull-retries", Group: GroupImage, Arg: "int", Default: "4", Example: "2", Own: true, NoFlag: true, NoDiff: true, NotYet: notBuilt,
		Help: "How often a pull that failed is tried again",
	}, func(c *Container) *Opt[int64] { return &c.Image.PullRetries }, value.Int("min=0,max=100")),
}

var commandWords = wording{
	text:   value.SplitCommand,
	list:   func(l []string) ([]string, error) { return l, nil },
	tree:   func(l []string) any { return texts(l) },
	syntax: "text that is split like a shell would, or a list of arguments",
}

func texts(l []string) []any {
	out := make([]any, len(l))
	for i, s := range l {
		out[i] = s
	}
	return out
}
