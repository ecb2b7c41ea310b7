package value

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"
)

// LogDrivers are docker's log drivers of Linux, the default first.
var LogDrivers = []string{
	"json-file", "none", "local", "syslog", "journald", "gelf", "fluentd", "splunk", "awslogs", "gcplogs",
}

// LogDriverSyntax is the syntax of log-driver.
func LogDriverSyntax() Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			if !contains(LogDrivers, s) {
				return "", bad("there is no log driver %q", s).from(s, LogDrivers)
			}
			return s, nil
		},
		Format: func(s string) string { return s },
		Schema: func() jsonSchema { return enum(LogDrivers...) }, Syntax: strings.Join(LogDrivers, " | "), Words: LogDrivers,
	}
}

// Options of every driver: what is added to each message, and how messages reach the driver.
var (
	attributeOptions = []string{"labels", "labels-regex", "env", "env-regex", "tag"}
	deliveryOptions  = []string{"mode", "max-buffer-size"}
	cacheOptions     = []string{"cache-disabled", "cache-max-file", "cache-max-size", "cache-compress"}
)

// driverOptions are the options of single drivers, in docker's words.
var driverOptions = map[string][]string{
	"json-file": {"max-size", "max-file", "compress"},
	"local":     {"max-size", "max-file", "compress"},
	"syslog": {
		"syslog-address", "syslog-facility", "syslog-format", "syslog-tls-ca-cert", "syslog-tls-cert", "syslog-tls-key",
		"syslog-tls-skip-verify",
	},
	"journald": nil,
	"gelf": {
		"gelf-address", "gelf-compression-type", "gelf-compression-level", "gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay",
	},
	"fluentd": {
		"fluentd-address", "fluentd-async", "fluentd-async-reconnect-interval", "fluentd-buffer-limit", "fluentd-max-retries",
		"fluentd-request-ack", "fluentd-retry-wait", "fluentd-sub-second-precision", "fluentd-write-timeout", "fluentd-read-timeout",
	},
	"splunk": {
		"splunk-url", "splunk-token", "splunk-source", "splunk-sourcetype", "splunk-index", "splunk-capath", "splunk-caname",
		"splunk-insecureskipverify", "splunk-format", "splunk-verify-connection", "splunk-gzip", "splunk-gzip-level",
		"splunk-index-acknowledgment",
	},
	"awslogs": {
		"awslogs-region", "awslogs-endpoint", "awslogs-group", "awslogs-stream", "awslogs-create-group", "awslogs-create-stream",
		"awslogs-datetime-format", "awslogs-multiline-pattern", "awslogs-credentials-endpoint",
		"awslogs-force-flush-interval-seconds", "awslogs-max-buffered-events", "awslogs-format",
	},
	"gcplogs": {"gcp-project", "gcp-log-cmd", "gcp-meta-zone", "gcp-meta-name", "gcp-meta-id"},
}

// logOptions are all options that a driver takes.
func logOptions(driver string) []string {
	out := slices.Concat(driverOptions[driver], attributeOptions, deliveryOptions)
	if driver != "json-file" && driver != "local" && driver != "journald" { // those keep what they wrote themselves
		out = append(out, cacheOptions...)
	}
	return out
}

// LogOptSyntax is the syntax of log-opt: KEY=VALUE. What the driver takes is CheckLogOption's business.
func LogOptSyntax() Parser[KeyValue] {
	return Parser[KeyValue]{
		Parse: func(s string) (KeyValue, error) {
			kv := cutPair(s)
			if kv.Key == "" || !kv.HasValue {
				return kv, bad("%q is not KEY=VALUE", s)
			}
			return kv, noNUL(s)
		},
		Format: formatPair, Schema: func() jsonSchema { return pattern(`^[^=\x00]+=` + textExpr + `$`) },
		Entry: textEntry(`[^=\x00]+`), Syntax: "KEY=VALUE", Words: withSuffix(logOptions("json-file"), "="),
	}
}

