package differential

const mountGrammar = `
volumes
	["data:/data", "./src:/src:ro", /anon]
	["data:/data:ro"]
	["data:/data:rw"]
	["data:/data:nocopy"]
	["data:/data/"]
	["data:/a/../b"]
	["./src:/src"]
	["../src:/src"]
	[".:/src"]
	["src:/src"]
	["/abs:/src:rshared"]
	["/abs:/src:z"]
	["/abs:/src:ro,Z"]
	["/abs:/src:ro,bogus"]
	["/abs:/src:cached"]
	["/abs:/src:delegated"]
	["/abs:/src:consistent"]
	["~/x:/src"]
	["~:/src"]
	["/var/run/docker.sock:/var/run/docker.sock"]
	[/anon/]
	["data:/a", "cachedata:/b"]
	["data:/a", "cachedata:/a"]
	["data:/a", "data:/a"]
	["nowhere:/a"]
	["data:rel"]
	["a:b:c:d"]
	["${NOWHERE:-./src}:/src"]
	["${NOWHERE:-data}:/src"]
	["./a b:/src"]
	['C:\x:/src']
	["data:"]
	[":/a"]
	[""]
	[{type: volume, source: data, target: /data}]
	[{type: volume, target: /data}]
	[{type: volume, source: data, target: /data, read_only: true}]
	[{type: volume, source: data, target: /data, read_only: "true"}]
	[{type: volume, source: data, target: /data, volume: {nocopy: true}}]
	[{type: volume, source: data, target: /data, volume: {nocopy: false}}]
	[{type: volume, source: data, target: /data, volume: {subpath: a/b}}]
	[{type: volume, source: data, target: /data, volume: {labels: {a: b}}}]
	[{type: volume, source: nowhere, target: /data}]
	[{type: volume, source: ./data, target: /data}]
	[{type: bind, source: ./src, target: /src}]
	[{type: bind, source: src, target: /src}]
	[{type: bind, source: ./src, target: /src, read_only: true}]
	[{type: bind, source: ./src, target: /src, read_only: false}]
	[{type: bind, source: ./src, target: /src, bind: {propagation: rslave}}]
	[{type: bind, source: ./src, target: /src, bind: {create_host_path: true}}]
	[{type: bind, source: ./src, target: /src, bind: {create_host_path: false}}]
	[{type: bind, source: ./src, target: /src, bind: {selinux: z}}]
	[{type: bind, source: ./src, target: /src, bind: {recursive: disabled}}]
	[{type: bind, source: ./src, target: /src, bind: {propagation: bogus}}]
	[{type: bind, source: ./src, target: /src, consistency: cached}]
	[{type: bind, source: ~/src, target: /src}]
	[{type: bind, target: /src}]
	[{type: bind, source: ./src}]
	[{source: ./src, target: /src}]
	[{type: tmpfs, target: /t}]
	[{type: tmpfs, target: /t, tmpfs: {size: 64m}}]
	[{type: tmpfs, target: /t, tmpfs: {size: 1000000}}]
	[{type: tmpfs, target: /t, tmpfs: {mode: 1777}}]
	[{type: tmpfs, target: /t, tmpfs: {mode: 01777}}]
	[{type: tmpfs, target: /t, tmpfs: {mode: "1777"}}]
	[{type: tmpfs, target: /t, tmpfs: {mode: 0o1777}}]
	[{type: tmpfs, target: /t, read_only: true}]
	[{type: tmpfs, source: x, target: /t}]
	[{type: image, source: alpine, target: /i}]
	[{type: image, source: alpine, target: /i, image: {subpath: etc}}]
	[{type: npipe, source: x, target: /p}]
	[{type: cluster, source: x, target: /p}]
	[{type: bogus, source: x, target: /p}]
	[{type: volume, source: data, target: /data, bogus: 1}]
	[{type: volume, source: data, target: /data, x-a: 1}]
	[{type: bind, source: "${NOWHERE:-./src}", target: "/${GIVEN:+x}"}]
	data:/data
	[]
tmpfs
	[/run, "/tmp:size=64m,mode=1777"]
	/run
	"/run:ro"
	["/run:size=1m"]
	[/run, /run]
	["/run:bogus"]
	[run]
	[]
	["/run:noexec,nosuid"]
volumes_from
	[db]
	["db:ro"]
	["db:rw"]
	["container:other:ro"]
	["container:other"]
	[nowhere]
	[db, cache]
	["service:db"]
volume_driver
	local
secrets
	[pw]
	[{source: pw}]
	[{source: pw, target: other}]
	[{source: pw, target: /etc/pw}]
	[{source: pw, uid: "5", gid: "5", mode: 0440}]
	[{source: pw, mode: 256}]
	[nowhere]
	[pw, pw]
	[{target: x}]
	pw
configs
	[conf]
	[{source: conf}]
	[{source: conf, target: /etc/app.conf}]
	[{source: conf, target: etc/app.conf}]
	[{source: conf, mode: 0444}]
	[nowhere]
`

