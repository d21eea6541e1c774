//! `register`, `login`, `logout`, `me`, `me/password`.

use http::{HeaderValue, StatusCode, header};
use milena_domain::Username;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::answer::{Outcome, json, no_content, settle};
use super::call::{Call, call};
use super::context::Context;
use crate::auth::{self, Devices, Lane, cookie};
use crate::refusal::Refusal;
use crate::security_log::{About, Ended, Event};
use crate::wire::rest::{
    Account, Credentials, Me, PasswordChange, Problem, Profile, ProfileChange, Registration, SignedIn,
};

pub(super) fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    let register = warp::path!("register").and(warp::post()).and(call(context)).then(register).map(settle);
    let login = warp::path!("login").and(warp::post()).and(call(context)).then(login).map(settle);
    let logout = warp::path!("logout").and(warp::post()).and(call(context)).then(logout).map(settle);
    let me = warp::path!("me").and(warp::get()).and(call(context)).then(me).map(settle);
    let change = warp::path!("me").and(warp::patch()).and(call(context)).then(change).map(settle);
    let password = warp::path!("me" / "password").and(warp::put()).and(call(context));
    let password = password.then(change_password).map(settle);
    let signing = register.or(login).unify().or(logout).unify();
    signing.or(me).unify().or(change).unify().or(password).unify().boxed()
}

/// Create an account and sign in.
#[utoipa::path(
    post, path = "/api/v1/register", tag = "accounts", request_body = Registration,
    responses(
        (status = 201, body = SignedIn, description = "Signed in; browsers get the cookie too"),
        (
            status = 409, body = Problem, content_type = "application/problem+json",
            description = "`username_taken`",
        ),
        (
            status = 429, body = Problem, content_type = "application/problem+json",
            description = "`rate_limited`",
        ),
    ),
)]
pub(super) async fn register(context: Context, mut call: Call) -> Outcome {
    call.refuse_foreign_origin(&context)?;
    check_address(&context, &call)?;
    let registration: Registration = call.json().await?;
    let mut registration = auth::Registration::from(registration);
    registration.rooms = context.chat.first_rooms();
    let signed_in = context.accounts.register(registration, call.client(&context)).await?;
    context.chat.registered();
    signed_in_answer(StatusCode::CREATED, &context, &call, &signed_in).await
}

/// Sign in.
#[utoipa::path(
    post, path = "/api/v1/login", tag = "accounts", request_body = Credentials,
    responses(
        (status = 200, body = SignedIn, description = "Signed in; browsers get the cookie too"),
        (
            status = 401, body = Problem, content_type = "application/problem+json",
            description = "`bad_credentials`",
        ),
        (
            status = 429, body = Problem, content_type = "application/problem+json",
            description = "`rate_limited`",
        ),
    ),
)]
pub(super) async fn login(context: Context, mut call: Call) -> Outcome {
    call.refuse_foreign_origin(&context)?;
    let claims_device = Devices::is_claimed(&call.headers);
    if !claims_device {
        // Before anything is read or computed.
        check_address(&context, &call)?;
    }
    let Credentials { username, password } = call.json().await?;
    let locked = |_: &Refusal| call.note(&context, Event::SignInLocked, About::default());
    let lane = match context.devices.known(&call.headers, &username) {
        Some(device) => {
            context.sign_in_rate.check_device(device, &username).inspect_err(locked)?;
            Lane::Known
        }
        None => {
            if claims_device {
                check_address(&context, &call)?;
            }
            context.sign_in_rate.check_account(&username).inspect_err(locked)?;
            Lane::Stranger
        }
    };
    let signed_in = context.accounts.sign_in(&username, &password, lane, call.client(&context)).await?;
    signed_in_answer(StatusCode::OK, &context, &call, &signed_in).await
}

/// End this session and close its sockets.
#[utoipa::path(
    post, path = "/api/v1/logout", tag = "accounts", security(("token" = []), ("cookie" = [])),
    responses((status = 204, description = "Signed out")),
)]
pub(super) async fn logout(context: Context, call: Call) -> Outcome {
    // Not counted: to leave is always allowed, and possible once.
    let identity = call.uncounted_identity(&context).await?;
    if context.sessions.end(identity.person.id, identity.session).await? {
        let (user, session) = (Some(identity.person.id), Some(identity.session));
        call.note(&context, Event::SessionEnded(Ended::SignedOut), About { user, session, by: session });
    }
    let mut response = no_content();
    set_cookies(&mut response, cookie::remove(cookie::is_secure(&context.settings, &call.headers)));
    Ok(response)
}