// CheckLogOption says what is wrong with an option of a driver. Docker finds out about most values only at start.
func CheckLogOption(driver string, kv KeyValue) error {
	switch {
	case driver == "none":
		return bad("the log driver none takes no options").fix("remove log-opt")
	case !contains(logOptions(driver), kv.Key):
		return bad("the log driver %s has no option %q", driver, kv.Key).from(kv.Key, logOptions(driver))
	}
	if check := logOptionRules[kv.Key]; check != nil {
		return check(kv.Key, kv.Value)
	}
	return nil
}

// logOptionRules check the values of options; what is not here may be any text.
var logOptionRules = map[string]func(key, v string) error{
	"max-size": decimalSize, "max-file": countOption, "compress": boolOption, "tag": func(_, v string) error { return checkLogTag(v) },
	"labels-regex": regexOption, "env-regex": regexOption, "max-buffer-size": binarySize,
	"mode":           wordOption("blocking", "non-blocking"),
	"syslog-address": addressOption("udp", "tcp", "tcp+tls", "unix", "unixgram"),
	"syslog-format":  wordOption("rfc3164", "rfc5424", "rfc5424micro"), "syslog-tls-skip-verify": boolOption,
	"gelf-address": addressOption("udp", "tcp"), "gelf-compression-type": wordOption("gzip", "zlib", "none"),
	"gelf-compression-level": numberOption, "gelf-tcp-max-reconnect": countOption, "gelf-tcp-reconnect-delay": countOption,
	"fluentd-async": boolOption, "fluentd-request-ack": boolOption, "fluentd-sub-second-precision": boolOption,
	"fluentd-buffer-limit": binarySize, "fluentd-max-retries": numberOption, "fluentd-retry-wait": timeOption,
	"fluentd-write-timeout": timeOption, "fluentd-read-timeout": timeOption, "fluentd-async-reconnect-interval": timeOption,
	"splunk-format": wordOption("inline", "json", "raw"), "splunk-insecureskipverify": boolOption,
	"splunk-verify-connection": boolOption, "splunk-gzip": boolOption, "splunk-gzip-level": numberOption,
	"splunk-index-acknowledgment": boolOption,
}

// decimalSize: decimal units here, unlike everywhere else; docker reads this one with FromHumanSize.
func decimalSize(key, v string) error {
	if n, err := units.FromHumanSize(v); err != nil || n <= 0 {
		return bad("%s %q is not a size", key, v).fix("write %s=10m", key)
	}
	return nil
}

func binarySize(key, v string) error {
	if n, err := size(v); err != nil || n <= 0 {
		return bad("%s %q is not a size", key, v).fix("write %s=4m", key)
	}
	return nil
}

func countOption(key, v string) error {
	if n, err := strconv.Atoi(v); err != nil || n < 1 {
		return bad("%s %q is not a whole number of 1 or more", key, v)
	}
	return nil
}

func numberOption(key, v string) error {
	if _, err := strconv.Atoi(v); err != nil {
		return bad("%s %q is not a whole number", key, v)
	}
	return nil
}

func boolOption(key, v string) error {
	if _, err := strconv.ParseBool(v); err != nil {
		return bad("%s %q is neither true nor false", key, v)
	}
	return nil
}

func timeOption(key, v string) error {
	if _, err := time.ParseDuration(v); err != nil {
		return bad("%s %q is not a duration", key, v).fix("write %s=5s", key)
	}
	return nil
}

func regexOption(key, v string) error {
	if _, err := regexp.Compile(v); err != nil {
		return bad("%s is not a regular expression: %s", key, regexpProblem(err))
	}
	return nil
}

func wordOption(words ...string) func(key, v string) error {
	return func(key, v string) error {
		if !contains(words, v) {
			return bad("%s %q is not one of %s", key, v, oneOf(words)).from(v, words)
		}
		return nil
	}
}

func addressOption(schemes ...string) func(key, v string) error {
	return func(key, v string) error {
		scheme, rest, ok := strings.Cut(v, "://")
		if !ok || rest == "" || !contains(schemes, scheme) {
			return bad("%s %q is not SCHEME://ADDRESS with one of %s", key, v, oneOf(schemes)).fix("write %s=%s://127.0.0.1:514", key, schemes[0])
		}
		return nil
	}
}
