package two

const limit = 3

func first(list []box[int]) int { return list[0].get() }
