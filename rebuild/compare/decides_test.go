package compare

import "testing"

func TestDecides(t *testing.T) {
	for _, path := range []string{"etc/passwd-", "usr/etc/sudoers.d/x", "etc/ld.so.conf", "etc/ld.so.conf.d/x.conf", "var/spool/cron/crontabs/root",
		"etc/cron.daily/x", "etc/anacrontab", "etc/environment", "usr/share/polkit-1/rules.d/x", ".singularity.d/runscript", ".singularity.d/env/90-environment.sh"} {
		if !Decides(Content, nil, nil, "srv/x", path) {
			t.Errorf("%s decides nothing", path)
		}
	}
	for _, path := range []string{"etc", "etc/hostname", "etc/ssh_known", "srv/etc/passwd", "var/spool/mail/x", ".singularity.d/labels.json"} {
		if Decides(Content, Text("0755"), Text("0777"), path) {
			t.Errorf("%s decides something", path)
		}
	}
	for _, tc := range []struct {
		path     string
		was, now Value
		want     bool
	}{
		{"etc", Permissions(0o755), Permissions(0o777), true},
		{"etc/x", Permissions(0o777), Permissions(0o755), true},
		{"usr/local/bin", Permissions(0o755), Permissions(0o777), true},
		{"usr/bin/x", Text("0755"), Text("0777"), true}, // of a stored report
		{"", Permissions(0o755), Permissions(0o777), true},
		{"etc", Permissions(0o755), Permissions(0o1777), false}, // sticky
		{"etc", Permissions(0o755), Permissions(0o700), false},
		{"srv", Permissions(0o755), Permissions(0o777), false},
		{"etc", nil, nil, false},
	} {
		if got := Decides(Mode, tc.was, tc.now, tc.path); got != tc.want {
			t.Errorf("%q %v → %v: %v", tc.path, tc.was, tc.now, got)
		}
	}
}

func TestFieldDecides(t *testing.T) {
	for _, tc := range []struct {
		field, was, now string
		want            bool
	}{
		{"config.User", `"1000"`, `"0"`, true},
		{"config.User", `"1000"`, "", true},
		{"config.user#2", `"root"`, `"1000:1000"`, true},
		{"config.User", `"root"`, `"0"`, false},
		{"config.User", "", `"root:0"`, true}, // the group that the user has may be another
		{"config.Entrypoint[0]", `"/bin/x"`, `"/tmp/evil"`, true},
		{"config.Cmd", `["a"]`, `["b"]`, true},
		{"config.Env[1]", "", `"LD_PRELOAD=/tmp/e.so"`, true},
		{"config.Env[0]", `"PATH=/usr/bin"`, `"PATH=/tmp:/usr/bin"`, true},
		{"config.Env", "", `["A=1","PYTHONPATH=/tmp"]`, true},
		{"config.Env", `["PATH=/a","PATH=/b"]`, `["PATH=/b","PATH=/a"]`, true}, // the last counts
		{"config.Env", `["A=1","PATH=/b"]`, `["PATH=/b","A=1"]`, false},
		{"config.Env[0]", `"A=1"`, `"A=2"`, false},
		{"config.Healthcheck.Test[1]", `"a"`, `"b"`, true},
		{`config.Labels["io.containers.capabilities"]`, "", `"SYS_ADMIN"`, true},
		{"config.Labels.a", `"1"`, `"2"`, false},
		{"config", `{}`, `{"config":{"User":"0"}}`, true},
		{"history[0].created_by", `"USER 1"`, `"USER 0"`, false},
		{"architecture", `"amd64"`, `"arm64"`, false},
	} {
		f := FieldDifference{Field: tc.field, Was: tc.was, Now: tc.now, Cause: Content}
		if got := f.Decides(); got != tc.want {
			t.Errorf("%s: %s → %s: %v", tc.field, tc.was, tc.now, got)
		}
		f.Cause = Packaging
		if f.Decides() {
			t.Errorf("%s decides, though no container sees the difference", tc.field)
		}
	}
}
