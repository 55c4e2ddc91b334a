package tests

func stagedCauses() []cause { return nil }
