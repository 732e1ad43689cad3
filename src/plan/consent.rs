//! Consent as a value: only [`decide`] creates a [`Confirmed`], and [`Confirmed::rest`] one from another; it contains the plans
//! that were shown, and the writer accepts nothing else.

use super::{Plan, Step};
use crate::error::{Error, Kind, Result};

/// Something that was shown and confirmed.
#[derive(Debug, Clone)]
pub struct Confirmed<T> {
    agreed: T,
}

/// A confirmed patch, as the writer accepts it.
#[derive(Debug, Clone, Copy)]
pub struct Write<'a> {
    step: &'a Step,
}

impl Write<'_> {
    /// Returns the patch.
    pub fn step(&self) -> &Step {
        self.step
    }
}

impl<T> Confirmed<T> {
    /// Returns what was confirmed.
    pub fn agreed(&self) -> &T {
        &self.agreed
    }
}

impl Confirmed<Plan> {
    /// Returns the patches in the order in which to write them.
    pub fn writes(&self) -> impl Iterator<Item = Write<'_>> {
        self.agreed.steps.iter().map(|step| Write { step })
    }

    /// Returns the consent for a plan made after the objects changed, if `plan` has nothing but confirmed changes, from
    /// the same values; else `None`, and `plan` has to be shown.
    pub fn rest(&self, plan: Plan) -> Option<Self> {
        plan.is_rest_of(&self.agreed).then_some(Self { agreed: plan })
    }
}

/// Converts what was shown into what the writer accepts. `answer` is the user's, `Some(true)` with `--yes` and for the guard;
/// `None` if there was no terminal to ask on.
///
/// # Errors
///
/// Kind `Cancelled` if the user said no, kind `Refused` if there was no terminal to ask on.
pub fn decide<T>(shown: Vec<T>, answer: Option<bool>) -> Result<Vec<Confirmed<T>>> {
    match answer {
        Some(true) => Ok(shown.into_iter().map(|agreed| Confirmed { agreed }).collect()),
        Some(false) => Err(Error::cancelled()),
        None => Err(Error::new(Kind::Refused, "confirmation needed, but there is no terminal")
            .hint("add --yes to agree to the change shown above")),
    }
}
