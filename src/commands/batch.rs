//! A command on several Canaries: the failure of one is reported at once and does not stop the others.

use crate::{
    commands::rbac,
    context::Context,
    error::{Error, Kind, Result},
    model::NamespacedName,
};

/// Results so far.
#[derive(Debug)]
pub(super) struct Batch {
    all: usize,
    failed: usize,
    /// Kind of the first failure.
    kind: Option<Kind>,
}

impl Batch {
    pub(super) fn new(all: usize) -> Self {
        Self { all, failed: 0, kind: None }
    }

    /// Returns whether there is only one Canary.
    pub(super) fn is_one(&self) -> bool {
        self.all == 1
    }

    /// Passes on the result for one Canary. If there are several, an error is reported and turned into `None`.
    ///
    /// # Errors
    ///
    /// Returns the error if there is only one Canary, or if the command cannot continue after it.
    pub(super) fn take<T>(&mut self, ctx: &Context, target: &NamespacedName, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if self.is_one() || matches!(error.kind(), Kind::Interrupted | Kind::BrokenPipe) => Err(error),
            Err(error) => {
                self.failed += 1;
                self.kind.get_or_insert(error.kind());
                ctx.ui.error(&rbac::with_hint(ctx, error).about(target));
                Ok(None)
            }
        }
    }

    /// Returns the overall result.
    ///
    /// # Errors
    ///
    /// Fails if any Canary failed, with the kind of the first failure.
    pub(super) fn end(&self) -> Result<()> {
        match self.kind {
            Some(kind) => {
                Err(Error::new(kind, format!("{} of {} Canaries failed; see the errors above", self.failed, self.all)))
            }
            None => Ok(()),
        }
    }
}

/// Returns whether the targets are in more than one namespace, so that output has to name it.
pub(super) fn several_namespaces<'a>(targets: impl IntoIterator<Item = &'a NamespacedName>) -> bool {
    let mut namespaces = targets.into_iter().map(|target| &target.namespace);
    namespaces.next().is_some_and(|first| namespaces.any(|other| other != first))
}
