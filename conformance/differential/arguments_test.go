package differential

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/runfile/runfile/schema"
)

// argumentSyntaxes are command lines, words between single spaces: how flags are told from values, and both from the image.
var argumentSyntaxes = []syntax{{
	name: "the command line", args: func(text string) []string { return strings.Split(text, " ") },
	texts: all(
		each(words("-i -t -it -ti --tty --tty=true --tty=false -t=false -it=false -ti=false -tx -x --interactive --inter --no-tty --TTY - -- --- --it -tt"),
			[]string{" alpine", " alpine -t", " -- alpine -t", ""}),
		each(words("-e -p -h --env --publish --hostname"), []string{" ", "=", "", "= "}, words("80 80:80 A=b"), []string{" alpine", ""}),
		each(words("-tp -itp -te -ith -pt -pi -Pp -lP -l"), []string{" ", "=", ""}, words("80"), []string{" alpine"}),
		each(words("--rm --rm=true --rm=false --rm=0 --rm=x --rm= --rm=T --read-only --init --init=false --privileged -P -P=false"),
			[]string{" alpine", " true alpine", " false"}),
		each(words("alpine --rm"), []string{" ", " -- ", " --", " alpine "}, words("sh --rm -c -- alpine ''")),
		[]string{
			"--name a1 --name b1 alpine", "--memory 6m --memory 7m alpine", "-e A=1 -e A=2 -e B alpine", "--rm --rm=false alpine", "-t --tty=false alpine",
			"--hostname=a=b alpine", "-m6m alpine", "-m=6m alpine", "-m 6m alpine", "-itm6m alpine", "--name= alpine", "--name  alpine", "--env= alpine", "--env=A=b=c alpine", "--env A=-b alpine", "--env -t alpine", "-e -- alpine",
			"-p 80:80 -p 81:81/udp alpine", "--publish=80:80 -p81:81 alpine", "--net host alpine", "--net=host alpine", "--network host alpine",
			"--net-alias a --network back alpine", "--network-alias a --net back alpine", "--dns-opt use-vc alpine", "--dns-option use-vc alpine",
			"alpine sh -c exit 1", "-i alpine -i", "--entrypoint sh alpine", "--entrypoint= alpine", "--entrypoint  alpine", "--label a --label b=c alpine",
			"--rm --restart always alpine", "--restart no --rm alpine", "--user root -u 0 alpine", "-w /a --workdir /b alpine", "",
		}),
	docker: func(r *request) (string, error) {
		var ports []string
		for port, list := range r.HostConfig.PortBindings {
			for _, b := range list {
				ports = append(ports, binding(b.HostIP, b.HostPort, port.String()))
			}
		}
		c, h := r.Config, r.HostConfig
		mode, _ := dockerNetwork(r)
		return commandLine(c.Image, c.Cmd, c.OpenStdin, c.Tty, h.AutoRemove, h.ReadonlyRootfs, orZero(h.Init), h.Privileged, h.PublishAllPorts,
			pairs(mapped(c.Env)), ports, c.Hostname, r.Name, h.Memory, c.Entrypoint, c.User, c.WorkingDir, pairs(c.Labels), mode, h.DNSOptions), nil
	},
	runfile: func(c *schema.Container) (string, error) {
		if err := checked(c); err != nil {
			return "", err
		}
		var ports []string
		for _, p := range c.Network.Publish {
			ports = append(ports, bindings(p.Value)...)
		}
		mode := endpoint("bridge", nil, netip.Addr{}, netip.Addr{}, "", nil, nil, 0)
		for _, n := range c.Network.Networks {
			mode = runfileNetwork(n.Value, c.Network.Aliases.Values())
		}
		entrypoint := c.Process.Entrypoint.Value
		if c.Process.Entrypoint.Set && len(entrypoint) == 0 { // docker's form of the image's being dropped
			entrypoint = []string{""}
		}
		return commandLine(c.Image.Ref.Value.Text, c.Process.Command.Value, c.Stdio.Interactive.Value, c.Stdio.TTY.Value, c.Lifecycle.Remove.Value,
			c.Mounts.ReadOnly.Value, c.Process.Init.Value, c.Security.Privileged.Value, c.Network.PublishAll.Value, pairs(mapOf(c.Process.Env.Values())),
			ports, c.Namespaces.Hostname.Value, c.Metadata.Name.Value, c.Resources.Memory.Value, entrypoint, c.Process.User.Value.User,
			c.Process.Workdir.Value, pairs(mapOf(c.Metadata.Labels.Values())), mode, c.Network.DNSOptions.Values()), nil
	},
}}

// commandLine prints what flags came to.
func commandLine(image string, command []string, stdin, tty, rm, readOnly, initProcess, privileged, publishAll bool, env string, ports []string, hostname, name string,
	memory int64, entrypoint []string, user, workdir, labels, network string, dnsOptions []string,
) string {
	slices.Sort(ports)
	return fmt.Sprintf("%s %q stdin=%v tty=%v rm=%v ro=%v init=%v priv=%v P=%v env=%q ports=%q host=%q name=%q memory=%d entry=%q user=%q dir=%q labels=%q net=%s dns=%q",
		image, command, stdin, tty, rm, readOnly, initProcess, privileged, publishAll, env, ports, hostname, name, memory, entrypoint, user, workdir, labels, network, dnsOptions)
}
