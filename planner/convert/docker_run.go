package convert

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/planner/convert/shell"
	"github.com/runfile/runfile/schema"
)

// clientFlags are the flags before docker's verb that take a value, docker's, podman's and nerdctl's.
var clientFlags = []string{
	"-H", "--host", "-c", "--context", "--config", "-l", "--log-level", "--tlscacert", "--tlscert", "--tlskey", "--connection",
	"--url", "--identity", "--root", "--runroot", "--storage-driver", "--storage-opt", "--runtime", "-n", "--namespace", "-a", "--address",
}

// foreignFlags are podman's and nerdctl's flags of run that take a value and are not docker's.
var foreignFlags = []string{
	"arch", "authfile", "cgroup-conf", "cgroups", "chrootdirs", "conmon-pidfile", "creds", "decryption-key", "env-merge", "gidmap",
	"group-entry", "health-log-destination", "health-max-log-count", "health-max-log-size", "health-on-failure",
	"health-startup-cmd", "health-startup-interval", "health-startup-retries", "health-startup-success",
	"health-startup-timeout", "hooks-dir", "hostuser", "image-volume", "init-ctr", "os", "passwd-entry", "personality", "pidfile",
	"pod", "pod-id-file", "preserve-fd", "preserve-fds", "rdt-class", "requires", "retry", "retry-delay", "rootfs", "sdnotify",
	"seccomp-policy", "secret", "shm-size-systemd", "subgidname", "subuidname", "systemd", "timeout", "tz", "uidmap", "umask", "unsetenv",
	"variant", "snapshotter", "cosign-key", "verify",
}

// docker handles a command of docker or of a tool with its command line.
func (r *dockerReader) docker(tool string, cmd shell.Simple, words []shell.Word) {
	words = r.clientFlags(tool, words)
	var verb []string
	for len(words) > 0 && len(verb) < 2 {
		text, ok := words[0].Static()
		if !ok || strings.HasPrefix(text, "-") || len(verb) == 1 && !slices.Contains([]string{"container", "network", "volume"}, verb[0]) {
			break
		}
		verb = append(verb, text)
		words = words[1:]
	}
	if len(verb) > 0 && verb[0] == "container" {
		verb = verb[1:]
	}
	switch v := strings.Join(verb, " "); v {
	case "run", "create":
		r.run(tool+" "+v, cmd, words, v == "create")
	case "network create":
		r.define(cmd, words, "networks", &r.networks)
	case "volume create":
		r.define(cmd, words, "volumes", &r.volumes)
	case "volume inspect", "network inspect":
		r.inspect(verb[0], words)
	case "wait":
		r.wait(words)
	case "start":
		r.start(words)
	default:
		r.lose(cmd.Range, "%s is not a docker run line", excerpt(source(cmd.Words))).WithHelp("%s", insteadOf(v))
	}
}

// insteadOf says what does the work of a docker command with a runfile.
func insteadOf(verb string) string {
	switch verb {
	case "rm", "stop", "kill", "network rm", "volume rm":
		return "runfile down stops and removes what runfile up has started"
	case "pull":
		return "runfile up pulls what is missing"
	case "build", "buildx", "image":
		return "build the image first; the runfile names it"
	case "exec", "logs", "ps", "inspect", "attach", "cp", "port", "restart":
		return "do it after runfile up, as with docker: runfile " + verb
	}
	return "do it before or after runfile up"
}

// clientFlags reports flags between docker and its verb, which say where the containers run.
func (r *dockerReader) clientFlags(tool string, words []shell.Word) []shell.Word {
	for len(words) > 0 && strings.HasPrefix(words[0].Prefix(), "-") {
		text, _ := words[0].Static()
		n := 1
		if slices.Contains(clientFlags, text) && len(words) > 1 {
			n = 2
		}
		r.lose(words[0].Range, "%s is about %s itself", excerpt(source(words[:n])), tool).
			WithHelp("runfile runs containers on this machine")
		words = words[n:]
	}
	return words
}

