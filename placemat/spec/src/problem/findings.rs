//! Where readers and checks put what they find, so that one pass reports everything.

use super::{Problem, Problems, Source};
use crate::document::Dialect;
use crate::schema::Asked;
use std::cell::RefCell;

/// Collects errors and warnings. Shared by reference: reporting needs no `&mut`.
#[derive(Debug, Default)]
pub struct Findings {
    errors: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
    /// What readers ask for, where somebody wants to know.
    asked: Option<RefCell<Asked>>,
    dialect: Dialect,
    /// Whether `key:` without a value is an error, and not absent.
    explicit: bool,
}

impl Findings {
    /// Nothing found yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing found yet, and everything noted that readers ask for.
    pub(crate) fn noting() -> Self {
        Self {
            asked: Some(RefCell::default()),
            ..Self::default()
        }
    }

    /// Nothing found yet in an input that is read by the rules of `dialect`.
    pub fn of(dialect: Dialect) -> Self {
        Self {
            dialect,
            ..Self::default()
        }
    }

    /// `key:` without a value is an error, and not absent: for inputs where it means something that a
    /// key is there.
    #[must_use]
    pub fn explicit(self) -> Self {
        Self {
            explicit: true,
            ..self
        }
    }

    /// Whether `key:` without a value is an error.
    pub(crate) fn is_explicit(&self) -> bool {
        self.explicit
    }

    /// Notes what a reader asks for, if anybody wants to know.
    pub(crate) fn note(&self, what: impl FnOnce(&mut Asked)) {
        if let Some(asked) = &self.asked {
            what(&mut asked.borrow_mut());
        }
    }

    /// What readers asked for.
    pub(crate) fn into_asked(self) -> Asked {
        self.asked.map(RefCell::into_inner).unwrap_or_default()
    }

    /// Whose rules hold.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Adds an error.
    pub fn error(&self, problem: Problem) {
        self.errors.borrow_mut().push(problem);
    }

    /// Adds a warning.
    pub fn warning(&self, problem: Problem) {
        self.warnings.borrow_mut().push(problem);
    }

    /// How many errors were found so far.
    pub fn error_count(&self) -> usize {
        self.errors.borrow().len()
    }

    /// The warnings if there is no error, else all errors.
    pub fn finish(self, sources: &[Source]) -> Result<Problems, Problems> {
        let errors = self.errors.into_inner();
        if errors.is_empty() {
            Ok(Problems::new(sources.to_vec(), self.warnings.into_inner()))
        } else {
            Err(Problems::new(sources.to_vec(), errors))
        }
    }
}
