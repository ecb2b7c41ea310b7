package format

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// HostConfig is docker's HostConfig as far as the options reach.
type HostConfig struct {
	Binds           []string
	ContainerIDFile string
	LogConfig       LogConfig
	NetworkMode     string
	PortBindings    map[string][]PortBinding
	RestartPolicy   RestartPolicy
	AutoRemove      bool
	VolumesFrom     []string
	Annotations     map[string]string `json:",omitempty"`
	CapAdd          []string
	CapDrop         []string
	CgroupnsMode    string
	DNS             []string `json:"Dns"`
	DNSOptions      []string `json:"DnsOptions"`
	DNSSearch       []string `json:"DnsSearch"`
	ExtraHosts      []string
	GroupAdd        []string
	IpcMode         string
	Links           []string
	PidMode         string
	Privileged      bool
	PublishAllPorts bool
	ReadonlyRootfs  bool
	SecurityOpt     []string
	Tmpfs           map[string]string
	UTSMode         string
	UsernsMode      string
	ShmSize         int64 // bytes
	Sysctls         map[string]string
	Runtime         string
	CPUShares       int64 `json:"CpuShares"`
	Memory          int64 // bytes
	NanoCPUs        int64 `json:"NanoCpus"`
	CpusetCpus      string
	Devices         []Device
	MemorySwap      int64 // bytes
	PidsLimit       *int64
	Ulimits         []Ulimit
	Init            *bool `json:",omitempty"`
}

// LogConfig is docker's.
type LogConfig struct {
	Type   string
	Config map[string]string
}

// RestartPolicy is docker's.
type RestartPolicy struct {
	Name              string
	MaximumRetryCount int
}

// Device is docker's.
type Device struct {
	PathOnHost        string
	PathInContainer   string
	CgroupPermissions string
}

// Ulimit is docker's.
type Ulimit struct {
	Name       string
	Hard, Soft int64
}

// defaultShmSize is docker's, in bytes.
const defaultShmSize = 64 << 20

func newHostConfig(c *schema.Container, e *schema.Effective) HostConfig {
	restart := c.Lifecycle.Restart.Value
	h := HostConfig{
		ContainerIDFile: c.Metadata.CIDFile.Value,
		LogConfig:       LogConfig{Type: c.Logging.Driver.Or("json-file"), Config: pairs(c.Logging.Options)},
		RestartPolicy:   RestartPolicy{Name: firstOf(restart.Name, "no"), MaximumRetryCount: restart.MaxRetries},
		AutoRemove:      c.Lifecycle.Remove.Value,
		CapAdd:          c.Security.CapAdd.Values(), CapDrop: c.Security.CapDrop.Values(),
		CgroupnsMode: namespace(c.Namespaces.CgroupNS), GroupAdd: c.Process.GroupAdd.Values(),
		DNS: c.Network.DNS.Values(), DNSOptions: c.Network.DNSOptions.Values(), DNSSearch: c.Network.DNSSearch.Values(),
		IpcMode: namespace(c.Namespaces.IPC), PidMode: namespace(c.Namespaces.PID), UTSMode: namespace(c.Namespaces.UTS),
		UsernsMode: namespace(c.Namespaces.UserNS),
		Privileged: c.Security.Privileged.Value, PublishAllPorts: c.Network.PublishAll.Value,
		ReadonlyRootfs: c.Mounts.ReadOnly.Value, ShmSize: c.Mounts.ShmSize.Or(defaultShmSize),
		Sysctls: pairs(c.Process.Sysctls), Runtime: e.RuntimeName, CPUShares: c.Resources.CPUShares.Value,
		Memory: c.Resources.Memory.Value, NanoCPUs: c.Resources.NanoCPUs.Value, CpusetCpus: c.Resources.CPUSetCPUs.Value,
		MemorySwap: c.Resources.MemorySwap.Value, PortBindings: portBindings(c), NetworkMode: networkMode(c),
	}
	if len(c.Metadata.Annotations) > 0 {
		h.Annotations = pairs(c.Metadata.Annotations)
	}
	if c.Resources.PidsLimit.Set {
		h.PidsLimit = &c.Resources.PidsLimit.Value
	}
	if c.Process.Init.Set {
		h.Init = &c.Process.Init.Value
	}
	for _, s := range c.Security.Options.Values() {
		h.SecurityOpt = append(h.SecurityOpt, joined(s.Key, "=", s.Value))
	}
	for _, l := range c.Network.Links.Values() {
		h.Links = append(h.Links, joined(l.Container, ":", l.Alias))
	}
	for _, a := range c.Network.AddHosts.Values() {
		ip := a.IP.String()
		if a.Gateway {
			ip = "host-gateway"
		}
		h.ExtraHosts = append(h.ExtraHosts, a.Name+":"+ip)
	}
	for _, u := range c.Process.Ulimits.Values() {
		h.Ulimits = append(h.Ulimits, Ulimit{Name: u.Name, Hard: u.Hard, Soft: u.Soft})
	}
	for _, d := range c.Devices.Devices.Values() {
		h.Devices = append(h.Devices, Device{PathOnHost: d.Source, PathInContainer: d.Target, CgroupPermissions: d.Permissions})
	}
	h.addMounts(c)
	return h
}

