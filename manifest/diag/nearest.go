package diag

import (
	"strings"
	"unicode/utf8"
)

// Nearest returns the name that word was probably meant to be. The measure is the Damerau distance, in which two
// swapped neighbours count as one change; up to 4 letters 1 change is allowed, up to 8 letters 2, above 3, and never as
// many as the word has letters. A name that differs in case only always counts. Of equally near names the first wins.
func Nearest(word string, names []string) (string, bool) {
	letters := utf8.RuneCountInString(word)
	limit := 3
	switch {
	case letters <= 4:
		limit = 1
	case letters <= 8:
		limit = 2
	}
	limit = min(limit, letters-1)

	best, found := "", false
	w := []rune(word)
	for _, name := range names {
		if strings.EqualFold(word, name) {
			return name, true
		}
		n := []rune(name)
		if d := len(n) - len(w); d > limit || -d > limit {
			continue // also keeps a huge word from costing more than its length
		}
		if d := distance(w, n); d <= limit {
			best, found, limit = name, true, d-1
		}
	}
	return best, found
}

// distance is the optimal string alignment distance of a and b.
func distance(a, b []rune) int {
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
