package main

import (
	"os"
	"path/filepath"
	"strings"
)

// nearest is the word that one is most like, the first of several; "" when none is like
// it. Two words are alike when at most a third of the letters of the shorter one are
// mistyped, or, where that is true of none, when they begin alike: by five letters and by
// two thirds of the shorter one, of which the other has no more than twice the length.
// Their case has no say.
func nearest(word string, among []string) string {
	best, least := "", 1+longest
	for _, candidate := range among {
		most := min(len(word), len(candidate)) / 3
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); d <= max(most, 1) && d < least && d < len(candidate) {
			best, least = candidate, d
		}
	}
	if best != "" {
		return best
	}
	most := beginning - 1
	for _, candidate := range among {
		short, long := min(len(word), len(candidate)), max(len(word), len(candidate))
		if n := alike(word, candidate); n > most && 3*n >= 2*short && long <= 2*short {
			best, most = candidate, n
		}
	}
	return best
}

// beginning is how many letters that two words begin with are no accident.
const beginning = 5

// alike is how many letters two words begin with alike.
func alike(a, b string) (n int) {
	a, b = strings.ToLower(a), strings.ToLower(b)
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// longest is the length of the words that are compared, in bytes.
const longest = 64

// distance is how many letters of a have to be added, left out, exchanged or swapped
// with the next one to get b (optimal string alignment).
func distance(a, b string) int {
	if len(a) > longest || len(b) > longest {
		return longest
	}
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+differ(a[i], b[j]))
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}

func differ(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
}

// meant says which of some words was probably meant, "" when none was.
func meant(word string, among []string) string {
	if near := nearest(word, among); near != "" {
		return ", nearest is " + near
	}
	return ""
}

// meantFile says which file of the same folder was probably meant.
func meantFile(path string) string {
	dir, name := filepath.Split(path)
	folder, err := os.Open(filepath.Clean("./" + dir))
	if filepath.IsAbs(dir) {
		folder, err = os.Open(dir)
	}
	if err != nil {
		return ""
	}
	defer folder.Close()
	names, _ := folder.Readdirnames(1000) // as many as there are
	if near := nearest(name, names); near != "" {
		return ", nearest is " + dir + near
	}
	return ""
}
