package explain

import (
	"bytes"

	"audit/inspect/check"
)

// maxLookups bounds the places, of all files together, where dates and paths
// are looked for.
const maxLookups = 20_000

// resync is how many equal bytes make two contents the same again after a
// place that nothing explains.
const resync = 16

// tokens compares two contents that are the same but for dates and paths, and
// notes these. It returns false when something else differs: then it has noted
// what it could. The label says where a byte of was stands.
func (d *diff) tokens(was, now []byte, label func(at int) check.Message) bool {
	_, all := d.align(was, now, label)
	return all
}

// A parting is where two contents part: a place in each.
type parting struct{ was, now int }

// align is tokens that also says where the first difference stands that nothing explains.
// Where no more places may be looked into that is the first in which more than digits is
// other, or else the first of those that were not looked into.
func (d *diff) align(was, now []byte, label func(at int) check.Message) (first parting, all bool) {
	all = true
	i, j := 0, 0
	for {
		n := common(was[i:], now[j:])
		i, j = i+n, j+n
		if i == len(was) && j == len(now) {
			return first, all
		}
		looked := d.lookups > 0
		x, y, ok := d.meet(was, i, now, j)
		switch {
		case ok:
			d.add(label(x.from), x.reason, string(was[x.from:x.to]), string(now[y.from:y.to]))
			i, j = x.to, y.to
			was, now := was[i:], now[j:]
			if p, q := zeros(was), zeros(now); x.to-x.from+p == y.to-y.from+q {
				i, j = i+p, j+q // a field of a fixed size
			}
		case len(was) != len(now) || i != j || d.lookups <= 0:
			if all {
				first = parting{i, j}
			}
			if all && !looked {
				first = beyondDigits(was, now, first)
			}
			return first, false
		default:
			if all {
				first = parting{i, j}
			}
			all = false
			n := i + apart(was[i:], now[i:])
			i, j = n, n
		}
	}
}

// beyondDigits returns the first place from one on in which two contents part by more than
// their digits, which dates have; the same place where there is none.
func beyondDigits(was, now []byte, from parting) parting {
	x, y := number(was, from.was), number(now, from.now)
	for x < len(was) && y < len(now) {
		switch isX, isY := isDigit(was[x]), isDigit(now[y]); {
		case isX && isY:
			for x < len(was) && isDigit(was[x]) {
				x++
			}
			for y < len(now) && isDigit(now[y]) {
				y++
			}
		case was[x] == now[y]:
			x, y = x+1, y+1
		default:
			return parting{x, y}
		}
	}
	if x == len(was) && y == len(now) {
		return from
	}
	return parting{x, y}
}

// number returns where the digits begin that stand around a place.
func number(data []byte, at int) int {
	for at > 0 && isDigit(data[at-1]) {
		at--
	}
	return at
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// zeros returns how many bytes of zero data starts with.
func zeros(data []byte) int { return len(data) - len(bytes.TrimLeft(data, "\x00")) }

// explained is tokens for what must be explained in full: else nothing is noted.
func (d *diff) explained(was, now []byte, label func(at int) check.Message) bool {
	try := *d
	try.out = new(Explanation)
	if !try.tokens(was, now, label) {
		return false
	}
	d.out.merge(try.out)
	return true
}

// meet returns the tokens of one form, one in each content, that hold the place
// where the contents part and start at the same distance before it.
func (d *diff) meet(was []byte, i int, now []byte, j int) (x, y token, ok bool) {
	if d.lookups <= 0 {
		return x, y, false
	}
	d.lookups--
	xs := find(d.finders, was, i)
	if len(xs) == 0 {
		return x, y, false
	}
	ys := find(d.finders, now, j)
	for _, a := range xs {
		for _, b := range ys {
			if a.finder == b.finder && !d.isLater(a, was) && !d.isLater(b, now) && i-a.from == j-b.from && (a.to > i || b.to > j) && (!ok || a.to+b.to > x.to+y.to) &&
				(a.near == nil || a.near(string(was[a.from:a.to]), string(now[b.from:b.to]))) {
				x, y, ok = a, b, true
			}
		}
	}
	return x, y, ok
}

// common returns how many bytes two contents have in common at their start.
func common(x, y []byte) int {
	n, at := min(len(x), len(y)), 0
	const step = 256
	for at+step <= n && bytes.Equal(x[at:at+step], y[at:at+step]) {
		at += step
	}
	for at < n && x[at] == y[at] {
		at++
	}
	return at
}

// apart returns after how many bytes two contents of one length are the same
// again, for a while or up to their end.
func apart(x, y []byte) int {
	same := 0
	for at := range x {
		if x[at] != y[at] {
			same = 0
		} else if same++; same == resync {
			return at + 1 - resync
		}
	}
	return len(x) - same
}

// byteAt labels a place by its offset.
func byteAt(at int) check.Message { return check.Say("difference/byte", "offset", at) }
