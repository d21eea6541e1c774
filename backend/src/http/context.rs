//! What handlers work with.

use std::convert::Infallible;
use std::sync::Arc;

use milena_settings::HttpSettings;
use milena_storage::Store;
use warp::Filter;

use super::readiness::Readiness;
use super::request_rate::RequestRate;
use super::turns::Turns;
use crate::auth::{Accounts, Devices, Sessions, SignInRate};
use crate::chat::Chat;
use crate::push::Push;
use crate::security_log::SecurityLog;
use crate::server::Connections;
use crate::socket::{SendRate, Sockets};

/// The parts of the program that requests reach.
#[allow(missing_docs, reason = "each is documented at its type")]
pub struct Parts {
    pub store: Store,
    pub chat: Chat,
    pub accounts: Accounts,
    pub sessions: Sessions,
    pub push: Push,
    pub sign_in_rate: SignInRate,
    pub devices: Devices,
    pub security_log: SecurityLog,
    pub send_rate: Arc<SendRate>,
    pub request_rate: RequestRate,
    pub turns: Turns,
    pub sockets: Sockets,
    pub connections: Connections,
    pub readiness: Readiness,
    pub settings: HttpSettings,
}

/// A shared handle to the parts.
#[derive(Clone)]
pub struct Context(Arc<Parts>);

impl Context {
    /// Shares the parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl std::ops::Deref for Context {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Adds the context to what a route extracts.
pub(super) fn with(
    context: &Context,
) -> impl Filter<Extract = (Context,), Error = Infallible> + Clone + use<> {
    let context = context.clone();
    warp::any().map(move || context.clone())
}
