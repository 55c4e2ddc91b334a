package diagnose

import "slices"

// shared keeps one copy of what many flows have in common. Of a million connections the
// shapes, the candidates and what was ruled out are few.
type shared struct {
	key      []byte // of the latest look-up; its memory is used again
	texts    map[string]string
	lists    map[string][]Cause
	excluded map[string][]Exclusion
}

func newShared() *shared {
	return &shared{texts: map[string]string{}, lists: map[string][]Cause{}, excluded: map[string][]Exclusion{}}
}

// text is what is appended, as a string.
func (s *shared) text(appended func([]byte) []byte) string {
	s.key = appended(s.key[:0])
	return lookUp(s.texts, s.key, func() string { return string(s.key) })
}

// causes is a list of causes that nobody changes.
func (s *shared) causes(list []Cause) []Cause {
	s.key = s.key[:0]
	for _, c := range list {
		s.key = append(append(s.key, c...), 0)
	}
	return lookUp(s.lists, s.key, func() []Cause { return slices.Clone(list) })
}

// exclusions is a list of exclusions that nobody changes; nil if it is empty.
func (s *shared) exclusions(list []Exclusion) []Exclusion {
	if len(list) == 0 {
		return nil
	}
	s.key = s.key[:0]
	for _, x := range list {
		s.key = append(append(s.key, x.Cause...), 0)
		s.key = append(append(s.key, x.Why...), 0)
	}
	return lookUp(s.excluded, s.key, func() []Exclusion { return slices.Clone(list) })
}

// clues is a copy of a list of clues, with shared texts.
func (s *shared) clues(list []Clue) []Clue {
	list = slices.Clone(list)
	for i := range list {
		list[i].Text = s.text(func(text []byte) []byte { return append(text, list[i].Text...) })
	}
	return list
}

// lookUp is what is known by a key; if nothing is, it is made.
func lookUp[T any](known map[string]T, key []byte, made func() T) T {
	v, ok := known[string(key)]
	if !ok {
		v = made()
		known[string(key)] = v
	}
	return v
}
