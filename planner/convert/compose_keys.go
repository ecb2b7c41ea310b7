package convert

import "github.com/runfile/runfile/schema"

// plainKeys are the keys of a service whose values are those of an option of docker run. A key that is neither here nor
// in serviceKeys is none of compose, or nothing in a runfile.
var plainKeys = map[string]string{
	"annotations": "annotation", "cap_add": "cap-add", "cap_drop": "cap-drop", "cgroup": "cgroupns", "cgroup_parent": "cgroup-parent",
	"command": "command", "container_name": "name", "cpu_count": "cpu-count", "cpu_percent": "cpu-percent", "cpu_period": "cpu-period",
	"cpu_quota": "cpu-quota", "cpu_rt_period": "cpu-rt-period", "cpu_rt_runtime": "cpu-rt-runtime", "cpu_shares": "cpu-shares",
	"cpus": "cpus", "cpuset": "cpuset-cpus", "device_cgroup_rules": "device-cgroup-rule", "dns": "dns", "dns_opt": "dns-option",
	"dns_search": "dns-search", "domainname": "domainname", "entrypoint": "entrypoint", "expose": "expose", "external_links": "link",
	"group_add": "group-add", "hostname": "hostname", "image": "image", "init": "init", "isolation": "isolation", "label_file": "label-file",
	"labels": "label", "links": "link", "mac_address": "mac-address", "mem_limit": "memory", "mem_reservation": "memory-reservation",
	"mem_swappiness": "memory-swappiness", "memswap_limit": "memory-swap", "oom_kill_disable": "oom-kill-disable",
	"oom_score_adj": "oom-score-adj", "pids_limit": "pids-limit", "platform": "platform", "privileged": "privileged",
	"profiles": "profiles", "read_only": "read-only", "runtime": "runtime", "security_opt": "security-opt", "shm_size": "shm-size",
	"stdin_open": "interactive", "stop_signal": "stop-signal", "storage_opt": "storage-opt", "sysctls": "sysctl", "tmpfs": "tmpfs",
	"tty": "tty", "user": "user", "userns_mode": "userns", "uts": "uts", "working_dir": "workdir",
}

// unknownKey is the advice for a key that is in no table.
func unknownKey(key string) string {
	option, help := schema.Foreign(key)
	if option != "" {
		return "compose has no such key; what it seems to mean is " + option + " in a runfile"
	}
	return help
}
