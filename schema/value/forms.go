package value

import "math"

// The map forms of values: their keys in the order in which people think of them, the schema of each, and what it is
// for in a sentence. Editors show the sentences, and the reference and `runfile explain` list them.

// formKey is one key of a map form.
type formKey struct {
	name   string
	schema map[string]any
	doc    string
}

// form is the schema of a map form with a closed set of keys.
func form(keys []formKey, required ...string) jsonSchema {
	properties := map[string]any{}
	for _, k := range keys {
		properties[k.name] = Described(k.schema, k.doc)
	}
	s := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		list := make([]any, len(required))
		for i, r := range required {
			list[i] = r
		}
		s["required"] = list
	}
	return s
}

// Described is a schema with a sentence about what it is for.
func Described(s map[string]any, doc string) map[string]any {
	out := map[string]any{"description": doc}
	for k, v := range s {
		out[k] = v
	}
	return out
}

// OneOrMany is the schema of an item, of a list of items, and of other forms.
func OneOrMany(item map[string]any, others ...map[string]any) map[string]any {
	return anyOf(append([]map[string]any{item, {"type": "array", "items": item}}, others...)...)
}

func boolean() map[string]any { return map[string]any{"type": "boolean"} }

func publishForm() jsonSchema {
	address := pattern(`^(` + addressExpr + `)?$`)
	hostPorts := orNumber(0, maxPort, `^`+hostPortsExpr()+`$`)
	protocol := anyOf(enum("tcp", "udp", "sctp"), pattern(`^`+anyCase("tcp", "udp", "sctp")+`?$`))
	return form([]formKey{
		{"container-port", orNumber(1, maxPort, `^`+portsExpr()+`$`), "Port of the container, or a range FIRST-LAST."},
		{"host-port", hostPorts, "Port of the host, or a range; without it a free one is chosen."},
		{"host-ip", address, "Address of the host to listen on; without it all of them."},
		{"container-ip", address, "Address of the container to pass connections on to; without it that of its network."},
		{"protocol", protocol, "Protocol of the port; without it tcp."},
	}, "container-port")
}

func networkForm() jsonSchema {
	return form([]formKey{
		{"name", bare(pattern(`^(container:[^\n\x00]+|` + keyPart + `)$`)), "The network, as in the short form: its name, bridge, none, host or container:NAME."},
		{"alias", OneOrMany(Alias().Schema()), "Further names under which the network's other containers find this one."},
		{"ip", IPv4().Schema(), "IPv4 address in this network, of the subnet that it has in the section networks."},
		{"ip6", IPv6().Schema(), "IPv6 address in this network."},
		{"mac-address", MAC().Schema(), "MAC address of the container's interface in this network."},
		{"link-local-ip", OneOrMany(LinkLocal().Schema()), "Link-local addresses of the container's interface. Not honoured yet."},
		{"driver-opt", OneOrMany(pattern(`^[^=\x00]+=` + textExpr + `$`)), "KEY=VALUE options of the network's driver. Not honoured yet."},
		{"gw-priority", anyOf(map[string]any{"type": "integer"}, pattern(`^[+-]?[0-9]+$`)), "The network with the highest number gives the container its default route; without it 0."},
	}, "name")
}

func volumeForm() jsonSchema {
	return form([]formKey{
		{"type", enum("bind", "volume"), "What the source is: a path of the host or the name of a volume. Without it the source shows it."},
		{"source", anyText(), "Path of the host, relative to the file that holds it, or name of a volume; without it an anonymous volume."},
		{"target", butNot(`^/`+textExpr+`$`, `^`+rootExpr+`$`), "Absolute path in the container."},
		{"read-only", boolean(), "The container cannot write to it."},
		{"propagation", enum(propagations...), "Which later mounts the host and the container see of each other; without it rprivate."},
		{"selinux", enum("z", "Z"), "Label for SELinux: z for content that containers share, Z for this container's own."},
		{"nocopy", boolean(), "A new volume does not get the files that the image has at the target."},
	}, "target")
}

func windowsForm() jsonSchema {
	return form([]formKey{
		{"type", enum("bind", "volume", "npipe"), "What the source is: a path of the host, the name of a volume or a named pipe."},
		{"source", anyText(), "Path of the host, name of a volume or named pipe; without it an anonymous volume."},
		{"target", anyText(), "Absolute path or drive in the container, or its named pipe."},
		{"read-only", boolean(), "The container cannot write to it."},
	}, "target")
}

