package differential

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

// theirs are the facts of a project that compose has loaded. Where docker compose derives what it asks the daemon for
// from several keys, so it is here.
func theirs(p *types.Project) facts {
	f := facts{}
	for name, n := range p.Networks {
		theirNetwork(section{f, "networks." + name}, p.Name+"_"+name, &n)
	}
	for name, v := range p.Volumes {
		key := name
		if bool(v.External) { // the one name that it has in a runfile
			key = v.Name
		}
		theirVolume(section{f, "volumes." + key}, p.Name+"_"+name, &v)
	}
	for name, s := range p.Services {
		f["services."+name] = "there"
		at := section{f, "services." + name}
		theirProcess(at, &s)
		theirResources(at, &s)
		theirBlkio(at, s.BlkioConfig)
		theirEndpoints(at, &s)
		theirNetworks(at, &s)
		theirMounts(at, p, &s)
		theirLifecycle(at, &s)
		theirHealth(at, s.HealthCheck)
	}
	return f
}

func theirNetwork(f section, made string, n *types.NetworkConfig) {
	f.flag("external", bool(n.External))
	if n.Name != made && !bool(n.External) {
		f.put("name", n.Name)
	}
	if n.Driver != "bridge" {
		f.put("driver", n.Driver)
	}
	f.flag("internal", n.Internal)
	f.flag("attachable", n.Attachable)
	f.flag("enable_ipv6", orZero(n.EnableIPv6))
	f.no("enable_ipv4", n.EnableIPv4 == nil || *n.EnableIPv4)
	f.pairs("driver_opts", n.DriverOpts)
	f.pairs("labels", n.Labels)
	f.pairs("ipam.options", n.Ipam.Options)
	if n.Ipam.Driver != "default" {
		f.put("ipam.driver", n.Ipam.Driver)
	}
	for _, c := range n.Ipam.Config {
		f.put("ipam.config", strings.TrimSpace(fmt.Sprintf("%s %s %s", c.Subnet, c.Gateway, c.IPRange)))
	}
}

func theirVolume(f section, made string, v *types.VolumeConfig) {
	f.put("there", "yes")
	f.flag("external", bool(v.External))
	if v.Name != made && !bool(v.External) {
		f.put("name", v.Name)
	}
	f.put("driver", v.Driver)
	f.pairs("driver_opts", v.DriverOpts)
	f.pairs("labels", v.Labels)
}

func theirProcess(f section, s *types.ServiceConfig) {
	f.put("image", s.Image)
	f.put("container_name", s.ContainerName)
	f.words("command", s.Command, s.Command != nil)
	f.words("entrypoint", s.Entrypoint, s.Entrypoint != nil)
	for name, v := range s.Environment {
		if v == nil {
			f.put("environment."+name, "removed")
		} else {
			f.put("environment."+name, "="+*v)
		}
	}
	var files []string
	for _, e := range s.EnvFiles {
		files = append(files, e.Path)
	}
	f.set("env_file", files)
	f.pairs("labels", s.Labels)
	f.pairs("annotations", s.Annotations)
	f.put("user", s.User)
	f.path("working_dir", s.WorkingDir)
	f.set("group_add", s.GroupAdd)
	f.flag("init", orZero(s.Init))
	f.flag("privileged", s.Privileged)
	f.flag("read_only", s.ReadOnly)
	f.flag("tty", s.Tty)
	f.flag("stdin_open", s.StdinOpen)
	f.set("cap_add", capabilities(s.CapAdd))
	f.set("cap_drop", capabilities(s.CapDrop))
	f.pairs("sysctls", s.Sysctls)
	f.put("runtime", s.Runtime)
	f.put("platform", s.Platform)
	if s.PullPolicy != "missing" {
		f.put("pull_policy", s.PullPolicy)
	}
	f.put("isolation", s.Isolation)
	if s.Umask != nil {
		f.put("umask", strconv.FormatUint(uint64(*s.Umask), 8))
	}
	var options []string
	for _, o := range s.SecurityOpt {
		if !strings.Contains(o, "=") {
			o = strings.Replace(o, ":", "=", 1)
		}
		options = append(options, strings.TrimSuffix(o, "=true")) // no-new-privileges alone is the same
	}
	f.set("security_opt", options)
	for mode, text := range map[string]string{"pid": s.Pid, "ipc": s.Ipc, "uts": s.Uts, "userns_mode": s.UserNSMode, "cgroup": s.Cgroup} {
		f.put(mode, strings.Replace(text, "service:", "container:", 1))
	}
	f.put("hostname", s.Hostname)
	f.put("domainname", s.DomainName)
	if c := s.CredentialSpec; c != nil {
		f.put("credential_spec", c.File+c.Registry+c.Config)
	}
	f.no("attach", s.Attach == nil || *s.Attach)
}

