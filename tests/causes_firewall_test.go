package tests

func firewallCauses() []cause { return nil }
