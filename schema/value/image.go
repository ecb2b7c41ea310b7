package value

import (
	"strings"

	"github.com/distribution/reference"
)

var imageSchemes = []string{"oci", "oci-archive", "docker-archive"}

var (
	imageID  = lazy(`^(sha256:)?[0-9a-f]{64}$`)
	imageTag = lazy(`^` + tagExpr + `$`)
)

const (
	domainPart = `[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?`
	tagExpr    = `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`
)

// referenceExpr is what a reference to an image in a registry looks like (distribution/reference has the grammar).
const referenceExpr = `((` + domainPart + `(\.` + domainPart + `)*|\[[0-9a-fA-F:]+\])(:[0-9]+)?/)?` + // a registry
	`[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*` +
	`(:` + tagExpr + `)?` +
	`(@[A-Za-z][A-Za-z0-9]*([_+.-][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?`

// ImageSyntax is the syntax of image: a registry reference, or an archive on disk.
func ImageSyntax() Parser[ImageRef] {
	return Parser[ImageRef]{
		Parse: ParseImage, Format: formatImage,
		Schema: func() jsonSchema {
			return bare(pattern(`^` + either(`(oci|oci-archive):[^:\x00]+(:`+either(tagExpr, referenceExpr)+`)?`,
				`docker-archive:[^:\x00]+(:`+referenceExpr+`)?`, referenceExpr) + `$`))
		},
		Syntax: "[HOST[:PORT]/]PATH[:TAG][@sha256:...] | oci:DIR[:TAG] | oci-archive:FILE[:TAG] | docker-archive:FILE[:REF]",
		Words:  withSuffix(imageSchemes, ":"),
	}
}

// formatImage leaves a reference as it was written; the path of an archive may have been made absolute.
func formatImage(r ImageRef) string {
	if r.Scheme == "" {
		return r.Text
	}
	return strings.TrimSuffix(r.Scheme+":"+r.Path+":"+r.Name, ":")
}

// ParseImage reads an image. Relative paths stay relative.
func ParseImage(s string) (ImageRef, error) {
	if scheme, rest, ok := strings.Cut(s, ":"); ok && contains(imageSchemes, scheme) {
		return parseArchive(scheme, rest, s)
	}
	if s == "" {
		return ImageRef{}, bad("there is no image")
	}
	if imageID().MatchString(s) {
		return ImageRef{Name: "sha256:" + strings.TrimPrefix(s, "sha256:"), Text: s}, nil
	}
	named, err := reference.ParseNormalizedNamed(s)
	if err != nil {
		return ImageRef{}, badImage(s, err)
	}
	return ImageRef{Name: reference.TagNameOnly(named).String(), Text: s}, nil
}

func parseArchive(scheme, rest, text string) (ImageRef, error) {
	path, name, hasName := strings.Cut(rest, ":")
	r := ImageRef{Scheme: scheme, Path: path, Name: name, Text: text}
	switch {
	case path == "":
		return r, bad("%q names no file", text).fix("write %s:PATH", scheme)
	case hasName && name == "":
		return r, bad("%q ends with a colon", text).fix("write %s:%s", scheme, path)
	case hasName && scheme != "docker-archive" && !imageTag().MatchString(name):
		// A layout's ref.name annotation may be a whole reference.
		if _, err := reference.ParseNormalizedNamed(name); err != nil {
			return r, bad("%q is not a tag", name)
		}
	case hasName && scheme == "docker-archive":
		if _, err := reference.ParseNormalizedNamed(name); err != nil {
			return r, badImage(name, err)
		}
	}
	return r, noNUL(text)
}

// PlatformSyntax is the syntax of platform: OS/ARCH[/VARIANT], or one of OS and ARCH alone.
func PlatformSyntax() Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			isPlatform := platformExpr().MatchString(s)
			s = strings.ToLower(s) // as docker does
			parts := strings.Split(s, "/")
			if len(parts) == 1 && !contains(platformOS, s) && !contains(platformArch, s) {
				return "", bad("%q is neither an operating system nor an architecture", s).from(s, append(platformArch, platformOS...))
			}
			if len(parts) > 3 || len(parts) > 1 && !contains(platformOS, parts[0]) {
				return "", bad("%q is not a platform", s).fix("write OS/ARCH[/VARIANT]: linux/arm64")
			}
			if len(parts) > 1 && !contains(platformArch, parts[1]) {
				return "", bad("there is no architecture %q", parts[1]).from(parts[1], platformArch)
			}
			if !isPlatform {
				return "", bad("%q is not a platform", s).fix("write OS/ARCH[/VARIANT]: linux/arm/v7")
			}
			return s, nil
		},
		Format: func(s string) string { return s },
		Schema: func() jsonSchema {
			os, arch := anyCase(platformOS...), anyCase(platformArch...)
			return pattern(`^` + either(os, arch, os+`/`+arch+`(/[a-zA-Z0-9.]+)?`) + `$`)
		},
		Syntax: "OS/ARCH[/VARIANT]",
		Words:  []string{"linux/amd64", "linux/arm64", "linux/arm/v7", "windows/amd64"},
	}
}

var platformExpr = lazy(`^[a-zA-Z0-9_]+(/[a-zA-Z0-9_]+(/[a-zA-Z0-9.]+)?)?$`)

var (
	platformOS   = []string{"linux", "windows"}
	platformArch = []string{
		"amd64", "arm64", "arm", "386", "ppc64le", "s390x", "riscv64", "mips64le", "loong64", "x86_64", "aarch64", "armhf", "armel", "i386",
	}
)