// run handles docker run and docker create; words are what follows.
func (r *dockerReader) run(who string, cmd shell.Simple, words []shell.Word, createOnly bool) {
	words = r.vars.spread(words)
	if r.typeset(words) {
		return
	}
	flags, image, ok := r.split(who, cmd, &words)
	if !ok {
		return
	}
	if len(r.containers) == maxContainers || len(r.draft.vars) > maxVariables {
		r.lose(cmd.Range, "only %d containers and %d variables are carried", maxContainers, maxVariables)
		return
	}
	c := r.addContainer(r.nameOf(flags, words, image), cmd.Range)
	c.set("image", textNode(r.vars.text(words[image]), words[image].Range))
	for _, f := range flags {
		r.flag(c, f, words[f.Arg])
	}
	if rest := words[image+1:]; len(rest) > 0 {
		var items []*manifest.Node
		for _, w := range rest {
			items = append(items, textNode(r.vars.text(w), w.Range))
		}
		at := rest[0].Range
		at.End = rest[len(rest)-1].Range.End
		c.set("command", listNode(items, at))
	}
	r.named(c)
	r.windows(c)
	if createOnly {
		r.created[c.key] = c
	}
	r.surroundings(c, cmd)
}

// typeset reports dashes and quotes that a word processor has put in the place of a keyboard's. What they mean is clear to
// people alone.
func (r *dockerReader) typeset(words []shell.Word) (found bool) {
	for _, w := range words {
		text := w.Prefix()
		bare := strings.TrimLeft(text, "\u2013\u2014\u2212")
		switch {
		case bare != text && bare != "":
			dashes := "--"
			if len(bare) == 1 {
				dashes = "-"
			}
			r.lose(w.Range, "the dash of %s is no minus, so this is no flag", excerpt(text)).WithHelp("write %s%s", dashes, bare)
		case strings.ContainsAny(text, "\u201c\u201d\u2018\u2019") && !w.Parts[0].Quoted:
			r.lose(w.Range, "the quotes of %s are letters to a shell", excerpt(text)).WithHelp(`write " or '`)
		default:
			continue
		}
		found = true
	}
	return found
}

// split takes the arguments of docker run apart. Variables that seem to hold flags are reported and removed.
func (r *dockerReader) split(who string, cmd shell.Simple, words *[]shell.Word) (flags []schema.Flag, image int, ok bool) {
	for {
		list := *words
		args := make([]string, len(list))
		for i, w := range list {
			args[i] = quiet(w)
		}
		flags, image, diags := schema.SplitRun(args, schema.Syntax{
			Who: who,
			At: func(i int) diag.Range {
				if i < len(list) {
					return list[i].Range
				}
				return cmd.Range
			},
			Valued: seemsValued,
		})
		if image < len(list)-1 && standsForFlags(list[image]) {
			r.lose(list[image].Range, "what %s stands for is not known here", source(list[image:image+1])).
				WithHelp("write the flags in its place")
			*words = slices.Delete(slices.Clone(list), image, image+1)
			continue
		}
		for _, found := range diags {
			found.Severity, found.Label = diag.Warning, "left out"
			r.diags = append(r.diags, found)
			r.lost = true
		}
		if image >= len(list) {
			r.lose(cmd.Range, "there is no image").WithHelp("write %s [OPTIONS] IMAGE [COMMAND] [ARG...]", who)
			return nil, 0, false
		}
		return flags, image, true
	}
}

// seemsValued reports whether a flag that docker does not have takes a value: another tool's, or one that is misspelt.
func seemsValued(name string) bool {
	if slices.Contains(foreignFlags, name) {
		return true
	}
	var valued, all []string
	for _, o := range schema.Options() {
		all = append(all, o.Name)
		if o.Kind != schema.Switch && !o.NoFlag {
			valued = append(valued, o.Name)
		}
	}
	near, ok := diag.Nearest(name, all)
	return ok && len(name) > 3 && slices.Contains(valued, near) // short ones are short flags with a dash too many
}

// quiet is a word for taking flags apart: its text, in which variables and commands are a sign that no flag has.
func quiet(w shell.Word) string {
	var b strings.Builder
	for _, p := range w.Parts {
		if p.Kind == shell.Literal {
			b.WriteString(p.Text)
		} else {
			b.WriteString("\x00")
		}
	}
	return b.String()
}

