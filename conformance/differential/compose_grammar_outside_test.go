package differential

const networkGrammar = `
ports
	["8080:80", "127.0.0.1:9000:90/udp"]
	[80]
	["80"]
	["80/udp"]
	["8080:80/TCP"]
	["8000-8002:80-82"]
	["80-82"]
	["8000-8010:80"]
	["127.0.0.1::80"]
	["[::1]:8080:80"]
	["::1:8080:80"]
	["127.0.0.1:8000-8002:80-82/udp"]
	["0:80"]
	["0.0.0.0:8080:80"]
	[8080:80]
	[22:22]
	["80", "80"]
	["8080:80", "8080:80"]
	["8080:80", "8081:80"]
	["8080:80/tcp", "8080:80/udp"]
	["a:80"]
	["8080:80:90"]
	["70000:80"]
	["8080:80/foo"]
	["8080:80/sctp"]
	["localhost:8080:80"]
	[{target: 80}]
	[{target: 80, published: 8080}]
	[{target: 80, published: "8080"}]
	[{target: "80", published: "8080"}]
	[{target: 80, published: "8080-8090"}]
	[{target: 80, published: 8080, protocol: udp}]
	[{target: 80, published: 8080, host_ip: 127.0.0.1}]
	[{target: 80, host_ip: 127.0.0.1}]
	[{target: 80, published: 8080, host_ip: "::1"}]
	[{target: 80, published: 8080, host_ip: bogus}]
	[{target: 80, published: 8080, mode: host}]
	[{target: 80, published: 8080, mode: ingress}]
	[{target: 80, published: 8080, mode: bogus}]
	[{target: 80, published: 8080, name: web}]
	[{target: 80, published: 8080, app_protocol: http}]
	[{target: 80, published: ""}]
	[{target: 80, published: 0}]
	[{published: 8080}]
	[{target: 80-82, published: 8080}]
	[{target: 80, published: 8080, bogus: 1}]
	[{target: 80, published: 8080, x-a: 1}]
	["${PORT}:80"]
	["${PORT}"]
	["${NOWHERE:-8081}:80"]
	[{target: "${NOWHERE:-80}", published: "${PORT}"}]
	"8080:80"
	{8080: 80}
	[]
	[80.5]
	[""]
	[~]
expose
	["3000", "8000/udp"]
	[3000]
	["3000-3002"]
	["3000/tcp"]
	["3000", 3000]
	[a]
	3000
	["${PORT}"]
networks
	[back]
	{back: }
	{back: {}}
	{back: {aliases: [a, b]}}
	{back: {ipv4_address: 172.20.0.5}}
	{back: {ipv6_address: "fd00::5"}}
	{back: {mac_address: "02:42:ac:11:00:03"}}
	{back: {link_local_ips: [169.254.1.1]}}
	{back: {priority: 10}}
	{back: {gw_priority: 5}}
	{back: {interface_name: eth7}}
	{back: {driver_opts: {a: b}}}
	{back: {driver_opts: {a: 1}}}
	{back: {use_service_name_alias: false}}
	{back: {aliases: [a], ipv4_address: 172.20.0.5, gw_priority: -1, x-a: 1}}
	{back: {aliases: a}}
	{back: {aliases: [a, a]}}
	{back: {aliases: ["a b"]}}
	{back: {ipv4_address: bogus}}
	{back: {ipv4_address: "fd00::5"}}
	{back: {bogus: 1}}
	{back: {aliases: ["${GIVEN:+x}"]}}
	[back, front]
	{back: {priority: 1}, front: {priority: 2}}
	[default]
	[default, back]
	{default: {aliases: [a]}}
	[nowhere]
	[back, back]
	[host]
	back
	[]
	{}
	{back: [a]}
network_mode
	host
	none
	bridge
	"service:db"
	"container:other"
	default
	back
	"service:nowhere"
	"${NOWHERE:-host}"
	""
	~
mac_address
	"02:42:ac:11:00:02"
	02-42-ac-11-00-02
	bogus
dns
	[1.1.1.1, "::1"]
	1.1.1.1
	["1.1.1.1", "1.1.1.1"]
	bogus
	[]
	""
	[""]
	"${NOWHERE:-1.1.1.1}"
dns_search
	[a.test, b.test]
	a.test
	.
dns_opt
	["ndots:2", use-vc]
	use-vc
	["ndots:x"]
extra_hosts
	["a=1.2.3.4", "b:1.2.3.5", "c=::1"]
	{a: 1.2.3.4, b: "::1"}
	{a: [1.2.3.4, 1.2.3.5]}
	["host.docker.internal:host-gateway"]
	["host.docker.internal=host-gateway"]
	["a=[::1]"]
	["a:[::1]"]
	{a: "[::1]"}
	["a:::1"]
	["a=1.2.3.4,1.2.3.5"]
	["a=1.2.3.4", "a=1.2.3.5"]
	[a]
	{a: bogus}
	{a: 5}
	{a: }
	"a=1.2.3.4"
	{"a:b": 1.2.3.4}
	["a=${NOWHERE:-1.2.3.4}"]
links
	["db:database"]
	[db]
	["db:db"]
	["db:a", "db:b"]
	[nowhere]
	[db, db]
	["db:a:b"]
external_links
	[other]
	["other:alias"]
`

