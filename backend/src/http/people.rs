//! `users`: finding people, and messages to a person.

use std::collections::HashMap;

use http::StatusCode;
use milena_domain::UserId;
use milena_domain::limits::{DISPLAY_NAME_MAX_CHARS, PEOPLE_SEARCH_LIMIT};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::answer::{Outcome, json, settle};
use super::call::{Call, call, id};
use super::compression;
use super::context::Context;
use crate::chat::stranger;
use crate::refusal::{Code, Refusal};
use crate::wire::rest::{People, Person, Problem};

pub(super) fn routes(context: &Context) -> BoxedFilter<(Response,)> {
    let search = warp::path!("users").and(warp::get()).and(call(context)).then(search).map(settle);
    let person = warp::path!("users" / String).and(warp::get()).and(call(context)).then(person).map(settle);
    search.or(person).unify().boxed()
}

/// Find people by username or display name.
#[utoipa::path(
    get, path = "/api/v1/users", tag = "people", security(("token" = []), ("cookie" = [])),
    params((
        "query" = String, Query, max_length = 64, description =
            "What a name or a word of it begins with, without regard to case and marks; \
             of several words each",
    )),
    responses((status = 200, body = People)),
)]
pub(super) async fn search(context: Context, call: Call) -> Outcome {
    let viewer = call.identity(&context).await?.person.id;
    let query = call.query.text("query").ok_or_else(|| Refusal::field("query", "is missing"))?;
    let chars = query.chars().count();
    if chars > DISPLAY_NAME_MAX_CHARS {
        let problem = format!("must be at most {DISPLAY_NAME_MAX_CHARS} characters (got {chars})");
        return Err(Refusal::field("query", problem));
    }
    let found = context.store.search_people(query, PEOPLE_SEARCH_LIMIT).await?;
    let ids: Vec<UserId> = found.iter().map(|person| person.id).collect();
    let statuses = context.chat.statuses_for(viewer, &ids).await?;
    let users = found.iter().map(|person| Person::from(person).saying(statuses.get(&person.id)));
    let people = People { users: users.collect() };
    Ok(compression::json(&call.headers, StatusCode::OK, &people).await)
}

/// One person.
#[utoipa::path(
    get, path = "/api/v1/users/{id}", tag = "people", security(("token" = []), ("cookie" = [])),
    params(("id" = Uuid, Path, description = "The person")),
    responses(
        (status = 200, body = Person),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "`not_found`",
        ),
    ),
)]
pub(super) async fn person(user: String, context: Context, call: Call) -> Outcome {
    let viewer = call.identity(&context).await?.person.id;
    let user = UserId::from_uuid(id(&user)?);
    if user == UserId::SERVER {
        return Ok(json(StatusCode::OK, &Person::from(&stranger(user))));
    }
    let found = context.chat.directory().person(user).await?;
    let person = found.ok_or_else(|| Refusal::new(Code::NotFound, "there is no person with this id"))?;
    // The name is often known without the database; then it is told all the same.
    let statuses = match context.chat.statuses_for(viewer, &[user]).await {
        Err(refusal) if refusal.code.is_temporary() => HashMap::new(),
        statuses => statuses?,
    };
    Ok(json(StatusCode::OK, &Person::from(&*person).saying(statuses.get(&user))))
}
