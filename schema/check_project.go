package schema

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema/value"
)

// names finds names and cidfiles that two containers claim, and names that are another container's key: a reference
// could mean either.
func (k *checker) names() {
	names, files := map[string]*Container{}, map[string]*Container{}
	for _, c := range k.p.Containers {
		if n := c.Metadata.Name; n.Set {
			if first := names[n.Value]; first != nil {
				k.diags.Errorf(CodeDuplicateName, n.At, "the containers %q and %q have the same name", first.Key, c.Key).
					Also(first.Metadata.Name.At, "first here").WithHelp("change one of them")
			} else if o := k.index.keys[n.Value]; o != nil && o != c {
				k.diags.Errorf(CodeDuplicateName, n.At, "the container %q has the name that is the key of another", c.Key).
					Also(o.At, "the other container").WithHelp("change one of them")
			} else {
				names[n.Value] = c
			}
		}
		if f := c.Metadata.CIDFile; f.Set {
			if first := files[f.Value]; first != nil {
				k.diags.Errorf(CodeDuplicateName, f.At, "the containers %q and %q write the same cidfile", first.Key, c.Key).
					Also(first.Metadata.CIDFile.At, "first here").WithHelp("change one of them")
				continue
			}
			files[f.Value] = c
		}
	}
}

// together reports whether two containers can take part in the same run: those in different profiles need not.
func together(a, b *Container) bool {
	if a == b || len(a.Lifecycle.Profiles) == 0 || len(b.Lifecycle.Profiles) == 0 {
		return true
	}
	for _, p := range a.Lifecycle.Profiles {
		if slices.ContainsFunc(b.Lifecycle.Profiles, func(q Item[string]) bool { return q.Value == p.Value }) {
			return true
		}
	}
	return false
}

// binding is a published port of which the host side is fixed.
type binding struct {
	c *Container
	Item[value.PortMapping]
}

// ports finds host ports that are published twice.
func (k *checker) ports() {
	var all []binding
	taken := map[string]*portSet{}
	for _, c := range k.p.Containers {
		if mode, _ := networkMode(c); mode != value.NetworkBridge && mode != value.NetworkUser {
			continue
		}
		for _, p := range c.Network.Publish {
			b := binding{c, p}
			// No host port, or several for one container port: the first that is free is taken.
			if p.Value.HostFirst == 0 || p.Value.HostFirst != p.Value.HostLast && p.Value.ContainerFirst == p.Value.ContainerLast {
				continue
			}
			set := taken[p.Value.Proto]
			if set == nil {
				set = new(portSet)
				taken[p.Value.Proto] = set
			}
			if set.add(p.Value.HostFirst, p.Value.HostLast) {
				k.clashes(b, all)
			}
			all = append(all, b)
		}
	}
}

// clashes compares a binding with those before it, one of which has one of its ports at some address.
func (k *checker) clashes(b binding, before []binding) {
	for _, o := range before {
		if clash(b.Value, o.Value) && together(b.c, o.c) {
			k.samePort(b, o)
			return
		}
	}
}

// portSet holds the ports of a protocol that are taken at any address.
type portSet [(1 << 16) / 64]uint64

// add takes the ports from first to last, and reports whether one of them was taken.
func (s *portSet) add(first, last uint16) bool {
	found := false
	for port := int(first); port <= int(last); port++ {
		bit := uint64(1) << (port % 64)
		found = found || s[port/64]&bit != 0
		s[port/64] |= bit
	}
	return found
}

func (k *checker) samePort(b, first binding) {
	port := max(b.Value.HostFirst, first.Value.HostFirst)
	what := fmt.Sprintf("containers %q and %q publish", first.c.Key, b.c.Key)
	if b.c == first.c {
		what = who(b.c) + " twice publishes"
	}
	k.diags.Errorf(CodeDuplicatePort, b.At, "%s the host's port %d/%s", what, port, b.Value.Proto).
		Also(first.At, "first here").WithHelp("choose another host port, or leave it out to get a free one")
}

func clash(a, b value.PortMapping) bool {
	if a.Proto != b.Proto || a.HostLast < b.HostFirst || b.HostLast < a.HostFirst {
		return false
	}
	return sameAddress(a.HostIP, b.HostIP)
}

// sameAddress reports whether two host addresses cannot be bound side by side. None means all of both families.
func sameAddress(a, b netip.Addr) bool {
	switch {
	case !a.IsValid() || !b.IsValid() || a == b:
		return true
	case a.Is4() != b.Is4():
		return false
	}
	return a.IsUnspecified() || b.IsUnspecified()
}

// references finds containers that refer to themselves and names of networks and volumes where a container's belongs.
func (k *checker) references() {
	for _, c := range k.p.Containers {
		for _, r := range References(c) {
			target := k.index.container(r.Target)
			switch {
			case target == c:
				k.diags.Errorf(CodeSelfReference, r.At, "%s refers to itself with %s", who(c), r.Option).
					WithHelp("name another container, or remove the entry")
			case target != nil:
			default:
				k.wrongKind(c, r)
			}
		}
	}
}

