package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestRealKubernetes has Kubernetes audit a fleet as the file says that audit prints for
// it: its own API server accepts the Jobs, with strict validation and in a namespace that
// enforces the restricted security standard, and its own job controller makes the pods,
// which run as processes. In the middle one is killed, one evicted and one deleted. It
// needs root, etcd, and AUDIT_TEST_TOOLS, the folder of .ci/kubernetes/build.
func TestRealKubernetes(t *testing.T) {
	if os.Getenv("AUDIT_TEST_REAL") != "kubernetes" {
		t.Skip("needs root, etcd, and AUDIT_TEST_TOOLS, the folder of .ci/kubernetes/build: AUDIT_TEST_REAL=kubernetes says that they are there")
	}
	k := startKubernetes(t)
	t.Run("strict validation", k.validates)
	t.Run("disturbed", k.disturbed)
	t.Run("a list that is broken", k.brokenList)
	t.Run("an image that is not there", k.missingImage)
	if !t.Failed() {
		fmt.Printf("real suite: kubernetes %d images in %d pods, of which one was killed, one evicted and one deleted, by %s\n", fleetImages, kubeShards, k.version(t))
	}
}

// kubeShards is how many pods share a fleet.
const kubeShards = 5

// validates has the API server read the Jobs, and broken ones, without keeping them.
func (k *kubernetes) validates(t *testing.T) {
	k.write(t, "share/"+hostileList, "docker://"+k.images[0]+"\n")
	for _, list := range []string{"images.txt", hostileList} {
		for _, job := range k.print(t, list, "out") {
			if status, answer := k.dryRun(t, job); status != http.StatusCreated {
				t.Errorf("%s: %d %v\n%s", list, status, answer["message"], job)
			}
		}
	}
	job := k.print(t, "images.txt", "out")[0]
	for _, c := range []struct{ old, new, says string }{
		{"backoffLimitPerIndex:", "backoffLimitsPerIndex:", `unknown field "spec.backoffLimitsPerIndex"`},
		{"completionMode: Indexed", "completionMode: NonIndexed", "requires indexed completion mode"},
		{"podReplacementPolicy: Failed", "podReplacementPolicy: TerminatingOrFailed", "podReplacementPolicy"},
		{"restartPolicy: Never", "restartPolicy: OnFailure", "restartPolicy"},
	} {
		status, answer := k.dryRun(t, strings.Replace(job, c.old, c.new, 1))
		if message := fmt.Sprint(answer["message"]); status/100 != 4 || !strings.Contains(message, c.says) {
			t.Errorf("%s: %d %s", c.new, status, message)
		}
	}
}

func (k *kubernetes) dryRun(t *testing.T, job string) (int, object) {
	t.Helper()
	return k.call(t, "POST", "/apis/batch/v1/namespaces/default/jobs?dryRun=All&fieldValidation=Strict", "application/yaml", job)
}

