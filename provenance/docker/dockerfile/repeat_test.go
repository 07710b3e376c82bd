package dockerfile

import (
	"strings"
	"testing"
)

func TestUnrepeatable(t *testing.T) {
	const hash = "0123456789abcdef0123456789abcdef01234567"
	for line, want := range map[string]string{ // "" stands for no reason
		"FROM scratch":                                 "",
		"FROM build":                                   "",
		"FROM debian@sha256:" + hash:                   "",
		"FROM debian":                                  "image-without-tag",
		"FROM localhost:5000/debian":                   "image-without-tag",
		"FROM debian:bookworm AS x":                    "image-by-tag",
		"FROM ${BASE}":                                 "image-by-argument",
		"COPY --from=build /a /b":                      "",
		"COPY --from=0 /a /b":                          "",
		"COPY --from=nginx:1 /a /b":                    "image-by-tag",
		"COPY --from=busybox /a /b":                    "image-without-tag",
		"RUN --mount=type=bind,from=x.org/y:1 a":       `image-by-tag image="x.org/y:1"`,
		"RUN --mount=type=bind,from=build,target=/a a": "",
		"COPY a b":                                     "",
		"ADD a.tar.gz /":                               "",
		"ADD https://x.org/a /":                        "add-without-checksum",
		"ADD --checksum=sha256:1 https://x.org/a /":    "",
		"ADD https://x.org/a.git#v1 /":                 "add-without-commit",
		"ADD git@x.org:a.git#" + hash + " /":           "",

		"RUN apt-get update && apt-get install -y curl":                          `loose-versions command="apt-get install" more-packages="0" packages="curl"`,
		"RUN apt-get install -y --no-install-recommends -t stable curl=1.2":      "package-logs",
		"RUN apt-get install -y curl=1.2 && rm -rf /var/log/*":                   "",
		"RUN echo deb https://snapshot.debian.org/x > s && apt-get install curl": "",
		"RUN apt-get -y upgrade":                                                 "newest-packages",
		"RUN apk --no-cache add --virtual .deps gcc":                             `packages="gcc"`,
		"RUN apk add gcc=1.2-r0 musl~1.2":                                        "",
		"RUN dnf install -y httpd && dnf clean all":                              `packages="httpd"`,
		"RUN dnf install -y httpd-2.4.1-3 && rm -rf /var/log/dnf*":               "",
		"RUN pip install --no-cache-dir requests":                                `packages="requests"`,
		"RUN python3 -m pip install requests==1.2":                               "",
		"RUN pip install -r requirements.txt .":                                  "",
		"RUN pip install git+https://x.org/a.git":                                "loose-versions",
		"RUN npm install":                                            `option="npm ci"`,
		"RUN npm ci":                                                 "",
		"RUN npm install -g left-pad@1.2.3":                          "",
		"RUN npm i -g left-pad":                                      `packages="left-pad"`,
		"RUN yarn":                                                   "unlocked-versions",
		"RUN yarn install --frozen-lockfile":                         "",
		"RUN gem install rails":                                      `packages="rails"`,
		"RUN gem install rails -v 7.0":                               "",
		"RUN go install x.org/a@latest":                              "latest-version",
		"RUN go install x.org/a@v1.2.3":                              "",
		"RUN cargo install ripgrep --locked":                         "",
		"RUN curl -fsSL https://x.org/a | sh":                        "unchecked-download",
		"RUN curl -O https://x.org/a && echo 123  a | sha256sum -c":  "",
		"RUN curl http://localhost:80/health":                        "",
		"RUN git clone https://x.org/a":                              "repository-without-commit",
		"RUN git clone https://x.org/a && git -C a checkout " + hash: "",
		"RUN git -C /x -c a=b pull":                                  "repository-without-commit",
		"RUN date > /built":                                          "recipe/date",
		"RUN echo $(date -u +%F) > /built":                           "recipe/date",
		"RUN date -d @$SOURCE_DATE_EPOCH":                            "",
		"RUN update && echo ok":                                      "",
		"RUN head -c 4 /dev/urandom > /seed":                         "random-numbers",
		"RUN echo $RANDOM":                                           "random-numbers",
		"RUN openssl req -x509 -out /c":                              "recipe/openssl",
		"RUN useradd app":                                            "password-day",
		`RUN ["/bin/sh", "-c", "apt-get install curl"]`:              `packages="curl"`,
		`RUN ["/bin/busybox","sh","-c","date > /x"]`:                 "recipe/date",
		"RUN make":              "",
		"ENV A=https://x.org/a": "",
	} {
		got := ""
		for _, m := range Split(line).Unrepeatable([]string{"build"}) {
			got += m.String() + "; "
		}
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

func TestNetwork(t *testing.T) {
	for line, want := range map[string]string{
		"RUN apt-get update && apt-get install x": "apt-get update",
		"RUN --network=none apt-get update":       "",
		"RUN curl -f http://localhost/":           "",
		"RUN wget https://x.org/a":                "wget https://x.org/a",
		"RUN apk add --no-network /a.apk":         "",
		"RUN apk add a":                           "apk add",
		"RUN npm ci":                              "npm ci",
		"RUN npm run build":                       "",
		"RUN go build ./...":                      "",
		"RUN go mod download":                     "go mod",
		"RUN pip install --no-index a":            "",
		"COPY a b":                                "",
	} {
		if got := Split(line).Network(); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
