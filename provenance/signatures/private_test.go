package signatures

import "testing"

func TestIsPrivate(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST.": true, "printer": true, "a.lan": true, "a.home.arpa": true, "a.internal": true,
		"127.0.0.1": true, "127.1": true, "0x7f000001": true, "2130706433": true, "10.0.0.1": true, "100.64.0.1": true, "169.254.169.254": true,
		"::1": true, "fe80::1%eth0": true, "::ffff:10.0.0.1": true, "64:ff9b::a00:1": true, "2002:a00:1::": true,
		"8.8.8.8": false, "2606:4700::1": false, "64:ff9b::808:808": false, "2002:808:808::": false, "a.example": false, "lan.example": false,
	} {
		if got := IsPrivate(host); got != want {
			t.Errorf("%q: %t, want %t", host, got, want)
		}
	}
}
