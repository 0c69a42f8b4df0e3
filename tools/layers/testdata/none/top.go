package none

// The field of an item comes with the order: nothing of its file is named.
func main() {
	o := newOrder("a")
	if o.items[0].price > 0 {
		o.add()
	}
}
