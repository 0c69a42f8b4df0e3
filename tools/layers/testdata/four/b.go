package four

// B names c's constant only in the length of an array.
type B struct{ list [size]int }

func (b B) first() int { return b.list[0] }
