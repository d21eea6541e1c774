//! Why something that a client asked for is not done: one closed list of codes for REST and WebSocket.
//!
//! The codes are part of the protocol (`docs/PROTOCOL.md`): clients decide by them, so one may be added but
//! never renamed.

use milena_domain::FieldError;
use milena_storage::StorageError;
use milena_timeline::Void;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use crate::seldom::Seldom;

/// A stable code of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "described in docs/PROTOCOL.md")]
pub enum Code {
    InvalidJson,
    InvalidField,
    UnknownType,
    InvalidRequest,
    Unauthenticated,
    BadCredentials,
    WrongPassword,
    ForbiddenOrigin,
    UnknownHost,
    NotFound,
    UnknownConversation,
    UnknownRecipient,
    MethodNotAllowed,
    UsernameTaken,
    HandleTaken,
    TooManyRooms,
    TooManyMembers,
    TooManySettings,
    TooManySubscriptions,
    EndpointTaken,
    PushOff,
    ClientIdReused,
    EditTooLate,
    TooLarge,
    UnsupportedMediaType,
    RateLimited,
    TooManyConnections,
    LogUnavailable,
    StoreUnavailable,
    StorageLow,
    UpgradeNeeded,
    Overloaded,
    ShuttingDown,
    Internal,
    /// What was sent stands in the log and does not count.
    Void(Void),
}

impl Code {
    /// The code as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::InvalidField => "invalid_field",
            Self::UnknownType => "unknown_type",
            Self::InvalidRequest => "invalid_request",
            Self::Unauthenticated => "unauthenticated",
            Self::BadCredentials => "bad_credentials",
            Self::WrongPassword => "wrong_password",
            Self::ForbiddenOrigin => "forbidden_origin",
            Self::UnknownHost => "unknown_host",
            Self::NotFound => "not_found",
            Self::UnknownConversation => "unknown_conversation",
            Self::UnknownRecipient => "unknown_recipient",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::UsernameTaken => "username_taken",
            Self::HandleTaken => "handle_taken",
            Self::TooManyRooms => "too_many_rooms",
            Self::TooManyMembers => "too_many_members",
            Self::TooManySettings => "too_many_settings",
            Self::TooManySubscriptions => "too_many_subscriptions",
            Self::EndpointTaken => "endpoint_taken",
            Self::PushOff => "push_off",
            Self::ClientIdReused => "client_id_reused",
            Self::EditTooLate => "edit_too_late",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::RateLimited => "rate_limited",
            Self::TooManyConnections => "too_many_connections",
            Self::LogUnavailable => "log_unavailable",
            Self::StoreUnavailable => "store_unavailable",
            Self::StorageLow => "storage_low",
            Self::UpgradeNeeded => "upgrade_needed",
            Self::Overloaded => "overloaded",
            Self::ShuttingDown => "shutting_down",
            Self::Internal => "internal",
            Self::Void(void) => void.code(),
        }
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::InvalidJson | Self::InvalidField | Self::UnknownType | Self::InvalidRequest => 400,
            Self::Unauthenticated | Self::BadCredentials => 401,
            Self::ForbiddenOrigin
            | Self::WrongPassword
            | Self::TooManyRooms
            | Self::TooManyMembers
            | Self::TooManySettings
            | Self::TooManySubscriptions
            | Self::EditTooLate => 403,
            Self::NotFound | Self::UnknownConversation | Self::UnknownRecipient | Self::PushOff => 404,
            Self::MethodNotAllowed => 405,
            Self::UsernameTaken | Self::HandleTaken | Self::ClientIdReused | Self::EndpointTaken => 409,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::UnknownHost => 421,
            Self::RateLimited | Self::TooManyConnections => 429,
            Self::LogUnavailable
            | Self::StoreUnavailable
            | Self::StorageLow
            | Self::UpgradeNeeded
            | Self::Overloaded
            | Self::ShuttingDown => 503,
            Self::Void(_) => 403,
            Self::Internal => 500,
        }
    }

    /// Whether what others have confirmed meanwhile may make it untrue.
    #[must_use]
    pub const fn is_about_the_log(self) -> bool {
        matches!(self, Self::Void(_) | Self::UnknownConversation | Self::HandleTaken | Self::TooManyRooms)
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn is_temporary(self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::TooManyConnections
                | Self::LogUnavailable
                | Self::StoreUnavailable
                | Self::StorageLow
                | Self::UpgradeNeeded
                | Self::Overloaded
                | Self::ShuttingDown
        )
    }
}

/// A refusal with what a person or program needs to do better.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// A sentence for people; names the field and the limit where there is one.
    pub message: String,
    /// The field that broke a rule.
    pub field: Option<&'static str>,
    /// When to try again, if the server knows.
    pub retry_after_ms: Option<u64>,
}

