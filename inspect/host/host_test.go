package host

import "testing"

func TestIsPrivate(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "a.localhost": true, "LocalHost.": true, "intranet": true, "a.internal": true, "nas.lan": true,
		"router.home.arpa": true, "home.arpa": true, "printer.local": true,
		"x.org": false, "ci.guix.gnu.org": false, "10.x.org": false, "home.arpa.org": false,

		"127.0.0.1": true, "127.1": true, "0177.0.0.1": true, "0x7f000001": true, "0x7f.1": true, "2130706433": true,
		"0.0.0.0": true, "0.1.2.3": true, "10.0.0.1": true, "169.254.169.254": true, "100.64.1.1": true, "224.0.0.1": true,
		"255.255.255.255": true, "93.184.215.14": false, "8.8.8.8.": false,

		"::": true, "::1": true, "fe80::1%eth0": true, "fd00::1": true, "fec0::1": true, "ff02::1": true,
		"::ffff:127.0.0.1": true, "::ffff:8.8.8.8": false, "::127.0.0.1": true, "::ffff:0:127.0.0.1": true,
		"64:ff9b::7f00:1": true, "64:ff9b::a00:1": true, "64:ff9b::8.8.8.8": false, "64:ff9b:1::808:808": true,
		"2002:7f00:1::": true, "2002:a9fe:a9fe::1": true, "2002:808:808::1": false, "2001:0:a00:1::": true,
		"2a00:1450:4001::1": false,
	} {
		if got := IsPrivate(host); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
}

func TestMayLead(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"r.example.org", "cdn.example.org", true}, {"127.0.0.1", "cdn.example.org", true}, {"r.example.org", "8.8.8.8", true},
		{"r.example.org", "127.0.0.1", false}, {"r.example.org", "localhost", false}, {"r.example.org", "10.0.0.1", false},
		{"r.example.org", "169.254.169.254", false}, {"r.example.org", "minio", false}, {"r.example.org", "2130706433", false},
		{"r.example.org", "::ffff:10.0.0.1", false}, {"r.example.org", "0.0.0.0", false}, {"r.example.org", "fd00::1", false},
		{"127.0.0.1", "localhost", true}, {"localhost", "::1", true}, {"127.0.0.1", "10.0.0.1", true}, {"127.0.0.1", "minio", true},
		{"127.0.0.1", "169.254.169.254", false}, {"127.0.0.1", "fe80::1", false}, {"127.0.0.1", "0.0.0.0", false},
		{"10.0.0.1", "10.0.0.2", true}, {"registry", "minio", true}, {"10.0.0.1", "100.64.0.1", true},
		{"10.0.0.1", "127.0.0.1", false}, {"10.0.0.1", "127.1", false}, {"registry", "localhost.", false}, {"10.0.0.1", "::ffff:127.0.0.1", false},
		{"10.0.0.1", "64:ff9b::7f00:1", false}, {"10.0.0.1", "224.0.0.1", false}, {"10.0.0.1", "169.254.169.254", false},
		{"169.254.1.1", "169.254.1.2", true}, {"169.254.1.1", "127.0.0.1", false},
	} {
		if got := MayLead(c.from, c.to); got != c.want {
			t.Errorf("%s to %s: %v", c.from, c.to, got)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST.": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true, "::ffff:127.0.0.1": true,
		"a.localhost": false, "10.0.0.1": false, "0.0.0.0": false, "::": false, "localhost.example.org": false, "": false,
	} {
		if got := IsLoopback(host); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
}
