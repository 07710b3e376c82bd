;;; Loads Scheme files as Guix does and prints what each gives, a line each.
;;;
;;; usage: guile load.scm channels|manifest FILE...
;;;
;;; A channels file gives channels. A manifest file gives what it asks for: the
;;; procedures of a manifest are replaced by ones that return their arguments,
;;; since the packages that it names are not all there.

(use-modules (guix channels)
             (guix openpgp)
             (guix ui)
             (ice-9 match))

(define (channel-data channel)
  (list (channel-name channel)
        (channel-url channel)
        (channel-branch channel)
        (channel-commit channel)
        (match (channel-introduction channel)
          (#f #f)
          (introduction
           (list (channel-introduction-first-signed-commit introduction)
                 (openpgp-format-fingerprint
                  (channel-introduction-first-commit-signer introduction)))))))

(define (channels file)
  (map channel-data (load* file (make-user-module '((guix channels))))))

(define (returning name)
  (lambda args (cons name args)))

(define (manifest file)
  (define module (make-user-module '((guix profiles))))
  (for-each (lambda (name)
              (module-define! module name (returning name)))
            '(specifications->manifest packages->manifest specification->package))
  (module-define! module 'options->transformation
                  (lambda (options)
                    (lambda (package) (list 'transformed options package))))
  (save-module-excursion
   (lambda ()
     (set-current-module module)
     (primitive-load file))))

(match (command-line)
  ((_ kind files ...)
   (for-each (lambda (file)
               (write ((if (string=? kind "channels") channels manifest) file))
               (newline))
             files)))
