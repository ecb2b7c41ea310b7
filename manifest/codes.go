package manifest

import (
	"slices"
	"strings"

	"github.com/runfile/runfile/manifest/diag"
)

// The codes of this package; diag.Lookup explains each.
const (
	CodeNoRunfile          diag.Code = "no-runfile"
	CodeSeveralRunfiles    diag.Code = "several-runfiles"
	CodeUnreadableFile     diag.Code = "unreadable-file"
	CodeLimit              diag.Code = "limit-exceeded"
	CodeNotText            diag.Code = "not-text"
	CodeEmptyFile          diag.Code = "empty-file"
	CodeSyntax             diag.Code = "syntax"
	CodeSeveralDocuments   diag.Code = "several-documents"
	CodeDuplicateKey       diag.Code = "duplicate-key"
	CodeUnknownTag         diag.Code = "unknown-tag"
	CodeUnknownAnchor      diag.Code = "unknown-anchor"
	CodeAliasCycle         diag.Code = "alias-cycle"
	CodeBadMerge           diag.Code = "bad-merge"
	CodeBadKey             diag.Code = "bad-key"
	CodeWrongShape         diag.Code = "wrong-shape"
	CodeBadInterpolation   diag.Code = "bad-interpolation"
	CodeUndefinedVariable  diag.Code = "undefined-variable"
	CodeUndeclaredVariable diag.Code = "undeclared-variable"
	CodeMissingVariable    diag.Code = "missing-variable"
	CodeBadVariable        diag.Code = "bad-variable"
	CodeVariableValue      diag.Code = "variable-value"
	CodeUnknownVariable    diag.Code = "unknown-variable"
	CodeVariableCycle      diag.Code = "variable-cycle"
	CodeBadVarsFile        diag.Code = "bad-vars-file"
	CodeBadInclude         diag.Code = "bad-include"
	CodeIncludeCycle       diag.Code = "include-cycle"
	CodeIncludeClash       diag.Code = "include-clash"
	CodeUnknownTemplate    diag.Code = "unknown-template"
	CodeTemplateCycle      diag.Code = "template-cycle"
	CodeBadOverride        diag.Code = "bad-override"
	CodeMixedForm          diag.Code = "mixed-form"
	CodeBadProjectName     diag.Code = "bad-project-name"
)

// valueCodes are mistakes in single values, beside which all sections and names of the files are known.
var valueCodes = []diag.Code{
	CodeBadInterpolation, CodeUndefinedVariable, CodeUndeclaredVariable, CodeMissingVariable, CodeBadVariable, CodeVariableValue,
	CodeUnknownVariable, CodeVariableCycle, CodeBadVarsFile, CodeBadOverride, CodeBadProjectName, CodeUnknownTemplate,
}

// Whole reports whether a document for which Load gave these diagnostics holds every container, so that a name that it
// does not hold is a mistake.
func Whole(l diag.List) bool {
	return !slices.ContainsFunc(l, func(d diag.Diagnostic) bool {
		return d.Severity == diag.Error && !slices.Contains(valueCodes, d.Code)
	})
}

func init() {
	for _, i := range append(textCodes, meaningCodes...) {
		diag.Register(i)
	}
}

