// Package list reads lists of images, in the forms in which people have them. The form
// is found by the content:
//
//   - text: a reference a line; what follows " #" is a comment
//   - a folder with images, as files or OCI layouts, at any depth
//   - an OCI layout: all of its names
//   - docker://HOST/NAMESPACE/: all tags of all repositories of a registry below a
//     name; docker://HOST/REPOSITORY: all tags of one (OCI distribution-spec v1.1,
//     "Listing Tags"; the catalog is that of the registry of Docker)
//   - what nextflow inspect -format json, skopeo list-tags, kubectl get pods -o json
//     and audit batch --resolve print
//   - compose files (compose-spec.io), Kubernetes manifests, CWL (dockerPull), Snakefiles
//
// A name in a text is a file where there is one, or where it looks like one; else, and
// in all other forms, it is that of an image in a registry. What cannot lead to an image
// stays in the list, with a reason: nothing is left out in silence.
package list
