package four

const size = 2

// c calls a method of an interface of d.
func call(d caller) { d.call() }