// textCodes are about reading files.
var textCodes = []diag.Info{
	{
		Code: CodeNoRunfile, Command: "validate",
		Meaning: "Neither the directory nor one of its parents holds a runfile.yaml, runfile.yml or runfile.toml.",
		Cure:    "Change into the project, name the file with -f, or write a runfile.yaml; `image: alpine` is enough to begin with.",
	},
	{
		Code: CodeSeveralRunfiles, Command: "validate",
		Example: "image: alpine\n", Files: map[string]string{"runfile.toml": "image = \"busybox\"\n"},
		Meaning: "One directory holds a runfile in two formats, and which one counts must not be a matter of luck.",
		Cure:    "Remove one of them, or choose with -f.",
	},
	{
		Code: CodeUnreadableFile, Example: "include: missing.yaml\nimage: alpine\n",
		Meaning: "A file that was named cannot be read: it does not exist, is a directory or is not readable for this user.",
		Cure:    "Correct the path; it counts from the directory of the file that names it.",
	},
	{
		Code: CodeLimit, Example: "x-deep: " + strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1) + "\n",
		Meaning: "The file is larger, deeper or has more values than any runfile needs. Anchors, templates and includes count as what they stand for.",
		Cure:    "Split the file with `include`, or use fewer levels of anchors and templates.",
	},
	{
		Code: CodeNotText, Example: "image: alpine\x00\n",
		Meaning: "The file is not UTF-8 text: it is binary, in another encoding, or holds invisible control characters.",
		Cure:    "Save it as UTF-8 with LF or CRLF line ends.",
	},
	{
		Code: CodeEmptyFile, Example: "# nothing yet\n",
		Meaning: "The file holds no key at all.",
		Cure:    "Write at least `image: NAME`, or a `containers` section.",
	},
	{
		Code: CodeSyntax, Example: "image: [alpine\n",
		Meaning: "The text is not valid YAML or TOML.",
		Cure:    "Correct the place shown. In YAML, quote values with `: `, ` #` or with [ { * & ! % @ at the start; in TOML, quote all text.",
	},
	{
		Code: CodeSeveralDocuments, Example: "image: alpine\n---\nimage: busybox\n",
		Meaning: "A YAML file holds several documents separated by ---, of which other tools silently read only the first.",
		Cure:    "Use one document with a `containers` section, or one file each and `include`.",
	},
	{
		Code: CodeDuplicateKey, Example: "image: alpine\nimage: busybox\n",
		Meaning: "A section holds the same key twice.",
		Cure:    "Keep one of the two. Options that may be repeated take a list.",
	},
	{
		Code: CodeUnknownTag, Example: "image: !latest alpine\n",
		Meaning: "A YAML value carries a tag (!name) that has no meaning in a runfile.",
		Cure:    "Remove the tag, or quote the value if it really starts with an exclamation mark.",
	},
	{
		Code: CodeUnknownAnchor, Example: "image: alpine\ncommand: *args\n",
		Meaning: "A YAML value starts with * and so refers to an anchor, but no anchor of that name stands before it.",
		Cure:    "Quote the value, or set the anchor with &name.",
	},
	{
		Code: CodeAliasCycle, Example: "image: alpine\nx-loop: &loop [*loop]\n",
		Meaning: "A YAML alias stands inside the value that it refers to.",
		Cure:    "Move the shared part out, for example into a template.",
	},
	{
		Code: CodeBadMerge, Example: "image: alpine\n<<: 5\n",
		Meaning: "The YAML merge key << has a value that is no map.",
		Cure:    "Write `<<: *name` where &name marks a map, or use `extends` with a template.",
	},
	{
		Code: CodeBadKey, Example: "image: alpine\n[a, b]: c\n",
		Meaning: "A key is a list, a map or nothing.",
		Cure:    "Write `name: value`.",
	},
}

