package logs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/go-units"

	"github.com/runfile/runfile/schema/value"
)

// jsonFileConfig is what the log-opt entries of json-file say.
type jsonFileConfig struct {
	maxSize  int64 // bytes after which the next record starts a new file; 0 = never
	maxFiles int   // files kept, the current one included; at least 1
	compress bool
	attrs    []byte // encoded value of each record's key attrs; empty = no such key
	mode     mode
}

// jsonFileOptions are the accepted keys, for the message about any other.
var jsonFileOptions = []string{
	"compress", "env", "env-regex", "labels", "labels-regex", "max-buffer-size", "max-file", "max-size", "mode", "tag",
}

func parseJSONFile(info Info, opts map[string]string) (jsonFileConfig, error) {
	cfg := jsonFileConfig{maxFiles: 1}
	for _, key := range slices.Sorted(maps.Keys(opts)) {
		if !slices.Contains(jsonFileOptions, key) {
			return cfg, fmt.Errorf("log-driver json-file has no log-opt %q; it has %s", key, strings.Join(jsonFileOptions, ", "))
		}
	}
	if text, ok := opts["max-size"]; ok {
		size, err := units.FromHumanSize(text)
		if err != nil || size <= 0 {
			return cfg, fmt.Errorf("log-opt max-size=%s: want a size above 0, such as 10m", text)
		}
		cfg.maxSize = size
	}
	if text, ok := opts["max-file"]; ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return cfg, fmt.Errorf("log-opt max-file=%s: want a number of at least 1", text)
		}
		cfg.maxFiles = n
	}
	if text, ok := opts["compress"]; ok {
		on, err := strconv.ParseBool(text)
		if err != nil {
			return cfg, fmt.Errorf("log-opt compress=%s: want true or false", text)
		}
		if on && (cfg.maxFiles < 2 || cfg.maxSize == 0) {
			return cfg, errors.New("log-opt compress=true needs max-size, and max-file of at least 2")
		}
		cfg.compress = on
	}
	var err error
	if cfg.mode, err = parseMode(opts); err != nil {
		return cfg, err
	}
	cfg.attrs, err = encodeAttrs(info, opts)
	return cfg, err
}

// encodeAttrs returns the JSON object that labels, labels-regex, env, env-regex and tag ask for, or nothing.
func encodeAttrs(info Info, opts map[string]string) ([]byte, error) {
	attrs := map[string]string{}
	env := make(map[string]string, len(info.Env))
	for _, kv := range info.Env {
		if k, v, ok := strings.Cut(kv, "="); ok {
			env[k] = v
		}
	}
	if err := selectAttrs(attrs, info.Labels, "labels", opts); err != nil {
		return nil, err
	}
	if err := selectAttrs(attrs, env, "env", opts); err != nil {
		return nil, err
	}
	if text := opts["tag"]; text != "" {
		tag, err := expandTag(info, text)
		if err != nil {
			return nil, fmt.Errorf("log-opt tag=%s: %w", text, err)
		}
		attrs["tag"] = tag
	}
	if len(attrs) == 0 {
		return nil, nil
	}
	return json.Marshal(attrs)
}

// selectAttrs copies those of from into attrs that the options key (a comma list of names) and key-regex pick.
func selectAttrs(attrs, from map[string]string, key string, opts map[string]string) error {
	for name := range strings.SplitSeq(opts[key], ",") {
		if v, ok := from[name]; ok {
			attrs[name] = v
		}
	}
	text := opts[key+"-regex"]
	if text == "" {
		return nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return fmt.Errorf("log-opt %s-regex: %w", key, err)
	}
	for k, v := range from {
		if re.MatchString(k) {
			attrs[k] = v
		}
	}
	return nil
}

// expandTag fills docker's tag template with value.LogTagFields.
func expandTag(info Info, text string) (string, error) {
	t, err := value.LogTag(text)
	if err != nil {
		return "", err
	}
	image := strings.TrimPrefix(info.ImageID, "sha256:")
	var b bytes.Buffer
	err = t.Execute(&b, map[string]string{
		"ID": info.ID[:min(12, len(info.ID))], "FullID": info.ID, "Name": strings.TrimPrefix(info.Name, "/"),
		"ImageName": info.ImageName, "ImageID": image[:min(12, len(image))], "ImageFullID": info.ImageID,
		"DaemonName": "runfile",
	})
	return b.String(), err
}

// mode is whether a slow log may hold up the container.
type mode struct {
	nonBlocking bool
	buffer      int // bytes of lines that may wait when nonBlocking
}

// defaultBuffer is docker's max-buffer-size.
const defaultBuffer = 1e6

func parseMode(opts map[string]string) (mode, error) {
	m := mode{buffer: defaultBuffer}
	switch opts["mode"] {
	case "", "blocking":
	case "non-blocking":
		m.nonBlocking = true
	default:
		return m, fmt.Errorf("log-opt mode=%s: want blocking or non-blocking", opts["mode"])
	}
	text, ok := opts["max-buffer-size"]
	if !ok {
		return m, nil
	}
	if !m.nonBlocking {
		return m, errors.New("log-opt max-buffer-size needs mode=non-blocking")
	}
	size, err := units.RAMInBytes(text)
	if err != nil || size <= 0 || size > 1<<30 {
		return m, fmt.Errorf("log-opt max-buffer-size=%s: want a size above 0 and up to 1g, such as 4m", text)
	}
	m.buffer = int(size)
	return m, nil
}

// wrap puts the buffer in front of the driver where the mode asks for one.
func (m mode) wrap(d Driver) Driver {
	if !m.nonBlocking {
		return d
	}
	return newRing(d, m.buffer)
}