const sectionGrammar = `
networks
	~
	{}
	{driver: bridge}
	{driver: overlay}
	{driver: default}
	{driver: macvlan, driver_opts: {parent: eth0}}
	{internal: true}
	{internal: "true"}
	{internal: yes}
	{internal: "yes"}
	{internal: false}
	{attachable: true}
	{enable_ipv6: true}
	{enable_ipv6: false}
	{enable_ipv4: false}
	{external: true}
	{external: "true"}
	{external: false}
	{external: {name: outside}}
	{external: true, name: outside}
	{external: true, driver: bridge}
	{name: own}
	{name: "${GIVEN:+own}"}
	{labels: {a: b}}
	{labels: [a=b]}
	{driver_opts: {com.docker.network.driver.mtu: 1400}}
	{driver_opts: {com.docker.network.driver.mtu: "1400"}}
	{driver_opts: {com.docker.network.bridge.enable_icc: "false"}}
	{driver_opts: {com.docker.network.bridge.enable_icc: false}}
	{driver_opts: {com.docker.network.bridge.name: br7}}
	{ipam: {config: [{subnet: 172.28.0.0/16}]}}
	{ipam: {config: [{subnet: 172.28.0.0/16, gateway: 172.28.0.1}]}}
	{ipam: {config: [{subnet: 172.28.0.0/16, ip_range: 172.28.5.0/24}]}}
	{ipam: {config: [{subnet: 172.28.0.0/16, aux_addresses: {a: 172.28.1.5}}]}}
	{ipam: {config: [{subnet: "fd00:28::/64"}]}, enable_ipv6: true}
	{ipam: {config: [{subnet: 172.28.0.0/16}, {subnet: "fd00:28::/64"}]}, enable_ipv6: true}
	{ipam: {config: [{subnet: 172.28.0.0/16}, {subnet: 172.29.0.0/16}]}}
	{ipam: {driver: default}}
	{ipam: {driver: other}}
	{ipam: {options: {a: b}}}
	{ipam: {config: []}}
	{ipam: {config: [{subnet: bogus}]}}
	{x-a: 1}
	{bogus: 1}
	[a]
volumes
	~
	{}
	{driver: local}
	{driver: other}
	{driver_opts: {type: nfs, o: "addr=1.2.3.4,rw", device: ":/x"}}
	{driver: local, driver_opts: {type: none, o: bind, device: ./data}}
	{driver: local, driver_opts: {type: none, o: bind, device: /data}}
	{driver_opts: {type: tmpfs, device: tmpfs, o: size=100m}}
	{driver_opts: {size: 100}}
	{driver_opts: {size: 1.50}}
	{external: true}
	{external: true, name: outside}
	{external: {name: outside}}
	{external: "yes"}
	{external: false}
	{external: true, driver: local}
	{name: own}
	{labels: {a: b}}
	{labels: [a=b, c]}
	{labels: {a: 1.0}}
	{x-a: 1}
	{bogus: 1}
	[a]
secrets
	{file: ./pw.txt}
	{file: pw.txt}
	{file: ~/pw.txt}
	{file: ../pw.txt}
	{environment: GIVEN}
	{environment: NOWHERE}
	{external: true}
	{external: true, name: x}
	{file: ./pw.txt, name: other}
	{file: ./pw.txt, labels: {a: b}}
	{file: ./pw.txt, driver: x, driver_opts: {a: b}}
	{file: ./pw.txt, template_driver: golang}
	{file: ./pw.txt, environment: X}
	{}
	~
	{file: "${NOWHERE:-./pw.txt}"}
configs
	{file: ./app.conf}
	{content: "hello ${GIVEN}"}
	{environment: GIVEN}
	{external: true}
	{file: ./app.conf, template_driver: golang}
	{file: ./app.conf, content: x}
	{file: ./app.conf, name: x}
	{file: ./app.conf, labels: {a: b}}
name
	shop
	"Shop One"
	"${GIVEN:-x}"
	"_x"
	5
	~
	""
version
	"3.9"
	3.9
include
	[other.yaml]
x-top
	{a: 1}
models
	{m: {model: x}}
jobs
	{j: {image: x, triggers: {manual: true}}}
bogus
	1
`