func mountForm() jsonSchema {
	toggle := anyOf(boolean(), map[string]any{"enum": []any{"true", "false", int64(1), int64(0), "1", "0"}})
	pair := pattern(`^[^=\x00]`)
	return form([]formKey{
		{"type", enum(mountTypeWords...), "What is mounted: a path of the host, a volume, a tmpfs, the files of an image, or a named pipe of Windows. Without it volume."},
		{"source", anyText(), "Path of the host, name of the volume or image; without it an anonymous volume. A tmpfs has none."},
		{"src", anyText(), "The same as source."},
		{"target", anyText(), "Absolute path in the container."},
		{"dst", anyText(), "The same as target."},
		{"destination", anyText(), "The same as target."},
		{"readonly", toggle, "The container cannot write to it."},
		{"ro", toggle, "The same as readonly."},
		{"bind-propagation", enum(propagations...), "Which later mounts the host and the container see of each other; without it rprivate."},
		{"bind-recursive", enum(recursiveWords...), "What becomes of mounts below the source: with enabled they come along, and are read-only too where the kernel can do it; writable and readonly demand one of the two; with disabled they stay away."},
		{nonRecursive, toggle, "The older word for bind-recursive: true is disabled, false is enabled."},
		{"bind-create-src", toggle, "Make the source as a directory if it does not exist."},
		{"volume-nocopy", toggle, "A new volume does not get the files that the image has at the target."},
		{"volume-label", OneOrMany(pair), "KEY=VALUE labels for a volume that is made."},
		{"volume-driver", anyText(), "Driver for a volume that is made; local is the only one yet."},
		{"volume-opt", OneOrMany(pair), "KEY=VALUE options of the driver for a volume that is made."},
		{"volume-subpath", anyText(), "Directory of the volume to mount, relative to its top."},
		{"image-subpath", anyText(), "Directory of the image to mount, relative to its top."},
		{"tmpfs-size", sizeSchema(), "Size of the tmpfs, such as 64m; without it half of the memory."},
		{"tmpfs-mode", anyOf(map[string]any{"type": "integer", "minimum": int64(0)}, pattern(`^0*[0-7]{1,4}$`)), "Permissions of the tmpfs in octal; without it 1777."},
		{"consistency", enum(consistencies...), "For docker's desktop products; on Linux all three mean the same."},
	})
}

func deviceForm() jsonSchema {
	return form([]formKey{
		{"source", pattern(`^/`), "The device on the host, or a directory with devices."},
		{"target", pattern(`^/`), "Its path in the container; without it the same as on the host."},
		{"permissions", pattern(`^` + eachOncePattern("rwm") + `$`), "What the container may do: r read, w write, m make the node; without it rwm."},
	}, "source")
}

func ulimitForm() jsonSchema {
	limit := anyOf(map[string]any{"type": "integer", "minimum": int64(-1)}, pattern(`^`+signed(-1, noBound)+`$`))
	return form([]formKey{
		{"soft", limit, "The limit that holds at first; -1 is unlimited."},
		{"hard", limit, "How far the process itself may raise the limit; without it the same as soft."},
	}, "soft")
}

func dependencyForm() jsonSchema {
	return form([]formKey{
		{"condition", enum(conditions...), "What to wait for. Without it a job must have completed, a service with a check be healthy or ready, any other have started."},
	})
}

func probeForm() jsonSchema {
	command := anyOf(pattern(`[^ ]`), map[string]any{"type": "array", "items": textOrNumber(), "minItems": int64(1)})
	s := form([]formKey{
		{"tcp", orNumber(1, maxPort, `^`+numbers(1, maxPort)+`$`), "Ready when this port of the container takes connections."},
		{"http", pattern(`^:?` + numbers(1, maxPort) + `/`), "Ready when this port and path, :PORT/PATH, answers with a status from 200 to 399."},
		{"log", pattern(`.`), "Ready when a line of the container's output matches this regular expression."},
		{"exec", command, "Ready when this command, run in the container, ends with status 0."},
		{"interval", Duration().Schema(), "Time between probes; without it short at first and longer later."},
		{"timeout", Duration().Schema(), "How long the container may take until it is ready; without it a minute."},
	})
	var kinds []any
	for _, kind := range probeKinds {
		kinds = append(kinds, map[string]any{"required": []any{kind}})
	}
	s["oneOf"] = kinds
	return s
}

func retriesForm() jsonSchema {
	count := Int("min=0,max=1000").Schema()
	return form([]formKey{
		{"max", count, "How often the job is run again."},
		{"delay", Duration().Schema(), "Time before the first repetition."},
		{"backoff", anyOf(map[string]any{"type": "number", "minimum": int64(1), "maximum": int64(100)}, anyText()), "Factor by which the delay grows each time; without it 1."},
		{"on-exit", OneOrMany(ExitCodeSyntax().Schema()), "Only after these exit statuses; without it after any failure."},
	}, "max")
}

func artifactForm() jsonSchema {
	return form([]formKey{
		{"from", pattern(`^/`), "Files in the container: an absolute path, which may hold * and ?."},
		{"to", pattern(`^[^\x00]+$`), "Where they are copied to, relative to the file that holds it."},
		{"when", enum(artifactTimes...), "After which end of the container they are copied; without it after any."},
		{"junit", boolean(), "The files are JUnit reports."},
	}, "from", "to")
}

func secretForm() jsonSchema {
	owner := orNumber(0, math.MaxInt32, `^(`+signed(0, math.MaxInt32)+`)?$`)
	return form([]formKey{
		{"source", pattern(KeyPattern), "Name of the secret in the section secrets."},
		{"target", anyText(), "Name of the file below /run/secrets, or an absolute path; without it the name of the secret."},
		{"uid", owner, "Owner of the file by number; without it the container's user."},
		{"gid", owner, "Group of the file by number; without it the container's group."},
		{"mode", anyOf(map[string]any{"type": "integer", "minimum": int64(0)}, pattern(`^(0*[0-7]{1,3})?$`)), "Permissions of the file in octal; without it 0400."},
	}, "source")
}
