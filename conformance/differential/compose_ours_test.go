package differential

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/runfile/runfile/planner"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// ours are the facts of a converted file that has been read, at the places of compose.
func ours(p *schema.Project, edges []planner.Edge) facts {
	f := facts{}
	own := sharedNetwork(p)
	for _, n := range p.Networks {
		ourNetwork(section{f, "networks." + composeNetwork(own, n.Key)}, n)
	}
	for _, v := range p.Volumes {
		ourVolume(section{f, "volumes." + v.Key}, v)
	}
	for _, c := range p.Containers {
		f["services."+c.Key] = "there"
		at := section{f, "services." + c.Key}
		ourProcess(at, c)
		ourSecurity(at, c)
		ourResources(at, c)
		ourBlkio(at.in("blkio_config"), &c.Blkio)
		ourEndpoints(at, &c.Network)
		ourNetworks(at, own, &c.Network)
		ourMounts(at, &c.Mounts)
		ourLifecycle(at, c)
		ourHealth(at.in("healthcheck"), &c.Health)
	}
	for _, e := range edges {
		f["services."+e.From+".depends_on."+e.To] = cmp.Or(map[string]string{"completed": "completed_successfully"}[e.Condition], e.Condition)
	}
	return f
}

// sharedNetwork is the network of services that name none: shared, or shared-2 where a file has one of that name itself.
// Compose calls it default, which docker run has for its bridge.
func sharedNetwork(p *schema.Project) string {
	for _, n := range p.Networks {
		if n.Key == "shared-2" {
			return n.Key
		}
	}
	return "shared"
}

func composeNetwork(own, key string) string {
	if key == own {
		return "default"
	}
	return key
}

func ourNetwork(f section, n *schema.NetworkDef) {
	f.flag("internal", n.Internal.Value)
	f.flag("enable_ipv6", n.IPv6.Value)
	f.put("ipam.config", strings.TrimSpace(n.Subnet.Value+" "+n.Gateway.Value))
	if n.MTU.Set {
		f.put("driver_opts.com.docker.network.driver.mtu", fmt.Sprintf("=%d", n.MTU.Value))
	}
	if n.ICC.Set {
		f.put("driver_opts.com.docker.network.bridge.enable_icc", fmt.Sprintf("=%v", n.ICC.Value))
	}
}

func ourVolume(f section, v *schema.VolumeDef) {
	f.put("there", "yes")
	f.flag("external", v.External.Value)
	f.put("driver", v.Driver.Value)
	f.pairs("driver_opts", mapOf(v.Options.Values()))
	f.pairs("labels", mapOf(v.Labels.Values()))
}

func ourProcess(f section, c *schema.Container) {
	p := &c.Process
	f.put("image", c.Image.Ref.Value.Text)
	f.put("container_name", c.Metadata.Name.Value)
	f.words("command", p.Command.Value, p.Command.Set)
	f.words("entrypoint", p.Entrypoint.Value, p.Entrypoint.Set)
	for _, kv := range slices.Concat(p.EnvFromFiles, p.Env.Values()) {
		if kv.HasValue {
			f.put("environment."+kv.Key, "="+kv.Value)
		} else {
			f.put("environment."+kv.Key, "removed")
		}
	}
	f.set("env_file", p.EnvFile.Values())
	f.pairs("labels", mapOf(slices.Concat(c.Metadata.LabelsFromFiles, c.Metadata.Labels.Values())))
	f.pairs("annotations", mapOf(c.Metadata.Annotations.Values()))
	f.put("user", strings.TrimSuffix(p.User.Value.User+":"+p.User.Value.Group, ":"))
	f.path("working_dir", p.Workdir.Value)
	f.set("group_add", p.GroupAdd.Values())
	f.flag("init", p.Init.Value)
	f.flag("tty", c.Stdio.TTY.Value)
	f.flag("stdin_open", c.Stdio.Interactive.Value)
	f.pairs("sysctls", mapOf(p.Sysctls.Values()))
	f.put("runtime", p.Runtime.Value)
	f.put("platform", c.Image.Platform.Value)
	if c.Image.Pull.Value != "missing" {
		f.put("pull_policy", c.Image.Pull.Value)
	}
	if p.Umask.Set {
		f.put("umask", strconv.FormatInt(p.Umask.Value, 8))
	}
	for _, u := range p.Ulimits.Values() {
		f.put("ulimits."+u.Name, fmt.Sprintf("%d:%d", u.Soft, u.Hard))
	}
}

