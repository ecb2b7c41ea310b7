package schema

import "slices"

// Key is a key of a runfile that is no option of a container and no key of a Section: one at the top of the file, in a
// declaration of vars, in an entry of include, or one with which a container takes over a template.
type Key struct {
	Name    string // with the section in front, as in vars.default
	Syntax  string
	Doc     string // Markdown, one or a few sentences
	Example string // a piece of a runfile in YAML that is valid as it stands, or with an image
}

// Keys returns those keys, in the order in which a file has them.
func Keys() []Key { return fileKeys }

// KeyOf is the key of that name.
func KeyOf(name string) Key {
	i := slices.IndexFunc(fileKeys, func(k Key) bool { return k.Name == name })
	if i < 0 {
		return Key{Name: name}
	}
	return fileKeys[i]
}

var fileKeys = []Key{
	{"version", "1", "Version of the runfile format.", "version: 1"},
	{"project", "lower-case letters, digits, - and _", "Name of the project; by default that of the directory.", "project: shop"},
	{
		"vars", "{NAME: DEFAULT} or {NAME: {default, required, enum, pattern, secret, help}}",
		"Variables for `${NAME}`, with their defaults. A value comes from the first of `--var`, `--vars-file`, the environment, " +
			"`vars-file` and the default that has one.",
		"vars:\n  TAG: \"1.27\"\n  LEVEL: {default: info, enum: [debug, info], help: how much is logged}",
	},
	{"vars.default", "text", "Value of the variable where nothing else gives one.", "vars:\n  TAG: {default: \"1.27\"}"},
	{
		"vars.required", "true | false", "The variable must be given, even where it is not used.",
		"vars:\n  TAG: {default: \"1.27\", required: true}",
	},
	{"vars.enum", "list of texts", "The values that are allowed.", "vars:\n  LEVEL: {default: info, enum: [debug, info]}"},
	{"vars.pattern", "regular expression", "What the whole value must match.", "vars:\n  TAG: {default: v1, pattern: \"v[0-9]+\"}"},
	{"vars.secret", "true | false", "The value is not shown in what runfile prints.", "vars:\n  TOKEN: {default: none, secret: true}"},
	{"vars.help", "text", "What the variable is for; `runfile vars` shows it.", "vars:\n  TAG: {default: \"1.27\", help: version of the server}"},
	{"vars-file", "list of paths", "Files of `NAME=VALUE` lines that give variables values.", "vars-file: [.env]"},
	{
		"include", "list of PATH or {file, as, vars, profiles}", "Other runfiles whose containers belong to this one.",
		"include: [common.runfile.yaml]",
	},
	{"include.file", "path", "The runfile to include; it counts from the directory of the file that includes it.", "include: [{file: db/runfile.yaml}]"},
	{"include.as", "name", "Is put before the names that the included file defines: `db` becomes `NAME-db`.", "include: [{file: db/runfile.yaml, as: test}]"},
	{"include.vars", "{NAME: VALUE}", "Values for variables that the included file declares; nothing overrides them.", "include: [{file: db/runfile.yaml, vars: {PG: \"17\"}}]"},
	{"include.profiles", "list of names", "Profiles for the included containers that name none.", "include: [{file: debug.yaml, profiles: [debug]}]"},
	{"defaults", "options of a container", "Options that every container of the file has.", "defaults:\n  init: true"},
	{
		"templates", "{NAME: options of a container}", "Options that containers take over with `extends`.",
		"templates:\n  go: {image: golang, workdir: /src}",
	},
	{
		"containers", "{NAME: options of a container}",
		"The containers by name. Their keys are the long options of docker run. A file with `image` at the top is one container.",
		"containers:\n  web: {image: nginx}",
	},
	{
		"extends", "list of names of templates", "Templates whose options the container takes over.",
		"templates:\n  go: {image: golang}\ncontainers:\n  test: {extends: [go]}",
	},
	{
		"override", "list of options", "Options that replace what templates say instead of adding to it.",
		"templates:\n  go: {image: golang, env: [A=1]}\ncontainers:\n  test: {extends: [go], env: [B=2], override: [env]}",
	},
	{"x-", "anything", "Keys that begin with `x-` are not looked at; a place for anchors.", "x-note: anything"},
}
