//! `GET /ws`: the checks before a WebSocket, and the hand-over to [`crate::socket`].

use hyper::upgrade::OnUpgrade;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::answer::{Outcome, settle};
use super::call::{Call, call};
use super::context::Context;
use crate::auth::Identity;
use crate::metrics;
use crate::refusal::{Code, Refusal};
use crate::socket::switching_protocols;

pub(super) fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    warp::path!("ws")
        .and(warp::get())
        .and(call(context))
        .and(warp::ext::optional::<OnUpgrade>())
        .then(open)
        .map(settle)
        .boxed()
}

async fn open(context: Context, call: Call, upgrade: Option<OnUpgrade>) -> Outcome {
    if context.connections.is_stopping() {
        return Err(Refusal::later(Code::ShuttingDown, "the server is stopping", 1_000));
    }
    let (parts, ()) = switching_protocols(&call.headers)?.into_parts();
    let upgrade = upgrade.ok_or_else(|| Refusal::new(Code::InvalidField, "not a WebSocket upgrade"))?;
    let of_client = call.place_of_client(&context)?;
    // Boxed: it is handed from future to future, and would take room in each.
    let identity = vouched_for(&context, &call).await?.map(Box::new);
    let sockets = context.sockets.clone();
    // The places go along: a socket is a connection until it ends.
    let slot = call.peer.slot;
    context.connections.spawn(async move {
        let _counted = (slot, of_client, Counted::new());
        sockets.serve(upgrade, identity).await;
    });
    Ok(Response::from_parts(parts, Default::default()))
}

/// Whom the session cookie vouches for. A cookie that is nobody's is none: the socket then waits for a token.
async fn vouched_for(context: &Context, call: &Call) -> Result<Option<Identity>, Refusal> {
    let tokens = call.cookie_tokens(context);
    if tokens.is_empty() {
        return Ok(None);
    }
    call.require_own_origin(context)?;
    context.sessions.authenticate_any(&tokens).await
}

struct Counted;

impl Counted {
    fn new() -> Self {
        metrics::sockets(1.0);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::sockets(-1.0);
    }
}
