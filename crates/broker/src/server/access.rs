//! Who a connection belongs to: nobody until it has proven that it knows the secret, and until then it may
//! ask for nothing but the versions of requests and to be let in.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{
    RequestKind, ResponseKind, SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
    SaslHandshakeResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::scram::{Challenge, MECHANISM, ScramError, Verifier};

/// The version of the handshake from which on its messages travel in requests, and not between them.
const HANDSHAKE_WITH_REQUESTS: i16 = 1;

/// How far a connection has come.
#[derive(Debug)]
enum Stage {
    New,
    Chosen,
    Challenged(Box<Challenge>),
    /// Whoever this is may do everything.
    Known,
}

/// The way in of one connection.
#[derive(Debug)]
pub(super) struct Access<'a> {
    verifier: Option<&'a Verifier>,
    required: bool,
    stage: Stage,
}

/// What is done with a request.
pub(super) enum Passage {
    /// It is served.
    Serve(RequestKind),
    /// It was about the way in.
    Answer(ResponseKind),
    /// It is answered, and the connection ends.
    Refuse(ResponseKind, ScramError),
    /// The connection ends.
    Stranger,
}

impl<'a> Access<'a> {
    /// Nobody yet. Without a verifier, or when it is not `required`, everybody may do everything.
    pub(super) fn new(verifier: Option<&'a Verifier>, required: bool) -> Self {
        Self { verifier, required: required && verifier.is_some(), stage: Stage::New }
    }

    /// Whether it may do everything.
    pub(super) fn is_open(&self) -> bool {
        !self.required || matches!(self.stage, Stage::Known)
    }

    pub(super) fn pass(&mut self, version: i16, request: RequestKind) -> Passage {
        match request {
            RequestKind::SaslHandshake(request) => {
                Passage::Answer(self.shake_hands(version, &request).into())
            }
            RequestKind::SaslAuthenticate(request) => self.authenticate(&request),
            request @ RequestKind::ApiVersions(_) => Passage::Serve(request),
            request if self.is_open() => Passage::Serve(request),
            _ => Passage::Stranger,
        }
    }

    fn shake_hands(&mut self, version: i16, request: &SaslHandshakeRequest) -> SaslHandshakeResponse {
        let error = match self.stage {
            Stage::New if self.verifier.is_some() => {
                let offered = &*request.mechanism == MECHANISM && version >= HANDSHAKE_WITH_REQUESTS;
                (!offered).then_some(ResponseError::UnsupportedSaslMechanism)
            }
            _ => Some(ResponseError::IllegalSaslState),
        };
        if error.is_none() {
            self.stage = Stage::Chosen;
        }
        SaslHandshakeResponse::default()
            .with_error_code(error.map_or(0, |error| error.code()))
            .with_mechanisms(
                self.verifier.map(|_| StrBytes::from_static_str(MECHANISM)).into_iter().collect(),
            )
    }

    fn authenticate(&mut self, request: &SaslAuthenticateRequest) -> Passage {
        let stage = std::mem::replace(&mut self.stage, Stage::New);
        let said = match (self.verifier, &stage) {
            (Some(verifier), Stage::Chosen) => {
                verifier.begin(&request.auth_bytes).map(|(answer, challenge)| {
                    self.stage = Stage::Challenged(Box::new(challenge));
                    answer
                })
            }
            (Some(verifier), Stage::Challenged(challenge)) => {
                verifier.finish(challenge, &request.auth_bytes).inspect(|_| self.stage = Stage::Known)
            }
            _ => {
                // Who was let in stays so.
                self.stage = stage;
                let error = ResponseError::IllegalSaslState.code();
                return Passage::Answer(SaslAuthenticateResponse::default().with_error_code(error).into());
            }
        };
        match said {
            Ok(answer) => {
                Passage::Answer(SaslAuthenticateResponse::default().with_auth_bytes(answer.into()).into())
            }
            Err(error) => {
                let message =
                    StrBytes::from_static_str("authentication failed: the name or the secret is wrong");
                let refused = SaslAuthenticateResponse::default()
                    .with_error_code(ResponseError::SaslAuthenticationFailed.code())
                    .with_error_message(Some(message));
                Passage::Refuse(refused.into(), error)
            }
        }
    }
}
