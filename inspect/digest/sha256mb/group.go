package sha256mb

import "crypto/sha256"

// A Group computes the digests of its lanes together.
type Group struct {
	queue []*Lane  // those that may have something to hash
	free  [][]byte // buffers that lanes have no more use for
}

// NewGroup returns a group without lanes.
func NewGroup() *Group { return new(Group) }

// NewLane returns another lane of the group, for a message that is empty yet.
func (g *Group) NewLane() *Lane {
	if !accelerated {
		return &Lane{std: sha256.New()}
	}
	return &Lane{group: g, h: initial}
}

func (g *Group) newBuffer() []byte {
	n := len(g.free) - 1
	if n < 0 {
		return make([]byte, bufferSize)
	}
	buffer := g.free[n]
	g.free = g.free[:n]
	return buffer
}

// Run hashes what the lanes have, together where at least two have something,
// and ends all loans. What only one has waits, up to a limit.
func (g *Group) Run() {
	for g.step() {
	}
	for _, l := range g.queue {
		l.keep()
	}
	kept := g.queue[:0]
	for _, l := range g.queue {
		if l.queued = l.end-l.start >= blockSize; l.queued {
			kept = append(kept, l)
		}
	}
	clear(g.queue[len(kept):])
	g.queue = kept
}

// step hashes blocks of the two or three lanes that have most; false when fewer have
// any. Three at a time are faster for each than two, and last longest so.
func (g *Group) step() bool {
	var lanes [3]*Lane
	n := 0
	for _, l := range g.queue {
		if len(l.ready()) == 0 {
			continue
		}
		at := n
		for at > 0 && lanes[at-1].waiting() < l.waiting() {
			at--
		}
		if at == len(lanes) {
			continue
		}
		n = min(n+1, len(lanes))
		copy(lanes[at+1:n], lanes[at:])
		lanes[at] = l
	}
	if n < 2 {
		return false
	}
	var p [3][]byte
	for i, l := range lanes[:n] {
		p[i] = l.ready()
	}
	compress(lanes[:n], p[:n])
	return true
}

// compress hashes as many blocks of each lane as all have, which lie in p.
func compress(lanes []*Lane, p [][]byte) {
	size := len(p[0])
	for _, q := range p {
		size = min(size, len(q))
	}
	switch n := size / blockSize; len(lanes) {
	case 1:
		blocks1(&lanes[0].h, &p[0][0], n)
	case 2:
		blocks2(&lanes[0].h, &lanes[1].h, &p[0][0], &p[1][0], n)
	case 3:
		blocks3(&lanes[0].h, &lanes[1].h, &lanes[2].h, &p[0][0], &p[1][0], &p[2][0], n)
	}
	for _, l := range lanes {
		l.advance(size)
	}
}

// drain hashes all whole blocks of l, and beside them what others have.
func (g *Group) drain(l *Lane) {
	for len(l.ready()) > 0 {
		lanes, p := [3]*Lane{l}, [3][]byte{l.ready()}
		n := 1
		for _, other := range g.queue {
			if n == len(lanes) {
				break
			}
			if q := other.ready(); other != l && len(q) > 0 {
				lanes[n], p[n] = other, q
				n++
			}
		}
		compress(lanes[:n], p[:n])
	}
}