func theirResources(f section, s *types.ServiceConfig) {
	memory, reservation, nano, pids := s.MemLimit, s.MemReservation, float64(s.CPUS)*1e9, s.PidsLimit
	var deploy types.Resources
	if s.Deploy != nil {
		deploy = s.Deploy.Resources
	}
	if l := deploy.Limits; l != nil {
		if l.MemoryBytes != 0 {
			memory = l.MemoryBytes
		}
		if l.NanoCPUs != 0 {
			nano = float64(l.NanoCPUs) * 1e9
		}
		if l.Pids != 0 {
			pids = l.Pids
		}
	}
	gpus := slices.Clone(s.Gpus)
	if r := deploy.Reservations; r != nil {
		if r.MemoryBytes != 0 {
			reservation = r.MemoryBytes
		}
		gpus = append(gpus, r.Devices...)
	}
	f.number("mem_limit", int64(memory))
	f.number("mem_reservation", int64(reservation))
	f.cpus("cpus", nano)
	f.number("pids_limit", pids)
	for _, g := range gpus {
		f.put("gpus", fmt.Sprintf("%d %q %s", g.Count, g.IDs, g.Driver))
	}
	f.number("memswap_limit", int64(s.MemSwapLimit))
	f.number("mem_swappiness", int64(s.MemSwappiness))
	f.number("shm_size", int64(s.ShmSize))
	f.number("cpu_shares", s.CPUShares)
	f.number("cpu_quota", s.CPUQuota)
	f.number("cpu_period", s.CPUPeriod)
	f.number("cpu_rt_period", s.CPURTPeriod)
	f.number("cpu_rt_runtime", s.CPURTRuntime)
	f.number("cpu_count", s.CPUCount)
	f.number("cpu_percent", int64(s.CPUPercent))
	f.put("cpuset", s.CPUSet)
	f.path("cgroup_parent", rooted(s.CgroupParent))
	f.flag("oom_kill_disable", s.OomKillDisable)
	f.number("oom_score_adj", s.OomScoreAdj)
	for name, u := range s.Ulimits {
		if u.Single != 0 {
			u = &types.UlimitsConfig{Soft: u.Single, Hard: u.Single}
		}
		f.put("ulimits."+name, fmt.Sprintf("%d:%d", u.Soft, u.Hard))
	}
	var devices []string
	for _, d := range s.Devices {
		devices = append(devices, device(d.Source, d.Target, d.Permissions))
	}
	f.set("devices", devices)
	f.set("device_cgroup_rules", s.DeviceCgroupRules)
	f.pairs("storage_opt", s.StorageOpt)
	if l := s.Logging; l != nil {
		f.put("logging.driver", l.Driver)
		f.pairs("logging.options", l.Options)
	}
}

// device prints a device as the daemon is told of it; permissions have a default.
func device(source, target, permissions string) string {
	return source + ":" + cmp.Or(target, source) + ":" + cmp.Or(permissions, "rwm")
}

func theirBlkio(f section, b *types.BlkioConfig) {
	if b == nil {
		return
	}
	f = f.in("blkio_config")
	f.number("weight", int64(b.Weight))
	for _, w := range b.WeightDevice {
		f.put("weight_device", fmt.Sprint(w.Path, " ", w.Weight))
	}
	for key, list := range map[string][]types.ThrottleDevice{
		"device_read_bps": b.DeviceReadBps, "device_write_bps": b.DeviceWriteBps, "device_read_iops": b.DeviceReadIOps, "device_write_iops": b.DeviceWriteIOps,
	} {
		for _, d := range list {
			f.put(key, fmt.Sprint(d.Path, " ", int64(d.Rate)))
		}
	}
}