func ourSecurity(f section, c *schema.Container) {
	f.flag("privileged", c.Security.Privileged.Value)
	f.flag("read_only", c.Mounts.ReadOnly.Value)
	f.set("cap_add", c.Security.CapAdd.Values())
	f.set("cap_drop", c.Security.CapDrop.Values())
	f.put("isolation", c.Windows.Isolation.Value)
	var options []string
	for _, o := range c.Security.Options.Values() {
		text := strings.TrimSuffix(o.Key+"="+o.Value, "=")
		options = append(options, strings.TrimSuffix(text, "=true"))
	}
	f.set("security_opt", options)
	n := &c.Namespaces
	for key, m := range map[string]value.NamespaceMode{
		"pid": n.PID.Value, "ipc": n.IPC.Value, "uts": n.UTS.Value, "userns_mode": n.UserNS.Value, "cgroup": n.CgroupNS.Value,
	} {
		f.put(key, strings.TrimSuffix(m.Mode+":"+m.Container, ":"))
	}
	f.put("hostname", n.Hostname.Value)
	f.put("domainname", n.Domainname.Value)
}

func ourResources(f section, c *schema.Container) {
	r := &c.Resources
	f.number("mem_limit", r.Memory.Value)
	f.number("mem_reservation", r.MemoryReservation.Value)
	f.cpus("cpus", float64(r.NanoCPUs.Value))
	f.number("pids_limit", r.PidsLimit.Value)
	f.number("memswap_limit", r.MemorySwap.Value)
	f.number("mem_swappiness", r.MemorySwappiness.Value)
	f.number("shm_size", c.Mounts.ShmSize.Value)
	f.number("cpu_shares", r.CPUShares.Value)
	f.number("cpu_quota", r.CPUQuota.Value)
	f.number("cpu_period", r.CPUPeriod.Value)
	f.number("cpu_rt_period", r.CPURTPeriod.Value)
	f.number("cpu_rt_runtime", r.CPURTRuntime.Value)
	f.number("cpu_count", c.Windows.CPUCount.Value)
	f.number("cpu_percent", c.Windows.CPUPercent.Value)
	f.put("cpuset", r.CPUSetCPUs.Value)
	f.path("cgroup_parent", r.CgroupParent.Value)
	f.flag("oom_kill_disable", r.OOMKillDisable.Value)
	f.number("oom_score_adj", r.OOMScoreAdj.Value)
	var devices, rules []string
	for _, d := range c.Devices.Devices.Values() {
		devices = append(devices, device(d.Source, d.Target, d.Permissions))
	}
	f.set("devices", devices)
	for _, d := range c.Devices.Rules.Values() {
		rules = append(rules, fmt.Sprintf("%s %s:%s %s", d.Type, major(d.Major), major(d.Minor), d.Access))
	}
	f.set("device_cgroup_rules", rules)
	if g := c.Devices.GPUs; g.Set {
		f.put("gpus", fmt.Sprintf("%d %q %s", g.Value.Count, g.Value.Devices, g.Value.Driver))
	}
	f.pairs("storage_opt", mapOf(c.Mounts.StorageOpts.Values()))
	f.put("logging.driver", c.Logging.Driver.Value)
	f.pairs("logging.options", mapOf(c.Logging.Options.Values()))
}

// major is a device number of a rule; all have an asterisk.
func major(n int64) string {
	if n < 0 {
		return "*"
	}
	return strconv.FormatInt(n, 10)
}

func ourBlkio(f section, b *schema.Blkio) {
	f.number("weight", b.Weight.Value)
	for _, w := range b.WeightDevice.Values() {
		f.put("weight_device", fmt.Sprint(w.Path, " ", w.Weight))
	}
	for key, list := range map[string]schema.Items[value.DeviceRate]{
		"device_read_bps": b.ReadBps, "device_write_bps": b.WriteBps, "device_read_iops": b.ReadIOps, "device_write_iops": b.WriteIOps,
	} {
		for _, d := range list.Values() {
			f.put(key, fmt.Sprint(d.Path, " ", d.Rate))
		}
	}
}

func ourLifecycle(f section, c *schema.Container) {
	l := &c.Lifecycle
	if r := l.Restart.Value; r.Name != "no" {
		restart := r.Name
		if r.MaxRetries > 0 {
			restart += ":" + strconv.Itoa(r.MaxRetries)
		}
		f.put("restart", restart)
	}
	if l.StopSignal.Set {
		f.put("stop_signal", signalNumber(l.StopSignal.Value.Name))
	}
	f.duration("stop_grace_period", time.Duration(l.StopTimeout.Value)*time.Second)
	if n := l.Replicas.Or(1); n != 1 {
		f.put("scale", strconv.FormatInt(n, 10))
	}
	f.set("profiles", l.Profiles.Values())
}

func ourHealth(f section, h *schema.Health) {
	test := h.Cmd.Value
	if h.Disable.Value {
		test = []string{"NONE"}
	}
	f.list("test", test)
	f.duration("interval", h.Interval.Value)
	f.duration("timeout", h.Timeout.Value)
	f.duration("start_period", h.StartPeriod.Value)
	f.duration("start_interval", h.StartInterval.Value)
	f.number("retries", h.Retries.Value)
}
