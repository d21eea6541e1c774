//! `/openapi.json`: the machine-readable form of the REST part of `docs/PROTOCOL.md`. `docs/openapi.json` is
//! a copy that a test holds equal.

use std::sync::LazyLock;

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, PathItem, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::{
    accounts, bootstrap, changes, conversations, events, lists, messages, notifications, operations, people,
    presence, push, rooms, sessions, status,
};
use crate::auth::cookie;
use crate::wire::rest::Problem;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Milena",
        version = "1",
        description = "Chat whose write path is the log. Positions order the messages of one conversation; \
                       a message is accepted when the log has it; `complete: false` says that something \
                       accepted may be missing.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        accounts::register, accounts::login, accounts::logout,
        bootstrap::bootstrap, accounts::me, accounts::change, accounts::change_password,
        presence::presence_settings, presence::change_presence,
        status::status, status::set_status, status::clear_status,
        notifications::notifications, notifications::change_notifications,
        notifications::conversation_notifications, notifications::set_conversation_notifications,
        push::push, push::subscribe, push::unsubscribe,
        sessions::list, sessions::end, sessions::end_others,
        people::search, people::person,
        conversations::list, conversations::one, conversations::read,
        messages::history, messages::events, messages::send_to_conversation, messages::send_to_person,
        changes::list_changes, changes::edit, changes::delete, changes::react, changes::take_back,
        changes::pin, changes::unpin,
        lists::pins_of, lists::reactions_to, lists::mentions, lists::edits_of, lists::readers_of,
        events::events,
        rooms::create, rooms::list, rooms::one, rooms::by_handle, rooms::change, rooms::join, rooms::leave,
        rooms::members, rooms::add, rooms::remove, rooms::set_role, rooms::banned, rooms::ban, rooms::unban,
        operations::alive, operations::ready, operations::metrics,
    ),
    components(schemas(Problem)),
    tags(
        (name = "accounts", description = "Registering, signing in and out"),
        (name = "people", description = "Finding people"),
        (name = "conversations", description = "The list, and how far one has read"),
        (name = "rooms", description = "Creating, finding and changing rooms, and who is in them"),
        (name = "messages", description = "History and sending"),
        (name = "operations", description = "For those who run the server"),
    ),
    modifiers(&Security, &Problems),
)]
struct Api;

/// The document, built once.
#[must_use]
pub fn document() -> &'static Document {
    static DOCUMENT: LazyLock<Document> = LazyLock::new(Api::openapi);
    &DOCUMENT
}

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The token of `register` or `login`."))
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
        let value = ApiKeyValue::with_description(
            cookie::NAME,
            "Set by `register` and `login`. Requests that change something must carry an `Origin` of this \
             server.",
        );
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(value)));
    }
}

/// Every operation may be answered with a problem.
struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut Document) {
        for operation in document.paths.paths.values_mut().flat_map(operations_of) {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let response = ResponseBuilder::new()
                .description("Any error, by its `code`")
                .content("application/problem+json", content)
                .build();
            operation.responses.responses.insert("default".to_owned(), response.into());
        }
    }
}

fn operations_of(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_have_names_of_their_own() {
        let mut seen = std::collections::HashSet::new();
        for (path, item) in &document().paths.paths {
            for operation in
                [&item.get, &item.put, &item.post, &item.patch, &item.delete].into_iter().flatten()
            {
                let name = operation.operation_id.as_deref().expect("it is named after its handler");
                assert!(seen.insert(name), "{path}: {name}");
            }
        }
    }

    #[test]
    fn everything_under_api_but_signing_in_needs_a_session() {
        for (path, item) in &document().paths.paths {
            let operations = [&item.get, &item.put, &item.post, &item.patch, &item.delete];
            for operation in operations.into_iter().flatten() {
                let open =
                    !path.starts_with("/api/") || path.ends_with("/register") || path.ends_with("/login");
                assert_eq!(operation.security.is_none(), open, "{path}");
                assert!(operation.summary.is_some() && operation.tags.is_some(), "{path}");
            }
        }
    }
}
