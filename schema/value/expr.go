package value

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// The functions below write regular expressions for schemas, from the rules that the parsers check. They use what RE2 and
// ECMA-262 have in common. What needs arithmetic or a comparison of two numbers is left to the parsers.

// either matches one of several expressions.
func either(expr ...string) string { return "(" + strings.Join(expr, "|") + ")" }

// anyCase matches words in upper and lower case.
func anyCase(words ...string) string {
	var b strings.Builder
	for i, w := range words {
		b.WriteByte("(|"[min(i, 1)])
		for _, c := range []byte(w) {
			if low, up := c|0x20, c&^0x20; 'a' <= low && low <= 'z' {
				b.Write([]byte{'[', up, low, ']'})
				continue
			}
			b.WriteByte(c)
		}
	}
	return b.String() + ")"
}

// each matches one entry or several, separated by commas.
func each(entry string) string { return entry + "(," + entry + ")*" }

// signed matches the whole numbers from low to high, with zeros and a sign in front as strconv takes them.
func signed(low, high int64) string {
	var parts []string
	if high >= 0 {
		parts = append(parts, `\+?`+numbers(uint64(max(low, 0)), uint64(high))) //nolint:gosec // 0 or more
	}
	if low <= 0 {
		parts = append(parts, "-"+numbers(magnitude(min(high, 0)), magnitude(low)))
	}
	return either(parts...)
}

// magnitude is the number without its sign; low is 0 or less.
func magnitude(low int64) uint64 {
	if low == math.MinInt64 {
		return 1 << 63
	}
	return uint64(-low) //nolint:gosec // 0 or more
}

// noBound is the largest number of 63 bits, which stands for no upper bound: editors show expressions, and one for it
// would be long.
const noBound = math.MaxInt64

// numbers matches the whole numbers from low to high, less than 10^19, in decimal digits with zeros in front.
func numbers(low, high uint64) string {
	if low == 0 && high >= noBound {
		return "[0-9]+"
	}
	var parts []string
	for nines, digits := uint64(9), 1; ; nines, digits = nines*10+9, digits+1 {
		if low > nines {
			continue
		}
		end := min(nines, high)
		parts = append(parts, span(strconv.FormatUint(low, 10), strconv.FormatUint(end, 10)))
		switch {
		case high >= noBound:
			return "0*" + either(append(parts, "[1-9][0-9]{"+strconv.Itoa(digits)+",}")...)
		case end == high:
			return "0*" + either(parts...)
		}
		low = end + 1
	}
}

// span matches the numbers from low to high, which have equally many digits.
func span(low, high string) string {
	rest := len(low) - 1
	switch {
	case low == high:
		return low
	case rest == 0:
		return "[" + low + "-" + high + "]"
	case low[0] == high[0]:
		return low[:1] + span(low[1:], high[1:])
	}
	zeros, nines := strings.Repeat("0", rest), strings.Repeat("9", rest)
	var parts []string
	first, last := low[0], high[0]
	if low[1:] != zeros {
		parts = append(parts, low[:1]+span(low[1:], nines))
		first++
	}
	if high[1:] != nines {
		parts = append(parts, high[:1]+span(zeros, high[1:]))
		last--
	}
	if first <= last {
		parts = append(parts, span(string(first), string(last))+anyDigits(rest))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return either(parts...)
}

func anyDigits(n int) string {
	if n == 1 {
		return "[0-9]"
	}
	return "[0-9]{" + strconv.Itoa(n) + "}"
}

// eachOncePattern matches one or more letters of a set, none of them twice, in any order.
func eachOncePattern(set string) string {
	var parts []string
	for i := range set {
		others := set[:i] + set[i+1:]
		more := ""
		if others != "" {
			more = eachOncePattern(others) + "?"
		}
		parts = append(parts, set[i:i+1]+more)
	}
	return either(parts...)
}

// butNot is the schema of a string that matches one expression and not another.
func butNot(expr, not string) jsonSchema {
	s := pattern(expr)
	s["not"] = pattern(not)
	return s
}

// bare adds numbers without quotes to a schema of text for which a number is text, too.
func bare(s jsonSchema) jsonSchema {
	s["type"] = []any{"string", "number"}
	if expr, ok := s["pattern"].(string); ok && !regexp.MustCompile(expr).MatchString("-1") {
		s["minimum"] = int64(0)
	}
	return s
}

// orNumber adds whole numbers from low to high, which need no quotes, to an expression for text.
func orNumber(low, high int64, expr string) jsonSchema {
	return anyOf(map[string]any{"type": "integer", "minimum": low, "maximum": high}, pattern(expr))
}

// sizes matches sizes from low to high in bytes with the units b to p, and all with an exponent. What begins with 0 is
// taken: docker makes 0 of less than a byte.
func sizes(low, high uint64) string {
	parts := []string{
		`(0+(\.[0-9]*)?|\.[0-9]+)` + sizeUnit, mantissa + `[eE][+-]?[0-9]+` + sizeUnit,
		numbers(max(low, 1), high) + `(\.[0-9]*)? ?[bB]?`,
	}
	for i, unit := range []string{`[kK]`, `[mM]`, `[gG]`, `[tT]`, `[pP]`} {
		shift, most := 10*(i+1), high
		if high < noBound {
			most >>= shift
		}
		if most > 0 {
			parts = append(parts, numbers(max(low>>shift, 1), most)+`(\.[0-9]*)? ?`+unit+`([bB]|[iI][bB])?`)
		}
	}
	return `\+?` + either(parts...)
}

// accountSchema is the schema of accounts: numbers, and names, of which 1.5 without quotes is one.
func accountSchema(expr string) jsonSchema {
	const least, most = int64(0), int64(math.MaxInt32)
	return anyOf(map[string]any{"type": "integer", "minimum": least, "maximum": most},
		map[string]any{"type": "number", "minimum": least, "maximum": most}, pattern(`^`+expr+`$`))
}

// account matches the name or the number of a user or group of an image. A number of more than 31 bits is none.
func account() string {
	const rest = `[^:\x00]*`
	return either(signed(0, math.MaxInt32), `[^0-9+:\x00-]`+rest, `[+-]?[0-9]+[^0-9:\x00]`+rest, `[+-]([^0-9:\x00]`+rest+`)?`)
}

// Expressions that several values use. A byte of 0 is nowhere allowed.
const (
	textExpr    = `[^\x00]*`
	wordExpr    = `[^\t\n\v\f\r \x00]+` // without blanks
	octet       = `(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`
	ipv4Expr    = octet + `(\.` + octet + `){3}`
	ipv6Expr    = `([0-9a-fA-F]{0,4}:){2,8}[0-9a-fA-F.]*` // and more
	addressExpr = ipv4Expr + `|` + ipv6Expr + `|\[(` + ipv4Expr + `|` + ipv6Expr + `)\]`
	labelExpr   = `[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?`
	hostExpr    = labelExpr + `(\.` + labelExpr + `)*\.?`
	rootExpr    = `(/(\.\.?)?)+` // the root directory
	protoExpr   = `(/([tT][cC][pP]|[uU][dD][pP]|[sS][cC][tT][pP]))?`

	mantissa = `([0-9]+\.?[0-9]*|\.[0-9]+)`
	nonZero  = `([0-9]*[1-9][0-9]*\.?[0-9]*|[0-9]*\.[0-9]*[1-9][0-9]*)` // a mantissa
	someSize = `\+?` + nonZero + exponent + sizeUnit
	exponent = `([eE][+-]?[0-9]+)?`
	sizeUnit = ` ?([bB]|[kKmMgGtTpP]([bB]|[iI][bB])?)?`
)
