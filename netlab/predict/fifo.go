package predict

// fifo is a queue in chunks: it grows without copying, and gives back what it has
// handed out. The zero value is empty.
type fifo[T any] struct {
	len         int
	first, last *chunk[T]
	spare       *chunk[T] // the chunk emptied last
}

const chunkLen = 1024

type chunk[T any] struct {
	items    [chunkLen]T
	from, to int
	next     *chunk[T]
}

func (q *fifo[T]) push(item T) {
	if q.last == nil || q.last.to == chunkLen {
		q.grow()
	}
	q.last.items[q.last.to] = item
	q.last.to++
	q.len++
}

func (q *fifo[T]) grow() {
	c := q.spare
	q.spare = nil
	if c == nil {
		c = &chunk[T]{}
	}
	if q.last == nil {
		q.first = c
	} else {
		q.last.next = c
	}
	q.last = c
}

// pop takes the oldest item out of a queue that is not empty.
func (q *fifo[T]) pop() T {
	c := q.first
	item := c.items[c.from]
	c.from++
	q.len--
	if c.from == c.to {
		q.first = c.next
		if q.first == nil {
			q.last = nil
		}
		c.from, c.to, c.next = 0, 0, nil
		q.spare = c
	}
	return item
}