func theirMounts(f section, p *types.Project, s *types.ServiceConfig) {
	f.put("volume_driver", s.VolumeDriver)
	for _, text := range s.Tmpfs {
		target, options, _ := strings.Cut(text, ":")
		f.put("mounts."+path.Clean(target), mountFact("tmpfs", "", false, sized(strings.Split(options, ","))))
	}
	for _, v := range s.Volumes {
		bind, vol := orZero(v.Bind), orZero(v.Volume)
		source := v.Source
		if vol, ok := p.Volumes[source]; ok && bool(vol.External) {
			source = vol.Name
		}
		more := []string{bind.Propagation, bind.SELinux, vol.Subpath + orZero(v.Image).SubPath, bind.Recursive}
		if vol.NoCopy {
			more = append(more, "nocopy")
		}
		if v.Bind != nil && !bool(bind.CreateHostPath) {
			more = append(more, "must exist")
		}
		if t := v.Tmpfs; t != nil {
			more = append(more, tmpfsOptions(int64(t.Size), t.Mode, v.ReadOnly))
			v.ReadOnly = false
		}
		f.put("mounts."+path.Clean(v.Target), mountFact(v.Type, source, v.ReadOnly, more...))
	}
	for _, c := range s.Secrets {
		secret := p.Secrets[c.Source]
		theirFile(f, "/run/secrets/", secret.File, types.FileReferenceConfig(c))
	}
	for _, c := range s.Configs {
		theirFile(f, "/", p.Configs[c.Source].File, types.FileReferenceConfig(c))
	}
	var from []string
	for _, text := range s.VolumesFrom {
		from = append(from, strings.TrimSuffix(text, ":rw"))
	}
	f.list("volumes_from", from)
}

// tmpfsOptions are the words for mount.
func tmpfsOptions(size int64, mode uint32, readOnly bool) string {
	var out []string
	if readOnly {
		out = append(out, "ro")
	}
	if size != 0 {
		out = append(out, "size="+strconv.FormatInt(size, 10))
	}
	if mode != 0 {
		out = append(out, "mode="+strconv.FormatUint(uint64(mode), 8))
	}
	return strings.Join(out, ",")
}

func theirFile(f section, dir, source string, c types.FileReferenceConfig) {
	target := cmp.Or(c.Target, c.Source)
	if !path.IsAbs(target) {
		target = dir + target
	}
	owner := c.UID + c.GID
	if c.Mode != nil {
		owner += c.Mode.String()
	}
	f.put("mounts."+target, mountFact("bind", source, true, owner))
}

func theirLifecycle(f section, s *types.ServiceConfig) {
	restart := s.Restart
	if s.Deploy != nil && s.Deploy.RestartPolicy != nil {
		policy := s.Deploy.RestartPolicy
		words := map[string]string{"none": "no", "any": "always", "": "always"}
		restart = cmp.Or(words[policy.Condition], policy.Condition)
		if n := orZero(policy.MaxAttempts); n > 0 {
			restart += ":" + strconv.FormatUint(n, 10)
		}
	}
	if restart != "no" {
		f.put("restart", restart)
	}
	f.put("stop_signal", signalNumber(s.StopSignal))
	f.duration("stop_grace_period", time.Duration(orZero(s.StopGracePeriod)))
	if n := s.GetScale(); n != 1 {
		f.put("scale", strconv.Itoa(n))
	}
	f.set("profiles", s.Profiles)
	for name, d := range s.DependsOn {
		f.put("depends_on."+name, strings.TrimPrefix(d.Condition, "service_"))
		f.no("depends_on."+name+".required", d.Required)
	}
}

func theirHealth(f section, h *types.HealthCheckConfig) {
	if h == nil {
		return
	}
	f = f.in("healthcheck")
	if h.Disable {
		h.Test = []string{"NONE"}
	}
	if len(h.Test) > 0 && h.Test[0] == "NONE" {
		h.Test = h.Test[:1]
	}
	f.list("test", h.Test)
	f.duration("interval", time.Duration(orZero(h.Interval)))
	f.duration("timeout", time.Duration(orZero(h.Timeout)))
	f.duration("start_period", time.Duration(orZero(h.StartPeriod)))
	f.duration("start_interval", time.Duration(orZero(h.StartInterval)))
	f.number("retries", int64(orZero(h.Retries)))
}
