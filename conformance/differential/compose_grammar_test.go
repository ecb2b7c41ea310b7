package differential

// In these grammars the first value of a key is the one that is paired with those of other keys.

const processGrammar = `
image
	nginx:1.27
	"nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	ghcr.io/a/b:c
	"localhost:5000/x"
	NGINX
	"a b"
	""
	"nginx:${TAG}"
	"nginx:${TAG:-2}"
	"${GIVEN:+nginx}"
	5
command
	[echo, hi]
	echo hi
	"echo 'a b' \"c d\" e\\ f"
	'sh -c "echo $$HOME"'
	["sh", "-c", "echo $$HOME $${X}"]
	[]
	""
	~
	'"'
	"echo # no comment"
	"a;b"
	"a | b"
	"a > b && c"
	["", x]
	["a b"]
	"echo ${GIVEN}"
	"echo '${GIVEN}'"
	"echo ${GIVEN:-a b}"
	["echo", "${GIVEN}"]
	[1, 2]
	[true]
	"  "
	"echo  a   b "
	"echo ''"
	"a\nb"
	5
entrypoint
	[/entry, -x]
	/entry -x
	[]
	""
	~
	sh -c 'a b'
	"${GIVEN}"
	"/x ${PORT}"
	["${GIVEN}", x]
environment
	[A=1, "B=two words", C=, GIVEN, NOWHERE]
	{A: "1", B: two words, C: "", GIVEN: , NOWHERE: ~}
	[A=1, A=2]
	{A: 1, B: 1.0, C: 1.50, D: 1e3, E: 0x10, F: 010, G: 0o17, H: 1_000, I: .5, J: -0, K: +5}
	{A: true, B: True, C: yes, D: on, E: NO, F: y, G: "true", H: FALSE}
	{A: 2001-01-01}
	{A: 2001-01-01T10:00:00Z}
	{A: 10:30, B: 1:2:3}
	{A: .inf, B: .nan, C: -.inf}
	{A: null, B: Null, C: "null"}
	{A: 12345678901234567890, B: 123456789012345678901234567890}
	{A: 1.10, B: 3.14159265358979, C: 1e21, D: 100000000000000000000.0}
	{A: $$x, B: $${x}, C: "$$$$"}
	{A: "a=b", B: "a\nb", C: " x "}
	["A=a=b", "B= x ", "C"]
	["A =1"]
	["=1"]
	{"a.b": 1, "a-b": 2, "a b": 3}
	[DOT]
	{DOT: }
	[EXPANDED, QUOTED]
	{A: [1]}
	{A: {b: c}}
	[{A: 1}]
	[1]
	A=1
	{A: "${GIVEN}", B: "${DOT}", C: "${NOWHERE-x}", D: "${EMPTY-x}", E: "${EMPTY:-x}"}
	["A=${GIVEN}", "${GIVEN}=x"]
	{"${GIVEN}": x}
	{}
	[]
	~
	{A: !!str 1, B: !!int "2"}
env_file
	a.env
	[a.env]
	[a.env, b.env]
	./a.env
	[sub/sub.env]
	missing.env
	{path: a.env}
	[{path: a.env}]
	[{path: a.env, required: true}]
	[{path: missing.env, required: false}]
	[{path: a.env, required: false}]
	[{path: a.env, required: "false"}]
	[{path: a.env, format: raw}]
	quoted.env
	[a.env, a.env]
	[]
	""
	"${DOT:+a.env}"
	~/a.env
labels
	[a=1, b=, c]
	{a: 1, b: , c: true, d: "x y", e: 1.0}
	{com.example.x: "a=b"}
	[a=1, a=2]
	{a: "${GIVEN}"}
	{}
	a=1
	{a: [1]}
	{"": x}
label_file
	labels.txt
	[labels.txt]
	missing.txt
annotations
	{a: b}
	[a=b, c]
	{a: 1.0}
user
	"1000:1000"
	root
	"1000"
	1000
	app:staff
	"${GIVEN:+5}"
	":5"
	"5:"
working_dir
	/src
	src
	/src/../x
	"${PWD:-/x}"
	"/a b"
	"~"
group_add
	[audio, "50"]
	[50]
	[audio, audio]
	audio
	["${PORT}"]
init
	true
	false
	"true"
	yes
	"yes"
	1
	"${NOWHERE:-true}"
	"${NOWHERE:-on}"
	~
umask
	"0077"
	0077
	77
	"77"
	0o77
	~
privileged
	true
	"true"
	on
	"false"
	TRUE
read_only
	true
	"y"
	no
tty
	true
	"true"
stdin_open
	true
cap_add
	[NET_ADMIN, SYS_TIME]
	[net_admin]
	[CAP_NET_ADMIN]
	[ALL]
	NET_ADMIN
	[NET_ADMIN, NET_ADMIN]
	[bogus]
	[]
cap_drop
	[ALL]
	[mknod]
security_opt
	["no-new-privileges:true"]
	[no-new-privileges]
	["no-new-privileges=true"]
	["label:disable", "apparmor:unconfined", "seccomp:unconfined"]
	["seccomp=unconfined"]
	["label=user:x"]
	[bogus]
	no-new-privileges
userns_mode
	host
	bogus
pid
	host
	"service:db"
	"container:other"
	~
	bogus
ipc
	host
	shareable
	private
	none
	"service:db"
	"container:other"
uts
	host
	bogus
cgroup
	host
	private
	bogus
hostname
	box
	box.example
	"a b"
	"${GIVEN:+h}"
	5
domainname
	example.test
runtime
	crun
	/usr/bin/x
platform
	linux/amd64
	linux
	linux/arm64/v8
	bogus
	"${P:-linux/amd64}"
isolation
	default
	hyperv
container_name
	shopweb
	a
	"a b"
	_x
pull_policy
	always
	never
	missing
	if_not_present
	build
	daily
	every_5d
	bogus
attach
	false
	true
credential_spec
	{file: x.json}
	{registry: x}
	{config: x}
use_api_socket
	true
	false
`

