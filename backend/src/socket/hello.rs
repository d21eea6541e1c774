//! The first seconds of a connection: who is it, and from where on.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::frame_rate::FrameRate;
use super::line::{End, Incoming, Line};
use super::node::Node;
use crate::auth::Identity;
use crate::refusal::{Code, Refusal};
use crate::registry::CloseCode;
use crate::wire::frames::{BadFrame, ClientFrame, Token, error_frame};

/// What a client said first.
pub(super) struct Hello {
    /// Whose connection it is.
    pub(super) identity: Box<Identity>,
    /// What it has seen, sealed.
    pub(super) resume: Option<String>,
    /// Whether it wants large rooms that it does not watch to be announced.
    pub(super) is_passive: bool,
}

/// Waits for `hello` and checks its token, or that the upgrade's cookie vouched for `cookie`. A token wins.
///
/// Other frames are refused one by one; the time limit holds for all of it.
pub(super) async fn hello<S: AsyncRead + AsyncWrite + Unpin>(
    line: &mut Line<S>,
    node: &dyn Node,
    rate: &FrameRate,
    cookie: Option<Box<Identity>>,
    limit: Duration,
) -> Result<Hello, End> {
    let (token, resume, is_passive) =
        timeout(limit, first_hello(line, rate)).await.unwrap_or(Err(End::Ours(CloseCode::NoHello)))?;
    let identity = match token {
        Some(token) => match timeout(limit, node.authenticate(token.expose())).await {
            Ok(Ok(identity)) => identity.map(Box::new),
            Ok(Err(_)) | Err(_) => return Err(End::Ours(CloseCode::StoreUnavailable)),
        },
        None => cookie,
    };
    let identity = identity.ok_or(End::Ours(CloseCode::Unauthenticated))?;
    Ok(Hello { identity, resume, is_passive })
}

async fn first_hello<S: AsyncRead + AsyncWrite + Unpin>(
    line: &mut Line<S>,
    rate: &FrameRate,
) -> Result<(Option<Token>, Option<String>, bool), End> {
    loop {
        let incoming = line.receive().await?;
        let in_time = rate.check()?;
        let Incoming::Text(text) = incoming else { continue };
        let frame = in_time
            .map_err(|refusal| BadFrame { refusal, client_id: None })
            .and_then(|()| ClientFrame::parse(&text));
        let answer = match frame {
            Ok(ClientFrame::Hello { token, resume, passive }) => return Ok((token, resume, passive)),
            Ok(_) => error_frame(&Refusal::new(Code::Unauthenticated, "the first frame must be hello"), None),
            Err(bad) => error_frame(&bad.refusal, bad.client_id.as_ref()),
        };
        line.feed(answer).await?;
        line.flush().await?;
    }
}
