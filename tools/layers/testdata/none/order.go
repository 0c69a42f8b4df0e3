package none

type order struct {
	name  string
	items []item
}

func newOrder(name string) *order { return &order{name: name, items: []item{{}}} }

func (o *order) add() { o.items = append(o.items, item{}) }