// nameOf is the container's key: its name, else the last part of its image's.
func (r *dockerReader) nameOf(flags []schema.Flag, words []shell.Word, image int) string {
	for _, f := range flags {
		if name, ok := r.vars.static(flagWord(f, words[f.Arg])); ok && f.Name == "name" && name != "" {
			return name
		}
	}
	if text, ok := r.vars.static(words[image]); ok {
		return imageKey(text)
	}
	return imageKey(strings.Trim(strings.NewReplacer("\x00", "", "..", "").Replace(quiet(words[image])), ":/"))
}

// flagWord is the word of a flag's value, without the flag in front of it: --env=A=1, -p80:80.
func flagWord(f schema.Flag, w shell.Word) shell.Word {
	all := quiet(w)
	if len(f.Text) >= len(all) || !strings.HasSuffix(all, f.Text) {
		return w
	}
	return w.Cut(len(all) - len(f.Text))
}

// flag carries one flag into the container.
func (r *dockerReader) flag(c *part, f schema.Flag, w shell.Word) {
	o, ok := schema.Lookup(f.Name)
	if !ok {
		r.lose(w.Range, "--%s is not carried", f.Name).WithHelp("it is about the command that runs the container, not about the container")
		return
	}
	text := f.Text
	if w = flagWord(f, w); o.Kind != schema.Switch || strings.Contains(text, "\x00") {
		text = r.vars.text(w)
	}
	switch f.Name {
	case "volume", "env-file", "label-file", "cidfile":
		text = fromHere(text)
	case "env":
		if x := r.vars.current[text]; x != nil && !x.without {
			text += "=${" + r.vars.use(text, "", w.Range) + "}" // the script sets what docker would find in its environment
		}
	}
	c.give(o, text, w.Range)
}