/// Who is signed in.
#[utoipa::path(
    get, path = "/api/v1/me", tag = "accounts", security(("token" = []), ("cookie" = [])),
    responses((status = 200, body = Me)),
)]
pub(super) async fn me(context: Context, call: Call) -> Outcome {
    let identity = call.identity(&context).await?;
    context.chat.look_ahead(identity.person.id).await;
    let client_id_prefix = context.chat.client_id_prefix(identity.person.id);
    let show_receipts = context.chat.shows_receipts(identity.person.id).await?;
    let account = Account::from(&identity.person);
    Ok(json(StatusCode::OK, &Me { account, client_id_prefix, show_receipts }))
}

/// Change what others see of oneself: the name, and whether they know what one has read.
#[utoipa::path(
    patch, path = "/api/v1/me", tag = "accounts", request_body = ProfileChange,
    security(("token" = []), ("cookie" = [])),
    responses((status = 200, body = Profile, description = "Changed; other people see it within a minute")),
)]
pub(super) async fn change(context: Context, mut call: Call) -> Outcome {
    let identity = call.identity(&context).await?;
    let ProfileChange { display_name, show_receipts } = call.json().await?;
    let mut person = identity.person;
    let id = person.id;
    // Whoever has a reserved name from before may keep it.
    let display_name = match display_name {
        Some(name) if name.as_str() != person.display_name => Some(name.unless_reserved()?),
        same => same,
    };
    if let Some(shows) = show_receipts {
        context.chat.show_receipts(id, shows).await?;
    }
    if let Some(name) = display_name {
        context.store.rename(id, &name).await?;
        context.chat.directory().forget(id).await;
        person.display_name = name.as_str().to_owned();
    }
    let show_receipts = context.chat.shows_receipts(id).await?;
    Ok(json(StatusCode::OK, &Profile { account: Account::from(&person), show_receipts }))
}

/// Change the password; ends all other sessions of oneself and closes their sockets, and gives this one a new
/// token.
#[utoipa::path(
    put, path = "/api/v1/me/password", tag = "accounts", request_body = PasswordChange,
    security(("token" = []), ("cookie" = [])),
    responses(
        (
            status = 200, body = SignedIn,
            description = "Changed; the token of before has ended, browsers get the cookie too",
        ),
        (
            status = 403, body = Problem, content_type = "application/problem+json",
            description = "`wrong_password`",
        ),
        (
            status = 429, body = Problem, content_type = "application/problem+json",
            description = "`rate_limited`",
        ),
    ),
)]
pub(super) async fn change_password(context: Context, mut call: Call) -> Outcome {
    let identity = call.identity(&context).await?;
    let PasswordChange { current_password, new_password } = call.json().await?;
    let (user, by) = (Some(identity.person.id), Some(identity.session));
    context.sign_in_rate.check_password_change(identity.person.id).inspect_err(|_| {
        call.note(&context, Event::PasswordChangeLocked, About { user, session: None, by });
    })?;
    let address = call.client_address(&context);
    let changed =
        context.accounts.change_password(identity, &current_password, new_password, address).await?;
    signed_in_answer(StatusCode::OK, &context, &call, &changed).await
}

fn check_address(context: &Context, call: &Call) -> Result<(), Refusal> {
    let checked = context.sign_in_rate.check(call.client_address(context));
    checked.inspect_err(|_| call.note(context, Event::SignInLocked, About::default()))
}

/// Hands the token over. What the browser had until now ends: nobody has it any more.
async fn signed_in_answer(
    status: StatusCode,
    context: &Context,
    call: &Call,
    signed_in: &auth::SignedIn,
) -> Outcome {
    let address = call.client_address(context);
    // Under either name: what is not believed any more can still be ended.
    for token in cookie::tokens_of(&call.headers, false) {
        context.accounts.end_replaced(token, signed_in, address).await;
    }
    let secure = cookie::is_secure(&context.settings, &call.headers);
    let mut response = json(status, &SignedIn::from(signed_in));
    set_cookies(&mut response, cookie::set(&signed_in.token, secure));
    let username = Username::new(&signed_in.person.username)?;
    set_cookies(&mut response, vec![context.devices.remember(&call.headers, &username, secure)]);
    Ok(response)
}

fn set_cookies(response: &mut Response, cookies: Vec<HeaderValue>) {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
