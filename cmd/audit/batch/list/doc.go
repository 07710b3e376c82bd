// Package list reads lists of images, in the forms in which people have them. The form
// is found by the content:
//
//   - text: a reference a line; what follows " #" is a comment, or the digest that it has
//     to lead to, " # sha256:HEX"
//   - a folder with images, as files or OCI layouts, at any depth
//   - an OCI layout: all of its names
//   - docker://HOST/NAMESPACE/: all tags of all repositories of a registry below a
//     name; docker://HOST/REPOSITORY: all tags of one (OCI distribution-spec v1.1,
//     "Listing Tags"; the catalog is that of the registry of Docker)
//   - what nextflow inspect -format json, skopeo list-tags, kubectl get and, as JSON, docker
//     images, podman images and crictl images print; the list.json of a batch
//   - compose files (compose-spec.io), manifests of Kubernetes, Argo Workflows and Tekton, CWL
//     (dockerPull), Snakefiles
//
// A name in a text is that of an image in a registry where it has docker:// before it, or
// a tag or a digest at its end and none of a file or a folder here at its beginning; any
// other is a file, so that what a path was mistyped to is nobody's to know. What engines
// take for an image (compose, Kubernetes, pipelines, CWL) is one. What cannot lead to an
// image stays in the list, with a reason: nothing is left out in silence.
package list