func (h *HostConfig) addMounts(c *schema.Container) {
	for _, m := range c.Mounts.Volumes.Values() {
		if m.Source == "" {
			continue // an anonymous volume is no bind in docker's sense
		}
		var words []string
		for _, w := range []string{m.Propagation, m.Relabel} {
			if w != "" {
				words = append(words, w)
			}
		}
		if m.ReadOnly {
			words = append(words, "ro")
		}
		if m.NoCopy {
			words = append(words, "nocopy")
		}
		h.Binds = append(h.Binds, joined(m.Source+":"+m.Target, ":", strings.Join(words, ",")))
	}
	for _, v := range c.Mounts.VolumesFrom.Values() {
		mode := ""
		if v.ReadOnly {
			mode = "ro"
		}
		h.VolumesFrom = append(h.VolumesFrom, joined(v.Container, ":", mode))
	}
	for _, t := range c.Mounts.Tmpfs.Values() {
		if h.Tmpfs == nil {
			h.Tmpfs = map[string]string{}
		}
		h.Tmpfs[t.Target] = strings.Join(t.Options, ",")
	}
}

// joined appends separator and tail unless tail is empty.
func joined(head, separator, tail string) string {
	if tail == "" {
		return head
	}
	return head + separator + tail
}

func pairs(list schema.Items[value.KeyValue]) map[string]string {
	out := map[string]string{}
	for _, kv := range list.Values() {
		out[kv.Key] = kv.Value
	}
	return out
}

func namespace(n schema.Opt[value.NamespaceMode]) string {
	return joined(n.Value.Mode, ":", n.Value.Container)
}

func networkMode(c *schema.Container) string {
	if len(c.Network.Networks) == 0 {
		return "bridge"
	}
	switch n := c.Network.Networks[0].Value; n.Mode {
	case value.NetworkContainer:
		return "container:" + n.Name
	case value.NetworkUser:
		return n.Name
	default:
		return string(n.Mode)
	}
}

func portBindings(c *schema.Container) map[string][]PortBinding {
	out := map[string][]PortBinding{}
	for _, p := range c.Network.Publish.Values() {
		for i := 0; i <= int(p.ContainerLast)-int(p.ContainerFirst); i++ {
			b := PortBinding{}
			if p.HostIP.IsValid() {
				b.HostIP = p.HostIP.String()
			}
			if p.HostFirst != 0 {
				b.HostPort = hostPort(p, i)
			}
			key := fmt.Sprintf("%d/%s", int(p.ContainerFirst)+i, p.Proto)
			out[key] = append(out[key], b)
		}
	}
	return out
}

// hostPort is the host's end of the i-th port of a mapping. One container port with a range of host ports takes any of
// them, which docker writes as the range.
func hostPort(p value.PortMapping, i int) string {
	if p.ContainerFirst == p.ContainerLast && p.HostFirst != p.HostLast {
		return fmt.Sprintf("%d-%d", p.HostFirst, p.HostLast)
	}
	return strconv.Itoa(int(p.HostFirst) + i)
}