const lifecycleGrammar = `
restart
	unless-stopped
	always
	on-failure
	"on-failure:3"
	no
	"no"
	"always:3"
	bogus
	"on-failure:x"
	"${NOWHERE:-always}"
	~
	""
	false
	5
stop_signal
	SIGINT
	INT
	"2"
	2
	sigusr1
	SIGRTMIN+3
	bogus
stop_grace_period
	1m30s
	10s
	1500ms
	0s
	1h
	90
	"90"
	1d
	1w
	1d2h30m
	"1m 30s"
	-1s
	bogus
	"${NOWHERE:-5s}"
scale
	2
	1
	0
	"2"
	-1
profiles
	[front]
	[front, debug]
	front
	[]
	["a b"]
depends_on
	[db, cache]
	{db: {condition: service_healthy}, cache: {condition: service_started}}
	{db: {condition: service_started}}
	{cache: {condition: service_healthy}}
	{cache: {condition: service_completed_successfully}}
	{db: {condition: service_completed_successfully}}
	{db: {condition: service_healthy, restart: true}}
	{db: {condition: service_healthy, required: false}}
	{db: {condition: service_healthy, required: true, restart: false}}
	{db: {}}
	{db: }
	{db: {condition: bogus}}
	{db: {condition: service_healthy, bogus: 1}}
	[nowhere]
	{nowhere: {condition: service_started, required: false}}
	[web]
	[db, db]
	db
	[]
	{}
healthcheck
	{test: [CMD, curl, -f, "http://x"], interval: 5s, timeout: 3s, retries: 3, start_period: 10s, start_interval: 1s}
	{test: curl -f http://x}
	{test: [CMD-SHELL, curl -f http://x]}
	{test: [CMD-SHELL, "a", "b"]}
	{test: [CMD]}
	{test: [CMD, ""]}
	{test: [NONE]}
	{test: [NONE, x]}
	{test: NONE}
	{test: none}
	{test: ""}
	{test: []}
	{test: [curl, x]}
	{disable: true}
	{disable: "true"}
	{disable: yes}
	{disable: "yes"}
	{disable: false}
	{disable: true, test: [CMD, x]}
	{interval: 5s}
	{test: "true", interval: 1m30s}
	{test: "true", interval: 1.5s}
	{test: "true", interval: 500ms}
	{test: "true", interval: 5}
	{test: "true", interval: "5"}
	{test: "true", interval: 1d}
	{test: "true", timeout: 1w1d, start_period: 0.5h, start_interval: 2h45m}
	{test: "true", interval: 0s}
	{test: "true", interval: 500us}
	{test: "true", retries: "3"}
	{test: "true", retries: 0}
	{test: "true", retries: -1}
	{test: "true", retries: 1.5}
	{test: "true", start_interval: 1s}
	{test: "true", start_period: 5s, start_interval: 1s}
	{test: "true", bogus: 1}
	{test: "true", x-a: 1}
	{test: "${NOWHERE:-true}"}
	{test: "echo $$HOME $${X}"}
	{test: [CMD, echo, "$$HOME"]}
	{test: "true", interval: "${NOWHERE:-7s}"}
	{}
	~
	{test: ~}
build
	.
	{context: .}
	{context: ., dockerfile: x}
develop
	{watch: []}
	~
extends
	db
	{service: db}
	{service: nowhere}
	{file: other.yaml, service: base}
	{file: ./sub/sub.yaml, service: base}
	{file: ./sub/sub.yaml, service: next}
	{file: other.yaml, service: nowhere}
	{file: nofile.yaml, service: base}
	{file: other.yaml}
	{}
	[db]
models
	[m]
provider
	{type: x}
post_start
	[{command: x}]
pre_stop
	[{command: x}]
pre_start
	[{image: x}]
pull_refresh_after
	1d
x-anything
	{a: [1]}
bogus
	1
memory
	1g
publish
	["80:80"]
detach
	true
rm
	true
timeout
	5s
env
	[A=1]
net
	host
log_driver
	json-file
dockerfile
	x
hosts
	["a=1.2.3.4"]
`

const composeOther = `
services:
  base:
    image: otherimage
    command: [one]
    environment: {A: base, B: base}
    labels: [x=base]
    ports: ["81:81"]
    volumes: ["./base:/base"]
`
