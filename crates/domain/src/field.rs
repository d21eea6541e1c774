//! The error of a value that a person or a program handed in: it names the field, and the limit it broke.

/// A field that was refused. `Display` is a sentence that can be shown to the user as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct FieldError {
    /// The field's name on the wire, such as `body`.
    pub field: &'static str,
    /// What is wrong and which limit holds, such as `must be at most 8000 characters (got 9000)`.
    pub problem: String,
}

/// The outcome of checking one field.
pub type FieldResult<T> = Result<T, FieldError>;

impl FieldError {
    /// A refusal of `field`; `problem` completes a sentence that starts with the field's name.
    #[must_use]
    pub fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }
}
