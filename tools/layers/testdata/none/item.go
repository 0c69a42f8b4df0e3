package none

type item struct{ price int }

// The parameter has the name of a function of another file.
func discount(newOrder int) int { return newOrder - 1 }
