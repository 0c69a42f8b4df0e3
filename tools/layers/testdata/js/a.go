package js

func open() { dial() }

func name() string { return "" }
