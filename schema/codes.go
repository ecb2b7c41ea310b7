package schema

import "github.com/runfile/runfile/manifest/diag"

// The codes of this package; diag.Lookup explains each.
const (
	CodeUnknownKey       diag.Code = "unknown-key"
	CodeUnknownOption    diag.Code = "unknown-option"
	CodeNotYet           diag.Code = "not-yet"
	CodeBadVersion       diag.Code = "bad-version"
	CodeBadName          diag.Code = "bad-name"
	CodeNoContainers     diag.Code = "no-containers"
	CodeNoImage          diag.Code = "no-image"
	CodeWrongType        diag.Code = "wrong-type"
	CodeNoValue          diag.Code = "no-value"
	CodeBadValue         diag.Code = "bad-value"
	CodeBadFile          diag.Code = "bad-file"
	CodeEnvFileLine      diag.Code = "env-file-line"
	CodeUnknownFlag      diag.Code = "unknown-flag"
	CodeBadFlag          diag.Code = "bad-flag"
	CodeConflict         diag.Code = "option-conflict"
	CodeNetworkMode      diag.Code = "network-mode"
	CodeNeeds            diag.Code = "option-needs"
	CodeNoEffect         diag.Code = "no-effect"
	CodeOddValue         diag.Code = "odd-value"
	CodeDuplicateName    diag.Code = "duplicate-name"
	CodeDuplicateTarget  diag.Code = "duplicate-target"
	CodeDuplicateEntry   diag.Code = "duplicate-entry"
	CodeDuplicatePort    diag.Code = "duplicate-port"
	CodeDuplicateAddress diag.Code = "duplicate-address"
	CodeBadAddress       diag.Code = "bad-address"
	CodeBadLogOption     diag.Code = "bad-log-option"
	CodeSelfReference    diag.Code = "self-reference"
	CodeWrongReference   diag.Code = "wrong-reference"
	CodeBadCondition     diag.Code = "bad-condition"
	CodeTwoTerminals     diag.Code = "two-terminals"
	CodePlatform         diag.Code = "wrong-platform"
	CodeHostRefuses      diag.Code = "host-refuses"
	CodeHostLacks        diag.Code = "host-lacks"
	CodeStartFailed      diag.Code = "start-failed"
)

func init() {
	for _, i := range append(readingCodes, ruleCodes...) {
		diag.Register(i)
	}
}