// interpolationGrammar has texts with variables: GIVEN is in the environment, EMPTY is there and empty, DOT and TAG are
// in the file .env, NOWHERE is nowhere.
const interpolationGrammar = `
interpolation
	$GIVEN
	"${GIVEN}"
	"a${GIVEN}b$TAG-c"
	"${DOT}"
	"${EXPANDED}"
	"${QUOTED}"
	"${BLANK}"
	"${BLANK:-x}"
	"${BLANK-x}"
	"${NOWHERE}"
	$NOWHERE
	"${NOWHERE:-x}"
	"${NOWHERE-x}"
	"${NOWHERE:-}"
	"${NOWHERE-}"
	"${EMPTY:-x}"
	"${EMPTY-x}"
	"${GIVEN:-x}"
	"${GIVEN-x}"
	"${GIVEN:?e}"
	"${GIVEN?e}"
	"${NOWHERE:?e}"
	"${NOWHERE?e}"
	"${EMPTY:?e}"
	"${EMPTY?e}"
	"${NOWHERE:?}"
	"${GIVEN:+y}"
	"${GIVEN+y}"
	"${EMPTY:+y}"
	"${EMPTY+y}"
	"${NOWHERE:+y}"
	"${NOWHERE+y}"
	"${NOWHERE:-${GIVEN}}"
	"${NOWHERE:-${ALSO:-z}}"
	"${NOWHERE:-a${GIVEN}b${TAG}c}d"
	"${NOWHERE:-$GIVEN}"
	"${GIVEN:+${TAG}}"
	"${NOWHERE:-a b}"
	"${NOWHERE:-a:b}"
	"${NOWHERE:-a-b}"
	"${NOWHERE-a:-b}"
	"${NOWHERE:-$$x}"
	"${NOWHERE:-{\"a\": 1}}"
	"${NOWHERE:-x}}"
	"$$GIVEN"
	"$${GIVEN}"
	"$$$GIVEN"
	"$$$$"
	"a$"
	"$"
	"$1"
	"$ x"
	"${}"
	"${1}"
	"${GIVEN"
	"${GIVEN:x}"
	"${GIVEN!x}"
	"${GIVEN:-x"
	"${a.b}"
	"${given}"
	"${GIVEN }"
	"${GIVEN:=x}"
	"${GIVEN/a/b}"
	"${_X:-u}"
	"${NOWHERE:-x} ${NOWHERE:-y}"
	"${NOWHERE:-x} ${GIVEN}"
	"${project:-x}"
	"${env.GIVEN}"
`

// composeLong stands in a directory of its own, and its paths count from there.
const composeLong = `
services:
  long:
    image: "long:${TAG}"
    env_file: [{path: sub.env, required: true}]
    label_file: ../labels.txt
    volumes:
      - {type: bind, source: ./long, target: /long, read_only: true}
      - {type: bind, source: long, target: /alone}
      - {type: volume, source: data, target: /data}
      - "./:/here"
      - "..:/above"
      - "~/x:/home"
      - /abs:/abs
    environment: {A: 1.50, B: "$$x"}
    labels: {literal: "$${X}"}
    secrets: [pw]
  up: {extends: {file: ../other.yaml, service: base}, hostname: up}
  waits: {image: a, depends_on: {job: {condition: service_completed_successfully}}}
  plain: {image: a}
  other: {image: "${UNKNOWN}"}
`
