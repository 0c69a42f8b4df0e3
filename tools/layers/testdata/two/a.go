package two

type box[T any] struct{ v T }

func (b box[T]) get() T { return b.v }

var start = limit
