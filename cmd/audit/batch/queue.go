package batch

import "sync"

// A unit is work that is done by one of the jobs, one task after the other.
type unit struct {
	tasks []task
	group string // "" for none
}

// A queue hands out units in their order, but of each group the first alone: the others
// follow when it has ended.
type queue struct {
	mu      sync.Mutex
	changed *sync.Cond
	ready   []unit
	waiting map[string][]unit // by group
	busy    int
}

func newQueue(units []unit) *queue {
	q := &queue{waiting: make(map[string][]unit)}
	q.changed = sync.NewCond(&q.mu)
	begun := make(map[string]bool)
	for _, u := range units {
		if u.group != "" && begun[u.group] {
			q.waiting[u.group] = append(q.waiting[u.group], u)
			continue
		}
		begun[u.group] = true
		q.ready = append(q.ready, u)
	}
	return q
}

// take waits for the next unit; false when there will be none.
func (q *queue) take() (unit, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.ready) == 0 && q.busy > 0 {
		q.changed.Wait()
	}
	if len(q.ready) == 0 {
		return unit{}, false
	}
	u := q.ready[0]
	q.ready = q.ready[1:]
	q.busy++
	return u, true
}

// end says that a unit has ended.
func (q *queue) end(u unit) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy--
	q.ready = append(q.ready, q.waiting[u.group]...)
	delete(q.waiting, u.group)
	q.changed.Broadcast()
}
