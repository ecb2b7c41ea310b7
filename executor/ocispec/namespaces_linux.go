package ocispec

import (
	"github.com/moby/sys/user"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// namespaces: mount always; pid, ipc, uts and network unless shared; cgroup by default only on v2, as docker does. docker's time
// namespace is left out: no option reaches it, and runc before 1.2 does not know it.
func (b *builder) namespaces() error {
	add := func(kind specs.LinuxNamespaceType, path string) {
		b.spec.Linux.Namespaces = append(b.spec.Linux.Namespaces, specs.LinuxNamespace{Type: kind, Path: path})
	}
	n := b.c.Namespaces
	add(specs.MountNamespace, "")
	if b.remapped() {
		add(specs.UserNamespace, b.in.UserNSPath)
		b.spec.Linux.UIDMappings, b.spec.Linux.GIDMappings = mappings(b.in.IDs.UIDMaps), mappings(b.in.IDs.GIDMaps)
	}
	if b.in.NetnsPath != "" {
		add(specs.NetworkNamespace, b.in.NetnsPath)
	}
	if n.UTS.Value.Mode == "host" {
		b.spec.Hostname = "" // runtimes refuse a hostname without a namespace for it
	} else {
		add(specs.UTSNamespace, "")
	}
	if n.PID.Value.Mode != "host" {
		if n.PID.Value.Mode == "container" && b.in.PIDPath == "" {
			return refuse("pid", "container %q is not running", n.PID.Value.Container)
		}
		add(specs.PIDNamespace, b.in.PIDPath)
	}
	if n.IPC.Value.Mode != "host" {
		if n.IPC.Value.Mode == "container" && b.in.IPCPath == "" {
			return refuse("ipc", "container %q is not running", n.IPC.Value.Container)
		}
		add(specs.IPCNamespace, b.in.IPCPath)
	}
	if b.ownCgroups() {
		add(specs.CgroupNamespace, "")
	}
	b.domain()
	return nil
}

// mappings tells the runtime what it would otherwise have to read from the namespace: old ones insist.
func mappings(ids []user.IDMap) []specs.LinuxIDMapping {
	var out []specs.LinuxIDMapping
	for _, m := range ids {
		out = append(out, specs.LinuxIDMapping{ContainerID: uint32(m.ID), HostID: uint32(m.ParentID), Size: uint32(m.Count)})
	}
	return out
}

// ownCgroups says whether the container sees its own cgroup as the root of all.
func (b *builder) ownCgroups() bool {
	if m := b.c.Namespaces.CgroupNS; m.Set && m.Value.Mode != "" {
		return m.Value.Mode == "private"
	}
	return b.in.Host.CgroupVersion == 2
}

// domain sets the NIS domain name, for which runtimes have no field at this version of the specification.
func (b *builder) domain() {
	if d := b.c.Namespaces.Domainname.Value; d != "" {
		b.sysctl("kernel.domainname", d)
	}
}

// ownPID says whether the container has a PID namespace, and so a PID 1, of its own.
func (b *builder) ownPID() bool {
	m := b.c.Namespaces.PID.Value.Mode
	return m == "" || m == "private"
}