// fromHere writes a path below the directory of the runfile as relative, with slashes.
func fromHere(text string) string {
	if rest, ok := strings.CutPrefix(text, here); ok {
		if source, _, _ := strings.Cut(rest, ":"); strings.HasPrefix(source, `\`) {
			rest = strings.ReplaceAll(source, `\`, "/") + rest[len(source):]
		}
		return "." + rest
	}
	return text
}

// windowsTarget is a place on a drive in the container; a drive of the host alone proves nothing.
var windowsTarget = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`:[A-Za-z]:(\\|$)|^[A-Za-z]:\\[^:]*$`) })

// windows finds containers that are for Windows: with drives inside, or with its images. Docker has them on Windows
// only, where nobody names the platform.
func (r *dockerReader) windows(c *part) {
	isWindows := strings.Contains(c.get("image").Text, "microsoft/") || strings.Contains(c.get("image").Text, "mcr.microsoft.com/windows")
	for _, option := range []string{"volume", "workdir"} {
		if n := c.get(option); n != nil {
			isWindows = isWindows || slices.ContainsFunc(append([]*manifest.Node{n}, n.Items...), func(n *manifest.Node) bool {
				return windowsTarget().MatchString(n.Text)
			})
		}
	}
	if !isWindows || c.get("platform") != nil {
		return
	}
	c.set("platform", textNode("windows/amd64", c.at))
	r.change(c.at, "%s seems to be a Windows container, so it has platform: windows/amd64", c.key)
}

// named keeps names unique in the file, which a script that removes containers in between need not.
func (r *dockerReader) named(c *part) {
	name := c.get("name")
	if name == nil || name.Text == c.key {
		return
	}
	for _, o := range r.containers {
		if n := o.get("name"); o != c && n != nil && n.Text == name.Text {
			r.change(name.Range, "the name %q is taken by another line", name.Text).Also(n.Range, "first here").
				WithHelp("it has become %s", c.key)
			c.set("name", textNode(c.key, name.Range))
			return
		}
	}
}

// surroundings looks at what the script does with a container besides running it.
func (r *dockerReader) surroundings(c *part, cmd shell.Simple) {
	isJob := !c.isService() && r.created[c.key] != c
	for _, x := range cmd.Redirects {
		if !isJob && strings.Contains(x.Op, ">") {
			continue // the id that docker run -d prints
		}
		r.lose(x.Range, "the redirection is not carried").WithHelp("redirect runfile up, or read runfile logs %s", c.key)
	}
	if strings.HasPrefix(cmd.End, "|") && cmd.End != "||" {
		r.lose(cmd.Range, "the pipe behind it is not carried").WithHelp("read runfile logs %s", c.key)
	}
	if r.script {
		r.steps = append(r.steps, step{c: c, runs: true, job: isJob, failing: cmd.End == "||", behind: isJob && cmd.End == "&"})
	}
}

// wait handles docker wait: the container is a job, although it was started in the background.
func (r *dockerReader) wait(words []shell.Word) {
	for _, w := range words {
		if c := r.reference(w); c != nil {
			c.drop("detach")
			r.steps = append(r.steps, step{c: c, job: true})
		}
	}
}

// start handles docker start of what was created before.
func (r *dockerReader) start(words []shell.Word) {
	for _, w := range words {
		if text, _ := w.Static(); strings.HasPrefix(text, "-") {
			continue
		}
		if c := r.reference(w); c != nil {
			delete(r.created, c.key)
		}
	}
}

// reference finds the container that a word names; one that is not in the script is reported.
func (r *dockerReader) reference(w shell.Word) *part {
	name, ok := r.vars.static(w)
	if c := r.container(name); ok && c != nil {
		return c
	}
	r.lose(w.Range, "no docker run line here makes %s", source([]shell.Word{w}))
	return nil
}

// define handles docker network create and docker volume create; their options are the keys of the section.
func (r *dockerReader) define(cmd shell.Simple, words []shell.Word, section string, list *[]*part) {
	made := &part{at: cmd.Range}
	words = r.vars.spread(words)
	for i := 0; i < len(words); i++ {
		text, ok := r.vars.static(words[i])
		if old, isName := strings.CutPrefix(text, "--name"); isName && section == "volumes" { // docker's first way to say it
			if name, hasValue := strings.CutPrefix(old, "="); hasValue {
				made.key = keyOf(name)
			}
			continue // else the next word is the name, as without the flag
		}
		if !ok || !strings.HasPrefix(text, "-") {
			if made.key = keyOf(text); !ok {
				r.lose(words[i].Range, "the name of the %s is not known here", strings.TrimSuffix(section, "s"))
				return
			}
			continue
		}
		i += r.defineFlag(made, section, words[i:])
	}
	if made.key == "" || find(*list, made.key) != nil {
		return
	}
	*list = append(*list, made)
}

// defineFlag reads one flag of docker network create or docker volume create and returns how many words it took besides.
func (r *dockerReader) defineFlag(made *part, section string, words []shell.Word) int {
	text, _ := r.vars.static(words[0])
	name, val, hasValue := strings.Cut(strings.TrimLeft(text, "-"), "=")
	if long := map[string]string{"d": "driver", "o": "opt"}[name]; long != "" {
		name = long
	}
	o := sectionOption(section, name)
	w, took := words[0], 0
	switch isSwitch := o != nil && o.Kind == schema.Switch || name == "attachable" || name == "ingress"; {
	case hasValue:
		val = literal(val)
	case isSwitch:
		val = "true"
	case len(words) > 1:
		w, took, val = words[1], 1, r.vars.text(words[1])
	}
	option, optionText, _ := strings.Cut(val, "=")
	switch bridge := bridgeOptions[option]; {
	case section == "networks" && name == "driver" && val == "bridge": // the usual one
	case section == "networks" && name == "opt" && bridge != "":
		made.give(sectionOption(section, bridge), optionText, w.Range)
	case o != nil:
		made.give(o, val, w.Range)
	default:
		r.lose(w.Range, "--%s of a %s is not carried", name, strings.TrimSuffix(section, "s"))
	}
	return took
}

// bridgeOptions are docker's options of the bridge driver that a network of a runfile has as keys.
var bridgeOptions = map[string]string{
	"com.docker.network.driver.mtu": "mtu", "com.docker.network.bridge.enable_icc": "icc",
}

// inspect handles docker volume inspect: a volume that is looked at and never made has to be there.
func (r *dockerReader) inspect(what string, words []shell.Word) {
	for _, w := range words {
		name, ok := r.vars.static(w)
		if !ok || strings.HasPrefix(name, "-") || what != "volume" {
			continue
		}
		r.asked = append(r.asked, &part{key: keyOf(name), at: w.Range})
	}
}

// isService reports the role of a container in the draft as schema does for one that has been read.
func (p *part) isService() bool {
	on := func(option string, values ...string) bool {
		n := p.get(option)
		return n != nil && slices.Contains(values, n.Text)
	}
	return on("detach", "true") || on("restart", "always", "unless-stopped")
}
