package differential

import (
	"strings"
)

// wholeFiles are files that are written out, one after the other behind a line of dashes with what they are about.
func wholeFiles() (out []composeFile) {
	for _, part := range strings.Split(wholeTexts, "\n== ")[1:] {
		title, text, _ := strings.Cut(part, "\n")
		about, _, _ := strings.Cut(title, ":")
		out = append(out, composeFile{about: about, short: title, text: text + "\n"})
	}
	return out
}

const wholeTexts = `
== extends: maps merge, lists add up, the rest replaces
services:
  base:
    image: base
    command: [base]
    entrypoint: /base
    environment: {A: base, B: base}
    labels: [x=base, y=base]
    ports: ["80"]
    volumes: ["./base:/base", "./both:/both"]
    healthcheck: {test: [CMD, base], interval: 5s}
    logging: {driver: json-file, options: {max-size: 1m, max-file: "3"}}
    deploy: {resources: {limits: {memory: 1g, cpus: "1"}}}
    cap_add: [NET_ADMIN]
    dns: 1.1.1.1
    tmpfs: /run
    env_file: a.env
    sysctls: {net.core.somaxconn: 1}
    ulimits: {nofile: {soft: 1, hard: 2}, nproc: 5}
    extra_hosts: {a: 1.1.1.1}
    profiles: [one]
    expose: [1]
    devices: ["/dev/null:/dev/x"]
    security_opt: [no-new-privileges]
    depends_on: [db]
  web:
    extends: {service: base}
    command: [web]
    entrypoint: [/web]
    environment: [B=web, C=web]
    labels: {y: web, z: web}
    ports: ["81:81"]
    volumes: ["./web:/both", "./web:/web"]
    healthcheck: {test: web}
    logging: {driver: json-file, options: {max-size: 2m}}
    deploy: {resources: {limits: {memory: 2g}}}
    cap_add: [NET_ADMIN, SYS_TIME]
    dns: [1.1.1.1, 8.8.8.8]
    tmpfs: [/run, /tmp]
    env_file: [b.env]
    sysctls: [net.core.somaxconn=2]
    ulimits: {nofile: 7}
    extra_hosts: ["b=2.2.2.2"]
    profiles: [two]
    expose: [1, 2]
    devices: ["/dev/zero:/dev/x"]
    depends_on: {db: {condition: service_healthy}}
  db: {image: postgres, healthcheck: {test: "true"}}
== extends: another driver of logs replaces all of it
services:
  base: {image: a, logging: {driver: json-file, options: {max-size: 1m}}}
  web: {extends: base, logging: {driver: syslog, options: {tag: x}}}
== extends: the driver of logs is left out
services:
  base: {image: a, logging: {driver: json-file, options: {max-size: 1m}}}
  web: {extends: base, logging: {options: {max-file: "2"}}}
== extends: a chain
services:
  a: {image: a, environment: {A: a}}
  b: {extends: a, environment: {B: b}}
  web: {extends: b, environment: {C: c}}
== extends: a ring
services:
  a: {image: a, extends: b}
  b: {image: a, extends: a}
== extends: null over a value
services:
  base: {image: a, command: [x], hostname: h, environment: {A: 1}}
  web: {extends: base, command: , hostname: , environment: }
== extends: networks in both forms
services:
  base: {image: a, networks: [back]}
  web: {extends: base, networks: {back: {aliases: [x]}, front: }}
networks: {back: {}, front: {}}
== extends: lists over maps
services:
  base: {image: a, sysctls: {net.core.somaxconn: 1}, annotations: {a: b}, depends_on: {db: {condition: service_started}}}
  web: {extends: base, sysctls: [net.ipv4.tcp_syncookies=0], annotations: [c=d], depends_on: [cache]}
  db: {image: b}
  cache: {image: c}
== extends: a dependency in both forms
services:
  base: {image: a, depends_on: {db: {condition: service_healthy}, cache: {condition: service_started}}, networks: [back]}
  other: {image: a, depends_on: [db], networks: [back]}
  web: {extends: base, depends_on: [db], networks: [back]}
  api: {extends: other, depends_on: {db: {condition: service_healthy}}}
  app: {extends: other, depends_on: [db, cache], networks: [front, back]}
  db: {image: b, healthcheck: {test: "true"}}
  cache: {image: c}
networks: {back: {}, front: {}}
== extends: one text over a list, a list over one text
services:
  base: {image: a, dns: 1.1.1.1, tmpfs: [/run], env_file: a.env, label_file: labels.txt}
  web: {extends: base, dns: 8.8.8.8, tmpfs: /tmp, env_file: [b.env], label_file: [labels.txt]}
== extends: values of another shape
services:
  base: {image: a, ports: ["80"], build: {context: .}, ulimits: {nofile: 5}}
  web: {extends: base, build: ., ulimits: {nofile: {soft: 1, hard: 2}}}
== extends: a base that is nothing
services:
  base:
  web: {image: a, extends: base}
== extends: to what it is itself
services:
  web: {image: a, extends: web}
== extends: a file, two services of it
services:
  web: {extends: {file: ./sub/sub.yaml, service: base}, hostname: web}
  api: {extends: {file: ./sub/sub.yaml, service: base}, hostname: api, volumes: ["./api:/data"]}
== extends: a file with variables, shapes and long forms
services:
  web: {extends: {file: sub/long.yaml, service: long}}
volumes: {data: {}}
secrets: {pw: {file: pw.txt}}
== extends: a file that extends another one
services:
  web: {extends: {file: sub/long.yaml, service: up}}
== extends: a file with another service that has a variable
services:
  web: {extends: {file: sub/long.yaml, service: plain}}
== extends: secrets and configs by target
services:
  base: {image: a, secrets: [pw], configs: [{source: one, target: /x}]}
  web: {extends: base, secrets: [{source: pw, target: /other}], configs: [{source: two, target: /x}]}
secrets: {pw: {file: ./pw.txt}}
configs: {one: {file: ./a.env}, two: {file: ./b.env}}
== extends: a file, with more on top
services:
  web:
    extends: {file: other.yaml, service: base}
    environment: [B=web]
    volumes: ["./mine:/base"]
    ports: ["81:81", "82:82"]
== extends: a file whose service extends
services:
  web: {extends: {file: ./sub/sub.yaml, service: next}, env_file: a.env}
== merge: an anchor for a whole service
x-base: &base {image: nginx, restart: always, environment: {A: 1}}
services:
  web: *base
  api: {<<: *base, restart: "no", environment: {B: 2}}
== merge: several, the first wins
x-a: &a {image: a, hostname: a}
x-b: &b {image: b, hostname: b, domainname: b.test}
services:
  web: {<<: [*a, *b]}
  api: {<<: *b, <<: *a}
== merge: inside of values
x-env: &env {A: 1, B: 2}
x-log: &log {driver: json-file}
services:
  web: {image: a, environment: {<<: *env, B: 3}, logging: *log}
  api: {image: a, environment: {B: 3, <<: *env}}
== merge: a merge that is written inline
services:
  web: {image: a, <<: {hostname: h}}
== merge: an alias for text and for a list
x-h: &h box
x-l: &l [NET_ADMIN]
services:
  web: {image: &i nginx, hostname: *h, cap_add: *l}
  api: {image: *i}
== merge: an anchor that is nowhere
services:
  web: {image: *nowhere}
== yaml: a key twice
services:
  web: {image: a, image: b}
== yaml: a service twice
services:
  web: {image: a}
  web: {image: b}
== yaml: two documents
services:
  web: {image: a}
---
services:
  web: {hostname: h}
== yaml: block texts
services:
  web:
    image: a
    command: >
      echo a
      b
    environment:
      TEXT: |
        one
        two
      FOLDED: >-
        one
        two
== yaml: numbers with tags
services:
  web: {image: a, environment: {A: !!str 1.0, B: !!float 1, C: !!int "010", D: !!bool "true"}}
== yaml: reset
services:
  web: {image: a, ports: !reset [], hostname: !reset x}
== yaml: override
services:
  base: {image: a, ports: ["80"]}
  web: {extends: base, ports: !override ["81:81"]}
== yaml: keys that are numbers
services:
  web: {image: a, labels: {1: x, true: y}}
== yaml: a name that is a number
services:
  5: {image: a}
== yaml: tabs and comments
# comment
services: # comment
  web: # comment
    image: a # comment
    command: "a # b"
== yaml: nothing
services:
== yaml: no services
networks: {a: {}}
== yaml: an empty map of services
services: {}
== yaml: a service without an image
services:
  web: {hostname: a}
== yaml: a service that is nothing
services:
  web:
== yaml: a list of services
services: [web]
== yaml: JSON
{"services": {"web": {"image": "a", "ports": ["80:80"], "environment": {"A": "1", "B": null}}}}
== names: letters, digits and signs
services:
  Web_1.x-y: {image: a, depends_on: [b-c_d.e]}
  b-c_d.e: {image: b}
  a: {image: c, network_mode: "service:b-c_d.e"}
== names: a service called default
services:
  default: {image: a}
  main: {image: b, links: [default]}
== names: a network called shared
services:
  web: {image: a, networks: [shared]}
  api: {image: a}
networks: {shared: {}}
== names: networks and volumes of one name
services:
  web: {image: a, networks: [web], volumes: ["web:/web"]}
networks: {web: {}}
volumes: {web: {}}
== names: a network with dots
services:
  web: {image: a, networks: {a.b-c_d: {aliases: [x]}}}
networks: {a.b-c_d: {}}
== names: a volume from outside under another name
services:
  web: {image: a, volumes: ["short:/x", {type: volume, source: short, target: /y}]}
volumes: {short: {external: true, name: outside}}
== names: the default network with options
services:
  web: {image: a}
networks: {default: {internal: true}}
== names: the default network from outside
services:
  web: {image: a}
networks: {default: {external: true, name: outside}}
== restart: the policy of deploy goes before restart
services:
  web: {image: a, restart: always, deploy: {restart_policy: {condition: on-failure, max_attempts: 2}}}
== restart: none of deploy goes before restart
services:
  web: {image: a, restart: always, deploy: {restart_policy: {condition: none}}}
== limits: in both places, equal
services:
  web: {image: a, mem_limit: 1g, cpus: 2, pids_limit: 5, mem_reservation: 64m, deploy: {resources: {limits: {memory: 1g, cpus: "2", pids: 5}, reservations: {memory: 64m}}}}
== limits: in both places, not equal
services:
  web: {image: a, mem_limit: 1g, deploy: {resources: {limits: {memory: 2g}}}}
== limits: scale and replicas, not equal
services:
  web: {image: a, scale: 2, deploy: {replicas: 3}}
== limits: scale and a name
services:
  web: {image: a, scale: 2, container_name: x1}
== limits: an empty group of deploy beside a limit
services:
  web: {image: a, cpus: 2, deploy: {resources: {limits: {memory: 1g}}}}
== needs: conditions in a chain
services:
  web: {image: a, depends_on: {job: {condition: service_completed_successfully}, db: {condition: service_healthy}}}
  job: {image: b, depends_on: {db: {condition: service_started}}}
  db: {image: c, healthcheck: {test: "true"}}
== needs: a job that several wait for
services:
  web: {image: a, depends_on: {job: {condition: service_completed_successfully}}}
  api: {image: a, depends_on: {job: {condition: service_started}}}
  job: {image: b}
== needs: healthy without a check in the file
services:
  web: {image: a, depends_on: {db: {condition: service_healthy}}}
  db: {image: c}
== needs: a check that is switched off
services:
  web: {image: a, depends_on: {db: {condition: service_healthy}, api: {condition: service_started}}}
  db: {image: c, healthcheck: {disable: true}}
  api: {image: c, healthcheck: {test: [NONE]}}
== needs: a ring
services:
  web: {image: a, depends_on: [api]}
  api: {image: a, depends_on: [web]}
== needs: a condition that an extended service brings
services:
  base: {image: a, depends_on: {job: {condition: service_completed_successfully}}}
  web: {extends: base}
  job: {image: b}
== needs: a check that an extended service brings
services:
  base: {image: a, healthcheck: {test: "true"}}
  db: {extends: base}
  web: {image: a, depends_on: {db: {condition: service_healthy}}}
== needs: a check of an extended service that nobody waits for
services:
  base: {image: a, healthcheck: {test: "true"}}
  db: {extends: base}
  web: {image: a, depends_on: {db: {condition: service_started}}}
== needs: the end of a job, which an extended service of a file waits for
services:
  web: {extends: {file: sub/long.yaml, service: waits}}
  job: {image: b}
== needs: links and a dependency on the same
services:
  web: {image: a, links: [db], depends_on: {db: {condition: service_healthy}}}
  db: {image: b, healthcheck: {test: "true"}}
== needs: namespaces of others
services:
  web: {image: a, network_mode: "service:db", pid: "service:db", ipc: "service:db"}
  db: {image: b, ipc: shareable}
== needs: volumes of others
services:
  web: {image: a, volumes_from: ["db:ro", cache]}
  db: {image: b}
  cache: {image: c}
== profiles: a service that needs one with a profile
services:
  web: {image: a, depends_on: [db]}
  db: {image: b, profiles: [x]}
== variables: in keys of all kinds
services:
  web:
    image: "${IMG:-nginx}:${TAG}"
    ports: ["${PORT}:80"]
    environment: ["A=${GIVEN}", "B=${NOWHERE:-b}"]
    volumes: ["${DATA:-./data}:/data"]
    deploy: {replicas: "${N:-2}", resources: {limits: {memory: "${MEM:-64m}", cpus: "${CPUS:-0.5}"}}}
    healthcheck: {test: "x ${GIVEN}", interval: "${EVERY:-5s}", retries: "${TRIES:-2}"}
    privileged: "${PRIV:-true}"
    stop_grace_period: "${GRACE:-20s}"
    ulimits: {nofile: "${FILES:-5}"}
    networks: {"back": {ipv4_address: "${IP:-172.20.0.9}"}}
    logging: {driver: "${LOG:-json-file}"}
networks: {back: {ipam: {config: [{subnet: "${NET:-172.20.0.0/16}"}]}}}
== variables: one in several places
services:
  web: {image: "a:${TAG}", hostname: "h${TAG}", environment: {TAG: "${TAG}", TAG2: "${TAG:-x}"}}
== variables: a name of the project
name: "shop-${GIVEN:+x}"
services:
  web: {image: a, environment: {P: "${COMPOSE_PROJECT_NAME}", Q: "a-$COMPOSE_PROJECT_NAME", R: "${COMPOSE_PROJECT_NAME:-x}"}}
== variables: a name of the project that is that of the directory
services:
  web: {image: a, environment: {P: "${COMPOSE_PROJECT_NAME}"}}
== variables: NAME alone that only the file .env has
services:
  web: {image: a, environment: [DOT, GIVEN, NOWHERE], labels: {x: "${DOT}"}}
== everything: a usual file
name: shop
services:
  proxy:
    image: nginx:1.27
    ports: ["80:80", "443:443"]
    volumes: ["./nginx.conf:/etc/nginx/nginx.conf:ro", "certs:/certs"]
    depends_on: {api: {condition: service_healthy}}
    restart: unless-stopped
    networks: [front]
  api:
    image: api
    env_file: [a.env]
    environment: {DB: "postgres://db:5432/x", DEBUG: "false"}
    healthcheck: {test: [CMD, curl, -f, http://localhost/health], interval: 10s, timeout: 2s, retries: 3, start_period: 5s}
    depends_on: [db, cache]
    deploy: {resources: {limits: {cpus: "0.50", memory: 256M}}}
    networks: [front, back]
  db:
    image: postgres:17
    environment: [POSTGRES_PASSWORD_FILE=/run/secrets/pw]
    volumes: ["data:/var/lib/postgresql/data"]
    secrets: [pw]
    shm_size: 128m
    networks: {back: {aliases: [database]}}
  cache: {image: redis, command: redis-server --save "" --appendonly no, networks: [back], sysctls: {net.core.somaxconn: 1024}}
networks: {front: {}, back: {internal: true}}
volumes: {data: {}, certs: {driver: local}}
secrets: {pw: {file: ./pw.txt}}`
