# Runs in a container and prints what a process there sees of it, one fact a line: SUBJECT and the rest.
facts() { sed "s|^|$1 |"; }
# values FILE...: the lines of files, each after the file's name.
values() { grep -sH '' "$@" | facts "$subject"; }

grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp|Cpus_allowed_list|Mems_allowed_list|Umask)' /proc/self/status | facts status
facts mount </proc/self/mountinfo
facts limit </proc/self/limits
env | facts env
echo "cwd $(pwd)"
subject=proc values /proc/self/oom_score_adj /proc/self/attr/current /proc/self/cgroup
tr '\0' ' ' </proc/1/cmdline | cut -c 1-40 | facts init
for ns in /proc/self/ns/*; do echo "ns ${ns##*/} $(readlink "$ns")"; done
[ -t 1 ] && echo "tty $(tty)"

for file in /etc/hosts /etc/hostname /etc/resolv.conf; do
	stat -c "$file %a %u:%g %F" "$file"
	grep -v '^$' "$file" | facts "$file"
done 2>/dev/null | facts file
for dir in / /dev /dev/shm /etc /proc /sys /run /data "$PWD"; do stat -c "$dir %a %u:%g" "$dir"; done 2>/dev/null | facts dir

find /dev -type c -o -type b | while read -r f; do stat -c '%n %F %a %u:%g %t:%T' "$f"; done | facts device
find /dev -type l | while read -r f; do echo "$f -> $(readlink "$f")"; done | facts device

ip -o addr 2>/dev/null | sed 's/^[0-9]*: //; s/ valid_lft.*//' | facts addr
ip route 2>/dev/null | facts route

subject=sysctl
values /proc/sys/kernel/hostname /proc/sys/kernel/domainname /proc/sys/kernel/msg* /proc/sys/kernel/sem /proc/sys/kernel/shm* \
	/proc/sys/fs/mqueue/*
grep -rs '' /proc/sys/net | facts sysctl

subject=cgroup
for f in cpu/cpu.shares cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us cpu/cpu.rt_runtime_us cpu/cpu.rt_period_us cpuset/cpuset.cpus \
	cpuset/cpuset.mems memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes memory/memory.soft_limit_in_bytes \
	memory/memory.swappiness memory/memory.oom_control pids/pids.max blkio/blkio.bfq.weight blkio/blkio.bfq.weight_device \
	blkio/blkio.throttle.read_bps_device blkio/blkio.throttle.write_bps_device blkio/blkio.throttle.read_iops_device \
	blkio/blkio.throttle.write_iops_device devices/devices.list freezer/freezer.state net_cls/net_cls.classid \
	cpu.max cpu.weight cpuset.cpus cpuset.mems memory.max memory.swap.max memory.low memory.high memory.oom.group pids.max io.max \
	io.weight io.bfq.weight; do
	values "/sys/fs/cgroup/$f"
done
for dir in /sys/fs/cgroup/memory /sys/fs/cgroup; do # the first is there on v1
	[ -d "$dir" ] && mkdir "$dir/probe" 2>/dev/null && rmdir "$dir/probe" && echo "cgroup $dir is writable"
done
true