// meaningCodes are about sections, variables and merging.
var meaningCodes = []diag.Info{
	{
		Code: CodeWrongShape, Example: "containers: [web]\n",
		Meaning: "A section has another shape than it needs, for example a list where a map belongs.",
		Cure:    "Write it as the message says.",
	},
	{
		Code: CodeBadInterpolation, Example: "image: alpine:${TAG\n",
		Meaning: "A ${...} is not closed or not of a known form.",
		Cure:    "Known are ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME:?message}, ${NAME:+text}, ${NAME+text}, ${env.NAME}, ${project} and ${runfile.dir}. A literal ${ is written $${.",
	},
	{
		Code: CodeUndefinedVariable, Example: "image: alpine:${TAG}\n",
		Meaning: "A ${NAME} is used that is not declared, or has neither a value nor a default.",
		Cure:    "Declare it under `vars`, give it a default there or with ${NAME:-default}, or set it with --var NAME=VALUE.",
	},
	{
		Code: CodeUndeclaredVariable, Example: "image: alpine:${HOME:-3.22}\n",
		Meaning: "A ${NAME:-default} is not declared, and the environment has a variable of that name, which is not used.",
		Cure:    "Declare NAME under `vars` if the environment should set it, or write ${env.NAME:-default}.",
	},
	{
		Code: CodeMissingVariable, Example: "vars:\n  TAG: {required: true}\nimage: alpine:${TAG}\n",
		Meaning: "A variable that must be given has no value: it is declared as required, or used as ${NAME:?message}.",
		Cure:    "Set it with --var NAME=VALUE, in the environment or in a vars-file.",
	},
	{
		Code: CodeBadVariable, Example: "vars:\n  TAG: {defualt: \"1\"}\nimage: alpine\n", //nolint:misspell // the mistake is the example
		Meaning: "The declaration of a variable is wrong: its name, one of its keys, its pattern or its default.",
		Cure:    "A declaration is a default value, or a map of default, required, enum, pattern, secret and help.",
	},
	{
		Code: CodeVariableValue, Example: "vars:\n  TAG: {default: \"3\", enum: [\"1\", \"2\"]}\nimage: alpine:${TAG}\n",
		Meaning: "A variable has a value that its declaration does not allow.",
		Cure:    "Give it one of the values of `enum`, or one that matches `pattern`.",
	},
	{
		Code: CodeUnknownVariable, Command: "--var TGA=3.22 validate", Example: "vars: {TAG: latest}\nimage: alpine:${TAG}\n",
		Meaning: "A value is given for a variable that is not declared.",
		Cure:    "Correct the name, or declare it under `vars`.",
	},
	{
		Code: CodeVariableCycle, Example: "vars: {A: \"${B}\", B: \"${A}\"}\nimage: alpine:${A}\n",
		Meaning: "The default of a variable depends on the variable itself.",
		Cure:    "Give one of them a value of its own.",
	},
	{
		Code: CodeBadVarsFile, Example: "vars-file: .env\nimage: alpine\n", Files: map[string]string{".env": "TAG 3.22\n"},
		Meaning: "A line of a vars-file is not of the form NAME=value.",
		Cure:    "Write one NAME=value a line; # starts a comment, single quotes keep everything literal.",
	},
	{
		Code: CodeBadInclude, Example: "include:\n  - {path: db.yaml}\nimage: alpine\n",
		Meaning: "An entry of `include` is not a path or a map of file, as, vars and profiles.",
		Cure:    "Write the path, or {file: PATH, as: PREFIX, vars: {NAME: value}, profiles: [NAME]}.",
	},
	{
		Code: CodeIncludeCycle, Example: "include: runfile.yaml\nimage: alpine\n",
		Meaning: "A file includes itself, directly or through others.",
		Cure:    "Drop one of the includes, or move the shared part into a third file.",
	},
	{
		Code: CodeIncludeClash, Example: "include: db.yaml\ncontainers:\n  db: {image: postgres}\n",
		Files:   map[string]string{"db.yaml": "containers:\n  db: {image: mariadb}\n"},
		Meaning: "Two files define the same container, template, network, volume, secret or policy.",
		Cure:    "Rename one, or include the file with `as: PREFIX`. To change what a file says, lay a second file over it with -f.",
	},
	{
		Code: CodeUnknownTemplate, Example: "templates: {go: {image: golang}}\ncontainers:\n  web: {extends: [g0]}\n",
		Meaning: "`extends` names a template that does not exist.",
		Cure:    "Correct the name, or add it under `templates`.",
	},
	{
		Code: CodeTemplateCycle, Example: "templates:\n  a: {extends: b}\n  b: {extends: a}\ncontainers:\n  web: {extends: a, image: alpine}\n",
		Meaning: "A template extends itself, directly or through others.",
		Cure:    "Drop one of the `extends`.",
	},
	{
		Code: CodeBadOverride, Example: "containers:\n  web: {image: alpine, override: [emv]}\n",
		Meaning: "`override` names an option that neither the container nor what it inherits from has.",
		Cure:    "Correct the name, or drop it.",
	},
	{
		Code: CodeMixedForm, Example: "image: alpine\ncontainers:\n  web: {image: alpine}\n",
		Meaning: "A file has an image at the top, which makes it one container, and also a `containers` section.",
		Cure:    "Move the options at the top into an entry of `containers`.",
	},
	{
		Code: CodeBadProjectName, Example: "project: My Shop\nimage: alpine\n",
		Meaning: "A project name has a character that names of networks and volumes cannot have.",
		Cure:    "Use lower-case letters, digits, - and _, with a letter or digit first.",
	},
}
