package broken

func a() { nowhere() }