// readingCodes are about keys and single values.
var readingCodes = []diag.Info{
	{
		Code: CodeUnknownKey, Example: "image: alpine\npolicy: {parallel: 4}\n",
		Meaning: "A section has a key that it does not know.",
		Cure:    "Correct its spelling, or remove it. Keys that begin with x- are free at the top of a file.",
	},
	{
		Code: CodeUnknownOption, Example: "image: alpine\nmemroy: 512m\n",
		Meaning: "A container has a key that is neither a long option of docker run nor one of runfile's own.",
		Cure:    "Use the long option of docker run without its dashes; `runfile explain` lists all.",
	},
	{
		Code: CodeNotYet, Example: "networks: {back: {driver: macvlan}}\ncontainers:\n  web: {image: alpine, network: back}\n",
		Meaning: "The option or value is known and checked, and this version of runfile does not honour it. It is refused when the container is planned, because ignoring it would run something else than what is written.",
		Cure:    "Remove it, or use a version of runfile that honours it.",
	},
	{
		Code: CodeBadVersion, Example: "version: 2\nimage: alpine\n",
		Meaning: "The file is written for another version of the runfile format.",
		Cure:    "Write `version: 1` or leave it out, or use a newer runfile.",
	},
	{
		Code: CodeBadName, Example: "containers:\n  my web: {image: alpine}\n",
		Meaning: "The name of a container, network or volume has characters that no name may have.",
		Cure:    "Use letters, digits, _, . and -, beginning with a letter or digit.",
	},
	{
		Code: CodeNoContainers, Example: "project: shop\n",
		Meaning: "The file declares no container.",
		Cure:    "Add a `containers` section, or an `image` at the top for a single container.",
	},
	{
		Code: CodeNoImage, Example: "containers:\n  web: {command: [echo, hi]}\n",
		Meaning: "A container does not say which image it runs.",
		Cure:    "Add `image: NAME`.",
	},
	{
		Code: CodeWrongType, Example: "image: alpine\nprivileged: \"yes\"\n",
		Meaning: "A value has another shape than the option takes: a list instead of text, text instead of true or false.",
		Cure:    "Write it as the message says. Switches take true and false without quotes.",
	},
	{
		Code: CodeNoValue, Example: "image: alpine\nhostname:\n",
		Meaning: "A key stands there without a value.",
		Cure:    "Give it a value or remove it.",
	},
	{
		Code: CodeBadValue, Example: "image: alpine\nmemory: 5m\n",
		Meaning: "A value breaks the rules of its syntax or lies outside its range.",
		Cure:    "Correct it as the message says; `runfile explain OPTION` describes the syntax.",
	},
	{
		Code: CodeBadFile, Example: "image: alpine\nenv-file: missing.env\n",
		Meaning: "A file that an option names cannot be read.",
		Cure:    "Correct the path; it counts from the directory of the file that names it.",
	},
	{
		Code: CodeEnvFileLine, Example: "image: alpine\nenv-file: app.env\n", Files: map[string]string{"app.env": "export MODE=test\n"},
		Meaning: "A line of an env-file is neither NAME=VALUE nor NAME.",
		Cure:    "Correct the line. Env-files are no shell scripts: no export, no spaces around the equals sign, no quotes.",
	},
	{
		Code: CodeUnknownFlag, Command: "run --memroy 512m alpine",
		Meaning: "`runfile run` has no such flag.",
		Cure:    "`runfile run --help` lists the flags; they are docker run's.",
	},
	{
		Code: CodeBadFlag, Command: "run --memory",
		Meaning: "A flag of `runfile run` lacks its value, or the image is missing.",
		Cure:    "Write `runfile run [OPTIONS] IMAGE [COMMAND] [ARG...]`.",
	},
}