impl Refusal {
    /// A refusal without field or time.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None, retry_after_ms: None }
    }

    /// A refusal to be tried again after `ms` milliseconds.
    #[must_use]
    pub fn later(code: Code, message: impl Into<String>, ms: u64) -> Self {
        Self { code, message: message.into(), field: None, retry_after_ms: Some(ms) }
    }

    /// A field broke a rule; `problem` completes a sentence that starts with the field's name.
    #[must_use]
    pub fn field(field: &'static str, problem: impl Into<String>) -> Self {
        FieldError::new(field, problem).into()
    }

    /// The log did not take a message, for this reason. Of what it said of a batch of several (`alone` is
    /// false) nothing follows for one of them.
    #[must_use]
    pub(crate) fn not_confirmed(error: &KafkaError, alone: bool) -> Self {
        use RDKafkaErrorCode as Kafka;
        match error.rdkafka_error_code() {
            Some(code) if !alone && judges_the_batch(code) => Self::log_unavailable(),
            // The same message is refused each time. The start looks at the limits: somebody has lowered one
            // since.
            Some(Kafka::MessageSizeTooLarge | Kafka::MessageBatchTooLarge) => {
                static TOLD: Seldom = Seldom::new();
                if let Some(left_out) = TOLD.due() {
                    log::error!(error:% = error, left_out; "the log refuses a message for its size");
                }
                let said =
                    "the log does not take a message of this size; an administrator has to raise its limit";
                Self::new(Code::TooLarge, said)
            }
            Some(Kafka::InvalidRecord | Kafka::InvalidMessage | Kafka::PolicyViolation) => {
                static TOLD: Seldom = Seldom::new();
                if let Some(left_out) = TOLD.due() {
                    log::error!(error:% = error, left_out; "the log refuses a message, and will again");
                }
                Self::new(Code::Internal, "the log does not take this message; the server's log says why")
            }
            Some(Kafka::TopicAuthorizationFailed | Kafka::ClusterAuthorizationFailed) => {
                static TOLD: Seldom = Seldom::new();
                if let Some(left_out) = TOLD.due() {
                    log::error!(error:% = error, left_out; "Kafka does not let this program write");
                }
                Self::log_unavailable()
            }
            _ => Self::log_unavailable(),
        }
    }

    /// The log did not confirm in time.
    #[must_use]
    pub fn log_unavailable() -> Self {
        Self::later(Code::LogUnavailable, "the log does not answer; the message was not confirmed", 1_000)
    }
}

/// Whether a broker says this of a whole batch because of one record, or of the size of all together.
pub(crate) const fn judges_the_batch(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Kafka;
    matches!(
        code,
        Kafka::MessageSizeTooLarge
            | Kafka::MessageBatchTooLarge
            | Kafka::InvalidRecord
            | Kafka::InvalidMessage
            | Kafka::PolicyViolation
    )
}

impl From<Void> for Refusal {
    /// Of what reached the log and does not count there.
    fn from(void: Void) -> Self {
        Self::new(Code::Void(void), void.to_string())
    }
}

impl From<FieldError> for Refusal {
    fn from(error: FieldError) -> Self {
        Self {
            code: Code::InvalidField,
            message: error.to_string(),
            field: Some(error.field),
            retry_after_ms: None,
        }
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        Self::from(&error)
    }
}

impl From<&StorageError> for Refusal {
    /// What the database said goes to the log, not to the client.
    fn from(error: &StorageError) -> Self {
        if error.is_temporary() {
            static TOLD: Seldom = Seldom::new();
            if let Some(left_out) = TOLD.due() {
                log::warn!(error:% = error, left_out; "the database does not answer");
            }
            return Self::later(Code::StoreUnavailable, "the database does not answer", 1_000);
        }
        if error.is_worth_waiting_for() {
            static TOLD: Seldom = Seldom::new();
            if let Some(left_out) = TOLD.due() {
                log::error!(error:% = error, left_out; "the database refuses until somebody mends it");
            }
            let said = "the database cannot be used until somebody has mended it";
            return Self::later(Code::StoreUnavailable, said, 10_000);
        }
        log::error!(error:% = error; "a query failed");
        Self::new(Code::Internal, "something went wrong on the server")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_retry_cures_is_permanent_and_says_why() {
        let of = |code| Refusal::not_confirmed(&KafkaError::MessageProduction(code), true);
        let large = of(RDKafkaErrorCode::MessageSizeTooLarge);
        assert!(!large.code.is_temporary() && large.message.contains("size"), "{large}");
        assert!(!of(RDKafkaErrorCode::PolicyViolation).code.is_temporary());
        for passes in [RDKafkaErrorCode::MessageTimedOut, RDKafkaErrorCode::TopicAuthorizationFailed] {
            assert!(of(passes).code.is_temporary(), "{passes:?}");
        }
        let batch = KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge);
        assert!(Refusal::not_confirmed(&batch, false).code.is_temporary(), "it may be another's fault");
    }
}
