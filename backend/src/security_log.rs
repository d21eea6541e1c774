//! What an operator wants to know about who came in and who tried to: one line of the log an event,
//! structured, under the target `milena_security`, so that it can be filtered and sent elsewhere
//! (`RUST_LOG=warn,milena_security=info`).
//!
//! A line has the event's name, the client's address, and as far as they are known the person's id, the
//! session that was concerned (`session`) and the one that did it (`by`). Never a token, a password, or a
//! name that was tried: people type their passwords there by mistake.
//!
//! Strangers decide how often most of these happen. So lines about refused attempts are bounded; how many
//! were left out stands in the next one (`left_out`).

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use log::kv::Value;
use milena_domain::UserId;
use uuid::Uuid;

use crate::rate::{Rate, per_second};

/// The target of all lines.
pub const TARGET: &str = "milena_security";
/// Lines about refused attempts: a burst, then so many a second.
const REFUSED_BURST: u32 = 100;
const REFUSED_PER_SECOND: u32 = 10;

/// What happened. The names are stable: operators filter by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Somebody joined, and is signed in.
    Registered,
    /// Somebody signed in.
    SignedIn,
    /// An attempt to sign in with a wrong password, or as nobody.
    SignInFailed,
    /// An attempt that was not even looked at: too many from this address, device, or at this account.
    SignInLocked,
    /// A new password; the session of it has a new token.
    PasswordChanged,
    /// The current password was wrong.
    PasswordChangeFailed,
    /// Too many attempts to change the password of this person.
    PasswordChangeLocked,
    /// A session ended before its time.
    SessionEnded(Ended),
    /// The cookie came from a foreign page.
    OriginRefused,
    /// A request for a host that is not ours.
    HostRefused,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Its person signed out.
    SignedOut,
    /// Its person ended it from another session.
    Elsewhere,
    /// The password was changed.
    PasswordChange,
    /// Its browser signed in again.
    Replaced,
}

impl Event {
    const fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::SignedIn => "signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::SignInLocked => "sign_in_locked",
            Self::PasswordChanged => "password_changed",
            Self::PasswordChangeFailed => "password_change_failed",
            Self::PasswordChangeLocked => "password_change_locked",
            Self::SessionEnded(_) => "session_ended",
            Self::OriginRefused => "origin_refused",
            Self::HostRefused => "host_refused",
        }
    }

    const fn why(self) -> &'static str {
        match self {
            Self::SessionEnded(Ended::SignedOut) => "signed_out",
            Self::SessionEnded(Ended::Elsewhere) => "ended_elsewhere",
            Self::SessionEnded(Ended::PasswordChange) => "password_change",
            Self::SessionEnded(Ended::Replaced) => "replaced",
            _ => "",
        }
    }

    /// Whether anybody can make it happen as often as they like.
    const fn is_strangers(self) -> bool {
        matches!(
            self,
            Self::SignInFailed
                | Self::SignInLocked
                | Self::PasswordChangeLocked
                | Self::OriginRefused
                | Self::HostRefused
        )
    }
}

/// Whom and what it concerns; what is not known is left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct About {
    /// The person.
    pub user: Option<UserId>,
    /// The session it happened to.
    pub session: Option<Uuid>,
    /// The session that did it.
    pub by: Option<Uuid>,
}

/// Writes the lines; clones share the bound.
#[derive(Debug, Clone)]
pub struct SecurityLog(Arc<Bound>);

#[derive(Debug)]
struct Bound {
    refused: Rate,
    left_out: AtomicU64,
}

impl Default for SecurityLog {
    fn default() -> Self {
        let refused = Rate::new(per_second(REFUSED_BURST, REFUSED_PER_SECOND));
        Self(Arc::new(Bound { refused, left_out: AtomicU64::new(0) }))
    }
}

impl SecurityLog {
    /// Writes a line about something that came from `address`.
    pub fn write(&self, event: Event, address: IpAddr, about: About) {
        if event.is_strangers() && self.0.refused.check().is_err() {
            self.0.left_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let left_out = self.0.left_out.swap(0, Ordering::Relaxed);
        let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        let (address, user) = (address.to_string(), text(about.user.map(UserId::as_uuid)));
        let (session, by) = (text(about.session), text(about.by));
        let texts = [
            ("event", event.name()),
            ("why", event.why()),
            ("address", &address),
            ("user", &user),
            ("session", &session),
            ("by", &by),
        ];
        let known = texts.into_iter().filter(|(_, value)| !value.is_empty());
        let mut fields: Vec<(&str, Value<'_>)> = known.map(|(key, value)| (key, value.into())).collect();
        if left_out > 0 {
            fields.push(("left_out", left_out.into()));
        }
        let mut record = log::Record::builder();
        record.level(log::Level::Info).target(TARGET).module_path(Some(module_path!()));
        record.key_values(&fields);
        log::logger().log(&record.args(format_args!("security event")).build());
    }
}
