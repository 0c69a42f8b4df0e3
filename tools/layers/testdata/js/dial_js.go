package js

func dial() { _ = name() }
