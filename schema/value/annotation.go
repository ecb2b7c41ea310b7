package value

import "strings"

// runtimeAnnotations begin the names by which annotations command a runtime, or what stands around it, instead of
// describing a container: hooks and handlers of crun, settings of CRIU and systemd, the hypervisor of a VM runtime,
// devices by CDI. A runfile comes from a repo and must not reach them (CVE-2026-53492 was of this kind).
var runtimeAnnotations = []string{
	"run.oci.", "run.crun.", "org.criu.", "org.systemd.", "org.opencontainers.runc.", "module.wasm.",
	"io.containerd.", "containerd.io/", "io.cri-containerd", "io.kubernetes.cri", "io.podman.", "cdi.k8s.io/", "nri.io/",
	"io.katacontainers.", "com.github.containers.", "dev.gvisor.", "io.microsoft.",
}

// AnnotationSyntax is the syntax of annotation: NAME[=VALUE].
func AnnotationSyntax() Parser[KeyValue] {
	return Parser[KeyValue]{
		Parse: parseAnnotation, Format: formatPair,
		Schema: func() jsonSchema {
			return bare(butNot(`^`+annotationExpr+`(=`+textExpr+`)?$`, commandingRuntime()))
		},
		Entry: func() (jsonSchema, jsonSchema) {
			return butNot(`^`+annotationExpr+`$`, commandingRuntime()), textOrNumber()
		},
		Syntax: "NAME[=VALUE]; names that command a runtime are refused, such as run.oci.*",
	}
}

const annotationExpr = `[^=\x00-\x20\x7f]+`

// commandingRuntime matches the names that begin as one of runtimeAnnotations.
func commandingRuntime() string {
	return `^` + strings.ReplaceAll(anyCase(runtimeAnnotations...), ".", `\.`)
}

func parseAnnotation(s string) (KeyValue, error) {
	kv := cutPair(s)
	switch {
	case kv.Key == "":
		return kv, bad("%q is an annotation without a name", s).fix("write NAME=VALUE")
	case strings.ContainsFunc(kv.Key, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return kv, bad("the annotation's name %q has a space or control character", kv.Key)
	}
	for _, prefix := range runtimeAnnotations {
		if strings.HasPrefix(strings.ToLower(kv.Key), prefix) {
			return kv, bad("the annotation %q commands the runtime, which a runfile may not do", kv.Key).
				fix("use a name of your own, or the option of docker run for what is meant")
		}
	}
	kv.HasValue = true
	return kv, noNUL(s)
}
