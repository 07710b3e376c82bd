;;; Makes the entry in the cache of 'guix time-machine' for some channels of a
;;; channels file, so that it finds what it would otherwise fetch and build.
;;;
;;; usage: guile time-machine.scm FILE CHANNEL...
;;;
;;; The entry is a profile like that of 'guix pull': it has bin/guix, here the
;;; one of Debian, and the modules of the other channels; its manifest says
;;; which commits it is made of, which Guix copies into the provenance of what
;;; it packs.

(use-modules (gcrypt hash)
             (guix base32)
             (guix build utils)
             (guix channels)
             (guix openpgp)
             (guix profiles)
             (guix store)
             (guix derivations)
             (guix ui)
             (ice-9 match)
             (rnrs bytevectors)
             (srfi srfi-1))

(define (fill dir channel)
  "Put into DIR what CHANNEL adds to the profile."
  (match (channel-name channel)
    ('guix
     (mkdir-p (string-append dir "/bin"))
     (symlink "/usr/bin/guix" (string-append dir "/bin/guix")))
    (name
     (copy-recursively (symbol->string name)
                       (string-append dir "/share/guile/site/3.0")
                       #:log (%make-void-port "w")))))

(define (contents store channel name)
  "Add to STORE, under NAME, what CHANNEL adds to the profile."
  (let ((dir (mkdtemp "/tmp/channel-XXXXXX")))
    (fill dir channel)
    (let ((item (add-to-store store name #t "sha256" dir)))
      (delete-file-recursively dir)
      item)))

(define (introduction-data introduction)
  `(channel-introduction
    (version 0)
    (commit ,(channel-introduction-first-signed-commit introduction))
    (signer ,(openpgp-format-fingerprint
              (channel-introduction-first-commit-signer introduction)))))

(define (provenance channel)
  "Return the value of the manifest property named source, which 'guix
describe' reads."
  `(repository
    (version 0)
    (url ,(channel-url channel))
    (branch ,(channel-branch channel))
    (commit ,(channel-commit channel))
    (name ,(channel-name channel))
    ,@(match (channel-introduction channel)
        (#f '())
        (introduction
         `((introduction ,(introduction-data introduction)))))))

(define (entry store channel)
  (let ((name (symbol->string (channel-name channel)))
        (version (string-take (channel-commit channel) 7)))
    (manifest-entry
      (name name)
      (version version)
      (item (contents store channel (string-append name "-" version)))
      (properties `((source ,(provenance channel)))))))

(define (cache-key channels)
  (bytevector->base32-string
   (sha256 (string->utf8 (string-concatenate (map channel-commit channels))))))

(define (select file names)
  (let ((all (load* file (make-user-module '((guix channels))))))
    (map (lambda (name)
           (find (lambda (channel)
                   (eq? (channel-name channel) (string->symbol name)))
                 all))
         names)))

(match (command-line)
  ((_ file names ...)
   (let* ((channels (select file names))
          (cache (string-append %profile-directory "/inferiors"))
          (link (string-append cache "/" (cache-key channels))))
     (with-store store
       (let ((drv (run-with-store store
                    (profile-derivation
                     (manifest (map (lambda (channel) (entry store channel)) channels))
                     #:hooks '() #:locales? #f))))
         (build-derivations store (list drv))
         (mkdir-p cache)
         (false-if-exception (delete-file link))
         (symlink (derivation->output-path drv) link)
         (add-indirect-root store link)
         (format #t "~a: ~a~%" (string-join names) (readlink link)))))))