const resourceGrammar = `
mem_limit
	512m
	1g
	1073741824
	"1073741824"
	1.5g
	0.5gb
	512mb
	512MiB
	512 m
	1e9
	0
	-1
	bogus
	"${NOWHERE:-64m}"
	6mb
	1k
mem_reservation
	256m
	268435456
memswap_limit
	2g
	-1
	0
mem_swappiness
	10
	0
	"60"
shm_size
	64m
	67108864
	"1gb"
	0
cpus
	0.5
	"1.5"
	2
	.25
	0
	0.001
	"${NOWHERE:-0.5}"
	1/2
cpuset
	"0-1"
	"0,1"
	0
cpu_shares
	512
	"512"
	0
	512.0
cpu_quota
	50000
	"50000"
	50ms
cpu_period
	100000
	"100000"
	100ms
cpu_rt_period
	1000000
	"1400us"
cpu_rt_runtime
	950000
	"400us"
cpu_count
	2
cpu_percent
	50
	50.5
pids_limit
	100
	"100"
	-1
	0
oom_kill_disable
	true
	"true"
	false
oom_score_adj
	500
	-500
	"100"
	2000
cgroup_parent
	/x
	x
	m-executor-abcd
ulimits
	{nofile: {soft: 20000, hard: 40000}, nproc: 65535}
	{nofile: 1024}
	{nofile: "1024"}
	{nofile: {soft: "1", hard: "2"}}
	{nofile: {soft: 1}}
	{nofile: {hard: 2, soft: 1}}
	{nofile: {soft: 2, hard: 1}}
	{memlock: -1}
	{memlock: {soft: -1, hard: -1}}
	{core: 0}
	{nofile: "${PORT}"}
	{bogus: 1}
	{NOFILE: 1}
	[nofile=1]
	{nofile: {soft: 1, hard: 2, x-a: 1}}
devices
	["/dev/null:/dev/x:rw"]
	[/dev/null]
	["/dev/null:/dev/y"]
	["/dev/null:rw"]
	[{source: /dev/null, target: /dev/x, permissions: rw}]
	[{source: /dev/null}]
	[{source: /dev/null, permissions: r}]
	[{target: /dev/x}]
	["vendor.com/class=name"]
	["/dev/null:/dev/x:bogus"]
	["/dev/null:/dev/x", "/dev/zero:/dev/x"]
	["/dev/null", "/dev/null"]
	/dev/null
	["~/x:/dev/x"]
device_cgroup_rules
	["c 1:3 mr", "a *:* rwm"]
	["c 1:3"]
	"c 1:3 mr"
gpus
	all
	[{count: 2}]
	[{count: all}]
	[{device_ids: ["0", "3"]}]
	[{driver: nvidia, count: 1}]
	[{driver: other, count: 1}]
	[{count: 1, device_ids: ["0"]}]
	[{count: -1}]
	[{capabilities: [utility]}]
	[{count: 1, options: {a: b}}]
	[{count: 1}, {device_ids: ["1"]}]
	none
	2
	[{}]
blkio_config
	{weight: 300, weight_device: [{path: /dev/vda, weight: 400}], device_read_bps: [{path: /dev/vda, rate: 12mb}]}
	{weight: 300}
	{weight: "300"}
	{device_write_bps: [{path: /dev/vda, rate: 1024}]}
	{device_read_iops: [{path: /dev/vda, rate: 120}]}
	{device_write_iops: [{path: /dev/vda, rate: "30"}]}
	{device_write_iops: [{path: /dev/vda, rate: 1k}]}
	{device_read_bps: [{path: /dev/vda}]}
	{weight: 5}
	{bogus: 1}
	{device_read_bps: {path: /dev/vda, rate: 1}}
storage_opt
	{size: 1G}
	{size: 5}
	[size=1G]
	{size: }
sysctls
	{net.core.somaxconn: 1024, net.ipv4.tcp_syncookies: 0}
	[net.core.somaxconn=1024]
	{net.core.somaxconn: "1024"}
	{net.ipv4.ip_local_port_range: "1 2"}
	{net.core.somaxconn: }
	{bogus: 1}
	[net.core.somaxconn=1, net.core.somaxconn=2]
logging
	{driver: json-file, options: {max-size: 10m, max-file: "3"}}
	{driver: none}
	{driver: json-file, options: {max-file: 3}}
	{driver: json-file, options: {compress: }}
	{options: {max-size: 10m}}
	{driver: syslog, options: {syslog-address: "tcp://1.2.3.4:123"}}
	{driver: bogus}
	{}
	{driver: json-file, options: {max-size: "${NOWHERE:-1m}"}}
	{driver: json-file, options: [max-size=1m]}
	{driver: json-file, x-a: 1}
	{driver: json-file, bogus: 1}
deploy
	{resources: {limits: {cpus: "0.5", memory: 512M, pids: 100}, reservations: {memory: 256M}}}
	{resources: {limits: {cpus: 0.5}}}
	{resources: {limits: {memory: 1g}}}
	{resources: {limits: {pids: 10}}}
	{resources: {limits: {cpus: "0"}}}
	{resources: {reservations: {cpus: "0.25"}}}
	{resources: {reservations: {memory: 64mb}}}
	{resources: {reservations: {devices: [{capabilities: [gpu], count: 1}]}}}
	{resources: {reservations: {devices: [{capabilities: [gpu], driver: nvidia, device_ids: ["0"]}]}}}
	{resources: {reservations: {devices: [{capabilities: [gpu]}]}}}
	{resources: {reservations: {devices: [{capabilities: [tpu], count: 1}]}}}
	{resources: {reservations: {devices: [{count: 1}]}}}
	{resources: {reservations: {generic_resources: [{discrete_resource_spec: {kind: a, value: 1}}]}}}
	{resources: {limits: {devices: [{capabilities: [gpu]}]}}}
	{resources: {limits: {bogus: 1}}}
	{resources: ~}
	{replicas: 2}
	{replicas: 1}
	{replicas: "3"}
	{replicas: 0}
	{replicas: -1}
	{restart_policy: {condition: on-failure, max_attempts: 3}}
	{restart_policy: {condition: on-failure}}
	{restart_policy: {condition: any}}
	{restart_policy: {condition: none}}
	{restart_policy: {max_attempts: 3}}
	{restart_policy: {}}
	{restart_policy: {condition: any, max_attempts: 3}}
	{restart_policy: {condition: unless-stopped}}
	{restart_policy: {condition: always}}
	{restart_policy: {condition: on-failure, delay: 5s}}
	{restart_policy: {condition: on-failure, window: 120s}}
	{restart_policy: {condition: bogus}}
	{mode: global}
	{mode: replicated}
	{labels: {a: b}}
	{endpoint_mode: vip}
	{placement: {constraints: [a]}}
	{update_config: {parallelism: 2}}
	{rollback_config: {parallelism: 2}}
	~
	{}
	{bogus: 1}
`
