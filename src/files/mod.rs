//! Manifests from files, directories and standard input.
