package none

// Test files are left out: this would close a circle.
func (i item) order() *order {
	main()
	return newOrder("")
}
