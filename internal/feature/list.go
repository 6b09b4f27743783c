package feature

// links and list are a doubly linked list inside the members themselves: no
// allocation when a group moves.
type links[T any] struct {
	prev, next *member[T]
	in         bool
}

type list[T any] struct {
	front, back *member[T]
	of          func(*member[T]) *links[T]
}

func (l *list[T]) remove(m *member[T]) {
	k := l.of(m)
	if !k.in {
		return
	}
	if k.prev != nil {
		l.of(k.prev).next = k.next
	} else {
		l.front = k.next
	}
	if k.next != nil {
		l.of(k.next).prev = k.prev
	} else {
		l.back = k.prev
	}
	*k = links[T]{}
}

func (l *list[T]) toBack(m *member[T]) {
	if l.back == m {
		return
	}
	l.remove(m)
	*l.of(m) = links[T]{prev: l.back, in: true}
	if l.back != nil {
		l.of(l.back).next = m
	} else {
		l.front = m
	}
	l.back = m
}