// donors refuses to join an IPC namespace that its owner keeps to itself.
func (k *checker) donors() {
	for _, c := range k.p.Containers {
		mode := c.Namespaces.IPC
		if mode.Value.Container == "" {
			continue
		}
		donor := k.index.container(mode.Value.Container)
		if donor == nil || donor == c {
			continue
		}
		if own := donor.Namespaces.IPC; own.Value.Mode == "private" || own.Value.Mode == "none" {
			k.diags.Errorf(CodeConflict, mode.At, "container %q joins the IPC namespace of %q, which keeps it to itself", c.Key, donor.Key).
				Also(own.At, "ipc of %s", donor.Key).WithHelp("write %s there, or leave it out", assign(own.At, "ipc", "shareable"))
		}
	}
}

// secretNames demands that secrets are declared.
func (k *checker) secretNames() {
	for _, c := range k.p.Containers {
		for _, s := range c.Metadata.Secrets {
			if k.index.secrets[s.Value.Source] != nil {
				continue
			}
			k.diags.Errorf(CodeNeeds, s.At, "container %q: there is no secret %q in the section secrets", c.Key, s.Value.Source).
				WithHelp("add %s", entry(s.At, "secrets", s.Value.Source, "file", "PATH"))
		}
	}
}

func (k *checker) wrongKind(c *Container, r Reference) {
	if v := k.index.volumes[r.Target]; v != nil {
		k.diags.Errorf(CodeWrongReference, r.At, "%s, %s: %q is a volume, not a container", who(c), r.Option, r.Target).
			Also(v.At, "the volume").WithHelp("write %s", assign(r.At, "volume", r.Target+":/PATH"))
	} else if n := k.index.networks[r.Target]; n != nil {
		k.diags.Errorf(CodeWrongReference, r.At, "%s, %s: %q is a network, not a container", who(c), r.Option, r.Target).
			Also(n.At, "the network").WithHelp("write %s", assign(r.At, "network", r.Target))
	}
}

// conditions finds dependencies that can never be met, and dependencies that are given twice.
func (k *checker) conditions() {
	for _, c := range k.p.Containers {
		seen := map[string]diag.Range{}
		for _, dep := range c.Lifecycle.DependsOn {
			if first, twice := seen[dep.Value.Container]; twice {
				k.diags.Errorf(CodeDuplicateEntry, dep.At, "container %q depends twice on %q", c.Key, dep.Value.Container).
					Also(first, "first here").WithHelp("keep one of them")
			}
			seen[dep.Value.Container] = dep.At
			if target := k.index.container(dep.Value.Container); target != nil && target != c {
				k.condition(c, target, dep)
			}
		}
	}
}

func (k *checker) condition(c, target *Container, dep Item[value.Dependency]) {
	report := func(because diag.Range, why, help string) {
		k.diags.Errorf(CodeBadCondition, dep.At, "container %q waits until %q is %s, which cannot happen: %s",
			c.Key, target.Key, dep.Value.Condition, why).Also(because, "%s", target.Key).WithHelp("%s", help)
	}
	restart := target.Lifecycle.Restart
	endless := restart.Value.Name == "always" || restart.Value.Name == "unless-stopped"
	switch dep.Value.Condition {
	case value.Ready:
		if !target.Lifecycle.Ready.Set {
			report(target.At, "it has no ready", fmt.Sprintf("add ready to %q, or wait until it is started or healthy", target.Key))
		}
	case value.Healthy:
		if target.Health.Disable.Value {
			report(target.Health.Disable.At, "its health check is switched off", "wait until it is started, or remove no-healthcheck")
		}
	case value.Completed, value.Exited:
		if endless {
			report(restart.At, "it is started again whenever it ends", "wait until it is started, ready or healthy")
		}
	case value.Auto, value.Created, value.Started:
	}
}

// terminals allows one container in the foreground to have the terminal.
func (k *checker) terminals() {
	var owners []*Container
	for _, c := range k.p.Containers {
		v, ok := terminal(c)
		if !ok {
			continue
		}
		for _, o := range owners {
			if together(c, o) {
				first, _ := terminal(o)
				k.diags.Errorf(CodeTwoTerminals, v.At, "the containers %q and %q both want the terminal", o.Key, c.Key).
					Also(first.At, "first here").WithHelp("detach one of them, or put it into a profile and start it by itself")
				break
			}
		}
		owners = append(owners, c)
	}
}

// terminal returns what makes a container want the terminal.
func terminal(c *Container) (Value, bool) {
	if c.Lifecycle.Detach.Value {
		return Value{}, false
	}
	if v, ok := given(c, "tty"); ok {
		return v, true
	}
	return given(c, "interactive")
}
