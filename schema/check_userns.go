package schema

import (
	"strings"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema/value"
)

const (
	remapKey = "userns-remap"
	// RemapVariable is the environment variable that stands for the policy's userns-remap where no file has it.
	RemapVariable = "RUNFILE_USERNS_REMAP"
)

// applyRemap tells each container that does not keep the host's user namespace what the policy says of it.
func (p *Project) applyRemap() {
	for _, c := range p.Containers {
		if c.Namespaces.UserNS.Value.Mode != "host" {
			c.Namespaces.Remap = p.Policy.UsernsRemap
		}
	}
}

// Remap sets the project's userns-remap from the environment, unless its policy has one, and checks what follows from
// it. An empty text sets nothing. The error is about the text, the diagnostics are about the containers.
func (p *Project) Remap(text string) (diag.List, error) {
	if text == "" || p.Policy.UsernsRemap.Set {
		return nil, nil
	}
	who, err := value.RemapSyntax().Parse(text)
	if err != nil {
		return nil, err
	}
	p.Policy.UsernsRemap = Opt[string]{Value: who, Set: true}
	p.applyRemap()
	k := &checker{p: p}
	for _, c := range p.Containers {
		k.remapped(c)
	}
	return k.diags, nil
}

// remapped refuses what a user namespace cannot have: anything that is the host's, and the namespaces of a container
// whose users are others.
func (k *checker) remapped(c *Container) {
	if !c.Namespaces.Remap.Set {
		return
	}
	if v, ok := given(c, "privileged"); ok {
		k.notRemapped(c, "privileged", v.At, "a privileged container's root is the host's root")
	}
	if mode, at := networkMode(c); mode == value.NetworkHost {
		k.notRemapped(c, "network host", at, "the host's network belongs to the host's users")
	}
	for _, n := range []struct {
		name string
		mode Opt[value.NamespaceMode]
	}{{"pid", c.Namespaces.PID}, {"ipc", c.Namespaces.IPC}} {
		if n.mode.Value.Mode == "host" {
			k.notRemapped(c, n.name+" host", n.mode.At, "that namespace belongs to the host's users")
		}
	}
	for _, o := range c.Security.Options {
		on, err := value.Bool(o.Value.Value)
		if o.Value.Key == "writable-cgroups" && (o.Value.Value == "" || err == nil && on) {
			k.notRemapped(c, "security-opt writable-cgroups", o.At, "the cgroups belong to the host's users")
		}
	}
	k.sameUsers(c)
}

// notRemapped reports an option that only a container with the host's users can have.
func (k *checker) notRemapped(c *Container, option string, at diag.Range, why string) {
	d := k.diags.Errorf(CodeConflict, at, "%s: %s and %s exclude each other: %s", who(c), option, k.remapName(c), why).
		WithLabel("%s", option).WithHelp("add userns: host to this container, or remove %s", option)
	k.alsoRemap(d, c)
}

// remapName is what remaps a container, in words that lead there.
func (k *checker) remapName(c *Container) string {
	if c.Namespaces.Remap.At.IsZero() {
		return RemapVariable + "=" + c.Namespaces.Remap.Value
	}
	return remapKey
}

func (k *checker) alsoRemap(d *diag.Diagnostic, c *Container) {
	if at := c.Namespaces.Remap.At; !at.IsZero() {
		d.Also(at, "%s", remapKey)
	}
}

// sameUsers demands that whoever shares a namespace with a container has the same users: the namespace belongs to that
// one's user namespace.
func (k *checker) sameUsers(c *Container) {
	for _, r := range References(c) {
		owner := k.index.container(r.Target)
		if !strings.Contains(" network pid ipc ", " "+r.Kind+" ") || owner == nil || owner == c || owner.Namespaces.Remap.Set {
			continue
		}
		d := k.diags.Errorf(CodeConflict, r.At, "container %q: %s container:%s and %s exclude each other: %q keeps the host's users",
			c.Key, r.Option, r.Target, k.remapName(c), owner.Key).
			Also(owner.Namespaces.UserNS.At, "%q", owner.Key).WithHelp("give both containers userns: host, or none of them")
		k.alsoRemap(d, c)
	}
}