// ruleCodes are about options that do not fit together.
var ruleCodes = []diag.Info{
	{
		Code: CodeConflict, Example: "image: alpine\nrm: true\nrestart: always\n",
		Meaning: "Two options of a container exclude each other.",
		Cure:    "Remove one of the two.",
	},
	{
		Code: CodeNetworkMode, Example: "image: alpine\nnetwork: bridge\nip: 172.28.0.10\n",
		Meaning: "An option cannot work with the container's kind of network: a joined network belongs to its owner, the host's to the host, and names and fixed addresses need a user-defined one.",
		Cure:    "Change `network`, or move the option to the container that owns the network.",
	},
	{
		Code: CodeNeeds, Example: "image: alpine\nmemory-swap: 1g\n",
		Meaning: "An option needs another one that is missing.",
		Cure:    "Add the other option, or remove this one.",
	},
	{
		Code: CodeNoEffect, Example: "image: alpine\ninit: true\npid: host\n",
		Meaning: "An option is correct and does nothing beside another one. This is a warning.",
		Cure:    "Remove it.",
	},
	{
		Code: CodeOddValue, Example: "image: alpine\nenv: [FOO = bar]\n",
		Meaning: "A value is correct and most probably not what was meant: a name with a blank at its end, a host name that programs refuse, a variable that no shell will replace. This is a warning.",
		Cure:    "Write it as the message says, or leave it if it is meant.",
	},
	{
		Code: CodeDuplicateName, Example: "containers:\n  a: {image: alpine, name: web}\n  b: {image: alpine, name: web}\n",
		Meaning: "Two containers of the project have the same name or cidfile, or one has the name that is another's key.",
		Cure:    "Change one of them; without `name` every container gets one of its own.",
	},
	{
		Code: CodeDuplicateTarget, Example: "image: alpine\nvolume: [\"./a:/data\", \"./b:/data\"]\n",
		Meaning: "Two mounts of a container have the same place.",
		Cure:    "Keep one of them.",
	},
	{
		Code: CodeDuplicateEntry, Example: "image: alpine\nnetwork: [back, back]\n",
		Meaning: "A list names the same thing twice.",
		Cure:    "Remove one of the entries.",
	},
	{
		Code: CodeDuplicatePort, Example: "containers:\n  a: {image: alpine, publish: \"8080:80\"}\n  b: {image: alpine, publish: \"8080:80\"}\n",
		Meaning: "The same port of the host is published twice.",
		Cure:    "Choose another host port, or leave it out to get a free one.",
	},
	{
		Code: CodeDuplicateAddress, Example: "networks:\n  n: {subnet: 172.28.0.0/16}\ncontainers:\n  a: {image: alpine, network: n, ip: 172.28.0.9}\n  b: {image: alpine, network: n, ip: 172.28.0.9}\n",
		Meaning: "Two containers of a network have the same IP or MAC address, or two networks the same subnet.",
		Cure:    "Change one of them.",
	},
	{
		Code: CodeBadAddress, Example: "networks:\n  n: {subnet: 172.28.0.0/16}\ncontainers:\n  a: {image: alpine, network: n, ip: 10.0.0.9}\n",
		Meaning: "An address lies outside its network's subnet, or is the subnet's own, its broadcast or its gateway's.",
		Cure:    "Choose another address of the subnet.",
	},
	{
		Code: CodeBadLogOption, Example: "image: alpine\nlog-opt: {max-file: 0}\n",
		Meaning: "The log driver has no such option, or does not take the value.",
		Cure:    "Correct it as the message says, or remove it.",
	},
	{
		Code: CodeSelfReference, Example: "containers:\n  web: {image: alpine, link: web}\n",
		Meaning: "A container refers to itself.",
		Cure:    "Name another container, or remove the entry.",
	},
	{
		Code: CodeWrongReference, Example: "volumes:\n  data: {}\ncontainers:\n  web: {image: alpine, volumes-from: data}\n",
		Meaning: "A name of a volume or network stands where a container's belongs.",
		Cure:    "Use the option for what is meant, for example `volume: \"data:/path\"`.",
	},
	{
		Code: CodeBadCondition, Example: "containers:\n  db: {image: alpine, detach: true}\n  web: {image: alpine, depends-on: {db: {condition: ready}}}\n",
		Meaning: "A dependency waits for something that the other container can never reach.",
		Cure:    "Change the condition, or give the other container what it needs, for example `ready`.",
	},
	{
		Code: CodePlatform, Example: "image: alpine\nio-maxiops: 100\n",
		Meaning: "An option is for containers of another operating system than this container's platform says.",
		Cure:    "Remove it, or set `platform`.",
	},
	{
		Code: CodeHostRefuses, NoExample: "it depends on the machine",
		Meaning: "A container asks for something that this machine does not have, such as a CPU or a device.",
		Cure:    "Correct the value, or run on a machine that has it; `runfile doctor` shows what there is.",
	},
	{
		Code: CodeHostLacks, NoExample: "it depends on the machine",
		Meaning: "This machine's kernel cannot do what an option asks for, and the container runs without it. This is a warning; with --strict it is an error.",
		Cure:    "Remove the option, or use a kernel that has the feature; `runfile doctor` shows what there is.",
	},
	{
		Code: CodeStartFailed, NoExample: "it depends on the image and the machine",
		Meaning: "The container could not be made or started: its image lacks what an option or the command names, or the kernel or the runtime has refused an option.",
		Cure:    "Correct the option that the message points at. The exit status is docker's: 127 for a command that does not exist, 126 for one that cannot be executed, 125 for everything else.",
	},
	{
		Code: CodeTwoTerminals, Example: "containers:\n  a: {image: alpine, tty: true}\n  b: {image: alpine, interactive: true}\n",
		Meaning: "Two containers that run in the foreground both want the terminal.",
		Cure:    "Let one of them run with `detach`, or start them in separate runs.",
	},
}