// disturbed runs a fleet of which three pods do not come to their end.
func (k *kubernetes) disturbed(t *testing.T) {
	var holds []*hold
	for index := range 3 {
		holds = append(holds, k.registry.hold(index*fleetImages/kubeShards+2))
	}
	k.submit(t, "disturbed", "images.txt", "out")
	for index, h := range holds {
		eventually(t, fmt.Sprintf("pod %d asks for its third image", index), h.isReached)
	}
	first := k.pods(t, "disturbed")
	killed, evicted, deleted := first["0"][0], first["1"][0], first["2"][0]
	if err := syscall.Kill(killed.process(t), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eviction := fmt.Sprintf(`{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":%q}}`, evicted.name())
	k.must(t, "POST", "/api/v1/namespaces/disturbed/pods/"+evicted.name()+"/eviction", "application/json", eviction)
	k.must(t, "DELETE", "/api/v1/namespaces/disturbed/pods/"+deleted.name(), "", "")
	for _, p := range []object{killed, evicted, deleted} {
		eventually(t, p.name()+" ends", func() bool { return syscall.Kill(p.process(t), 0) != nil })
	}
	k.registry.release()

	job := k.ended(t, "disturbed", "audit")
	status := job.object("status")
	if job.condition() != "Complete" || status["completedIndexes"] != "0-4" || status["failedIndexes"] != "" {
		t.Errorf("%v", status)
	}
	// An eviction does not count.
	if status["succeeded"] != float64(kubeShards) || status["failed"] != float64(2) {
		t.Errorf("%v pods succeeded and %v failed", status["succeeded"], status["failed"])
	}
	if tries := k.whole(t, filepath.Join(k.share, "out"), k.images); fmt.Sprint(tries) != fmt.Sprint(triedTwice(3)) {
		t.Errorf("images were tried %v times", tries)
	}
	for _, p := range []object{evicted, deleted} {
		if log := k.log(t, p); !strings.Contains(log, "told to stop after 2 of 8 images") {
			t.Errorf("%s: %s", p.name(), log)
		}
	}
	k.must(t, "PATCH", "/apis/batch/v1/namespaces/disturbed/jobs/audit-summary", "application/merge-patch+json", `{"spec":{"suspend":false}}`)
	if job := k.ended(t, "disturbed", "audit-summary"); job.condition() != "Complete" {
		t.Errorf("the summary: %v", job.object("status"))
	}
	k.checkSummary(t, filepath.Join(k.share, "out"))
}

// brokenList runs a list that tasks cannot read: each says so once.
func (k *kubernetes) brokenList(t *testing.T) {
	k.write(t, "share/broken.json", fmt.Sprintf(`{"Repository": %q, "Tags": ["1.0"]}`, k.registry.host+"/lab/tool-00"))
	jobs := k.print(t, "broken.json", "broken")
	k.write(t, "share/broken.json", `{"Repository": `)
	k.create(t, "broken", jobs)
	job := k.ended(t, "broken", "audit")
	if status := job.object("status"); job.condition() != "Failed" || status["failedIndexes"] != "0-4" || status["failed"] != float64(kubeShards) {
		t.Errorf("%v", status)
	}
	k.checkOnce(t, "broken", "0", 2)
}

// missingImage runs a list of which one image is not there: its pod says so once, and
// the others are audited.
func (k *kubernetes) missingImage(t *testing.T) {
	images := append(k.images[:kubeShards-1:kubeShards-1], k.registry.host+"/lab/zz-missing:1.0")
	k.write(t, "share/missing.txt", "docker://"+strings.Join(images, "\ndocker://")+"\n")
	k.submit(t, "missing", "missing.txt", "missing")
	job := k.ended(t, "missing", "audit")
	if status := job.object("status"); job.condition() != "Failed" || status["completedIndexes"] != "0-3" || status["failedIndexes"] != "4" || status["failed"] != float64(1) {
		t.Errorf("%v", status)
	}
	k.checkOnce(t, "missing", "4", 3)
	results, err := os.ReadDir(filepath.Join(k.share, "missing/results"))
	if err != nil || len(results) != kubeShards-1 {
		t.Errorf("%d results, %v", len(results), err)
	}
}

// checkOnce demands that an index had one pod, and that it ended with a status.
func (k *kubernetes) checkOnce(t *testing.T, namespace, index string, exit int) {
	t.Helper()
	pods := k.pods(t, namespace)[index]
	if len(pods) != 1 {
		t.Fatalf("index %s had %d pods", index, len(pods))
	}
	end := pods[0].container().object("state").object("terminated")
	if end["exitCode"] != float64(exit) {
		t.Errorf("index %s: %v\n%s", index, end, k.log(t, pods[0]))
	}
}

// A kubernetes is a control plane on loopback and what stands in for its nodes.
type kubernetes struct {
	*fleetLab
	server, token string
	client        *http.Client
}

func startKubernetes(t *testing.T) *kubernetes {
	t.Helper()
	l := newFleetLab(t)
	api, store, peer := freeAddress(t), freeAddress(t), freeAddress(t)
	k := &kubernetes{fleetLab: l, server: "https://" + api, token: rand.Text(), client: &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // of loopback
	}}}
	k.env = append(k.env, "KUBERNETES="+os.Getenv("AUDIT_TEST_TOOLS")+"/bin/kubernetes")
	k.write(t, "tokens.csv", k.token+",admin,1,system:masters\n")
	k.write(t, "accounts.key", privateKey(t))
	k.daemon(t, fmt.Sprintf("etcd --data-dir $D/etcd --listen-client-urls http://%[1]s --advertise-client-urls http://%[1]s "+
		"--listen-peer-urls http://%[2]s --initial-advertise-peer-urls http://%[2]s --initial-cluster default=http://%[2]s", store, peer))
	_, port, _ := strings.Cut(api, ":")
	k.daemon(t, "$KUBERNETES apiserver --etcd-servers=http://"+store+" --bind-address=127.0.0.1 --secure-port="+port+" --cert-dir=$D/certs "+
		"--service-account-key-file=$D/accounts.key --service-account-signing-key-file=$D/accounts.key --service-account-issuer=https://lab "+
		"--service-cluster-ip-range=10.0.0.0/24 --authorization-mode=AlwaysAllow --token-auth-file=$D/tokens.csv --disable-admission-plugins=ServiceAccount")
	eventually(t, "the API server is ready", k.isReady)
	k.daemon(t, "$KUBERNETES job-controller "+k.server+" "+k.token)
	k.startNode(t)
	return k
}

// isReady says whether the API server is, and the namespace that it makes.
func (k *kubernetes) isReady() bool {
	for _, path := range []string{"/readyz", "/api/v1/namespaces/default"} {
		status, _, err := k.try(http.MethodGet, path, "", "")
		if err != nil || status != http.StatusOK {
			return false
		}
	}
	return true
}

// startNode starts what runs pods. The image of audit has the program and nothing else.
func (k *kubernetes) startNode(t *testing.T) {
	t.Helper()
	node := map[string]any{
		"Name": "lab", "Dir": k.dir + "/node", "AtATime": 8,
		"Images": map[string]any{engineImage: map[string]any{"Root": k.dir + "/image", "Entrypoint": []string{"/audit"}}},
		"Claims": map[string]string{"audit": k.share},
	}
	text, err := json.Marshal(node)
	if err != nil {
		t.Fatal(err)
	}
	k.write(t, "node.json", string(text))
	k.run(t, "mkdir node image && cp bin/audit image/audit")
	k.daemon(t, "unshare --mount --propagation private $KUBERNETES kubelet "+k.server+" "+k.token+" $D/node.json")
}

// privateKey is one for the tokens of service accounts, as PEM.
func privateKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

// print returns the Jobs that audit prints for a list: the array, and the summary.
func (k *kubernetes) print(t *testing.T, list, out string) []string {
	t.Helper()
	k.env = append(k.env, "LIST="+list)
	text := k.run(t, fmt.Sprintf("cd share && audit batch --engine kubernetes --engine-image %s --shards %d -o %s -- \"$LIST\"", engineImage, kubeShards, out))
	jobs := strings.Split(text, "\n---\n")
	if len(jobs) != 2 {
		t.Fatalf("%d documents:\n%s", len(jobs), text)
	}
	return jobs
}

func (k *kubernetes) submit(t *testing.T, namespace, list, out string) {
	t.Helper()
	k.create(t, namespace, k.print(t, list, out))
}

// create makes a namespace that takes no pod with more rights than it needs, and the
// Jobs in it.
func (k *kubernetes) create(t *testing.T, namespace string, jobs []string) {
	t.Helper()
	k.must(t, "POST", "/api/v1/namespaces", "application/json", fmt.Sprintf(`{"metadata":{"name":%q,"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`, namespace))
	for _, job := range jobs {
		k.must(t, "POST", "/apis/batch/v1/namespaces/"+namespace+"/jobs?fieldValidation=Strict", "application/yaml", job)
	}
}

// ended waits until a Job has ended.
func (k *kubernetes) ended(t *testing.T, namespace, name string) (job object) {
	t.Helper()
	eventually(t, "job "+name+" ends", func() bool {
		job = k.must(t, "GET", "/apis/batch/v1/namespaces/"+namespace+"/jobs/"+name, "", "")
		return job.condition() != ""
	})
	return job
}

// pods are those of the array in a namespace, by their index.
func (k *kubernetes) pods(t *testing.T, namespace string) map[string][]object {
	t.Helper()
	list := k.must(t, "GET", "/api/v1/namespaces/"+namespace+"/pods?labelSelector=batch.kubernetes.io/job-name=audit", "", "")
	all := make(map[string][]object)
	for _, p := range list.list("items") {
		index := fmt.Sprint(p.object("metadata").object("annotations")["batch.kubernetes.io/job-completion-index"])
		all[index] = append(all[index], p)
	}
	return all
}

// log is what a pod has written.
func (k *kubernetes) log(t *testing.T, pod object) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(k.dir, "node", pod.name()+".log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (k *kubernetes) version(t *testing.T) string {
	t.Helper()
	return "Kubernetes " + fmt.Sprint(k.must(t, "GET", "/version", "", "")["gitVersion"])
}

// must asks the API server, which has to agree.
func (k *kubernetes) must(t *testing.T, method, path, form, body string) object {
	t.Helper()
	status, answer := k.call(t, method, path, form, body)
	if status/100 != 2 {
		t.Fatalf("%s %s: %d %v\n%s", method, path, status, answer["message"], body)
	}
	return answer
}

func (k *kubernetes) call(t *testing.T, method, path, form, body string) (int, object) {
	t.Helper()
	status, text, err := k.try(method, path, form, body)
	if err != nil {
		t.Fatal(err)
	}
	var answer object
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatalf("%s %s: %v\n%s", method, path, err, text)
	}
	return status, answer
}

func (k *kubernetes) try(method, path, form, body string) (int, []byte, error) {
	req, err := http.NewRequest(method, k.server+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+k.token)
	req.Header.Set("Accept", "application/json")
	if form != "" {
		req.Header.Set("Content-Type", form)
	}
	res, err := k.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, text, err
}

// An object is one of the API.
type object map[string]any

// object is a field that is one, empty where there is none.
func (o object) object(field string) object {
	v, _ := o[field].(map[string]any)
	return v
}

func (o object) list(field string) (all []object) {
	values, _ := o[field].([]any)
	for _, v := range values {
		if v, ok := v.(map[string]any); ok {
			all = append(all, v)
		}
	}
	return all
}

func (o object) name() string { return fmt.Sprint(o.object("metadata")["name"]) }

// condition is how a Job has ended: Complete or Failed, "" while it has not.
func (o object) condition() string {
	for _, c := range o.object("status").list("conditions") {
		if kind := fmt.Sprint(c["type"]); c["status"] == "True" && (kind == "Complete" || kind == "Failed") {
			return kind
		}
	}
	return ""
}

// container is the status of the only container of a pod; empty before it has any.
func (o object) container() object {
	all := o.object("status").list("containerStatuses")
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// process is that of a pod's container.
func (o object) process(t *testing.T) int {
	t.Helper()
	pid, err := strconv.Atoi(strings.TrimPrefix(fmt.Sprint(o.container()["containerID"]), "process://"))
	if err != nil {
		t.Fatalf("%s: %v", o.name(), err)
	}
	return pid
}
